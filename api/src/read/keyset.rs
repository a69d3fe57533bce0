//! Keysets: the place of a row in an order, as a cursor and as a condition.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use sea_orm::sea_query::Value as Bound;
use serde_json::Value as Json;

use super::level::Term;
use crate::db::{Cell, Kind, Sql};

/// Years that rows are of. Others are not the same on both databases: PostgreSQL refuses most of those before Christ.
const YEARS: RangeInclusive<i32> = 1..=9999;

/// The cursor of a row, from the values that place it.
pub fn encode(tag: u32, cells: &[Cell<'_>]) -> String {
    let mut text = format!("[{tag}");
    for cell in cells {
        text.push(',');
        let _ = match cell {
            Cell::Null => write!(text, "null"),
            Cell::Text(value) | Cell::Json(value) => write!(text, "{}", Json::from(*value)),
            Cell::Uuid(value) => write!(text, "\"{}\"", value.simple()),
            Cell::Int(value) => write!(text, "{value}"),
            Cell::Float(value) => write!(text, "{}", Json::from(*value)),
            Cell::Bool(value) => write!(text, "{value}"),
            Cell::Decimal(value) => write!(text, "\"{value}\""),
            Cell::Date(value) => write!(text, "\"{value}\""),
            Cell::Instant(value) => write!(text, "{}", value.timestamp_micros()),
        };
    }
    text.push(']');
    URL_SAFE_NO_PAD.encode(text)
}

/// The values of a cursor as they are bound; `None` if one is not of its column's kind.
pub(super) fn bound(terms: &[Term], values: &[Json]) -> Option<Vec<Option<Bound>>> {
    if terms.len() != values.len() {
        return None;
    }
    terms
        .iter()
        .zip(values)
        .map(|(term, value)| match value {
            Json::Null => term.nullable.then_some(None),
            value => bind(term, value).map(Some),
        })
        .collect()
}

fn bind(term: &Term, value: &Json) -> Option<Bound> {
    Some(match term.kind {
        // PostgreSQL keeps no zero in a text
        Kind::Text | Kind::Json => value.as_str().filter(|text| !text.contains('\0'))?.into(),
        Kind::Uuid => uuid::Uuid::parse_str(value.as_str()?).ok()?.into(),
        Kind::Int => i32::try_from(value.as_i64()?).ok()?.into(),
        Kind::BigInt => value.as_i64()?.into(),
        Kind::Float => value.as_f64()?.into(),
        Kind::Bool => value.as_bool()?.into(),
        Kind::Decimal => value.as_str()?.parse::<rust_decimal::Decimal>().ok()?.into(),
        Kind::Date => {
            let day = value.as_str()?.parse::<NaiveDate>().ok()?;
            YEARS.contains(&day.year()).then_some(day)?.into()
        }
        Kind::Instant => instant(value.as_i64()?)?.into(),
    })
}

/// The instant of a cursor, if a row can have it.
pub(crate) fn instant(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).filter(|instant| YEARS.contains(&instant.year()))
}

/// Rows after a place (`forward`) or before it. Uniform orders without nulls compare whole rows, which an index
/// serves as a range at any depth.
pub(super) fn keyset(sql: &mut Sql, terms: &[Term], values: &[Option<Bound>], forward: bool) {
    let uniform = terms.windows(2).all(|pair| pair[0].descending == pair[1].descending);
    if uniform && terms.iter().all(|term| !term.nullable) {
        let columns: Vec<&str> = terms.iter().map(|term| term.expression.as_str()).collect();
        let larger = terms[0].descending != forward;
        sql.push("(").push(&columns.join(", ")).push(if larger { ") > (" } else { ") < (" });
        for (index, value) in values.iter().flatten().enumerate() {
            sql.push(if index == 0 { "" } else { ", " }).bind(value.clone());
        }
        sql.push(")");
        return;
    }
    sql.push("(");
    for last in 0..terms.len() {
        sql.push(if last == 0 { "(" } else { " OR (" });
        for index in 0..last {
            equal(sql, &terms[index], values[index].as_ref());
            sql.push(" AND ");
        }
        beyond(sql, &terms[last], values[last].as_ref(), forward);
        sql.push(")");
    }
    sql.push(")");
}

fn equal(sql: &mut Sql, term: &Term, value: Option<&Bound>) {
    match value {
        Some(value) => sql.push(&term.expression).push(" = ").bind(value.clone()),
        None => sql.push(&term.expression).push(" IS NULL"),
    };
}

/// Null counts as the largest value.
fn beyond(sql: &mut Sql, term: &Term, value: Option<&Bound>, forward: bool) {
    let larger = term.descending != forward;
    match (value, larger) {
        (Some(value), true) if term.nullable => {
            sql.push("(").push(&term.expression).push(" > ").bind(value.clone());
            sql.push(" OR ").push(&term.expression).push(" IS NULL)");
        }
        (Some(value), larger) => {
            sql.push(&term.expression).push(if larger { " > " } else { " < " }).bind(value.clone());
        }
        (None, true) => {
            sql.push("FALSE");
        }
        (None, false) => {
            sql.push(&term.expression).push(" IS NOT NULL");
        }
    }
}
