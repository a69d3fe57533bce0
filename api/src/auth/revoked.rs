//! Tokens that are refused before they end, as an instance knows them. Who keeps the list up to date is
//! [`crate::revocation`]; here nothing asks the database, so a token is checked as fast when that is away.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::actor::Actor;

/// The list.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Single tokens, by their `jti`.
    pub tokens: HashSet<String>,
    /// Clients, with the instant before which their tokens were issued.
    pub clients: HashMap<String, DateTime<Utc>>,
}

impl Revoked {
    fn names(&self, actor: &Actor) -> bool {
        let is_token = actor.jti.as_ref().is_some_and(|jti| self.tokens.contains(jti));
        let before = actor.client_id.as_ref().and_then(|client| self.clients.get(client));
        // one that does not say when it was issued may be older
        is_token || before.is_some_and(|instant| actor.issued_at.is_none_or(|issued| issued < *instant))
    }
}

/// The list that was read last. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Revocations(watch::Sender<Arc<Revoked>>);

impl Revocations {
    /// Whether the token by which an actor is known was revoked.
    pub fn name(&self, actor: &Actor) -> bool {
        self.0.borrow().names(actor)
    }

    /// Takes a list that was read, and wakes those who wait for another than the last.
    pub(crate) fn set(&self, revoked: Revoked) {
        self.0.send_if_modified(|known| {
            let is_other = **known != revoked;
            if is_other {
                *known = Arc::new(revoked);
            }
            is_other
        });
    }

    /// Is told when the list becomes another.
    pub(crate) fn follow(&self) -> watch::Receiver<Arc<Revoked>> {
        self.0.subscribe()
    }
}
