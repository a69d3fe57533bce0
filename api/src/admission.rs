//! How many operations are under way at once, and who is turned away early when more come than can be served.
//!
//! Each class of operations has places of its own, so that cheap reads go on while expensive ones wait. Those who wait
//! are served in the order they came; one who would wait longer than is of use to him is turned away at once.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use thread_local::ThreadLocal;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::auth::Role;
use crate::db::{Backend, Db};
use crate::error::{ApiError, Code};
use crate::limits;

/// What an operation does to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A read of few points.
    Light,
    /// Any other read.
    Heavy,
    /// A read of few points, by somebody without a token.
    PublicLight,
    /// Any other read by somebody without a token.
    PublicHeavy,
    /// A write of few points.
    Write,
    /// Any other write, such as an import.
    Bulk,
}

impl Class {
    /// The class of a read that asks for so many points. What the public asks takes no place of those who are known.
    pub const fn of_read(role: Role, points: u64) -> Self {
        match (role, points <= limits::LIGHT_POINTS) {
            (Role::Public, true) => Self::PublicLight,
            (Role::Public, false) => Self::PublicHeavy,
            (_, true) => Self::Light,
            (_, false) => Self::Heavy,
        }
    }

    /// The class of a write of so many points.
    pub const fn of_write(points: u64) -> Self {
        if points <= limits::SMALL_WRITE_POINTS { Self::Write } else { Self::Bulk }
    }
}

/// The places of an instance: like connections, those of a server's database belong to a thread each, so that who
/// leaves wakes nobody on another.
#[derive(Debug)]
pub struct Admission {
    readers: usize,
    writers: usize,
    gates: Gates,
}

#[derive(Debug)]
enum Gates {
    Together(Box<Classes>),
    OfThreads(Box<ThreadLocal<Classes>>),
}

#[derive(Debug)]
struct Classes {
    light: Gate,
    heavy: Gate,
    public_light: Gate,
    public_heavy: Gate,
    write: Gate,
    bulk: Gate,
}

impl Classes {
    /// As many places as there are connections; expensive reads and those of the public have half of the readers',
    /// expensive ones of the public a quarter, large writes half of the writers'.
    fn new(readers: usize, writers: usize) -> Self {
        Self {
            light: Gate::new(readers, limits::LIGHT_PATIENCE),
            heavy: Gate::new(readers / 2, limits::HEAVY_PATIENCE),
            public_light: Gate::new(readers / 2, limits::LIGHT_PATIENCE),
            public_heavy: Gate::new(readers / 4, limits::HEAVY_PATIENCE),
            write: Gate::new(writers, limits::WRITE_PATIENCE),
            bulk: Gate::new(writers / 2, limits::BULK_PATIENCE),
        }
    }

    const fn of(&self, class: Class) -> &Gate {
        match class {
            Class::Light => &self.light,
            Class::Heavy => &self.heavy,
            Class::PublicLight => &self.public_light,
            Class::PublicHeavy => &self.public_heavy,
            Class::Write => &self.write,
            Class::Bulk => &self.bulk,
        }
    }
}

impl Admission {
    /// Places for the connections of a database.
    pub fn new(db: &Db) -> Self {
        let (readers, writers) = (db.readers.size(), db.writer.size());
        let gates = match db.backend {
            Backend::Sqlite => Gates::Together(Box::new(Classes::new(readers, writers))),
            Backend::Postgres => Gates::OfThreads(Box::default()),
        };
        Self { readers, writers, gates }
    }

    /// How many wait, by class.
    pub fn waiting(&self) -> [(&'static str, u32); 6] {
        let all: Vec<&Classes> = match &self.gates {
            Gates::Together(classes) => vec![classes],
            Gates::OfThreads(threads) => threads.iter().collect(),
        };
        let of = |class| all.iter().map(|classes| classes.of(class).waiting.load(Ordering::Relaxed)).sum();
        [
            ("light", of(Class::Light)),
            ("heavy", of(Class::Heavy)),
            ("public_light", of(Class::PublicLight)),
            ("public_heavy", of(Class::PublicHeavy)),
            ("write", of(Class::Write)),
            ("bulk", of(Class::Bulk)),
        ]
    }

    /// Waits for a place, and keeps it until it is dropped.
    pub async fn enter(&self, class: Class) -> Result<Place<'_>, ApiError> {
        let classes = match &self.gates {
            Gates::Together(classes) => classes,
            Gates::OfThreads(threads) => threads.get_or(|| Classes::new(self.readers, self.writers)),
        };
        classes.of(class).enter().await
    }
}

/// The places of one class.
#[derive(Debug)]
struct Gate {
    places: Semaphore,
    count: u32,
    waiting: AtomicU32,
    /// How long a place is kept of late, in microseconds.
    usual: AtomicU64,
    /// How long waiting is of use.
    patience: Duration,
}

/// A place, given back when dropped.
#[derive(Debug)]
pub struct Place<'g> {
    gate: &'g Gate,
    begun: Instant,
    _permit: SemaphorePermit<'g>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let took = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let usual = self.gate.usual.load(Ordering::Relaxed);
        // an eighth of the way to the latest; an update lost to another thread does no harm
        self.gate.usual.store(usual - usual / 8 + took / 8, Ordering::Relaxed);
    }
}

/// One who waits, as long as he does.
struct Waiting<'g>(&'g AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    fn new(count: usize, patience: Duration) -> Self {
        let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let places = Semaphore::new(usize::try_from(count).unwrap_or(Semaphore::MAX_PERMITS));
        Self { places, count, waiting: AtomicU32::new(0), usual: AtomicU64::new(0), patience }
    }

    async fn enter(&self) -> Result<Place<'_>, ApiError> {
        let permit = match self.places.try_acquire() {
            Ok(permit) => permit,
            Err(_) => self.wait().await?,
        };
        Ok(Place { gate: self, begun: Instant::now(), _permit: permit })
    }

    async fn wait(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        let ahead = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        let usual = Duration::from_micros(self.usual.load(Ordering::Relaxed));
        if usual.saturating_mul(ahead.saturating_add(1)) / self.count > self.patience {
            return Err(busy());
        }
        match timeout(self.patience, self.places.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(busy()),
        }
    }
}

fn busy() -> ApiError {
    ApiError::new(Code::Unavailable, "more is asked of this server than it can do; try again shortly")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(2);

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_served_in_turn_or_turned_away_in_time() {
        let gate = Gate::new(1, PATIENCE);
        let place = gate.enter().await.unwrap();
        let begun = tokio::time::Instant::now();
        let (waits, gives_way) = tokio::join!(gate.enter(), async {
            tokio::time::sleep(PATIENCE / 2).await;
            drop(place);
            tokio::time::Instant::now()
        });
        assert_eq!(gives_way - begun, PATIENCE / 2);
        let place = waits.unwrap();
        let begun = tokio::time::Instant::now();
        assert_eq!(gate.enter().await.unwrap_err().code, Code::Unavailable);
        assert_eq!(begun.elapsed(), PATIENCE);
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
        drop(place);
        assert!(gate.enter().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_wait_too_long_is_turned_away_at_once() {
        let gate = Gate::new(2, PATIENCE);
        gate.usual.store(1_500_000, Ordering::Relaxed);
        let places = (gate.enter().await.unwrap(), gate.enter().await.unwrap());
        // of two places one is free each 0.75 s: the third in the queue would wait for more than two
        let queue = async {
            let begun = tokio::time::Instant::now();
            let (first, second, third) = tokio::join!(gate.enter(), gate.enter(), async {
                let refused = gate.enter().await.unwrap_err();
                drop(places);
                (refused.code, begun.elapsed())
            });
            (first.is_ok(), second.is_ok(), third)
        };
        assert_eq!(queue.await, (true, true, (Code::Unavailable, Duration::ZERO)));
    }

    #[test]
    fn the_public_leaves_a_connection_to_those_who_are_known() {
        for readers in [3, 4, 8, 16] {
            let classes = Classes::new(readers, 2);
            let public = classes.public_light.count + classes.public_heavy.count;
            assert!(usize::try_from(public).unwrap() < readers, "{public} of {readers}");
        }
    }

    #[tokio::test]
    async fn classes_do_not_take_each_others_places() {
        let gate = |places| Gate::new(places, Duration::ZERO);
        let [light, heavy, public_light, public_heavy, write, bulk] = std::array::from_fn(|_| gate(1));
        let classes = Classes { light, heavy, public_light, public_heavy, write, bulk };
        let _heavy = classes.of(Class::Heavy).enter().await.unwrap();
        assert!(classes.of(Class::Heavy).enter().await.is_err());
        for class in [Class::Light, Class::PublicLight, Class::PublicHeavy, Class::Write, Class::Bulk] {
            assert!(classes.of(class).enter().await.is_ok(), "{class:?}");
        }
    }
}
