//! Imports that meet other writes on PostgreSQL: what they decide on stays as it was until they are written.

use std::collections::HashSet;
use std::time::Duration;

use entity::enums::SeatKind;
use entity::{journal, seat};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use tests::world::{self, Kind, id};
use tests::{Backend, Template, TestApp, block_on_postgres};
use uuid::Uuid;

use super::{Call, france_travail, item, send};
use crate::writes::{known, waiting, write};

/// Waits until so many sessions wait for a lock.
async fn until_waiting(app: &TestApp, sessions: i64) {
    let wait = async {
        while waiting(app).await < sessions {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("they wait");
}

/// Makes a write that has changed its row and cannot end yet, sends an item, and lets the write end once the item's call
/// waits too.
async fn meets(app: &TestApp, name: &str, input: Value, more: Value) -> Call {
    let partner = france_travail(app).await;
    let anct = app.anct();
    let held = app.db.begin_write().await.expect("a transaction");
    held.execute_unprepared("LOCK TABLE journal IN SHARE MODE").await.expect("a lock");
    let sent = async {
        until_waiting(app, 1).await;
        send(&partner, json!([item("A", 0, more)])).await
    };
    let ended = async {
        until_waiting(app, 2).await;
        held.rollback().await.expect("it ends");
    };
    let (written, sent, ()) = tokio::join!(write(&anct, name, input), sent, ended);
    written.done();
    sent
}

/// A new partner of that code.
async fn partner(app: &TestApp, safir: &str) -> String {
    let input = json!({ "name": format!("Agence {safir}"), "kind": "FRANCE_TRAVAIL", "safirCode": safir });
    write(&app.anct(), "createPartner", input).await.id()
}

#[test]
fn an_item_that_meets_a_merge_names_the_partner_that_stays() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let (from, into) = (partner(&app, "38052").await, partner(&app, "38053").await);
        let named = json!({ "safirCode": "38052" });
        let more = json!({ "lead": named, "partners": [named] });
        let sent = meets(&app, "mergePartner", json!({ "id": from, "into": into }), more).await;
        assert_eq!(sent.only(), ["CREATED"]);
        let read = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Partner { status leads { totalCount } \
            actions { totalCount } seats { totalCount } } } }";
        let read = app.anct().query(read, json!({ "ids": [from, into] })).await;
        let partner = |status, count| {
            let count = json!({ "totalCount": count });
            json!({ "status": status, "leads": count, "actions": count, "seats": count })
        };
        assert_eq!(read.data("/nodes"), &json!([partner("MERGED", 0), partner("ACTIVE", 1)]));
        app.stop().await;
    });
}

#[test]
fn an_item_that_meets_a_closure_of_its_partner_is_refused() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let closed = partner(&app, "38052").await;
        let more = json!({ "lead": { "safirCode": "38052" } });
        let sent = meets(&app, "closePartner", json!({ "id": closed }), more).await;
        assert_eq!(sent.only(), ["REJECTED", "RULE lead"]);
        app.stop().await;
    });
}

#[test]
fn an_item_that_meets_a_closure_of_its_site_is_refused() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let closing = json!({ "id": known(Kind::Site, 1), "to": "CLOSED" });
        let sent = meets(&app, "transitionSite", closing, json!({})).await;
        assert_eq!(sent.only(), ["REJECTED", "FORBIDDEN site.code"]);
        app.stop().await;
    });
}

#[test]
fn a_seat_that_another_writer_gave_meanwhile_is_not_told_twice() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let seated = partner(&app, "38052").await;
        let (_, seated) = cites::ids::decode(&seated).expect("an id");
        // a seat that is given, and not yet seen
        let giving = app.db.begin_write().await.expect("a transaction");
        let mut given = world::small().seats[0].clone();
        (given.id, given.site_id, given.partner_id) = (Uuid::now_v7(), id(Kind::Site, 1), seated);
        (given.kind, given.ends_on, given.deleted_at) = (SeatKind::Operateur, None, None);
        given.into_active_model().reset_all().insert(&giving).await.expect("it is given");
        let partner = france_travail(&app).await;
        let ended = async {
            until_waiting(&app, 1).await;
            giving.commit().await.expect("it ends");
        };
        let more = json!({ "partners": [{ "safirCode": "38052" }] });
        let (sent, ()) = tokio::join!(send(&partner, json!([item("A", 0, more)])), ended);
        assert_eq!(sent.only(), ["CREATED"]);
        let seats = seat::Entity::find().all(&app.db.readers).await.expect("seats");
        let seats: HashSet<Uuid> = seats.into_iter().map(|seat| seat.id).collect();
        let told = journal::Entity::find().all(&app.db.readers).await.expect("entries");
        let mut told = told.into_iter().filter(|entry| entry.entity == "Seat");
        assert!(
            told.all(|entry| entry.entity_id.is_some_and(|id| seats.contains(&id))),
            "what is told is there"
        );
        app.stop().await;
    });
}

#[test]
fn a_partner_that_another_writer_made_meanwhile_is_found() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        // made under the identifier that the item names, and not yet seen
        let making = app.db.begin_write().await.expect("a transaction");
        let mut made = world::small().partners[0].clone();
        (made.id, made.source_system) = (Uuid::now_v7(), Some("FRANCE_TRAVAIL".to_owned()));
        (made.source_external_id, made.name) = (Some("P-1".to_owned()), "Tremplin".to_owned());
        made.into_active_model().reset_all().insert(&making).await.expect("it is made");
        let partner = france_travail(&app).await;
        let ended = async {
            until_waiting(&app, 1).await;
            making.commit().await.expect("it ends");
        };
        let more = json!({ "lead": { "externalId": "P-1", "name": "Tremplin", "kind": "ASSOCIATION" } });
        let (sent, ()) = tokio::join!(send(&partner, json!([item("A", 0, more)])), ended);
        assert_eq!(sent.only(), ["CREATED"]);
        app.stop().await;
    });
}

/// Sends two items of one action, the second once the first cannot end yet; gives what became of them, and how many
/// actions there are then.
async fn one_after_the_other(first: Value, second: Value) -> (Vec<String>, Vec<String>, i64) {
    let app = TestApp::start(Backend::Postgres, Template::Small).await;
    let partner = france_travail(&app).await;
    let held = app.db.begin_write().await.expect("a transaction");
    held.execute_unprepared("LOCK TABLE import_batch IN SHARE MODE").await.expect("a lock");
    let later = async {
        until_waiting(&app, 1).await;
        send(&partner, json!([second])).await
    };
    let ended = async {
        until_waiting(&app, 2).await;
        held.rollback().await.expect("it ends");
    };
    let (first, second, ()) = tokio::join!(send(&partner, json!([first])), later, ended);
    let count = "{ actions(filter: { sourceExternalId: { eq: \"A\" } }) { totalCount } }";
    let count = partner.ask(count).await.number("/actions/totalCount");
    app.stop().await;
    (first.only(), second.only(), count)
}

#[test]
fn a_deletion_and_a_creation_of_one_action_do_not_miss_each_other() {
    block_on_postgres(async || {
        let gone = json!({ "externalId": "A", "sourceUpdatedAt": "2023-06-12T10:05:00Z", "deleted": true });
        let new = item("A", 1, json!({}));
        let told = one_after_the_other(new.clone(), gone.clone()).await;
        assert_eq!(told, (vec!["CREATED".to_owned()], vec!["UPDATED".to_owned()], 0));
        let stale = vec!["UNCHANGED".to_owned(), "STALE sourceUpdatedAt".to_owned()];
        let told = one_after_the_other(gone, new).await;
        assert_eq!(told, (vec!["UNCHANGED".to_owned()], stale, 0));
    });
}
