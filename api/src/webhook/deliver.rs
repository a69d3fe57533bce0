//! Follows the feed for each webhook and posts what it gives, change after change.
//!
//! One instance at a time works on a webhook: it takes a lease, keeps it while deliveries go on, and writes what came of
//! each under it. Who loses the lease, because he stood still too long or the owner changed the webhook, writes nothing
//! any more.

use std::sync::Arc;
use std::time::Instant;

use async_graphql::Variables;
use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::{WebhookPauseReason, WebhookState};
use entity::webhook::{self, Column, Entity};
use reqwest::StatusCode;
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::send::{Post, Untaken};
use crate::auth::{Actor, Role, Scope};
use crate::db::Sql;
use crate::error::ApiError;
use crate::feed::Place;
use crate::graphql::{Engine, Operation};
use crate::ids;
use crate::limits;

const CHANGES: &str = "query ($after: String, $filter: ChangeFilter) { changes(after: $after, filter: $filter, \
    first: 50) { pageInfo { endCursor } nodes { cursor at operation entity entityId version } } }";

/// What is to be delivered next.
#[derive(Debug, Default)]
struct Page {
    changes: Vec<Change>,
    /// Where to go on when there is nothing.
    end: Option<String>,
}

/// A change, as the feed tells it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    cursor: String,
    at: String,
    operation: String,
    entity: String,
    entity_id: String,
    version: i32,
}

/// Delivers what there is for one webhook, a page at most and not for long: the others have their turn then.
pub(super) async fn follow(
    engine: &Engine,
    post: &Post,
    hook: webhook::Model,
    end: Option<&Place>,
) -> Result<(), ApiError> {
    // whoever had the token may have made it: it stays paused when the revocation is forgotten
    if engine.revocations.name(&owner(&hook)) {
        let Some((lease, hook)) = claim(engine, hook.id).await? else { return Ok(()) };
        let pause = paused(WebhookPauseReason::TokenRevoked);
        return write(engine, hook.id, lease, pause).await.map(drop);
    }
    // a look costs no write; most find nothing
    if hook.after_cursor.as_deref() == cursor(engine, end).as_deref() {
        return Ok(());
    }
    match page(engine, &hook).await {
        Ok(Page { changes, end }) if changes.is_empty() => return skip(engine, &hook, end).await,
        // its client's grant does not hold now: it waits where it is
        Err(code) if code == "FORBIDDEN" => return Ok(()),
        _ => {}
    }
    let Some((lease, mut hook)) = claim(engine, hook.id).await? else { return Ok(()) };
    let changes = match page(engine, &hook).await {
        Ok(page) => page.changes,
        Err(code) if code == "CURSOR_EXPIRED" => {
            let pause = paused(WebhookPauseReason::CursorExpired);
            return write(engine, hook.id, lease, pause).await.map(drop);
        }
        // the database is out of reach, or a fault of ours, which is logged
        Err(_) => Vec::new(),
    };
    let begun = Instant::now();
    for change in &changes {
        if begun.elapsed() > limits::WEBHOOK_TURN {
            break;
        }
        let body = body(change);
        let sent = post
            .send(&hook.url, &hook.secret, &message_id(hook.id, &change.cursor), engine.now(), body)
            .await;
        engine.metrics.delivery(sent.err().map_or("taken", Untaken::kind));
        let values = match sent {
            Ok(()) => taken(engine.now(), &change.cursor),
            Err(untaken) => {
                return write(engine, hook.id, lease, failed(&hook, engine.now(), untaken)).await.map(drop);
            }
        };
        if !write(engine, hook.id, lease, values).await? {
            return Ok(());
        }
        // the next has not been tried yet
        (hook.attempts, hook.failing_since) = (0, None);
    }
    write(engine, hook.id, lease, released()).await.map(drop)
}

/// Goes past what was not for this webhook, once that is much: it would be looked through each time.
async fn skip(engine: &Engine, hook: &webhook::Model, end: Option<String>) -> Result<(), ApiError> {
    let sql = Sql::new(engine.db.backend);
    let place = |cursor: &String| Place::read(cursor, engine.services.identity(), &sql).ok();
    let (after, to) = (hook.after_cursor.as_ref().and_then(place), end.as_ref().and_then(place));
    if to.is_none_or(|to| to.distance(after.as_ref()) < limits::WEBHOOK_SKIP) {
        return Ok(());
    }
    let Some((lease, now)) = claim(engine, hook.id).await? else { return Ok(()) };
    let mut values = released();
    if now.version == hook.version && now.after_cursor == hook.after_cursor {
        values.push((Column::AfterCursor, Expr::value(end)));
    }
    write(engine, hook.id, lease, values).await.map(drop)
}

fn cursor(engine: &Engine, place: Option<&Place>) -> Option<Arc<str>> {
    place.map(|place| place.cursor(engine.services.identity()))
}

/// What is to be delivered next, under the owner's rights as they are now; the code of an error.
async fn page(engine: &Engine, hook: &webhook::Model) -> Result<Page, String> {
    let filter =
        if hook.entities.0.is_empty() { json!(null) } else { json!({ "entity": { "in": hook.entities.0 } }) };
    let operation = Operation {
        query: Some(CHANGES.to_owned()),
        variables: Variables::from_json(json!({ "after": hook.after_cursor, "filter": filter })),
        read_only: true,
        is_ours: true,
        ..Operation::default()
    };
    let answer = engine.execute(operation, owner(hook)).await;
    let mut answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if let Some(code) = answer.pointer("/errors/0/extensions/code").and_then(|code| code.as_str()) {
        return Err(code.to_owned());
    }
    let mut part = |pointer| answer.pointer_mut(pointer).map(serde_json::Value::take).unwrap_or_default();
    let (nodes, end) = (part("/data/changes/nodes"), part("/data/changes/pageInfo/endCursor"));
    let changes = serde_json::from_value(nodes).map_err(|_| "INTERNAL".to_owned())?;
    Ok(Page { changes, end: end.as_str().map(str::to_owned) })
}

/// The owner: what his token said when he made the webhook; what he is granted is looked up as it is now. Revoked is the
/// token with which he wrote it last: whoever had an earlier one may have nothing to do with it any more.
fn owner(hook: &webhook::Model) -> Actor {
    Actor {
        role: Role::from_name(&hook.role).unwrap_or(Role::Public),
        sub: hook.actor_sub.clone(),
        client_id: Some(hook.client_id.clone()),
        source: hook.source_system.clone(),
        scopes: hook.scopes.0.iter().filter_map(|scope| Scope::from_name(scope)).collect(),
        jti: hook.token_jti.clone(),
        issued_at: hook.token_issued_at,
        ..Actor::public()
    }
}

fn body(change: &Change) -> String {
    let Change { cursor, at, operation, entity, entity_id, version } = change;
    let data = json!({
        "cursor": cursor, "operation": operation, "entity": entity, "entityId": entity_id, "version": version,
    });
    json!({ "type": "change", "timestamp": at, "data": data }).to_string()
}

/// The same for a change however often it is sent.
fn message_id(hook: Uuid, cursor: &str) -> String {
    let hash = Sha256::new().chain_update(hook.as_bytes()).chain_update(cursor).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    ids::encode("msg", Builder::from_custom_bytes(bytes).into_uuid())
}

type Values = Vec<(Column, SimpleExpr)>;

/// Takes the lease of a webhook, unless another holds it; gives the webhook as it stands then.
async fn claim(engine: &Engine, id: Uuid) -> Result<Option<(Uuid, webhook::Model)>, ApiError> {
    let (now, lease) = (engine.now(), Uuid::now_v7());
    let free = Condition::any().add(Column::Lease.is_null()).add(Column::LeasedUntil.lte(now));
    let claimed = Entity::update_many()
        .col_expr(Column::Lease, Expr::value(lease))
        .col_expr(Column::LeasedUntil, Expr::value(now + lease_time()))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(WebhookState::Active))
        .filter(Column::DeletedAt.is_null())
        .filter(free)
        .exec(&engine.db.writer)
        .await?;
    if claimed.rows_affected == 0 {
        return Ok(None);
    }
    let hook = Entity::find_by_id(id).one(&engine.db.writer).await?;
    // another instance may have failed to deliver since it was found due
    let hook = hook.filter(|hook| hook.next_attempt_at.is_none_or(|at| at <= now));
    if hook.is_none() {
        write(engine, id, lease, released()).await?;
    }
    Ok(hook.map(|hook| (lease, hook)))
}

/// Writes what came of a delivery, under the lease; false when it is lost.
async fn write(engine: &Engine, id: Uuid, lease: Uuid, values: Values) -> Result<bool, ApiError> {
    let mut update = Entity::update_many().filter(Column::Id.eq(id)).filter(Column::Lease.eq(lease));
    for (column, value) in values {
        update = update.col_expr(column, value);
    }
    Ok(update.exec(&engine.db.writer).await?.rows_affected > 0)
}

fn lease_time() -> TimeDelta {
    TimeDelta::from_std(limits::WEBHOOK_LEASE).unwrap_or_default()
}

fn released() -> Values {
    vec![
        (Column::Lease, Expr::value(None::<Uuid>)),
        (Column::LeasedUntil, Expr::value(None::<DateTime<Utc>>)),
    ]
}

fn taken(now: DateTime<Utc>, cursor: &str) -> Values {
    vec![
        (Column::AfterCursor, Expr::value(cursor)),
        (Column::DeliveredAt, Expr::value(now)),
        (Column::Attempts, Expr::value(0)),
        (Column::FailingSince, Expr::value(None::<DateTime<Utc>>)),
        (Column::NextAttemptAt, Expr::value(None::<DateTime<Utc>>)),
        (Column::LastError, Expr::value(None::<String>)),
        (Column::LeasedUntil, Expr::value(now + lease_time())),
    ]
}

fn paused(reason: WebhookPauseReason) -> Values {
    let mut values = released();
    values.push((Column::State, Expr::value(WebhookState::Paused)));
    values.push((Column::PauseReason, Expr::value(reason)));
    values.push((Column::NextAttemptAt, Expr::value(None::<DateTime<Utc>>)));
    values
}

/// Tried again later, until patience ends; an address that says it is gone is believed.
fn failed(hook: &webhook::Model, now: DateTime<Utc>, untaken: Untaken) -> Values {
    let since = hook.failing_since.unwrap_or(now);
    let attempts = hook.attempts.saturating_add(1);
    let mut values = if untaken == Untaken::Status(StatusCode::GONE) {
        paused(WebhookPauseReason::Gone)
    } else if now - since >= limits::WEBHOOK_PATIENCE {
        paused(WebhookPauseReason::Failing)
    } else {
        let mut values = released();
        values.push((Column::NextAttemptAt, Expr::value(now + delay(attempts))));
        values
    };
    values.push((Column::Attempts, Expr::value(attempts)));
    values.push((Column::FailingSince, Expr::value(since)));
    values.push((Column::LastError, Expr::value(untaken.code())));
    values
}

/// Five seconds, then three times as long each time, six hours at most.
fn delay(attempts: i32) -> TimeDelta {
    let times = u32::try_from(attempts - 1).unwrap_or_default().min(12);
    TimeDelta::seconds(5 * 3_i64.pow(times)).min(TimeDelta::hours(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_further_and_further_apart() {
        let seconds: Vec<i64> = [1, 2, 3, 8, 9, 50].map(|attempts| delay(attempts).num_seconds()).to_vec();
        assert_eq!(seconds, [5, 15, 45, 10_935, 21_600, 21_600]);
    }

    #[test]
    fn a_message_keeps_its_id_and_no_other_has_it() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(message_id(one, "a"), message_id(one, "a"));
        assert_ne!(message_id(one, "a"), message_id(one, "b"));
        assert_ne!(message_id(one, "a"), message_id(other, "a"));
    }
}
