//! A database of its own for each test, on every kind at hand.

use std::path::PathBuf;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, FromQueryResult, Statement};
use uuid::Uuid;

/// Runs the test on a fresh `SQLite` file, then on a fresh `PostgreSQL` database if a server is named.
pub async fn on_each_database(test: impl AsyncFn(&DatabaseConnection)) {
    on_sqlite(&test).await;
    if let Ok(server) = std::env::var("TEST_POSTGRES_URL") {
        on_postgres(&server, &test).await;
    }
}

async fn on_sqlite(test: &impl AsyncFn(&DatabaseConnection)) {
    let file = ScratchFile(std::env::temp_dir().join(format!("cites-{}.db", Uuid::now_v7())));
    let db = Database::connect(format!("sqlite://{}?mode=rwc", file.0.display())).await.unwrap();
    test(&db).await;
    db.close().await.unwrap();
}

/// A file that goes away with the test, failed or not.
struct ScratchFile(PathBuf);

impl Drop for ScratchFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn on_postgres(server: &str, test: &impl AsyncFn(&DatabaseConnection)) {
    let name = format!("cites_{}", Uuid::now_v7().simple());
    let admin = Database::connect(server).await.unwrap();
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let db = Database::connect(with_database(server, &name)).await.unwrap();
    test(&db).await;
    db.close().await.unwrap();
    admin.execute_unprepared(&format!("DROP DATABASE {name}")).await.unwrap();
    admin.close().await.unwrap();
}

/// The same server, another database: `postgres://host/a?x` becomes `postgres://host/name?x`.
fn with_database(server: &str, name: &str) -> String {
    let (address, options) = server.split_once('?').unwrap_or((server, ""));
    let host = address.rsplit_once('/').unwrap().0;
    format!("{host}/{name}?{options}")
}

#[derive(FromQueryResult)]
struct Line {
    line: String,
}

/// The answers of a query whose one column is a text named `line`.
pub async fn lines(db: &DatabaseConnection, sqlite: &str, postgres: &str) -> Vec<String> {
    let backend = db.get_database_backend();
    let sql = if backend == DbBackend::Sqlite { sqlite } else { postgres };
    let rows = Line::find_by_statement(Statement::from_string(backend, sql)).all(db).await.unwrap();
    rows.into_iter().map(|row| row.line).collect()
}
