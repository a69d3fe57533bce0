//! The change feed, through HTTP: every change once, in the order of commits, and nothing that a caller may not know.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cites::clock::Clock;
use entity::enums::JournalOp;
use entity::{StringList, database_identity, journal};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Statement};
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{Answer, Backend, GrantedSites, Persona, Template, TestApp, block_on_postgres, on_both};
use uuid::Uuid;

use crate::writes::{all, known, write};

const CONTRACT: &str = include_str!("contract/sync.graphql");
const CHANGES: &str = "query ($after: String, $first: Int) { changes(after: $after, first: $first) { \
    pageInfo { hasNextPage endCursor } nodes { operation entity entityId version node { __typename id } } } }";

async fn page(persona: &Persona<'_>, after: Option<&str>, first: u32) -> Answer {
    persona.query(CHANGES, json!({ "after": after, "first": first })).await
}

/// Waits until every entry is settled: transactions of other tests on the same server hold it up.
pub(crate) async fn settled(app: &TestApp) {
    if app.db.backend == cites::db::Backend::Sqlite {
        return;
    }
    let open = "SELECT EXISTS (SELECT 1 FROM journal WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint)";
    let statement = || Statement::from_string(app.db.writer.get_database_backend(), open);
    for _ in 0..1_000 {
        let row = app.db.writer.query_one_raw(statement()).await.expect("an answer").expect("a row");
        if !row.try_get_by_index::<bool>(0).expect("a flag") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a transaction stays open");
}

/// `OPERATION ENTITY version`, with a star where the object is shown, of all that a caller can follow.
async fn followed(app: &TestApp, persona: &Persona<'_>) -> Vec<String> {
    settled(app).await;
    let line = |change: &Value| {
        let shown = if change["node"].is_null() { "" } else { " *" };
        let text = |name: &str| change[name].as_str().expect("a text").to_owned();
        format!("{} {} {}{shown}", text("operation"), text("entity"), change["version"])
    };
    page(persona, None, 500).await.list("/changes/nodes").iter().map(line).collect()
}

fn sixth_action() -> Value {
    // of the first site, written by hand, a draft that is not published
    json!(known(Kind::Action, 4))
}

on_both!(the_contract_document_answers, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let none = partner.operation(CONTRACT, "Changes", json!({ "after": null })).await;
    assert_eq!(
        none.data("/changes"),
        &json!({ "pageInfo": { "hasNextPage": false, "endCursor": null }, "nodes": [] })
    );
    let item = json!({ "externalId": "A", "sourceUpdatedAt": "2023-06-12T10:00:00Z", "title": "Permanence",
        "site": { "code": "cde-901" } });
    let sync = "mutation ($input: SyncActionsInput!) { syncActions(input: $input) { results { outcome } } }";
    partner.query(sync, json!({ "input": { "items": [item] } })).await.data("/syncActions/results/0");
    crate::writes::write(
        &app.prefecture(&["69"]),
        "updateSite",
        json!({ "id": known(Kind::Site, 1), "name": "Autre nom" }),
    )
    .await
    .done();
    settled(app).await;
    let read = partner.operation(CONTRACT, "Changes", json!({ "after": null })).await;
    let changes = read.list("/changes/nodes");
    assert_eq!(changes.len(), 1, "{read}");
    assert_eq!(changes[0]["operation"], "UPSERT");
    assert_eq!(changes[0]["entity"], "ACTION");
    assert_eq!(changes[0]["at"], "2023-06-12T10:00:00Z");
    let source = json!({ "system": "FRANCE_TRAVAIL", "externalId": "A" });
    assert_eq!(changes[0]["node"], json!({ "title": "Permanence", "status": "DRAFT", "source": source }));
    let cursor = read.data("/changes/pageInfo/endCursor").clone();
    assert_ne!(
        changes[0]["cursor"], cursor,
        "the end is where was looked to, past the site that he does not follow"
    );
    let next = partner.operation(CONTRACT, "Changes", json!({ "after": cursor })).await;
    assert_eq!(next.data("/changes/pageInfo/endCursor"), &cursor, "an empty page gives the cursor back");
    assert!(next.list("/changes/nodes").is_empty());
});

on_both!(pages_of_any_size_hold_each_change_once, Small, async |app| {
    for n in 0..23 {
        let name = format!("Nom {n}");
        write(&app.anct(), "updateSite", json!({ "id": known(Kind::Site, 1), "name": name })).await.done();
    }
    settled(app).await;
    let (mut seen, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let read = page(&app.anct(), cursor.as_deref(), 5).await;
        seen.extend(
            read.list("/changes/nodes").iter().map(|change| change["version"].as_i64().expect("a version")),
        );
        pages += 1;
        cursor = read.data("/changes/pageInfo/endCursor").as_str().map(str::to_owned);
        if read.data("/changes/pageInfo/hasNextPage") == &json!(false) {
            break;
        }
    }
    assert_eq!(pages, 5);
    let first = seen[0];
    assert_eq!(seen, (first..first + 23).collect::<Vec<_>>());
    let last = app
        .anct()
        .ask("{ changes(last: 1) { pageInfo { endCursor hasPreviousPage } nodes { cursor } } }")
        .await;
    assert_eq!(last.data("/changes/pageInfo/endCursor").as_str(), cursor.as_deref());
    assert_eq!(last.data("/changes/nodes/0/cursor").as_str(), cursor.as_deref());
});

on_both!(what_leaves_a_callers_sight_reaches_him_as_a_deletion, Small, async |app| {
    let prefecture = app.prefecture(&["69"]);
    let stranger = app.prefecture(&["02"]);
    let change = async |fields: Value| {
        let mut input = json!({ "id": sixth_action() });
        input.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        write(&prefecture, "updateAction", input).await.done();
    };
    change(json!({ "title": "Brouillon" })).await;
    assert!(followed(app, &stranger).await.is_empty(), "a draft of elsewhere is nobody's business");
    let plan = json!({ "id": sixth_action(), "lead": known(Kind::Partner, 3), "startsOn": "2023", "pillar": "INNOVER", "published": true });
    write(&prefecture, "updateAction", plan).await.done();
    write(&prefecture, "transitionAction", json!({ "id": sixth_action(), "to": "PLANNED" })).await.done();
    assert_eq!(
        followed(app, &stranger).await,
        ["UPSERT ACTION 2 *", "UPSERT ACTION 3 *", "UPSERT ACTION 4 *"]
    );
    change(json!({ "published": false })).await;
    assert_eq!(followed(app, &stranger).await, ["DELETE ACTION 5"]);
    assert_eq!(followed(app, &prefecture).await.last().map(String::as_str), Some("UPSERT ACTION 5 *"));
    assert!(followed(app, &app.prefecture(&["59"])).await.iter().all(|line| line == "DELETE ACTION 5"));
    write(&app.anct(), "deleteAction", json!({ "id": sixth_action() })).await.done();
    assert!(
        followed(app, &prefecture).await.iter().all(|line| line.starts_with("DELETE ACTION")),
        "a tombstone is gone"
    );
    assert_eq!(followed(app, &stranger).await, ["DELETE ACTION 5"], "he knows already");
});

on_both!(a_partner_of_another_siren_leaves_the_sight_of_its_people, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    let seats = r#"{ sites(filter: { seats: { some: { partner: { siren: { eq: "552100554" } } } } }) { totalCount } }"#;
    assert_eq!(app.anct().ask(seats).await.count("/sites/totalCount"), 0);
    assert!(followed(app, &city).await.is_empty());
    let input = json!({ "id": known(Kind::Partner, 2), "siren": "552100554" });
    write(&app.anct(), "updatePartner", input).await.done();
    assert_eq!(app.anct().ask(seats).await.count("/sites/totalCount"), 2);
    // everybody sees the active site, and he sees it anew
    let but_figures = |mut told: Vec<String>| {
        told.retain(|line| !line.contains("FIGURE"));
        told
    };
    let told = but_figures(followed(app, &city).await);
    assert_eq!(told, ["DELETE SITE 1", "UPSERT SITE 1 *", "DELETE SITE 1", "UPSERT PARTNER 2 *"]);
    let others = but_figures(followed(app, &app.collectivite(&["552100554"])).await);
    let again = ["DELETE SITE 1", "UPSERT SITE 1 *"];
    assert_eq!(others, [&again[..], &again, &["UPSERT PARTNER 2 *"]].concat());
});

on_both!(what_was_published_in_a_site_that_nobody_sees_leaves_no_trace, Small, async |app| {
    let prefecture = app.prefecture(&["93"]);
    let input = json!({ "site": known(Kind::Site, 4), "title": "Avant le label", "startsOn": "2023", "published": true,
        "lead": known(Kind::Partner, 3), "pillar": "INNOVER" });
    let id = write(&prefecture, "createAction", input).await.id();
    write(&prefecture, "transitionAction", json!({ "id": id, "to": "PLANNED" })).await.done();
    write(&prefecture, "updateAction", json!({ "id": id, "published": false })).await.done();
    assert_eq!(followed(app, &prefecture).await.len(), 3);
    assert!(followed(app, &app.prefecture(&["02"])).await.is_empty(), "the site is a candidate still");
});

on_both!(the_feed_is_for_those_whom_the_matrix_names, Small, async |app| {
    write(&app.anct(), "updateSite", json!({ "id": known(Kind::Site, 4), "name": "Candidate" })).await.done();
    for (persona, sees) in [
        (app.anct(), 1),
        (app.prefecture(&["93"]), 1),
        (app.prefecture(&["69"]), 0),
        (app.collectivite(&["200046977"]), 1),
        (app.collectivite(&["200040715"]), 0),
        (app.partner("FRANCE_TRAVAIL", GrantedSites::Codes(&["cde-901"])).await, 0),
    ] {
        assert_eq!(followed(app, &persona).await.len(), sees, "{persona:?}");
    }
    assert!(followed(app, &app.public()).await.is_empty());
});

on_both!(persons_are_not_in_the_feed, Small, async |app| {
    let input = json!({ "site": known(Kind::Site, 1), "partner": known(Kind::Partner, 1), "function": "Déléguée",
        "lastName": "Introuvable" });
    write(&app.prefecture(&["69"]), "createReferent", input).await.done();
    assert!(followed(app, &app.prefecture(&["69"])).await.is_empty());
});

on_both!(a_cursor_that_the_database_does_not_know_is_expired, Small, async |app| {
    for name in ["Un nom", "Un autre"] {
        write(&app.anct(), "updateSite", json!({ "id": known(Kind::Site, 1), "name": name })).await.done();
    }
    settled(app).await;
    let read = page(&app.anct(), None, 500).await;
    let cursor = read.data("/changes/pageInfo/endCursor").as_str().expect("a cursor").to_owned();
    assert_eq!(page(&app.anct(), Some("abc"), 5).await.code(), "CURSOR_EXPIRED");
    // an instant that no entry has, and that PostgreSQL does not know
    let mut forged: Vec<i64> =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&cursor).expect("base64")).expect("numbers");
    *forged.last_mut().expect("an instant") = -8_000_000_000_000_000_000;
    let forged = URL_SAFE_NO_PAD.encode(serde_json::to_string(&forged).expect("a text"));
    assert_eq!(page(&app.anct(), Some(&forged), 5).await.code(), "CURSOR_EXPIRED");
    // a copy restored from before the last entry does not have it
    app.db
        .writer
        .execute_unprepared("DELETE FROM journal WHERE seq = (SELECT MAX(seq) FROM journal)")
        .await
        .expect("it is removed");
    let expired = page(&app.anct(), Some(&cursor), 5).await;
    assert_eq!(expired.code(), "CURSOR_EXPIRED");
    assert!(
        expired.errors()[0]["extensions"]["expected"]
            .as_str()
            .is_some_and(|text| text.contains("start over"))
    );
    // and another entry in its place does not make it good
    let other = entry(app.clock.now() + chrono::Duration::seconds(1));
    other.insert(&app.db.writer).await.expect("an entry");
    assert_eq!(page(&app.anct(), Some(&cursor), 5).await.code(), "CURSOR_EXPIRED");
});

on_both!(a_cursor_of_another_database_is_expired, Small, async |app| {
    write(&app.anct(), "updateSite", json!({ "id": known(Kind::Site, 1), "name": "Un nom" })).await.done();
    settled(app).await;
    let read = page(&app.anct(), None, 500).await;
    let cursor = read.data("/changes/pageInfo/endCursor").as_str().expect("a cursor").to_owned();
    // a second server on the same data under another identity
    let identity = database_identity::Entity::find().one(&app.db.writer).await.expect("a row").expect("one");
    let row = database_identity::ActiveModel {
        id: Set(identity.id),
        uuid: Set(Uuid::now_v7()),
        ..Default::default()
    };
    row.update(&app.db.writer).await.expect("it is changed");
    let actor = cites::auth::Actor {
        role: cites::auth::Role::Anct,
        scopes: cites::auth::Scope::ALL.to_vec(),
        ..cites::auth::Actor::public()
    };
    let time: std::sync::Arc<dyn Clock> = app.clock.clone();
    let engine = cites::graphql::Engine::new(std::sync::Arc::new(app.db.clone()), time).expect("an engine");
    let operation = cites::graphql::Operation {
        query: Some(format!("{{ changes(after: \"{cursor}\") {{ nodes {{ version }} }} }}")),
        read_only: true,
        ..cites::graphql::Operation::default()
    };
    let answer = engine.execute(operation, actor).await;
    assert!(String::from_utf8_lossy(&answer.body).contains("CURSOR_EXPIRED"));
});

/// An entry as a writer would leave it, of an object that anybody at ANCT may have seen.
fn entry(at: chrono::DateTime<chrono::Utc>) -> journal::ActiveModel {
    journal::ActiveModel {
        seq: NotSet,
        xid: NotSet,
        entity: Set("Site".to_owned()),
        entity_id: Set(Some(Uuid::now_v7())),
        version: Set(1),
        op: Set(JournalOp::Delete),
        verb: Set("delete".to_owned()),
        at: Set(at),
        changed_fields: Set(StringList::default()),
        public: Set(false),
        was_public: Set(false),
        outcome: Set("OK".to_owned()),
        ..Default::default()
    }
}

#[test]
fn a_late_commit_does_not_slip_in_behind_a_reader() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let now = app.clock.now();
        let mut open = Vec::new();
        for _ in 0..2 {
            let tx = app.db.begin_write().await.expect("a transaction");
            entry(now).insert(&tx).await.expect("an entry");
            open.push(tx);
        }
        let (mut seen, mut cursor) = (HashSet::new(), None::<String>);
        // they end in the reverse order of their start
        while let Some(tx) = open.pop() {
            tx.commit().await.expect("it is committed");
            follow(&app.anct(), &mut cursor, &mut seen).await;
            assert!(open.is_empty() || seen.is_empty(), "an older transaction is open: nothing is settled");
        }
        settled(&app).await;
        follow(&app.anct(), &mut cursor, &mut seen).await;
        assert_eq!(seen.len(), 2);
        app.stop().await;
    });
}

/// Reads on from a cursor; each change is new.
async fn follow(persona: &Persona<'_>, cursor: &mut Option<String>, seen: &mut HashSet<String>) {
    loop {
        let read = page(persona, cursor.as_deref(), 500).await;
        for change in read.list("/changes/nodes") {
            let name = format!("{} {}", change["entityId"], change["version"]);
            assert!(seen.insert(name), "a change comes twice: {change}");
        }
        *cursor = read.data("/changes/pageInfo/endCursor").as_str().map(str::to_owned);
        if read.data("/changes/pageInfo/hasNextPage") == &json!(false) {
            return;
        }
    }
}

on_both!(a_reader_beside_sixteen_writers_misses_nothing, Small, async |app| {
    const WRITERS: usize = 16;
    const CALLS: usize = 8;
    const ITEMS: usize = 16;
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let sync = "mutation ($input: SyncActionsInput!) { syncActions(input: $input) { results { outcome } } }";
    let writer = async |writer: usize| {
        for call in 0..CALLS {
            // calls of unequal length end in another order than they begin
            let items: Vec<Value> = (0..=(writer * 7 + call * 5) % (2 * ITEMS - 1))
                .map(|n| {
                    json!({ "externalId": format!("{writer}-{call}-{n}"), "sourceUpdatedAt": "2023-06-12T10:00:00Z",
                        "title": "Permanence", "site": { "code": "cde-901" } })
                })
                .collect();
            // a writer that finds no connection free in time sends the same again
            loop {
                let sent = partner.query(sync, json!({ "input": { "items": items } })).await;
                if sent.errors().iter().any(|error| error["extensions"]["code"] == "UNAVAILABLE") {
                    continue;
                }
                assert_eq!(sent.list("/syncActions/results").len(), items.len(), "{sent}");
                break;
            }
        }
    };
    let expected: usize = (0..WRITERS)
        .flat_map(|writer| (0..CALLS).map(move |call| 1 + (writer * 7 + call * 5) % (2 * ITEMS - 1)))
        .sum();
    let reader = app.anct();
    let written = AtomicBool::new(false);
    let write = async {
        all((0..WRITERS).map(writer)).await;
        written.store(true, Ordering::SeqCst);
    };
    let read = async {
        let (mut seen, mut cursor) = (HashSet::new(), None::<String>);
        while !written.load(Ordering::SeqCst) {
            follow(&reader, &mut cursor, &mut seen).await;
        }
        settled(app).await;
        follow(&reader, &mut cursor, &mut seen).await;
        assert_eq!(seen.len(), expected);
    };
    tokio::join!(write, read);
    assert!(expected > 1_500, "{expected}");
});
