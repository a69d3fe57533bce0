use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::{Backend, Db, OpenError, Transaction};

/// Held by the one server that works on an embedded database; freed when dropped, or when the process ends.
#[derive(Debug)]
pub struct ServeLock {
    _file: Option<File>,
}

/// Held while a piece of work is done that only one instance may do at a time.
enum WorkLock {
    /// On a server: ends with the transaction, even if this process dies.
    Transaction(Box<Transaction>),
    /// Beside an embedded database: ends with the file handle.
    File { _file: File },
}

impl Db {
    /// Takes the right to serve an embedded database, or says who has it. A server may be shared: there it
    /// always succeeds.
    pub fn serve_lock(&self) -> Result<ServeLock, OpenError> {
        let Some(database) = &self.file else {
            return Ok(ServeLock { _file: None });
        };
        let path = lock_path(database, "lock");
        let file = lock_file(&path).map_err(|error| OpenError::LockFile(path.clone(), error))?;
        match file.try_lock() {
            Ok(()) => Ok(ServeLock { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(OpenError::AlreadyServed(path)),
            Err(TryLockError::Error(error)) => Err(OpenError::LockFile(path, error)),
        }
    }

    /// Does the work while no other instance does work of the same name; waits for its turn.
    ///
    /// `name` is a plain word: on `SQLite` it is part of a file name.
    pub async fn locked<T, E: From<DbErr>>(
        &self,
        name: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let lock = match &self.file {
            Some(database) => wait_for_file(lock_path(database, &format!("{name}.lock"))).await?,
            None => self.wait_for_transaction(name).await?,
        };
        let outcome = work.await;
        // Whatever the work came to, the lock ends; a lock that is lost with its connection has ended too.
        if let WorkLock::Transaction(transaction) = lock {
            transaction.rollback().await.ok();
        }
        outcome
    }

    /// A lock of the transaction rather than of the session: a cancelled task cannot leave it behind.
    async fn wait_for_transaction(&self, name: &str) -> Result<WorkLock, DbErr> {
        let transaction = self.begin_write().await?;
        self.lock_within(&transaction, name).await?;
        Ok(WorkLock::Transaction(Box::new(transaction)))
    }

    /// Makes transactions of that name wait for each other, until this one ends. Those that write `SQLite` do so
    /// anyway.
    pub async fn lock_within(&self, transaction: &Transaction, name: &str) -> Result<(), DbErr> {
        lock_within(transaction, self.backend, name).await
    }
}

/// The same for who has only the transaction.
pub async fn lock_within(transaction: &Transaction, backend: Backend, name: &str) -> Result<(), DbErr> {
    take(transaction, backend, "pg_advisory_xact_lock", name).await
}

/// Makes a transaction wait for those that locked that name, and them for it; not for its like.
pub async fn share_within(transaction: &Transaction, backend: Backend, name: &str) -> Result<(), DbErr> {
    take(transaction, backend, "pg_advisory_xact_lock_shared", name).await
}

async fn take(transaction: &Transaction, backend: Backend, lock: &str, name: &str) -> Result<(), DbErr> {
    if backend == Backend::Sqlite {
        return Ok(());
    }
    let sql = format!("SELECT {lock}(hashtextextended($1, 0))");
    let key = format!("cites:{name}");
    let backend = transaction.get_database_backend();
    transaction.execute_raw(Statement::from_sql_and_values(backend, sql, [key.into()])).await?;
    Ok(())
}

/// Waits on a thread that may block.
async fn wait_for_file(path: PathBuf) -> Result<WorkLock, DbErr> {
    let wait = move || {
        let file = lock_file(&path)?;
        file.lock()?;
        Ok(WorkLock::File { _file: file })
    };
    let lock: io::Result<WorkLock> = tokio::task::spawn_blocking(wait)
        .await
        .map_err(|error| DbErr::Custom(format!("cannot wait for the lock file: {error}")))?;
    lock.map_err(|error| DbErr::Custom(format!("cannot use the lock file: {error}")))
}

fn lock_path(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".");
    path.push(suffix);
    path.into()
}

fn lock_file(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(path)
}
