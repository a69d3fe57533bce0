//! Refused writes of known callers, recorded in the journal beside those that were done.

use std::collections::HashMap;
use std::sync::Mutex;

use async_graphql::Value;
use entity::enums::JournalOp;
use entity::{StringList, journal};
use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::{NotSet, Set};

use super::declare::Mutation;
use super::problem::Problem;
use super::run::Sender;
use crate::auth::Role;
use crate::clock::Clock;
use crate::db::Db;
use crate::error::ApiError;
use crate::ids;
use crate::limits;
use crate::read::coerce::Arguments;

/// Refusals of each client in the current minute, so that nobody fills the journal with them.
#[derive(Debug, Default)]
pub struct Refusals {
    counts: Mutex<(i64, HashMap<String, u32>)>,
}

impl Refusals {
    /// Whether one more refusal of a client is recorded in this minute.
    fn is_within(&self, client: &str, minute: i64) -> bool {
        let Ok(mut counts) = self.counts.lock() else { return false };
        if counts.0 != minute {
            *counts = (minute, HashMap::new());
        }
        let count = counts.1.entry(client.to_owned()).or_default();
        *count += 1;
        *count <= limits::REFUSALS_A_MINUTE
    }
}

/// Records that a write was refused, unless the client was refused too often in this minute.
pub(super) async fn record(
    db: &Db,
    clock: &dyn Clock,
    mutation: &Mutation,
    input: &Arguments,
    sender: Sender<'_>,
    problems: &[Problem],
) -> Result<(), ApiError> {
    let actor = &sender.viewer.actor;
    let (Some(problem), false) = (problems.first(), actor.role == Role::Public) else { return Ok(()) };
    let now = clock.now();
    let client = actor.client_id.as_deref().or(actor.sub.as_deref()).unwrap_or_default();
    if !sender.refusals.is_within(client, now.timestamp() / 60) {
        tracing::info!(
            client,
            code = problem.code.name(),
            "a refused write was not recorded: too many in this minute"
        );
        return Ok(());
    }
    let subject = match input.get("id") {
        Some(Value::String(id)) => ids::decode(id).ok().map(|(_, id)| id),
        _ => None,
    };
    let row = journal::ActiveModel {
        seq: NotSet,
        xid: NotSet,
        entity: Set(mutation.target.noun.to_owned()),
        entity_id: Set(subject.unwrap_or_default()),
        version: Set(0),
        op: Set(JournalOp::Upsert),
        verb: Set(mutation.name.to_owned()),
        at: Set(now),
        site_id: Set(None),
        was_site_id: Set(None),
        source_system: Set(actor.source.clone()),
        public: Set(false),
        was_public: Set(false),
        changed_fields: Set(StringList::default()),
        actor_sub: Set(actor.sub.clone()),
        client_id: Set(actor.client_id.clone()),
        role: Set(Some(actor.role.name().to_owned())),
        request_id: Set(Some(sender.request_id.to_owned())),
        outcome: Set(problem.code.name().to_owned()),
    };
    let tx = db.begin_write().await?;
    row.insert(&tx).await?;
    tx.commit().await?;
    Ok(())
}
