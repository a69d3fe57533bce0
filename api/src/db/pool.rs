//! Connections kept open, lent for a statement or for a transaction.
//!
//! On a server each thread has connections of its own: a socket belongs to the event loop that opened it, and would
//! wake that thread for every answer which another one waits for. They are lent by `deadpool` and not by sqlx, whose
//! pool asks a server for a sign of life after every use: a round trip more for each request.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool::Runtime;
use deadpool::managed::{self, Manager, Metrics, Object, PoolError, RecycleError, RecycleResult};
use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};
use thread_local::ThreadLocal;

use super::connection::{Connection, unreachable};
use super::contention::is_lost;
use crate::telemetry::{self, traces};

/// A connection to a server unused for this long is tried before it is lent: the server may have restarted.
const STALE_AFTER: Duration = Duration::from_secs(10);

/// A connection to a server older than this is replaced: it may lead to an address that moved, and holds plans.
const RENEW_AFTER: Duration = Duration::from_mins(30);

/// What connections are opened with.
#[derive(Clone, Debug)]
pub enum Opener {
    /// Those of a server.
    Postgres(PgConnectOptions),
    /// Those of a file.
    Sqlite(SqliteConnectOptions),
}

impl Manager for Opener {
    type Type = Connection;
    type Error = DbErr;

    async fn create(&self) -> Result<Connection, DbErr> {
        let connection = match self {
            Self::Postgres(options) => Box::pin(options.connect()).await.map(Connection::Postgres),
            Self::Sqlite(options) => Box::pin(Connection::to_file(options)).await,
        };
        connection.map_err(unreachable)
    }

    async fn recycle(&self, connection: &mut Connection, used: &Metrics) -> RecycleResult<DbErr> {
        if matches!(self, Self::Sqlite(_)) {
            // a file does not go away as a server does: connections stay, with their caches
            return Ok(());
        }
        if used.age() > RENEW_AFTER {
            return Err(RecycleError::message("too old"));
        }
        if used.last_used() > STALE_AFTER { Ok(connection.ping().await?) } else { Ok(()) }
    }
}

/// Connections of one kind, opened when they are needed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool {
    opener: Opener,
    size: usize,
    wait: Duration,
    kept: Kept,
}

/// What the connections of a pool are doing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    /// How many there may be.
    pub most: usize,
    /// Those that are open.
    pub open: usize,
    /// Those that nobody holds.
    pub idle: usize,
    /// Who waits for one.
    pub waiting: usize,
}

#[derive(Clone, Debug)]
enum Kept {
    Together(managed::Pool<Opener>),
    OfThreads(Arc<ThreadLocal<managed::Pool<Opener>>>),
}

impl Pool {
    /// At most `size` connections, for all threads together on a file, for each thread on a server. Who waits longer
    /// than `wait` for one gets an error.
    pub fn new(opener: Opener, size: usize, wait: Duration) -> Result<Self, DbErr> {
        let kept = match &opener {
            Opener::Sqlite(_) => Kept::Together(pool(&opener, size, wait)?),
            Opener::Postgres(_) => Kept::OfThreads(Arc::default()),
        };
        Ok(Self { opener, size, wait, kept })
    }

    /// How many connections it has: in all on a file, of each thread on a server.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// How a server is reached; none for a file.
    pub const fn server(&self) -> Option<&PgConnectOptions> {
        match &self.opener {
            Opener::Postgres(options) => Some(options),
            Opener::Sqlite(_) => None,
        }
    }

    /// A connection of the library's own, for its migrations.
    pub async fn of_library(&self) -> Result<DatabaseConnection, DbErr> {
        let one = match &self.opener {
            // on the heap: some kilobytes that every future holding them would carry
            Opener::Postgres(options) => {
                let pool = PgPoolOptions::new().max_connections(1).connect_with(options.clone());
                Box::pin(pool).await.map(DatabaseConnection::from)
            }
            Opener::Sqlite(options) => {
                let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone());
                Box::pin(pool).await.map(DatabaseConnection::from)
            }
        };
        one.map_err(unreachable)
    }

    /// Lends a connection.
    pub async fn lend(&self) -> Result<Lent, DbErr> {
        let pool = match &self.kept {
            Kept::Together(pool) => pool,
            Kept::OfThreads(pools) => pools.get_or_try(|| pool(&self.opener, self.size, self.wait))?,
        };
        let connection = pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Closed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            _ => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        })?;
        Ok(Lent { connection: Some(connection), under_way: false, in_transaction: false })
    }

    fn each(&self) -> Vec<&managed::Pool<Opener>> {
        match &self.kept {
            Kept::Together(pool) => vec![pool],
            Kept::OfThreads(pools) => pools.iter().collect(),
        }
    }

    /// What its connections are doing, over all threads.
    pub fn load(&self) -> Load {
        self.each().into_iter().map(managed::Pool::status).fold(Load::default(), |sum, one| Load {
            most: sum.most + one.max_size,
            open: sum.open + one.size,
            idle: sum.idle + one.available,
            waiting: sum.waiting + one.waiting,
        })
    }

    /// Lends no more, and ends the connections that nobody holds.
    pub async fn close(&self) {
        for pool in self.each() {
            let idle = pool.retain(|_, _| false).removed;
            pool.close();
            for connection in idle {
                // one whose other side went away has ended already
                connection.close().await.ok();
            }
        }
    }
}

fn pool(opener: &Opener, size: usize, wait: Duration) -> Result<managed::Pool<Opener>, DbErr> {
    managed::Pool::builder(opener.clone())
        .max_size(size)
        .wait_timeout(Some(wait))
        .create_timeout(Some(wait))
        .recycle_timeout(Some(wait))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| DbErr::Custom(error.to_string()))
}

/// A connection on loan. Given back when dropped, unless something is still under way on it: then it is ended, and
/// with it what it began.
#[derive(Debug)]
pub struct Lent {
    connection: Option<Object<Opener>>,
    /// A statement has not come to its end.
    under_way: bool,
    /// Between a beginning and an end.
    pub(super) in_transaction: bool,
}

impl Lent {
    /// Whether a statement has not come to its end.
    pub const fn is_under_way(&self) -> bool {
        self.under_way
    }

    /// Runs a statement.
    pub async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        let traced = self.traced(&statement.sql);
        let done = self.start()?.execute(statement).await;
        end(traced, &done, |_| 0);
        self.done(done)
    }

    /// Runs statements without values, as text.
    pub async fn execute_text(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let traced = self.traced(sql);
        let done = self.start()?.execute_text(sql).await;
        end(traced, &done, |_| 0);
        self.done(done)
    }

    /// The first row that a statement finds.
    pub async fn one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let traced = self.traced(&statement.sql);
        let done = self.start()?.one(statement).await;
        end(traced, &done, |row| row.iter().len());
        self.done(done)
    }

    /// The rows that a statement finds.
    pub async fn all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let traced = self.traced(&statement.sql);
        let done = self.start()?.all(statement).await;
        end(traced, &done, Vec::len);
        self.done(done)
    }

    fn traced(&self, sql: &str) -> Option<traces::Statement> {
        let system = match self.connection.as_deref()? {
            Connection::Postgres(_) => "postgresql",
            Connection::Sqlite(..) => "sqlite",
        };
        telemetry::statement(system, sql)
    }

    fn start(&mut self) -> Result<&mut Connection, DbErr> {
        self.under_way = true;
        let gone = DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed);
        self.connection.as_deref_mut().ok_or(gone)
    }

    fn done<T>(&mut self, done: Result<T, DbErr>) -> Result<T, DbErr> {
        self.under_way = false;
        if let Err(error) = &done
            && is_lost(error)
            && let Some(connection) = self.connection.take()
        {
            // what happened to this one happened to those beside it: a server that ended
            if let Some(pool) = Object::pool(&connection) {
                drop(pool.retain(|_, _| false));
            }
            Object::take(connection).stop();
        }
        done
    }
}

/// A statement has ended, with so many rows.
fn end<T>(traced: Option<traces::Statement>, done: &Result<T, DbErr>, rows: impl Fn(&T) -> usize) {
    if let Some(traced) = traced {
        traced.end(done.as_ref().ok().map(rows));
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if (self.under_way || self.in_transaction)
            && let Some(connection) = self.connection.take()
        {
            Object::take(connection).stop();
        }
    }
}

/// Each statement on whichever connection is free.
#[async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        match self.opener {
            Opener::Postgres(_) => DbBackend::Postgres,
            Opener::Sqlite(_) => DbBackend::Sqlite,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.lend().await?.execute(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.lend().await?.execute_text(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.lend().await?.one(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.lend().await?.all(statement).await
    }
}
