//! Mutations of roadmaps and their axes.

use async_graphql::Value;
use async_graphql::dynamic::TypeRef;
use entity::enums::{MeetingStatus, Pillar, RoadmapStatus};
use entity::{action, axis, governance_body, meeting, roadmap, site};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::journal::Seen;
use crate::policy::{Resource, Verb};
use crate::read::model::{Argument, InputObject};
use crate::text;
use crate::write::declare::{expected_version, id_of, optional, required};
use crate::write::row::{in_site, new_row, next_row};
use crate::write::{
    Change, Failure, Input, Mutation, Place, Problem, ProblemCode, Resources, Target, Writing,
};

const TARGET: Target = Target { field: "roadmap", noun: "Roadmap" };

/// Input objects of these mutations.
pub fn inputs() -> Vec<InputObject> {
    vec![InputObject {
        name: "AxisInput".to_owned(),
        description: "A heading of a roadmap (« axe »).".to_owned(),
        fields: vec![
            required("label", "String", "Wording, 3 to 200 characters; no two alike in a roadmap."),
            optional("pillar", "Pillar", "National pillar it serves (« pilier »)."),
        ],
        one_of: false,
    }]
}

/// The mutations of this noun.
pub fn mutations() -> Vec<Mutation> {
    let axes = || Argument::new("axes", TypeRef::named_nn_list_nn("AxisInput"), "Its axes, in order.");
    vec![
        Mutation::new(
            "createRoadmap",
            TARGET,
            "Drafts the next roadmap of a site, with its axes.",
            [required("site", "ID", "The site."), axes()],
            |writing, input| Box::pin(create(writing, input)),
        ),
        Mutation::new(
            "setRoadmapAxes",
            TARGET,
            "Replaces the axes of a draft. An axis of the same label stays the same object; one with actions is not dropped.",
            [id_of("roadmap"), expected_version(), axes()],
            |writing, input| Box::pin(set_axes(writing, input)),
        ),
        Mutation::new(
            "adoptRoadmap",
            TARGET,
            "Adopts a draft; the roadmap in force before is superseded in the same moment.",
            [
                id_of("roadmap"),
                expected_version(),
                optional("adoptedOn", "Date", "Day of adoption; that of the meeting, or today, unless told."),
                optional(
                    "meeting",
                    "ID",
                    "The meeting of a committee of the site that adopted it; it was held.",
                ),
            ],
            |writing, input| Box::pin(adopt(writing, input)),
        ),
    ]
}

fn rights(verb: Verb) -> Resources {
    Resources { table: "roadmap", resource: Resource::Roadmap, verb, group: "" }
}

async fn create(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let site_id = input.subject("site", "site")?;
    writing.readable::<site::Entity>("site", Resource::Site, "site", site_id).await?;
    writing.place(rights(Verb::Write), "site", Place::of_site(site_id)).await?;
    let wanted = axes(input);
    input.check()?;
    let last = roadmap::Entity::find()
        .filter(roadmap::Column::SiteId.eq(site_id))
        .order_by_desc(roadmap::Column::Number)
        .one(writing.tx)
        .await?;
    let row = new_row!(
        writing,
        roadmap {
            site_id: site_id,
            number: last.map_or(1, |last| last.number + 1),
            status: RoadmapStatus::Draft,
            adopted_on: None,
            adopted_by_meeting_id: None,
        }
    );
    let row = row.insert(writing.tx).await?;
    replace_axes(writing, &row, wanted).await?;
    writing
        .record(
            "Roadmap",
            (row.id, row.version),
            Verb::Create,
            vec!["site", "number", "axes"],
            in_site(site_id),
        )
        .await
}

/// An axis as wanted: its label, the folded label, its pillar.
type Wanted = (String, String, Option<Pillar>);

fn axes(input: &Input<'_>) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let Some(Value::List(given)) = input.given("axes") else { return wanted };
    if given.len() > 50 {
        input.wrong(ProblemCode::OutOfBounds, "axes", "50 axes at most");
    }
    for (index, axis) in given.iter().enumerate() {
        let at =
            |code, message: &str| input.problem(Problem::at(code, "axes", message).then(index).then("label"));
        let Value::Object(axis) = axis else { continue };
        let Some(Value::String(label)) = axis.get("label") else { continue };
        let Ok(label) = text::normalise(label) else {
            at(ProblemCode::InvalidText, "control characters are not taken");
            continue;
        };
        let folded = text::fold(&label);
        if !(3..=200).contains(&label.chars().count()) {
            at(ProblemCode::OutOfBounds, "expected 3 to 200 characters");
        } else if wanted.iter().any(|(_, other, _)| *other == folded) {
            at(ProblemCode::Duplicate, "the label stands twice, apart from case and accents");
        } else {
            let pillar = match axis.get("pillar") {
                Some(Value::Enum(name)) => Pillar::parse(name),
                _ => None,
            };
            wanted.push((label, folded, pillar));
        }
    }
    wanted
}

async fn set_axes(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "roadmap")?;
    let current =
        writing.row::<roadmap::Entity>(rights(Verb::Write), "id", id, input.expected_version()).await?;
    if current.status != RoadmapStatus::Draft {
        input.wrong(ProblemCode::Frozen, "id", "only a DRAFT changes; draft the next roadmap");
    }
    let wanted = axes(input);
    // an action that takes an axis locks the roadmap too: it is counted here, or finds the axis gone
    let dropped = live_axes(writing, id).await?;
    for gone in
        dropped.iter().filter(|axis| !wanted.iter().any(|(_, folded, _)| *folded == axis.label_search))
    {
        let actions = action::Entity::find()
            .filter(action::Column::AxisId.eq(gone.id))
            .filter(action::Column::DeletedAt.is_null())
            .count(writing.tx)
            .await?;
        if actions > 0 {
            input.wrong(
                ProblemCode::Rule,
                "axes",
                format!("{actions} actions stand under the axis {:?}", gone.label),
            );
        }
    }
    input.check()?;
    replace_axes(writing, &current, wanted).await?;
    let row = writing.change(&current, next_row!(writing, roadmap, current)).await?;
    writing.record("Roadmap", (row.id, row.version), Verb::Update, vec!["axes"], in_site(row.site_id)).await
}

async fn live_axes(writing: Writing<'_>, roadmap: Uuid) -> Result<Vec<axis::Model>, Failure> {
    let axes = axis::Entity::find()
        .filter(axis::Column::RoadmapId.eq(roadmap))
        .filter(axis::Column::DeletedAt.is_null())
        .order_by_asc(axis::Column::Position)
        .all(writing.tx);
    Ok(axes.await?)
}

async fn replace_axes(
    writing: Writing<'_>,
    roadmap: &roadmap::Model,
    wanted: Vec<Wanted>,
) -> Result<(), Failure> {
    let known = live_axes(writing, roadmap.id).await?;
    let scope = || in_site(roadmap.site_id);
    for gone in known.iter().filter(|axis| !wanted.iter().any(|(_, folded, _)| *folded == axis.label_search))
    {
        let mut row = next_row!(writing, axis, gone);
        row.deleted_at = Set(Some(writing.now));
        let row = writing.change(gone, row).await?;
        writing.record("Axis", (row.id, row.version), Verb::Delete, vec!["deletedAt"], scope()).await?;
    }
    for (position, (label, folded, pillar)) in (1..).zip(wanted) {
        let row = match known.iter().find(|axis| axis.label_search == folded) {
            Some(same) if same.position == position && same.pillar == pillar && same.label == label => {
                continue;
            }
            Some(same) => {
                let mut row = next_row!(writing, axis, same);
                row.label = Set(label);
                row.pillar = Set(pillar);
                row.position = Set(position);
                writing.change(same, row).await?
            }
            None => {
                let row = new_row!(
                    writing,
                    axis {
                        roadmap_id: roadmap.id,
                        site_id: roadmap.site_id,
                        label: label,
                        label_search: folded,
                        pillar: pillar,
                        position: position,
                    }
                );
                row.insert(writing.tx).await?
            }
        };
        writing
            .record("Axis", (row.id, row.version), Verb::Write, vec!["label", "pillar", "position"], scope())
            .await?;
    }
    Ok(())
}

async fn adopt(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "roadmap")?;
    let expected = input.expected_version();
    // adoptions of one site wait for each other, so that each sees what the other superseded
    if let Some(known) = roadmap::Entity::find_by_id(id).one(writing.tx).await? {
        writing.lock_site(known.site_id).await?;
    }
    let draft = writing.row::<roadmap::Entity>(rights(Verb::Adopt), "id", id, expected).await?;
    match draft.status {
        RoadmapStatus::Draft => {}
        RoadmapStatus::Adopted => return adopted_already(input, &draft),
        RoadmapStatus::Superseded => {
            return Err(Problem::transition("SUPERSEDED", "ADOPTED", [].into_iter()).on("id").into());
        }
    }
    let meeting = adopting_meeting(writing, input, draft.site_id).await?;
    let day = input
        .date("adoptedOn")
        .or(meeting.as_ref().map(|meeting| meeting.held_on))
        .unwrap_or(writing.today());
    if day > writing.today() {
        input.wrong(ProblemCode::Rule, "adoptedOn", "a roadmap is not adopted in the future");
    }
    input.check()?;
    let in_force = roadmap::Entity::find()
        .filter(roadmap::Column::SiteId.eq(draft.site_id))
        .filter(roadmap::Column::Status.eq(RoadmapStatus::Adopted))
        .filter(roadmap::Column::DeletedAt.is_null())
        .all(writing.tx)
        .await?;
    for former in in_force {
        let mut row = next_row!(writing, roadmap, former);
        row.status = Set(RoadmapStatus::Superseded);
        let row = writing.change(&former, row).await?;
        record_status(writing, &former, &row, vec!["status"]).await?;
    }
    let mut row = next_row!(writing, roadmap, draft);
    row.status = Set(RoadmapStatus::Adopted);
    row.adopted_on = Set(Some(day));
    row.adopted_by_meeting_id = Set(meeting.map(|meeting| meeting.id));
    let row = writing.change(&draft, row).await?;
    record_status(writing, &draft, &row, vec!["status", "adoptedOn", "adoptedByMeeting"]).await
}

/// Journals a roadmap that the public sees from now on, or does not see any more, and its axes with it.
async fn record_status(
    writing: Writing<'_>,
    before: &roadmap::Model,
    after: &roadmap::Model,
    fields: Vec<&'static str>,
) -> Result<Change, Failure> {
    let seen = |row: &roadmap::Model| Seen {
        public: row.status == RoadmapStatus::Adopted,
        ..Seen::in_site(row.site_id)
    };
    for axis in live_axes(writing, after.id).await? {
        let scope = (seen(before), seen(after));
        writing.record("Axis", (axis.id, axis.version), Verb::Adopt, vec!["roadmap"], scope).await?;
    }
    let scope = (seen(before), seen(after));
    writing.record("Roadmap", (after.id, after.version), Verb::Adopt, fields, scope).await
}

/// Adopted is adopted; what is told otherwise of it now is not taken.
fn adopted_already(input: &Input<'_>, known: &roadmap::Model) -> Result<Change, Failure> {
    let day = input.date("adoptedOn").or(known.adopted_on);
    let meeting = input.id("meeting", "meeting").or(known.adopted_by_meeting_id);
    for (field, differs) in
        [("adoptedOn", day != known.adopted_on), ("meeting", meeting != known.adopted_by_meeting_id)]
    {
        if differs {
            input.wrong(ProblemCode::Frozen, field, "the roadmap was adopted otherwise");
        }
    }
    input.check()?;
    Ok(Change { id: known.id })
}

async fn adopting_meeting(
    writing: Writing<'_>,
    input: &Input<'_>,
    site: Uuid,
) -> Result<Option<meeting::Model>, Failure> {
    let Some(id) = input.id("meeting", "meeting").or(None) else { return Ok(None) };
    let found = writing.readable::<meeting::Entity>("meeting", Resource::Meeting, "meeting", id).await;
    let Some(found) = input.found(found)? else { return Ok(None) };
    let body = governance_body::Entity::find_by_id(found.body_id).one(writing.tx).await?;
    if body.is_none_or(|body| body.site_id != site) {
        input.wrong(ProblemCode::Rule, "meeting", "the meeting is of another site");
    } else if found.status != MeetingStatus::Held {
        input.wrong(ProblemCode::Rule, "meeting", "the meeting was not held");
    }
    Ok(Some(found))
}
