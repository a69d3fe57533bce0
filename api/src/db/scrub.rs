//! What still holds erased values after they are gone from their table.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::{Backend, Db};

/// How often the write-ahead log is tried while readers use it, and how long is waited in between.
const TRIES: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(100);

/// Whether this role may vacuum a table: its owner, the owner of the database, or, from PostgreSQL 17 on, one with
/// MAINTAIN. The server skips what it refuses with a warning that nobody sees.
const MAY_VACUUM: &str = "SELECT pg_has_role(c.relowner, 'USAGE') \
     OR EXISTS (SELECT 1 FROM pg_database d WHERE d.datname = current_database() AND pg_has_role(d.datdba, 'USAGE')) \
     OR CASE WHEN current_setting('server_version_num')::int >= 170000 \
        THEN has_table_privilege(c.oid, 'MAINTAIN') ELSE FALSE END \
     FROM pg_class c WHERE c.oid = $1::text::regclass";

impl Db {
    /// Rewrites what still holds erased values: the write-ahead log of SQLite, the dead rows of PostgreSQL. What
    /// it could not do is logged: the values are gone from the table, and from the files a little later.
    pub async fn scrub(&self, tables: &[&'static str]) {
        match self.backend {
            Backend::Sqlite => self.say(&tables.join(", "), self.empty_log().await),
            Backend::Postgres => {
                for table in tables {
                    self.say(table, self.vacuum(table).await);
                }
            }
        }
    }

    fn say(&self, table: &str, outcome: Result<bool, DbErr>) {
        match outcome {
            Ok(true) => {}
            Ok(false) => tracing::warn!(table, "erased values stay in the files: {}", self.remedy()),
            Err(error) => tracing::warn!(table, %error, "erased values stay in the files: {}", self.remedy()),
        }
    }

    const fn remedy(&self) -> &'static str {
        match self.backend {
            Backend::Sqlite => "readers hold the write-ahead log; the next checkpoint overwrites it",
            Backend::Postgres => "this role may not vacuum; autovacuum, or the owner's VACUUM, removes them",
        }
    }

    /// Writes the log into the file and cuts it; readers of an older state are in the way for a moment.
    async fn empty_log(&self) -> Result<bool, DbErr> {
        for attempt in 1..=TRIES {
            let checkpoint = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
            let row = self.writer.query_one_raw(checkpoint).await?;
            let busy: Option<i32> = row.map(|row| row.try_get_by_index(0)).transpose()?;
            if busy == Some(0) {
                return Ok(true);
            }
            if attempt < TRIES {
                tokio::time::sleep(BETWEEN).await;
            }
        }
        Ok(false)
    }

    async fn vacuum(&self, table: &'static str) -> Result<bool, DbErr> {
        let asked = Statement::from_sql_and_values(DbBackend::Postgres, MAY_VACUUM, [table.into()]);
        let row = self.writer.query_one_raw(asked).await?;
        if row.map(|row| row.try_get_by_index(0)).transpose()? != Some(true) {
            return Ok(false);
        }
        self.writer.execute_unprepared(&format!("VACUUM {table}")).await?;
        Ok(true)
    }
}
