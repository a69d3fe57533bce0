//! The server is killed while it writes: what it acknowledged is there once, whole, and what it did not settles
//! when it is sent again. `TEST_KILLS` says how often (30).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cites::ids;
use entity::enums::IdempotencyState;
use entity::{action, action_partner, action_qpv, idempotency_key, journal};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{Backend, Process, Template, TestApp, TestDatabase, block_on_postgres};
use uuid::Uuid;

use super::{all, known};

const WRITERS: usize = 4;

/// Keys that were sent, and what came back under each, if anything did.
type Sent = Arc<Mutex<BTreeMap<String, Option<Value>>>>;

/// One who sends changes to a server.
#[derive(Clone)]
struct Writer {
    http: reqwest::Client,
    token: String,
    sent: Sent,
}

impl Writer {
    /// Creates the action of a key; what is acknowledged is noted.
    async fn send(&self, address: &str, key: &str) -> Option<Value> {
        self.note(key, None);
        let document = "mutation ($input: CreateActionInput!) { createAction(input: $input) { action { id } replayed userErrors { code } } }";
        let input = json!({
            "site": known(Kind::Site, 1), "title": format!("Kill {key}"), "qpvs": ["QP069018", "QN06916M"],
            "partners": [known(Kind::Partner, 3), known(Kind::Partner, 6)], "idempotencyKey": key,
        });
        let body = json!({ "query": document, "variables": { "input": input } }).to_string();
        let request = self.http.post(address).bearer_auth(&self.token).body(body);
        let answer = request.header("content-type", "application/json").send().await.ok()?;
        let answer: Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
        let id = answer.pointer("/data/createAction/action/id")?.clone();
        self.note(key, Some(id.clone()));
        Some(id)
    }

    fn note(&self, key: &str, id: Option<Value>) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sent.entry(key.to_owned()).or_default();
        if let (Some(known), Some(id)) = (&known, &id) {
            assert_eq!(known, id, "two objects under one key");
        }
        if id.is_some() {
            *known = id;
        }
    }

    fn unsettled(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.iter().filter(|(_, id)| id.is_none()).map(|(key, _)| key.clone()).collect()
    }
}

/// Milliseconds up to a bound, at random.
pub(crate) fn some_milliseconds(most: u16) -> Duration {
    let id = Uuid::now_v7();
    let [.., high, low] = *id.as_bytes();
    Duration::from_millis(u64::from(u16::from_be_bytes([high, low]) % most) + 5)
}

async fn kill(backend: Backend) {
    let kills = std::env::var("TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(30);
    let home = tempfile::tempdir().expect("a folder");
    let database = TestDatabase::of(backend, Template::Small, home.path()).await;
    let mut process = Process::of(env!("CARGO_BIN_EXE_cites-tested"), &database, home.path());
    let token = process.run(&["token", "--role", "anct"]);
    let token = String::from_utf8(token.stdout).expect("a token").trim().to_owned();
    let writer = Writer { http: reqwest::Client::new(), token, sent: Sent::default() };
    let mut lost = 0;
    for round in 0..kills {
        let address = process.serve();
        settle(&writer, &address).await;
        let over = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| {
                tokio::spawn(write_on(
                    writer.clone(),
                    address.clone(),
                    Arc::clone(&over),
                    format!("{round}.{n}"),
                ))
            })
            .collect();
        tokio::time::sleep(some_milliseconds(400)).await;
        process.kill();
        over.store(true, Ordering::SeqCst);
        for writing in writers {
            writing.await.expect("the writer ends");
        }
        lost += writer.unsettled().len();
    }
    let address = process.serve();
    settle(&writer, &address).await;
    process.kill();
    let app = TestApp::serve(database, home, |url| url).await;
    let settled = check(&app, &writer).await;
    println!(
        "{backend:?}: {kills} kills, {settled} writes, of which {} were acknowledged at once and {lost} when sent again",
        settled - lost
    );
    app.stop().await;
}

async fn write_on(writer: Writer, address: String, over: Arc<AtomicBool>, name: String) {
    for n in 0.. {
        if over.load(Ordering::SeqCst) || writer.send(&address, &format!("{name}.{n}")).await.is_none() {
            return;
        }
    }
}

/// Sends again what was not acknowledged; each is done now, whether or not it was before.
async fn settle(writer: &Writer, address: &str) {
    let keys = writer.unsettled();
    let again = all(keys.iter().map(|key| writer.send(address, key))).await;
    assert!(again.iter().all(Option::is_some), "a retry was not done: {keys:?}");
}

/// Each key has one action, with its links and one journal row; there is nothing else. Gives how many there are.
async fn check(app: &TestApp, writer: &Writer) -> usize {
    let sent = writer.sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let db = &app.db.readers;
    let written = action::Entity::find().filter(action::Column::Title.starts_with("Kill "));
    let written = written.all(db).await.expect("actions");
    assert_eq!(written.len(), sent.len(), "as many as were sent");
    for (key, id) in &sent {
        let id = id.as_ref().and_then(Value::as_str).expect("settled");
        let id = ids::decode(id).expect("an id").1;
        let row = written.iter().find(|row| row.id == id).expect("what was acknowledged is there");
        assert_eq!(row.title, format!("Kill {key}"));
        let count = journal::Entity::find().filter(journal::Column::EntityId.eq(id)).count(db);
        assert_eq!(count.await.expect("a count"), 1, "journal rows of {key}");
        let qpvs = action_qpv::Entity::find().filter(action_qpv::Column::ActionId.eq(id)).count(db);
        let partners =
            action_partner::Entity::find().filter(action_partner::Column::ActionId.eq(id)).count(db);
        assert_eq!(
            (qpvs.await.expect("a count"), partners.await.expect("a count")),
            (2, 2),
            "links of {key}"
        );
    }
    let running = idempotency_key::Entity::find()
        .filter(idempotency_key::Column::State.eq(IdempotencyState::Running))
        .count(db);
    assert_eq!(running.await.expect("a count"), 0);
    assert!(sent.len() > 20, "too few to mean anything");
    sent.len()
}

#[test]
fn a_killed_server_keeps_what_it_acknowledged_sqlite() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(kill(Backend::Sqlite));
}

#[test]
fn a_killed_server_keeps_what_it_acknowledged_postgres() {
    block_on_postgres(async || kill(Backend::Postgres).await);
}
