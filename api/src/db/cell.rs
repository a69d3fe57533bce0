//! One value of a row, read by position without building a model.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use rust_decimal::Decimal;
use sea_orm::sea_query::ColumnType;
use sea_orm::sqlx::postgres::PgRow;
use sea_orm::sqlx::sqlite::SqliteRow;
use sea_orm::sqlx::{Row, ValueRef};
use sea_orm::{DbErr, QueryResult};
use uuid::Uuid;

/// How a column is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text, codes, names of enum values.
    Text,
    /// UUID.
    Uuid,
    /// 32-bit integer.
    Int,
    /// 64-bit integer.
    BigInt,
    /// Double precision number.
    Float,
    /// Boolean.
    Bool,
    /// Exact decimal.
    Decimal,
    /// Civil date.
    Date,
    /// Instant with microseconds.
    Instant,
    /// JSON text.
    Json,
}

impl Kind {
    /// How a column of an entity is held.
    pub const fn of(column: &ColumnType) -> Self {
        match column {
            ColumnType::Uuid => Self::Uuid,
            ColumnType::TinyInteger | ColumnType::SmallInteger | ColumnType::Integer => Self::Int,
            ColumnType::BigInteger => Self::BigInt,
            ColumnType::Float | ColumnType::Double => Self::Float,
            ColumnType::Boolean => Self::Bool,
            ColumnType::Decimal(_) => Self::Decimal,
            ColumnType::Date => Self::Date,
            ColumnType::Timestamp | ColumnType::TimestampWithTimeZone | ColumnType::DateTime => Self::Instant,
            ColumnType::Json | ColumnType::JsonBinary => Self::Json,
            _ => Self::Text,
        }
    }
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'r> {
    /// No value.
    Null,
    /// Text.
    Text(&'r str),
    /// UUID.
    Uuid(Uuid),
    /// Integer.
    Int(i64),
    /// Double precision number.
    Float(f64),
    /// Boolean.
    Bool(bool),
    /// Exact decimal.
    Decimal(Decimal),
    /// Civil date.
    Date(NaiveDate),
    /// Instant.
    Instant(DateTime<Utc>),
    /// JSON text.
    Json(&'r str),
}

/// The value at `index` of a row, of the kind the plan expects there.
pub fn cell(row: &QueryResult, index: usize, kind: Kind) -> Result<Cell<'_>, DbErr> {
    if let Some(row) = row.try_as_pg_row() {
        return pg_cell(row, index, kind).map_err(wrong);
    }
    match row.try_as_sqlite_row() {
        Some(row) => sqlite_cell(row, index, kind).map_err(wrong),
        None => Err(DbErr::Type("a row of an unknown database".into())),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function in map_err")]
fn wrong(error: sea_orm::sqlx::error::BoxDynError) -> DbErr {
    DbErr::Type(error.to_string())
}

type CellResult<'r> = Result<Cell<'r>, sea_orm::sqlx::error::BoxDynError>;

/// Results of prepared statements come in PostgreSQL's binary format, which is read here without detours.
fn pg_cell(row: &PgRow, index: usize, kind: Kind) -> CellResult<'_> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(Cell::Null);
    }
    if kind == Kind::Decimal {
        return Ok(Cell::Decimal(row.try_get(index)?));
    }
    let bytes = raw.as_bytes()?;
    Ok(match kind {
        Kind::Text => Cell::Text(std::str::from_utf8(bytes)?),
        Kind::Uuid => Cell::Uuid(Uuid::from_slice(bytes)?),
        Kind::Int | Kind::BigInt => Cell::Int(integer(bytes)?),
        Kind::Float => Cell::Float(f64::from_be_bytes(bytes.try_into()?)),
        Kind::Bool => Cell::Bool(bytes != [0]),
        Kind::Date => Cell::Date(pg_date(i32::from_be_bytes(bytes.try_into()?)).ok_or("date out of range")?),
        Kind::Instant => {
            let micros = i64::from_be_bytes(bytes.try_into()?) + PG_EPOCH_MICROS;
            Cell::Instant(DateTime::from_timestamp_micros(micros).ok_or("instant out of range")?)
        }
        // jsonb starts with a version byte
        Kind::Json | Kind::Decimal => {
            Cell::Json(std::str::from_utf8(bytes.strip_prefix(&[1]).unwrap_or(bytes))?)
        }
    })
}

/// 2000-01-01T00:00:00Z, PostgreSQL's epoch, in microseconds.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;

fn pg_date(days: i32) -> Option<NaiveDate> {
    let epoch = NaiveDate::from_ymd_opt(2000, 1, 1)?;
    NaiveDate::from_num_days_from_ce_opt(epoch.num_days_from_ce().checked_add(days)?)
}

fn integer(bytes: &[u8]) -> Result<i64, sea_orm::sqlx::error::BoxDynError> {
    Ok(match bytes.len() {
        8 => i64::from_be_bytes(bytes.try_into()?),
        4 => i32::from_be_bytes(bytes.try_into()?).into(),
        _ => i16::from_be_bytes(bytes.try_into()?).into(),
    })
}

fn sqlite_cell(row: &SqliteRow, index: usize, kind: Kind) -> CellResult<'_> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match kind {
        Kind::Text => Cell::Text(row.try_get_unchecked(index)?),
        Kind::Json => Cell::Json(row.try_get_unchecked(index)?),
        Kind::Uuid => Cell::Uuid(row.try_get_unchecked(index)?),
        Kind::Int | Kind::BigInt => Cell::Int(row.try_get_unchecked(index)?),
        Kind::Float => Cell::Float(row.try_get_unchecked(index)?),
        Kind::Bool => Cell::Bool(row.try_get_unchecked::<i64, _>(index)? != 0),
        // SQLite holds a number; its shortest form is the decimal that was stored (at most 15 digits)
        Kind::Decimal => Cell::Decimal(row.try_get_unchecked::<f64, _>(index)?.to_string().parse()?),
        Kind::Date => Cell::Date(row.try_get_unchecked(index)?),
        Kind::Instant => Cell::Instant(row.try_get_unchecked(index)?),
    })
}

/// Whether a row has no value at `index`.
pub fn is_null(row: &QueryResult, index: usize) -> bool {
    if let Some(row) = row.try_as_pg_row() {
        return row.try_get_raw(index).is_ok_and(|raw| raw.is_null());
    }
    row.try_as_sqlite_row().is_none_or(|row| row.try_get_raw(index).is_ok_and(|raw| raw.is_null()))
}
