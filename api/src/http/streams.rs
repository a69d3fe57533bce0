//! What sockets and event streams have in common: how many there may be, when they end, who reads too slowly.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::refusal::Refusal;

/// The streams of an instance.
#[derive(Debug)]
pub(super) struct Streams {
    most: usize,
    room: Arc<Semaphore>,
    ended: watch::Sender<bool>,
    draining: AtomicBool,
}

/// What a server is told before it stops. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stopping(pub(super) Arc<Streams>);

impl Stopping {
    /// Not ready any more: whoever sends requests here is to send them elsewhere. They are answered all the same.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Ends every stream; their clients go on elsewhere.
    pub fn end_streams(&self) {
        self.0.end();
    }

    /// How many streams are open.
    pub fn open_streams(&self) -> usize {
        self.0.most.saturating_sub(self.0.room.available_permits())
    }

    /// Whether the server is about to stop.
    pub(super) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }
}

impl Streams {
    /// No stream yet, and room for `most`.
    pub fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(most));
        Self { most, room, ended: watch::Sender::new(false), draining: AtomicBool::new(false) }
    }

    /// Takes a place for a stream.
    pub fn begin(&self, patience: Duration) -> Result<Stream, Refusal> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| Refusal::too_many_streams())?;
        Ok(Stream { ended: self.ended.subscribe(), given: None, patience, _room: room })
    }

    /// Ends them all.
    pub fn end(&self) {
        self.ended.send_replace(true);
    }
}

/// One stream. The server asks it for more only when the client has read enough of what it got before: nothing piles
/// up, and how long that took tells how slow the client is.
#[derive(Debug)]
pub(super) struct Stream {
    ended: watch::Receiver<bool>,
    given: Option<Instant>,
    patience: Duration,
    _room: OwnedSemaphorePermit,
}

impl Stream {
    /// Waits until the server stops.
    pub async fn ended(&mut self) {
        // whoever ends streams is gone: so is the server
        let _ = self.ended.wait_for(|ended| *ended).await;
    }

    /// Notes that something is handed to the server.
    pub fn give(&mut self) {
        self.given = Some(Instant::now());
    }

    /// Whether the client took too long to read what was given last.
    pub fn is_stalled(&mut self) -> bool {
        self.given.take().is_some_and(|given| given.elapsed() > self.patience)
    }
}

/// Lets the system end a connection whose client reads nothing at all: no close can reach it, since what was sent
/// before is in the way. It has three times as long as a client that reads on and is told.
pub fn give_up_unread(connection: &dyn Any, patience: Duration) {
    // other systems have no such timer; there it lasts until the client is gone, and holds no more
    #[cfg(target_os = "linux")]
    if let Some(connection) = connection.downcast_ref::<actix_web::rt::net::TcpStream>()
        && let Err(error) = socket2::SockRef::from(connection).set_tcp_user_timeout(Some(patience * 3))
    {
        tracing::debug!(%error, "a connection has no timer for what is not read");
    }
}
