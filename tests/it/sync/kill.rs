//! The server is killed while it imports: every acknowledged item is there once, with its journal, and what was not
//! acknowledged settles when it is sent again or resumed. `TEST_KILLS` says how often (20).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use entity::{action, action_partner, import_batch, journal, partner, seat};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use tests::{Backend, Process, Template, TestApp, TestDatabase, block_on_postgres};
use uuid::Uuid;

use super::{SYNC, item};
use crate::writes::kill::some_milliseconds;

/// Items of a call.
const ITEMS: usize = 40;
/// Lines that an upload has more than were acknowledged.
const LINES: usize = 4_000;
/// Partners that the items name, unknown before.
const PARTNERS: usize = 5;

/// A partner's system, which tries again.
#[derive(Clone)]
struct System {
    http: reqwest::Client,
    token: String,
}

/// The state of one item of the source.
fn state(id: &str, number: usize, version: u32) -> Value {
    let partner = json!({ "externalId": format!("P-{}", number % PARTNERS), "name": "Tremplin", "kind": "ASSOCIATION" });
    let title = format!("Permanence {number}, version {version}");
    item(id, version, json!({ "title": title, "partners": [partner] }))
}

impl System {
    /// Sends a call; gives the ids of its actions, if it was acknowledged.
    async fn call(&self, address: &str, batch: &str, version: u32) -> Option<Value> {
        let items: Vec<Value> = (0..ITEMS).map(|n| state(&format!("S-{batch}-{n}"), n, version)).collect();
        let input = json!({ "idempotencyKey": format!("{batch}/{version}"), "items": items });
        let body = json!({ "query": SYNC, "variables": { "input": input } }).to_string();
        let request = self.http.post(address).bearer_auth(&self.token).body(body);
        let answer = request.header("content-type", "application/json").send().await.ok()?;
        let answer: Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
        let results = answer.pointer("/data/syncActions/results")?.as_array().expect("results").clone();
        let expected = if version == 1 { "CREATED" } else { "UPDATED" };
        assert!(results.iter().all(|one| one["outcome"] == expected), "{answer}");
        Some(results.iter().map(|one| one["action"]["id"].clone()).collect())
    }

    /// Sends lines from the first that was not acknowledged; gives the number of the next that was not.
    async fn upload(&self, address: &str, from: usize, to: usize) -> usize {
        let lines: Vec<String> = (from..to).map(|n| state(&format!("U-{n}"), n, 1).to_string()).collect();
        let url = address.replace(cites::http::GRAPHQL_PATH, &format!("/import/actions?from={from}"));
        let request = self.http.post(url).bearer_auth(&self.token).body(lines.join("\n"));
        let request =
            request.header("content-type", "application/x-ndjson").header("idempotency-key", "file");
        let (mut next, mut told) = (from, Vec::new());
        let Ok(mut answer) = request.send().await else { return next };
        assert_eq!(answer.status(), 200);
        while let Ok(Some(bytes)) = answer.chunk().await {
            told.extend_from_slice(&bytes);
            while let Some(end) = told.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = told.drain(..=end).collect();
                let line: Value = serde_json::from_slice(&line).expect("a line of JSON");
                assert_eq!(line["line"], next, "{line}");
                // the lines of a chunk whose answer was cut off were done before
                assert!(line["outcome"] == "CREATED" || line["outcome"] == "UNCHANGED", "{line}");
                next += 1;
            }
        }
        next
    }
}

/// Calls that were sent, by batch and version, and the ids that came back, if any did.
type Sent = BTreeMap<(String, u32), Option<Value>>;

/// Sends calls until the server is gone: each batch is made, then changed.
async fn calls(system: System, address: String, over: Arc<AtomicBool>, name: String) -> Sent {
    let mut sent = Sent::new();
    for n in 0.. {
        for version in [1, 2] {
            let batch = format!("{name}-{n}");
            if over.load(Ordering::SeqCst) {
                return sent;
            }
            let ids = system.call(&address, &batch, version).await;
            let is_lost = ids.is_none();
            sent.insert((batch, version), ids);
            if is_lost {
                return sent;
            }
        }
    }
    sent
}

/// Sends again what was not acknowledged: the same ids for all versions of a batch.
async fn settle(system: &System, address: &str, sent: &mut Sent) -> usize {
    let open: Vec<(String, u32)> =
        sent.iter().filter(|(_, ids)| ids.is_none()).map(|(key, _)| key.clone()).collect();
    for (batch, version) in &open {
        let ids = system.call(address, batch, *version).await.expect("a retry is done");
        sent.insert((batch.clone(), *version), Some(ids));
    }
    for ((batch, _), ids) in sent.iter() {
        assert_eq!(Some(ids), sent.get(&(batch.clone(), 1)), "{batch} has other actions now");
    }
    open.len()
}

async fn kill(backend: Backend) {
    let kills = std::env::var("TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(20);
    let home = tempfile::tempdir().expect("a folder");
    let database = TestDatabase::of(backend, Template::Small, home.path()).await;
    let mut process = Process::of(env!("CARGO_BIN_EXE_cites-tested"), &database, home.path());
    let token = process.run(&[
        "token",
        "--role",
        "partner_system",
        "--source",
        "FRANCE_TRAVAIL",
        "--sites",
        "cde-901",
    ]);
    let token = String::from_utf8(token.stdout).expect("a token").trim().to_owned();
    let system = System { http: reqwest::Client::new(), token };
    let (mut sent, mut next, mut again, mut resumed) = (Sent::new(), 0, 0, 0);
    for round in 0..kills {
        let address = process.serve();
        again += settle(&system, &address, &mut sent).await;
        let over = Arc::new(AtomicBool::new(false));
        let calling =
            tokio::spawn(calls(system.clone(), address.clone(), Arc::clone(&over), round.to_string()));
        let uploading = {
            let system = system.clone();
            tokio::spawn(async move { system.upload(&address, next, next + LINES).await })
        };
        tokio::time::sleep(some_milliseconds(1_500) + Duration::from_millis(100)).await;
        process.kill();
        over.store(true, Ordering::SeqCst);
        sent.extend(calling.await.expect("the calls end"));
        let acknowledged = uploading.await.expect("the upload ends");
        resumed += usize::from(acknowledged < next + LINES);
        next = acknowledged;
    }
    let address = process.serve();
    again += settle(&system, &address, &mut sent).await;
    let lines = next + 1_500;
    assert_eq!(system.upload(&address, next, lines).await, lines, "the rest is acknowledged");
    process.kill();
    let app = TestApp::serve(database, home, |url| url).await;
    check(&app, &sent, lines).await;
    println!(
        "{backend:?}: {kills} kills, {} calls, of which {again} were sent again, and {lines} lines, resumed {resumed} times",
        sent.len()
    );
    app.stop().await;
}

/// Each item is there once, with its links and one journal row for each of its versions; there is nothing else.
async fn check(app: &TestApp, sent: &Sent, lines: usize) {
    let db = &app.db.readers;
    let versions = versions(sent, lines);
    let rows = action::Entity::find().filter(action::Column::SourceSystem.eq("FRANCE_TRAVAIL"));
    let rows = rows.filter(action::Column::Title.starts_with("Permanence ")).all(db).await.expect("actions");
    assert_eq!(rows.len(), versions.len(), "as many as were sent");
    let mut journaled: HashMap<Option<Uuid>, Vec<i32>> = HashMap::new();
    for entry in journal::Entity::find().all(db).await.expect("entries") {
        journaled.entry(entry.entity_id).or_default().push(entry.version);
    }
    for row in &rows {
        let id = row.source_external_id.as_ref().expect("an id");
        assert_eq!(Some(&row.version), versions.get(id), "version of {id}");
        let mut entries = journaled.remove(&Some(row.id)).unwrap_or_default();
        entries.sort_unstable();
        assert_eq!(entries, (1..=row.version).collect::<Vec<_>>(), "journal of {id}");
    }
    let linked = action_partner::Entity::find()
        .filter(action_partner::Column::ActionId.is_in(rows.iter().take(500).map(|row| row.id)));
    assert_eq!(linked.count(db).await.expect("a count"), rows.len().min(500) as u64);
    let made = partner::Entity::find().filter(partner::Column::SourceSystem.eq("FRANCE_TRAVAIL"));
    let made = made.filter(partner::Column::Name.eq("Tremplin")).all(db).await.expect("partners");
    assert_eq!(made.len(), PARTNERS);
    let seats = seat::Entity::find().filter(seat::Column::PartnerId.is_in(made.iter().map(|row| row.id)));
    assert_eq!(seats.count(db).await.expect("a count"), PARTNERS as u64);
    let calls = import_batch::Entity::find().filter(import_batch::Column::IdempotencyKey.contains("/"));
    assert_eq!(calls.count(db).await.expect("a count"), sent.len() as u64, "one batch a call");
}

/// The version that each item must have come to.
fn versions(sent: &Sent, lines: usize) -> HashMap<String, i32> {
    let mut versions: HashMap<String, i32> = (0..lines).map(|n| (format!("U-{n}"), 1)).collect();
    for (batch, _) in sent.keys() {
        for n in 0..ITEMS {
            *versions.entry(format!("S-{batch}-{n}")).or_default() += 1;
        }
    }
    versions
}

#[test]
fn a_killed_server_keeps_the_imports_it_acknowledged_sqlite() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(kill(Backend::Sqlite));
}

#[test]
fn a_killed_server_keeps_the_imports_it_acknowledged_postgres() {
    block_on_postgres(async || kill(Backend::Postgres).await);
}
