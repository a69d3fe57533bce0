//! The time, as everything in the product reads it, so that tests can fix it.

use std::sync::{PoisonError, RwLock};

use chrono::{DateTime, SubsecRound, Utc};

/// Gives the time.
pub trait Clock: Send + Sync {
    /// The instant now, in whole microseconds: what both databases store, so that a value read back is
    /// equal to the value written.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that stands still until it is set, for tests.
#[derive(Debug)]
pub struct FixedClock(RwLock<DateTime<Utc>>);

impl FixedClock {
    /// A clock that stands at `now`.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self(RwLock::new(now.trunc_subsecs(6)))
    }

    /// Moves the clock to `now`.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = now.trunc_subsecs(6);
    }

    /// Moves the clock on by a number of seconds, back if negative.
    pub fn advance(&self, seconds: i64) {
        let now = self.now() + chrono::TimeDelta::seconds(seconds);
        self.set(now);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_whole_microseconds() {
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
        let clock = FixedClock::new(DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap());
        assert_eq!(clock.now().timestamp_subsec_nanos(), 123_456_000);
        clock.advance(-60);
        assert_eq!(clock.now().timestamp(), 1_699_999_940);
    }
}
