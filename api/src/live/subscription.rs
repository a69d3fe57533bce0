//! One subscriber: reads on from his place when he is woken, and hands out one event at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;
use tokio::sync::watch;

use super::hub::End;
use crate::auth::Revoked;
use crate::db::{Cell, Kind, Sql, cell};
use crate::error::{ApiError, Code};
use crate::feed::Stretch;
use crate::feed::tail::Kinds;
use crate::graphql::{Begun, Engine, Event, Events, Followed, refused};
use crate::limits;
use crate::read::plan::internal;

/// How long to wait before the database is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Why a stream ends. Whatever it is, the subscriber may go on from the cursor of his last event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The token has ended.
    Expired,
    /// The token was revoked.
    TokenRevoked,
    /// The client's grant was changed, has ended or was revoked.
    Revoked,
    /// It cannot go on; a response that says why.
    Failed(Vec<u8>),
}

/// A stream of changes for one subscriber. It holds no more than a page of them, and reads only when it is asked for
/// the next: one who does not read costs nothing more.
#[derive(Debug)]
pub struct Subscription {
    engine: Arc<Engine>,
    followed: Followed,
    end: watch::Receiver<End>,
    revoked: watch::Receiver<Arc<Revoked>>,
    /// Cursor of the last event that was handed out, or of a later place before which nothing is left for him.
    after: Option<Box<str>>,
    /// Where to read on to; none when he has read to the end.
    until: Option<Arc<str>>,
    /// How far of that his page was looked for.
    reach: Option<Arc<str>>,
    /// What was read and not yet handed out.
    page: Page,
    /// Version of the client's grant at the beginning, while it holds.
    grant: Option<i32>,
    /// How often grants had changed when it was last looked at; none when it must be.
    grants: Option<u64>,
}

/// Events that were read together.
#[derive(Debug)]
struct Page {
    events: VecDeque<Event>,
    read: Instant,
    /// Nothing is left behind them.
    is_last: bool,
}

impl Page {
    fn of(Events { events, is_last }: Events) -> Self {
        Self { events: events.into(), read: Instant::now(), is_last }
    }

    fn none() -> Self {
        Self { events: VecDeque::new(), read: Instant::now(), is_last: false }
    }
}

impl Subscription {
    /// Begins to follow.
    pub(crate) async fn new(engine: Arc<Engine>, begun: Begun) -> Result<Self, ApiError> {
        let Begun { followed, nouns, after } = begun;
        let rests_on_grant = followed.actor.source.is_some();
        let kinds = Kinds::of(&nouns).and(if rests_on_grant { Kinds::GRANTS } else { Kinds::default() });
        let mut end = engine.hub.join(&engine.db, engine.services.identity(), kinds).await?;
        let End { cursor, grants } = end.borrow_and_update().clone();
        let (after, until) = match after {
            Some(given) => (Some(given.into_boxed_str()), cursor),
            None => (cursor.as_deref().map(Box::from), None),
        };
        let mut subscription = Self {
            revoked: engine.revocations.follow(),
            engine,
            followed,
            end,
            after,
            until,
            reach: None,
            page: Page::none(),
            grant: None,
            grants: Some(grants),
        };
        subscription.grant = subscription.current_grant().await?;
        Ok(subscription)
    }

    /// The next event, as a whole response. Waits for it as long as it takes.
    pub async fn next(&mut self) -> Result<Vec<u8>, Ending> {
        loop {
            if self.followed.actor.expires_at.is_some_and(|end| end <= self.engine.now()) {
                return Err(Ending::Expired);
            }
            if self.engine.revocations.name(&self.followed.actor) {
                return Err(Ending::TokenRevoked);
            }
            if self.page.read.elapsed() > limits::LIVE_PAGE_FRESH && !self.page.events.is_empty() {
                self.page = Page::none();
            }
            if self.grants.is_none() {
                self.look_at_grant().await?;
            } else if let Some((cursor, event)) = self.page.events.pop_front() {
                self.after = Some(cursor.into_boxed_str());
                self.engine.metrics.changes.inc();
                return Ok(event);
            } else if self.page.is_last {
                let reach = self.reach.take();
                self.until = self.until.take().filter(|until| Some(until) != reach.as_ref());
                (self.after, self.page) = (reach.as_deref().map(Box::from), Page::none());
            } else if let Some(until) = self.until.clone() {
                // on the heap while it lasts: a stream waits for most of its life
                self.page = Box::pin(self.read(until)).await?;
            } else {
                self.wait().await?;
            }
        }
    }

    /// Reads a page. While the database is out of reach, or he has no points for it, it waits and reads none.
    async fn read(&mut self, until: Arc<str>) -> Result<Page, Ending> {
        let reach = match self.engine.reach(self.after.as_deref(), &until).await {
            Ok(nearer) => nearer.unwrap_or(until),
            Err(error) => return wait_out(&[error]).await.map(|()| Page::none()),
        };
        let reach = self.reach.insert(reach);
        let stretch = Stretch { after: self.after.as_deref(), until: Some(reach) };
        match self.engine.events(&self.followed, stretch).await {
            Ok(events) => Ok(Page::of(events)),
            Err(errors) if errors.iter().any(|error| error.code == Code::Forbidden) => Err(Ending::Revoked),
            Err(errors) => wait_out(&errors).await.map(|()| Page::none()),
        }
    }

    /// Waits until something has changed that may concern him, or until it is time to look at his rights.
    async fn wait(&mut self) -> Result<(), Ending> {
        let left =
            self.followed.actor.expires_at.map(|end| (end - self.engine.now()).to_std().unwrap_or_default());
        let patience = left.map_or(limits::LIVE_CHECK, |left| left.min(limits::LIVE_CHECK));
        let woken = tokio::select! {
            told = self.end.changed() => match told {
                Err(_) => return Err(failed(&[internal("nobody follows the journal")])),
                Ok(()) => true,
            },
            // its sender is the engine's, which is held; whether it names this token is looked at next
            _ = self.revoked.changed() => return Ok(()),
            () = tokio::time::sleep(patience) => false,
        };
        let known = self.end.borrow_and_update();
        let is_behind = woken || known.has_changed();
        let End { cursor, grants } = known.clone();
        drop(known);
        if is_behind {
            self.until = cursor;
        } else {
            // what has changed meanwhile does not concern him
            self.after = cursor.as_deref().map(Box::from);
        }
        // a grant also ends by its dates, of which no entry tells
        if !is_behind || self.grants != Some(grants) {
            self.grants = None;
        }
        Ok(())
    }

    /// Ends the stream unless the client's grant is what it was at the beginning.
    async fn look_at_grant(&mut self) -> Result<(), Ending> {
        // before the grant is read, so that a later change is looked at again
        let grants = self.end.borrow().grants;
        match self.current_grant().await {
            Ok(grant) if grant != self.grant => Err(Ending::Revoked),
            Ok(_) => {
                self.grants = Some(grants);
                Ok(())
            }
            Err(error) => wait_out(&[error]).await,
        }
    }

    /// Version of the grant that the caller's rights rest on; none if they rest on none, or if it does not hold.
    async fn current_grant(&self) -> Result<Option<i32>, ApiError> {
        let viewer = self.engine.viewer(Arc::clone(&self.followed.actor));
        let mut sql = Sql::new(self.engine.db.backend);
        if !viewer.grant(&mut sql) {
            return Ok(None);
        }
        let row = self.engine.db.readers.query_one_raw(sql.into_statement()).await?;
        let version = row.as_ref().map(|row| cell(row, 0, Kind::Int)).transpose()?;
        Ok(match version {
            Some(Cell::Int(version)) => i32::try_from(version).ok(),
            _ => None,
        })
    }
}

/// Waits while the database is out of reach or points are missing, which come back; another fault ends the stream.
async fn wait_out(errors: &[ApiError]) -> Result<(), Ending> {
    if errors.iter().all(|error| matches!(error.code, Code::Unavailable | Code::RateLimited)) {
        tokio::time::sleep(AGAIN).await;
        return Ok(());
    }
    Err(failed(errors))
}

fn failed(errors: &[ApiError]) -> Ending {
    Ending::Failed(refused(errors))
}
