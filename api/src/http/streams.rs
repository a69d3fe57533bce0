//! What sockets and event streams have in common: how many there may be, when they end, who reads too slowly.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::refusal::Refusal;
use crate::clients::{Client, Held, Hold};
use crate::limits;

/// The streams of an instance. Those without a token have half of the places, and each client only some: nobody keeps
/// all others out. Sockets whose client has not said who it is have places of their own, for the little while until it
/// must.
#[derive(Debug)]
pub(super) struct Streams {
    all: Room,
    of_public: Room,
    waiting: Room,
    held: Held,
    ended: watch::Sender<bool>,
    draining: AtomicBool,
}

/// So many places.
#[derive(Debug)]
struct Room {
    most: usize,
    free: Arc<Semaphore>,
}

impl Room {
    fn of(most: usize) -> Self {
        Self { most, free: Arc::new(Semaphore::new(most)) }
    }

    fn taken(&self) -> usize {
        self.most.saturating_sub(self.free.available_permits())
    }

    fn take(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.free).try_acquire_owned().map_err(|_| Refusal::too_many_streams())
    }
}

/// Whose a stream is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    /// Nobody's yet: the client is told apart by its address, and will say who it is.
    Waiting(Client),
    /// This client's.
    Known(Client),
}

/// The place of a stream, given back when dropped.
#[derive(Debug)]
struct Place {
    _permits: Vec<OwnedSemaphorePermit>,
    _hold: Hold,
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
        self.0.all.taken() + self.0.waiting.taken()
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
        let half = || Room::of(most.div_ceil(2));
        Self {
            all: Room::of(most),
            of_public: half(),
            waiting: half(),
            held: Held::default(),
            ended: watch::Sender::new(false),
            draining: AtomicBool::new(false),
        }
    }

    /// Takes a place for a stream.
    pub fn begin(&self, owner: Owner, patience: Duration) -> Result<Stream, Refusal> {
        let place = Some(self.place(owner)?);
        Ok(Stream { ended: self.ended.subscribe(), given: None, patience, place })
    }

    fn place(&self, owner: Owner) -> Result<Place, Refusal> {
        let (Owner::Waiting(client) | Owner::Known(client)) = owner;
        let most = if client.is_public { limits::STREAMS_OF_ADDRESS } else { limits::STREAMS_OF_CLIENT };
        let hold =
            self.held.take(client.key, most).ok_or_else(|| Refusal::too_many_streams_of_client(most))?;
        let permits = match owner {
            Owner::Waiting(_) => vec![self.waiting.take()?],
            Owner::Known(Client { is_public: true, .. }) => vec![self.of_public.take()?, self.all.take()?],
            Owner::Known(_) => vec![self.all.take()?],
        };
        Ok(Place { _permits: permits, _hold: hold })
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
    /// None once it could not be exchanged for another.
    place: Option<Place>,
}

impl Stream {
    /// Becomes a client's who has said who it is; the place is another then.
    pub fn becomes(&mut self, client: Client, streams: &Streams) -> Result<(), Refusal> {
        // first given back: it may be the last
        self.place = None;
        self.place = Some(streams.place(Owner::Known(client))?);
        Ok(())
    }

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
pub(super) fn give_up_unread(connection: &dyn Any, patience: Duration) {
    // other systems have no such timer; there it lasts until the client is gone, and holds no more
    #[cfg(target_os = "linux")]
    if let Some(connection) = connection.downcast_ref::<actix_web::rt::net::TcpStream>()
        && let Err(error) = socket2::SockRef::from(connection).set_tcp_user_timeout(Some(patience * 3))
    {
        tracing::debug!(%error, "a connection has no timer for what is not read");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(1);

    fn of(key: usize, is_public: bool) -> Client {
        Client { key: key as u64, is_public }
    }

    fn begun(streams: &Streams, owners: impl Iterator<Item = Owner>) -> Vec<Stream> {
        owners.map_while(|owner| streams.begin(owner, PATIENCE).ok()).collect()
    }

    #[test]
    fn neither_the_public_nor_who_has_not_begun_keeps_others_out() {
        let streams = Streams::new(5);
        let waiting = begun(&streams, (0..9).map(|n| Owner::Waiting(of(n, true))));
        let public = begun(&streams, (0..9).map(|n| Owner::Known(of(n, true))));
        assert_eq!((waiting.len(), public.len()), (3, 3));
        let mut known = begun(&streams, (10..19).map(|n| Owner::Known(of(n, false))));
        assert_eq!(known.len(), 2);
        drop((waiting, public));
        assert!(known[0].becomes(of(20, true), &streams).is_ok());
        assert_eq!(begun(&streams, (0..9).map(|n| Owner::Known(of(n, true)))).len(), 2);
    }

    #[test]
    fn a_client_has_so_many_and_leaves_the_others_theirs() {
        let streams = Streams::new(10_000);
        let all = begun(&streams, std::iter::repeat_n(Owner::Known(of(1, true)), 1_000));
        assert_eq!(all.len(), limits::STREAMS_OF_ADDRESS);
        assert!(streams.begin(Owner::Waiting(of(1, true)), PATIENCE).is_err(), "the same address");
        assert!(streams.begin(Owner::Known(of(2, true)), PATIENCE).is_ok());
        let all = begun(&streams, std::iter::repeat_n(Owner::Known(of(3, false)), 5_000));
        assert_eq!(all.len(), limits::STREAMS_OF_CLIENT);
    }
}
