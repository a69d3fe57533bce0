//! A server with a standby, for one test at a time: the standby stands still when a test says so.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

use crate::database::{database_of, prepare};
use crate::{Template, TestApp, TestDatabase};

static ALONE: Mutex<()> = Mutex::const_new(());
static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static COPIES: AtomicU32 = AtomicU32::new(0);

/// A database on both servers.
#[derive(Debug)]
pub struct Replicated {
    /// Its address on the primary.
    pub url: String,
    /// Its address on the standby.
    pub standby_url: String,
    primary: DatabaseConnection,
    standby: DatabaseConnection,
    _alone: MutexGuard<'static, ()>,
}

impl Replicated {
    /// A copy of the small world. It goes with its servers.
    pub async fn lay() -> Self {
        let alone = ALONE.lock().await;
        let (primary_url, standby_url) = (variable("TEST_PRIMARY_URL"), variable("TEST_STANDBY_URL"));
        let primary = Database::connect(&primary_url).await.expect("the primary answers");
        let standby = Database::connect(&standby_url).await.expect("the standby answers");
        let template = TEMPLATE.get_or_init(async || {
            let name = format!("cites_small_{}", std::process::id());
            run(&primary, &format!("CREATE DATABASE {name}")).await;
            let home = tempfile::tempdir().expect("a folder");
            prepare(&database_of(&primary_url, &name), home.path(), Template::Small).await;
            name
        });
        let template = template.await;
        let name = format!("{template}_{}", COPIES.fetch_add(1, Ordering::SeqCst));
        run(&primary, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        let (url, standby_url) = (database_of(&primary_url, &name), database_of(&standby_url, &name));
        let replicated = Self { url, standby_url, primary, standby, _alone: alone };
        // as a test that failed may have left it
        replicated.go_on().await;
        replicated.caught_up().await;
        replicated
    }

    /// A server with the standby as its replica, under some settings.
    pub async fn serve(&self, settings: &[&[(&str, &str)]]) -> TestApp {
        self.serve_by(&self.standby_url, settings).await
    }

    /// The address of another database on the standby.
    pub fn standby_of(&self, name: &str) -> String {
        database_of(&variable("TEST_STANDBY_URL"), name)
    }

    /// The name of the template, which is another copy of the same database.
    pub fn template(&self) -> &str {
        TEMPLATE.get().expect("it was laid")
    }

    /// The same by another address of the standby.
    pub async fn serve_by(&self, standby_url: &str, settings: &[&[(&str, &str)]]) -> TestApp {
        let home = tempfile::tempdir().expect("a folder");
        let settings =
            [&[("CITES_DATABASE__REPLICA_URL", standby_url)], settings.concat().as_slice()].concat();
        let database = TestDatabase::elsewhere(self.url.clone());
        TestApp::serve_with(database, home, &settings, |url| url).await
    }

    /// The standby replays no more.
    pub async fn pause(&self) {
        self.caught_up().await;
        run(&self.standby, "SELECT pg_wal_replay_pause()").await;
        while self.text(&self.standby, "SELECT pg_get_wal_replay_pause_state()").await != "paused" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// It goes on.
    pub async fn go_on(&self) {
        run(&self.standby, "SELECT pg_wal_replay_resume()").await;
    }

    /// Waits until the standby has all that the primary has now.
    pub async fn caught_up(&self) {
        let end = self.text(&self.primary, "SELECT pg_current_wal_insert_lsn()::text").await;
        let has = format!("SELECT (pg_last_wal_replay_lsn() >= '{end}'::pg_lsn)::text");
        for _ in 0..3_000 {
            if self.text(&self.standby, &has).await == "true" {
                return;
            }
            // past the header of a page there is nothing to replay before there is a next record
            run(&self.primary, "SELECT pg_logical_emit_message(false, 'tests', '')").await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the standby does not come to {end}");
    }

    /// What a statement finds on the standby.
    pub async fn on_standby(&self, sql: &str) -> String {
        self.text(&self.standby, sql).await
    }

    /// Ends the connections of servers to the standby.
    pub async fn end_connections(&self) {
        let all = "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity WHERE application_name = 'cites'";
        self.text(&self.standby, all).await;
    }

    /// The standby crashes, and starts again by itself: it does when one of its processes is killed.
    pub async fn crash(&self) {
        let pid = self.text(&self.standby, "SELECT pg_backend_pid()::text").await;
        let killed = Command::new("kill").args(["-KILL", &pid]).status().expect("kill runs");
        assert!(killed.success(), "{killed}");
    }

    async fn text(&self, on: &DatabaseConnection, sql: &str) -> String {
        let row = on.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await;
        let row = row.expect("the server answers").expect("a row");
        row.try_get_by_index(0).expect("a text")
    }
}

async fn run(on: &DatabaseConnection, sql: &str) {
    on.execute_unprepared(sql).await.expect("the server does as it is told");
}

fn variable(name: &str) -> String {
    let missing = "is not set: call tests/run, name a server of PostgreSQL and a standby of it by TEST_PRIMARY_URL and \
                   TEST_STANDBY_URL, or set TEST_SKIP_POSTGRES=1";
    std::env::var(name).unwrap_or_else(|_| panic!("{name} {missing}"))
}
