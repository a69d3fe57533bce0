//! Follows the end of the journal for all subscribers of an instance.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::db::Db;
use crate::error::ApiError;
use crate::feed::Place;
use crate::feed::tail::{self, Kinds};
use crate::limits;

/// First wait for an older transaction that holds up an entry; each further one is twice as long.
const UNSETTLED: Duration = Duration::from_millis(1);

/// What subscribers know of the journal's end.
#[derive(Clone, Debug, Default)]
pub(super) struct End {
    /// Cursor of the last settled entry; none in an empty journal.
    pub cursor: Option<Arc<str>>,
    /// Counts the changes of clients' grants.
    pub grants: u64,
}

/// One for an instance.
#[derive(Debug, Default)]
pub struct Hub {
    /// Held while the journal is looked at.
    looked: AsyncMutex<Looked>,
    /// Those who follow the same kinds wait together.
    waiting: Mutex<HashMap<Kinds, watch::Sender<End>>>,
}

/// How far the journal was looked at.
#[derive(Debug, Default)]
struct Looked {
    place: Option<Place>,
    end: End,
}

impl Hub {
    /// Joins those who follow these kinds. What the receiver holds is where the journal ends now.
    pub(super) async fn join(
        &self,
        db: &Db,
        tag: u32,
        kinds: Kinds,
    ) -> Result<watch::Receiver<End>, ApiError> {
        let mut looked = self.looked.lock().await;
        if self.is_idle() {
            // nobody has looked for a while
            looked.place = tail::end(&db.readers, db.backend).await?;
            looked.end.cursor = looked.place.as_ref().map(|place| place.cursor(tag));
        }
        while self.look(db, tag, &mut looked).await?.more {}
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = waiting.entry(kinds).or_insert_with(|| watch::channel(looked.end.clone()).0);
        let receiver = sender.subscribe();
        db.news.awaited();
        Ok(receiver)
    }

    /// Follows the journal, as long as it is polled.
    pub async fn follow(&self, db: &Db, tag: impl Fn() -> u32) {
        let mut held_up = UNSETTLED;
        let mut wait = limits::LIVE_POLL;
        loop {
            tokio::select! {
                () = db.news.grown() => held_up = UNSETTLED,
                () = tokio::time::sleep(wait) => {}
            }
            wait = if db.news.hears() { limits::LIVE_POLL } else { limits::LIVE_POLL_DEAF };
            if self.rests(db) {
                continue;
            }
            match self.look(db, tag(), &mut *self.looked.lock().await).await {
                Ok(seen) if seen.more => wait = Duration::ZERO,
                Ok(seen) if seen.unsettled => {
                    wait = held_up;
                    held_up = (held_up * 2).min(limits::LIVE_UNSETTLED);
                    tokio::time::sleep(UNSETTLED).await;
                }
                Ok(_) => tokio::time::sleep(limits::LIVE_PAUSE).await,
                Err(error) => {
                    tracing::warn!(%error, "the journal could not be followed; it will be tried again");
                }
            }
        }
    }

    /// How many follow.
    pub(crate) fn subscribers(&self) -> usize {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.values().map(watch::Sender::receiver_count).sum()
    }

    /// When the oldest change was written that nobody could be told of yet: it waits for an older transaction, or was
    /// not looked at. None if there is none.
    pub(crate) async fn oldest_untold(&self, db: &Db) -> Result<Option<DateTime<Utc>>, ApiError> {
        let place = if self.is_idle() {
            tail::end(&db.readers, db.backend).await?
        } else {
            self.looked.lock().await.place.clone()
        };
        tail::next_at(db, place.as_ref()).await
    }

    fn is_idle(&self) -> bool {
        self.left().is_empty()
    }

    /// Whether nobody follows; commits wake this no more then. Said under the lock, so that who joins says so later.
    fn rests(&self, db: &Db) -> bool {
        let left = self.left();
        if left.is_empty() {
            db.news.unawaited();
        }
        left.is_empty()
    }

    /// Those who still follow.
    fn left(&self) -> MutexGuard<'_, HashMap<Kinds, watch::Sender<End>>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, sender| sender.receiver_count() > 0);
        waiting
    }

    /// Looks on from where it was looked last, and wakes whom it concerns.
    async fn look(&self, db: &Db, tag: u32, looked: &mut Looked) -> Result<tail::Tail, ApiError> {
        let seen = tail::after(db, looked.place.as_ref()).await?;
        if let Some(place) = &seen.end {
            looked.end.cursor = Some(place.cursor(tag));
            looked.place = Some(place.clone());
            looked.end.grants += u64::from(seen.kinds.meet(Kinds::GRANTS));
            self.tell(seen.kinds, &looked.end);
        }
        Ok(seen)
    }

    /// Those whose kinds have not changed get to know the end, and sleep on.
    fn tell(&self, changed: Kinds, end: &End) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for (kinds, sender) in waiting.iter() {
            sender.send_if_modified(|known| {
                known.clone_from(end);
                kinds.meet(changed)
            });
        }
    }
}
