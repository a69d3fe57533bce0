//! `cites revoke`.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::revocation;

use super::UsageError;
use super::token::name;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::revocation::{self as revocations, Named};
use crate::{limits, startup};

/// Refuse tokens before they end
///
/// Either one token, by its `jti`, or all that a client was given so far: those it is issued from then on are good.
/// Every instance refuses them within 5 seconds and ends their live streams; what is asked after that is answered
/// `TOKEN_REVOKED` (401). Each call is journaled.
#[derive(Debug, Clone, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").args(["jti", "client_id", "list"]).required(true),
    after_help = "Examples:\n  cites revoke --jti 9f2c8a70-6a0e-4a6d-9d52-1f8e0a7c4b11\n  \
                  cites revoke --client-id tableau-anct --reason 'secret leaked'\n  cites revoke --list\n  \
                  cites revoke --undo --jti 9f2c8a70-6a0e-4a6d-9d52-1f8e0a7c4b11"
)]
pub struct RevokeArgs {
    /// One token, by its claim `jti`
    #[arg(long, value_name = "ID", value_parser = name)]
    pub jti: Option<String>,
    /// The tokens issued to a client before now
    #[arg(long, value_name = "ID", value_parser = name)]
    pub client_id: Option<String>,
    /// Until when to keep it: when the last of these tokens has ended, as 2026-01-31T00:00:00Z [default: in 30 days]
    #[arg(long, value_name = "INSTANT", conflicts_with_all = ["undo", "list"])]
    pub until: Option<DateTime<Utc>>,
    /// Why, for `--list`; no personal data
    #[arg(long, value_name = "TEXT", value_parser = name, conflicts_with_all = ["undo", "list"])]
    pub reason: Option<String>,
    /// Take it back
    #[arg(long, conflicts_with = "list")]
    pub undo: bool,
    /// Say what is revoked
    #[arg(long)]
    pub list: bool,
}

/// Revokes, takes back or lists.
pub(super) async fn run(args: &RevokeArgs, config: &Config, clock: &dyn Clock) -> anyhow::Result<()> {
    let now = clock.now();
    let until = args.until.unwrap_or(now + limits::REVOCATION_KEPT);
    if until <= now {
        return Err(UsageError("--until is over already".to_owned()).into());
    }
    let db = startup::open(config).await?;
    let Some(named) = args.named() else {
        return list(&db, now).await;
    };
    if args.undo {
        let was = revocations::undo(&db, clock, &named).await?;
        println!("{}", if was { "Taken back." } else { "Nothing of that name was revoked." });
        return Ok(());
    }
    revocations::revoke(&db, clock, &named, until, args.reason.clone()).await?;
    println!("Revoked, and kept until {}.", written(until));
    Ok(())
}

impl RevokeArgs {
    fn named(&self) -> Option<Named> {
        let token = self.jti.clone().map(Named::Token);
        token.or_else(|| self.client_id.clone().map(Named::Client))
    }
}

async fn list(db: &Db, now: DateTime<Utc>) -> anyhow::Result<()> {
    for revocation::Model { jti, client_id, revoked_at, kept_until, reason, .. } in
        revocations::list(db, now).await?
    {
        let (kind, name) = jti.map_or(("client-id", client_id), |jti| ("jti", Some(jti)));
        let (name, reason) = (name.unwrap_or_default(), reason.unwrap_or_default());
        println!("{kind}\t{name}\t{}\t{}\t{reason}", written(revoked_at), written(kept_until));
    }
    Ok(())
}

fn written(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}
