//! The audit trail: who reads it, and that what was changed behind its back shows.

use std::time::Duration;

use cites::audit::seal;
use cites::auth::Scope;
use entity::enums::JournalOp;
use entity::{StringList, journal};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use tests::world::{Kind, id};
use tests::{Answer, Backend, GrantedSites, Persona, Process, Template, TestApp, block_on_postgres, on_both};
use uuid::Uuid;

use super::ground::Ground;
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
        if found.expect("nothing is broken").entries == entries {
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
    let chain = seal::verify(&app.db).await.expect("the chain is read").expect("nothing is broken");
    assert!(
        line.contains(&format!("seal {} is {}", chain.seals, chain.hash)),
        "to be noted elsewhere: {line}"
    );
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

fn admin(persona: Persona<'_>) -> Persona<'_> {
    persona.with(|claims| claims.scopes.push(Scope::Admin))
}

async fn with_admin(persona: Persona<'_>) -> Answer {
    admin(persona).ask("{ auditEvents(first: 20) { totalCount nodes { entity clientId } } }").await
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

on_both!(a_refusal_is_told_to_those_who_answer_for_the_site, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    let site = known(Kind::Site, 1);
    write(&city, "deleteSite", json!({ "id": site })).await.problems();
    write(&city, "updateAction", json!({ "id": known(Kind::Action, 1), "title": "x" })).await.problems();
    write(&city, "createAction", json!({ "site": site, "title": "x" })).await.problems();
    write(&city, "createPartner", json!({ "name": "x", "kind": "ASSOCIATION" })).await.problems();
    let document = "{ auditEvents(first: 9) { nodes { verb outcome entityId site { id } } } }";
    let event = |verb: &str, outcome: &str, entity: Value, site: Value| json!({ "verb": verb, "outcome": outcome, "entityId": entity, "site": site });
    let here = || json!({ "id": site });
    let expected = [
        event("createPartner", "OUT_OF_BOUNDS", Value::Null, Value::Null),
        event("createAction", "OUT_OF_BOUNDS", Value::Null, here()),
        event("updateAction", "OUT_OF_BOUNDS", json!(known(Kind::Action, 1)), here()),
        event("deleteSite", "FORBIDDEN", json!(site), here()),
    ];
    let seen = admin(app.anct()).ask(document).await;
    assert_eq!(*seen.data("/auditEvents/nodes"), json!(expected));
    let seen = admin(app.prefecture(&["69"])).ask(document).await;
    assert_eq!(*seen.data("/auditEvents/nodes"), json!(expected[1..]), "those of its site");
    let seen = admin(app.prefecture(&["59"])).ask(document).await;
    assert_eq!(*seen.data("/auditEvents/nodes"), json!([]));
});

on_both!(a_fault_is_recorded_as_well, Small, async |app| {
    let rename = async |from: &str, to: &str| {
        let sql = format!("ALTER TABLE {from} RENAME TO {to}");
        app.db.writer.execute_unprepared(&sql).await.expect("it is renamed");
    };
    rename("funding_line", "elsewhere").await;
    let funding = json!({
        "site": known(Kind::Site, 1), "year": 2023, "programmeLabel": "Cités de l'emploi", "kind": "REQUESTED",
        "amountCents": "100",
    });
    let failed = write(&app.anct(), "createFundingLine", funding).await;
    assert_eq!(failed.outcome(), "INTERNAL", "{}", failed.0);
    rename("elsewhere", "funding_line").await;
    let events = app.anct().ask("{ auditEvents(first: 2) { nodes { verb outcome } } }").await;
    assert_eq!(
        *events.data("/auditEvents/nodes"),
        json!([{ "verb": "createFundingLine", "outcome": "INTERNAL" }])
    );
});

on_both!(events_are_found_by_their_object_and_site, Small, async |app| {
    rename(app, "Un nom").await;
    let action = json!({ "id": known(Kind::Action, 1), "description": "Autre" });
    write(&app.anct(), "updateAction", action).await.done();
    let found = async |filter: &str, id: String| {
        let document =
            format!("query ($id: ID!) {{ auditEvents(filter: {filter}) {{ nodes {{ entity }} }} }}");
        app.anct().query(&document, json!({ "id": id })).await.column("/auditEvents/nodes", "entity")
    };
    let by_id = "{ entityId: { eq: $id } }";
    assert_eq!(found(by_id, known(Kind::Action, 1)).await, ["Action"]);
    assert_eq!(found(by_id, known(Kind::Site, 1)).await, ["Site"]);
    assert_eq!(found("{ entityId: { in: [$id] } }", known(Kind::Action, 2)).await, Vec::<String>::new());
    assert_eq!(found("{ site: { id: { eq: $id } } }", known(Kind::Site, 1)).await, ["Action", "Site"]);
    assert_eq!(found("{ site: { id: { eq: $id } } }", known(Kind::Site, 2)).await, Vec::<String>::new());
    let wrong = "query { auditEvents(filter: { entityId: { eq: \"rien\" } }) { totalCount } }";
    assert_eq!(app.anct().ask(wrong).await.code(), "INVALID_ID");
});

/// Whose sight of a site changed, the latest first: its number in the small world, if it is of that, départements, SIREN
/// numbers, clients.
async fn rescoped(app: &TestApp) -> Vec<(Option<u16>, String)> {
    let rows = journal::Entity::find()
        .filter(journal::Column::Verb.eq("rescope"))
        .filter(journal::Column::Entity.eq("Site"))
        .filter(journal::Column::Op.eq(JournalOp::Delete))
        .order_by_desc(journal::Column::Seq);
    let line = |row: journal::Model| {
        let number = (1..=5).find(|n| Some(id(Kind::Site, *n)) == row.entity_id);
        let names = [row.lost_departements.0, row.lost_sirens.0, row.lost_clients.0].concat();
        (number, names.join(" "))
    };
    rows.all(&app.db.writer).await.expect("the journal is read").into_iter().map(line).collect()
}

on_both!(a_prefecture_that_loses_a_site_sees_it_leave, Small, async |app| {
    let ground = Ground::of(app).await;
    let (anct, site) = (app.anct(), ground.candidate().await);
    let document =
        "query ($id: ID!) { auditEvents(filter: { entityId: { eq: $id } }) { nodes { changedFields } } }";
    let seen = async |departement: &str| {
        let persona = admin(app.prefecture(&[departement]));
        let events = persona.query(document, json!({ "id": site })).await;
        events.column("/auditEvents/nodes", "changedFields")
    };
    write(&anct, "updateSite", json!({ "id": site, "name": "Premier nom" })).await.done();
    assert_eq!(seen("38").await, ["[\"name\"]"]);
    let communes = json!({ "id": site, "communes": ["69256"] });
    write(&anct, "setSiteLabel", communes).await.done();
    write(&anct, "updateSite", json!({ "id": site, "name": "Second nom" })).await.done();
    assert_eq!(seen("38").await, ["[\"communes\"]"], "its last");
    assert_eq!(seen("69").await.len(), 3);
    assert_eq!(seen("59").await.len(), 0);
    assert_eq!(rescoped(app).await, [(None, "38".to_owned())]);
});

on_both!(who_gains_or_loses_a_site_by_a_seat_or_a_grant_is_told, Small, async |app| {
    let (anct, site) = (app.anct(), known(Kind::Site, 2));
    let partner = json!({ "name": "Tremplin", "kind": "ASSOCIATION", "siren": "356000000" });
    let partner = write(&anct, "createPartner", partner).await.id();
    let mut seats = Vec::new();
    for kind in ["MEMBRE", "OPERATEUR"] {
        let seat = json!({ "site": site, "partner": partner, "kind": kind });
        seats.push(write(&anct, "giveSeat", seat).await.id());
    }
    write(&anct, "endSeat", json!({ "id": seats[0] })).await.done();
    let seat = (Some(2), "356000000".to_owned());
    assert_eq!(
        rescoped(app).await,
        std::slice::from_ref(&seat),
        "the first seat gave the right, and one is left"
    );
    let other = json!({ "name": "Autre", "kind": "ASSOCIATION" });
    let other = write(&anct, "createPartner", other).await.id();
    write(&anct, "mergePartner", json!({ "id": partner, "into": other })).await.done();
    assert_eq!(rescoped(app).await, [seat.clone(), seat], "the last one moved");
    let grant = json!({
        "clientId": "client-X", "label": "Un système", "sourceSystem": "SYSTEME", "sites": ["cde-901", "cde-902"],
    });
    let grant = write(&anct, "createClientGrant", grant).await.id();
    let update = async |change: Value| {
        let mut input = json!({ "id": grant });
        input.as_object_mut().expect("an object").extend(change.as_object().cloned().expect("an object"));
        write(&anct, "updateClientGrant", input).await.done();
    };
    update(json!({ "label": "Le système" })).await;
    assert_eq!(rescoped(app).await.len(), 2, "a name takes nothing");
    update(json!({ "sites": ["cde-901", "cde-903"] })).await;
    let client = |site| (Some(site), "client-X".to_owned());
    assert_eq!(rescoped(app).await[..2], [client(3), client(2)]);
    write(&anct, "revokeClientGrant", json!({ "id": grant })).await.done();
    update(json!({ "status": "ACTIVE" })).await;
    assert_eq!(rescoped(app).await.len(), 4, "it follows nothing meanwhile, and has the same sites after");
    update(json!({ "allSites": true })).await;
    let all: Vec<_> = rescoped(app).await.into_iter().take(3).collect();
    assert_eq!(all, [client(5), client(4), client(2)]);
    let trail = anct.ask(r#"{ auditEvents(filter: { verb: { eq: "rescope" } }) { totalCount } }"#).await;
    assert_eq!(trail.number("/auditEvents/totalCount"), 0, "nobody did anything to these");
});

#[test]
fn a_journal_restored_where_transactions_count_lower_is_noticed() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        rename(&app, "Un nom").await;
        assert_eq!(seal::gap(&app.db).await, Ok(None));
        let later = "UPDATE journal SET xid = xid + 3000";
        app.db.writer.execute_unprepared(later).await.expect("the journal is of another cluster");
        let gap = seal::gap(&app.db).await.expect("the journal is read").expect("it is noticed");
        let (is_content, line) = doctor(&app);
        assert!(!is_content && line.starts_with("WRONG audit") && line.contains("DO $$"), "{line}");
        let text = gap.to_string();
        let remedy = &text[text.find("DO $$").expect("a remedy")..];
        app.db.writer.execute_unprepared(remedy).await.expect("the cluster counts up");
        assert_eq!(seal::gap(&app.db).await, Ok(None));
        app.stop().await;
    });
}

/// An entry as a writer would leave it.
fn entry(at: chrono::DateTime<chrono::Utc>) -> journal::ActiveModel {
    journal::ActiveModel {
        seq: NotSet,
        xid: NotSet,
        entity: Set("Site".to_owned()),
        entity_id: Set(Some(Uuid::now_v7())),
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
        lost_departements: Set(StringList::default()),
        lost_sirens: Set(StringList::default()),
        lost_clients: Set(StringList::default()),
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
