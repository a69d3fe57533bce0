//! Chunks of a long import: lines of JSON, each an item of `syncActions`.

use std::sync::Arc;

use async_graphql::{Name, Value};
use serde_json::{Value as Json, json};

use super::call;
use super::report::{Told, read};
use crate::admission::{Class, Place};
use crate::auth::Actor;
use crate::budget::Account;
use crate::error::{ApiError, Code, Step};
use crate::graphql::Engine;
use crate::ids;
use crate::limits;
use crate::policy::Verb;
use crate::read::coerce::{self, Arguments, Formats};
use crate::read::plan::internal;
use crate::write::{self, Asked, Mutation};

/// Lines of an upload.
#[derive(Debug)]
pub struct Chunk {
    /// Number of the first.
    pub first: u64,
    /// The lines; why there is none where one could not be read.
    pub lines: Vec<Result<String, ApiError>>,
    /// The client's own key for the upload; each chunk has its own, by its first line.
    pub key: Option<String>,
    /// Id of the request, for the journal.
    pub request_id: String,
}

/// A chunk whose lines were read and checked, as far as that needs no database.
#[derive(Debug)]
pub struct Read {
    first: u64,
    request_id: String,
    /// How its source names the item of each line, and why it is none, if so; nothing for a blank line.
    told_of: Vec<Option<(Json, Option<ApiError>)>>,
    /// The items, as the input of one call; none when there are none.
    input: Option<Arguments>,
    malformed: Vec<write::Problem>,
}

/// An item, and whether something in it is not of its form.
type Checked = (Value, bool);

impl Engine {
    /// Whether a caller may import at all: who may not is told so before anything of his is read.
    pub fn may_import(&self, actor: &Actor) -> Result<(), ApiError> {
        let viewer = self.viewer(Arc::new(actor.clone()));
        let may = call::is_allowed(&viewer, self.db.backend, Verb::Create);
        if may { Ok(()) } else { Err(ApiError::new(Code::Forbidden, call::NOT_ALLOWED)) }
    }

    fn sync_actions(&self) -> Result<&Mutation, ApiError> {
        self.model.mutations.get("syncActions").ok_or_else(|| internal("a mutation is not declared"))
    }

    /// Reads the lines of a chunk.
    pub fn read_chunk(&self, chunk: Chunk) -> Result<Read, ApiError> {
        // what is told of an item names it; the item itself goes on
        let (mut items, mut told_of) = (Vec::new(), Vec::with_capacity(chunk.lines.len()));
        let mut has_malformed = false;
        for line in chunk.lines {
            let read = match line {
                Ok(line) => self.item(&line),
                Err(error) => Some((Json::Null, Err(error))),
            };
            told_of.push(read.map(|(id, item)| match item {
                Ok((item, is_malformed)) => {
                    has_malformed |= is_malformed;
                    items.push(item);
                    (id, None)
                }
                Err(error) => (id, Some(error)),
            }));
        }
        let input = (!items.is_empty()).then(|| arguments(items, chunk.key.as_deref(), chunk.first));
        let mutation = self.sync_actions()?;
        let malformed = input.as_ref().filter(|_| has_malformed);
        let malformed =
            malformed.map(|input| write::malformed(&self.model, mutation, input)).unwrap_or_default();
        Ok(Read { first: chunk.first, request_id: chunk.request_id, told_of, input, malformed })
    }

    /// Imports a chunk as one `syncActions`; answers a line of JSON for each of its lines that is not blank.
    pub async fn import(&self, chunk: Read, actor: Actor) -> Result<Vec<u8>, ApiError> {
        let mutation = self.sync_actions()?;
        let (mut told, mut replayed) = (Vec::new(), false);
        let viewer = self.viewer(Arc::new(actor));
        let points = limits::MUTATION_POINTS.saturating_add(chunk.told_of.len() as u64);
        let mut account = self.budget.account(&viewer.actor, None, viewer.now);
        account.take(points)?;
        if let Some(input) = &chunk.input {
            // who is turned away pays nothing
            let _place = self.place(&account).await?;
            let asked = Asked { key: mutation.name, mutation, input, malformed: &chunk.malformed };
            let sender = self.sender(&viewer, &chunk.request_id);
            let ended = write::run(&self.db, self.clock(), &[asked], sender).await;
            self.told(&viewer.actor);
            let written = ended.into_iter().next().ok_or_else(|| internal("a write did not end"))??;
            if let Some(problem) = written.problems.first() {
                let code = if problem.code == write::ProblemCode::Forbidden {
                    Code::Forbidden
                } else {
                    Code::BadUserInput
                };
                return Err(ApiError::new(code, format!("{}: {}", problem.code.name(), problem.message)));
            }
            replayed = written.replayed;
            told = read(&written.report.unwrap_or_default());
        }
        let mut told = told.into_iter();
        let mut out = Vec::new();
        for (number, line) in (chunk.first..).zip(chunk.told_of) {
            let answer = match line {
                None => continue,
                Some((id, None)) => {
                    outcome(&id, &told.next().ok_or_else(|| internal("an item has no outcome"))?, replayed)
                }
                Some((id, Some(error))) => refused(&id, &error),
            };
            let mut line = json!({ "line": number });
            if let (Json::Object(line), Json::Object(answer)) = (&mut line, answer) {
                line.extend(answer);
            }
            out.extend_from_slice(line.to_string().as_bytes());
            out.push(b'\n');
        }
        Ok(out)
    }

    /// A place for a chunk; who is turned away pays nothing.
    async fn place(&self, account: &Account) -> Result<Place<'_>, ApiError> {
        let entered = self.admission.enter(Class::Bulk).await;
        if entered.is_err() {
            account.settle(0);
        }
        entered
    }

    /// How its source names the item of a line, and the item; none for a blank one.
    fn item(&self, line: &str) -> Option<(Json, Result<Checked, ApiError>)> {
        let line = line.trim();
        if line.is_empty() {
            return None;
        }
        let Ok(value) = serde_json::from_str::<Value>(line) else {
            let error = ApiError::new(Code::BadUserInput, "the line is not JSON");
            return Some((Json::Null, Err(error.expected("one JSON object a line"))));
        };
        let id = external_id(&value);
        Some((id, coerce::input(&self.model, "SyncActionItem", value, Formats::Passed)))
    }
}

fn arguments(items: Vec<Value>, key: Option<&str>, first: u64) -> Arguments {
    let mut arguments = Arguments::new();
    arguments.insert(Name::new("mode"), Value::Enum(Name::new("UPSERT")));
    arguments.insert(Name::new("onError"), Value::Enum(Name::new("CONTINUE")));
    arguments.insert(Name::new("items"), Value::List(items));
    if let Some(key) = key {
        arguments.insert(Name::new("idempotencyKey"), Value::String(format!("{key}#{first}")));
    }
    arguments
}

/// How its source names an item, if it does.
fn external_id(item: &Value) -> Json {
    let id = if let Value::Object(fields) = item { fields.get("externalId") } else { None };
    if let Some(Value::String(id)) = id { id.as_str().into() } else { Json::Null }
}

fn outcome(external_id: &Json, told: &Told, replayed: bool) -> Json {
    let said = |problems: &[write::Problem]| -> Vec<Json> {
        let one = |one: &write::Problem| json!({ "code": one.code.name(), "path": one.path, "message": one.message });
        problems.iter().map(one).collect()
    };
    json!({
        "externalId": external_id,
        "outcome": told.outcome.as_str(),
        "action": told.action.map(|id| ids::encode("action", id)),
        "errors": said(&told.errors),
        "notices": said(&told.notices),
        "replayed": replayed,
    })
}

/// A line that is no item.
fn refused(external_id: &Json, error: &ApiError) -> Json {
    let step = |step: &Step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    };
    let path: Vec<String> = error.input.iter().map(step).collect();
    let message = match &error.expected {
        Some(expected) => format!("{}; expected {expected}", error.message),
        None => error.message.to_string(),
    };
    let problem = json!({ "code": error.code.name(), "path": path, "message": message });
    json!({ "externalId": external_id, "outcome": "REJECTED", "action": null, "errors": [problem], "notices": [], "replayed": false })
}
