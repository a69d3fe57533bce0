//! What is told of each item: in the answer, in the kept answer of an idempotency key, in the history.

use entity::enums::ImportOutcome;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::error::ApiError;
use crate::graphql::user_errors;
use crate::metrics::Metrics;
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

/// The outcomes as they are kept.
pub(super) fn kept(told: &[Told]) -> Json {
    let problems = |problems: &[Problem]| -> Vec<Json> {
        problems.iter().map(|one| json!([one.code.name(), one.path, one.message])).collect()
    };
    told.iter()
        .map(|one| json!([one.outcome.as_str(), one.action, problems(&one.errors), problems(&one.notices)]))
        .collect()
}

/// The outcomes of so many items, each with an action.
pub(super) fn longest(items: usize) -> Json {
    kept(&vec![Told::of(ImportOutcome::Created, Some(Uuid::nil())); items])
}

/// Counts the outcomes.
pub(super) fn count(kept: &Json, metrics: &Metrics) {
    for one in kept.as_array().into_iter().flatten() {
        if let Some(outcome) = one[0].as_str().and_then(ImportOutcome::parse) {
            metrics.import_items(outcome.as_str(), 1);
        }
    }
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
    kept.as_array().into_iter().flatten().filter_map(told).collect()
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
    let mut actions = Vec::with_capacity(fields.len());
    for field in &fields {
        let rows = match field.name {
            "action" => {
                let noun = planner.noun("Action")?;
                let ids: Vec<Uuid> = told.iter().filter_map(|one| one.action).collect();
                Some(planner.by_ids(noun, &ids, &field.sets).map_err(|error| error.under(field.key))?)
            }
            _ => None,
        };
        actions.push(rows);
    }
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
                "action" => match (rows, one.action) {
                    (Some(rows), Some(id)) => rows.row(id),
                    _ => Out::null(),
                },
                _ => return Err(internal("a field is not declared")),
            };
            shape.push((json_key(field.key), out));
        }
        items.push(Out::Fields(shape));
    }
    Ok(Out::Items(items))
}

/// Problems of an item, with the way to it.
fn placed(problems: &[Problem], index: usize) -> Vec<Problem> {
    let place = |problem: &Problem| {
        let steps = ["input".to_owned(), "items".to_owned(), index.to_string()];
        Problem { path: steps.into_iter().chain(problem.path.iter().cloned()).collect(), ..problem.clone() }
    };
    problems.iter().map(place).collect()
}
