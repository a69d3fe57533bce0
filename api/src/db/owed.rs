//! What clients took of their points and time has not given back yet, shared between instances on a server.
//!
//! One instant tells it all: when a client has all its points again. To take is to move it, and an instant that has
//! passed, or that nobody knows of, is that of a full bucket. The clock is the server's, so that those of instances need
//! not agree.

use std::collections::HashMap;

use sea_orm::sea_query::{ArrayType, Value};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use uuid::Uuid;

use super::{Backend, Db};

/// Every instance goes through the rows in the order of their keys, so that none waits for one that waits for it. Who
/// had to wait finds a row newer than the instant its statement began: that instant can then not be the greater one.
const OWE: &str = "INSERT INTO budget AS b (client, full_at) \
     SELECT u.client, statement_timestamp() + sum(u.micros)::float8 * interval '1 microsecond' \
     FROM unnest($1::uuid[], $2::bigint[]) AS u(client, micros) GROUP BY u.client ORDER BY u.client \
     ON CONFLICT (client) DO UPDATE SET \
     full_at = greatest(b.full_at, statement_timestamp()) + (excluded.full_at - statement_timestamp()) \
     RETURNING client, (extract(epoch FROM full_at - statement_timestamp()) * 1000000)::bigint";

/// Rows that somebody holds are left for the next time: to wait for them could be to wait for one who waits for this.
const FORGET: &str = "WITH paid AS MATERIALIZED \
     (SELECT client FROM budget WHERE full_at <= statement_timestamp() FOR UPDATE SKIP LOCKED) \
     DELETE FROM budget b USING paid WHERE b.client = paid.client";

impl Db {
    /// Adds to what clients owe, in microseconds that it takes to give it back, and says what each owes now. An
    /// embedded database has one instance, which knows.
    pub async fn owe(&self, taken: impl Iterator<Item = (Uuid, i64)>) -> Result<HashMap<Uuid, i64>, DbErr> {
        if self.backend == Backend::Sqlite {
            return Ok(HashMap::new());
        }
        let (clients, micros): (Vec<Value>, Vec<Value>) =
            taken.map(|(client, micros)| (Value::from(client), Value::from(micros))).unzip();
        let values = [
            Value::Array(ArrayType::Uuid, Some(Box::new(clients))),
            Value::Array(ArrayType::BigInt, Some(Box::new(micros))),
        ];
        let owe = Statement::from_sql_and_values(DbBackend::Postgres, OWE, values);
        let rows = self.writer.query_all_raw(owe).await?;
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
    }

    /// Forgets clients that owe nothing any more; says how many.
    pub async fn forget_paid(&self) -> Result<u64, DbErr> {
        if self.backend == Backend::Sqlite {
            return Ok(0);
        }
        let forget = Statement::from_string(DbBackend::Postgres, FORGET);
        Ok(self.writer.execute_raw(forget).await?.rows_affected())
    }
}
