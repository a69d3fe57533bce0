//! Which clients have written, or were told of a change, since the standby was looked at: they read it again, and are to
//! find it. What a client may know is on the primary when it is noted, so that a look that begins later sees its end.

use std::collections::HashMap;

use crate::limits;

/// Looks, by client: he reads from a standby that has come to the end of a later one.
#[derive(Debug, Default)]
pub(super) struct Notes {
    of: HashMap<u64, u64>,
    /// The same for everybody, after there were too many to remember each.
    all: u64,
}

impl Notes {
    /// Notes that a client knows what there was at the last look that has begun. Those whom the standby has caught up
    /// with are forgotten when there are many.
    pub fn add(&mut self, client: u64, look: u64, reached: u64) {
        if self.of.len() >= limits::REPLICA_CLIENTS {
            self.of.retain(|_, known| *known >= reached);
        }
        if self.of.len() >= limits::REPLICA_CLIENTS {
            self.of.clear();
            self.all = look;
        }
        self.of.insert(client, look);
    }

    /// Whether a client may know more than a standby that has come to the end of this look.
    pub fn is_ahead(&mut self, client: u64, reached: u64) -> bool {
        match self.of.get(&client) {
            Some(known) if *known >= reached => true,
            Some(_) => {
                self.of.remove(&client);
                self.all >= reached
            }
            None => self.all >= reached,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_ahead_until_a_later_look_was_reached() {
        let mut notes = Notes::default();
        notes.add(1, 7, 7);
        assert!(notes.is_ahead(1, 6) && notes.is_ahead(1, 7));
        assert!(!notes.is_ahead(2, 7), "another knows nothing of it");
        assert!(!notes.is_ahead(1, 8));
        assert!(notes.of.is_empty(), "and it is forgotten");
    }

    #[test]
    fn too_many_to_remember_are_all_taken_to_be_ahead() {
        let mut notes = Notes::default();
        let most = u64::try_from(limits::REPLICA_CLIENTS).unwrap();
        for client in 0..=most {
            notes.add(client, 7, 7);
        }
        assert!(notes.of.len() <= limits::REPLICA_CLIENTS, "{}", notes.of.len());
        assert!((0..=most + 1).all(|client| notes.is_ahead(client, 7)));
        assert!(!notes.is_ahead(0, 8) && !notes.is_ahead(most + 1, 8));
    }

    #[test]
    fn those_who_are_behind_make_room() {
        let mut notes = Notes::default();
        let most = u64::try_from(limits::REPLICA_CLIENTS).unwrap();
        for client in 0..most {
            notes.add(client, 3, 3);
        }
        notes.add(most, 7, 5);
        assert_eq!(notes.of.len(), 1);
        assert!(!notes.is_ahead(most + 1, 6));
    }
}
