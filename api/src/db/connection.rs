//! One connection, of either database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, Executor, PgConnection, SqliteConnection};
use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;

/// A connection.
#[derive(Debug)]
pub enum Connection {
    /// To a server.
    Postgres(PgConnection),
    /// To a file, with what stops the statement that runs on it.
    Sqlite(SqliteConnection, Arc<AtomicBool>),
}

/// Steps of SQLite's machine after which a statement looks whether it is to stop: a fraction of a millisecond.
const STEPS: i32 = 10_000;

/// The same on a connection of either kind.
macro_rules! on {
    ($connection:expr, $raw:ident => $run:expr) => {
        match $connection {
            Connection::Postgres($raw) => $run,
            Connection::Sqlite($raw, _) => $run,
        }
    };
}

impl Connection {
    /// A connection to a file.
    pub async fn to_file(options: &SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let mut raw = options.connect().await?;
        let stop = Arc::new(AtomicBool::new(false));
        let goes_on = Arc::clone(&stop);
        raw.lock_handle().await?.set_progress_handler(STEPS, move || !goes_on.load(Ordering::Relaxed));
        Ok(Self::Sqlite(raw, stop))
    }

    /// Ends it with whatever runs on it. A server sees that by itself (see `open`).
    pub fn stop(self) {
        if let Self::Sqlite(_, stop) = &self {
            stop.store(true, Ordering::Relaxed);
        }
    }

    /// Runs a statement.
    pub async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        let (sql, values) = parts(statement);
        on!(self, raw => raw.execute(sqlx::query_with(sql, values)).await.map(ExecResult::from))
            .map_err(not_done)
    }

    /// Runs statements without values, as text.
    pub async fn execute_text(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        on!(self, raw => raw.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(ExecResult::from))
            .map_err(not_done)
    }

    /// The first row that a statement finds.
    pub async fn one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let (sql, values) = parts(statement);
        on!(self, raw => raw.fetch_optional(sqlx::query_with(sql, values)).await.map(|row| row.map(QueryResult::from)))
            .map_err(not_read)
    }

    /// The rows that a statement finds.
    pub async fn all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let (sql, values) = parts(statement);
        on!(self, raw => {
            let rows = raw.fetch_all(sqlx::query_with(sql, values)).await;
            rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
        })
        .map_err(not_read)
    }

    /// Whether the other side still answers.
    pub async fn ping(&mut self) -> Result<(), DbErr> {
        on!(self, raw => raw.ping().await).map_err(unreachable)
    }

    /// Ends it, and waits until it has ended.
    pub async fn close(self) -> Result<(), DbErr> {
        on!(self, raw => raw.close().await).map_err(unreachable)
    }
}

/// Statements are written by `Sql` and by sea-orm: what callers send is only ever bound.
fn parts(statement: Statement) -> (AssertSqlSafe<String>, SqlxValues) {
    let values = statement.values.unwrap_or_else(|| sea_orm::Values(Vec::new()));
    (AssertSqlSafe(statement.sql), SqlxValues(values))
}

/// An error of one who connects.
pub fn unreachable(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

fn not_done(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
}

fn not_read(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}
