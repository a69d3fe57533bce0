//! Transactions.

use std::task::Poll;

use async_trait::async_trait;
use futures_util::lock::Mutex;
use sea_orm::sea_query::Values;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use super::pool::{Lent, Pool};
use super::soon::soon;
use crate::telemetry::Serving;

/// A transaction. Dropped before its end it is undone, by ending its connection: whoever waits for an answer ends it
/// by [`Transaction::commit`] or [`Transaction::rollback`].
#[derive(Debug)]
pub struct Transaction {
    work: Mutex<Work>,
    backend: DbBackend,
}

/// A connection in a transaction.
#[derive(Debug)]
struct Work {
    lent: Lent,
    /// What it begins with, while that is still to be said: it goes with the first statement, where it can.
    beginning: Option<&'static str>,
    /// What nobody looks at the outcome of: it goes together, with the end where it can.
    later: Option<Statement>,
    /// Others wait for its end, and so each of its statements is waited for on the spot.
    is_awaited: bool,
}

impl Transaction {
    /// Begins, by a statement such as `BEGIN`.
    pub(super) async fn begin(pool: &Pool, how: &'static str) -> Result<Self, DbErr> {
        let mut work =
            Work { lent: pool.lend().await?, beginning: Some(how), later: None, is_awaited: false };
        work.begin().await?;
        Ok(Self { work: Mutex::new(work), backend: pool.get_database_backend() })
    }

    /// Begins where only one can write at a time; whose turn it is has nobody to wait for.
    pub(super) async fn begin_alone(pool: &Pool, how: &'static str) -> Result<Self, DbErr> {
        let work = Work { lent: pool.lend().await?, beginning: Some(how), later: None, is_awaited: true };
        Ok(Self { work: Mutex::new(work), backend: pool.get_database_backend() })
    }

    /// Runs a statement whose outcome nobody looks at: now, or before what comes next. Its placeholders have no numbers
    /// where it is put off.
    pub async fn execute_later(&self, statement: Statement) -> Result<(), DbErr> {
        let mut work = self.work.lock().await;
        if !work.is_awaited {
            return work.lent.execute(statement).await.map(|_| ());
        }
        if let Some(later) = &mut work.later {
            append(later, statement);
            return Ok(());
        }
        work.begin().await?;
        work.later = Some(statement);
        Ok(())
    }

    /// Makes its writes last and seen.
    ///
    /// Once it is sent, whoever waits for it may go away without cutting it off.
    pub async fn commit(self) -> Result<(), DbErr> {
        let cut_off = |_| DbErr::Custom("a commit was cut off".to_owned());
        let mut end = Box::pin(self.end("COMMIT"));
        if let Poll::Ready(ended) = futures_util::poll!(&mut end) {
            return ended;
        }
        let ended = match Serving::current() {
            Some(traced) => tokio::spawn(traced.scope(end)),
            None => tokio::spawn(end),
        };
        ended.await.map_err(cut_off)?
    }

    /// Undoes its writes. One whose statement was given up is undone by ending its connection: that statement may wait
    /// for long.
    pub async fn rollback(self) -> Result<(), DbErr> {
        if self.work.lock().await.lent.is_under_way() {
            return Ok(());
        }
        self.end("ROLLBACK").await
    }

    async fn end(self, how: &str) -> Result<(), DbErr> {
        let mut work = self.work.into_inner();
        if work.beginning.is_some() {
            return Ok(());
        }
        match work.later.take().filter(|_| how == "COMMIT") {
            Some(mut later) => {
                let end = Statement::from_string(later.db_backend, how);
                append(&mut later, end);
                waited(work.is_awaited, work.lent.execute(later)).await?;
            }
            None => {
                work.execute_text(how).await?;
            }
        }
        work.lent.in_transaction = false;
        Ok(())
    }
}

impl Work {
    /// Runs what was put off: more comes before the end.
    async fn ready(&mut self) -> Result<(), DbErr> {
        match self.later.take() {
            Some(later) => waited(self.is_awaited, self.lent.execute(later)).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// The same, and begins: a statement that counts rows could count those of before.
    async fn begin(&mut self) -> Result<(), DbErr> {
        self.ready().await?;
        if let Some(how) = self.beginning.take() {
            self.execute_text(how).await?;
            self.lent.in_transaction = true;
        }
        Ok(())
    }

    /// A statement that reads, with the beginning before it.
    fn first(&mut self, mut statement: Statement) -> Statement {
        if let Some(how) = self.beginning.take() {
            statement.sql.insert_str(0, "; ");
            statement.sql.insert_str(0, how);
            self.lent.in_transaction = true;
        }
        statement
    }

    async fn execute_text(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        waited(self.is_awaited, self.lent.execute_text(sql)).await
    }
}

/// Appends a statement to what runs before it.
fn append(statements: &mut Statement, next: Statement) {
    statements.sql.push_str("; ");
    statements.sql.push_str(&next.sql);
    if let Some(values) = next.values {
        statements.values.get_or_insert_with(|| Values(Vec::new())).0.extend(values.0);
    }
}

async fn waited<T>(on_the_spot: bool, statement: impl Future<Output = T>) -> T {
    if on_the_spot { soon(statement).await } else { statement.await }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut work = self.work.lock().await;
        work.begin().await?;
        waited(work.is_awaited, work.lent.execute(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut work = self.work.lock().await;
        work.begin().await?;
        work.execute_text(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut work = self.work.lock().await;
        work.ready().await?;
        let statement = work.first(statement);
        waited(work.is_awaited, work.lent.one(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut work = self.work.lock().await;
        work.ready().await?;
        let statement = work.first(statement);
        waited(work.is_awaited, work.lent.all(statement)).await
    }
}
