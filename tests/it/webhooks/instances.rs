//! Servers that end in the middle, and several on one database.

use cites::db::{Bounds, Db};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{Backend, Caller, Process, Template, TestDatabase, block_on, block_on_postgres};

use super::Receiver;
use crate::writes::known;

const CREATE: &str = "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { secret } }";
const RENAME: &str = "mutation ($input: UpdateSiteInput!) { updateSite(input: $input) { site { id } } }";

/// A server is killed while a delivery waits for its answer: the next one sends it again, under the same id.
async fn killed(backend: Backend) {
    let home = tempfile::tempdir().expect("a folder");
    let database = TestDatabase::of(backend, Template::Small, home.path()).await;
    let mut process = Process::of(env!("CARGO_BIN_EXE_cites-tested"), &database, home.path());
    let caller = Caller::of(&process);
    let address = process.serve();
    let mut receiver = Receiver::start();
    receiver.answers(&[0]);
    let made = caller.ask(&address, CREATE, json!({ "url": receiver.url })).await;
    let secret =
        made.pointer("/data/createWebhook/secret").and_then(Value::as_str).expect("a secret").to_owned();
    caller.ask(&address, RENAME, json!({ "id": known(Kind::Site, 1), "name": "Autre nom" })).await;
    let before = receiver.next().await;
    process.kill();
    // as if the time of its lease had passed
    let db = Db::open(database.url(), Bounds::default()).await.expect("it opens");
    let freed = db
        .writer
        .execute_unprepared("UPDATE webhook SET lease = NULL, leased_until = NULL WHERE lease IS NOT NULL");
    assert_eq!(freed.await.expect("it is written").rows_affected(), 1, "it was in the middle");
    db.close().await;
    process.serve();
    let after = receiver.next().await;
    assert_eq!((&after.id, &after.body), (&before.id, &before.body));
    assert!(before.is_signed(&secret) && after.is_signed(&secret));
    process.kill();
}

#[test]
fn two_instances_deliver_each_change_once() {
    block_on_postgres(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Postgres, Template::Small, home.path()).await;
        let process = || Process::of(env!("CARGO_BIN_EXE_cites-tested"), &database, home.path());
        let (mut one, mut other) = (process(), process());
        let caller = Caller::of(&one);
        let addresses = [one.serve(), other.serve()];
        let mut receiver = Receiver::start();
        caller.ask(&addresses[0], CREATE, json!({ "url": receiver.url })).await;
        for n in 0..20_usize {
            let input = json!({ "id": known(Kind::Site, 1), "name": format!("Nom {n}") });
            caller.ask(&addresses[n % 2], RENAME, input).await;
        }
        let mut versions = Vec::new();
        for _ in 0..20 {
            versions.push(receiver.next().await.version());
        }
        assert_eq!(versions, (versions[0]..versions[0] + 20).collect::<Vec<_>>());
        one.kill();
        other.kill();
    });
}

mod a_delivery_cut_short_is_sent_again_by_the_next_server {
    use super::*;

    #[test]
    fn sqlite() {
        block_on(async || killed(Backend::Sqlite).await);
    }

    #[test]
    fn postgres() {
        block_on_postgres(async || killed(Backend::Postgres).await);
    }
}
