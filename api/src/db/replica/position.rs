//! Positions in the primary's log (WAL): by them it is known what a standby has, and told to clients.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// What begins each page of the log, and the first page of each of its files.
const PAGE_HEADER: i64 = 24;
const FILE_HEADER: i64 = 40;

/// The end of what was written, the size of a page of the log and that of its files.
const END: &str = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint, \
     current_setting('wal_block_size')::bigint, pg_size_bytes(current_setting('wal_segment_size'))";

/// A position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(i64);

impl Position {
    /// Where nobody has come to.
    pub const NOWHERE: Self = Self(i64::MAX);

    pub(super) const fn new(bytes: i64) -> Self {
        Self(bytes)
    }

    /// The end of all that this primary has committed, seen or not yet flushed.
    pub async fn of_primary(connection: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, END)).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("a position".to_owned()))?;
        Ok(Self::after_record(row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?))
    }

    /// The server tells where the next record begins. Past the end of a page that is after the header of the next one,
    /// where a standby does not come to before there is a next record: the last one ended before the header.
    const fn after_record(next: i64, page: i64, file: i64) -> Self {
        let header = if next % file < page { FILE_HEADER } else { PAGE_HEADER };
        Self(if next % page == header { next - header } else { next })
    }

    /// What clients are given to name it, in the database of this tag.
    pub fn token(self, tag: u32) -> String {
        format!("{tag:08x}{:016x}", self.0)
    }

    /// The position that a token names; nowhere if it is not one of this database.
    pub fn named(token: &str, tag: u32) -> Self {
        let is_one = token.len() == 24 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        let known = token.split_at_checked(8).filter(|_| is_one).and_then(|(database, position)| {
            (u32::from_str_radix(database, 16) == Ok(tag))
                .then(|| i64::from_str_radix(position, 16).ok().map(Self))?
        });
        known.unwrap_or(Self::NOWHERE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: i64 = 8_192;
    const FILE: i64 = 16 * 1_024 * 1_024;

    #[test]
    fn the_header_of_a_page_without_records_is_not_waited_for() {
        let after = |next| Position::after_record(next, PAGE, FILE).0;
        assert_eq!(after(5 * PAGE + 24), 5 * PAGE);
        assert_eq!(after(3 * FILE + 40), 3 * FILE);
        for within in [5 * PAGE + 32, 5 * PAGE + 40, 3 * FILE + 48, 7 * PAGE - 8] {
            assert_eq!(after(within), within);
        }
    }

    #[test]
    fn a_token_names_its_position_in_its_database_alone() {
        let position = Position::new(0x16B_3748);
        let token = position.token(0xDEAD_BEEF);
        assert_eq!(Position::named(&token, 0xDEAD_BEEF), position);
        assert_eq!(Position::named(&token, 1), Position::NOWHERE);
        let twice = format!("{token}{token}");
        for wrong in ["", "x", &token[1..], &twice, "é€é€é€é€é€", "deadbeef+000000000000001", &"f".repeat(24)]
        {
            assert_eq!(Position::named(wrong, 0xDEAD_BEEF), Position::NOWHERE, "{wrong}");
        }
    }
}
