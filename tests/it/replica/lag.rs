//! A standby that is too far behind is not read from until it has caught up.

use tests::{Replicated, block_on_postgres};

use super::*;

#[test]
fn beyond_the_lag_that_is_allowed_reads_come_from_the_primary() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let app = servers.serve(&[METRICS, &[("CITES_DATABASE__REPLICA_MAX_LAG_MS", "90000")]]).await;
        let public = app.public();
        served(&app).await;
        let before = name(&public).await;
        servers.pause().await;
        rename(&app.anct(), "Renommée").await;
        app.clock.advance(90);
        assert_eq!(name(&public).await, before, "as old as may be");
        app.clock.advance(1);
        assert_eq!(name(&public).await, "Renommée");
        assert!(from_primary(&app, "lagging").await >= 1.0);
        let scrape = until(&app, |scrape| scrape.value("cites_replica_serves") < 0.5).await;
        scrape.is("cites_replica_lag_seconds", 91);
        assert_eq!(app.get("/health/ready").await.status, 200);
        servers.go_on().await;
        served_to(&app, &public).await;
        assert_eq!(name(&public).await, "Renommée");
        assert!(Scrape::of(&app).await.value("cites_replica_lag_seconds") < 0.5);
        app.stop().await;
    });
}

#[test]
fn a_standby_of_a_primary_where_nothing_happens_does_not_grow_old() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let app = servers.serve(&[METRICS]).await;
        for _ in 0..3 {
            served(&app).await;
            app.clock.advance(3_600);
        }
        served_to(&app, &app.public()).await;
        app.stop().await;
    });
}
