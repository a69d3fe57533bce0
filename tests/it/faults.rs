//! The database goes away and comes back: the process stays, says so, and recovers by itself.

use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;
use serde_json::json;
use tests::{
    Answer, Backend, Proxy, Template, TestApp, TestDatabase, administer, block_on_postgres, on_both,
};

use crate::writes::{waiting, write};

const DOCUMENT: &str = "{ sites { totalCount nodes { name actions { totalCount } } } }";

fn assert_unavailable(answer: &Answer) {
    assert_eq!((answer.status, answer.code()), (503, "UNAVAILABLE"), "{answer}");
    assert_eq!(answer.errors()[0]["extensions"]["retryAfter"], 5, "{answer}");
    assert!(!answer.header("retry-after").is_empty(), "{:?}", answer.headers);
    assert!(!answer.body.to_string().contains("PGSQL"), "{answer}");
}

#[test]
fn a_database_that_is_cut_off_answers_unavailable_until_it_is_back() {
    block_on_postgres(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Postgres, Template::Small, home.path()).await;
        let proxy = Proxy::to(database.url());
        let app = TestApp::serve(database, home, |url| proxy.url(&url)).await;
        assert_eq!(app.public().ask(DOCUMENT).await.number("/sites/totalCount"), 3);
        proxy.cut();
        for _ in 0..3 {
            assert_unavailable(&app.public().ask(DOCUMENT).await);
        }
        assert_eq!(app.get("/health/live").await.status, 200);
        assert_eq!(app.get("/health/ready").await.status, 503);
        proxy.mend();
        assert_eq!(app.public().ask(DOCUMENT).await.number("/sites/totalCount"), 3);
        app.clock.advance(1);
        assert_eq!(app.get("/health/ready").await.status, 200);
        app.stop().await;
    });
}

#[test]
fn a_database_that_takes_no_connections_answers_unavailable() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        assert_eq!(app.public().ask(DOCUMENT).await.number("/sites/totalCount"), 3);
        let name = app.database.name().expect("a name").to_owned();
        administer(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")).await;
        administer(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ))
        .await;
        for _ in 0..3 {
            assert_unavailable(&app.public().ask(DOCUMENT).await);
        }
        administer(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")).await;
        assert_eq!(app.public().ask(DOCUMENT).await.number("/sites/totalCount"), 3);
        app.stop().await;
    });
}

#[test]
fn a_commit_whose_answer_is_lost_is_settled_by_its_key() {
    block_on_postgres(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Postgres, Template::Small, home.path()).await;
        let proxy = Proxy::to(database.url());
        let app = TestApp::serve(database, home, |url| proxy.url(&url)).await;
        let city = app.collectivite(&["200046977"]);
        let partner = json!({ "name": "Tremplin", "kind": "ASSOCIATION", "idempotencyKey": "k" });
        proxy.lose_commit_after("idempotency_key");
        let lost = write(&city, "createPartner", partner.clone()).await;
        assert_eq!(lost.0.code(), "OUTCOME_UNKNOWN", "{}", lost.0);
        assert_eq!(lost.0.errors()[0]["extensions"]["retryAfter"], 5);
        let again = write(&city, "createPartner", partner).await;
        assert!(again.replayed(), "it was done: {}", again.0);
        let there = "{ partners(filter: { name: { eq: \"Tremplin\" } }) { totalCount nodes { id } } }";
        let there = app.public().ask(there).await;
        assert_eq!(there.column("/partners/nodes", "id"), [again.id()], "once");
        let events = app.anct().ask("{ auditEvents { nodes { outcome verb } } }").await;
        assert_eq!(events.column("/auditEvents/nodes", "outcome"), ["OUTCOME_UNKNOWN", "OK"]);
        app.stop().await;
    });
}

#[test]
fn connections_that_the_server_ended_are_replaced_unnoticed() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let city = app.collectivite(&["200046977"]);
        let partner = |name: &str| json!({ "name": name, "kind": "ASSOCIATION" });
        assert_eq!(app.public().ask(DOCUMENT).await.number("/sites/totalCount"), 3);
        assert!(write(&city, "createPartner", partner("Avant")).await.problems().is_empty());
        let name = app.database.name().expect("a name").to_owned();
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        for _ in 0..3 {
            administer(&end).await;
            assert_eq!(app.public().ask(DOCUMENT).await.number("/sites/totalCount"), 3);
            administer(&end).await;
            let written = write(&city, "createPartner", partner("Après")).await;
            assert!(written.problems().is_empty(), "{}", written.0);
        }
        app.stop().await;
    });
}

/// How long the database may work for a request, in tests of that.
const SHORT: [(&str, &str); 1] = [("CITES_DATABASE__REQUEST_TIMEOUT_MS", "300")];

#[test]
fn a_read_that_takes_too_long_is_stopped() {
    block_on_postgres(async || {
        let app = TestApp::start_with(Backend::Postgres, Template::Small, &SHORT).await;
        let other = app.db.begin_write().await.expect("a transaction");
        other.execute_unprepared("LOCK TABLE site IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
        let answer = app.public().ask(DOCUMENT).await;
        assert_eq!((answer.status, answer.code()), (200, "DEADLINE_EXCEEDED"), "{answer}");
        assert!(answer.body["data"].is_null(), "{answer}");
        other.rollback().await.expect("it ends");
        assert_eq!(app.public().ask(DOCUMENT).await.number("/sites/totalCount"), 3);
        app.stop().await;
    });
}

#[test]
fn a_write_that_takes_too_long_is_stopped_and_undone() {
    block_on_postgres(async || {
        let app = TestApp::start_with(Backend::Postgres, Template::Small, &SHORT).await;
        let city = app.collectivite(&["200046977"]);
        let partner = json!({ "name": "Tremplin", "kind": "ASSOCIATION", "idempotencyKey": "k" });
        let other = app.db.begin_write().await.expect("a transaction");
        other.execute_unprepared("LOCK TABLE partner IN SHARE MODE").await.expect("a lock");
        let late = write(&city, "createPartner", partner.clone()).await;
        assert_eq!(late.0.code(), "DEADLINE_EXCEEDED", "{}", late.0);
        other.rollback().await.expect("it ends");
        let there = "{ partners(filter: { name: { eq: \"Tremplin\" } }) { totalCount } }";
        assert_eq!(app.public().ask(there).await.number("/partners/totalCount"), 0);
        let again = write(&city, "createPartner", partner).await;
        assert!(again.problems().is_empty() && !again.replayed(), "{}", again.0);
        app.stop().await;
    });
}

on_both!(an_instance_is_not_ready_while_its_database_lacks_a_migration, Small, async |app| {
    assert_eq!(app.get("/health/ready").await.status, 200);
    app.db.migrate_down(1).await.expect("undone");
    assert_eq!(
        app.get("/health/ready").await.status,
        200,
        "the database is asked once a second, whoever asks"
    );
    app.clock.advance(1);
    assert_eq!(app.get("/health/ready").await.status, 503);
    app.db.migrate().await.expect("applied");
    app.clock.advance(1);
    assert_eq!(app.get("/health/ready").await.status, 200);
});

/// Waits until so many sessions of the database wait for a lock: far sooner than the database's deadline.
async fn until_waiting(app: &TestApp, sessions: i64) {
    let until = Instant::now() + Duration::from_secs(15);
    while waiting(app).await != sessions {
        assert!(Instant::now() < until, "{sessions} sessions should wait for a lock");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Asks, and goes away once the database waits for a lock.
async fn goes_away<T>(app: &TestApp, asking: impl Future<Output = T>) {
    tokio::select! {
        _ = asking => panic!("nothing is answered while the lock is held"),
        () = until_waiting(app, 1) => {}
    }
}

#[test]
fn what_is_done_for_a_client_that_went_away_is_stopped_and_undone() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let lock = app.db.begin_write().await.expect("a transaction");
        lock.execute_unprepared("LOCK TABLE site IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
        goes_away(&app, app.public().ask(DOCUMENT)).await;
        until_waiting(&app, 0).await;
        lock.rollback().await.expect("it ends");

        let city = app.collectivite(&["200046977"]);
        let lock = app.db.begin_write().await.expect("a transaction");
        lock.execute_unprepared("LOCK TABLE partner IN SHARE MODE").await.expect("a lock");
        let partner = json!({ "name": "Tremplin", "kind": "ASSOCIATION" });
        goes_away(&app, write(&city, "createPartner", partner)).await;
        until_waiting(&app, 0).await;
        lock.rollback().await.expect("it ends");
        let there = "{ partners(filter: { name: { eq: \"Tremplin\" } }) { totalCount } }";
        assert_eq!(app.public().ask(there).await.number("/partners/totalCount"), 0);
        app.stop().await;
    });
}

/// Longer than the database may work for nothing, by half a second at least.
const LONG: Duration = Duration::from_millis(1_700);

#[test]
fn the_time_of_the_database_is_paid_by_exports_and_by_who_goes_away() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let left = async || {
            let answer = app.public().ask("{ __typename }").await;
            answer.body["extensions"]["cost"]["remaining"].as_u64().expect("a number")
        };
        let lock = async || {
            let lock = app.db.begin_write().await.expect("a transaction");
            lock.execute_unprepared("LOCK TABLE site IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
            lock
        };
        let before = left().await;
        let held = lock().await;
        let ask = async || app.public().ask("{ sites(first: 1) { nodes { name } } }").await;
        tokio::select! {
            answer = ask() => panic!("nothing is answered while the lock is held: {answer}"),
            () = tokio::time::sleep(LONG) => {}
        }
        until_waiting(&app, 0).await;
        held.rollback().await.expect("it ends");
        let after = left().await;
        assert!(before - after > 500, "{before} {after}");

        let held = lock().await;
        let export = async || crate::export::get(&app, &app.public(), "sites.csv", &[]).await;
        let release = async {
            tokio::time::sleep(LONG).await;
            held.rollback().await.expect("it ends");
        };
        let (export, ()) = tokio::join!(export(), release);
        assert_eq!(export.status, 200);
        let last = left().await;
        assert!(after - last > cites::limits::EXPORT_POINTS + 500, "{after} {last}");
        app.stop().await;
    });
}

/// One thread with two readers, one of which may be busy with what is expensive.
const SMALL: [(&str, &str); 1] = [("CITES_DATABASE__MAX_CONNECTIONS", "4")];

async fn expensive(app: &TestApp) -> Answer {
    app.anct().ask("{ actionStatistics(groupBy: [PILLAR]) { actionCount } }").await
}

/// Two ask for what is expensive, and a lock keeps the database from answering: the answer to the one that waits in
/// vain for its turn, and to the other once the lock is gone. Cheap reads go on.
async fn crowded(app: &TestApp) -> (Answer, Answer) {
    let lock = app.db.begin_write().await.expect("a transaction");
    lock.execute_unprepared("LOCK TABLE action IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
    let (mut one, mut two) = (Box::pin(expensive(app)), Box::pin(expensive(app)));
    let (refused, waits) = tokio::select! {
        answer = &mut one => (answer, two),
        answer = &mut two => (answer, one),
    };
    let cheap = app.public().ask("{ site(by: { code: \"cde-901\" }) { name } }").await;
    assert!(cheap.data("/site/name").is_string(), "{cheap}");
    assert_eq!(app.get("/health/ready").await.status, 200);
    lock.rollback().await.expect("it ends");
    (refused, waits.await)
}

#[test]
fn who_asks_for_more_than_can_be_served_is_turned_away_while_cheap_reads_go_on() {
    block_on_postgres(async || {
        let app = TestApp::start_with(Backend::Postgres, Template::Small, &SMALL).await;
        let (refused, served) = crowded(&app).await;
        assert_unavailable(&refused);
        let message = refused.errors()[0]["message"].as_str().expect("a text");
        assert!(message.contains("more is asked"), "{refused}");
        assert!(served.errors().is_empty(), "{served}");
        assert!(expensive(&app).await.errors().is_empty(), "the place is free again");
        app.stop().await;
    });
}

#[test]
fn a_server_that_takes_no_writes_any_more_is_left_for_another() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let city = app.collectivite(&["200046977"]);
        let partner = |name: &str| json!({ "name": name, "kind": "ASSOCIATION" });
        assert!(write(&city, "createPartner", partner("Avant")).await.problems().is_empty());
        let name = app.database.name().expect("a name").to_owned();
        // as a former primary after a failover, to those who come anew and to those who are there
        let read_only = |on: &str| format!("ALTER DATABASE {name} SET default_transaction_read_only = {on}");
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        administer(&read_only("on")).await;
        administer(&end).await;
        for _ in 0..2 {
            let refused = write(&city, "createPartner", partner("Pendant")).await;
            assert_eq!(refused.0.code(), "UNAVAILABLE", "{}", refused.0);
            assert_eq!(app.public().ask(DOCUMENT).await.number("/sites/totalCount"), 3);
        }
        // no connection is ended now: those that found no writes are not used again
        administer(&read_only("off")).await;
        assert!(write(&city, "createPartner", partner("Après")).await.problems().is_empty());
        let there =
            "{ partners(filter: { name: { in: [\"Avant\", \"Pendant\", \"Après\"] } }) { nodes { name } } }";
        let mut names = app.public().ask(there).await.column("/partners/nodes", "name");
        names.sort();
        assert_eq!(names, ["Après", "Avant"]);
        app.stop().await;
    });
}

#[test]
fn a_database_that_is_slow_to_answer_is_not_waited_for() {
    block_on_postgres(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Postgres, Template::Small, home.path()).await;
        let proxy = Proxy::to(database.url());
        let settings = [SHORT[0], ("CITES_DATABASE__ACQUIRE_TIMEOUT_MS", "300")];
        let app = TestApp::serve_with(database, home, &settings, |url| proxy.url(&url)).await;
        assert_eq!(app.public().ask(DOCUMENT).await.number("/sites/totalCount"), 3);
        proxy.delay(Duration::from_secs(3));
        let begun = Instant::now();
        let late = app.public().ask(DOCUMENT).await;
        assert!(["DEADLINE_EXCEEDED", "UNAVAILABLE"].contains(&late.code()), "{late}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
        assert_eq!(app.get("/health/live").await.status, 200);
        proxy.delay(Duration::ZERO);
        assert_eq!(app.public().ask(DOCUMENT).await.number("/sites/totalCount"), 3);
        app.stop().await;
    });
}
