//! Many rows in few statements, whatever their number: they travel as one array for each column to PostgreSQL, as one
//! JSON text to SQLite, which unfold them. The text of a statement depends on the table alone, so it is prepared once.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;
use sea_orm::sea_query::{ArrayType, Value};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DbErr, EntityName, EntityTrait, IdenStatic,
    Iterable,
};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Backend, Cell, Kind, Sql, cell};

/// Rows that one statement carries: its text stays small, and one statement's work short.
const ROWS: usize = 1_000;

type ColumnOf<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Column;

/// Writes rows with the columns that the first of them sets; `then` follows, such as an `ON CONFLICT` clause.
pub async fn write<A: ActiveModelTrait>(
    connection: &impl ConnectionTrait,
    backend: Backend,
    rows: Vec<A>,
    then: &str,
) -> Result<(), DbErr> {
    for sql in statements(backend, rows, |sql, rows, columns| insert(sql, rows, columns, then)) {
        connection.execute_raw(sql.into_statement()).await?;
    }
    Ok(())
}

/// Writes the rows for which there is room, and gives the ids of those.
pub async fn write_new<A: ActiveModelTrait>(
    connection: &impl ConnectionTrait,
    backend: Backend,
    rows: Vec<A>,
) -> Result<HashSet<Uuid>, DbErr> {
    let then = "ON CONFLICT DO NOTHING RETURNING id";
    let mut written = HashSet::new();
    for sql in statements(backend, rows, |sql, rows, columns| insert(sql, rows, columns, then)) {
        for row in connection.query_all_raw(sql.into_statement()).await? {
            if let Cell::Uuid(id) = cell(&row, 0, Kind::Uuid)? {
                written.insert(id);
            }
        }
    }
    Ok(written)
}

/// Writes columns of rows that are there: those that the first sets, its `id` among them.
pub async fn update<A: ActiveModelTrait>(
    connection: &impl ConnectionTrait,
    backend: Backend,
    rows: Vec<A>,
) -> Result<(), DbErr> {
    let text = |sql: &mut Sql, rows: Vec<A>, columns: &[ColumnOf<A>]| {
        sql.push("UPDATE ").push(A::Entity::default().table_name()).push(" AS t SET ");
        let set = columns.iter().filter(|column| column.as_str() != "id");
        for (index, column) in set.enumerate() {
            sql.push(if index == 0 { "" } else { ", " }).push(column.as_str()).push(" = ");
            sql.unfolded::<A>(*column);
        }
        sql.push(" FROM ").unfold(rows, columns);
        sql.push(" WHERE t.id = ");
        for id in columns.iter().filter(|column| column.as_str() == "id") {
            sql.unfolded::<A>(*id);
        }
    };
    for sql in statements(backend, rows, text) {
        connection.execute_raw(sql.into_statement()).await?;
    }
    Ok(())
}

/// One statement for each thousand rows, with the columns that the first of them sets.
fn statements<A: ActiveModelTrait>(
    backend: Backend,
    rows: Vec<A>,
    text: impl Fn(&mut Sql, Vec<A>, &[ColumnOf<A>]),
) -> impl Iterator<Item = Sql> {
    let set = |first: &A| -> Vec<ColumnOf<A>> {
        ColumnOf::<A>::iter().filter(|column| !matches!(first.get(*column), ActiveValue::NotSet)).collect()
    };
    let columns = rows.first().map(set).unwrap_or_default();
    let mut rows = rows.into_iter().peekable();
    std::iter::from_fn(move || {
        rows.peek()?;
        let mut sql = Sql::new(backend);
        text(&mut sql, rows.by_ref().take(ROWS).collect(), &columns);
        Some(sql)
    })
}

fn insert<A: ActiveModelTrait>(sql: &mut Sql, rows: Vec<A>, columns: &[ColumnOf<A>], then: &str) {
    let names: Vec<&str> = columns.iter().map(IdenStatic::as_str).collect();
    sql.push("INSERT INTO ")
        .push(A::Entity::default().table_name())
        .push(" (")
        .push(&names.join(", "))
        .push(") SELECT ");
    for (index, column) in columns.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " });
        sql.unfolded::<A>(*column);
    }
    sql.push(" FROM ").unfold(rows, columns);
    // without a condition SQLite would read `ON CONFLICT` as that of a join
    sql.push(" WHERE TRUE ").push(then);
}

fn kind<A: ActiveModelTrait>(column: ColumnOf<A>) -> Kind {
    Kind::of(column.def().get_column_type())
}

/// Rows as the text of a JSON list of objects.
fn list<A: ActiveModelTrait>(rows: Vec<A>, columns: &[ColumnOf<A>]) -> String {
    let mut text = String::from("[");
    for mut row in rows {
        text.push_str(if text.len() == 1 { "{" } else { ",{" });
        for (index, column) in columns.iter().enumerate() {
            text.push_str(if index == 0 { "\"" } else { ",\"" });
            text.push_str(column.as_str());
            text.push_str("\":");
            match row.take(*column).into_value() {
                Some(value) => append(&mut text, value),
                None => text.push_str("null"),
            }
        }
        text.push('}');
    }
    text.push(']');
    text
}

/// Appends a value as SQLite reads it from JSON text.
fn append(text: &mut String, value: Value) {
    let json: Json = match value {
        Value::Bool(Some(value)) => value.into(),
        Value::Int(Some(value)) => value.into(),
        Value::BigInt(Some(value)) => value.into(),
        Value::String(Some(value)) => value.into(),
        Value::Uuid(Some(value)) => value.simple().to_string().into(),
        Value::ChronoDate(Some(value)) => value.to_string().into(),
        // the form that the driver of SQLite writes
        Value::ChronoDateTimeUtc(Some(value)) => {
            value.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false).into()
        }
        Value::Json(Some(value)) => *value,
        _ => Json::Null,
    };
    text.push_str(&json.to_string());
}

impl Sql {
    /// A table `r` of rows.
    fn unfold<A: ActiveModelTrait>(&mut self, rows: Vec<A>, columns: &[ColumnOf<A>]) {
        if self.is_sqlite() {
            self.push("json_each(").bind(list(rows, columns).into()).push(") r");
            return;
        }
        let mut values = vec![Vec::with_capacity(rows.len()); columns.len()];
        for mut row in rows {
            for (column, values) in columns.iter().zip(&mut values) {
                values.push(row.take(*column).into_value().filter(is_there));
            }
        }
        let mut names = String::new();
        for (column, values) in columns.iter().zip(values) {
            let (kind, name, may_miss) = (kind::<A>(*column), column.as_str(), column.def().is_null());
            let (values, missing) = arrays(kind, values, may_miss);
            self.push(if names.is_empty() { "unnest(" } else { ", " });
            self.bind(values).push("::").push(postgres_type(kind)).push("[]");
            names.push_str(if names.is_empty() { "" } else { ", " });
            names.push_str(name);
            if may_miss {
                self.push(", ").bind(missing).push("::boolean[]");
                names.extend([", ", name, "_missing"]);
            }
        }
        self.push(") AS r(").push(&names).push(")");
    }

    /// One column of that table. The driver takes no array with nulls: which values are missing comes beside them.
    fn unfolded<A: ActiveModelTrait>(&mut self, column: ColumnOf<A>) {
        let name = column.as_str();
        if self.is_sqlite() {
            match kind::<A>(column) {
                Kind::Uuid => self.push("unhex(r.value ->> '").push(name).push("')"),
                Kind::Json => self.push("r.value -> '").push(name).push("'"),
                _ => self.push("r.value ->> '").push(name).push("'"),
            };
        } else if column.def().is_null() {
            self.push("CASE WHEN r.").push(name).push("_missing THEN NULL ELSE r.").push(name).push(" END");
        } else {
            self.push("r.").push(name);
        }
    }
}

/// Whether a value is one, and not null.
fn is_there(value: &Value) -> bool {
    *value != value.as_null()
}

/// Values as an array for the driver, and which of them are missing. No array at all is one of nulls, so a value that is
/// missing where none may is for the database to refuse.
fn arrays(kind: Kind, values: Vec<Option<Value>>, may_miss: bool) -> (Value, Value) {
    let (of, filler): (ArrayType, Value) = match kind {
        Kind::Text => (ArrayType::String, "".into()),
        Kind::Uuid => (ArrayType::Uuid, Uuid::nil().into()),
        Kind::Int => (ArrayType::Int, 0_i32.into()),
        Kind::BigInt => (ArrayType::BigInt, 0_i64.into()),
        Kind::Float => (ArrayType::Double, 0_f64.into()),
        Kind::Bool => (ArrayType::Bool, false.into()),
        Kind::Decimal => (ArrayType::Decimal, Decimal::ZERO.into()),
        Kind::Date => (ArrayType::ChronoDate, NaiveDate::default().into()),
        Kind::Instant => (ArrayType::ChronoDateTimeUtc, DateTime::UNIX_EPOCH.into()),
        Kind::Json => (ArrayType::Json, Json::Null.into()),
    };
    let missing: Vec<Value> = values.iter().map(|value| value.is_none().into()).collect();
    let count = values.iter().filter(|value| value.is_none()).count();
    let is_there = count == 0 || (may_miss && count < values.len());
    let all = || Box::new(values.into_iter().map(|value| value.unwrap_or_else(|| filler.clone())).collect());
    let are_some_missing = is_there && count > 0;
    (
        Value::Array(of, is_there.then(all)),
        Value::Array(ArrayType::Bool, are_some_missing.then(|| Box::new(missing))),
    )
}

const fn postgres_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Uuid => "uuid",
        Kind::Int => "integer",
        Kind::BigInt => "bigint",
        Kind::Float => "double precision",
        Kind::Bool => "boolean",
        Kind::Decimal => "numeric",
        Kind::Date => "date",
        Kind::Instant => "timestamptz",
        Kind::Json => "jsonb",
    }
}
