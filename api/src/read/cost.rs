//! What a plan costs, in points: one for each row that is asked for, five for each list that is counted, ten for each
//! that a filter looks through, a fixed number for statistics. Pages multiply: ten actions of twenty sites are two
//! hundred rows. So do lists within lists of a filter.

use std::time::Duration;

use super::level::Level;
use super::run::Fetched;
use crate::limits;

/// Points that a plan asks for, before a statement runs: the rows of every page if each were full.
pub fn requested(levels: &[Level<'_>]) -> u64 {
    let mut rows: Vec<u64> = Vec::with_capacity(levels.len());
    let mut total = 0_u64;
    for level in levels {
        let parents = level.parent.as_ref().map_or(1, |parent| rows.get(parent.level).copied().unwrap_or(0));
        let own = if level.wants_rows { parents.saturating_mul(points(level)) } else { 0 };
        let counted = if level.count.is_some() { parents.saturating_mul(limits::COUNT_POINTS) } else { 0 };
        let filtered = parents.saturating_mul(level.filter_points);
        total = total.saturating_add(own).saturating_add(counted).saturating_add(filtered);
        rows.push(own);
    }
    total
}

/// Points that the rows were worth that were read.
fn actual(levels: &[Level<'_>], fetched: &[Fetched]) -> u64 {
    let of = |(level, fetched): (&Level<'_>, &Fetched)| {
        let rows: usize = fetched.groups.iter().map(|group| group.rows.len()).sum();
        // statistics read what they count, not what they tell
        let fixed = if level.refuse_more && level.wants_rows { level.points.unwrap_or(0) } else { 0 };
        let counted = if level.count.is_some() { fetched.groups.len() as u64 } else { 0 };
        let filtered = (fetched.groups.len() as u64).saturating_mul(level.filter_points);
        (rows as u64)
            .max(fixed)
            .saturating_add(counted.saturating_mul(limits::COUNT_POINTS))
            .saturating_add(filtered)
    };
    levels.iter().zip(fetched).map(of).fold(0, u64::saturating_add)
}

/// Points of a request so long, taken before its document is looked at.
pub fn of_request(bytes: usize) -> u64 {
    let more = bytes.saturating_sub(limits::REQUEST_BYTES) / limits::REQUEST_BYTES_A_POINT;
    limits::REQUEST_POINTS.saturating_add(more as u64)
}

/// Points of a read for which the database worked so long, whatever it came to.
pub fn of_time(time: Duration) -> u64 {
    u64::try_from(time.saturating_sub(limits::READ_TIME).as_millis()).unwrap_or(u64::MAX)
}

/// Points of an answer so long, whatever it was read from.
pub fn of_bytes(bytes: usize) -> u64 {
    (bytes / limits::ANSWER_BYTES_A_POINT) as u64
}

/// What an operation came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Points.
    pub points: u64,
    /// Rows that it read.
    pub rows: u64,
    /// Statements by which it read.
    pub statements: u64,
}

impl Tally {
    /// So many points, and nothing read.
    pub fn of(points: u64) -> Self {
        Self { points, ..Self::default() }
    }

    /// Adds what was read.
    pub fn add(&mut self, levels: &[Level<'_>], fetched: &[Fetched]) {
        self.points = self.points.saturating_add(actual(levels, fetched));
        for level in fetched {
            self.rows += level.rows.len() as u64;
            self.statements += level.statements;
        }
    }
}

fn points(level: &Level<'_>) -> u64 {
    level.points.or(level.limit.map(|limit| limit as u64)).unwrap_or(limits::LIST_POINTS)
}
