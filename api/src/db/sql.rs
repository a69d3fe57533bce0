//! A SQL text with its bound values, and every difference of dialect that a read meets.

use std::borrow::Cow;

use sea_orm::sea_query::{ArrayType, Value};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::Backend;
use super::keys::{Keys, array_type, text_of_key};

/// Values of a list beyond which SQLite takes them as one.
const MANY: usize = 1_000;

/// A statement under construction. Placeholders are numbered when a value is bound, so pieces of text may be
/// put together in another order than they were written.
#[derive(Clone, Debug)]
pub struct Sql {
    /// The text so far.
    pub text: String,
    values: Vec<Value>,
    backend: Backend,
    aliases: usize,
}

impl Sql {
    /// An empty statement for a backend.
    pub fn new(backend: Backend) -> Self {
        Self { text: String::new(), values: Vec::new(), backend, aliases: 0 }
    }

    /// An empty statement for the backend of a connection.
    pub fn on(connection: &impl ConnectionTrait) -> Self {
        let is_sqlite = connection.get_database_backend() == DbBackend::Sqlite;
        Self::new(if is_sqlite { Backend::Sqlite } else { Backend::Postgres })
    }

    /// An empty statement for the same backend.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::new(self.backend)
    }

    /// Appends text as it is: never text that came from a caller.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// An alias that no other part of the statement has.
    pub fn alias(&mut self, prefix: char) -> String {
        self.aliases += 1;
        format!("{prefix}{}", self.aliases)
    }

    /// Binds a value and appends its placeholder.
    pub fn bind(&mut self, value: Value) -> &mut Self {
        // SQLite holds decimals as numbers; bound as text they would compare as text.
        let value = match (self.backend, value) {
            (Backend::Sqlite, Value::Decimal(Some(decimal))) => {
                Value::Double(decimal.to_string().parse().ok())
            }
            (_, value) => value,
        };
        self.values.push(value);
        self.text.push('$');
        let mut digits = itoa::Buffer::new();
        self.text.push_str(digits.format(self.values.len()));
        self
    }

    /// Binds a value that stands alone in a selection, where PostgreSQL cannot tell its type.
    pub fn bind_typed(&mut self, value: Value) -> &mut Self {
        let cast = match (self.backend, &value) {
            (Backend::Sqlite, _) => "",
            (_, Value::Uuid(_)) => "::uuid",
            (_, Value::Bool(_)) => "::boolean",
            (_, Value::Int(_)) => "::integer",
            _ => "::text",
        };
        self.bind(value).push(cast)
    }

    /// Locks the rows read at an alias until the transaction ends; SQLite has one writer, and no need.
    pub fn lock_rows(&mut self, alias: &str) -> &mut Self {
        if self.backend == Backend::Postgres {
            self.push(" FOR UPDATE OF ").push(alias);
        }
        self
    }

    /// Whether a statement may wait for the row that it locks. What it reads beside that row is then from before the wait.
    pub fn may_wait(&self) -> bool {
        self.backend == Backend::Postgres
    }

    /// Keeps the rows read at an alias as they are until the transaction ends; others may do the same.
    pub fn keep_rows(&mut self, alias: &str) -> &mut Self {
        if self.backend == Backend::Postgres {
            self.push(" FOR SHARE OF ").push(alias);
        }
        self
    }

    /// How many values are bound, to come back to with [`Sql::forget`].
    pub fn mark(&self) -> usize {
        self.values.len()
    }

    /// Drops the values bound since a mark, when the text that used them is not kept: PostgreSQL refuses values
    /// that no placeholder names.
    pub fn forget(&mut self, mark: usize) {
        self.values.truncate(mark);
    }

    /// What `write` appends, as a piece of its own; the values stay bound here.
    pub fn piece(&mut self, write: impl FnOnce(&mut Self)) -> String {
        let outer = std::mem::take(&mut self.text);
        write(self);
        std::mem::replace(&mut self.text, outer)
    }

    /// `expression IN (values)`; one value is compared with `=`, which lets the planner use exact statistics.
    pub fn is_in(&mut self, expression: &str, mut values: Vec<Value>) {
        match values.len() {
            0 => {
                self.push("FALSE");
            }
            1 => {
                self.push(expression).push(" = ").bind(values.remove(0));
            }
            _ if self.backend == Backend::Postgres => {
                let kind = array_type(&values[0]);
                self.push(expression).push(" = ANY(");
                self.bind(Value::Array(kind, Some(Box::new(values)))).push(")");
            }
            // it binds no more than 32 766 values
            count if count > MANY && values.iter().all(|value| text_of_key(value).is_some()) => {
                let texts: Vec<Cow<'_, str>> = values.iter().filter_map(text_of_key).collect();
                let is_uuid = matches!(values.first(), Some(Value::Uuid(_)));
                self.push(expression).push(" IN (SELECT ");
                self.push(if is_uuid { "unhex(j.value)" } else { "j.value" }).push(" FROM json_each(");
                self.bind(Value::from(serde_json::json!(texts).to_string())).push(") j)");
            }
            _ => {
                self.push(expression).push(" IN (");
                for (index, value) in values.into_iter().enumerate() {
                    self.push(if index == 0 { "" } else { ", " }).bind(value);
                }
                self.push(")");
            }
        }
    }

    /// A column that has few values, as a condition names it: an index on it finds too many rows to be worth it. SQLite
    /// would take it all the same and sort them, where the order's index gives a page at once; a `+` keeps it from that.
    pub fn of_few_values<'c>(&self, column: &'c str) -> Cow<'c, str> {
        match self.backend {
            Backend::Postgres => Cow::Borrowed(column),
            Backend::Sqlite => Cow::Owned(format!("+{column}")),
        }
    }

    /// A table `k(key, ord)` of keys with their position, from 0.
    pub fn keys_table(&mut self, keys: Keys) {
        match (self.backend, keys) {
            (Backend::Postgres, Keys::Uuid(keys)) => {
                let values = keys.into_iter().map(Value::from).collect();
                self.push("(SELECT u.key, (u.ord - 1)::int AS ord FROM unnest(");
                self.bind(Value::Array(ArrayType::Uuid, Some(Box::new(values))));
                self.push("::uuid[]) WITH ORDINALITY AS u(key, ord)) k");
            }
            (Backend::Postgres, Keys::Text(keys)) => {
                let values = keys.into_iter().map(Value::from).collect();
                self.push("(SELECT u.key, (u.ord - 1)::int AS ord FROM unnest(");
                self.bind(Value::Array(ArrayType::String, Some(Box::new(values))));
                self.push("::text[]) WITH ORDINALITY AS u(key, ord)) k");
            }
            (Backend::Sqlite, keys) => {
                let (json, column) = match keys {
                    Keys::Uuid(keys) => {
                        let hex: Vec<String> = keys.iter().map(|key| key.simple().to_string()).collect();
                        (serde_json::json!(hex).to_string(), "unhex(j.value)")
                    }
                    Keys::Text(keys) => (serde_json::json!(keys).to_string(), "j.value"),
                };
                self.push("(SELECT ").push(column).push(" AS key, j.key AS ord FROM json_each(");
                self.bind(Value::from(json)).push(") j) k");
            }
        }
    }

    /// `FROM` rows `t` of a table, one by one for keys `k.key`, in their order: the condition is looked up in an index
    /// for each key, whatever the planner believes of the table; locked in that order, until the transaction ends.
    pub fn locked_for_each(&mut self, keys: Keys, table: &str, condition: impl FnOnce(&mut Self)) {
        self.push(" FROM ").keys_table(keys);
        let condition = self.piece(condition);
        match self.backend {
            Backend::Postgres => self
                .push(" CROSS JOIN LATERAL (SELECT t.* FROM ")
                .push(table)
                .push(" t WHERE ")
                .push(&condition)
                .push(" FOR UPDATE) t"),
            // it reads the tables of a CROSS JOIN in the order in which they are written
            Backend::Sqlite => self.push(" CROSS JOIN ").push(table).push(" t WHERE ").push(&condition),
        };
    }

    /// Whether the JSON list in `column` holds the text.
    pub fn list_has(&mut self, column: &str, value: String) {
        let value = self.piece(|sql| {
            sql.bind_typed(value.into());
        });
        self.list_holds(column, &value);
    }

    /// Whether the JSON list in `column` holds what an expression gives.
    pub fn list_holds(&mut self, column: &str, expression: &str) {
        match self.backend {
            Backend::Postgres => self.push(column).push(" @> jsonb_build_array(").push(expression).push(")"),
            Backend::Sqlite => self
                .push("EXISTS (SELECT 1 FROM json_each(")
                .push(column)
                .push(") WHERE value = ")
                .push(expression)
                .push(")"),
        };
    }

    /// Whether the JSON list in `column` is empty.
    pub fn list_is_empty(&mut self, column: &str) {
        let length =
            if self.backend == Backend::Postgres { "jsonb_array_length(" } else { "json_array_length(" };
        self.push(length).push(column).push(") = 0");
    }

    /// A lateral table of the elements of a JSON list, under `alias`, its column named `value`; a row with an
    /// empty list stays, with null.
    pub fn left_join_list(&mut self, column: &str, alias: &str) {
        match self.backend {
            Backend::Postgres => self
                .push(" LEFT JOIN LATERAL jsonb_array_elements_text(")
                .push(column)
                .push(") AS ")
                .push(alias)
                .push("(value) ON TRUE"),
            Backend::Sqlite => {
                self.push(" LEFT JOIN json_each(").push(column).push(") AS ").push(alias).push(" ON TRUE")
            }
        };
    }

    /// An expression that makes the text of a JSON value, as that value.
    pub fn json(&self, expression: &str) -> String {
        match self.backend {
            Backend::Postgres => format!("({expression})::jsonb"),
            Backend::Sqlite => expression.to_owned(),
        }
    }

    /// An expression of a JSON list with one text in it, which an expression gives.
    pub fn list_of(&self, expression: &str) -> String {
        let make = if self.is_sqlite() { "json_array" } else { "jsonb_build_array" };
        format!("{make}({expression})")
    }

    /// The text of a column that holds a UUID.
    pub fn uuid_text(&mut self, column: &str) {
        match self.backend {
            Backend::Postgres => self.push(column).push("::text"),
            Backend::Sqlite => self.push("hex(").push(column).push(")"),
        };
    }

    /// A null of the type of ids.
    pub fn null_uuid(&mut self) {
        self.push(if self.backend == Backend::Postgres { "CAST(NULL AS uuid)" } else { "NULL" });
    }

    /// The calendar quarter of a date column, as `2023-Q1`.
    pub fn quarter(&mut self, column: &str) {
        match self.backend {
            Backend::Postgres => self.push("to_char(").push(column).push(", 'YYYY-\"Q\"Q')"),
            Backend::Sqlite => self
                .push("strftime('%Y', ")
                .push(column)
                .push(") || '-Q' || ((CAST(strftime('%m', ")
                .push(column)
                .push(") AS INTEGER) + 2) / 3)"),
        };
    }

    /// The year of a date column, as an integer.
    pub fn year(&mut self, column: &str) {
        match self.backend {
            Backend::Postgres => self.push("extract(year FROM ").push(column).push(")::int"),
            Backend::Sqlite => self.push("CAST(strftime('%Y', ").push(column).push(") AS INTEGER)"),
        };
    }

    /// `ORDER BY` term. Nulls count as the largest value on both databases; PostgreSQL's own default, so that
    /// its indexes serve the order.
    pub fn order_term(&mut self, expression: &str, descending: bool, nullable: bool) {
        self.push(expression).push(if descending { " DESC" } else { "" });
        if nullable && self.backend == Backend::Sqlite {
            self.push(if descending { " NULLS FIRST" } else { " NULLS LAST" });
        }
    }

    /// Whether a correlated top-N per parent is written as `LATERAL` (PostgreSQL) or as an `IN` over the
    /// correlated subquery (SQLite, which knows no `LATERAL`).
    pub fn has_lateral(&self) -> bool {
        self.backend == Backend::Postgres
    }

    /// The columns of the journal at `t` that follow the order of commits. On PostgreSQL numbers are taken early and
    /// committed late: there the transaction comes first.
    pub fn commit_order(&self) -> &'static [&'static str] {
        if self.is_sqlite() { &["t.seq"] } else { &["t.xid", "t.seq"] }
    }

    /// Appends whether an entry of the journal at `alias` is settled: no transaction that is still open can add one
    /// before it.
    pub fn settled(&mut self, alias: &str) -> &mut Self {
        if self.is_sqlite() {
            return self.push("TRUE");
        }
        self.push(alias).push(".xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    }

    /// Appends what names the snapshot that a statement reads, by the transactions open then; empty where there is one
    /// writer.
    pub fn snapshot_name(&mut self) -> &mut Self {
        self.push(if self.is_sqlite() { "''" } else { "pg_current_snapshot()::text" })
    }

    pub(super) fn is_sqlite(&self) -> bool {
        self.backend == Backend::Sqlite
    }

    /// The finished statement.
    pub fn into_statement(self) -> Statement {
        let backend = match self.backend {
            Backend::Postgres => DbBackend::Postgres,
            Backend::Sqlite => DbBackend::Sqlite,
        };
        Statement::from_sql_and_values(backend, self.text, self.values)
    }
}
