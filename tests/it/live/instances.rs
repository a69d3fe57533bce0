//! Several instances on one PostgreSQL: all see all changes, whatever becomes of the word between them.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use tests::{Backend, Proxy, Template, TestApp, block_on_postgres};

use super::{following, line, rename};

/// Waits until an instance hears others.
async fn hears(app: &TestApp) {
    while !app.db.news.hears() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn two() -> (TestApp, TestApp) {
    let one = TestApp::start(Backend::Postgres, Template::Small).await;
    let other = one.beside().await;
    hears(&one).await;
    hears(&other).await;
    (one, other)
}

#[test]
fn instances_tell_each_other_of_commits() {
    block_on_postgres(async || {
        let (one, other) = two().await;
        let (mut here, mut there) = (following(&one.anct()).await, following(&other.anct()).await);
        for n in 0..20 {
            let writer = if n % 2 == 0 { &one } else { &other };
            rename(writer, 1, &format!("Nom {n}")).await;
            for socket in [&mut here, &mut there] {
                let wait = tokio::time::timeout(Duration::from_secs(4), socket.change());
                // looking from time to time would take longer than word does
                let change = wait.await.expect("word comes before the next look");
                assert_eq!(line(&change), format!("UPSERT SITE {} *", n + 2));
            }
        }
        other.stop().await;
        one.stop().await;
    });
}

#[test]
fn word_is_sent_apart_from_what_it_is_about() {
    block_on_postgres(async || {
        let one = TestApp::start(Backend::Postgres, Template::Small).await;
        let proxy = Proxy::to(one.database.url());
        let writer = one.beside_by(|url| proxy.url(&url)).await;
        hears(&one).await;
        hears(&writer).await;
        let mut socket = following(&one.anct()).await;
        for n in 0..20 {
            rename(&writer, 1, &format!("Nom {n}")).await;
            assert_eq!(line(&socket.change().await), format!("UPSERT SITE {} *", n + 2));
        }
        // a NOTIFY within a transaction makes the commits of all wait for each other
        assert_eq!(proxy.told(), (true, false));
        writer.stop().await;
        one.stop().await;
    });
}

#[test]
fn a_listener_that_is_killed_loses_nothing() {
    block_on_postgres(async || {
        let (one, other) = two().await;
        let mut there = following(&other.anct()).await;
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND \
                    query LIKE 'LISTEN%' OR query LIKE 'SELECT pg_notify%' AND datname = current_database()";
        for n in 0..20 {
            if n % 5 == 0 {
                let backend = one.db.writer.get_database_backend();
                let killed = one.db.writer.query_all_raw(Statement::from_string(backend, kill)).await;
                assert!(!killed.expect("an answer").is_empty(), "somebody listens");
            }
            rename(&one, 1, &format!("Nom {n}")).await;
            if n % 5 == 4 {
                for version in n - 2..=n + 2 {
                    assert_eq!(line(&there.change().await), format!("UPSERT SITE {version} *"));
                }
                hears(&one).await;
                hears(&other).await;
            }
        }
        other.stop().await;
        one.stop().await;
    });
}

#[test]
fn an_instance_that_hears_nothing_looks_by_itself() {
    block_on_postgres(async || {
        let one = TestApp::start(Backend::Postgres, Template::Small).await;
        // LISTEN is accepted and hears nothing, as behind a pooler that lends connections for a transaction
        let proxy = Proxy::to(one.database.url());
        proxy.deafen();
        let deaf = one.beside_by(|url| proxy.url(&url)).await;
        let mut socket = following(&deaf.anct()).await;
        for n in 0..3 {
            rename(&one, 1, &format!("Nom {n}")).await;
            assert_eq!(line(&socket.change().await), format!("UPSERT SITE {} *", n + 2));
        }
        assert!(!deaf.db.news.hears());
        // what it commits itself it need not hear of
        let begun = std::time::Instant::now();
        rename(&deaf, 1, "D'ici").await;
        assert_eq!(line(&socket.change().await), "UPSERT SITE 5 *");
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        deaf.stop().await;
        one.stop().await;
    });
}

#[test]
fn a_change_behind_an_older_transaction_comes_when_that_ends() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let mut socket = following(&app.anct()).await;
        let open = app.db.begin_write().await.expect("a transaction");
        open.execute_unprepared("SELECT pg_current_xact_id()").await.expect("it has a number");
        rename(&app, 1, "Derrière").await;
        let early = tokio::time::timeout(Duration::from_millis(300), socket.change()).await;
        assert!(early.is_err(), "an older transaction may still add an entry before it: {early:?}");
        let ended = std::time::Instant::now();
        open.rollback().await.expect("it ends");
        assert_eq!(line(&socket.change().await), "UPSERT SITE 2 *");
        // nobody says that it has ended; who knows of the entry looks again and again
        assert!(ended.elapsed() < Duration::from_secs(3), "{:?}", ended.elapsed());
        app.stop().await;
    });
}
