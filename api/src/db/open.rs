use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::DbErr;
use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::connection::unreachable;
use super::pool::{Opener, Pool};
use super::{Backend, Db};

/// How long a connection of `SQLite` waits for one of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a database could not be opened. No message holds the URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names another kind of database.
    #[error("the database URL must start with sqlite:// or postgres://")]
    UnknownScheme,
    /// The URL asks for a database in memory, which readers and the writer could not share.
    #[error("a database in memory is not supported: name a file, such as sqlite://cites.db?mode=rwc")]
    InMemory,
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
    /// `max_connections` counts readers and writers of all `threads` that serve; on a server half of them may write,
    /// and each thread has two of each at least. On `SQLite` it counts readers, beside the single writer. Who waits
    /// for a connection longer than `acquire_timeout` gets an error.
    pub async fn open(
        url: &str,
        max_connections: u32,
        threads: usize,
        acquire_timeout: Duration,
    ) -> Result<Self, OpenError> {
        let most = usize::try_from(max_connections).unwrap_or(usize::MAX).max(1);
        if url.starts_with("sqlite:") {
            open_sqlite(url, most, acquire_timeout).await
        } else if let Some(address) =
            ["postgres://", "postgresql://"].iter().find_map(|s| url.strip_prefix(s))
        {
            let of_each = (most / threads.max(1) / 2).max(2);
            open_postgres(&format!("postgres://{address}"), of_each, acquire_timeout).await
        } else {
            Err(OpenError::UnknownScheme)
        }
    }
}

async fn open_sqlite(url: &str, readers: usize, wait: Duration) -> Result<Db, OpenError> {
    let options = SqliteConnectOptions::from_str(url).map_err(unreachable)?;
    let file = sqlite_file(url, &options)?;
    let options = options.disable_statement_logging().busy_timeout(BUSY_TIMEOUT);
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
        writer: Pool::new(Opener::Sqlite(writer), 1, wait)?,
        readers: Pool::new(Opener::Sqlite(reader), readers, wait)?,
        backend: Backend::Sqlite,
        statements: Arc::default(),
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

async fn open_postgres(url: &str, of_each: usize, wait: Duration) -> Result<Db, OpenError> {
    let options = PgConnectOptions::from_str(url).map_err(unreachable)?;
    let writer = options.disable_statement_logging().application_name("cites");
    // The first two are defaults of the connection, so that BEGIN alone opens a read-only snapshot.
    let reader = writer.clone().options([
        ("default_transaction_isolation", "repeatable read"),
        ("default_transaction_read_only", "on"),
        // Requests run beside each other already; a plan in parallel repeats part of the work per process.
        ("max_parallel_workers_per_gather", "0"),
        // Compiling a plan takes longer than the statements of a request.
        ("jit", "off"),
    ]);
    let db = Db {
        writer: Pool::new(Opener::Postgres(writer), of_each, wait)?,
        readers: Pool::new(Opener::Postgres(reader), of_each, wait)?,
        backend: Backend::Postgres,
        statements: Arc::default(),
        file: None,
    };
    reached(db).await
}

/// Opens a first connection of each kind. The writer's comes first: on `SQLite` it makes the file, and the journal that
/// readers need.
async fn reached(db: Db) -> Result<Db, OpenError> {
    db.writer.lend().await?;
    db.readers.lend().await?;
    Ok(db)
}
