//! The life of an action: which status leads to which, and under what condition.

use entity::action;
use entity::enums::ActionStatus::{self, Cancelled, Completed, Draft, InProgress, Planned, Suspended};
use sea_orm::ActiveValue::Set;

use super::links::Links;
use super::mutations::rights;
use super::store;
use crate::db::Sql;
use crate::policy::{Resource, Verb, Viewer};
use crate::write::input::Patch;
use crate::write::{Change, Failure, Input, Problem, ProblemCode, Writing};

/// Statuses that a status leads to.
pub const fn next(status: ActionStatus) -> &'static [ActionStatus] {
    match status {
        Draft => &[Planned, Cancelled],
        Planned | Suspended => &[InProgress, Cancelled],
        InProgress => &[Completed, Suspended, Cancelled],
        // to reopen
        Completed => &[InProgress],
        Cancelled => &[],
    }
}

/// Appends a JSON list of the statuses that a viewer may move an action to.
pub(super) fn viewer_can(sql: &mut Sql, viewer: &Viewer, alias: &str) {
    sql.push("CASE WHEN NOT ");
    viewer.authorize(Resource::Action, Verb::Transition, "").expression(sql, alias);
    sql.push(" THEN '[]' ELSE CASE ").push(alias).push(".status");
    for status in [Draft, Planned, InProgress, Suspended] {
        let names: Vec<String> =
            next(status).iter().map(|status| format!("\"{}\"", status.as_str())).collect();
        sql.push(" WHEN '").push(status.as_str()).push("' THEN '[").push(&names.join(",")).push("]'");
    }
    sql.push(" WHEN 'COMPLETED' THEN CASE WHEN ");
    viewer.authorize(Resource::Action, Verb::Reopen, "").expression(sql, alias);
    sql.push(" THEN '[\"IN_PROGRESS\"]' ELSE '[]' END ELSE '[]' END END");
}

/// Moves an action to another status.
pub(super) async fn transition(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "action")?;
    let Patch::Set(to) = input.choice("to", ActionStatus::parse) else {
        return Err(Problem::at(ProblemCode::Required, "to", "a status is needed").into());
    };
    let expected = input.expected_version();
    let current = writing.row::<action::Entity>(rights(Verb::Transition, ""), "id", id, expected).await?;
    if current.status == to {
        return Ok(Change { id });
    }
    if !next(current.status).contains(&to) {
        let allowed = next(current.status).iter().map(|status| status.as_str());
        return Err(Problem::transition(current.status.as_str(), to.as_str(), allowed).into());
    }
    let reopens = current.status == Completed;
    if reopens {
        writing.row::<action::Entity>(rights(Verb::Reopen, ""), "to", id, None).await?;
    }
    let mut change = store::change_of(writing, &current);
    let mut changed = vec!["status"];
    change.status = Set(to);
    let reason = input.text("reason", 3..=1_000);
    if (to == Cancelled || reopens) && !matches!(reason, Patch::Set(_)) {
        input.wrong(ProblemCode::Required, "reason", "a reason is needed to cancel or reopen");
    }
    if let Patch::Set(reason) = reason {
        if reopens {
            change.reopen_reason = Set(Some(reason));
            changed.push("reopenReason");
        } else if to == Cancelled {
            change.cancel_reason = Set(Some(reason));
            changed.push("cancelReason");
        }
    }
    store::apply_dates(input, &current, &mut change, &mut changed);
    check(writing, input, &current, &change, to);
    input.check()?;
    let verb = if reopens { Verb::Reopen } else { Verb::Transition };
    store::update(writing, &current, change, Links::default(), changed, verb).await
}

/// What a status needs.
fn check(
    writing: Writing<'_>,
    input: &Input<'_>,
    current: &action::Model,
    change: &action::ActiveModel,
    to: ActionStatus,
) {
    let needs = |field: &str, missing: bool| {
        if missing {
            input.wrong(ProblemCode::Rule, field, format!("{} needs {field}", to.as_str()));
        }
    };
    if to == Planned {
        needs("lead", current.lead_partner_id.is_none());
        needs("startsOn", current.starts_from.is_none());
        needs("pillar", current.pillar.is_none() && current.source_system.is_none());
    }
    if to == Completed {
        // what is emptied by this very write is not there any more
        let ends = change.ends_from.try_as_ref().copied().unwrap_or(current.ends_from);
        match ends {
            None => needs("endsOn", true),
            Some(day) if day > writing.today() => {
                input.wrong(ProblemCode::Rule, "endsOn", "an action cannot be COMPLETED before its end");
            }
            Some(_) => {}
        }
    }
}
