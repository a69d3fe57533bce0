//! What clients may still ask: points that each operation takes and time gives back. They are counted in this instance
//! alone; several instances give as many times as much.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use quick_cache::sync::Cache;

use crate::auth::{Actor, Role};
use crate::error::{ApiError, Code};
use crate::limits::{self, Allowance};

/// Parts of a point in which they are counted: what a rate of one a second gives back in a microsecond.
const PARTS: u64 = 1_000_000;

/// The points of all clients.
pub struct Budget {
    /// Whether points run out.
    is_counted: bool,
    allowances: [Allowance; Role::ALL.len()],
    /// By a hash of who they are, so that no address is kept.
    buckets: Cache<u64, Arc<Mutex<Bucket>>>,
    hasher: RandomState,
}

/// The points of one client at an instant.
#[derive(Debug)]
struct Bucket {
    parts: u64,
    at: DateTime<Utc>,
}

impl Bucket {
    fn refill(&mut self, allowance: &Allowance, now: DateTime<Utc>) {
        let passed = (now - self.at).num_microseconds().and_then(|passed| u64::try_from(passed).ok());
        // a clock that goes back gives nothing
        let Some(passed) = passed else { return };
        let given = passed.saturating_mul(allowance.restore_rate);
        self.parts = self.parts.saturating_add(given).min(allowance.bucket.saturating_mul(PARTS));
        self.at = now;
    }
}

/// What a client may still ask, now.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// What callers of its role may ask.
    pub allowance: Allowance,
    /// Points left.
    pub remaining: u64,
    /// When all points are there again.
    pub reset_at: DateTime<Utc>,
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget").field("clients", &self.buckets.len()).finish_non_exhaustive()
    }
}

impl Default for Budget {
    /// Allowances as the limits say, and points that run out.
    fn default() -> Self {
        Self::new(true, Allowance::of)
    }
}

impl Budget {
    /// A budget under the allowance of each role. Without counting, only what one operation asks for is bounded.
    pub fn new(is_counted: bool, allowance: impl Fn(Role) -> Allowance) -> Self {
        Self {
            is_counted,
            allowances: Role::ALL.map(allowance),
            buckets: Cache::new(limits::CLIENTS),
            hasher: RandomState::new(),
        }
    }

    /// The account of a request that the server makes itself.
    pub fn uncounted(&self, actor: &Actor, now: DateTime<Utc>) -> Account {
        let allowance = Allowance { operation: u64::MAX, ..self.allowances[place(actor)] };
        Account { allowance, bucket: None, now, requested: 0 }
    }

    /// The account of one request. The public is told apart by its address.
    pub fn account(&self, actor: &Actor, address: Option<IpAddr>, now: DateTime<Utc>) -> Account {
        let place = place(actor);
        let allowance = self.allowances[place];
        let bucket = self.is_counted.then(|| {
            let client = match actor.role {
                Role::Public => self.hasher.hash_one(address.map(network)),
                _ => self.hasher.hash_one((place, &actor.client_id, &actor.sub)),
            };
            let full = || {
                let parts = allowance.bucket.saturating_mul(PARTS);
                Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(Bucket { parts, at: now })))
            };
            match self.buckets.get_or_insert_with(&client, full) {
                Ok(bucket) => bucket,
                Err(never) => match never {},
            }
        });
        Account { allowance, bucket, now, requested: 0 }
    }
}

/// Where a caller's role stands among all.
fn place(actor: &Actor) -> usize {
    Role::ALL.iter().position(|role| *role == actor.role).unwrap_or(Role::ALL.len() - 1)
}

/// Whoever has one address of a network of IPv6 has all of them.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        address @ IpAddr::V4(_) => address,
    }
}

/// What one request takes of its client's points.
#[derive(Clone, Debug)]
pub struct Account {
    allowance: Allowance,
    bucket: Option<Arc<Mutex<Bucket>>>,
    now: DateTime<Utc>,
    requested: u64,
}

impl Account {
    /// Takes points before what they are for is done. More than one operation may ask for is `LIMIT_EXCEEDED`, more
    /// than the client has left `RATE_LIMITED`; nothing is taken then.
    pub fn take(&mut self, points: u64) -> Result<(), ApiError> {
        let (requested, most) = (self.requested.saturating_add(points), self.allowance.operation);
        if requested > most {
            let message =
                format!("the operation asks for {requested} points, at most {most} are given to one");
            return Err(ApiError::new(Code::LimitExceeded, message)
                .expected("smaller pages (`first`), or fewer lists within lists"));
        }
        if let Some(bucket) = &self.bucket {
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.refill(&self.allowance, self.now);
            let parts = points.saturating_mul(PARTS);
            if parts > bucket.parts {
                return Err(self.refused(points, &bucket));
            }
            bucket.parts -= parts;
        }
        self.requested = requested;
        Ok(())
    }

    fn refused(&self, points: u64, bucket: &Bucket) -> ApiError {
        let missing = points.saturating_mul(PARTS).saturating_sub(bucket.parts);
        let seconds = missing.div_ceil(self.allowance.restore_rate.max(1).saturating_mul(PARTS));
        let message = format!(
            "the operation asks for {points} points, {} of {} are left",
            bucket.parts / PARTS,
            self.allowance.bucket
        );
        let mut error = ApiError::new(Code::RateLimited, message)
            .expected(format!("the same after {seconds} s, or an operation that asks for less"));
        error.retry_after = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        error
    }

    /// Gives back what was asked for and not read; takes what was read beyond it, as far as there is.
    pub fn settle(&self, actual: u64) {
        let Some(bucket) = &self.bucket else { return };
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = bucket.parts.saturating_add(self.requested.saturating_mul(PARTS));
        let most = self.allowance.bucket.saturating_mul(PARTS);
        bucket.parts = parts.saturating_sub(actual.saturating_mul(PARTS)).min(most);
    }

    /// What callers of its role may ask.
    pub const fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// Points taken so far.
    pub const fn requested(&self) -> u64 {
        self.requested
    }

    /// What the client may still ask; none when nothing is counted.
    pub fn standing(&self) -> Option<Standing> {
        let mut bucket = self.bucket.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.refill(&self.allowance, self.now);
        let missing = self.allowance.bucket.saturating_mul(PARTS).saturating_sub(bucket.parts);
        let microseconds = missing.div_ceil(self.allowance.restore_rate.max(1));
        let wait = TimeDelta::microseconds(i64::try_from(microseconds).unwrap_or(i64::MAX));
        Some(Standing {
            allowance: self.allowance,
            remaining: bucket.parts / PARTS,
            reset_at: self.now.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance =
        Allowance { operation: 60, bucket: 100, restore_rate: 10, ..Allowance::of(Role::Public) };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn account(budget: &Budget, address: &str, seconds: i64) -> Account {
        budget.account(&Actor::public(), Some(address.parse().unwrap()), at(seconds))
    }

    fn remaining(budget: &Budget, address: &str, seconds: i64) -> u64 {
        account(budget, address, seconds).standing().unwrap().remaining
    }

    #[test]
    fn points_are_taken_given_back_and_restored() {
        let budget = Budget::new(true, |_| ALLOWANCE);
        let mut one = account(&budget, "192.0.2.1", 0);
        one.take(60).unwrap();
        one.settle(50);
        assert_eq!(remaining(&budget, "192.0.2.1", 0), 50);
        assert_eq!(remaining(&budget, "192.0.2.1", 2), 70);
        assert_eq!(remaining(&budget, "192.0.2.1", 60), 100, "no more than the bucket holds");
        assert_eq!(remaining(&budget, "192.0.2.1", 30), 100, "a clock that goes back takes nothing");
    }

    #[test]
    fn what_is_refused_takes_nothing_and_says_when_to_come_back() {
        let budget = Budget::new(true, |_| ALLOWANCE);
        let mut one = account(&budget, "192.0.2.1", 0);
        assert_eq!(one.take(61).unwrap_err().code, Code::LimitExceeded);
        one.take(60).unwrap();
        let mut other = account(&budget, "192.0.2.1", 0);
        let refused = other.take(51).unwrap_err();
        assert_eq!((refused.code, refused.retry_after), (Code::RateLimited, Some(2)));
        assert_eq!(remaining(&budget, "192.0.2.1", 0), 40);
        account(&budget, "192.0.2.1", 2).take(51).unwrap();
    }

    #[test]
    fn a_network_of_ipv6_is_one_client_and_each_address_of_ipv4_another() {
        let budget = Budget::new(true, |_| ALLOWANCE);
        account(&budget, "2001:db8::1", 0).take(10).unwrap();
        assert_eq!(remaining(&budget, "2001:db8::ffff", 0), 90);
        assert_eq!(remaining(&budget, "2001:db8:0:1::1", 0), 100);
        account(&budget, "::ffff:192.0.2.1", 0).take(10).unwrap();
        assert_eq!(remaining(&budget, "192.0.2.1", 0), 90);
        assert_eq!(remaining(&budget, "192.0.2.2", 0), 100);
    }

    #[test]
    fn memory_does_not_grow_with_addresses() {
        let budget = Budget::new(true, |_| ALLOWANCE);
        for number in 0..3 * u32::try_from(limits::CLIENTS).unwrap() {
            let address = Some(IpAddr::V4(number.into()));
            budget.account(&Actor::public(), address, at(0)).take(1).unwrap();
        }
        assert!(budget.buckets.len() <= limits::CLIENTS, "{}", budget.buckets.len());
    }

    #[test]
    fn without_counting_only_one_operation_is_bounded() {
        let budget = Budget::new(false, |_| ALLOWANCE);
        for _ in 0..10 {
            account(&budget, "192.0.2.1", 0).take(60).unwrap();
        }
        assert!(account(&budget, "192.0.2.1", 0).standing().is_none());
        assert_eq!(account(&budget, "192.0.2.1", 0).take(61).unwrap_err().code, Code::LimitExceeded);
    }
}
