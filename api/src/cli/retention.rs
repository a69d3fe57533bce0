//! `cites retention`.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::auth::{Actor, Role, Scope};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::policy::{Policy, Viewer};
use crate::write::{self, Failure, Writing};
use crate::{limits, partner, startup};

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
    let erased = erase(&db, &viewer, now).await?;
    let forgotten = write::prune(&db, clock).await?;
    db.scrub(partner::PERSONAL).await;
    println!("Erased the personal data of {erased} referents; forgot {forgotten} kept answers.");
    Ok(())
}

/// Erases some and some more, until nobody is left; those whose transaction had to give way to another once more.
async fn erase(db: &Db, viewer: &Viewer, now: DateTime<Utc>) -> anyhow::Result<usize> {
    let (mut erased, mut attempt) = (0, 1);
    loop {
        match some(db, viewer, now).await {
            Ok(None) => return Ok(erased),
            Ok(Some(more)) => (erased, attempt) = (erased + more, 1),
            Err(Failure::Fault(error)) if error.is_transient && attempt < limits::WRITE_ATTEMPTS => {
                attempt += 1;
            }
            Err(Failure::Fault(error)) => return Err(anyhow::Error::new(error)),
            Err(Failure::Problems(_)) => anyhow::bail!("a referent could not be erased"),
        }
    }
}

async fn some(db: &Db, viewer: &Viewer, now: DateTime<Utc>) -> Result<Option<usize>, Failure> {
    let tx = db.begin_write().await?;
    let writing =
        Writing { tx: &tx, viewer, backend: db.backend, now, request_id: "retention", is_development: false };
    match partner::erase_due(writing).await {
        Ok(erased) => {
            tx.commit().await?;
            Ok(erased)
        }
        Err(failure) => {
            // why it failed is what is told; a transaction that cannot be rolled back is gone
            let _ = tx.rollback().await;
            Err(failure)
        }
    }
}
