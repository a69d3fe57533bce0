//! Several instances on one PostgreSQL give a client together what one gives, where that is configured.

use std::time::{Duration, Instant};

use cites::db::Db;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use tests::{
    Backend, Dice, Persona, Process, Proxy, Template, TestApp, TestDatabase, block_on, block_on_postgres,
};
use uuid::Uuid;

/// Longer than anything here waits for.
const SOON: Duration = Duration::from_secs(30);

/// Costs 201 points, and no statement.
const ASK: &str = "{ __schema { queryType { name } } }";

/// How often it may be asked at once.
const TIMES: usize = 10;

/// So many points that what tests look with does not count, given back slowly.
const SLOW: [(&str, &str); 3] = [
    ("CITES_LIMITS__SHARED", "true"),
    ("CITES_LIMITS__PUBLIC", "{ operation = 2100, bucket = 2100, restore_rate = 2 }"),
    ("CITES_LIMITS__ANCT", "{ operation = 2100, bucket = 2100, restore_rate = 2 }"),
];

/// The same, given back within seconds.
const FAST: [(&str, &str); 3] = [
    SLOW[0],
    ("CITES_LIMITS__PUBLIC", "{ operation = 2100, bucket = 2100, restore_rate = 200 }"),
    ("CITES_LIMITS__ANCT", "{ operation = 2100, bucket = 2100, restore_rate = 200 }"),
];

async fn two(settings: &[(&str, &str)]) -> (TestApp, TestApp) {
    let one = TestApp::start_with(Backend::Postgres, Template::Small, settings).await;
    let other = one.beside_with(settings).await;
    (one, other)
}

/// Spends nearly all that a persona has.
async fn spend(persona: &Persona<'_>) {
    for _ in 0..TIMES {
        assert_eq!(persona.ask(ASK).await.errors(), [] as [Value; 0]);
    }
}

/// What is left after one point more; none when it is refused.
async fn left(persona: &Persona<'_>) -> Option<u64> {
    let answer = persona.ask("{ __typename }").await;
    answer.body["extensions"]["cost"]["remaining"].as_u64()
}

/// Waits until something is so; nothing tells when instances exchange.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < SOON, "not {what} after {:?}", begun.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// All that the database holds of clients, as text.
async fn rows(app: &TestApp) -> Vec<String> {
    let all = Statement::from_string(DbBackend::Postgres, "SELECT b::text FROM budget b");
    let rows = app.db.readers.query_all_raw(all).await.expect("an answer");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect()
}

#[test]
fn what_is_spent_at_one_instance_is_missing_at_the_other() {
    block_on_postgres(async || {
        let (one, other) = two(&SLOW).await;
        for (here, there) in [(one.public(), other.public()), (one.anct(), other.anct())] {
            spend(&here).await;
            until("heard of", async || left(&there).await.is_some_and(|left| left < 500)).await;
            let refused = there.ask(ASK).await;
            assert_eq!((refused.status, refused.code()), (429, "RATE_LIMITED"));
            let seconds = refused.errors()[0]["extensions"]["retryAfter"].as_u64().expect("a number");
            assert!((1..=201).contains(&seconds), "{refused}");
            assert_eq!(refused.header("retry-after"), seconds.to_string());
            let ask = "{ viewer { limits { cost { remaining } } } }";
            assert!(there.ask(ask).await.number("/viewer/limits/cost/remaining") < 500);
        }
        let person = other.anct().with(|claims| "autre".clone_into(&mut claims.sub));
        assert_eq!(left(&person).await, Some(2_099), "another client");
        other.stop().await;
        one.stop().await;
    });
}

#[test]
fn points_that_several_gave_at_once_are_owed_to_all() {
    block_on_postgres(async || {
        let (one, other) = two(&SLOW).await;
        // both give before either hears of the other
        let held = one.db.begin_write().await.expect("a transaction");
        held.execute_unprepared("LOCK TABLE budget IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
        spend(&one.public()).await;
        spend(&other.public()).await;
        held.rollback().await.expect("it ends");
        for app in [&one, &other] {
            until("in debt", async || left(&app.public()).await.is_none()).await;
            let refused = app.public().ask("{ __typename }").await;
            assert_eq!((refused.status, refused.code()), (429, "RATE_LIMITED"));
            let seconds: u64 = refused.header("retry-after").parse().expect("a number");
            // some 1 920 points are owed, a few more for looking, and two come back each second
            assert!((800..=1_300).contains(&seconds), "{seconds}");
        }
        other.stop().await;
        one.stop().await;
    });
}

#[test]
fn points_come_back_and_nothing_stays_written() {
    block_on_postgres(async || {
        let (one, other) = two(&FAST).await;
        spend(&one.public()).await;
        spend(&one.anct()).await;
        until("written", async || rows(&one).await.len() == 2).await;
        for row in rows(&one).await {
            let (name, instant) = row.trim_matches(['(', ')']).split_once(',').expect("two values");
            assert!(name.parse::<Uuid>().is_ok(), "nobody can read who it is: {row}");
            assert!(instant.starts_with("\"20"), "{row}");
        }
        // the clocks of these instances stand still: it is that of the database that gives back
        until("all there", async || left(&other.public()).await.is_some_and(|left| left > 2_000)).await;
        until("all there", async || left(&one.public()).await.is_some_and(|left| left > 2_000)).await;
        until("forgotten", async || rows(&one).await.is_empty()).await;
        other.stop().await;
        one.stop().await;
    });
}

#[test]
fn instances_count_alone_unless_told_otherwise() {
    block_on_postgres(async || {
        let (one, other) = two(&SLOW[1..]).await;
        let shared = one.beside_with(&SLOW).await;
        spend(&one.public()).await;
        spend(&shared.anct()).await;
        until("written", async || !rows(&one).await.is_empty()).await;
        assert_eq!(rows(&one).await.len(), 1, "by the one that shares");
        assert_eq!(left(&other.public()).await, Some(2_099));
        shared.stop().await;
        other.stop().await;
        one.stop().await;
    });
}

/// Asks a process as the public; in how many seconds to come again, 0 when it was answered.
async fn wait_told(address: &str, document: &str) -> u64 {
    let request = reqwest::Client::new().post(address).header("accept", "application/json");
    let answer = request.json(&json!({ "query": document })).send().await.expect("an answer");
    if answer.status() == 200 {
        return 0;
    }
    assert_eq!(answer.status(), 429, "{answer:?}");
    answer.headers()["retry-after"].to_str().expect("a text").parse().expect("seconds")
}

#[test]
fn without_the_database_each_goes_on_alone_and_they_share_again_when_it_is_back() {
    block_on_postgres(async || {
        let (home, beside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let database = TestDatabase::of(Backend::Postgres, Template::Small, home.path()).await;
        let proxy = Proxy::to(database.url());
        let mut instances = [&home, &beside].map(|home| {
            let url = proxy.url(database.url());
            Process::at(env!("CARGO_BIN_EXE_cites-tested"), &url, home.path())
                .with("CITES_LIMITS__SHARED", "true")
                .with("CITES_LIMITS__PUBLIC", "{ operation = 2100, bucket = 2100, restore_rate = 20 }")
        });
        let addresses = tokio::task::block_in_place(|| instances.each_mut().map(Process::serve));
        proxy.cut();
        for address in &addresses {
            for _ in 0..TIMES {
                assert_eq!(wait_told(address, ASK).await, 0);
            }
        }
        for address in &addresses {
            // longer than an instance needs to notice several times that the database is away
            until("given back", async || wait_told(address, ASK).await == 0).await;
        }
        proxy.mend();
        for (address, instance) in addresses.iter().zip(&instances) {
            // an instance that counts alone has points again within a second; what both took is paid in minutes
            until("in debt", async || wait_told(address, "{ __typename }").await > 60).await;
            until("told", async || instance.log().contains("are shared with other instances again")).await;
            let log = instance.log();
            assert_eq!(log.matches("points of clients cannot be shared").count(), 1, "{log}");
            assert_eq!(log.matches("are shared with other instances again").count(), 1, "{log}");
        }
        for instance in &mut instances {
            instance.kill();
        }
    });
}

/// An hour, in microseconds.
const HOUR: i64 = 3_600_000_000;

/// Tells of the same clients again and again, each time in another order, and of others who owe nothing.
async fn tell(db: &Db, clients: &[Uuid], seed: u64) {
    let mut dice = Dice::new(seed);
    for _ in 0..20 {
        let mut taken: Vec<(Uuid, i64)> = clients.iter().map(|client| (*client, HOUR)).collect();
        for index in (1..taken.len()).rev() {
            taken.swap(index, dice.between(0, index));
        }
        // one client twice, as when it was forgotten and came back
        let again = taken[0].0;
        taken.extend([(again, -HOUR), (again, HOUR)]);
        taken.extend((0..100).map(|n| (Uuid::from_u128(n), -1)));
        db.owe(taken.into_iter()).await.expect("nobody waits for anybody in a circle");
        db.forget_paid().await.expect("nor who forgets");
    }
}

#[test]
fn instances_that_tell_of_the_same_clients_do_not_get_into_each_other_s_way() {
    block_on_postgres(async || {
        let (one, other) = two(&[]).await;
        let third = one.beside_with(&[]).await;
        let begun = Instant::now();
        let clients: Vec<Uuid> = (0..400).map(|_| Uuid::now_v7()).collect();
        tokio::join!(tell(&one.db, &clients, 1), tell(&other.db, &clients, 2), tell(&third.db, &clients, 3));
        let owed = one.db.owe(clients.iter().map(|client| (*client, 0))).await.expect("what is owed");
        let passed = i64::try_from(begun.elapsed().as_micros()).expect("a short time");
        for client in &clients {
            let owed = owed[client];
            assert!((60 * HOUR - passed..=60 * HOUR).contains(&owed), "{owed} after {passed}");
        }
        third.stop().await;
        other.stop().await;
        one.stop().await;
    });
}

#[test]
fn an_embedded_database_shares_with_nobody() {
    block_on(async || {
        let home = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}/cites.db?mode=rwc", home.path().display());
        let process = Process::at(env!("CARGO_BIN_EXE_cites-tested"), &url, home.path())
            .with("CITES_LIMITS__SHARED", "true");
        let output = process.run(&["serve"]);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("limits.shared") && said.contains("PostgreSQL"), "{said}");
    });
}
