//! Mutations of actions.

use async_graphql::Value;
use entity::enums::{ActionStatus, Pillar};
use entity::{action, site};
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::lifecycle;
use super::links::Links;
use super::store;
use crate::graphql::scalars::Scalar;
use crate::policy::{Resource, Verb};
use crate::write::declare::{expected_version, id_of, optional, required, several};
use crate::write::input::Patch;
use crate::write::source::external_id;
use crate::write::{
    Change, Failure, Input, Mutation, Place, Problem, ProblemCode, Resources, Target, Writing,
};

const TARGET: Target = Target { field: "action", noun: "Action" };

/// Fields that the source system of a synced action owns.
const SOURCE_OWNED: [&str; 7] =
    ["title", "description", "startsOn", "endsOn", "lead", "partners", "romeCodes"];
/// Fields that the steerers of its site own.
const LOCAL: [&str; 7] = ["axis", "pillar", "categories", "audiences", "qpvs", "innovative", "published"];

/// The mutations of this noun.
pub fn mutations() -> Vec<Mutation> {
    vec![
        Mutation::new(
            "createAction",
            TARGET,
            "Creates an action of a site, as DRAFT. One of a partner's system is that system's: a synced row.",
            [vec![required("site", "ID", "The site.")], fields(true), vec![external_id()]].concat(),
            |writing, input| Box::pin(create(writing, input)),
        ),
        Mutation::new(
            "updateAction",
            TARGET,
            "Changes an action. Absent fields stay, null empties, a list replaces the whole list. On a synced action \
             the fields of its source system are that system's; on a COMPLETED one they are frozen.",
            [vec![id_of("action"), expected_version()], fields(false)].concat(),
            |writing, input| Box::pin(update(writing, input)),
        ),
        Mutation::new(
            "transitionAction",
            TARGET,
            "Moves an action along its life: DRAFT → PLANNED → IN_PROGRESS → COMPLETED, IN_PROGRESS ↔ SUSPENDED, \
             CANCELLED before COMPLETED, COMPLETED → IN_PROGRESS to reopen. The same status again changes nothing.",
            [
                id_of("action"),
                expected_version(),
                required("to", "ActionStatus", "The status to move to."),
                optional("endsOn", "PartialDate", "End; COMPLETED needs one that is not in the future."),
                optional("reason", "String", "Why; needed to cancel and to reopen. 3 to 1 000 characters."),
            ],
            |writing, input| Box::pin(lifecycle::transition(writing, input)),
        ),
        Mutation::new(
            "deleteAction",
            TARGET,
            "Deletes an action; its tombstone stays in the change feed. The payload shows null.",
            [id_of("action"), expected_version()],
            |writing, input| Box::pin(delete(writing, input)),
        ),
    ]
}

fn fields(create: bool) -> Vec<crate::read::model::Argument> {
    let title = "Title, 3 to 200 characters.";
    vec![
        if create { required("title", "String", title) } else { optional("title", "String", title) },
        optional("description", "String", "What it is, up to 10 000 characters."),
        optional("pillar", "Pillar", "National pillar (« pilier »)."),
        optional("axis", "ID", "Axis of a roadmap of the same site."),
        several("categories", "ActionCategory", "What it is about."),
        several("audiences", "Audience", "Whom it is for (« public cible »)."),
        several("romeCodes", "RomeCode", "Occupations it concerns (« codes ROME »)."),
        optional("innovative", "Boolean", "Innovative; false unless told."),
        optional("published", "Boolean", "Shown to the public, once it is no draft; false unless told."),
        optional("startsOn", "PartialDate", "Start, as precisely as is known."),
        optional("endsOn", "PartialDate", "End, not before the start."),
        several("qpvs", "QpvCode", "« QPV » of the site it is for; none means all of them."),
        optional("lead", "ID", "The partner that leads it."),
        several(
            "partners",
            "ID",
            "Partners that take part; one without seat in the site gets one as OPERATEUR.",
        ),
    ]
}

pub(super) fn rights(verb: Verb, group: &'static str) -> Resources {
    Resources { table: "action", resource: Resource::Action, verb, group }
}

async fn create(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let site_id = input.subject("site", "site")?;
    let site = writing.readable::<site::Entity>("site", Resource::Site, "site", site_id).await?;
    let system = writing.source_system();
    let place = Place::of_site(site.id)
        .with("status", "DRAFT")
        .with("source_system", system.clone())
        .with("published", false);
    writing.place(rights(Verb::Create, ""), "site", place).await?;
    let id = Uuid::now_v7();
    let mut row = store::blank(writing, id, site.id);
    row.source_system = Set(system);
    row.source_external_id = Set(writing.external_id(input, "action").await?);
    let current = store::empty(writing, id, site.id);
    let changed = apply(writing, input, &current, &mut row).await?;
    let links = Links::read(writing, input, site.id, id).await?;
    input.check()?;
    store::insert(writing, row, links, changed).await
}

async fn update(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "action")?;
    let given = |names: [&'static str; 7]| names.into_iter().find(|name| input.given(name).is_some());
    let (source, local) = (given(SOURCE_OWNED), given(LOCAL));
    let mut row = None;
    for (field, group) in [(source, "source"), (local, "local")] {
        if let Some(field) = field {
            let name = if row.is_none() { "id" } else { field };
            let found = writing.row::<action::Entity>(
                rights(Verb::Update, group),
                name,
                id,
                input.expected_version(),
            );
            row = Some(found.await.map_err(|failure| name_field(failure, field))?);
        }
    }
    let Some(current) = row else {
        return Err(Problem::at(ProblemCode::Required, "", "nothing to change was given").into());
    };
    if let Some(field) = source.filter(|_| current.status == ActionStatus::Completed) {
        input.wrong(ProblemCode::Frozen, field, "the action is COMPLETED; reopen it first");
    }
    if let Some(field) = source.filter(|_| current.status == ActionStatus::Cancelled) {
        input.wrong(ProblemCode::Frozen, field, "the action is CANCELLED, which is final");
    }
    keep_what_planning_needed(input, &current);
    let mut change = store::change_of(writing, &current);
    let changed = apply(writing, input, &current, &mut change).await?;
    let links = Links::read(writing, input, current.site_id, current.id).await?;
    input.check()?;
    store::update(writing, &current, change, links, changed, Verb::Update).await
}

/// What an action needed to be PLANNED is not emptied afterwards.
fn keep_what_planning_needed(input: &Input<'_>, current: &action::Model) {
    if matches!(current.status, ActionStatus::Draft | ActionStatus::Cancelled) {
        return;
    }
    let synced = current.source_system.is_some();
    for (field, is_needed) in [("lead", true), ("startsOn", true), ("pillar", !synced)] {
        if is_needed && input.given(field) == Some(&Value::Null) {
            let message = format!("a {} action keeps its {field}", current.status.as_str());
            input.wrong(ProblemCode::Rule, field, message);
        }
    }
}

/// A refusal is told at the field that it is about.
fn name_field(failure: Failure, field: &str) -> Failure {
    match failure {
        Failure::Problems(problems) => Failure::Problems(
            problems
                .into_iter()
                .map(|problem| match problem.code {
                    ProblemCode::Forbidden => Problem::at(problem.code, field, problem.message),
                    _ => problem,
                })
                .collect(),
        ),
        fault @ Failure::Fault(_) => fault,
    }
}

/// Takes the given fields over, and names those that differ from the current row.
async fn apply(
    writing: Writing<'_>,
    input: &Input<'_>,
    current: &action::Model,
    row: &mut action::ActiveModel,
) -> Result<Vec<&'static str>, Failure> {
    let mut changed = Vec::new();
    macro_rules! take {
        ($field:literal, $column:ident, $value:expr) => {
            let value = $value;
            if value != current.$column {
                changed.push($field);
                row.$column = Set(value);
            }
        };
    }
    if let Patch::Set(title) = input.needed_text("title", 3..=200) {
        row.title_search = Set(crate::text::fold(&title));
        take!("title", title, title);
    }
    take!("description", description, input.text("description", 0..=10_000).or(current.description.clone()));
    take!("pillar", pillar, input.choice("pillar", Pillar::parse).or(current.pillar));
    if let Patch::Set(value) = input.flag("innovative") {
        take!("innovative", innovative, value);
    }
    if let Patch::Set(value) = input.flag("published") {
        take!("published", published, value);
    }
    for_lists(input, current, row, &mut changed);
    store::apply_dates(input, current, row, &mut changed);
    let lead = store::partner(writing, input, "lead").await?.or(current.lead_partner_id);
    take!("lead", lead_partner_id, lead);
    let axis = store::axis(writing, input, current.site_id).await?.or(current.axis_id);
    take!("axis", axis_id, axis);
    Ok(changed)
}

fn for_lists(
    input: &Input<'_>,
    current: &action::Model,
    row: &mut action::ActiveModel,
    changed: &mut Vec<&'static str>,
) {
    if let Patch::Set(list) = input.list("categories", None)
        && list != current.categories
    {
        changed.push("categories");
        row.categories = Set(list);
    }
    if let Patch::Set(list) = input.list("audiences", None)
        && list != current.audiences
    {
        changed.push("audiences");
        row.audiences = Set(list);
    }
    if let Patch::Set(list) = input.list("romeCodes", Some(Scalar::RomeCode))
        && list != current.rome_codes
    {
        changed.push("romeCodes");
        row.rome_codes = Set(list);
    }
}

async fn delete(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "action")?;
    let rights = rights(Verb::Delete, "");
    let current = writing.row::<action::Entity>(rights, "id", id, input.expected_version()).await?;
    let mut change = store::change_of(writing, &current);
    change.deleted_at = Set(Some(writing.now));
    store::update(writing, &current, change, Links::default(), vec!["deletedAt"], Verb::Delete).await
}
