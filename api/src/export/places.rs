//! How many exports may be under way: each keeps a connection and a snapshot.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clients::{Client, Held, Hold};
use crate::error::{ApiError, Code};
use crate::limits;

/// The places of an instance. The public has only some of them, and nobody all: whoever reads slowly keeps nobody else
/// out.
#[derive(Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    of_public: Arc<Semaphore>,
    held: Held,
}

impl Default for Places {
    fn default() -> Self {
        let of = |places| Arc::new(Semaphore::new(places));
        Self { all: of(limits::EXPORTS), of_public: of(limits::EXPORTS_OF_PUBLIC), held: Held::default() }
    }
}

/// A place, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permits: Vec<OwnedSemaphorePermit>,
    _hold: Hold,
}

impl Places {
    /// How many are taken.
    pub fn under_way(&self) -> usize {
        limits::EXPORTS.saturating_sub(self.all.available_permits())
    }

    /// Takes a place for a client, if one is free and it has not as many as it may.
    pub(super) fn take(&self, client: Client) -> Result<Place, ApiError> {
        let most = if client.is_public { limits::EXPORTS_OF_ADDRESS } else { limits::EXPORTS_OF_CLIENT };
        let hold = self.held.take(client.key, most).ok_or_else(|| too_many_of_client(client, most))?;
        let of_public = client.is_public.then_some(&self.of_public);
        let busy = |_| ApiError::new(Code::Unavailable, "too many exports are under way; try again shortly");
        let take = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().map_err(busy);
        let permits: Result<Vec<_>, _> = of_public.into_iter().chain([&self.all]).map(take).collect();
        Ok(Place { _permits: permits?, _hold: hold })
    }
}

/// It is the client's own doing: others are served meanwhile.
fn too_many_of_client(client: Client, most: usize) -> ApiError {
    let who = if client.is_public { "your address" } else { "this client" };
    let message = format!("{who} has as many exports under way as it may at once, {most}");
    let mut error = ApiError::new(Code::RateLimited, message).expected("the same once one of them has ended");
    error.retry_after = Some(limits::RETRY_AFTER_SECONDS);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(key: usize, is_public: bool) -> Client {
        Client { key: key as u64, is_public }
    }

    #[test]
    fn the_public_leaves_places_to_others() {
        let places = Places::default();
        let public: Vec<Place> =
            (0..limits::EXPORTS_OF_PUBLIC).map(|n| places.take(client(n, true)).unwrap()).collect();
        assert_eq!(places.take(client(100, true)).unwrap_err().code, Code::Unavailable);
        let others: Vec<Place> = (limits::EXPORTS_OF_PUBLIC..limits::EXPORTS)
            .map(|n| places.take(client(n, false)).unwrap())
            .collect();
        assert_eq!(places.take(client(100, false)).unwrap_err().code, Code::Unavailable);
        drop(public);
        assert!(places.take(client(100, false)).is_ok(), "a place that is given back is free");
        drop(others);
    }

    #[test]
    fn no_client_has_all_places() {
        for (is_public, most) in [(true, limits::EXPORTS_OF_ADDRESS), (false, limits::EXPORTS_OF_CLIENT)] {
            let places = Places::default();
            let taken: Vec<Place> = (0..most).map(|_| places.take(client(1, is_public)).unwrap()).collect();
            let refused = places.take(client(1, is_public)).unwrap_err();
            assert_eq!((refused.code, refused.retry_after), (Code::RateLimited, Some(5)));
            assert!(places.take(client(2, is_public)).is_ok());
            drop(taken);
            assert!(places.take(client(1, is_public)).is_ok(), "what is given back may be taken again");
        }
    }
}
