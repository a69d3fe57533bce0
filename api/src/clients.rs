//! Clients told apart, for what each may hold at once: exports, streams, deliveries. As points are, it is counted in
//! this instance alone.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::auth::{Actor, Role};
use crate::budget;

/// A client, as budgets tell them apart: the public by its address, others by what their token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// A hash of who it is, so that no address is kept.
    pub key: u64,
    /// It has no token.
    pub is_public: bool,
}

/// Tells clients apart.
#[derive(Debug, Default)]
pub struct Clients(RandomState);

impl Clients {
    /// The client that a request comes from.
    pub fn of(&self, actor: &Actor, address: Option<IpAddr>) -> Client {
        match actor.role {
            Role::Public => self.public(address),
            role => Client { key: self.key((role, &actor.client_id, &actor.sub)), is_public: false },
        }
    }

    /// Whoever comes from an address and has shown no token.
    pub fn public(&self, address: Option<IpAddr>) -> Client {
        Client { key: self.key(address.map(budget::network)), is_public: true }
    }

    fn key(&self, who: impl Hash) -> u64 {
        self.0.hash_one(who)
    }
}

/// How much of something each client holds. Who holds nothing is not known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held(Arc<Mutex<HashMap<u64, usize>>>);

impl Held {
    /// One more for a client, if it has fewer than `most`.
    pub fn take(&self, key: u64, most: usize) -> Option<Hold> {
        self.take_many(key, 1, most)
    }

    /// So many more for a client, if it has not more than `most` then, or had none.
    pub fn take_many(&self, key: u64, many: usize, most: usize) -> Option<Hold> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.get(&key).copied().unwrap_or_default();
        if count > 0 && count.saturating_add(many) > most {
            return None;
        }
        held.insert(key, count.saturating_add(many));
        Some(Hold { of: self.clone(), key, many })
    }
}

/// What a client holds, given back when dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    of: Held,
    key: u64,
    many: usize,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.key) {
            Some(count) if *count > self.many => *count -= self.many,
            _ => {
                held.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_holds_so_much_and_what_is_given_back_is_forgotten() {
        let held = Held::default();
        let (one, two) = (held.take(1, 2).unwrap(), held.take(1, 2).unwrap());
        assert!(held.take(1, 2).is_none());
        let other = held.take(2, 2).unwrap();
        drop(one);
        let again = held.take(1, 2).unwrap();
        drop((two, other, again));
        assert!(held.0.lock().unwrap().is_empty());
    }

    #[test]
    fn the_public_is_told_apart_by_its_address_and_others_by_their_token() {
        let (clients, address) = (Clients::default(), |text: &str| Some(text.parse().unwrap()));
        let public = |text| clients.of(&Actor::public(), address(text));
        assert_eq!(public("2001:db8::1"), public("2001:db8::2"), "one network of IPv6");
        assert_ne!(public("192.0.2.1"), public("192.0.2.2"));
        assert_eq!(public("192.0.2.1"), clients.public(address("::ffff:192.0.2.1")));
        let anct = |name: &str| Actor { role: Role::Anct, sub: Some(name.to_owned()), ..Actor::public() };
        let of = |name| clients.of(&anct(name), address("192.0.2.1"));
        assert_ne!(of("a"), of("b"));
        assert_eq!(of("a"), clients.of(&anct("a"), None));
        assert!(!of("a").is_public && public("192.0.2.1").is_public);
    }
}
