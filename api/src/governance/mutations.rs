//! Mutations of committees and their members.

use async_graphql::Value;
use async_graphql::dynamic::TypeRef;
use entity::enums::{CadenceUnit, GovernanceBodyKind, GovernanceOrigin, GovernanceStatus};
use entity::{governance_body, site};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::members::members;
use crate::db::Sql;
use crate::policy::{Resource, Verb, Viewer};
use crate::read::model::{Argument, InputObject};
use crate::write::declare::{expected_version, id_of, optional, required};
use crate::write::input::Patch;
use crate::write::row::{in_site, new_row, next_row, take};
use crate::write::{
    Change, Failure, Input, Mutation, Place, Problem, ProblemCode, Resources, Target, Writing,
};

pub(super) const TARGET: Target = Target { field: "governanceBody", noun: "GovernanceBody" };

/// Input objects of these mutations.
pub fn inputs() -> Vec<InputObject> {
    vec![
        InputObject {
            name: "CadenceInput".to_owned(),
            description: "An interval between meetings: every 6 weeks is `{ every: 6, unit: WEEK }`."
                .to_owned(),
            fields: vec![
                required("every", "Int", "How many units, 1 to 60."),
                required("unit", "CadenceUnit", "The unit."),
            ],
            one_of: false,
        },
        InputObject {
            name: "GovernanceMemberInput".to_owned(),
            description: "A partner's place on a committee.".to_owned(),
            fields: vec![
                required("partner", "ID", "The partner; it has an active seat in the site."),
                required("seat", "MemberSeat", "Its place."),
            ],
            one_of: false,
        },
    ]
}

/// The mutations of this noun.
pub fn mutations() -> Vec<Mutation> {
    vec![
        Mutation::new(
            "createGovernanceBody",
            TARGET,
            "Creates a committee or working group of a site, as PLANNED.",
            [vec![required("site", "ID", "The site.")], fields(true)].concat(),
            |writing, input| Box::pin(create(writing, input)),
        ),
        Mutation::new(
            "updateGovernanceBody",
            TARGET,
            "Changes a committee.",
            [vec![id_of("committee"), expected_version()], fields(false)].concat(),
            |writing, input| Box::pin(update(writing, input)),
        ),
        Mutation::new(
            "transitionGovernanceBody",
            TARGET,
            "Moves a committee along its life: PLANNED → ACTIVE ↔ SUSPENDED → DISSOLVED. One ACTIVE COPIL per site.",
            [
                id_of("committee"),
                expected_version(),
                required("to", "GovernanceStatus", "The status to move to."),
            ],
            |writing, input| Box::pin(transition(writing, input)),
        ),
        Mutation::new(
            "setGovernanceMembers",
            TARGET,
            "Replaces the members of a committee; not of a DISSOLVED one.",
            [
                id_of("committee"),
                expected_version(),
                Argument::new(
                    "members",
                    TypeRef::named_nn_list_nn("GovernanceMemberInput"),
                    "All its members.",
                ),
            ],
            |writing, input| Box::pin(members(writing, input)),
        ),
    ]
}

fn fields(create: bool) -> Vec<Argument> {
    let kind = "What it is: COPIL, COTECH …";
    vec![
        if create {
            required("kind", "GovernanceBodyKind", kind)
        } else {
            optional("kind", "GovernanceBodyKind", kind)
        },
        optional("name", "String", "Name, 2 to 200 characters."),
        optional("origin", "GovernanceOrigin", "Set up for the site, or an existing body."),
        optional("attachedTo", "String", "The existing body; needed when the origin is EXISTING_BODY."),
        optional("cadence", "CadenceInput", "How often it meets."),
        optional("scaleLabel", "String", "Ground it covers, in its own words, up to 200 characters."),
        optional("parent", "ID", "The body of the same site that it reports to."),
    ]
}

pub(super) fn rights() -> Resources {
    Resources { table: "governance_body", resource: Resource::GovernanceBody, verb: Verb::Write, group: "" }
}

/// The committee of the input, locked after its site: who looks at the seats and committees of a site waits.
pub(super) async fn body(
    writing: Writing<'_>,
    input: &Input<'_>,
    field: &str,
) -> Result<governance_body::Model, Failure> {
    let id = input.subject(field, "body")?;
    if let Some(known) = governance_body::Entity::find_by_id(id).one(writing.tx).await? {
        writing.lock_site(known.site_id).await?;
    }
    let expected = if field == "id" { input.expected_version() } else { None };
    writing.row::<governance_body::Entity>(rights(), field, id, expected).await
}

async fn create(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let site_id = input.subject("site", "site")?;
    writing.readable::<site::Entity>("site", Resource::Site, "site", site_id).await?;
    writing.place(rights(), "site", Place::of_site(site_id)).await?;
    let mut row = new_row!(
        writing,
        governance_body {
            site_id: site_id,
            kind: GovernanceBodyKind::Autre,
            name: None,
            origin: None,
            attached_to: None,
            cadence_every: None,
            cadence_unit: None,
            scale_label: None,
            parent_id: None,
            status: GovernanceStatus::Planned,
        }
    );
    let empty = governance_body::Model::try_from(row.clone())?;
    let changed = [vec!["site"], apply(writing, input, &empty, &mut row).await?].concat();
    input.check()?;
    let row = row.insert(writing.tx).await?;
    writing.record("GovernanceBody", (row.id, row.version), Verb::Create, changed, in_site(site_id)).await
}

async fn update(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = body(writing, input, "id").await?;
    let mut row = next_row!(writing, governance_body, current);
    let changed = apply(writing, input, &current, &mut row).await?;
    if current.status == GovernanceStatus::Dissolved {
        input.wrong(ProblemCode::Frozen, "id", "a DISSOLVED body is final");
    }
    if changed.contains(&"kind") && current.status == GovernanceStatus::Active {
        refuse_second_copil(writing, input, "kind", &current, row.kind.try_as_ref().copied()).await?;
    }
    input.check()?;
    if changed.is_empty() {
        return Ok(Change { id: current.id });
    }
    let row = writing.change(&current, row).await?;
    writing.record("GovernanceBody", (row.id, row.version), Verb::Update, changed, in_site(row.site_id)).await
}

async fn apply(
    writing: Writing<'_>,
    input: &Input<'_>,
    current: &governance_body::Model,
    row: &mut governance_body::ActiveModel,
) -> Result<Vec<&'static str>, Failure> {
    let mut changed = Vec::new();
    if let Patch::Set(kind) = input.needed("kind", GovernanceBodyKind::parse) {
        take!(changed, row, current, "kind", kind, kind);
    }
    take!(changed, row, current, "name", name, input.text("name", 2..=200).or(current.name.clone()));
    let origin = input.choice("origin", GovernanceOrigin::parse).or(current.origin);
    let attached = input.text("attachedTo", 2..=200).or(current.attached_to.clone());
    if origin == Some(GovernanceOrigin::ExistingBody) && attached.is_none() {
        input.wrong(ProblemCode::Required, "attachedTo", "an EXISTING_BODY needs the body it is attached to");
    }
    take!(changed, row, current, "origin", origin, origin);
    take!(changed, row, current, "attachedTo", attached_to, attached);
    take!(
        changed,
        row,
        current,
        "scaleLabel",
        scale_label,
        input.text("scaleLabel", 2..=200).or(current.scale_label.clone())
    );
    let (every, unit) = cadence(input).or(current.cadence_every.zip(current.cadence_unit)).unzip();
    take!(changed, row, current, "cadence", cadence_every, every);
    take!(changed, row, current, "cadence", cadence_unit, unit);
    let parent = input.id("parent", "body");
    if let Patch::Set(parent) = parent {
        // the site is locked: of two bodies that take each other as parent, one sees the loop
        check_parent(writing, input, current, parent).await?;
    }
    take!(changed, row, current, "parent", parent_id, parent.or(current.parent_id));
    changed.dedup();
    Ok(changed)
}

fn cadence(input: &Input<'_>) -> Patch<(i32, CadenceUnit)> {
    match input.given("cadence") {
        None => Patch::Keep,
        Some(Value::Object(cadence)) => {
            let every = cadence.get("every").and_then(|every| match every {
                Value::Number(number) => number.as_i64().and_then(|number| i32::try_from(number).ok()),
                _ => None,
            });
            let unit = cadence.get("unit").and_then(|unit| match unit {
                Value::Enum(name) => CadenceUnit::parse(name),
                _ => None,
            });
            let cadence = every.filter(|every| (1..=60).contains(every)).zip(unit);
            if cadence.is_none() {
                let problem = Problem::at(ProblemCode::OutOfBounds, "cadence", "expected 1 to 60");
                input.problem(problem.then("every"));
            }
            cadence.map_or(Patch::Keep, Patch::Set)
        }
        Some(_) => Patch::Clear,
    }
}

/// A parent is of the same site, and its own parents do not lead back.
async fn check_parent(
    writing: Writing<'_>,
    input: &Input<'_>,
    current: &governance_body::Model,
    parent: Uuid,
) -> Result<(), Failure> {
    let all = governance_body::Entity::find()
        .filter(governance_body::Column::SiteId.eq(current.site_id))
        .filter(governance_body::Column::DeletedAt.is_null())
        .all(writing.tx)
        .await?;
    let mut next = Some(parent);
    let mut steps = 0;
    while let Some(id) = next {
        let Some(found) = all.iter().find(|body| body.id == id) else {
            input.wrong(ProblemCode::NotFound, "parent", "the site has no such body");
            return Ok(());
        };
        steps += 1;
        if id == current.id || steps > all.len() {
            input.wrong(ProblemCode::Rule, "parent", "the body would report to itself");
            return Ok(());
        }
        next = found.parent_id;
    }
    Ok(())
}

async fn refuse_second_copil(
    writing: Writing<'_>,
    input: &Input<'_>,
    field: &str,
    current: &governance_body::Model,
    kind: Option<GovernanceBodyKind>,
) -> Result<(), Failure> {
    if kind.unwrap_or(current.kind) != GovernanceBodyKind::Copil {
        return Ok(());
    }
    let other = governance_body::Entity::find()
        .filter(governance_body::Column::SiteId.eq(current.site_id))
        .filter(governance_body::Column::Kind.eq(GovernanceBodyKind::Copil))
        .filter(governance_body::Column::Status.eq(GovernanceStatus::Active))
        .filter(governance_body::Column::DeletedAt.is_null())
        .filter(governance_body::Column::Id.ne(current.id))
        .one(writing.tx)
        .await?;
    if other.is_some() {
        input.wrong(ProblemCode::Rule, field, "the site has an ACTIVE COPIL already; suspend it first");
    }
    Ok(())
}

/// Statuses that a status leads to.
const fn next(status: GovernanceStatus) -> &'static [GovernanceStatus] {
    use GovernanceStatus::{Active, Dissolved, Planned, Suspended};
    match status {
        Planned => &[Active],
        Active => &[Suspended],
        Suspended => &[Active, Dissolved],
        Dissolved => &[],
    }
}

/// Appends a JSON list of the statuses that a viewer may move a committee to.
pub(super) fn viewer_can(sql: &mut Sql, viewer: &Viewer, alias: &str) {
    use GovernanceStatus::{Active, Planned, Suspended};
    sql.push("CASE WHEN NOT ");
    viewer.authorize(Resource::GovernanceBody, Verb::Write, "").expression(sql, alias);
    sql.push(" THEN '[]' ELSE CASE ").push(alias).push(".status");
    for status in [Planned, Active, Suspended] {
        let names: Vec<String> =
            next(status).iter().map(|status| format!("\"{}\"", status.as_str())).collect();
        sql.push(" WHEN '").push(status.as_str()).push("' THEN '[").push(&names.join(",")).push("]'");
    }
    sql.push(" ELSE '[]' END END");
}

async fn transition(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = body(writing, input, "id").await?;
    let Patch::Set(to) = input.choice("to", GovernanceStatus::parse) else {
        return Err(Problem::at(ProblemCode::Required, "to", "a status is needed").into());
    };
    if to == current.status {
        return Ok(Change { id: current.id });
    }
    if !next(current.status).contains(&to) {
        let allowed = next(current.status).iter().map(|status| status.as_str());
        return Err(Problem::transition(current.status.as_str(), to.as_str(), allowed).into());
    }
    if to == GovernanceStatus::Active {
        refuse_second_copil(writing, input, "to", &current, None).await?;
    }
    input.check()?;
    let mut row = next_row!(writing, governance_body, current);
    row.status = Set(to);
    let row = writing.change(&current, row).await?;
    writing
        .record(
            "GovernanceBody",
            (row.id, row.version),
            Verb::Transition,
            vec!["status"],
            in_site(row.site_id),
        )
        .await
}
