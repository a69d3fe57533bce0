//! Runs mutations, one or all of a document in one transaction: the work, the journal, the kept answers, the commit.

use async_graphql::Value;
use sea_orm::DbErr;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use std::time::Duration;
use uuid::Uuid;

use super::declare::{Mutation, Work};
use super::formats::joined;
use super::idempotency::Key;
use super::input::Input;
use super::problem::{Failure, Problem, ProblemCode};
use super::{Refusals, Writing, refusals};
use crate::clock::Clock;
use crate::db::{self, Db};
use crate::error::{ApiError, Code};
use crate::limits;
use crate::metrics::Metrics;
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
    /// The object that the payload shows; none when nothing was written, since it was a trial or not accepted.
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

/// One mutation of a document.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Key under which its payload stands.
    pub key: &'a str,
    /// What is to be done.
    pub mutation: &'a Mutation,
    /// Its coerced input.
    pub input: &'a Arguments,
    /// What is malformed in it.
    pub malformed: &'a [Problem],
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

impl Written {
    /// It was done, now or before.
    pub const fn done(id: Option<Uuid>, replayed: bool) -> Self {
        Self { id, report: None, problems: Vec::new(), replayed }
    }

    /// Nothing was written.
    pub const fn refused(problems: Vec<Problem>) -> Self {
        Self { id: None, report: None, problems, replayed: false }
    }

    /// Nothing was written because of another mutation of the document.
    pub fn given_up(other: &str) -> Self {
        let message =
            format!("nothing was written, since `{other}` was not done; mend that and send the whole again");
        Self::refused(vec![Problem::at(ProblemCode::NotWritten, "", message)])
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
    /// The server is one for development.
    pub is_development: bool,
    /// Where outcomes are counted.
    pub metrics: &'s Metrics,
}

/// Why a transaction was not done.
struct Stop {
    /// The mutation at fault; none when it is the transaction itself.
    at: Option<usize>,
    failure: Failure,
}

impl Stop {
    fn whole(error: impl Into<ApiError>) -> Self {
        Self { at: None, failure: Failure::Fault(error.into()) }
    }

    fn code(&self) -> Option<Code> {
        match &self.failure {
            Failure::Fault(error) => Some(error.code),
            Failure::Problems(_) => None,
        }
    }
}

/// Runs mutations in one transaction: all are done, or none. Nothing is kept of one that was refused, so that the
/// same key may be sent again once the input is mended.
pub async fn run(
    db: &Db,
    clock: &dyn Clock,
    asked: &[Asked<'_>],
    sender: Sender<'_>,
) -> Vec<Result<Written, ApiError>> {
    if asked.is_empty() {
        return Vec::new();
    }
    let outcomes = outcomes(db, clock, asked, sender).await;
    for (one, outcome) in asked.iter().zip(&outcomes) {
        count(one.mutation, outcome, sender.metrics);
    }
    outcomes
}

/// Counts what became of a mutation.
fn count(mutation: &Mutation, outcome: &Result<Written, ApiError>, metrics: &Metrics) {
    let how = match outcome {
        Err(_) => "failed",
        Ok(written) if written.replayed => "replayed",
        Ok(written) if !written.problems.is_empty() => "refused",
        Ok(Written { id: None, .. }) => "tried",
        Ok(written) => {
            if let (Some(count), Some(report)) = (mutation.count, &written.report) {
                count(report, metrics);
            }
            "written"
        }
    };
    metrics.mutation(mutation.name, how);
}

async fn outcomes(
    db: &Db,
    clock: &dyn Clock,
    asked: &[Asked<'_>],
    sender: Sender<'_>,
) -> Vec<Result<Written, ApiError>> {
    let mut attempt = 1;
    let stop = loop {
        match together(db, clock, asked, sender).await {
            Ok(written) => {
                for one in asked {
                    if !one.mutation.scrub.is_empty() {
                        db.scrub(one.mutation.scrub).await;
                    }
                }
                return written.into_iter().map(Ok).collect();
            }
            Err(Stop { failure: Failure::Fault(error), .. })
                if error.is_transient && attempt < limits::WRITE_ATTEMPTS =>
            {
                attempt += 1;
                // not at the same moment as the other
                tokio::time::sleep(Duration::from_millis(rand::random_range(1..=20))).await;
            }
            Err(stop) => break stop,
        }
    };
    stopped(db, clock, asked, sender, &stop).await
}

/// Records what was refused or failed, and says so for each mutation.
async fn stopped(
    db: &Db,
    clock: &dyn Clock,
    asked: &[Asked<'_>],
    sender: Sender<'_>,
    stop: &Stop,
) -> Vec<Result<Written, ApiError>> {
    let mut outcomes = Vec::new();
    for (index, one) in asked.iter().enumerate() {
        if let Some(at) = stop.at.filter(|at| *at != index) {
            let other = asked.get(at).map_or("", |other| other.key);
            outcomes.push(Ok(Written::given_up(other)));
            continue;
        }
        let (outcome, code) = match &stop.failure {
            Failure::Problems(problems) => {
                let code = problems.first().map_or("RULE", |problem| problem.code.name());
                (Ok(Written::refused(problems.clone())), code)
            }
            Failure::Fault(error) => (Err(error.clone()), error.code.name()),
        };
        // a database that lets nobody begin takes no record either
        if stop.at.is_some() || stop.code() != Some(Code::Unavailable) {
            refusals::record(db, clock, one, sender, code).await;
        }
        outcomes.push(outcome);
    }
    outcomes
}

async fn together(
    db: &Db,
    clock: &dyn Clock,
    asked: &[Asked<'_>],
    sender: Sender<'_>,
) -> Result<Vec<Written>, Stop> {
    let tx = db.begin_write().await.map_err(Stop::whole)?;
    let writing = Writing {
        tx: &tx,
        viewer: sender.viewer,
        backend: db.backend,
        now: clock.now(),
        request_id: sender.request_id,
        is_development: sender.is_development,
    };
    let mut written = Vec::new();
    let until = tokio::time::Instant::now() + db.deadline;
    for (index, one) in asked.iter().enumerate() {
        let attempt = tokio::time::timeout_at(until, attempt(writing, one)).await;
        let failure = match attempt.unwrap_or_else(|_| Err(ApiError::too_long().into())) {
            // refused as a whole, with a report: alone it is told, beside others it keeps them from being written
            Ok(done) if asked.len() > 1 && !done.problems.is_empty() => Failure::Problems(done.problems),
            Ok(done) => {
                written.push(done);
                continue;
            }
            Err(failure) => failure,
        };
        // what stopped it is what the caller hears of; a transaction that cannot be rolled back is gone
        let _ = tx.rollback().await;
        return Err(Stop { at: Some(index), failure });
    }
    let committed = tx.commit().await;
    // one whose answer was lost may be done
    db.news.committed();
    committed.map_err(|error| Stop::whole(uncommitted(error)))?;
    Ok(written)
}

/// A commit whose answer was lost may be done or not; the idempotency key settles the retry.
fn uncommitted(error: DbErr) -> ApiError {
    if db::is_contended(&error) || db::is_without_room(&error) || db::is_violation(&error) {
        return error.into();
    }
    tracing::warn!(%error, "the outcome of a commit is not known");
    ApiError::new(
        Code::OutcomeUnknown,
        "the write may or may not be done; send it again with its idempotency key",
    )
}

async fn attempt(writing: Writing<'_>, asked: &Asked<'_>) -> Result<Written, Failure> {
    let values = asked.input;
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
        return work(writing, asked).await.map(Written::from);
    };
    let sub = writing.viewer.actor.sub.as_deref();
    let key = Key::new(chosen, asked.mutation.name, sub, &canonical(values));
    if let Some(kept) = writing.kept(&key).await? {
        return Ok(replay(&kept));
    }
    let done = work(writing, asked).await?;
    match done.id {
        Some(id) => {
            let report = done.report.as_ref().filter(|_| !asked.mutation.shown_once);
            writing.keep(&key, json!({ "id": id, "report": report }).to_string()).await?;
        }
        // nothing was written: the key stays free
        None => writing.release(&key).await?,
    }
    Ok(done.into())
}

/// Does the work, and adds what is malformed to what it finds wrong.
async fn work(writing: Writing<'_>, asked: &Asked<'_>) -> Result<Done, Failure> {
    let input = Input::new(asked.input).with_malformed(asked.malformed);
    let work = match asked.mutation.work {
        Work::One(work) => work,
        // it tells of each item by itself
        Work::Many(work) => return work(writing, &input).await,
    };
    if asked.malformed.is_empty() {
        return work(writing, &input).await.map(Done::from);
    }
    // noted first, so that the work stops before it writes
    asked.malformed.iter().cloned().for_each(|problem| input.problem(problem));
    match work(writing, &input).await {
        Err(Failure::Fault(error)) if error.code != Code::Internal => Err(error.into()),
        Err(Failure::Problems(found)) => Err(Failure::Problems(joined(asked.malformed, found, asked.input))),
        // a work may take a value for granted that only its form kept from being read
        Ok(_) | Err(Failure::Fault(_)) => Err(Failure::Problems(asked.malformed.to_vec())),
    }
}

/// The input in one form, whatever the order in which its fields were sent.
fn canonical(values: &Arguments) -> String {
    let mut text = String::new();
    append_fields(&mut text, values.iter().map(|(name, value)| (name.as_str(), value)));
    text
}

fn append(text: &mut String, value: &Value) {
    match value {
        Value::List(items) => {
            text.push('[');
            for item in items {
                append(text, item);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(fields) => {
            append_fields(text, fields.iter().map(|(name, value)| (name.as_str(), value)));
        }
        Value::String(string) => {
            // its length, and it as it is: no other text reads the same
            let _ = write!(text, "{}\"", string.len());
            text.push_str(string);
        }
        other => {
            // a text takes whatever is written to it
            let _ = write!(text, "{other}");
        }
    }
}

fn append_fields<'v>(text: &mut String, fields: impl Iterator<Item = (&'v str, &'v Value)>) {
    let mut fields: Vec<_> = fields.collect();
    fields.sort_unstable_by_key(|(name, _)| *name);
    text.push('{');
    for (name, value) in fields {
        text.push_str(name);
        text.push(':');
        append(text, value);
        text.push(',');
    }
    text.push('}');
}

fn replay(kept: &str) -> Written {
    let mut kept: Json = serde_json::from_str(kept).unwrap_or_default();
    let id = kept.get("id").and_then(Json::as_str).and_then(|id| id.parse().ok());
    let report = kept.get_mut("report").map(Json::take).filter(|report| !report.is_null());
    Written { report, ..Written::done(id, true) }
}
