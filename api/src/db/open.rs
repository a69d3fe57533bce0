use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::DbErr;
use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::connection::unreachable;
use super::pool::{Opener, Pool};
use super::{Backend, Db, Replica};
use crate::limits;

/// How long a connection of `SQLite` waits for one of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections for exports, and one that tells whether the database is there.
const LASTING: usize = limits::EXPORTS + 1;

/// How much of a database is used at once.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Readers and writers of all threads together on a server: half of them may write, and each thread has three
    /// readers, of which two may serve the public, and two writers at least. On `SQLite` readers, beside the single writer.
    pub max_connections: usize,
    /// Threads that serve.
    pub threads: usize,
    /// Who waits longer for a connection gets an error.
    pub wait: Duration,
    /// What takes longer for one request is stopped, and undone.
    pub deadline: Duration,
}

impl Default for Bounds {
    /// Those of the default configuration, for one thread.
    fn default() -> Self {
        Self {
            max_connections: 16,
            threads: 1,
            wait: Duration::from_secs(5),
            deadline: Duration::from_secs(30),
        }
    }
}

/// Why a database could not be opened. No message holds the URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names another kind of database.
    #[error("the database URL must start with sqlite:// or postgres://")]
    UnknownScheme,
    /// The URL asks for a database in memory, which readers and the writer could not share.
    #[error("a database in memory is not supported: name a file, such as sqlite://cites.db?mode=rwc")]
    InMemory,
    /// An embedded database has no standby.
    #[error("only a database on PostgreSQL has a replica")]
    NoReplica,
    /// Another server works on the same file.
    #[error("another server already serves this database (it holds {0})")]
    AlreadyServed(PathBuf),
    /// The lock file beside the database could not be opened.
    #[error("cannot use the lock file {0}: {1}")]
    LockFile(PathBuf, std::io::Error),
    /// The database refused, or could not be reached.
    #[error("cannot open the database: {0}")]
    Connect(#[from] DbErr),
}

impl Db {
    /// Opens `sqlite://path` (made if absent) or `postgres://user@host/name`.
    ///
    pub async fn open(url: &str, bounds: Bounds) -> Result<Self, OpenError> {
        if url.starts_with("sqlite:") {
            open_sqlite(url, bounds).await
        } else if let Some(address) =
            ["postgres://", "postgresql://"].iter().find_map(|s| url.strip_prefix(s))
        {
            open_postgres(&format!("postgres://{address}"), bounds).await
        } else {
            Err(OpenError::UnknownScheme)
        }
    }
}

impl Db {
    /// The same with a standby of its server, from which reads may come. It is not reached now: it may be away.
    pub fn with_replica(mut self, url: &str, max_lag: Duration, bounds: Bounds) -> Result<Self, OpenError> {
        let primary = self.readers.server().cloned().ok_or(OpenError::NoReplica)?;
        let lock_timeout = limits::REPLICA_WAIT.as_millis().to_string();
        // a lock that it replays is waited for on the primary, which has given it back first
        let standby = reading(server(url)?, bounds).options([("lock_timeout", lock_timeout.as_str())]);
        let max_lag = TimeDelta::from_std(max_lag).unwrap_or(TimeDelta::MAX);
        let (standby, primary) = (Opener::Postgres(standby), Opener::Postgres(primary));
        self.replica = Some(Arc::new(Replica::new(&standby, primary, readers_of_each(bounds), max_lag)?));
        Ok(self)
    }

    /// Opens a file only to read it.
    pub(super) fn open_to_read(url: &str, bounds: Bounds) -> Result<Pool, DbErr> {
        let options = SqliteConnectOptions::from_str(url).map_err(unreachable)?;
        Pool::new(Opener::Sqlite(options.disable_statement_logging()), 1, bounds.wait)
    }
}

async fn open_sqlite(url: &str, bounds: Bounds) -> Result<Db, OpenError> {
    let options = SqliteConnectOptions::from_str(url).map_err(unreachable)?;
    let file = sqlite_file(url, &options)?;
    let options = options
        .disable_statement_logging()
        .busy_timeout(BUSY_TIMEOUT)
        // a page and the row after it pass without waiting for each other
        .row_buffer_size(limits::PAGE_MAX + 1);
    let writer = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // what is erased is overwritten, not only unlinked
        .pragma("secure_delete", "on")
        .foreign_keys(true);
    let reader = options.create_if_missing(false).pragma("query_only", "on");
    let db = Db {
        writer: Pool::new(Opener::Sqlite(writer), 1, bounds.wait)?,
        lasting: Pool::new(Opener::Sqlite(reader.clone()), LASTING, bounds.wait)?,
        readers: Pool::new(Opener::Sqlite(reader), bounds.max_connections.max(1), bounds.wait)?,
        replica: None,
        backend: Backend::Sqlite,
        deadline: bounds.deadline,
        statements: Arc::default(),
        news: Arc::default(),
        file: Some(file),
    };
    reached(db).await
}

fn sqlite_file(url: &str, options: &SqliteConnectOptions) -> Result<PathBuf, OpenError> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(OpenError::InMemory);
    }
    match options.get_filename() {
        file if file == Path::new("") => Err(OpenError::InMemory),
        file => Ok(file.to_owned()),
    }
}

async fn open_postgres(url: &str, bounds: Bounds) -> Result<Db, OpenError> {
    let (readers, writers) = (readers_of_each(bounds), of_each(bounds).max(2));
    let writer = server(url)?;
    let reader = reading(writer.clone(), bounds);
    let db = Db {
        writer: Pool::new(Opener::Postgres(writer), writers, bounds.wait)?,
        lasting: Pool::new(Opener::Postgres(reader.clone()), LASTING, bounds.wait)?,
        readers: Pool::new(Opener::Postgres(reader), readers, bounds.wait)?,
        replica: None,
        backend: Backend::Postgres,
        deadline: bounds.deadline,
        statements: Arc::default(),
        news: Arc::default(),
        file: None,
    };
    reached(db).await
}

/// Connections of each kind that a thread has to a server.
fn of_each(bounds: Bounds) -> usize {
    bounds.max_connections / bounds.threads.max(1) / 2
}

/// Those that read: one is left to known callers when the public has all that it may have (see `admission`).
fn readers_of_each(bounds: Bounds) -> usize {
    of_each(bounds).max(3)
}

fn server(url: &str) -> Result<PgConnectOptions, DbErr> {
    let options = PgConnectOptions::from_str(url).map_err(unreachable)?;
    // Who went away waits for nothing: the server looks, and stops what it does for him.
    let look = [("client_connection_check_interval", "2s")];
    Ok(options.disable_statement_logging().application_name("cites").options(look))
}

fn reading(options: PgConnectOptions, bounds: Bounds) -> PgConnectOptions {
    let statement_timeout = bounds.deadline.as_millis().to_string();
    options.options([
        ("statement_timeout", statement_timeout.as_str()),
        // These two are defaults of the connection, so that BEGIN alone opens a read-only snapshot.
        ("default_transaction_isolation", "repeatable read"),
        ("default_transaction_read_only", "on"),
        // Requests run beside each other already; a plan in parallel repeats part of the work per process.
        ("max_parallel_workers_per_gather", "0"),
        // Compiling a plan takes longer than the statements of a request.
        ("jit", "off"),
    ])
}

/// Opens a first connection of each kind. The writer's comes first: on `SQLite` it makes the file, and the journal that
/// readers need.
async fn reached(db: Db) -> Result<Db, OpenError> {
    db.writer.lend().await?;
    db.readers.lend().await?;
    Ok(db)
}
