//! Where the primary's log ended of late: what a standby has replayed is as old as the newest end that it has come to.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use super::position::Position;
use crate::limits;

/// A look at the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Number of the look.
    pub look: u64,
    /// When it began: all that was committed before lies before the position.
    pub at: DateTime<Utc>,
    /// The end of the log.
    pub position: Position,
}

/// Looks, in order.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Seen>);

impl History {
    /// Adds a look. One that does not go on from those before, since the clock was set back or another server is the
    /// primary, makes them void.
    pub fn add(&mut self, seen: Seen) {
        if self.0.back().is_some_and(|last| last.at > seen.at || last.position > seen.position) {
            self.0.clear();
        }
        match self.0.back_mut() {
            // nothing was written meanwhile: who has come there has all until now
            Some(last) if last.position == seen.position => *last = seen,
            _ => self.0.push_back(seen),
        }
        if self.0.len() > limits::REPLICA_LOOKS {
            // without it what is behind seems older, never younger
            self.0.remove(1);
        }
    }

    /// The newest look whose end a standby has come to; those before are forgotten.
    pub fn reached(&mut self, replayed: Position) -> Option<Seen> {
        let reached = self.0.partition_point(|seen| seen.position <= replayed).checked_sub(1)?;
        self.0.drain(..reached);
        self.0.front().copied()
    }

    /// When the oldest look was that is remembered.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.0.front().map(|seen| seen.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(look: u32, position: i64) -> Seen {
        let at = DateTime::from_timestamp(1_700_000_000 + i64::from(look), 0).unwrap();
        Seen { look: look.into(), at, position: Position::new(position) }
    }

    fn reached(history: &mut History, replayed: i64) -> Option<u64> {
        history.reached(Position::new(replayed)).map(|seen| seen.look)
    }

    #[test]
    fn a_standby_is_as_old_as_the_newest_end_that_it_has_come_to() {
        let mut history = History::default();
        assert_eq!(reached(&mut history, 500), None);
        for look in 1..=4 {
            history.add(seen(look, i64::from(look) * 100));
        }
        assert_eq!(reached(&mut history, 99), None);
        assert_eq!(reached(&mut history, 250), Some(2));
        assert_eq!(reached(&mut history, 400), Some(4));
        assert_eq!(
            reached(&mut history, 399),
            None,
            "one that came back older is not known to have anything"
        );
    }

    #[test]
    fn on_an_idle_primary_a_standby_that_has_all_stays_young() {
        let mut history = History::default();
        for look in 1..=9 {
            history.add(seen(look, 100));
        }
        assert_eq!(reached(&mut history, 100), Some(9));
    }

    #[test]
    fn a_clock_set_back_or_another_primary_begins_anew() {
        let mut history = History::default();
        history.add(seen(5, 100));
        history.add(seen(3, 200));
        assert_eq!(reached(&mut history, 150), None);
        history.add(seen(6, 150));
        assert_eq!(reached(&mut history, 150), Some(6));
    }

    #[test]
    fn a_standby_that_stands_still_fills_no_memory_and_seems_no_younger() {
        let mut history = History::default();
        let most = u32::try_from(limits::REPLICA_LOOKS).unwrap();
        for look in 1..=3 * most {
            history.add(seen(look, look.into()));
        }
        assert_eq!(history.0.len(), limits::REPLICA_LOOKS);
        assert_eq!(reached(&mut history, 1), Some(1));
        assert_eq!(reached(&mut history, most.into()), Some(1));
        assert_eq!(reached(&mut history, (3 * most).into()), Some((3 * most).into()));
    }
}
