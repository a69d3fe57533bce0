//! Points between instances on one database. Requests count in memory; once a second each instance adds to the database
//! what its clients took since, and hears what they took of all. Who asked for nothing costs nothing.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sea_orm::DbErr;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::bucket::Bucket;
use crate::auth::{Actor, Role};
use crate::clock::Clock;
use crate::db::Db;
use crate::limits;

/// One client, as this instance knows it.
#[derive(Debug)]
pub(super) struct Client {
    /// What it is called between instances; nil where nothing is shared.
    key: Uuid,
    bucket: Mutex<Bucket>,
}

impl Client {
    pub(super) fn new(key: Option<Uuid>, bucket: Bucket) -> Self {
        Self { key: key.unwrap_or_default(), bucket: Mutex::new(bucket) }
    }

    pub(super) fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What other instances are told next.
#[derive(Debug)]
pub(super) struct Sharing {
    /// What names the database.
    database: Uuid,
    /// Clients that asked for something since others were told.
    noted: Mutex<Vec<Arc<Client>>>,
}

impl Sharing {
    pub(super) const fn new(database: Uuid) -> Self {
        Self { database, noted: Mutex::new(Vec::new()) }
    }

    /// What a client is called between instances: no address and no name of a client is written down.
    pub(super) fn key(&self, actor: &Actor, address: Option<IpAddr>) -> Uuid {
        let who = match actor.role {
            Role::Public => json!([actor.role.name(), address]),
            _ => json!([actor.role.name(), actor.client_id, actor.sub]),
        };
        let hash = Sha256::new_with_prefix(self.database).chain_update(who.to_string()).finalize();
        Uuid::from_slice(&hash[..16]).unwrap_or_default()
    }

    /// Notes a client whose bucket is in the caller's hands: what happens to it until it is let go is told with it.
    pub(super) fn note(&self, client: &Arc<Client>, bucket: &mut Bucket) {
        if bucket.is_noted {
            return;
        }
        let mut noted = self.noted();
        // whoever finds no room is noted with its next request
        if noted.len() < limits::CLIENTS {
            noted.push(Arc::clone(client));
            bucket.is_noted = true;
        }
    }

    fn noted(&self) -> MutexGuard<'_, Vec<Arc<Client>>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Exchanges again and again. While the database is away each instance goes on alone.
    pub(super) async fn follow(&self, db: &Db, clock: &dyn Clock) {
        let mut is_alone = false;
        loop {
            tokio::time::sleep(limits::BUDGETS_EVERY).await;
            let exchanged = self.exchange(db, clock).await;
            match &exchanged {
                Ok(()) if is_alone => {
                    tracing::info!("points of clients are shared with other instances again");
                }
                Err(error) if !is_alone => {
                    tracing::warn!(%error, "points of clients cannot be shared; each instance counts its own until they can");
                }
                _ => {}
            }
            is_alone = exchanged.is_err();
        }
    }

    /// Tells of the clients noted since the last time, and hears of them. What could not be told is told next time.
    async fn exchange(&self, db: &Db, clock: &dyn Clock) -> Result<(), DbErr> {
        let noted = std::mem::take(&mut *self.noted());
        let taken = noted.into_iter().map(|client| {
            let mut bucket = client.bucket();
            bucket.is_noted = false;
            let micros = bucket.tell();
            drop(bucket);
            (client, micros)
        });
        let taken: Vec<(Arc<Client>, i64)> = taken.collect();
        let mut batches = taken.chunks(limits::BUDGETS_AT_ONCE);
        while let Some(batch) = batches.next() {
            let named = batch.iter().map(|(client, micros)| (client.key, *micros));
            let late = |_| Err(DbErr::Custom("the database does not answer".to_owned()));
            let owed = tokio::time::timeout(limits::BUDGETS_WAIT, db.owe(named)).await;
            match owed.unwrap_or_else(late) {
                Ok(owed) => {
                    let now = clock.now();
                    for (client, _) in batch {
                        if let Some(micros) = owed.get(&client.key) {
                            client.bucket().told(*micros, now);
                        }
                    }
                }
                Err(error) => {
                    // if the database heard and its answer was lost, this is counted twice, which time makes good
                    for (client, micros) in batch.iter().chain(batches.flatten()) {
                        let mut bucket = client.bucket();
                        bucket.untell(*micros);
                        self.note(client, &mut bucket);
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_apart_and_called_otherwise_on_another_database() {
        let one = Sharing::new(Uuid::from_u128(1));
        let actor = |role, client: &str, sub: &str| Actor {
            role,
            client_id: Some(client.to_owned()),
            sub: Some(sub.to_owned()),
            ..Actor::public()
        };
        let keys = [
            one.key(&actor(Role::Anct, "a", "b"), None),
            one.key(&actor(Role::Anct, "b", "a"), None),
            one.key(&actor(Role::Anct, "a\",\"b", ""), None),
            one.key(&actor(Role::Prefecture, "a", "b"), None),
            one.key(&Actor::public(), None),
            one.key(&Actor::public(), Some("192.0.2.1".parse().unwrap())),
            one.key(&Actor::public(), Some("192.0.2.2".parse().unwrap())),
            Sharing::new(Uuid::from_u128(2)).key(&actor(Role::Anct, "a", "b"), None),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "{index}");
        }
        // instances of different versions must agree
        assert_eq!(keys[5].to_string(), "314cf8b4-2461-6ff5-f490-1e27a444f58e");
    }
}
