//! Many rows in few statements, whatever their number: they travel as one JSON text, which both databases unfold into
//! typed columns. The text of a statement depends on the table alone, so it is prepared once.

use std::collections::HashSet;

use sea_orm::sea_query::Value;
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
    for sql in statements(backend, rows, |sql, list, columns| insert::<A>(sql, list, columns, then)) {
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
    for sql in statements(backend, rows, |sql, list, columns| insert::<A>(sql, list, columns, then)) {
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
    let text = |sql: &mut Sql, list, columns: &[ColumnOf<A>]| {
        sql.push("UPDATE ").push(A::Entity::default().table_name()).push(" AS t SET ");
        let set = columns.iter().filter(|column| column.as_str() != "id");
        for (index, column) in set.enumerate() {
            sql.push(if index == 0 { "" } else { ", " }).push(column.as_str()).push(" = ");
            sql.unfolded(column.as_str(), kind::<A>(*column));
        }
        sql.push(" FROM ").unfold(list, typed::<A>(columns));
        sql.push(" WHERE t.id = ").unfolded("id", Kind::Uuid);
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
    text: impl Fn(&mut Sql, String, &[ColumnOf<A>]),
) -> impl Iterator<Item = Sql> {
    let set = |first: &A| -> Vec<ColumnOf<A>> {
        ColumnOf::<A>::iter().filter(|column| !matches!(first.get(*column), ActiveValue::NotSet)).collect()
    };
    let columns = rows.first().map(set).unwrap_or_default();
    let mut rows = rows.into_iter().peekable();
    std::iter::from_fn(move || {
        rows.peek()?;
        let mut sql = Sql::new(backend);
        text(&mut sql, list(rows.by_ref().take(ROWS), &columns), &columns);
        Some(sql)
    })
}

fn insert<A: ActiveModelTrait>(sql: &mut Sql, list: String, columns: &[ColumnOf<A>], then: &str) {
    let names: Vec<&str> = columns.iter().map(IdenStatic::as_str).collect();
    sql.push("INSERT INTO ")
        .push(A::Entity::default().table_name())
        .push(" (")
        .push(&names.join(", "))
        .push(") SELECT ");
    for (index, column) in columns.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " });
        sql.unfolded(column.as_str(), kind::<A>(*column));
    }
    sql.push(" FROM ").unfold(list, typed::<A>(columns));
    // without a condition SQLite would read `ON CONFLICT` as that of a join
    sql.push(" WHERE TRUE ").push(then);
}

fn kind<A: ActiveModelTrait>(column: ColumnOf<A>) -> Kind {
    Kind::of(column.def().get_column_type())
}

fn typed<A: ActiveModelTrait>(columns: &[ColumnOf<A>]) -> impl Iterator<Item = (&'static str, Kind)> {
    columns.iter().map(|column| (column.as_str(), kind::<A>(*column)))
}

/// Rows as the text of a JSON list of objects.
fn list<A: ActiveModelTrait>(rows: impl Iterator<Item = A>, columns: &[ColumnOf<A>]) -> String {
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

/// Appends a value as both databases read it from JSON text.
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
    /// A table `r` of the objects of a JSON list, its columns named and typed.
    fn unfold(&mut self, list: String, columns: impl Iterator<Item = (&'static str, Kind)>) {
        if self.is_sqlite() {
            self.push("json_each(").bind(list.into()).push(") r");
            return;
        }
        self.push("json_to_recordset(").bind(list.into()).push("::json) AS r(");
        for (index, (name, kind)) in columns.enumerate() {
            self.push(if index == 0 { "" } else { ", " }).push(name).push(" ").push(postgres_type(kind));
        }
        self.push(")");
    }

    /// One column of that table.
    fn unfolded(&mut self, name: &str, kind: Kind) {
        if !self.is_sqlite() {
            self.push("r.").push(name);
            return;
        }
        match kind {
            Kind::Uuid => self.push("unhex(r.value ->> '").push(name).push("')"),
            Kind::Json => self.push("r.value -> '").push(name).push("'"),
            _ => self.push("r.value ->> '").push(name).push("'"),
        };
    }
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
