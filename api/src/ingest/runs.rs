//! Run rows: what was loaded when, with which outcome.

use chrono::{DateTime, Utc};
use entity::enums::IngestState;
use entity::ingest_run::{ActiveModel, Column, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::report::FileReport;

/// Whether the last success of this source and vintage had the same fingerprint.
pub(super) async fn is_unchanged<C: ConnectionTrait>(
    db: &C,
    report: &FileReport,
    fingerprint: &str,
) -> Result<bool, DbErr> {
    let last: Option<String> = Entity::find()
        .select_only()
        .column(Column::Sha256)
        .filter(Column::Source.eq(report.source))
        .filter(Column::Vintage.eq(report.vintage))
        .filter(Column::State.eq(IngestState::Done))
        .order_by_desc(Column::StartedAt)
        .into_tuple()
        .one(db)
        .await?;
    Ok(last.as_deref() == Some(fingerprint))
}

/// Whether a source, the last that a database needs, was ever loaded.
pub(super) async fn is_done<C: ConnectionTrait>(db: &C, source: &str) -> Result<bool, DbErr> {
    let done = Entity::find().filter(Column::Source.eq(source)).filter(Column::State.eq(IngestState::Done));
    Ok(done.one(db).await?.is_some())
}

/// Opens a run row in the state of the report, and answers its id.
pub(super) async fn open<C: ConnectionTrait>(
    db: &C,
    (id, now): (Uuid, DateTime<Utc>),
    report: &FileReport,
    fingerprint: String,
) -> Result<(), DbErr> {
    let row = Model {
        id,
        source: report.source.to_owned(),
        file: report.file.to_owned(),
        vintage: report.vintage.to_owned(),
        sha256: fingerprint,
        state: report.state,
        started_at: now,
        finished_at: (report.state != IngestState::Running).then_some(now),
        lines: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        rejected: 0,
        errors: serde_json::json!([]),
    };
    Entity::insert(row.into_active_model()).exec_without_returning(db).await.map(drop)
}

/// Closes a run row as its report says.
pub(super) async fn close<C: ConnectionTrait>(
    db: &C,
    (id, now): (Uuid, DateTime<Utc>),
    report: &FileReport,
) -> Result<(), DbErr> {
    let count = |count: u64| Set(i64::try_from(count).unwrap_or(i64::MAX));
    let row = ActiveModel {
        id: Set(id),
        state: Set(report.state),
        finished_at: Set(Some(now)),
        lines: count(report.lines),
        created: count(report.created),
        updated: count(report.updated),
        unchanged: count(report.unchanged),
        rejected: count(report.rejected),
        errors: Set(serde_json::json!(report.errors)),
        ..Default::default()
    };
    Entity::update(row).exec(db).await.map(drop)
}
