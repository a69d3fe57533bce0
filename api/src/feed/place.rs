//! The place of an entry in the feed, and the cursor that names it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};

use crate::db::{self, Backend, Cell, Sql};
use crate::error::{ApiError, Code};
use crate::limits;
use crate::read::keyset;
use crate::read::level::Required;

/// Where an entry stands. The instant tells entries apart that have the same numbers in two copies of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its numbers in the order of commits.
    pub numbers: Vec<i64>,
    /// When it was written.
    pub at: DateTime<Utc>,
}

impl Place {
    /// The place that a cursor names in the database of this tag.
    pub fn read(text: &str, tag: u32, sql: &Sql) -> Result<Self, ApiError> {
        Self::parse(text, tag, sql.commit_order().len()).ok_or_else(expired)
    }

    fn parse(text: &str, tag: u32, columns: usize) -> Option<Self> {
        if text.len() > limits::OPAQUE_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let mut numbers: Vec<i64> = serde_json::from_slice(&bytes).ok()?;
        (numbers.len() == columns + 2 && numbers[0] == i64::from(tag)).then_some(())?;
        let at = keyset::instant(numbers.pop()?)?;
        numbers.remove(0);
        Some(Self { numbers, at })
    }

    /// The cursor that names it.
    pub fn cursor(&self, tag: u32) -> Arc<str> {
        let numbers = self.numbers.iter().map(|number| Cell::Int(*number));
        let cells: Vec<Cell<'_>> = numbers.chain([Cell::Instant(self.at)]).collect();
        keyset::encode(tag, &cells).into()
    }

    /// How many entries were numbered since another, or since the first.
    pub fn distance(&self, from: Option<&Self>) -> i64 {
        let number = |place: &Self| place.numbers.last().copied().unwrap_or_default();
        number(self) - from.map(number).unwrap_or_default()
    }

    /// Appends how the entry at `t` stands to this place.
    pub fn compare(&self, sql: &mut Sql, operator: &str) {
        let columns = sql.commit_order().join(", ");
        sql.push("(").push(&columns).push(") ").push(operator).push(" (");
        for (index, number) in self.numbers.iter().enumerate() {
            sql.push(if index == 0 { "" } else { ", " }).bind((*number).into());
        }
        sql.push(")");
    }

    /// What must be there for the place to be one of this database: a copy that was restored lost the entries after
    /// its making, and gives their numbers anew.
    pub fn required(&self, mut sql: Sql) -> Required {
        sql.push("SELECT 1 FROM journal t WHERE ");
        self.compare(&mut sql, "=");
        sql.push(" AND t.at = ").bind(self.at.into());
        Required { sql, otherwise: expired() }
    }
}

/// Whether a cursor is of this database, and its entry there.
pub(crate) async fn knows(
    connection: &impl ConnectionTrait,
    backend: Backend,
    cursor: &str,
) -> Result<bool, DbErr> {
    let sql = Sql::new(backend);
    let Ok(place) = Place::read(cursor, db::identity(connection).await?, &sql) else { return Ok(false) };
    let found = connection.query_one_raw(place.required(sql).sql.into_statement()).await?;
    Ok(found.is_some())
}

/// What is answered for a cursor that names no place here.
fn expired() -> ApiError {
    let text = "this database does not know the cursor: it is too old, or of another copy";
    let then = "start over: take the cursor of `changes(last: 1) { pageInfo { endCursor } }`, read the lists, follow \
                from it";
    ApiError::new(Code::CursorExpired, text).expected(then).in_field("after")
}
