//! Runs one mutation: its own transaction, the work, the journal, the kept answer, the commit.

use async_graphql::Value;
use sea_orm::DbErr;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use uuid::Uuid;

use super::declare::Mutation;
use super::idempotency::Key;
use super::input::Input;
use super::problem::{Failure, Problem, ProblemCode};
use super::{Refusals, Writing, refusals};
use crate::clock::Clock;
use crate::db::Db;
use crate::error::{ApiError, Code};
use crate::policy::Viewer;
use crate::read::coerce::Arguments;

/// What a mutation changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The object that the payload shows.
    pub id: Uuid,
}

/// What a mutation did.
#[derive(Clone, Debug)]
pub struct Done {
    /// The object that the payload shows; none when all is to be undone, since it was a trial or not accepted.
    pub id: Option<Uuid>,
    /// What there is to tell beside it.
    pub report: Option<Json>,
    /// Why it was not accepted.
    pub problems: Vec<Problem>,
}

impl From<Change> for Done {
    fn from(change: Change) -> Self {
        Self { id: Some(change.id), report: None, problems: Vec::new() }
    }
}

/// The outcome of a mutation.
#[derive(Clone, Debug)]
pub struct Written {
    /// The object to show; none when nothing was written.
    pub id: Option<Uuid>,
    /// What there is to tell beside it.
    pub report: Option<Json>,
    /// What was wrong.
    pub problems: Vec<Problem>,
    /// The answer was kept from an earlier request with the same key.
    pub replayed: bool,
}

impl From<Done> for Written {
    fn from(done: Done) -> Self {
        Self { id: done.id, report: done.report, problems: done.problems, replayed: false }
    }
}

/// Who sends a mutation, and when.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'s> {
    /// Who.
    pub viewer: &'s Viewer,
    /// Id of the request.
    pub request_id: &'s str,
    /// How many writes of each client were refused of late.
    pub refusals: &'s Refusals,
}

/// Runs a mutation. Problems roll everything back; nothing is kept of them, so that the same key may be sent again
/// once they are mended.
pub async fn run(
    db: &Db,
    clock: &Arc<dyn Clock>,
    mutation: &Mutation,
    input: &Arguments,
    sender: Sender<'_>,
) -> Result<Written, ApiError> {
    let tx = db.begin_write().await?;
    let writing = Writing {
        tx: &tx,
        viewer: sender.viewer,
        backend: db.backend,
        now: clock.now(),
        request_id: sender.request_id,
    };
    match attempt(writing, mutation, input).await {
        Ok(written) if written.id.is_none() => {
            tx.rollback().await?;
            Ok(written)
        }
        Ok(written) => {
            tx.commit().await.map_err(|error| unknown(&error))?;
            if let Some(table) = mutation.scrub {
                db.scrub(table).await?;
            }
            Ok(written)
        }
        Err(Failure::Problems(problems)) => {
            tx.rollback().await?;
            refusals::record(db, clock.as_ref(), mutation, input, sender, &problems).await?;
            Ok(Written { id: None, report: None, problems, replayed: false })
        }
        Err(Failure::Fault(error)) => {
            // the fault is what the caller hears of; a transaction that cannot be rolled back is gone anyway
            let _ = tx.rollback().await;
            Err(error)
        }
    }
}

/// A commit whose answer was lost may be done or not; the idempotency key settles the retry.
fn unknown(error: &DbErr) -> ApiError {
    tracing::warn!(%error, "the outcome of a commit is not known");
    ApiError::new(
        Code::OutcomeUnknown,
        "the write may or may not be done; send it again with its idempotency key",
    )
}

async fn attempt(writing: Writing<'_>, mutation: &Mutation, values: &Arguments) -> Result<Written, Failure> {
    let input = Input::new(values);
    let chosen = match values.get("idempotencyKey") {
        Some(Value::String(key)) if !(1..=200).contains(&key.chars().count()) => {
            let problem =
                Problem::at(ProblemCode::OutOfBounds, "idempotencyKey", "expected 1 to 200 characters");
            return Err(problem.into());
        }
        Some(Value::String(key)) => Some(key.as_str()),
        _ => None,
    };
    let Some(chosen) = chosen else {
        return mutation.work.run(writing, &input).await.map(Written::from);
    };
    let key = Key::new(chosen, mutation.name, writing.viewer.actor.sub.as_deref(), &canonical(values));
    if let Some(kept) = writing.kept(&key).await? {
        return Ok(replay(&kept));
    }
    let done = mutation.work.run(writing, &input).await?;
    if let Some(id) = done.id {
        writing.keep(&key, json!({ "id": id, "report": done.report }).to_string()).await?;
    }
    Ok(done.into())
}

/// The input in one form, whatever the order in which its fields were sent.
fn canonical(values: &Arguments) -> String {
    let mut fields: Vec<(&String, String)> =
        values.iter().map(|(name, value)| (name, sorted(value).to_string())).collect();
    fields.sort();
    format!("{fields:?}")
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.iter().map(sorted).collect()),
        Value::Object(fields) => {
            let mut fields: Vec<_> =
                fields.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields.into_iter().collect())
        }
        other => other.clone(),
    }
}

fn replay(kept: &str) -> Written {
    let mut kept: Json = serde_json::from_str(kept).unwrap_or_default();
    let id = kept.get("id").and_then(Json::as_str).and_then(|id| id.parse().ok());
    let report = kept.get_mut("report").map(Json::take).filter(|report| !report.is_null());
    Written { id, report, problems: Vec::new(), replayed: true }
}
