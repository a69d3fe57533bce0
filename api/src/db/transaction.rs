//! Transactions.

use async_trait::async_trait;
use futures_util::lock::Mutex;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use super::pool::{Lent, Pool};
use crate::telemetry::Serving;

/// A transaction. Dropped before its end it is undone, by ending its connection: whoever waits for an answer ends it
/// by [`Transaction::commit`] or [`Transaction::rollback`].
#[derive(Debug)]
pub struct Transaction {
    lent: Mutex<Lent>,
    backend: DbBackend,
}

impl Transaction {
    /// Begins, by a statement such as `BEGIN`.
    pub(super) async fn begin(pool: &Pool, how: &str) -> Result<Self, DbErr> {
        let mut lent = pool.lend().await?;
        lent.execute_text(how).await?;
        lent.in_transaction = true;
        Ok(Self { lent: Mutex::new(lent), backend: pool.get_database_backend() })
    }

    /// Makes its writes last and seen.
    ///
    /// On a task of its own: once it is sent, whoever waits for it may go away without cutting it off.
    pub async fn commit(self) -> Result<(), DbErr> {
        let cut_off = |_| DbErr::Custom("a commit was cut off".to_owned());
        let ended = match Serving::current() {
            Some(traced) => tokio::spawn(traced.scope(self.end("COMMIT"))),
            None => tokio::spawn(self.end("COMMIT")),
        };
        ended.await.map_err(cut_off)?
    }

    /// Undoes its writes. One whose statement was given up is undone by ending its connection: that statement may wait
    /// for long.
    pub async fn rollback(self) -> Result<(), DbErr> {
        if self.lent.lock().await.is_under_way() {
            return Ok(());
        }
        self.end("ROLLBACK").await
    }

    async fn end(self, how: &str) -> Result<(), DbErr> {
        let mut lent = self.lent.into_inner();
        lent.execute_text(how).await?;
        lent.in_transaction = false;
        Ok(())
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.lent.lock().await.execute(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.lent.lock().await.execute_text(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.lent.lock().await.one(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.lent.lock().await.all(statement).await
    }
}
