//! Writes what was decided: a few statements for a thousand rows, whatever their number.

use std::collections::{HashMap, HashSet};

use entity::enums::ImportOutcome;
use entity::{StringList, action, action_partner, action_qpv, import_batch, import_item, partner, seat};
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, DbErr, IntoActiveModel, SqlErr};
use uuid::Uuid;

use super::decide::{Newer, Written};
use super::funding;
use super::input::Item;
use super::report::{Absent, Told};
use crate::action::{journal_scope, operator};
use crate::db::{Sql, bulk};
use crate::error::ApiError;
use crate::journal::{Entry, Lost, Seen};
use crate::policy::Verb;
use crate::write::{Failure, Writing};

/// Writes actions, the partners they need, their links and seats, and the journal of it all.
pub(super) async fn write(
    writing: Writing<'_>,
    mut written: Vec<Written>,
    partners: Vec<partner::Model>,
    seated_already: &HashSet<(Uuid, Uuid)>,
) -> Result<(), Failure> {
    // in the order of their keys, so that two calls never wait for each other both
    written.sort_by(|one, other| one.after.source_external_id.cmp(&other.after.source_external_id));
    let mut entries: Vec<Entry> = partners.iter().map(made).collect();
    let partners = partners.into_iter().map(IntoActiveModel::into_active_model).map(all_set).collect();
    bulk::write(writing.tx, writing.backend, partners, "").await.map_err(made_meanwhile)?;
    let of = |is_new: bool| -> Vec<action::ActiveModel> {
        let some = written.iter().filter(|one| one.before.is_none() == is_new);
        some.map(|one| all_set(one.after.clone().into_active_model())).collect()
    };
    bulk::write(writing.tx, writing.backend, of(true), "").await.map_err(made_meanwhile)?;
    // they are locked, and were compared before
    bulk::update(writing.tx, writing.backend, of(false)).await?;
    links(writing, &written).await?;
    entries.extend(seats(writing, &written, seated_already).await?);
    entries.extend(funding::follow(writing, &written).await?);
    let changed = written.iter().filter_map(|one| Some((one.before.as_ref()?, &one.after)));
    let figures = crate::figure::told_with_actions(writing, changed).await?;
    entries.extend(written.into_iter().map(entry));
    entries.extend(figures);
    writing.journal_all(entries).await?;
    Ok(())
}

/// What another made in the meantime is found by the next attempt.
fn made_meanwhile(error: DbErr) -> Failure {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Failure::Fault(ApiError::transient()),
        _ => error.into(),
    }
}

/// Actions that are the same in their source at a later instant keep that alone: there is no new version of them, and
/// nothing to tell. Their rows are locked.
pub(super) async fn instants(writing: Writing<'_>, newer: Vec<Newer>) -> Result<(), Failure> {
    let row = |one: Newer| action::ActiveModel {
        id: Set(one.action),
        source_updated_at: Set(Some(one.at)),
        ..Default::default()
    };
    let rows = newer.into_iter().map(row).collect();
    bulk::update(writing.tx, writing.backend, rows).await.map_err(Into::into)
}

/// A model's active form with every column to be written.
fn all_set<A: sea_orm::ActiveModelTrait>(row: A) -> A {
    row.reset_all()
}

async fn bulk_rows<A: sea_orm::ActiveModelTrait>(
    writing: Writing<'_>,
    rows: Vec<A>,
    then: &str,
) -> Result<(), Failure> {
    bulk::write(writing.tx, writing.backend, rows, then).await.map_err(Into::into)
}

async fn links(writing: Writing<'_>, written: &[Written]) -> Result<(), Failure> {
    let (mut to_qpvs, mut to_partners) = (Vec::new(), Vec::new());
    let (mut without_qpvs, mut without_partners) = (Vec::new(), Vec::new());
    for one in written {
        let id = one.after.id;
        if let Some(qpvs) = &one.qpvs {
            without_qpvs.extend(one.before.as_ref().map(|_| id.into()));
            let link = |qpv: &Uuid| action_qpv::ActiveModel { action_id: Set(id), qpv_id: Set(*qpv) };
            to_qpvs.extend(qpvs.iter().map(link));
        }
        if let Some(partners) = &one.partners {
            without_partners.extend(one.before.as_ref().map(|_| id.into()));
            let link = |partner: &Uuid| action_partner::ActiveModel {
                action_id: Set(id),
                partner_id: Set(*partner),
            };
            to_partners.extend(partners.iter().map(link));
        }
    }
    unlink(writing, "action_qpv", without_qpvs).await?;
    unlink(writing, "action_partner", without_partners).await?;
    bulk_rows(writing, to_qpvs, "").await?;
    bulk_rows(writing, to_partners, "").await
}

async fn unlink(
    writing: Writing<'_>,
    table: &str,
    actions: Vec<sea_orm::sea_query::Value>,
) -> Result<(), Failure> {
    if actions.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new(writing.backend);
    sql.push("DELETE FROM ").push(table).push(" WHERE ").is_in("action_id", actions);
    writing.tx.execute_raw(sql.into_statement()).await?;
    Ok(())
}

/// A partner of an action has a seat in its site; one without gets that of an operator.
async fn seats(
    writing: Writing<'_>,
    written: &[Written],
    seated_already: &HashSet<(Uuid, Uuid)>,
) -> Result<Vec<Entry>, Failure> {
    let mut needed: Vec<(Uuid, Uuid)> = written
        .iter()
        .flat_map(|one| one.seated.iter().map(|partner| (one.after.site_id, *partner)))
        .collect();
    needed.sort_unstable();
    needed.dedup();
    if needed.is_empty() {
        return Ok(Vec::new());
    }
    needed.retain(|pair| !seated_already.contains(pair));
    if needed.is_empty() {
        return Ok(Vec::new());
    }
    let before = writing.seated(needed.iter().map(|(site, _)| *site)).await?;
    let rows: Vec<seat::Model> =
        needed.iter().map(|(site, partner)| operator(writing, *site, *partner)).collect();
    let all = rows.iter().map(|row| all_set(row.clone().into_active_model())).collect();
    // another call may seat him in the same moment, and tells of it then
    let new = bulk::write_new(writing.tx, writing.backend, all).await?;
    writing.rescope_seats(before).await?;
    Ok(rows.iter().filter(|row| new.contains(&row.id)).map(seated).collect())
}

fn seated(row: &seat::Model) -> Entry {
    let fields = vec!["kind", "partner", "site"];
    created("Seat", row.id, fields, crate::partner::seat_scope(None, row).1)
}

fn made(row: &partner::Model) -> Entry {
    let seen = Seen { source: row.source_system.clone(), public: true, ..Seen::default() };
    created("Partner", row.id, vec!["name", "kind"], seen)
}

fn created(entity: &'static str, id: Uuid, fields: Vec<&'static str>, now: Seen) -> Entry {
    let (was, lost) = (Seen::default(), Lost::default());
    Entry { entity, id, version: 1, deleted: false, verb: Verb::Create, fields, now, was, lost }
}

fn entry(one: Written) -> Entry {
    let (was, now) = journal_scope(one.before.as_ref(), &one.after);
    Entry {
        entity: "Action",
        id: one.after.id,
        version: one.after.version,
        deleted: one.after.deleted_at.is_some(),
        verb: one.verb,
        fields: one.changed,
        now,
        was,
        lost: Lost::default(),
    }
}

/// Keeps the history of a call: which items it had, and what became of those of which something is to be said; then what
/// a snapshot did not hold.
pub(super) async fn history(
    writing: Writing<'_>,
    batch: import_batch::Model,
    items: &[Item],
    told: &[Told],
    absent: &[Absent],
) -> Result<(), Failure> {
    let absent: Vec<(&str, Told)> = absent.iter().map(|one| (one.external_id.as_str(), one.told())).collect();
    let all = items.iter().map(|item| item.external_id.as_str()).zip(told);
    let all = all.chain(absent.iter().map(|(id, one)| (*id, one)));
    let mut rows = Vec::new();
    for (position, (external_id, one)) in all.enumerate() {
        if one.outcome == ImportOutcome::Unchanged && one.problems().next().is_none() {
            continue;
        }
        let list =
            |of: &dyn Fn(&crate::write::Problem) -> String| one.problems().map(of).collect::<StringList>();
        let row = import_item::Model {
            id: Uuid::now_v7(),
            batch_id: batch.id,
            client_id: batch.client_id.clone(),
            position: i32::try_from(position).unwrap_or(i32::MAX),
            external_id: external_id.to_owned(),
            outcome: one.outcome,
            action_id: one.action,
            codes: list(&|problem| problem.code.name().to_owned()),
            paths: list(&|problem| problem.path.join(".")),
            messages: list(&|problem| problem.message.clone()),
            at: writing.now,
        };
        rows.push(all_set(row.into_active_model()));
    }
    bulk_rows(writing, vec![all_set(batch.into_active_model())], "").await?;
    bulk_rows(writing, rows, "").await
}

/// How many items had each outcome.
pub(super) fn counts(told: &[Told]) -> HashMap<ImportOutcome, i32> {
    let mut counts = HashMap::new();
    for one in told {
        *counts.entry(one.outcome).or_insert(0) += 1;
    }
    counts
}
