//! The outlines in memory: read at first use, and again when they have been loaded anew.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::outline::{Holder, Outlines};
use crate::db::Db;
use crate::error::ApiError;
use crate::graphql::Engine;
use crate::limits;
use crate::read::plan::internal;

/// The outlines that are kept, if any.
#[derive(Debug, Default)]
pub struct KeptOutlines {
    kept: RwLock<Option<Kept>>,
    /// Held by the one request that looks and reads.
    reading: Mutex<()>,
}

#[derive(Clone, Debug)]
struct Kept {
    outlines: Arc<Outlines>,
    /// The load they come from.
    run: Option<Uuid>,
    /// When that was last found to be the latest.
    checked: DateTime<Utc>,
}

impl KeptOutlines {
    /// The outlines; none while the database has none.
    pub fn get(&self) -> Option<Arc<Outlines>> {
        self.read().map(|kept| kept.outlines)
    }

    fn read(&self) -> Option<Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, kept: Option<Kept>) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = kept;
    }

    fn fresh(&self, now: DateTime<Utc>) -> Option<Kept> {
        self.read().filter(|kept| (TimeDelta::zero()..OUTLINES_FRESH).contains(&(now - kept.checked)))
    }
}

/// How long outlines are used without a look at the loads.
const OUTLINES_FRESH: TimeDelta = TimeDelta::seconds(limits::OUTLINES_FRESH_SECONDS);

impl Engine {
    /// Reads the outlines, unless those kept are of the latest load. An empty set is not kept: the data may come.
    pub(crate) async fn load_outlines(&self) -> Result<(), ApiError> {
        let kept = &self.services.outlines;
        let now = self.now();
        if kept.fresh(now).is_some() {
            return Ok(());
        }
        let _reading = kept.reading.lock().await;
        if kept.fresh(now).is_some() {
            return Ok(());
        }
        let run = latest_run(&self.db).await?;
        let outlines = match kept.read().filter(|kept| kept.run == run) {
            Some(same) => Some(same.outlines),
            None => read(&self.db).await?.map(Arc::new),
        };
        kept.keep(outlines.map(|outlines| Kept { outlines, run, checked: now }));
        Ok(())
    }
}

/// The latest load of outlines that came to its end.
async fn latest_run(db: &Db) -> Result<Option<Uuid>, DbErr> {
    let text = "SELECT id FROM ingest_run WHERE source = 'qpv-outlines' AND state = 'DONE' \
                ORDER BY started_at DESC, id DESC LIMIT 1";
    let backend = db.readers.get_database_backend();
    let row = db.readers.query_one_raw(Statement::from_string(backend, text)).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}

/// Reads all outlines; `None` if there is none.
async fn read(db: &Db) -> Result<Option<Outlines>, ApiError> {
    let text = "SELECT q.id, q.code, o.geojson FROM qpv q JOIN qpv_outline o ON o.qpv_id = q.id \
                WHERE q.generation = 'QPV_2024' AND q.deleted_at IS NULL";
    let backend = db.readers.get_database_backend();
    let rows = db.readers.query_all_raw(Statement::from_string(backend, text)).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut outlines = Vec::with_capacity(rows.len());
    for row in rows {
        let holder = Holder { id: row.try_get_by_index(0)?, code: row.try_get_by_index(1)? };
        outlines.push((holder, row.try_get_by_index::<String>(2)?));
    }
    let built = tokio::task::spawn_blocking(move || Outlines::from_geojson(outlines)).await;
    match built {
        Ok(Ok(outlines)) => Ok(Some(outlines)),
        Ok(Err(error)) => {
            tracing::error!(%error, "the outlines cannot be used");
            Err(internal("the outlines cannot be used"))
        }
        Err(_) => Err(internal("building the outlines was interrupted")),
    }
}
