//! The example of a client, against a server that is killed meanwhile and is itself killed: nothing is lost or doubled,
//! and its mirror is what the database answers. `TEST_KILLS` says how often (12).

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cites::db::{Bounds, Db};
use entity::{action, journal};
use france_travail_sync::mirror::{Mirror, Row};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::{Backend, Process, Template, TestDatabase, block_on_postgres};

use crate::writes::kill::some_milliseconds;

const POSTS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/france-travail-sync/data/postes_adultes_relais_2023.csv"
);
/// Rows of the file.
const ROWS: usize = 5_416;

/// The example as somebody runs it.
struct Example {
    url: String,
    token: PathBuf,
    mirror: PathBuf,
}

impl Example {
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_france-travail-sync-tested"));
        command.args([
            "--url",
            &self.url,
            "--csv",
            POSTS,
            "--as-of",
            "2023-12-31T00:00:00Z",
            "--items",
            "40",
        ]);
        command.arg("--token-file").arg(&self.token).arg("--mirror").arg(&self.mirror);
        command
    }

    fn watch(&self) -> Child {
        let mut command = self.command();
        command.args(["--watch", "1"]).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the example starts")
    }
}

fn end(mut child: Child) {
    child.kill().expect("the example is killed");
    child.wait().expect("it is gone");
}

/// One who asks over HTTP.
#[derive(Clone)]
struct Caller {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Caller {
    async fn ask(&self, query: &str, variables: Value) -> Option<Value> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = self.http.post(&self.url).bearer_auth(&self.token).body(body);
        let answer = request.header("content-type", "application/json").send().await.ok()?;
        serde_json::from_str(&answer.text().await.ok()?).ok()
    }

    /// Makes, changes and deletes actions until told to stop, whatever becomes of them; gives how many it made.
    async fn write(self, over: Arc<AtomicBool>) -> usize {
        let (mut made, mut number) = (0, 0);
        while !over.load(Ordering::SeqCst) {
            number += 1;
            if self.write_one(number).await.is_some() {
                made += 1;
            } else {
                // the server is down: not without a breath
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        made
    }

    async fn write_one(&self, number: usize) -> Option<()> {
        const CREATE: &str =
            "mutation ($input: CreateActionInput!) { createAction(input: $input) { action { id } } }";
        const UPDATE: &str =
            "mutation ($input: UpdateActionInput!) { updateAction(input: $input) { action { id } } }";
        const DELETE: &str =
            "mutation ($input: DeleteActionInput!) { deleteAction(input: $input) { userErrors { code } } }";
        let site = self.ask("{ site(by: { code: \"cde-026\" }) { id } }", Value::Null).await?;
        let site = site.pointer("/data/site/id")?;
        let input = json!({ "site": site, "title": format!("Autre {number}") });
        let answer = self.ask(CREATE, json!({ "input": input })).await?;
        let id = answer.pointer("/data/createAction/action/id")?;
        let input = json!({ "id": id, "title": format!("Autre {number}, changée") });
        self.ask(UPDATE, json!({ "input": input })).await?;
        if number.is_multiple_of(3) {
            self.ask(DELETE, json!({ "input": { "id": id } })).await?;
        }
        Some(())
    }

    /// Every action that the caller reads, by id.
    async fn actions(&self) -> Vec<Row> {
        const PAGE: &str = "query ($after: String) { actions(first: 100, after: $after) { \
            pageInfo { hasNextPage endCursor } nodes { id version title status startsOn endsOn site { id code } \
            source { system externalId } } } }";
        let (mut rows, mut after) = (Vec::new(), Value::Null);
        loop {
            let answer = self.ask(PAGE, json!({ "after": after })).await.expect("an answer");
            let page = answer.pointer("/data/actions").expect("a page");
            rows.extend(page["nodes"].as_array().expect("actions").iter().map(row));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                rows.sort_by(|one, other| one.id.cmp(&other.id));
                return rows;
            }
        }
    }
}

fn row(node: &Value) -> Row {
    let text = |path: &str| node.pointer(path).and_then(Value::as_str).map(str::to_owned);
    Row {
        id: text("/id").expect("an id"),
        version: node["version"].as_i64().expect("a version"),
        title: text("/title").expect("a title"),
        status: text("/status").expect("a status"),
        period: (text("/startsOn"), text("/endsOn")),
        site_id: text("/site/id"),
        site: text("/site/code"),
        source: (text("/source/system"), text("/source/externalId")),
    }
}

fn token(process: &Process, arguments: &[&str]) -> String {
    let told = process.run(&[&["token", "--role"], arguments].concat());
    String::from_utf8(told.stdout).expect("a token").trim().to_owned()
}

/// A port that nobody uses: the server comes back where it was.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its number").port()
}

async fn follow(backend: Backend) {
    let kills = std::env::var("TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(12);
    let home = tempfile::tempdir().expect("a folder");
    let database = TestDatabase::of(backend, Template::Real, home.path()).await;
    let listen: &str = Box::leak(format!("127.0.0.1:{}", free_port()).into_boxed_str());
    let process = Process::of(env!("CARGO_BIN_EXE_cites-tested"), &database, home.path());
    let mut process = process.with("CITES_SERVER__LISTEN", listen);
    let partner = token(&process, &["partner_system", "--source", "FRANCE_TRAVAIL", "--sites", "all"]);
    let example = Example {
        url: format!("http://{listen}/graphql"),
        token: home.path().join("token"),
        mirror: home.path().join("mirror.db"),
    };
    std::fs::write(&example.token, &partner).expect("the token is written");
    let caller = |token| Caller { http: reqwest::Client::new(), url: example.url.clone(), token };
    process.serve();
    let over = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn(caller(token(&process, &["anct"])).write(Arc::clone(&over)));
    let mut client = example.watch();
    for round in 0..kills {
        tokio::time::sleep(some_milliseconds(1_200)).await;
        if round % 3 == 2 {
            end(client);
            client = example.watch();
        } else {
            process.kill();
            process.serve();
        }
    }
    over.store(true, Ordering::SeqCst);
    let made = writing.await.expect("the writer ends");
    end(client);
    let last = example.command().output().expect("the example runs");
    assert!(last.status.success(), "{}", String::from_utf8_lossy(&last.stderr));
    let mirror = Mirror::open(&example.mirror).expect("the mirror opens").rows().expect("its rows");
    let read = caller(partner).actions().await;
    process.kill();
    let taken = check_report(&String::from_utf8_lossy(&last.stdout));
    assert_eq!(mirror, read, "the mirror is what the API answers");
    check(&database, taken).await;
    println!(
        "{backend:?}: {kills} kills, {made} other actions meanwhile, {taken} of {ROWS} rows taken, {} in the mirror",
        mirror.len()
    );
}

/// Every row of the file is taken or told of with its line and the reason; gives how many were taken.
fn check_report(report: &str) -> usize {
    let told: HashMap<u64, &str> = report
        .lines()
        .filter_map(|line| line.strip_prefix("ligne ")?.split_once(' '))
        .map(|(line, reason)| (line.parse().expect("a line number"), reason))
        .collect();
    let summary = report.lines().find(|line| line.ends_with("lignes non prises")).expect("a summary");
    let (outcomes, bad) = summary.split_once(" ; ").expect("outcomes and bad rows");
    assert_eq!(bad.split(' ').next().and_then(|bad| bad.parse().ok()), Some(told.len()), "{summary}");
    let outcomes = outcomes.split(", ").filter_map(|one| one.split_once(' '));
    let taken: usize = outcomes
        .filter(|(_, name)| ["CREATED", "UPDATED", "UNCHANGED"].contains(name))
        .map(|(count, _)| count.parse::<usize>().expect("a count"))
        .sum();
    assert_eq!(taken + told.len(), ROWS, "{summary}");
    let of = |reason: &str| told.values().filter(|told| told.contains(reason)).count();
    assert_eq!(of("id_poste est déjà plus haut"), 4);
    assert_eq!(of("code_cv est vide"), 52);
    assert_eq!(of("ce n'est pas un code"), 72, "two codes in one cell");
    assert!(of("plusieurs cités") > 0 && of("aucune cité") > 0, "{summary}");
    taken
}

/// Each row that was taken is one action, and the journal has each version of each action once.
async fn check(database: &TestDatabase, taken: usize) {
    let db = Db::open(database.url(), Bounds::default()).await.expect("the database opens");
    let own = action::Entity::find().filter(action::Column::SourceSystem.eq("FRANCE_TRAVAIL"));
    let own = own.filter(action::Column::Title.starts_with("Adulte-relais : ")).all(&db.readers).await;
    let own = own.expect("actions");
    assert_eq!(own.len(), taken);
    let mut journaled: HashMap<_, Vec<i32>> = HashMap::new();
    for entry in journal::Entity::find().all(&db.readers).await.expect("entries") {
        journaled.entry(entry.entity_id).or_default().push(entry.version);
    }
    for row in &own {
        assert_eq!((row.version, journaled.get(&Some(row.id))), (1, Some(&vec![1])), "{}", row.title);
    }
    db.close().await;
}

#[test]
fn the_example_keeps_in_step_with_a_server_that_is_killed_sqlite() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(follow(Backend::Sqlite));
}

#[test]
fn the_example_keeps_in_step_with_a_server_that_is_killed_postgres() {
    block_on_postgres(async || follow(Backend::Postgres).await);
}
