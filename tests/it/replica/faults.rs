//! Whatever happens to the standby, nobody is refused for it.

use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;
use tests::{Proxy, Replicated, block_on_postgres};

use super::*;

#[test]
fn a_replica_that_is_cut_off_is_not_missed() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let proxy = Proxy::to(&servers.standby_url);
        let app = servers.serve_by(&proxy.url(&servers.standby_url), &[METRICS]).await;
        let public = app.public();
        served_to(&app, &public).await;
        let before = name(&public).await;
        proxy.cut();
        for _ in 0..5 {
            assert_eq!(name(&public).await, before);
        }
        assert_eq!(app.get("/health/ready").await.status, 200);
        let scrape = until(&app, |scrape| scrape.value("cites_replica_serves") < 0.5).await;
        assert!(scrape.value("cites_replica_lag_seconds").is_nan());
        assert_eq!(name(&public).await, before);
        assert!(from_primary(&app, "away").await >= 1.0);
        proxy.mend();
        served_to(&app, &public).await;
        app.stop().await;
    });
}

#[test]
fn a_replica_that_answers_no_more_is_not_waited_for() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let proxy = Proxy::to(&servers.standby_url);
        let app = servers.serve_by(&proxy.url(&servers.standby_url), &[METRICS]).await;
        let public = app.public();
        served_to(&app, &public).await;
        proxy.delay(Duration::from_mins(1));
        let begun = Instant::now();
        name(&public).await;
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert!(from_primary(&app, "failed").await + from_primary(&app, "away").await >= 1.0);
        app.stop().await;
    });
}

#[test]
fn a_replica_that_crashes_and_comes_back_fails_no_request() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let app = servers.serve(&[METRICS]).await;
        let (public, anct) = (app.public(), app.anct());
        served_to(&app, &public).await;
        for _ in 0..3 {
            servers.end_connections().await;
            name(&public).await;
        }
        served_to(&app, &public).await;
        servers.crash().await;
        for round in 0..30 {
            let written = format!("Ronde {round}");
            rename(&anct, &written).await;
            assert_eq!(name(&anct).await, written);
            name(&public).await;
        }
        served_to(&app, &anct).await;
        assert_eq!(name(&anct).await, "Ronde 29");
        app.stop().await;
    });
}

#[test]
fn a_lock_that_the_standby_replays_is_not_waited_for_there() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let app = servers.serve(&[METRICS]).await;
        let public = app.public();
        served_to(&app, &public).await;
        let before = name(&public).await;
        let lock = app.db.begin_write().await.expect("a transaction");
        lock.execute_unprepared("LOCK TABLE site IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
        servers.caught_up().await;
        servers.pause().await;
        lock.rollback().await.expect("it ends");
        // the primary has given it back; the standby has not heard of it
        let locks =
            "SELECT count(*)::text FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL";
        assert_ne!(servers.on_standby(locks).await, "0");
        assert_eq!(name(&public).await, before);
        assert!(from_primary(&app, "failed").await >= 1.0);
        servers.go_on().await;
        served_to(&app, &public).await;
        app.stop().await;
    });
}
