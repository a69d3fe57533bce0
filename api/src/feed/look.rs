//! How far a page is looked for: so many entries of the journal, whoever sees them, and where that ends.
//!
//! Who sees few of them goes on from there all the same, and does not look through them again.

use super::place::Place;
use super::plan::{JOURNAL, in_order};
use crate::db::{Kind, Sql};
use crate::error::ApiError;
use crate::limits;
use crate::read::level::Level;
use crate::read::plan::Planner;
use crate::read::shape::{Cursor, Looked};

/// A part of the journal.
pub(super) struct Look {
    after: Option<Place>,
    backward: bool,
}

impl Look {
    /// Bounds a level to the part that is looked through from a cursor on, or from the end back.
    pub fn new(level: &mut Level<'_>, after: Option<&str>, tag: u32) -> Result<Self, ApiError> {
        let after = after.map(|text| Place::read(text, tag, &level.sql)).transpose()?;
        let look = Self { after, backward: level.backward };
        let bound = level.sql.piece(|sql| look.bound(sql));
        level.conditions.push(bound);
        Ok(look)
    }

    /// The last entry of that part, and whether there are more behind it, in the snapshot of the page. Of a page from
    /// the end, the last of all.
    pub fn end(&self, planner: &mut Planner<'_>, tag: u32) -> Result<Looked, ApiError> {
        let mut level = Level::new(&JOURNAL, planner.backend(), None);
        let mut conditions = vec![level.sql.piece(|sql| {
            sql.settled("t");
        })];
        if !self.backward {
            conditions.push(level.sql.piece(|sql| self.bound(sql)));
        }
        let beyond = level.sql.piece(|sql| {
            sql.push("EXISTS (SELECT 1 FROM journal t WHERE NOT (");
            self.bound(sql);
            sql.push(") AND ").settled("t").push(")");
        });
        level.conditions = conditions;
        in_order(&mut level, 1);
        level.backward = true;
        level.wants_rows = true;
        level.is_place = true;
        let beyond = level.column(beyond, Kind::Bool);
        let cursor = place(&mut level, tag);
        Ok(Looked { level: planner.push(level)?, cursor, beyond })
    }

    /// Appends whether the entry at `t` is in that part. On PostgreSQL it ends with a transaction.
    fn bound(&self, sql: &mut Sql) {
        let order = sql.commit_order();
        let (compared, otherwise, way) =
            if self.backward { (">=", i64::MIN, " DESC") } else { ("<=", i64::MAX, "") };
        let order_by: Vec<String> = order.iter().map(|column| format!("{column}{way}")).collect();
        sql.push(order[0]).push(" ").push(compared).push(" coalesce((SELECT ").push(order[0]);
        sql.push(" FROM journal t WHERE ").settled("t");
        if let Some(after) = &self.after {
            sql.push(" AND ");
            after.compare(sql, ">");
        }
        sql.push(" ORDER BY ").push(&order_by.join(", "));
        sql.push(&format!(" LIMIT 1 OFFSET {}), {otherwise})", limits::FEED_LOOK - 1));
    }
}

/// The columns of a cursor; the instant tells entries apart that have the same number in two copies.
pub(super) fn place(level: &mut Level<'_>, tag: u32) -> Cursor {
    let order = level.sql.commit_order().iter().map(|column| (*column, Kind::BigInt));
    let columns = order.chain([("t.at", Kind::Instant)]);
    let columns = columns.map(|(column, kind)| (level.column(column.to_owned(), kind), kind)).collect();
    Cursor { tag, columns }
}
