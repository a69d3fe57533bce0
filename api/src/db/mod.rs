//! Connections to the database, the only place that knows which database it is.

pub mod bulk;
mod cell;
mod connection;
mod contention;
mod copy;
mod keys;
mod lock;
mod news;
mod open;
mod owed;
mod pool;
pub mod replica;
mod scrub;
mod soon;
mod sql;
#[cfg(test)]
mod tests;
mod transaction;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use chrono::{DateTime, SubsecRound};
use entity::database_identity;
use migration::{Migrator, MigratorTrait};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, Statement};
use uuid::Uuid;

use crate::limits;

pub use cell::{Cell, Kind, cell, is_null};
pub use contention::{is_contended, is_lost, is_too_long, is_violation, is_without_room};
pub use keys::{KeyType, Keys};
pub use lock::{ServeLock, lock_within, share_within};
pub use news::News;
pub use open::{Bounds, OpenError};
pub use pool::{Load, Pool};
pub use replica::Replica;
pub use sql::Sql;
pub use transaction::Transaction;

/// The names of applied migrations, where there is their table.
const MIGRATIONS: &str = "SELECT version FROM seaql_migrations";

/// What names a database in cursors that outlive it.
pub async fn identity(connection: &impl ConnectionTrait) -> Result<u32, DbErr> {
    let row = database_identity::Entity::find().one(connection).await?;
    // the end of the name is chance, its beginning time
    let tag = |row: database_identity::Model| row.uuid.as_bytes()[12..].try_into().map(u32::from_be_bytes);
    Ok(row.and_then(|row| tag(row).ok()).unwrap_or_default())
}

/// The whole name of a database.
pub async fn name(connection: &impl ConnectionTrait) -> Result<Option<Uuid>, DbErr> {
    Ok(database_identity::Entity::find().one(connection).await?.map(|row| row.uuid))
}

/// Kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Embedded, in one file.
    Sqlite,
    /// A server.
    Postgres,
}

/// Connections to one database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    /// Connections that may write; a single one on `SQLite`, which has one writer at a time.
    pub writer: Pool,
    /// Connections that can only read.
    pub readers: Pool,
    /// The same for reads that last longer than a request, which must not keep requests waiting.
    lasting: Pool,
    /// A standby of a server, from which reads may come that can be a little behind.
    pub replica: Option<Arc<Replica>>,
    /// Kind of database.
    pub backend: Backend,
    /// How long it may work for one request.
    pub deadline: Duration,
    /// Statements that reads have run since the start, for metrics and tests.
    pub statements: Arc<AtomicU64>,
    /// Word that the journal has grown.
    pub news: Arc<News>,
    /// File of an embedded database.
    file: Option<PathBuf>,
}

impl Db {
    /// Begins to read: every statement until the end sees one and the same state of the data.
    ///
    /// The readers' own settings (see `open`) say it all, so that it costs one round trip.
    pub async fn begin_read(&self) -> Result<Transaction, DbErr> {
        Self::begin_read_on(&self.readers).await
    }

    /// Begins to read on connections that can only read, such as those of a replica.
    pub async fn begin_read_on(readers: &Pool) -> Result<Transaction, DbErr> {
        Transaction::begin(readers, "BEGIN").await
    }

    /// Begins a read that may last, such as an export.
    pub async fn begin_lasting_read(&self) -> Result<Transaction, DbErr> {
        Transaction::begin(&self.lasting, "BEGIN").await
    }

    /// Begins to write. On `SQLite` it waits here for its turn, and so never fails half-way for want of it.
    pub async fn begin_write(&self) -> Result<Transaction, DbErr> {
        match self.backend {
            Backend::Sqlite => Transaction::begin_alone(&self.writer, "BEGIN IMMEDIATE").await,
            Backend::Postgres => Transaction::begin(&self.writer, "BEGIN").await,
        }
    }

    /// The oldest transaction still open: what lower ones wrote is settled. `None` where there is one writer, and
    /// everything that is seen is settled.
    pub async fn settled_before(&self, tx: &Transaction) -> Result<Option<i64>, DbErr> {
        if self.backend == Backend::Sqlite {
            return Ok(None);
        }
        let text = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
        let row = tx.query_one_raw(Statement::from_string(DbBackend::Postgres, text)).await?;
        row.map(|row| row.try_get_by_index(0)).transpose()
    }

    /// Applies the changes that the database lacks. Several instances may do it at once: one works, the
    /// others wait and then find nothing to do.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        let work = async {
            let connection = self.writer.of_library().await?;
            Migrator::up(&connection, None).await?;
            connection.close().await?;
            self.name().await
        };
        self.locked("migrate", work).await
    }

    /// Gives the database its name, by which cursors that outlive it are told from those of another.
    async fn name(&self) -> Result<(), DbErr> {
        if database_identity::Entity::find().one(&self.writer).await?.is_some() {
            return Ok(());
        }
        let uuid = Uuid::now_v7();
        let (seconds, nanos) = uuid.get_timestamp().map(|at| at.to_unix()).unwrap_or_default();
        let made = i64::try_from(seconds).ok().and_then(|seconds| DateTime::from_timestamp(seconds, nanos));
        let created_at = made.unwrap_or_default().trunc_subsecs(6);
        let row = database_identity::ActiveModel { id: Set(1), uuid: Set(uuid), created_at: Set(created_at) };
        row.insert(&self.writer).await.map(|_| ())
    }

    /// Undoes the last migrations, with the data of their tables.
    pub async fn migrate_down(&self, steps: u32) -> Result<(), DbErr> {
        let work = async {
            let connection = self.writer.of_library().await?;
            Migrator::down(&connection, Some(steps)).await?;
            connection.close().await
        };
        self.locked("migrate", work).await
    }

    /// Whether it answers soon, and has every change that this program needs; one that has more is of a newer program,
    /// which runs beside this one for a while. Asked beside the requests, which may have taken all of the readers.
    pub async fn ready(&self) -> Result<(), DbErr> {
        let missing = async {
            let names = Statement::from_string(self.writer.get_database_backend(), MIGRATIONS);
            let rows = self.lasting.query_all_raw(names).await?;
            let applied: Vec<String> =
                rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?;
            let is_missing = |name: &&str| applied.iter().all(|known| known != name);
            let migrations = Migrator::migrations();
            Ok(migrations.iter().map(|migration| migration.name()).find(is_missing).map(str::to_owned))
        };
        match tokio::time::timeout(limits::READY_TIME, missing).await {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(name))) => Err(DbErr::Custom(format!("migration {name} is not applied"))),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(DbErr::Custom("the database does not answer".to_owned())),
        }
    }

    /// The names of all migrations, and whether each is applied.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, DbErr> {
        let applied = self.applied().await?;
        let is_applied = |name: &str| applied.iter().any(|known| known == name);
        Ok(Migrator::migrations()
            .iter()
            .map(|migration| (migration.name().to_owned(), is_applied(migration.name())))
            .collect())
    }

    /// The names of applied migrations. The library's own question makes their table, which takes rights that the
    /// role of the application need not have.
    async fn applied(&self) -> Result<Vec<String>, DbErr> {
        let (backend, exists) = match self.backend {
            Backend::Sqlite => {
                (DbBackend::Sqlite, "SELECT 1 FROM sqlite_master WHERE name = 'seaql_migrations'")
            }
            Backend::Postgres => {
                (DbBackend::Postgres, "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL")
            }
        };
        if self.writer.query_one_raw(Statement::from_string(backend, exists)).await?.is_none() {
            return Ok(Vec::new());
        }
        let names = Statement::from_string(backend, MIGRATIONS);
        let rows = self.writer.query_all_raw(names).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    /// The number that the next transaction gets at the least; `None` where entries are numbered themselves.
    pub async fn next_transaction(&self) -> Result<Option<i64>, DbErr> {
        if self.backend == Backend::Sqlite {
            return Ok(None);
        }
        let text = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
        let row = self.readers.query_one_raw(Statement::from_string(DbBackend::Postgres, text)).await?;
        row.map(|row| row.try_get_by_index(0)).transpose()
    }

    /// What the connections of each pool are doing.
    pub fn loads(&self) -> impl Iterator<Item = (&'static str, Load)> {
        let pools = [("readers", &self.readers), ("lasting", &self.lasting), ("writer", &self.writer)];
        let replica = self.replica.iter().map(|replica| ("replica", &replica.readers));
        pools.into_iter().chain(replica).map(|(name, pool)| (name, pool.load()))
    }

    /// Lends no more connections, and ends each once its work is done.
    pub async fn close(&self) {
        self.readers.close().await;
        self.lasting.close().await;
        self.writer.close().await;
        if let Some(replica) = &self.replica {
            replica.close().await;
        }
    }
}
