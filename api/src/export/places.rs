//! How many exports may be under way: each keeps a connection and a snapshot.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::Role;
use crate::error::{ApiError, Code};
use crate::limits;

/// The places of an instance. The public has only some of them: whoever reads slowly without a token keeps nobody out
/// who has one.
#[derive(Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    of_public: Arc<Semaphore>,
}

impl Default for Places {
    fn default() -> Self {
        let of = |places| Arc::new(Semaphore::new(places));
        Self { all: of(limits::EXPORTS), of_public: of(limits::EXPORTS_OF_PUBLIC) }
    }
}

/// A place, given back when dropped.
pub(super) type Place = Vec<OwnedSemaphorePermit>;

impl Places {
    /// How many are taken.
    pub fn under_way(&self) -> usize {
        limits::EXPORTS.saturating_sub(self.all.available_permits())
    }

    /// Takes a place for a caller of a role, if one is free.
    pub(super) fn take(&self, role: Role) -> Result<Place, ApiError> {
        let of_public = (role == Role::Public).then_some(&self.of_public);
        let busy = |_| ApiError::new(Code::Unavailable, "too many exports are under way; try again shortly");
        let take = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().map_err(busy);
        of_public.into_iter().chain([&self.all]).map(take).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_leaves_places_to_others() {
        let places = Places::default();
        let public: Vec<Place> =
            (0..limits::EXPORTS_OF_PUBLIC).map(|_| places.take(Role::Public).unwrap()).collect();
        assert_eq!(places.take(Role::Public).unwrap_err().code, Code::Unavailable);
        let others: Vec<Place> = (limits::EXPORTS_OF_PUBLIC..limits::EXPORTS)
            .map(|_| places.take(Role::PartnerSystem).unwrap())
            .collect();
        assert_eq!(places.take(Role::Anct).unwrap_err().code, Code::Unavailable);
        drop(public);
        assert!(places.take(Role::Anct).is_ok(), "a place that is given back is free");
        drop(others);
    }
}
