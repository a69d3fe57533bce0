//! What is told of each item, and of what a snapshot does not hold: in the answer, in the kept answer of an idempotency key, in the history.

use entity::action;
use entity::enums::ImportOutcome;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::ground::at;
use crate::error::ApiError;
use crate::graphql::user_errors;
use crate::metrics::Metrics;
use crate::read::nodes::RowsById;
use crate::read::plan::{Planner, internal};
use crate::read::select::Selected;
use crate::read::shape::{Out, Shape, check_items, json_key, json_string};
use crate::write::{Problem, ProblemCode};

/// What became of one item.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub outcome: ImportOutcome,
    pub action: Option<Uuid>,
    /// Why it was rejected or in conflict, paths from the item on.
    pub errors: Vec<Problem>,
    /// What is to be known of an item that stands.
    pub notices: Vec<Problem>,
}

impl Told {
    /// An item of which nothing is to be said.
    pub const fn of(outcome: ImportOutcome, action: Option<Uuid>) -> Self {
        Self { outcome, action, errors: Vec::new(), notices: Vec::new() }
    }

    /// Everything that is said of it.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.errors.iter().chain(&self.notices)
    }
}

/// An action that a snapshot does not hold.
#[derive(Clone, Debug)]
pub(super) struct Absent {
    pub external_id: String,
    /// The action, while it can be read.
    pub action: Option<Uuid>,
}

impl Absent {
    /// An action that is deleted, or would be.
    pub fn of(row: &action::Model) -> Self {
        Self { external_id: row.source_external_id.clone().unwrap_or_default(), action: Some(row.id) }
    }

    /// The same as history tells it.
    pub fn told(&self) -> Told {
        let text = "the snapshot does not hold the action: it was deleted";
        let notices = vec![at(ProblemCode::Absent, &[], text)];
        Told { notices, ..Told::of(ImportOutcome::Updated, self.action) }
    }
}

/// The outcomes as they are kept: a list, and what a snapshot does not hold beside it.
pub(super) fn kept(told: &[Told], absent: &[Absent]) -> Json {
    let items = items(told);
    if absent.is_empty() {
        return items;
    }
    let absent: Vec<Json> = absent.iter().map(|one| json!([one.external_id, one.action])).collect();
    json!({ "items": items, "absent": absent })
}

fn items(told: &[Told]) -> Json {
    let problems = |problems: &[Problem]| -> Vec<Json> {
        problems.iter().map(|one| json!([one.code.name(), one.path, one.message])).collect()
    };
    told.iter()
        .map(|one| json!([one.outcome.as_str(), one.action, problems(&one.errors), problems(&one.notices)]))
        .collect()
}

/// The outcomes of so many items, and of so many that are absent, each with an action.
pub(super) fn longest(items: usize, absent: usize) -> Json {
    let none = Absent { external_id: String::new(), action: Some(Uuid::nil()) };
    kept(&vec![Told::of(ImportOutcome::Created, Some(Uuid::nil())); items], &vec![none; absent])
}

/// Counts the outcomes.
pub(super) fn count(kept: &Json, metrics: &Metrics) {
    for one in listed(kept) {
        if let Some(outcome) = one[0].as_str().and_then(ImportOutcome::parse) {
            metrics.import_items(outcome.as_str(), 1);
        }
    }
}

/// The outcomes in what was kept.
fn listed(kept: &Json) -> impl Iterator<Item = &Json> {
    kept.get("items").unwrap_or(kept).as_array().into_iter().flatten()
}

/// What the snapshot did not hold, as it was kept.
fn absent(kept: &Json) -> Vec<Absent> {
    let one = |one: &Json| {
        let action = one[1].as_str().and_then(|id| id.parse().ok());
        Some(Absent { external_id: one[0].as_str()?.to_owned(), action })
    };
    kept.get("absent").and_then(Json::as_array).into_iter().flatten().filter_map(one).collect()
}

/// The outcomes as they were kept.
pub(super) fn read(kept: &Json) -> Vec<Told> {
    let problem = |one: &Json| {
        let path = one[1].as_array()?.iter().filter_map(|step| step.as_str().map(str::to_owned)).collect();
        let (code, message) = (ProblemCode::parse(one[0].as_str()?)?, one[2].as_str()?.to_owned());
        Some(Problem { code, path, message })
    };
    let problems = |list: &Json| list.as_array().into_iter().flatten().filter_map(problem).collect();
    let told = |one: &Json| {
        Some(Told {
            outcome: ImportOutcome::parse(one[0].as_str()?)?,
            action: one[1].as_str().and_then(|id| id.parse().ok()),
            errors: problems(&one[2]),
            notices: problems(&one[3]),
        })
    };
    listed(kept).filter_map(told).collect()
}

/// Plans `results` from the outcomes as they were kept.
pub(super) fn plan<'p>(
    planner: &mut Planner<'p>,
    selected: &Selected<'p>,
    kept: &Json,
) -> Result<Out, ApiError> {
    const NAME: &str = "SyncActionResult";
    let told = read(kept);
    let document = planner.document;
    let fields = document.fields(&selected.sets, &|on| on == NAME);
    let parts_of = |field: &Selected<'p>| match field.name {
        "errors" | "notices" => 1 + document.fields(&field.sets, &|on| on == "UserError").len(),
        _ => 1,
    };
    check_items(told.len(), fields.iter().map(parts_of).sum())?;
    let actions = actions(planner, &fields, told.iter().filter_map(|one| one.action))?;
    let mut items = Vec::with_capacity(told.len());
    for (index, one) in told.iter().enumerate() {
        let mut shape = Shape::new();
        for (field, rows) in fields.iter().zip(&actions) {
            let out = match field.name {
                "__typename" => Out::Text(json_string(NAME)),
                "index" => Out::Text(index.to_string().into_bytes()),
                "outcome" => Out::Text(json_string(one.outcome.as_str())),
                "errors" => user_errors(document, field, &placed(&one.errors, index))?,
                "notices" => user_errors(document, field, &placed(&one.notices, index))?,
                "action" => shown(rows.as_ref(), one.action),
                _ => return Err(internal("a field is not declared")),
            };
            shape.push((json_key(field.key), out));
        }
        items.push(Out::Fields(shape));
    }
    Ok(Out::Items(items))
}

/// Plans `absent` from what was kept.
pub(super) fn plan_absent<'p>(
    planner: &mut Planner<'p>,
    selected: &Selected<'p>,
    kept: &Json,
) -> Result<Out, ApiError> {
    const NAME: &str = "SyncActionAbsent";
    let absent = absent(kept);
    let fields = planner.document.fields(&selected.sets, &|on| on == NAME);
    let actions = actions(planner, &fields, absent.iter().filter_map(|one| one.action))?;
    let mut items = Vec::with_capacity(absent.len());
    for one in &absent {
        let mut shape = Shape::new();
        for (field, rows) in fields.iter().zip(&actions) {
            let out = match field.name {
                "__typename" => Out::Text(json_string(NAME)),
                "externalId" => Out::Text(json_string(&one.external_id)),
                "action" => shown(rows.as_ref(), one.action),
                _ => return Err(internal("a field is not declared")),
            };
            shape.push((json_key(field.key), out));
        }
        items.push(Out::Fields(shape));
    }
    Ok(Out::Items(items))
}

/// The rows of actions for each field that shows them.
fn actions<'p>(
    planner: &mut Planner<'p>,
    fields: &[Selected<'p>],
    ids: impl Iterator<Item = Uuid>,
) -> Result<Vec<Option<RowsById>>, ApiError> {
    let ids: Vec<Uuid> = ids.collect();
    let mut actions = Vec::with_capacity(fields.len());
    for field in fields {
        let rows = if field.name == "action" {
            let noun = planner.noun("Action")?;
            Some(planner.by_ids(noun, &ids, &field.sets).map_err(|error| error.under(field.key))?)
        } else {
            None
        };
        actions.push(rows);
    }
    Ok(actions)
}

fn shown(rows: Option<&RowsById>, id: Option<Uuid>) -> Out {
    match (rows, id) {
        (Some(rows), Some(id)) => rows.row(id),
        _ => Out::null(),
    }
}

/// Problems of an item, with the way to it.
fn placed(problems: &[Problem], index: usize) -> Vec<Problem> {
    let place = |problem: &Problem| {
        let steps = ["input".to_owned(), "items".to_owned(), index.to_string()];
        Problem { path: steps.into_iter().chain(problem.path.iter().cloned()).collect(), ..problem.clone() }
    };
    problems.iter().map(place).collect()
}
