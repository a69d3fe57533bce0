//! A figure is validated, revised, withdrawn.

use entity::enums::{FigureStatus, FigureSubject};
use entity::{figure, qpv, site};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::seen::{ground, who_sees};
use super::subject::{About, rights};
use super::submit::{DECLARED, checked, insert, standing};
use crate::db::Sql;
use crate::ingest::figures;
use crate::policy::{Resource, Verb, Viewer};
use crate::write::row::next_row;
use crate::write::{Change, Failure, Input, Problem, ProblemCode, Writing};

/// Appends whether a viewer may do this to the figure at an alias, which must stand in one of these statuses.
pub(super) fn viewer_can(sql: &mut Sql, viewer: &Viewer, alias: &str, verb: Verb, statuses: &str) {
    sql.push("((").push(alias).push(".status IN (").push(statuses).push(") AND CASE WHEN ").push(alias);
    sql.push(".subject IN ('NATIONAL', 'COMMUNE', 'EPCI') THEN ");
    viewer.authorize(Resource::NationalFigure, Verb::Write, "").expression(sql, alias);
    sql.push(" ELSE ");
    viewer.authorize(Resource::Figure, verb, "").expression(sql, alias);
    // unknown is no: a figure has most of the columns that the reach looks at null
    sql.push(" END) IS TRUE)");
}

async fn current(writing: Writing<'_>, input: &Input<'_>, verb: Verb) -> Result<figure::Model, Failure> {
    let id = input.subject("id", "figure")?;
    let found = writing.readable::<figure::Entity>("figure", Resource::Figure, "id", id).await?;
    writing.row::<figure::Entity>(rights(found.subject, verb), "id", id, input.expected_version()).await
}

async fn move_to(
    writing: Writing<'_>,
    current: &figure::Model,
    to: FigureStatus,
    verb: Verb,
    note: Option<String>,
) -> Result<Change, Failure> {
    let site = ground(writing, verb, current).await?;
    // one of a QPV is public wherever the QPV lies
    let of_site = site.filter(|_| current.subject != FigureSubject::Qpv);
    let was = who_sees(writing, current, of_site).await?;
    let mut row = next_row!(writing, figure, current);
    let mut fields = vec!["status"];
    row.status = Set(to);
    if let Some(note) = note {
        row.note = Set(Some(note));
        fields.push("note");
    }
    let row = writing.change(current, row).await?;
    let now = who_sees(writing, &row, site).await?;
    writing.record("Figure", (row.id, row.version), verb, fields, (was, now)).await
}

pub(super) async fn validate(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = current(writing, input, Verb::Validate).await?;
    match current.status {
        FigureStatus::Validated => Ok(Change { id: current.id }),
        FigureStatus::Provisional => {
            move_to(writing, &current, FigureStatus::Validated, Verb::Validate, None).await
        }
        other => Err(Problem::transition(other.as_str(), "VALIDATED", [].into_iter()).on("id").into()),
    }
}

pub(super) async fn revise(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "figure")?;
    // the site before its figure: who gives it a code names its figures anew, and would not see the one to come
    if let Some(site) = figure::Entity::find_by_id(id).one(writing.tx).await?.and_then(|row| row.site_id) {
        writing.lock_site(site).await?;
    }
    let current = current(writing, input, Verb::Validate).await?;
    if current.status != FigureStatus::Validated {
        let allowed =
            if current.status == FigureStatus::Provisional { vec!["VALIDATED", "WITHDRAWN"] } else { vec![] };
        return Err(Problem::transition(current.status.as_str(), "REVISED", allowed.into_iter())
            .on("id")
            .into());
    }
    let given = input.decimal("value").or(None);
    if given.is_none() {
        input.wrong(ProblemCode::Required, "value", "a value is needed");
    }
    let value = checked(input, "value", given, current.indicator);
    let note = input.text("note", 0..=500).or(current.note.clone());
    input.check()?;
    move_to(writing, &current, FigureStatus::Revised, Verb::Validate, None).await?;
    let mut row = figure::Model {
        id: Uuid::now_v7(),
        version: 1,
        created_at: writing.now,
        updated_at: writing.now,
        deleted_at: None,
        source_system: None,
        source_external_id: None,
        value,
        // whoever gave the former value does not give this one
        origin: DECLARED.to_owned(),
        status: FigureStatus::Validated,
        as_of: Some(writing.today()),
        note,
        ..current.clone()
    };
    name(writing, &mut row).await?;
    if standing(writing, &row.natural_key).await?.is_some() {
        let message = "there is a DECLARED figure beside the one of this source; revise that one";
        return Err(Problem::at(ProblemCode::Duplicate, "id", message).into());
    }
    let site = ground(writing, Verb::Validate, &current).await?;
    insert(writing, row, site, Verb::Validate).await
}

/// Gives the natural key of a figure that has another origin now.
async fn name(writing: Writing<'_>, row: &mut figure::Model) -> Result<(), Failure> {
    let (id, key) = match row.subject {
        FigureSubject::National => (None, None),
        FigureSubject::Commune => (None, row.commune_code.clone()),
        FigureSubject::Epci => (None, row.epci_siren.clone()),
        FigureSubject::Action => (row.action_id, row.action_id.map(|id| id.to_string())),
        FigureSubject::Site => {
            let id = row.site_id.unwrap_or_default();
            let code = site::Entity::find_by_id(id).one(writing.tx).await?.and_then(|site| site.code);
            (Some(id), Some(code.unwrap_or_else(|| id.to_string())))
        }
        FigureSubject::Qpv => {
            let id = row.qpv_id.unwrap_or_default();
            (Some(id), qpv::Entity::find_by_id(id).one(writing.tx).await?.map(|qpv| qpv.code))
        }
    };
    let about =
        About { kind: row.subject, id: id.unwrap_or_default(), key: key.unwrap_or_default(), site: None };
    // the generation of QPV that it counts stands last
    let generation = row.natural_key.split('|').nth(6).map(str::to_owned);
    figures::name(row, about.subject(), generation.as_deref());
    Ok(())
}

pub(super) async fn withdraw(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = current(writing, input, Verb::Withdraw).await?;
    let reason = input.text("reason", 3..=500).or(None);
    input.check()?;
    match current.status {
        FigureStatus::Withdrawn => Ok(Change { id: current.id }),
        FigureStatus::Revised => {
            Err(Problem::transition("REVISED", "WITHDRAWN", [].into_iter()).on("id").into())
        }
        _ => move_to(writing, &current, FigureStatus::Withdrawn, Verb::Withdraw, reason).await,
    }
}
