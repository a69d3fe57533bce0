//! Word that the journal has grown: within this instance at once, between instances through PostgreSQL's NOTIFY.
//!
//! A NOTIFY within a writing transaction makes all commits wait for each other. It is therefore sent afterwards, on a
//! connection of its own, once for all commits since the last. What counts is the journal: word may be lost, and who
//! hears none looks from time to time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use sea_orm::sqlx::{self, Error};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{Backend, Db};
use crate::limits;

/// The channel between instances. A notification names its sender.
const CHANNEL: &str = "cites_journal";

/// How long the database has to take word, and how soon it is asked again when it could not be reached.
const PATIENCE: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(500);

/// What one instance knows of news.
#[derive(Debug, Default)]
pub struct News {
    /// The journal has grown, or may have.
    grown: Notify,
    /// Other instances have not been told.
    untold: Notify,
    /// Other instances are heard.
    hears: AtomicBool,
    /// Somebody here waits for news: without, a commit need wake nobody.
    awaited: AtomicBool,
}

impl News {
    /// Says that this instance has committed.
    pub fn committed(&self) {
        if self.awaited.load(Ordering::SeqCst) {
            self.grown.notify_one();
        }
        self.untold.notify_one();
    }

    /// Says that somebody waits for news from now on: he is woken once, for what came before.
    pub fn awaited(&self) {
        self.awaited.store(true, Ordering::SeqCst);
        self.grown.notify_one();
    }

    /// Says that nobody waits any more.
    pub fn unawaited(&self) {
        self.awaited.store(false, Ordering::SeqCst);
    }

    /// Waits until the journal may have grown since this was last waited for.
    pub async fn grown(&self) {
        self.grown.notified().await;
    }

    /// Whether commits of others are heard of: what this instance sends comes back to it.
    pub fn hears(&self) -> bool {
        self.hears.load(Ordering::Relaxed)
    }
}

impl Db {
    /// Tells other instances of commits and hears of theirs, as long as it is polled. A `SQLite` database has no other
    /// instance, and is deaf: what a command of another process writes is found by looking.
    pub async fn exchange_news(&self) {
        if self.backend == Backend::Postgres {
            let name = Uuid::now_v7().simple().to_string();
            tokio::join!(self.tell(&name), self.hear(&name));
        }
    }

    /// Sends word after commits, and now and then without, so that this instance hears whether it hears.
    async fn tell(&self, name: &str) {
        let mut connection = self.apart();
        loop {
            // elapsed, it is the echo's turn
            let _ = tokio::time::timeout(limits::NEWS_ECHO, self.news.untold.notified()).await;
            let sent = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(name);
            let told = tokio::time::timeout(PATIENCE, sent.execute(&connection)).await;
            if !matches!(told, Ok(Ok(_))) {
                tracing::warn!("other instances could not be told of commits; it will be tried again");
                connection = self.apart();
                self.news.untold.notify_one();
                tokio::time::sleep(AGAIN).await;
            }
            // what is committed meanwhile is told together
            tokio::time::sleep(limits::NEWS_PAUSE).await;
        }
    }

    /// Listens; begins anew on another connection when this one fails or stays silent.
    async fn hear(&self, name: &str) {
        let mut failed = false;
        loop {
            let error = self.listen(name).await.err();
            if self.news.hears.swap(false, Ordering::Relaxed) || !failed {
                let error = error.map(|error| error.to_string());
                tracing::warn!(error, "other instances are not heard; the journal is looked at instead");
            }
            failed = true;
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Listens until nothing was heard for too long: behind a pooler that lends a connection for a transaction, LISTEN
    /// is accepted and hears nothing.
    async fn listen(&self, name: &str) -> Result<(), Error> {
        let mut listener = PgListener::connect_with(&self.apart()).await?;
        listener.listen(CHANNEL).await?;
        // what was said before is lost; an echo tells that this is heard
        self.news.grown.notify_one();
        self.news.untold.notify_one();
        while let Ok(heard) = tokio::time::timeout(limits::NEWS_SILENCE, listener.try_recv()).await {
            match heard? {
                Some(word) => {
                    if !self.news.hears.swap(true, Ordering::Relaxed) {
                        tracing::info!("other instances are heard");
                    }
                    if word.payload() != name {
                        self.news.grown.notify_one();
                    }
                }
                // the connection was lost and made again
                None => self.news.grown.notify_one(),
            }
        }
        Ok(())
    }

    /// A connection beside the pools, which are for requests.
    fn apart(&self) -> PgPool {
        let options = self.writer.server().cloned().unwrap_or_default();
        PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).connect_lazy_with(options)
    }
}
