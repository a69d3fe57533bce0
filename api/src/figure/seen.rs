//! Who sees a figure, for the journal.

use std::collections::BTreeMap;

use entity::enums::{FigureStatus, FigureSubject, Indicator};
use entity::{action, figure};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::subject::site_of_qpv;
use crate::db::{Cell, Kind, Sql, cell};
use crate::journal::{Entry, Lost, Seen};
use crate::policy::{Resource, Verb};
use crate::write::{Failure, Writing};

/// The site by which a figure is followed: its own, that of its action, or for a QPV the one that gives the caller his
/// right.
pub(super) async fn ground(
    writing: Writing<'_>,
    verb: Verb,
    row: &figure::Model,
) -> Result<Option<Uuid>, Failure> {
    Ok(match (row.subject, row.action_id, row.qpv_id) {
        (FigureSubject::Action, Some(id), _) => {
            action::Entity::find_by_id(id).one(writing.tx).await?.map(|action| action.site_id)
        }
        (FigureSubject::Qpv, _, Some(id)) => site_of_qpv(writing, verb, id).await.unwrap_or_default(),
        _ => row.site_id,
    })
}

/// Who sees a figure as it is stored now.
pub(super) async fn who_sees(
    writing: Writing<'_>,
    row: &figure::Model,
    site: Option<Uuid>,
) -> Result<Seen, Failure> {
    let mut sql = Sql::new(writing.backend);
    sql.push("SELECT (");
    writing.viewer.public(Resource::Figure).expression(&mut sql, "t");
    sql.push(") FROM figure t WHERE t.id = ").bind(row.id.into());
    let rows = writing.tx.query_all_raw(sql.into_statement()).await?;
    let public = rows.first().map(|row| cell(row, 0, Kind::Bool)).transpose()? == Some(Cell::Bool(true));
    Ok(Seen { site, source: row.source_system.clone(), public })
}

/// Entries of the figures of actions that came into somebody's sight by a change of the action, or left it: figures are
/// read with their action, and also by those who do not read it.
pub(crate) async fn told_with_actions(
    writing: Writing<'_>,
    changed: impl IntoIterator<Item = (&action::Model, &action::Model)>,
) -> Result<Vec<Entry>, Failure> {
    let mut moved = BTreeMap::new();
    for (before, after) in changed {
        let (was, now) = crate::action::journal_scope(Some(before), after);
        if was != now || before.deleted_at.is_some() != after.deleted_at.is_some() {
            moved.insert(after.id, (was, now));
        }
    }
    if moved.is_empty() {
        return Ok(Vec::new());
    }
    let figures = figure::Entity::find()
        .filter(figure::Column::ActionId.is_in(moved.keys().copied()))
        .filter(figure::Column::DeletedAt.is_null())
        .order_by_asc(figure::Column::Id)
        .all(writing.tx)
        .await?;
    let entry = |figure: figure::Model| {
        let (was, now) = moved.get(&figure.action_id?)?.clone();
        let seen = |action: Seen| Seen {
            source: figure.source_system.clone(),
            public: action.public && figure.status == FigureStatus::Validated,
            ..action
        };
        Some(told(&figure, (seen(was), seen(now))))
    };
    Ok(figures.into_iter().filter_map(entry).collect())
}

/// Tells of the figures of a QPV that came into the perimeter of a site or left it. What is public is so everywhere, but
/// for the values of few beneficiaries.
pub(crate) async fn tell_of_qpv(writing: Writing<'_>, site: Uuid, qpv: Uuid) -> Result<(), Failure> {
    let figures = figure::Entity::find()
        .filter(figure::Column::QpvId.eq(qpv))
        .filter(
            Condition::any()
                .add(figure::Column::Status.ne(FigureStatus::Validated))
                .add(figure::Column::Indicator.eq(Indicator::BeneficiaryCount)),
        )
        .filter(figure::Column::DeletedAt.is_null())
        .order_by_asc(figure::Column::Id)
        .all(writing.tx)
        .await?;
    let seen = |row: &figure::Model| Seen { source: row.source_system.clone(), ..Seen::in_site(site) };
    let entries = figures.iter().map(|row| told(row, (seen(row), seen(row)))).collect();
    Ok(writing.journal_all(entries).await?)
}

/// The entry of a figure that somebody else sees now, though it stays as it is.
fn told(row: &figure::Model, (was, now): (Seen, Seen)) -> Entry {
    Entry {
        entity: "Figure",
        id: row.id,
        version: row.version,
        deleted: false,
        verb: Verb::Update,
        fields: Vec::new(),
        was,
        now,
        lost: Lost::default(),
    }
}
