//! Who sees a figure, for the journal.

use entity::enums::FigureSubject;
use entity::{action, figure};
use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;

use super::subject::site_of_qpv;
use crate::db::{Cell, Kind, Sql, cell};
use crate::journal::Seen;
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
