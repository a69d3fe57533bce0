use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sea_orm::sea_query::Query;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{Bounds, Db, OpenError, is_violation};

/// A database file of its own, removed with its companions at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("cites-{}", Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn url(&self) -> String {
        format!("sqlite://{}/cites.db?mode=rwc", self.0.display())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn open(url: &str) -> Result<Db, OpenError> {
    Db::open(url, Bounds::default()).await
}

async fn count(connection: &impl ConnectionTrait, table: &str) -> i64 {
    let row = connection
        .query_one_raw(sea_orm::Statement::from_string(
            connection.get_database_backend(),
            format!("SELECT COUNT(*) AS n FROM {table}"),
        ))
        .await
        .unwrap()
        .unwrap();
    row.try_get("", "n").unwrap()
}

/// The servers named by the environment and a fresh file; each test makes tables of its own name.
async fn databases(scratch: &Scratch) -> Vec<Db> {
    let mut all = vec![open(&scratch.url()).await.unwrap()];
    if let Ok(url) = std::env::var("TEST_POSTGRES_URL") {
        all.push(open(&url).await.unwrap());
    }
    all
}

#[tokio::test]
async fn a_read_sees_one_state_while_others_write() {
    let scratch = Scratch::new();
    for db in databases(&scratch).await {
        let table = format!("t_{}", Uuid::now_v7().simple());
        db.writer.execute_unprepared(&format!("CREATE TABLE {table} (n integer)")).await.unwrap();
        let read = db.begin_read().await.unwrap();
        assert_eq!(count(&read, &table).await, 0);

        let write = db.begin_write().await.unwrap();
        write.execute_unprepared(&format!("INSERT INTO {table} VALUES (1)")).await.unwrap();
        write.commit().await.unwrap();

        assert_eq!(count(&read, &table).await, 0);
        read.commit().await.unwrap();
        assert_eq!(count(&db.begin_read().await.unwrap(), &table).await, 1);
        db.writer.execute_unprepared(&format!("DROP TABLE {table}")).await.unwrap();
        db.close().await;
    }
}

#[tokio::test]
async fn what_is_put_off_to_the_end_is_written_wherever_it_stands() {
    let scratch = Scratch::new();
    for db in databases(&scratch).await {
        let table = format!("t_{}", Uuid::now_v7().simple());
        let columns = "n integer CHECK (n > 0)";
        db.writer.execute_unprepared(&format!("CREATE TABLE {table} ({columns})")).await.unwrap();
        let one = |n: i32| {
            let insert =
                Query::insert().into_table(table.clone()).columns(["n"]).values_panic([n.into()]).to_owned();
            db.writer.get_database_backend().build(&insert)
        };
        // alone; after a read; before another, and before a read, which sees it
        let write = db.begin_write().await.unwrap();
        write.execute_later(one(1)).await.unwrap();
        write.commit().await.unwrap();
        let write = db.begin_write().await.unwrap();
        assert_eq!(count(&write, &table).await, 1);
        write.execute_later(one(1)).await.unwrap();
        write.execute_later(one(1)).await.unwrap();
        assert_eq!(count(&write, &table).await, 3);
        write.execute_later(one(1)).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(count(&db.readers, &table).await, 4);
        // what breaks a rule keeps the rest from being written
        let wrong = db.begin_write().await.unwrap();
        wrong.execute_later(one(2)).await.unwrap();
        let ended = match wrong.execute_later(one(-1)).await {
            Ok(()) => wrong.commit().await,
            Err(error) => wrong.rollback().await.and(Err(error)),
        };
        assert!(is_violation(&ended.unwrap_err()));
        assert_eq!(count(&db.readers, &table).await, 4);
        let undone = db.begin_write().await.unwrap();
        undone.execute_later(one(1)).await.unwrap();
        undone.rollback().await.unwrap();
        assert_eq!(count(&db.readers, &table).await, 4);
        db.writer.execute_unprepared(&format!("DROP TABLE {table}")).await.unwrap();
        db.close().await;
    }
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let scratch = Scratch::new();
    for db in databases(&scratch).await {
        let read = db.begin_read().await.unwrap();
        let error = read.execute_unprepared("CREATE TABLE forbidden (n integer)").await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("read-only") || text.contains("readonly"), "{text}");
    }
}

#[tokio::test]
async fn writers_wait_for_each_other() {
    let scratch = Scratch::new();
    for db in databases(&scratch).await {
        let table = format!("t_{}", Uuid::now_v7().simple());
        db.writer.execute_unprepared(&format!("CREATE TABLE {table} (n integer)")).await.unwrap();
        let write = async || {
            let write = db.begin_write().await?;
            write.execute_unprepared(&format!("INSERT INTO {table} VALUES (1)")).await?;
            write.commit().await
        };
        let (a, b, c) = tokio::join!(write(), write(), write());
        a.and(b).and(c).unwrap();
        assert_eq!(count(&db.readers, &table).await, 3);
        db.writer.execute_unprepared(&format!("DROP TABLE {table}")).await.unwrap();
    }
}

/// A statement that would count for hours.
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000000)
                       SELECT count(*) AS n FROM n";

#[tokio::test]
async fn a_statement_that_nobody_waits_for_is_stopped() {
    let scratch = Scratch::new();
    let db = Db::open(&scratch.url(), Bounds { max_connections: 1, ..Bounds::default() }).await.unwrap();
    let endless = db.readers.execute_unprepared(ENDLESS);
    tokio::time::timeout(Duration::from_millis(50), endless).await.unwrap_err();
    // the file is let go of only once nothing runs on it
    db.writer.execute_unprepared("CREATE TABLE t (n integer)").await.unwrap();
    db.close().await;
    let alone = Db::open(&scratch.url(), Bounds::default()).await.unwrap();
    let until = tokio::time::Instant::now() + Duration::from_secs(10);
    while alone.writer.execute_unprepared("PRAGMA journal_mode = DELETE").await.is_err() {
        assert!(tokio::time::Instant::now() < until, "the statement still runs");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_stopped_by_the_server() {
    let Ok(url) = std::env::var("TEST_POSTGRES_URL") else { return };
    let bounds = Bounds { deadline: Duration::from_millis(100), ..Bounds::default() };
    let db = Db::open(&url, bounds).await.unwrap();
    let error = db.readers.execute_unprepared(ENDLESS).await.unwrap_err();
    assert!(super::is_too_long(&error), "{error}");
    db.close().await;
}

#[tokio::test]
async fn several_instances_may_migrate_at_once() {
    let scratch = Scratch::new();
    let (a, b) = (open(&scratch.url()).await.unwrap(), open(&scratch.url()).await.unwrap());
    let (first, second) = tokio::join!(a.migrate(), b.migrate());
    first.and(second).unwrap();
    assert_eq!(count(&a.readers, "site").await, 0);
}

#[tokio::test]
async fn locked_work_is_done_by_one_at_a_time() {
    let scratch = Scratch::new();
    for db in databases(&scratch).await {
        let running = AtomicUsize::new(0);
        let work = async || {
            assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
            tokio::time::sleep(Duration::from_millis(20)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, DbErr>(())
        };
        let (a, b) = tokio::join!(db.locked("ingest", work()), db.locked("ingest", work()));
        a.and(b).unwrap();
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_file_is_told_so() {
    let scratch = Scratch::new();
    let (a, b) = (open(&scratch.url()).await.unwrap(), open(&scratch.url()).await.unwrap());
    let held = a.serve_lock().unwrap();
    assert!(matches!(b.serve_lock(), Err(OpenError::AlreadyServed(_))));
    drop(held);
    b.serve_lock().unwrap();
}

#[tokio::test]
async fn unusable_urls_are_refused_without_being_repeated() {
    assert!(matches!(open("sqlite::memory:").await, Err(OpenError::InMemory)));
    let error = open("mysql://root:hunter2@localhost/cites").await.unwrap_err();
    assert!(matches!(error, OpenError::UnknownScheme));
    assert!(!error.to_string().contains("hunter2"));
}
