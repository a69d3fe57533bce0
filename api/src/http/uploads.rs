//! How many uploads may be under way: each holds in memory what it was sent last.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;
use crate::clients::{Client, Held, Hold};
use crate::limits;

/// The places of an instance, of which no client has all.
#[derive(Debug)]
pub(super) struct Uploads {
    free: Arc<Semaphore>,
    held: Held,
}

/// A place, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    _hold: Hold,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(limits::UPLOADS)), held: Held::default() }
    }
}

impl Uploads {
    /// Takes a place for a client, if one is free and it has not as many as it may.
    pub(super) fn take(&self, client: Client) -> Result<Place, Refusal> {
        let hold = self.held.take(client.key, limits::UPLOADS_OF_CLIENT);
        let hold = hold.ok_or_else(|| Refusal::too_many_uploads_of_client(limits::UPLOADS_OF_CLIENT))?;
        let permit = Arc::clone(&self.free).try_acquire_owned().map_err(|_| Refusal::too_many_uploads())?;
        Ok(Place { _permit: permit, _hold: hold })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_one_client_nor_all_together_have_more_than_there_are() {
        let uploads = Uploads::default();
        let client = |n: usize| Client { key: (n / limits::UPLOADS_OF_CLIENT) as u64, is_public: false };
        let mut taken: Vec<Place> =
            (0..limits::UPLOADS_OF_CLIENT).map(|n| uploads.take(client(n)).unwrap()).collect();
        let refused = uploads.take(client(0)).unwrap_err();
        assert_eq!(refused, Refusal::too_many_uploads_of_client(limits::UPLOADS_OF_CLIENT));
        taken.extend((taken.len()..limits::UPLOADS).map(|n| uploads.take(client(n)).unwrap()));
        let other = client(limits::UPLOADS);
        assert_eq!(uploads.take(other).unwrap_err(), Refusal::too_many_uploads());
        taken.pop();
        assert!(uploads.take(other).is_ok(), "what is given back may be taken again");
    }
}
