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
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    state: Mutex<State>,
    notes: Mutex<Notes>,
    hasher: RandomState,
    /// It was found to be away: what is asked of it may never be answered.
    lost: Notify,
}

/// What is known at the moment.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// None while it may not be read from.
    standing: Option<Standing>,
    /// How often a read has failed there.
    doubts: u64,
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
            state: Mutex::default(),
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

    /// A read has failed there: no other is tried before it was looked at. It may come back older than it was.
    pub fn doubt(&self) {
        let mut state = self.state();
        state.standing = None;
        state.doubts += 1;
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
        self.state().standing
    }

    /// Says what a look has found, unless a read has failed since it began: it may have seen what there was before.
    fn stand(&self, standing: Option<Standing>, doubts: u64) {
        let mut state = self.state();
        state.standing = standing.filter(|_| state.doubts == doubts);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::sqlx::postgres::PgConnectOptions;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn replica() -> Replica {
        let server = Opener::Postgres(PgConnectOptions::new());
        Replica::new(&server, server.clone(), 2, TimeDelta::seconds(5)).unwrap()
    }

    /// A standby that has come to position 100, which the primary had at the first second.
    fn standing() -> Standing {
        let reached = Seen { look: 1, at: at(1), position: Position::new(100) };
        Standing { replayed: Position::new(100), reached }
    }

    #[test]
    fn a_read_goes_where_it_finds_what_its_caller_knows() {
        let replica = replica();
        let knows = |position| Known { position: Some(Position::new(position)), ..Known::default() };
        assert_eq!(replica.source(Known::default(), at(1)), Source::Away, "nobody has looked");
        replica.begun.store(1, Ordering::SeqCst);
        replica.stand(Some(standing()), 0);
        assert_eq!(replica.source(Known::default(), at(6)), Source::Replica);
        assert_eq!(replica.source(Known::default(), at(7)), Source::Lagging);
        assert_eq!(replica.source(knows(100), at(1)), Source::Replica);
        assert_eq!(replica.source(knows(101), at(1)), Source::Caused);
        let everything = Known { everything: true, ..Known::default() };
        assert_eq!(replica.source(everything, at(1)), Source::Pinned);
        replica.note(7);
        let client = |client| Known { client: Some(client), ..Known::default() };
        assert_eq!(replica.source(client(7), at(1)), Source::Caused);
        assert_eq!(replica.source(client(8), at(1)), Source::Replica);
    }

    #[test]
    fn a_look_that_began_before_a_read_failed_says_nothing() {
        let replica = replica();
        let doubts = replica.state().doubts;
        replica.doubt();
        replica.stand(Some(standing()), doubts);
        assert_eq!(replica.source(Known::default(), at(1)), Source::Away);
        let doubts = replica.state().doubts;
        replica.stand(Some(standing()), doubts);
        assert_eq!(replica.source(Known::default(), at(1)), Source::Replica);
    }
}
