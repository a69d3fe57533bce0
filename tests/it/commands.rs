//! The commands as processes of their own: several servers at once, and the check of an installation.

use std::path::Path;
use std::process::Output;

use cites::db::{Bounds, Db};
use entity::enums::IngestState;
use entity::{commune, ingest_run, site};
use sea_orm::{EntityTrait, PaginatorTrait};
use tests::{Backend, Process, Template, TestDatabase, block_on, block_on_postgres};

const BINARY: &str = env!("CARGO_BIN_EXE_cites-tested");

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn open(database: &TestDatabase) -> Db {
    Db::open(database.url(), Bounds::default()).await.expect("the database opens")
}

#[test]
fn a_second_server_on_one_file_is_refused_before_it_writes_anything() {
    block_on(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Sqlite, Template::Small, home.path()).await;
        let mut first = Process::of(BINARY, &database, home.path());
        first.serve();
        let second = Process::of(BINARY, &database, home.path()).with("CITES_DATA__INGEST_AT_START", "true");
        let Output { status, stderr, .. } = second.run(&["serve"]);
        let said = text(&stderr);
        assert!(
            status.code() == Some(1) && said.contains("another server already serves"),
            "{status}: {said}"
        );
        let db = open(&database).await;
        assert_eq!(ingest_run::Entity::find().count(&db.readers).await.expect("a count"), 0);
        db.close().await;
        first.kill();
        let third = Process::of(BINARY, &database, home.path());
        assert!(third.run(&["doctor"]).status.code().is_some(), "other commands go on beside a server");
    });
}

#[test]
fn the_doctor_changes_nothing() {
    block_on(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Sqlite, Template::Small, home.path()).await;
        let mut process = Process::of(BINARY, &database, home.path());
        let key = home.path().join("cites.db.dev-key.pem");
        let Output { stdout, .. } = process.run(&["doctor"]);
        let said = text(&stdout);
        assert!(said.contains("will be made at the first start") && !key.exists(), "{said}");
        process.serve();
        let Output { stdout, .. } = process.run(&["doctor"]);
        let said = text(&stdout);
        assert!(said.contains("development tokens are accepted\n") && key.exists(), "{said}");
        assert_eq!(files(home.path(), "cites.db.dev-key"), 1);
    });
}

#[test]
fn a_trusted_document_that_does_not_fit_is_named_before_a_client_meets_it() {
    block_on(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Sqlite, Template::Small, home.path()).await;
        let manifest = home.path().join("manifest.json");
        let path = manifest.to_str().expect("a path");
        let process = Process::of(BINARY, &database, home.path()).with("CITES_DOCUMENTS__MANIFEST", path);
        let write = |more: &str| {
            let text = format!("{{ \"Sites\": \"{{ sites {{ totalCount }} }}\"{more} }}");
            std::fs::write(&manifest, text).expect("written");
        };
        for wrong in ["{ sites { nombre } }", "subscription { changes { at } sites { totalCount } }"] {
            write(&format!(", \"Villes\": \"{wrong}\""));
            let Output { status, stdout, .. } = process.run(&["doctor"]);
            let said = text(&stdout);
            let line = said.lines().find(|line| line.contains("documents")).unwrap_or_default();
            assert!(line.starts_with("WRONG") && line.contains("Villes"), "{said}");
            assert_eq!(status.code(), Some(1));
            let Output { status, stderr, .. } = process.run(&["serve"]);
            let said = text(&stderr);
            assert!(status.code() == Some(1) && said.contains("the trusted document Villes"), "{said}");
        }
        write("");
        let said = text(&process.run(&["doctor"]).stdout);
        assert!(said.contains("ok    documents: 1 trusted"), "{said}");
    });
}

/// How many files of a folder have a name that begins so.
fn files(folder: &Path, begin: &str) -> usize {
    let files = std::fs::read_dir(folder).expect("the folder is read");
    files
        .filter(|file| file.as_ref().is_ok_and(|f| f.file_name().to_string_lossy().starts_with(begin)))
        .count()
}

#[test]
fn servers_that_start_at_once_migrate_and_load_once() {
    block_on_postgres(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::empty().await;
        let process =
            || Process::of(BINARY, &database, home.path()).with("CITES_DATA__INGEST_AT_START", "true");
        let mut servers = [process(), process(), process()];
        std::thread::scope(|scope| {
            for server in &mut servers {
                scope.spawn(|| assert!(server.serve().starts_with("http://127.0.0.1:")));
            }
        });
        let db = open(&database).await;
        let runs = ingest_run::Entity::find().all(&db.readers).await.expect("runs");
        assert!(!runs.is_empty());
        for one in &runs {
            let same = runs.iter().filter(|run| (&run.source, &run.vintage) == (&one.source, &one.vintage));
            let mut states: Vec<IngestState> = same.map(|run| run.state).collect();
            states.sort_by_key(|state| state.as_str());
            assert_eq!(
                states,
                [IngestState::Done, IngestState::Unchanged, IngestState::Unchanged],
                "{}",
                one.source
            );
        }
        assert_eq!(site::Entity::find().count(&db.readers).await.expect("a count"), 84);
        assert_eq!(commune::Entity::find().count(&db.readers).await.expect("a count"), 35_074);
        db.close().await;
        assert_eq!(files(home.path(), "cites-dev-key.pem"), 1, "one key for all, and no half-made one");
    });
}
