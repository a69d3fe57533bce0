//! Places in the feed, for those who keep one beside it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::{ConnectionTrait, DbErr};

use super::plan::{place_is, read};
use crate::db::{self, Backend, Cell, Kind, Sql, cell};
use crate::read::keyset;

/// The cursor of the last entry that is settled, whoever may see it; none in an empty journal.
pub(crate) async fn end(
    connection: &impl ConnectionTrait,
    backend: Backend,
) -> Result<Option<String>, DbErr> {
    let mut sql = Sql::new(backend);
    let columns = sql.commit_order();
    let order: Vec<String> = columns.iter().map(|column| format!("{column} DESC")).collect();
    sql.push("SELECT ").push(&columns.join(", ")).push(", t.at FROM journal t WHERE ").settled("t");
    sql.push(" ORDER BY ").push(&order.join(", ")).push(" LIMIT 1");
    let Some(row) = connection.query_one_raw(sql.into_statement()).await? else { return Ok(None) };
    let kinds = columns.iter().map(|_| Kind::BigInt).chain([Kind::Instant]);
    let cells: Result<Vec<Cell<'_>>, DbErr> =
        kinds.enumerate().map(|(index, kind)| cell(&row, index, kind)).collect();
    Ok(Some(keyset::encode(db::identity(connection).await?, &cells?)))
}

/// How many entries were numbered between two cursors of one database, about; none stands for the beginning.
pub(crate) fn distance(from: Option<&str>, to: Option<&str>) -> i64 {
    // the number of the entry comes before its instant
    let number = |cursor: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let numbers: Vec<i64> = serde_json::from_slice(&bytes).ok()?;
        numbers.iter().rev().nth(1).copied()
    };
    let of = |cursor: Option<&str>| cursor.and_then(number).unwrap_or_default();
    of(to) - of(from)
}

/// Whether a cursor is of this database, and its entry there.
pub(crate) async fn knows(
    connection: &impl ConnectionTrait,
    backend: Backend,
    cursor: &str,
) -> Result<bool, DbErr> {
    let mut sql = Sql::new(backend);
    let columns = sql.commit_order();
    let Some((place, at)) = read(cursor, db::identity(connection).await?, columns.len()) else {
        return Ok(false);
    };
    sql.push("SELECT 1 FROM journal t WHERE ");
    place_is(&mut sql, columns, "=", &place);
    sql.push(" AND t.at = ").bind(at.into());
    Ok(connection.query_one_raw(sql.into_statement()).await?.is_some())
}
