//! What clients may still ask: points that each operation takes and time gives back. They are counted in memory; where
//! it is configured, instances on one database tell each other once a second what was taken (`sharing`).

mod bucket;
mod sharing;
mod work;

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, MutexGuard};

use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;
use uuid::Uuid;

use self::bucket::Bucket;
use self::sharing::{Client, Sharing};
use crate::auth::{Actor, Role};
use crate::clock::Clock;
use crate::db::Db;
use crate::error::{ApiError, Code};
use crate::limits::{self, Allowance};

/// The points of all clients.
pub struct Budget {
    /// Whether points run out.
    is_counted: bool,
    allowances: [Allowance; Role::ALL.len()],
    /// By a hash of who they are, so that no address is kept.
    clients: Cache<u64, Arc<Client>>,
    hasher: RandomState,
    /// How other instances hear of them.
    sharing: Option<Arc<Sharing>>,
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
        f.debug_struct("Budget").field("clients", &self.clients.len()).finish_non_exhaustive()
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
            clients: Cache::new(limits::CLIENTS),
            hasher: RandomState::new(),
            sharing: None,
        }
    }

    /// The same, shared with the other instances on a database of this name.
    #[must_use]
    pub fn shared(self, database: Uuid) -> Self {
        Self { sharing: self.is_counted.then(|| Arc::new(Sharing::new(database))), ..self }
    }

    /// Tells other instances what was taken here and hears what was taken there, again and again, as long as it is
    /// polled; ends at once where nothing is shared.
    pub async fn share(&self, db: &Db, clock: &dyn Clock) {
        if let Some(sharing) = &self.sharing {
            sharing.follow(db, clock).await;
        }
    }

    /// The account of a request that the server makes itself.
    pub fn uncounted(&self, actor: &Actor, now: DateTime<Utc>) -> Account {
        let allowance =
            Allowance { operation: u64::MAX, answer: usize::MAX, ..self.allowances[place(actor)] };
        Account { allowance, client: None, sharing: None, now, requested: 0, least: 0 }
    }

    /// The account of one request. The public is told apart by its address.
    pub fn account(&self, actor: &Actor, address: Option<IpAddr>, now: DateTime<Utc>) -> Account {
        let place = place(actor);
        let allowance = self.allowances[place];
        let client = self.is_counted.then(|| {
            let address = address.map(network);
            let client = match actor.role {
                Role::Public => self.hasher.hash_one(address),
                _ => self.hasher.hash_one((place, &actor.client_id, &actor.sub)),
            };
            let full = || {
                let key = self.sharing.as_ref().map(|sharing| sharing.key(actor, address));
                Ok::<_, std::convert::Infallible>(Arc::new(Client::new(key, Bucket::full(&allowance, now))))
            };
            match self.clients.get_or_insert_with(&client, full) {
                Ok(client) => client,
                Err(never) => match never {},
            }
        });
        Account { allowance, client, sharing: self.sharing.clone(), now, requested: 0, least: 0 }
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
    client: Option<Arc<Client>>,
    sharing: Option<Arc<Sharing>>,
    now: DateTime<Utc>,
    requested: u64,
    /// Points that it costs at least.
    least: u64,
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
        if let Some(mut bucket) = self.bucket() {
            bucket.refill(self.now);
            if !bucket.take(points) {
                return Err(self.refused(points, &bucket));
            }
        }
        self.requested = requested;
        Ok(())
    }

    /// Whether the client has so many points, none of which are taken.
    pub fn affords(&self, points: u64) -> Result<(), ApiError> {
        let Some(client) = &self.client else { return Ok(()) };
        let mut bucket = client.bucket();
        bucket.refill(self.now);
        if bucket.points() < points { Err(self.refused(points, &bucket)) } else { Ok(()) }
    }

    fn refused(&self, points: u64, bucket: &Bucket) -> ApiError {
        let seconds = bucket.wait_for(points).div_ceil(1_000_000);
        let message = format!(
            "the operation asks for {points} points, {} of {} are left",
            bucket.points(),
            self.allowance.bucket
        );
        let mut error = ApiError::new(Code::RateLimited, message)
            .expected(format!("the same after {seconds} s, or an operation that asks for less"));
        error.retry_after = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        error
    }

    /// Says what the request costs in any case, for the work that was done for it.
    pub fn cost_at_least(&mut self, points: u64) {
        self.least = self.least.max(points);
    }

    /// Gives back what was asked for and not read; takes what was read beyond it, as far as there is. Says what it cost.
    pub fn settle(&self, actual: u64) -> u64 {
        let actual = actual.max(self.least);
        if let Some(mut bucket) = self.bucket() {
            bucket.settle(self.requested, actual);
        }
        actual
    }

    /// The client's bucket, to take from or give to. Other instances are told then; of what was refused too, since they
    /// may know of points that came back.
    fn bucket(&self) -> Option<MutexGuard<'_, Bucket>> {
        let client = self.client.as_ref()?;
        let mut bucket = client.bucket();
        if let Some(sharing) = &self.sharing {
            sharing.note(client, &mut bucket);
        }
        Some(bucket)
    }

    /// What callers of its role may ask.
    pub const fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// Points taken so far.
    pub const fn requested(&self) -> u64 {
        self.requested
    }

    /// What the client may still ask, as this instance knows; none when nothing is counted.
    pub fn standing(&self) -> Option<Standing> {
        let mut bucket = self.client.as_ref()?.bucket();
        bucket.refill(self.now);
        let (remaining, reset_at) = (bucket.points(), bucket.full_at());
        Some(Standing { allowance: self.allowance, remaining, reset_at })
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
        assert!(budget.clients.len() <= limits::CLIENTS, "{}", budget.clients.len());
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
