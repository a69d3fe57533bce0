//! What a file was made from, as an entity tag: the state of the database, who asked, and what he asked for.
//!
//! Nothing says that a file is as it was unless everything does that it depends on.

use async_graphql::Value;
use chrono::Duration;
use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};

use super::{CsvOptions, File};
use crate::auth::Scope;
use crate::db::{Backend, Cell, Kind, Sql, cell};
use crate::error::ApiError;
use crate::graphql::Engine;
use crate::policy::Viewer;

/// The entity tag of a file, weak since compression changes its bytes.
pub(super) async fn tag(
    snapshot: &crate::db::Transaction,
    engine: &Engine,
    viewer: &Viewer,
    file: File,
    filter: &Value,
    csv: CsvOptions,
) -> Result<String, ApiError> {
    engine.load_identity().await?;
    let mut hasher = Sha256::new();
    hasher.update(env!("CARGO_PKG_VERSION"));
    hasher.update(format!("{:?}", (file.name(), csv, filter.to_string())));
    let actor = &viewer.actor;
    let scopes: Vec<&str> = actor.scopes.iter().copied().map(Scope::name).collect();
    let who = (actor.role, &actor.client_id, &actor.departements, &actor.sirens, &actor.source, scopes);
    // seats and links begin and end with a day
    hasher.update(format!("{:?}", (who, viewer.today, engine.services.identity())));
    for statement in
        [journaled(engine.db.backend), loaded(engine.db.backend), granted(engine.db.backend, viewer)]
    {
        for row in snapshot.query_all_raw(statement.into_statement()).await? {
            for (index, kind) in [Kind::Text, Kind::BigInt].into_iter().enumerate() {
                let cell: Cell<'_> = cell(&row, index, kind)?;
                hasher.update(format!("{cell:?}"));
            }
        }
        hasher.update(";");
    }
    if tells_instants(file, filter) {
        hasher.update(imported(snapshot, engine.db.backend).await?);
    }
    Ok(format!("W/\"{}\"", hex::encode(&hasher.finalize()[..16])))
}

/// The last change that the snapshot sees. While an older transaction is open that may still add one before it, the
/// snapshot's own name stands beside it, which no other state has.
fn journaled(backend: Backend) -> Sql {
    let mut sql = Sql::new(backend);
    let order: Vec<String> = sql.commit_order().iter().map(|column| format!("{column} DESC")).collect();
    let first = sql.commit_order()[0];
    let settled = sql.piece(|sql| {
        sql.settled("t");
    });
    sql.push("SELECT CASE WHEN ")
        .push(&settled)
        .push(" THEN '' ELSE ")
        .snapshot_name()
        .push(" END || ':' || ");
    sql.push(first).push(", t.seq FROM journal t WHERE t.outcome = 'OK' AND t.entity <> '");
    sql.push(super::record::ENTITY).push("' ORDER BY ").push(&order.join(", ")).push(" LIMIT 1");
    sql
}

/// The files that were loaded, which the journal does not tell of.
fn loaded(backend: Backend) -> Sql {
    let mut sql = Sql::new(backend);
    sql.push("SELECT t.sha256 || t.state, count(*) FROM ingest_run t GROUP BY t.sha256, t.state ORDER BY 1");
    sql
}

/// Whether a file depends on when actions were changed in their source, of which the journal tells nothing where nothing
/// else changes with it.
fn tells_instants(file: File, filter: &Value) -> bool {
    file.list.noun == "Action" || filter.to_string().contains("sourceUpdatedAt")
}

/// How long an import may last that another, begun later, is done before.
const LASTS: Duration = Duration::hours(1);

/// The last import that the snapshot sees, and how many there were shortly before: one that ends late is among those.
async fn imported(snapshot: &crate::db::Transaction, backend: Backend) -> Result<String, ApiError> {
    let mut sql = Sql::new(backend);
    sql.push("SELECT t.created_at FROM import_batch t ORDER BY t.created_at DESC, t.id DESC LIMIT 1");
    let last = snapshot.query_one_raw(sql.into_statement()).await?;
    let Some(Cell::Instant(last)) = last.as_ref().map(|row| cell(row, 0, Kind::Instant)).transpose()? else {
        return Ok(String::new());
    };
    let mut sql = Sql::new(backend);
    sql.push("SELECT count(*) FROM import_batch t WHERE t.created_at > ").bind((last - LASTS).into());
    let count = snapshot.query_one_raw(sql.into_statement()).await?;
    let count = count.as_ref().map(|row| cell(row, 0, Kind::BigInt)).transpose()?;
    Ok(format!("{last:?} {count:?}"))
}

/// The caller's grants that hold now: they begin and end with an instant.
fn granted(backend: Backend, viewer: &Viewer) -> Sql {
    let mut sql = Sql::new(backend);
    let holds = sql.piece(|sql| viewer.grant_holds(sql));
    sql.push("SELECT ").uuid_text("xg.id");
    sql.push(", xg.version FROM client_grant xg WHERE ").push(&holds);
    sql.push(" ORDER BY xg.id");
    sql
}
