//! The audit trail: who reads it, and that what was changed behind its back shows.

use std::time::Duration;

use cites::audit::seal;
use cites::auth::Scope;
use entity::enums::JournalOp;
use entity::{StringList, journal};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ActiveModelTrait, ConnectionTrait};
use serde_json::json;
use tests::world::Kind;
use tests::{Answer, Backend, GrantedSites, Persona, Process, Template, TestApp, block_on_postgres, on_both};
use uuid::Uuid;

use super::{known, write};

async fn rename(app: &TestApp, name: &str) {
    write(&app.anct(), "updateSite", json!({ "id": known(Kind::Site, 1), "name": name })).await.done();
}

async fn sealed(app: &TestApp) -> u64 {
    seal::seal(&app.db, &*app.clock).await.expect("it is sealed")
}

/// Seals until so many entries are; a transaction of another test may stand before them on the same server.
async fn until_sealed(app: &TestApp, entries: i64) {
    for _ in 0..200 {
        sealed(app).await;
        let found = seal::verify(&app.db).await.expect("the chain is read");
        if found.expect("nothing is broken").1 == entries {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{entries} entries are never sealed");
}

/// What `cites doctor --audit` says of the journal, and whether it is content.
fn doctor(app: &TestApp) -> (bool, String) {
    let home = tempfile::tempdir().expect("a folder");
    let process = Process::of(env!("CARGO_BIN_EXE_cites-tested"), &app.database, home.path());
    let said = process.run(&["doctor", "--audit"]);
    let text = String::from_utf8(said.stdout).expect("a text");
    let line = text.lines().find(|line| line.contains(" audit:")).unwrap_or(&text).to_owned();
    (said.status.success(), line)
}

on_both!(a_changed_entry_breaks_the_chain_where_it_stands, Small, async |app| {
    for (name, entries) in [("Premier", 2), ("Deuxième", 4), ("Troisième", 6)] {
        rename(app, name).await;
        rename(app, &format!("{name} nom")).await;
        until_sealed(app, entries).await;
    }
    assert_eq!(sealed(app).await, 0, "nothing new");
    let (is_content, line) = doctor(app);
    assert!(is_content && line.starts_with("ok") && line.contains("6 entries"), "{line}");
    let numbers = "SELECT number FROM audit_seal ORDER BY number DESC LIMIT 1";
    let backend = app.db.writer.get_database_backend();
    let last = app.db.writer.query_one_raw(sea_orm::Statement::from_string(backend, numbers)).await;
    let last: i64 = last.expect("seals").expect("one").try_get_by_index(0).expect("a number");
    let tamper = "UPDATE journal SET actor_sub = 'somebody-else' WHERE seq = (SELECT MAX(seq) FROM journal)";
    app.db.writer.execute_unprepared(tamper).await.expect("it is changed");
    let (is_content, line) = doctor(app);
    assert!(
        !is_content && line.starts_with("WRONG audit") && line.contains(&format!("seal {last} ")),
        "{line}"
    );
    let remove = "DELETE FROM journal WHERE seq = (SELECT MIN(seq) FROM journal)";
    app.db.writer.execute_unprepared(remove).await.expect("it is removed");
    let (_, line) = doctor(app);
    assert!(line.contains("seal 1 ") && line.contains("entries where"), "the first break is named: {line}");
    app.db.writer.execute_unprepared("DELETE FROM audit_seal WHERE number = 1").await.expect("it is removed");
    let (_, line) = doctor(app);
    assert!(line.contains("missing"), "{line}");
});

async fn with_admin(persona: Persona<'_>) -> Answer {
    let persona = persona.with(|claims| claims.scopes.push(Scope::Admin));
    persona.ask("{ auditEvents(first: 20) { totalCount nodes { entity clientId } } }").await
}

on_both!(everybody_reads_the_events_that_are_his, Small, async |app| {
    rename(app, "Un nom").await;
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let own = json!({ "id": known(Kind::Partner, 6), "website": "https://exemple.fr" });
    write(&partner, "updatePartner", own).await.done();
    assert_eq!(with_admin(app.anct()).await.number("/auditEvents/totalCount"), 2);
    let seen = with_admin(app.prefecture(&["69"])).await;
    assert_eq!(*seen.data("/auditEvents/nodes"), json!([{ "entity": "Site", "clientId": null }]));
    let seen = with_admin(partner).await;
    let own = json!([{ "entity": "Partner", "clientId": "client-FRANCE_TRAVAIL" }]);
    assert_eq!(*seen.data("/auditEvents/nodes"), own);
    for nobody in [app.collectivite(&["200046977"]), app.prefecture(&["59"]), app.public()] {
        assert_eq!(with_admin(nobody).await.number("/auditEvents/totalCount"), 0);
    }
    let without = app.prefecture(&["69"]).ask("{ auditEvents { totalCount } }").await;
    assert_eq!(without.number("/auditEvents/totalCount"), 0, "not without cde:admin");
});

on_both!(refused_writes_do_not_fill_the_journal, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    for _ in 0..40 {
        write(&city, "deleteSite", json!({ "id": known(Kind::Site, 1) })).await.problems();
    }
    let refused = "{ auditEvents(filter: { outcome: { eq: \"FORBIDDEN\" } }) { totalCount } }";
    assert_eq!(app.anct().ask(refused).await.number("/auditEvents/totalCount"), 30);
    app.clock.advance(60);
    write(&city, "deleteSite", json!({ "id": known(Kind::Site, 1) })).await.problems();
    assert_eq!(app.anct().ask(refused).await.number("/auditEvents/totalCount"), 31);
});

/// An entry as a writer would leave it.
fn entry(at: chrono::DateTime<chrono::Utc>) -> journal::ActiveModel {
    journal::ActiveModel {
        seq: NotSet,
        xid: NotSet,
        entity: Set("Site".to_owned()),
        entity_id: Set(Uuid::now_v7()),
        version: Set(1),
        op: Set(JournalOp::Upsert),
        verb: Set("create".to_owned()),
        at: Set(at),
        site_id: Set(None),
        was_site_id: Set(None),
        source_system: Set(None),
        public: Set(false),
        was_public: Set(false),
        changed_fields: Set(StringList::default()),
        actor_sub: Set(None),
        client_id: Set(None),
        role: Set(None),
        request_id: Set(None),
        outcome: Set("OK".to_owned()),
    }
}

#[test]
fn a_seal_waits_for_writers_that_began_before_and_commit_after() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let now = cites::clock::Clock::now(&*app.clock);
        let slow = app.db.begin_write().await.expect("a transaction");
        entry(now).insert(&slow).await.expect("an entry");
        rename(&app, "Un autre nom").await;
        assert_eq!(sealed(&app).await, 0, "an older transaction is open");
        slow.commit().await.expect("it is committed");
        until_sealed(&app, 2).await;
        app.stop().await;
    });
}
