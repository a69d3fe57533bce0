//! What the end of the journal says to those who follow it: which kinds of objects have changed, and up to where.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, QueryResult};

use super::declare::ENTITIES;
use super::place::Place;
use crate::db::{Backend, Cell, Db, Kind, Sql, cell};
use crate::error::ApiError;
use crate::limits;
use crate::read::plan::internal;

/// Kinds of objects, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Kinds(u16);

/// Nobody follows the grants of clients, but they end streams.
const GRANTS: (&str, Kinds) = ("ClientGrant", Kinds(1 << 15));

impl Kinds {
    /// Grants of clients.
    pub const GRANTS: Self = GRANTS.1;

    /// The kinds of these nouns.
    pub fn of(nouns: &[&str]) -> Self {
        nouns.iter().fold(Self::default(), |kinds, noun| kinds.and(Self::named(noun)))
    }

    /// These and others.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether they have one in common.
    pub const fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The kind of a noun; none if nobody follows it.
    fn named(noun: &str) -> Self {
        let position = ENTITIES.iter().position(|(known, _)| *known == noun);
        position
            .map_or(if noun == GRANTS.0 { GRANTS.1 } else { Self::default() }, |position| Self(1 << position))
    }
}

/// The entries after a place that are settled, as far as they were read.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// Kinds of the objects that changed.
    pub kinds: Kinds,
    /// Where the last of them stands; none if there is none.
    pub end: Option<Place>,
    /// There are more.
    pub more: bool,
    /// The next one waits for an older transaction that is still open.
    pub unsettled: bool,
}

/// Reads on from a place, or from the first entry.
pub(crate) async fn after(db: &Db, place: Option<&Place>) -> Result<Tail, ApiError> {
    let rows = db.readers.query_all_raw(next(db, place, limits::LIVE_TAIL).into_statement()).await?;
    let mut tail = Tail { more: rows.len() == limits::LIVE_TAIL, ..Tail::default() };
    for row in &rows {
        if !matches!(cell(row, 2, Kind::Bool)?, Cell::Bool(true)) {
            (tail.more, tail.unsettled) = (false, true);
            break;
        }
        tail.end = Some(place_of(row)?);
        // a write that was refused changed nothing
        if let (Cell::Text(noun), Cell::Text("OK")) = (cell(row, 1, Kind::Text)?, cell(row, 3, Kind::Text)?) {
            tail.kinds = tail.kinds.and(Kinds::named(noun));
        }
    }
    Ok(tail)
}

/// When the next entry after a place was written, settled or not.
pub(crate) async fn next_at(db: &Db, place: Option<&Place>) -> Result<Option<DateTime<Utc>>, ApiError> {
    let row = db.readers.query_one_raw(next(db, place, 1).into_statement()).await?;
    Ok(row.as_ref().map(place_of).transpose()?.map(|place| place.at))
}

/// Asks for the entries after a place, so many at most.
fn next(db: &Db, place: Option<&Place>, most: usize) -> Sql {
    let mut sql = select(db.backend);
    if let Some(place) = place {
        sql.push(" WHERE ");
        place.compare(&mut sql, ">");
    }
    let order = sql.commit_order().join(", ");
    sql.push(" ORDER BY ").push(&order).push(&format!(" LIMIT {most}"));
    sql
}

/// How far is looked at once from a place on, where another one is farther away than that.
pub(crate) async fn reach(db: &Db, from: Option<&Place>, to: &Place) -> Result<Option<Place>, ApiError> {
    let most = limits::FEED_LOOK;
    if i64::try_from(most).is_ok_and(|most| to.distance(from) <= most) {
        return Ok(None);
    }
    let mut sql = select(db.backend);
    sql.push(" WHERE ");
    to.compare(&mut sql, "<");
    if let Some(from) = from {
        sql.push(" AND ");
        from.compare(&mut sql, ">");
    }
    let order = sql.commit_order().join(", ");
    sql.push(" ORDER BY ").push(&order).push(&format!(" LIMIT 1 OFFSET {}", most - 1));
    let row = db.readers.query_one_raw(sql.into_statement()).await?;
    row.as_ref().map(place_of).transpose()
}

/// The last settled entry.
pub(crate) async fn end(
    connection: &impl ConnectionTrait,
    backend: Backend,
) -> Result<Option<Place>, ApiError> {
    let mut sql = select(backend);
    sql.push(" WHERE ").settled("t");
    let order: Vec<String> = sql.commit_order().iter().map(|column| format!("{column} DESC")).collect();
    sql.push(" ORDER BY ").push(&order.join(", ")).push(" LIMIT 1");
    let row = connection.query_one_raw(sql.into_statement()).await?;
    row.as_ref().map(place_of).transpose()
}

/// Instant, noun, whether it is settled, outcome, numbers.
fn select(backend: Backend) -> Sql {
    let mut sql = Sql::new(backend);
    sql.push("SELECT t.at, t.entity, ").settled("t").push(", t.outcome, ");
    let order = sql.commit_order().join(", ");
    sql.push(&order).push(" FROM journal t");
    sql
}

fn place_of(row: &QueryResult) -> Result<Place, ApiError> {
    let Cell::Instant(at) = cell(row, 0, Kind::Instant)? else {
        return Err(internal("an entry without time"));
    };
    let mut numbers = Vec::new();
    for column in 4..row.column_names().len() {
        let Cell::Int(number) = cell(row, column, Kind::BigInt)? else {
            return Err(internal("an entry without number"));
        };
        numbers.push(number);
    }
    Ok(Place { numbers, at })
}
