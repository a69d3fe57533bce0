//! `cites retention`.

use std::sync::Arc;

use crate::auth::{Actor, Role, Scope};
use crate::clock::Clock;
use crate::config::Config;
use crate::policy::{Policy, Viewer};
use crate::write::{self, Failure, Writing};
use crate::{partner, startup};

/// Erase what is kept no longer: personal data past its day, answers of idempotency keys after 7 days
///
/// Run it every night from a timer; a server forgets answers by itself too. Each erasure is journaled; the rows
/// stay, emptied.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example:\n  cites retention")]
pub struct RetentionArgs {}

/// Erases and says how much.
pub(super) async fn run(config: &Config, clock: &dyn Clock) -> anyhow::Result<()> {
    let db = startup::open(config).await?;
    let policy: &'static Policy = Box::leak(Box::new(Policy::load()?));
    let now = clock.now();
    let actor = Actor {
        role: Role::Anct,
        sub: Some("cites-retention".to_owned()),
        scopes: Scope::ALL.to_vec(),
        ..Actor::public()
    };
    let viewer = Viewer::new(Arc::new(actor), now, policy);
    let tx = db.begin_write().await?;
    let writing = Writing {
        tx: &tx,
        viewer: &viewer,
        backend: db.backend,
        now,
        request_id: "retention",
        is_development: false,
    };
    let erased = partner::erase_due(writing).await.map_err(|failure| match failure {
        Failure::Fault(error) => anyhow::Error::new(error),
        Failure::Problems(_) => anyhow::anyhow!("a referent could not be erased"),
    })?;
    tx.commit().await?;
    let forgotten = write::prune(&db, clock).await?;
    db.scrub("referent").await;
    println!("Erased the personal data of {erased} referents; forgot {forgotten} kept answers.");
    Ok(())
}
