//! PostgreSQL with two roles, as docs/operations-postgresql.md says: the owner migrates, the application serves.

use std::process::Output;

use cites::config::{Config, Overrides};
use cites::db::Db;
use cites::startup;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use serde_json::json;
use tests::world::Kind;
use tests::{Backend, Process, Template, TestApp, TestDatabase, block_on_postgres};

use super::{known, write};

const SCRIPT: &str = include_str!("../../../docs/postgresql-roles.sql");

/// Names that no other database of the server has.
struct Roles {
    owner: String,
    app: String,
}

impl Roles {
    async fn of(database: &TestDatabase, admin: &DatabaseConnection) -> Self {
        let name = database.name().expect("a name");
        let roles = Self { owner: format!("{name}_owner"), app: format!("{name}_app") };
        admin.execute_unprepared(&roles.script()).await.expect("the script runs");
        roles
    }

    fn script(&self) -> String {
        SCRIPT.replace("cites_owner", &self.owner).replace("cites_app", &self.app)
    }

    /// The URL of a database for another role.
    fn url(url: &str, role: &str) -> String {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let place = rest.split_once('@').map_or(rest, |(_, place)| place);
        format!("{scheme}://{role}@{place}")
    }
}

fn settings(url: &str, migrate: bool) -> Config {
    let variables = [
        ("CITES_DATABASE__URL", url.to_owned()),
        ("CITES_DATABASE__MIGRATE_AT_START", migrate.to_string()),
        ("CITES_DATA__INGEST_AT_START", "false".to_owned()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    Config::from_sources(&std::env::temp_dir(), variables, &Overrides::default()).expect("settings")
}

async fn refused(db: &Db, statement: &str) {
    let error = db.writer.execute_unprepared(statement).await.expect_err(statement);
    let text = error.to_string();
    assert!(text.contains("permission denied") || text.contains("must be owner"), "{statement}: {error}");
}

#[test]
fn the_application_serves_and_cannot_change_what_the_journal_holds() {
    block_on_postgres(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Postgres, Template::Small, home.path()).await;
        let admin = Database::connect(database.url()).await.expect("the server answers");
        let roles = Roles::of(&database, &admin).await;
        let (owner, role) = (roles.owner.clone(), roles.app.clone());
        let url = database.url().to_owned();

        let config = settings(&Roles::url(&url, &role), false);
        let db = startup::open(&config).await.expect("the application's role connects");
        let clock = cites::clock::SystemClock;
        startup::prepare(&config, &db, &clock).await.expect("nothing is to be migrated");
        admin
            .execute_unprepared("DELETE FROM seaql_migrations WHERE version LIKE 'm0009%'")
            .await
            .expect("gone");
        let behind = startup::prepare(&config, &db, &clock).await.expect_err("the owner must migrate first");
        assert!(behind.to_string().contains("cites migrate"), "{behind}");
        for table in ["journal", "audit_seal"] {
            refused(&db, &format!("UPDATE {table} SET at = at")).await;
            refused(&db, &format!("DELETE FROM {table}")).await;
            refused(&db, &format!("TRUNCATE {table}")).await;
        }
        refused(&db, "CREATE TABLE more (n integer)").await;
        refused(&db, "DROP TABLE journal").await;
        db.close().await;

        let app = TestApp::serve(database, home, |url| Roles::url(&url, &role)).await;
        write(&app.anct(), "updateSite", json!({ "id": known(Kind::Site, 1), "name": "Un nom" }))
            .await
            .done();
        write(&app.anct(), "eraseReferent", json!({ "id": known(Kind::Referent, 1) })).await.done();
        let partner = json!({ "name": "Tremplin", "kind": "ASSOCIATION", "idempotencyKey": "k" });
        write(&app.anct(), "createPartner", partner).await.done();
        let refusal = json!({ "id": known(Kind::Site, 1), "name": "x" });
        assert_eq!(write(&app.anct(), "updateSite", refusal).await.problems(), ["OUT_OF_BOUNDS name"]);
        let events = app.anct().ask("{ auditEvents { totalCount } }").await;
        assert_eq!(events.number("/auditEvents/totalCount"), 4);
        for _ in 0..100 {
            cites::audit::seal::seal(&app.db, &*app.clock).await.expect("it is sealed");
            let chain = cites::audit::seal::verify(&app.db).await.expect("read").expect("whole");
            if chain.entries == 4 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        app.stop().await;
        drop(admin);
        ended(&[owner, role]).await;
    });
}

#[test]
fn commands_that_write_run_as_the_application_once_the_owner_has_migrated() {
    block_on_postgres(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Postgres, Template::Small, home.path()).await;
        let admin = Database::connect(database.url()).await.expect("the server answers");
        let roles = Roles::of(&database, &admin).await;
        let url = Roles::url(database.url(), &roles.app);
        let process = Process::at(env!("CARGO_BIN_EXE_cites-tested"), &url, home.path())
            .with("CITES_DATABASE__MIGRATE_AT_START", "false");
        let token = ["token", "--role", "partner_system", "--source", "FRANCE_TRAVAIL", "--sites", "all"];
        let commands = [&token[..], &["ingest"]];
        for command in commands {
            let Output { status, stderr, .. } = process.run(command);
            assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
        }
        let behind = "DELETE FROM seaql_migrations WHERE version LIKE 'm0009%'";
        admin.execute_unprepared(behind).await.expect("gone");
        for command in commands {
            let Output { status, stderr, .. } = process.run(command);
            let said = String::from_utf8_lossy(&stderr);
            assert!(!status.success() && said.contains("cites migrate"), "{command:?}: {said}");
        }
        drop(admin);
        drop(database);
        ended(&[roles.owner, roles.app]).await;
    });
}

/// Roles are the server's, and stay when the database is gone.
async fn ended(roles: &[String]) {
    for role in roles {
        tests::administer(&format!("DROP ROLE IF EXISTS {role}")).await;
    }
}

#[test]
fn the_owner_migrates_an_empty_database() {
    block_on_postgres(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Postgres, Template::Small, home.path()).await;
        let admin = Database::connect(database.url()).await.expect("the server answers");
        let empty = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
        admin.execute_unprepared(empty).await.expect("it is emptied");
        let roles = Roles::of(&database, &admin).await;
        let config = settings(&Roles::url(database.url(), &roles.owner), true);
        let db = startup::open(&config).await.expect("the owner connects");
        db.migrate().await.expect("the owner migrates");
        db.close().await;
        admin.execute_unprepared(&roles.script()).await.expect("the script runs again");
        let text = "SELECT has_table_privilege($1, 'journal', 'INSERT') AND NOT has_table_privilege($1, 'journal', 'DELETE')";
        let asked =
            Statement::from_sql_and_values(admin.get_database_backend(), text, [roles.app.clone().into()]);
        let row = admin.query_one_raw(asked).await.expect("rights").expect("a row");
        assert!(row.try_get_by_index::<bool>(0).expect("an answer"));
        drop(admin);
        drop(database);
        ended(&[roles.owner, roles.app]).await;
    });
}
