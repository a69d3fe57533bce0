//! The arithmetic of points: taken by operations, given back by time, and told to other instances.

use chrono::{DateTime, TimeDelta, Utc};

use crate::limits::Allowance;

/// Parts of a point in which they are counted: what a rate of one a second gives back in a microsecond.
const PARTS: i64 = 1_000_000;

fn parts(points: u64) -> i64 {
    i64::try_from(points).unwrap_or(i64::MAX).saturating_mul(PARTS)
}

/// The points of one client at an instant.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Parts that it holds when it is full.
    most: i64,
    /// Parts given back each microsecond.
    rate: i64,
    /// Parts left; less than none while the client owes what several instances gave at once.
    left: i64,
    at: DateTime<Utc>,
    /// Parts taken, less those given back, that other instances have not been told of.
    untold: i64,
    /// Whether others are to be told next time.
    pub(super) is_noted: bool,
}

impl Bucket {
    pub(super) fn full(allowance: &Allowance, at: DateTime<Utc>) -> Self {
        let most = parts(allowance.bucket);
        let rate = i64::try_from(allowance.restore_rate).unwrap_or(i64::MAX).max(1);
        Self { most, rate, left: most, at, untold: 0, is_noted: false }
    }

    pub(super) fn refill(&mut self, now: DateTime<Utc>) {
        let passed = (now - self.at).num_microseconds().unwrap_or(i64::MAX);
        // a clock that goes back gives nothing
        if passed >= 0 {
            self.left = self.left.saturating_add(passed.saturating_mul(self.rate)).min(self.most);
            self.at = now;
        }
    }

    /// Takes points, or nothing when there are fewer.
    pub(super) fn take(&mut self, points: u64) -> bool {
        let taken = parts(points);
        let is_enough = taken <= self.left;
        if is_enough {
            self.left -= taken;
            self.untold = self.untold.saturating_add(taken);
        }
        is_enough
    }

    /// Gives back what was taken and not used; takes what was used beyond it, as far as there is.
    pub(super) fn settle(&mut self, taken: u64, used: u64) {
        let more = parts(used).saturating_sub(parts(taken)).min(self.left.max(0));
        self.left = self.left.saturating_sub(more).min(self.most);
        self.untold = self.untold.saturating_add(more);
    }

    /// Points left.
    pub(super) fn points(&self) -> u64 {
        u64::try_from(self.left / PARTS).unwrap_or(0)
    }

    /// How long it takes, in microseconds, until there are so many points.
    pub(super) fn wait_for(&self, points: u64) -> u64 {
        let missing = u64::try_from(parts(points).saturating_sub(self.left)).unwrap_or(0);
        missing.div_ceil(self.rate.unsigned_abs())
    }

    /// When all points are there again.
    pub(super) fn full_at(&self) -> DateTime<Utc> {
        let missing = self.most.saturating_sub(self.left).unsigned_abs();
        let micros = i64::try_from(missing.div_ceil(self.rate.unsigned_abs())).unwrap_or(i64::MAX);
        self.at.checked_add_signed(TimeDelta::microseconds(micros)).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// What others are now told of: the microseconds that it takes to give it back. What is less than one is told later.
    pub(super) fn tell(&mut self) -> i64 {
        let micros = self.untold.div_euclid(self.rate);
        self.untold -= micros.saturating_mul(self.rate);
        micros
    }

    /// They were not told. What an instance gave while it was alone counts as one bucket at most: time gave back the
    /// rest meanwhile, and nobody is to wait for hours because the database was away.
    pub(super) fn untell(&mut self, micros: i64) {
        self.untold = self.untold.saturating_add(micros.saturating_mul(self.rate)).min(self.most);
    }

    /// They were told, and all that was taken anywhere is given back after so many microseconds. What was taken here
    /// meanwhile comes on top.
    pub(super) fn told(&mut self, micros: i64, now: DateTime<Utc>) {
        let missing = micros.max(0).saturating_mul(self.rate).saturating_add(self.untold);
        self.left = self.most.saturating_sub(missing).min(self.most);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Role;

    /// A hundred points, ten of which come back each second.
    const ALLOWANCE: Allowance = Allowance { bucket: 100, restore_rate: 10, ..Allowance::of(Role::Public) };

    /// Microseconds after an instant.
    fn at(micros: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(1_700_000_000_000_000 + micros).unwrap()
    }

    const SECOND: i64 = 1_000_000;

    /// What the database does with what it is told: one instant for all.
    #[derive(Default)]
    struct Shared {
        full_at: i64,
    }

    impl Shared {
        fn exchange(&mut self, bucket: &mut Bucket, now: i64) {
            self.full_at = self.full_at.max(now) + bucket.tell();
            bucket.told(self.full_at - now, at(now));
        }
    }

    fn two() -> (Shared, Bucket, Bucket) {
        (Shared::default(), Bucket::full(&ALLOWANCE, at(0)), Bucket::full(&ALLOWANCE, at(0)))
    }

    #[test]
    fn what_is_taken_from_one_is_missing_in_the_other() {
        let (mut shared, mut one, mut other) = two();
        assert!(one.take(60));
        shared.exchange(&mut one, 0);
        assert_eq!((one.points(), other.points()), (40, 100));
        shared.exchange(&mut other, SECOND);
        assert_eq!(other.points(), 50, "ten came back");
        one.settle(60, 20);
        shared.exchange(&mut one, SECOND);
        shared.exchange(&mut other, SECOND);
        assert_eq!((one.points(), other.points()), (90, 90));
    }

    #[test]
    fn what_both_gave_at_once_is_owed() {
        let (mut shared, mut one, mut other) = two();
        assert!(one.take(100) && other.take(100));
        shared.exchange(&mut one, 0);
        shared.exchange(&mut other, 0);
        assert_eq!((other.points(), other.wait_for(1)), (0, 10_100_000));
        assert_eq!(other.full_at(), at(20 * SECOND));
        other.refill(at(10 * SECOND));
        assert!(!other.take(1));
        // nothing can be taken from a debt by using more than was asked for
        other.settle(0, 50);
        shared.exchange(&mut other, 11 * SECOND);
        assert_eq!(other.points(), 10);
    }

    #[test]
    fn in_the_long_run_a_client_gets_what_one_instance_gives_however_many_there_are() {
        let mut shared = Shared::default();
        let mut instances: Vec<Bucket> = (0..5).map(|_| Bucket::full(&ALLOWANCE, at(0))).collect();
        let (mut given, seconds) = (0, 1_000);
        for tick in 0..seconds * 10 {
            let now = tick * SECOND / 10;
            for (n, bucket) in instances.iter_mut().enumerate() {
                bucket.refill(at(now));
                while bucket.take(1) {
                    given += 1;
                }
                // each exchanges once a second, at an instant of its own
                if tick % 10 == i64::try_from(n).unwrap() {
                    shared.exchange(bucket, now);
                }
            }
        }
        assert!((10 * seconds..=10 * seconds + 5 * 100).contains(&given), "{given}");
    }

    #[test]
    fn what_is_taken_while_others_are_told_comes_on_top() {
        let mut bucket = Bucket::full(&ALLOWANCE, at(0));
        assert!(bucket.take(30));
        let micros = bucket.tell();
        assert!(bucket.take(20));
        bucket.told(micros, at(0));
        assert_eq!(bucket.points(), 50);
        assert_eq!(bucket.tell(), 2 * SECOND, "they are told of it next time");
    }

    #[test]
    fn what_is_less_than_a_microsecond_is_told_once_it_is_one() {
        let fast = Allowance { bucket: 10_000_000, restore_rate: 3_000_000, ..ALLOWANCE };
        let mut bucket = Bucket::full(&fast, at(0));
        let told: i64 = (0..10).map(|_| i64::from(bucket.take(1)) * bucket.tell()).sum();
        assert_eq!(told, 3, "ten points are three microseconds and a third");
        bucket.told(3, at(0));
        assert_eq!(bucket.points(), 10_000_000 - 10);
    }

    #[test]
    fn an_instance_that_was_alone_tells_of_one_bucket_at_most() {
        let mut bucket = Bucket::full(&ALLOWANCE, at(0));
        for second in 0..3_600 {
            bucket.refill(at(second * SECOND));
            assert!(bucket.take(10));
            let micros = bucket.tell();
            bucket.untell(micros);
        }
        assert_eq!(bucket.tell(), 10 * SECOND);
    }
}
