use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};

use super::{Backend, Db};

/// How long a connection of `SQLite` waits for one of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to a server unused for this long is tried before it is lent: the server may have restarted.
const STALE_AFTER: Duration = Duration::from_secs(10);

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
    /// `max_connections` counts readers and writers together on a server, where a quarter of them, two at
    /// least, may write; on `SQLite` it counts readers, beside the single writer. Who waits for a connection
    /// longer than `acquire_timeout` gets an error.
    pub async fn open(url: &str, max_connections: u32, acquire_timeout: Duration) -> Result<Self, OpenError> {
        let base = |url: &str, size: u32| {
            let mut options = ConnectOptions::new(url);
            options.max_connections(size.max(1)).acquire_timeout(acquire_timeout).sqlx_logging(false);
            options
        };
        if url.starts_with("sqlite:") {
            open_sqlite(url, base(url, 1), base(url, max_connections)).await
        } else if let Some(address) =
            ["postgres://", "postgresql://"].iter().find_map(|s| url.strip_prefix(s))
        {
            let url = format!("postgres://{address}");
            let writers = (max_connections / 4).max(2);
            let readers = max_connections.saturating_sub(writers);
            open_postgres(base(&url, writers), base(&url, readers)).await
        } else {
            Err(OpenError::UnknownScheme)
        }
    }
}

async fn open_sqlite(
    url: &str,
    mut writer: ConnectOptions,
    mut readers: ConnectOptions,
) -> Result<Db, OpenError> {
    let file = sqlite_file(url)?;
    for options in [&mut writer, &mut readers] {
        // A file does not go away as a server does: connections stay, with their caches.
        options.test_before_acquire(false).idle_timeout(None).max_lifetime(None);
    }
    writer.map_sqlx_sqlite_opts(|options| {
        options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // what is erased is overwritten, not only unlinked
            .pragma("secure_delete", "on")
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
    });
    readers.map_sqlx_sqlite_opts(|options| {
        options.create_if_missing(false).pragma("query_only", "on").busy_timeout(BUSY_TIMEOUT)
    });
    // The writer first: it makes the file, and the journal that readers need.
    let writer = connect(writer).await?;
    let readers = connect(readers).await?;
    Ok(Db {
        writer,
        readers,
        backend: Backend::Sqlite,
        statements: Arc::default(),
        news: Arc::default(),
        file: Some(file),
    })
}

fn sqlite_file(url: &str) -> Result<PathBuf, OpenError> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(OpenError::InMemory);
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|error| DbErr::Custom(error.to_string()))?;
    match options.get_filename() {
        file if file == Path::new("") => Err(OpenError::InMemory),
        file => Ok(file.to_owned()),
    }
}

async fn open_postgres(mut writer: ConnectOptions, mut readers: ConnectOptions) -> Result<Db, OpenError> {
    for options in [&mut writer, &mut readers] {
        options.set_application_name("cites").test_before_acquire_if_idle_for(STALE_AFTER);
    }
    // The first two are defaults of the connection, so that BEGIN alone opens a read-only snapshot.
    readers.map_sqlx_postgres_opts(|options| {
        options.options([
            ("default_transaction_isolation", "repeatable read"),
            ("default_transaction_read_only", "on"),
            // Requests run beside each other already; a plan in parallel repeats part of the work per process.
            ("max_parallel_workers_per_gather", "0"),
            // Compiling a plan takes longer than the statements of a request.
            ("jit", "off"),
        ])
    });
    let (writer, readers) = tokio::try_join!(connect(writer), connect(readers))?;
    Ok(Db {
        writer,
        readers,
        backend: Backend::Postgres,
        statements: Arc::default(),
        news: Arc::default(),
        file: None,
    })
}

async fn connect(options: ConnectOptions) -> Result<DatabaseConnection, DbErr> {
    // On the heap: it is some kilobytes that every future holding it would carry.
    Box::pin(Database::connect(options)).await
}
