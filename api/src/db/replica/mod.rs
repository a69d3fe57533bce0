//! A standby from which reads that allow it are served.
//!
//! `watch` looks at primary and standby a few times a second; `history` tells from it how far the standby is behind,
//! `position` names places in the log for clients that go to several instances, `notes` remembers those of this one.

mod history;
mod notes;
mod position;
mod watch;

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use tokio::sync::Notify;

use self::history::Seen;
use self::notes::Notes;
pub use self::position::Position;
use super::pool::{Opener, Pool};
use crate::limits;

/// A standby, and what is known of it.
#[derive(Debug)]
pub struct Replica {
    /// Its connections, which can only read.
    pub readers: Pool,
    /// One by which it is looked at, and one to the primary: looks do not wait for requests.
    looks: Pool,
    primary: Pool,
    max_lag: TimeDelta,
    /// How many looks have begun.
    begun: AtomicU64,
    /// None while it may not be read from.
    standing: Mutex<Option<Standing>>,
    notes: Mutex<Notes>,
    hasher: RandomState,
    /// It was found to be away: what is asked of it may never be answered.
    lost: Notify,
}

/// What a standby has.
#[derive(Clone, Copy, Debug)]
struct Standing {
    /// How far it has come.
    replayed: Position,
    /// The newest look at the primary whose end it has come to.
    reached: Seen,
}

/// What a read knows already, and is to find again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// The position that its caller names.
    pub position: Option<Position>,
    /// Its caller, as [`Replica::client`] says.
    pub client: Option<u64>,
    /// It must not be behind at all.
    pub everything: bool,
}

/// Which server a read comes from, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The standby.
    Replica,
    /// The primary, since the read must not be behind at all.
    Pinned,
    /// The primary, since the caller knows something that the standby lacks.
    Caused,
    /// The primary, since the standby is too far behind.
    Lagging,
    /// The primary, since the standby is out of reach, or none of this database.
    Away,
    /// The primary, after the standby failed.
    Failed,
}

impl Source {
    /// All of them: the server, and why.
    pub const ALL: [(&'static str, &'static str); 6] = [
        ("replica", "fresh"),
        ("primary", "pinned"),
        ("primary", "caused"),
        ("primary", "lagging"),
        ("primary", "away"),
        ("primary", "failed"),
    ];
}

impl Replica {
    pub(super) fn new(
        standby: &Opener,
        primary: Opener,
        size: usize,
        max_lag: TimeDelta,
    ) -> Result<Self, DbErr> {
        let wait = limits::REPLICA_WAIT;
        Ok(Self {
            readers: Pool::new(standby.clone(), size, wait)?,
            looks: Pool::new(standby.clone(), 1, wait)?,
            primary: Pool::new(primary, 1, wait)?,
            max_lag,
            begun: AtomicU64::default(),
            standing: Mutex::default(),
            notes: Mutex::default(),
            hasher: RandomState::new(),
            lost: Notify::new(),
        })
    }

    /// Where to read from, now.
    pub fn source(&self, known: Known, now: DateTime<Utc>) -> Source {
        if known.everything {
            return Source::Pinned;
        }
        let Some(Standing { replayed, reached }) = self.standing() else { return Source::Away };
        if now - reached.at > self.max_lag {
            return Source::Lagging;
        }
        let lacks = known.position.is_some_and(|position| position > replayed)
            || known.client.is_some_and(|client| self.notes().is_ahead(client, reached.look));
        if lacks { Source::Caused } else { Source::Replica }
    }

    /// Under which a client is remembered: a hash of who he is.
    pub fn client(&self, who: impl Hash) -> u64 {
        self.hasher.hash_one(who)
    }

    /// A client knows what the primary has now: his next reads are to find it.
    pub fn note(&self, client: u64) {
        let reached = self.standing().map_or(0, |standing| standing.reached.look);
        self.notes().add(client, self.begun.load(Ordering::SeqCst), reached);
    }

    /// How far it is behind at most; none while that is not known.
    pub fn lag(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        self.standing().map(|standing| (now - standing.reached.at).max(TimeDelta::zero()))
    }

    /// Whether a read may come from it, of a caller who knows nothing.
    pub fn serves(&self, now: DateTime<Utc>) -> bool {
        self.source(Known::default(), now) == Source::Replica
    }

    /// A read has failed there: no other is tried before it was looked at.
    pub fn doubt(&self) {
        self.stand(None);
    }

    /// Does work there, unless it is found to be away meanwhile.
    pub async fn while_there<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        // before it is asked whether it is there, so that no word is missed
        let lost = self.lost.notified();
        self.standing()?;
        tokio::select! {
            done = work => Some(done),
            () = lost => None,
        }
    }

    /// Ends its connections.
    pub(super) async fn close(&self) {
        for pool in [&self.readers, &self.looks, &self.primary] {
            pool.close().await;
        }
    }

    fn standing(&self) -> Option<Standing> {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stand(&self, standing: Option<Standing>) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
