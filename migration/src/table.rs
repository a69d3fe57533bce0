use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::column::{Column, instant, int, text, uuid};

/// What an index is for, which decides its form on each database.
enum Purpose {
    /// Finding and sorting by these columns.
    Order,
    /// The same, and no two rows alike; only among the rows that meet the condition, if there is one.
    Unique(Option<&'static str>),
    /// Finding a piece of text: trigrams on `PostgreSQL`.
    Search,
    /// Finding an element of a JSON list; `PostgreSQL` only, `SQLite` has nothing for it.
    Elements,
}

struct Index {
    columns: &'static [&'static str],
    purpose: Purpose,
}

/// One table: its columns, key, checks and indexes. A foreign key that no index serves gets one.
pub struct Table {
    name: &'static str,
    key: &'static [&'static str],
    columns: Vec<Column>,
    checks: Vec<(&'static str, &'static str)>,
    indexes: Vec<Index>,
    is_logged: bool,
}

impl Table {
    /// A table of these columns; an empty key means that a sequence column is the key.
    pub fn new(name: &'static str, key: &'static [&'static str], columns: impl Into<Vec<Column>>) -> Self {
        let (checks, indexes) = (Vec::new(), Vec::new());
        Self { name, key, columns: columns.into(), checks, indexes, is_logged: true }
    }

    /// A table of domain rows: identity, version, times, tombstone and source come before `columns`.
    pub fn row(name: &'static str, columns: impl Into<Vec<Column>>) -> Self {
        let mut all = vec![
            uuid("id"),
            int("version").default("1").check("version >= 1"),
            instant("created_at"),
            instant("updated_at"),
            instant("deleted_at").null(),
            text("source_system").null(),
            text("source_external_id").null(),
        ];
        all.append(&mut columns.into());
        Self::new(name, &["id"], all)
            .check("source", "(source_system IS NULL) = (source_external_id IS NULL)")
            .unique(&["source_system", "source_external_id"])
            .index(&["updated_at", "id"])
    }

    /// A condition over several columns, named for error messages.
    pub fn check(mut self, name: &'static str, sql: &'static str) -> Self {
        self.checks.push((name, sql));
        self
    }

    /// An index for finding and sorting by these columns in this order.
    pub fn index(self, columns: &'static [&'static str]) -> Self {
        self.with(columns, Purpose::Order)
    }

    /// No two rows have the same values; missing values are all different.
    pub fn unique(self, columns: &'static [&'static str]) -> Self {
        self.with(columns, Purpose::Unique(None))
    }

    /// No two rows that meet the condition have the same values.
    pub fn unique_where(self, columns: &'static [&'static str], condition: &'static str) -> Self {
        self.with(columns, Purpose::Unique(Some(condition)))
    }

    /// A folded text is searched by its pieces.
    pub fn search(self, column: &'static [&'static str; 1]) -> Self {
        self.with(column, Purpose::Search)
    }

    /// Its rows stand in no write-ahead log of `PostgreSQL`: neither archives nor replicas have them, and a crash empties
    /// the table.
    pub const fn unlogged(mut self) -> Self {
        self.is_logged = false;
        self
    }

    /// A JSON list is searched by its elements.
    pub fn elements(self, column: &'static [&'static str; 1]) -> Self {
        self.with(column, Purpose::Elements)
    }

    fn with(mut self, columns: &'static [&'static str], purpose: Purpose) -> Self {
        self.indexes.push(Index { columns, purpose });
        self
    }

    /// Makes the table and its indexes.
    pub(crate) async fn create(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let connection = manager.get_connection();
        connection.execute_unprepared(&self.create_sql(backend)).await?;
        for sql in self.index_sql(backend) {
            connection.execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    /// Removes the table with its rows and indexes.
    pub(crate) async fn drop(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let sql = format!("DROP TABLE \"{}\"", self.name);
        manager.get_connection().execute_unprepared(&sql).await.map(|_| ())
    }

    fn create_sql(&self, backend: DbBackend) -> String {
        let name = self.name;
        let mut parts: Vec<String> = self.columns.iter().map(|column| column.sql(name, backend)).collect();
        if !self.key.is_empty() {
            parts.push(format!("CONSTRAINT \"pk_{name}\" PRIMARY KEY ({})", quoted(self.key)));
        }
        for (check, sql) in &self.checks {
            parts.push(format!("CONSTRAINT \"ck_{name}_{check}\" CHECK ({sql})"));
        }
        let options = if backend == DbBackend::Sqlite { self.sqlite_options() } else { "" };
        let kind = if self.is_logged || backend == DbBackend::Sqlite { "" } else { "UNLOGGED " };
        format!("CREATE {kind}TABLE \"{name}\" (\n  {}\n){options}", parts.join(",\n  "))
    }

    /// `SQLite` checks types as `PostgreSQL` does; a link table is stored in its key alone.
    fn sqlite_options(&self) -> &'static str {
        if self.key.len() > 1 { " STRICT, WITHOUT ROWID" } else { " STRICT" }
    }

    fn index_sql(&self, backend: DbBackend) -> Vec<String> {
        let own = self.indexes.iter().filter_map(|index| index.sql(self.name, backend));
        let foreign = self.unserved_foreign_keys().map(|column| {
            format!("CREATE INDEX \"ix_{table}_{column}\" ON \"{table}\" (\"{column}\")", table = self.name)
        });
        own.chain(foreign).collect()
    }

    /// Foreign keys that are first neither in the key nor in an index over all rows.
    fn unserved_foreign_keys(&self) -> impl Iterator<Item = &'static str> {
        let served = |name: &str| {
            self.key.first() == Some(&name)
                || self
                    .indexes
                    .iter()
                    .any(|index| index.is_over_all_rows() && index.columns.first() == Some(&name))
        };
        self.columns
            .iter()
            .filter(|column| column.target.is_some())
            .map(|column| column.name)
            .filter(move |name| !served(name))
    }
}

impl Index {
    fn is_over_all_rows(&self) -> bool {
        matches!(self.purpose, Purpose::Order | Purpose::Unique(None))
    }

    /// The statement, or none where the database has no such index.
    fn sql(&self, table: &str, backend: DbBackend) -> Option<String> {
        let name = format!("{table}_{}", self.columns.join("_"));
        let columns = quoted(self.columns);
        let postgres = backend == DbBackend::Postgres;
        Some(match self.purpose {
            Purpose::Unique(None) => format!("CREATE UNIQUE INDEX \"ux_{name}\" ON \"{table}\" ({columns})"),
            Purpose::Unique(Some(condition)) => {
                format!(
                    "CREATE UNIQUE INDEX \"ux_{name}_where\" ON \"{table}\" ({columns}) WHERE {condition}"
                )
            }
            Purpose::Search if postgres => {
                format!("CREATE INDEX \"tx_{name}\" ON \"{table}\" USING gin ({columns} gin_trgm_ops)")
            }
            Purpose::Elements if postgres => {
                format!("CREATE INDEX \"gx_{name}\" ON \"{table}\" USING gin ({columns})")
            }
            // SQLite has no index for a piece of a text or an element of a list
            Purpose::Search | Purpose::Elements => return None,
            Purpose::Order => {
                format!("CREATE INDEX \"ix_{name}\" ON \"{table}\" ({columns})")
            }
        })
    }
}

fn quoted(columns: &[&str]) -> String {
    format!("\"{}\"", columns.join("\", \""))
}
