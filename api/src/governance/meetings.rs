//! Mutations of meetings.

use async_graphql::Value;
use entity::enums::{GovernanceStatus, MeetingStatus};
use entity::{governance_body, meeting};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait};
use uuid::Uuid;

use super::mutations::body;
use crate::limits;
use crate::policy::{Resource, Verb};
use crate::text;
use crate::write::declare::{expected_version, id_of, optional, required, several};
use crate::write::input::Patch;
use crate::write::row::{in_site, new_row, next_row, take};
use crate::write::{Change, Failure, Input, Mutation, Problem, ProblemCode, Resources, Target, Writing};

const TARGET: Target = Target { field: "meeting", noun: "Meeting" };

/// The mutations of this noun.
pub fn mutations() -> Vec<Mutation> {
    let minutes = || {
        [
            optional("summary", "String", "What was said (« compte rendu »), up to 10 000 characters."),
            several(
                "decisions",
                "String",
                "What was decided, in order; 50 decisions at most, each of 1 to 1 000 characters.",
            ),
        ]
    };
    vec![
        Mutation::new(
            "planMeeting",
            TARGET,
            "Plans a meeting of a committee; not of a DISSOLVED one.",
            [required("body", "ID", "The committee."), required("date", "Date", "The day.")],
            |writing, input| Box::pin(plan(writing, input)),
        ),
        Mutation::new(
            "holdMeeting",
            TARGET,
            "Says that a meeting was held, with what was said and decided. Not in the future. Of one that was held already, \
             it changes the minutes.",
            [
                vec![
                    id_of("meeting"),
                    expected_version(),
                    optional("date", "Date", "The day, if another than planned."),
                ],
                minutes().to_vec(),
            ]
            .concat(),
            |writing, input| Box::pin(hold(writing, input)),
        ),
        Mutation::new(
            "updateMeeting",
            TARGET,
            "Changes the day of a planned meeting, or the minutes of one that was held.",
            [
                vec![id_of("meeting"), expected_version(), optional("date", "Date", "The day.")],
                minutes().to_vec(),
            ]
            .concat(),
            |writing, input| Box::pin(update(writing, input)),
        ),
        Mutation::new(
            "cancelMeeting",
            TARGET,
            "Cancels a planned meeting.",
            [id_of("meeting"), expected_version()],
            |writing, input| Box::pin(cancel(writing, input)),
        ),
    ]
}

fn rights() -> Resources {
    Resources { table: "meeting", resource: Resource::Meeting, verb: Verb::Write, group: "" }
}

async fn plan(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let body = body(writing, input, "body").await?;
    if body.status == GovernanceStatus::Dissolved {
        input.wrong(ProblemCode::Frozen, "body", "a DISSOLVED body is final");
    }
    let Some(day) = input.date("date").or(None) else {
        return Err(Problem::at(ProblemCode::Required, "date", "a day is needed").into());
    };
    input.check()?;
    let row = new_row!(
        writing,
        meeting {
            body_id: body.id,
            held_on: day,
            status: MeetingStatus::Planned,
            summary: None,
            decisions: entity::StringList::default(),
        }
    );
    let row = row.insert(writing.tx).await?;
    writing
        .record("Meeting", (row.id, row.version), Verb::Create, vec!["body", "date"], in_site(body.site_id))
        .await
}

/// The meeting of the input, locked, with its committee.
async fn current(
    writing: Writing<'_>,
    input: &Input<'_>,
) -> Result<(meeting::Model, governance_body::Model), Failure> {
    let id = input.subject("id", "meeting")?;
    let row = writing.row::<meeting::Entity>(rights(), "id", id, input.expected_version()).await?;
    let body = governance_body::Entity::find_by_id(row.body_id).one(writing.tx).await?;
    let body = body.ok_or_else(|| Problem::at(ProblemCode::NotFound, "id", "the committee is gone"))?;
    Ok((row, body))
}

fn minutes(
    input: &Input<'_>,
    current: &meeting::Model,
    row: &mut meeting::ActiveModel,
    changed: &mut Vec<&'static str>,
) {
    take!(
        changed,
        row,
        current,
        "summary",
        summary,
        input.text("summary", 0..=10_000).or(current.summary.clone())
    );
    if let Patch::Set(decisions) = input.list("decisions", None) {
        check_decisions(input);
        take!(changed, row, current, "decisions", decisions, decisions);
    }
}

fn check_decisions(input: &Input<'_>) {
    let Some(Value::List(given)) = input.given("decisions") else { return };
    if given.len() > limits::DECISIONS {
        let message = format!("{} decisions, at most {} are taken", given.len(), limits::DECISIONS);
        input.wrong(ProblemCode::OutOfBounds, "decisions", message);
    }
    for (index, decision) in given.iter().enumerate() {
        let Value::String(decision) = decision else { continue };
        let Ok(decision) = text::normalise(decision) else { continue };
        let count = decision.chars().count();
        if !(1..=limits::DECISION_CHARS).contains(&count) {
            let message = format!("{count} characters; expected 1 to {}", limits::DECISION_CHARS);
            input.problem(Problem::at(ProblemCode::OutOfBounds, "decisions", message).then(index));
        }
    }
}

async fn hold(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let (current, body) = current(writing, input).await?;
    if current.status == MeetingStatus::Held {
        return revise(writing, input, &current, body.site_id).await;
    }
    if current.status == MeetingStatus::Cancelled {
        return Err(Problem::transition("CANCELLED", "HELD", [].into_iter()).on("id").into());
    }
    let mut row = next_row!(writing, meeting, current);
    let mut changed = vec!["status"];
    let day = input.date("date").or(Some(current.held_on)).unwrap_or(current.held_on);
    if day > writing.today() {
        input.wrong(ProblemCode::Rule, "date", "a meeting in the future was not held yet");
    }
    take!(changed, row, current, "date", held_on, day);
    minutes(input, &current, &mut row, &mut changed);
    input.check()?;
    row.status = Set(MeetingStatus::Held);
    let row = writing.change(&current, row).await?;
    writing.record("Meeting", (row.id, row.version), Verb::Transition, changed, in_site(body.site_id)).await
}

async fn update(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let (current, body) = current(writing, input).await?;
    if current.status == MeetingStatus::Cancelled {
        return Err(Problem::at(ProblemCode::Frozen, "id", "a CANCELLED meeting is final").into());
    }
    revise(writing, input, &current, body.site_id).await
}

/// Changes the day or the minutes.
async fn revise(
    writing: Writing<'_>,
    input: &Input<'_>,
    current: &meeting::Model,
    site: Uuid,
) -> Result<Change, Failure> {
    let mut row = next_row!(writing, meeting, current);
    let mut changed = Vec::new();
    if let Patch::Set(day) = input.date("date") {
        if current.status == MeetingStatus::Held && day > writing.today() {
            input.wrong(ProblemCode::Rule, "date", "a meeting that was held is not in the future");
        }
        take!(changed, row, current, "date", held_on, day);
    }
    minutes(input, current, &mut row, &mut changed);
    input.check()?;
    if changed.is_empty() {
        return Ok(Change { id: current.id });
    }
    let row = writing.change(current, row).await?;
    writing.record("Meeting", (row.id, row.version), Verb::Update, changed, in_site(site)).await
}

async fn cancel(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let (current, body) = current(writing, input).await?;
    if current.status == MeetingStatus::Cancelled {
        return Ok(Change { id: current.id });
    }
    if current.status == MeetingStatus::Held {
        return Err(Problem::transition("HELD", "CANCELLED", [].into_iter()).on("id").into());
    }
    let mut row = next_row!(writing, meeting, current);
    row.status = Set(MeetingStatus::Cancelled);
    let row = writing.change(&current, row).await?;
    writing
        .record("Meeting", (row.id, row.version), Verb::Transition, vec!["status"], in_site(body.site_id))
        .await
}
