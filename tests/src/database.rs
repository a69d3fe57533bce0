//! A database per test, copied from a template that is prepared once per process.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use cites::db::Db;
use cites::ingest::{self, DataSource};
use cites::startup;
use sea_orm::{ConnectionTrait, Database};
use tokio::sync::OnceCell;

use crate::app::{config, fixed_clock};
use crate::world;

/// Kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Embedded.
    Sqlite,
    /// The server that `TEST_POSTGRES_URL` names.
    Postgres,
}

/// What a test finds in its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// The open data and the demonstration, as the product loads them.
    Real,
    /// The small handmade world of [`world`].
    Small,
    /// Tables without rows.
    Empty,
}

impl Template {
    const fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Small => "small",
            Self::Empty => "empty",
        }
    }

    /// Fills a database that is migrated.
    async fn fill(self, db: &Db) {
        match self {
            Self::Real => {
                let loaded = ingest::run(db, &fixed_clock(), DataSource::Embedded, true).await;
                loaded.expect("the open data loads");
            }
            Self::Small => world::small().write(db).await,
            Self::Empty => {}
        }
    }
}

/// A database that ends with its value.
#[derive(Debug)]
pub struct TestDatabase {
    /// Kind.
    pub backend: Backend,
    url: String,
    /// Its name on the server; an embedded one goes with its folder.
    name: Option<String>,
}

impl TestDatabase {
    /// A copy of a template; an embedded one lies in `home`.
    pub async fn of(backend: Backend, template: Template, home: &Path) -> Self {
        match backend {
            Backend::Sqlite => {
                let file = home.join("cites.db");
                std::fs::write(&file, sqlite_template(template).await).expect("the copy is written");
                Self { backend, url: sqlite_url(&file), name: None }
            }
            Backend::Postgres => {
                static COPIES: AtomicU32 = AtomicU32::new(0);
                let source = postgres_template(template).await;
                let name = format!("{source}_{}", COPIES.fetch_add(1, Ordering::SeqCst));
                administer(&format!("CREATE DATABASE {name} TEMPLATE {source}")).await;
                Self { backend, url: postgres_url(&name), name: Some(name) }
            }
        }
    }

    /// A new database on the server, without a table.
    pub async fn empty() -> Self {
        let name = format!("cites_empty_{}", uuid::Uuid::now_v7().simple());
        administer(&format!("CREATE DATABASE {name}")).await;
        Self { backend: Backend::Postgres, url: postgres_url(&name), name: Some(name) }
    }

    /// The same database of a server, for one more who uses it and does not drop it.
    pub(crate) fn again(&self) -> Self {
        Self { backend: self.backend, url: self.url.clone(), name: None }
    }

    /// A database of another server, which goes with that.
    pub(crate) const fn elsewhere(url: String) -> Self {
        Self { backend: Backend::Postgres, url, name: None }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name on the server; an embedded one has none.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(name) = self.name.take() else { return };
        // On a thread and runtime of its own: a failed test unwinds inside those of its server.
        let dropped = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
        });
        if dropped.join().is_err() {
            eprintln!("a database of the tests could not be dropped");
        }
    }
}

/// Runs a statement on the server itself.
pub async fn administer(sql: &str) {
    let server = Database::connect(server_url()).await.expect("TEST_POSTGRES_URL answers");
    server.execute_unprepared(sql).await.expect("the server does as it is told");
    server.close().await.expect("the connection ends");
}

/// The bytes of a prepared file.
async fn sqlite_template(template: Template) -> &'static [u8] {
    static FILES: [OnceCell<Vec<u8>>; 3] = [const { OnceCell::const_new() }; 3];
    let prepare = async || {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("template.db");
        prepare(&sqlite_url(&file), home.path(), template).await;
        std::fs::read(file).expect("the template is read")
    };
    FILES[template as usize].get_or_init(prepare).await
}

/// The name of a prepared database. It stays until the cluster of `tests/run` ends: a process of tests does not
/// know which of its tests is the last.
async fn postgres_template(template: Template) -> &'static str {
    static NAMES: [OnceCell<String>; 3] = [const { OnceCell::const_new() }; 3];
    let prepare = async || {
        let name = format!("cites_{}_{}", template.name(), std::process::id());
        administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        administer(&format!("CREATE DATABASE {name}")).await;
        let home = tempfile::tempdir().expect("a folder");
        prepare(&postgres_url(&name), home.path(), template).await;
        name
    };
    NAMES[template as usize].get_or_init(prepare).await
}

/// Migrates and fills a database, and leaves it.
pub(crate) async fn prepare(url: &str, home: &Path, template: Template) {
    let db = startup::open(&config(url, home, &[])).await.expect("the template opens");
    db.migrate().await.expect("the template is migrated");
    template.fill(&db).await;
    // What the writer still holds in the log of an embedded database goes into its file as it closes.
    db.close().await;
}

fn sqlite_url(file: &Path) -> String {
    format!("sqlite://{}?mode=rwc", file.display())
}

fn server_url() -> String {
    let missing = "TEST_POSTGRES_URL is not set: call tests/run, name a server of PostgreSQL where databases may be \
                   made, or set TEST_SKIP_POSTGRES=1";
    std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| panic!("{missing}"))
}

/// The address of a database on the server.
fn postgres_url(name: &str) -> String {
    database_of(&server_url(), name)
}

/// The same on another server.
pub(crate) fn database_of(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, None), |(a, o)| (a, Some(o)));
    let (server, _) = address.rsplit_once('/').expect("the address ends with a database");
    options.map_or_else(|| format!("{server}/{name}"), |options| format!("{server}/{name}?{options}"))
}
