//! The database goes away and comes back: the process stays, says so, and recovers by itself.

use tests::{Answer, Backend, Proxy, Template, TestApp, TestDatabase, administer, block_on_postgres};

const DOCUMENT: &str = "{ sites { totalCount nodes { name actions { totalCount } } } }";

fn assert_unavailable(answer: &Answer) {
    assert_eq!((answer.status, answer.code()), (503, "UNAVAILABLE"), "{answer}");
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
