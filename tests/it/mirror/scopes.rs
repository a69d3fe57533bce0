//! Who is told when somebody gains or loses a right, and what a cursor goes past.

use cites::auth::Scope;
use cites::clock::Clock;
use entity::enums::JournalOp;
use entity::{StringList, journal};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tests::world::{Kind, id};
use tests::{Answer, GrantedSites, Persona, TestApp, on_both};

use crate::feed::settled;
use crate::live::LIVE;
use crate::writes::{known, write};

const PAGE: &str = "query ($after: String, $first: Int) { changes(after: $after, first: $first) { pageInfo { hasNextPage \
    endCursor } nodes { operation entity entityId } } }";
const LAST: &str =
    "{ changes(last: 1) { pageInfo { endCursor hasNextPage hasPreviousPage } nodes { entity } } }";

async fn page(persona: &Persona<'_>, after: &Value) -> Answer {
    persona.query(PAGE, json!({ "after": after })).await
}

/// `OPERATION ENTITY` of all that somebody is told, but figures.
async fn told(app: &TestApp, persona: &Persona<'_>, after: &Value) -> Vec<String> {
    settled(app).await;
    let line = |change: &Value| format!("{} {}", change["operation"], change["entity"]).replace('"', "");
    let told = page(persona, after).await.list("/changes/nodes").iter().map(line).collect::<Vec<_>>();
    told.into_iter().filter(|line| !line.ends_with("FIGURE")).collect()
}

async fn end(app: &TestApp, persona: &Persona<'_>) -> Value {
    settled(app).await;
    persona.ask(LAST).await.data("/changes/pageInfo/endCursor").clone()
}

on_both!(a_seat_is_told_to_those_whose_right_it_gives_and_to_nobody_else, Small, async |app| {
    let (anct, own) = (app.anct(), app.collectivite(&["200046977"]));
    write(&anct, "endSeat", json!({ "id": known(Kind::Seat, 2) })).await.done();
    let after = Value::Null;
    assert_eq!(told(app, &own, &after).await, ["DELETE SITE", "UPSERT SITE", "DELETE SEAT"]);
    // the public saw the seat
    assert_eq!(told(app, &app.collectivite(&["200040715"]), &after).await, ["DELETE SEAT"]);
    for persona in [anct.clone(), app.prefecture(&["69"])] {
        assert_eq!(told(app, &persona, &after).await, ["UPSERT SEAT"], "{persona:?}");
    }
    let between = end(app, &own).await;
    let seat = json!({ "site": known(Kind::Site, 1), "partner": known(Kind::Partner, 2), "kind": "MEMBRE" });
    write(&anct, "giveSeat", seat.clone()).await.done();
    assert_eq!(told(app, &own, &between).await, ["DELETE SITE", "UPSERT SITE", "UPSERT SEAT"]);
    assert_eq!(told(app, &anct, &between).await, ["UPSERT SEAT"]);
    let between = end(app, &own).await;
    let second =
        json!({ "site": known(Kind::Site, 1), "partner": known(Kind::Partner, 2), "kind": "OPERATEUR" });
    write(&anct, "giveSeat", second).await.done();
    assert_eq!(told(app, &own, &between).await, ["UPSERT SEAT"], "he has the site already");
});

on_both!(a_candidate_that_is_deleted_is_told_to_those_who_sat_there, Small, async |app| {
    let (anct, own) = (app.anct(), app.collectivite(&["200046977"]));
    let site = write(&anct, "createSite", json!({ "name": "Candidate", "communes": ["69256"] })).await.id();
    let seat = json!({ "site": site, "partner": known(Kind::Partner, 2), "kind": "MEMBRE" });
    write(&anct, "giveSeat", seat).await.done();
    let after = end(app, &own).await;
    write(&anct, "deleteSite", json!({ "id": site })).await.done();
    settled(app).await;
    let page = page(&own, &after).await;
    let deleted = json!({ "operation": "DELETE", "entity": "SITE", "entityId": site });
    assert!(page.list("/changes/nodes").contains(&deleted), "{page}");
});

on_both!(a_superseded_roadmap_and_its_axes_leave_the_public_sight, Small, async |app| {
    let (anct, stranger) = (app.anct(), app.prefecture(&["02"]));
    let adopt = async |label: &str| {
        let draft = json!({ "site": known(Kind::Site, 1), "axes": [{ "label": label }] });
        let roadmap = write(&anct, "createRoadmap", draft).await.id();
        write(&anct, "adoptRoadmap", json!({ "id": roadmap })).await.done();
    };
    adopt("Premier axe").await;
    let after = end(app, &stranger).await;
    adopt("Second axe").await;
    let mut told = told(app, &stranger, &after).await;
    told.sort();
    let expected =
        ["DELETE AXIS", "DELETE ROADMAP", "UPSERT AXIS", "UPSERT AXIS", "UPSERT ROADMAP", "UPSERT ROADMAP"];
    assert_eq!(told, expected);
});

on_both!(a_grant_that_does_not_hold_keeps_the_cursor_where_it_is, Small, async |app| {
    let (anct, partner) =
        (app.anct(), app.partner("FRANCE_TRAVAIL", GrantedSites::Codes(&["cde-901"])).await);
    let grant = anct.ask("{ clientGrant(by: { clientId: \"client-FRANCE_TRAVAIL\" }) { id } }").await;
    let grant = grant.data("/clientGrant/id").clone();
    let change = async |fields: Value| {
        let mut input = json!({ "id": grant });
        input.as_object_mut().expect("an object").extend(fields.as_object().cloned().expect("an object"));
        write(&anct, "updateClientGrant", input).await.done();
    };
    let forever = json!({ "status": "ACTIVE", "validFrom": null, "validTo": null });
    for (n, away) in [
        json!({ "validTo": "2023-06-12T10:00:00Z" }),
        json!({ "validFrom": "2023-06-13T00:00:00Z" }),
        json!({ "status": "REVOKED" }),
    ]
    .into_iter()
    .enumerate()
    {
        let after = end(app, &partner).await;
        change(away).await;
        // the second action of the small world is a draft of this system
        let title = json!({ "id": known(Kind::Action, 2), "title": format!("Titre {n}") });
        write(&anct, "updateAction", title).await.done();
        settled(app).await;
        assert_eq!(page(&partner, &after).await.code(), "FORBIDDEN");
        assert_eq!(partner.ask(LAST).await.code(), "FORBIDDEN");
        for from in [after.clone(), Value::Null] {
            let mut events = partner.stream(LIVE, json!({ "after": from })).await;
            let (_, response) = events.event().await.expect("an event");
            assert_eq!(response["errors"][0]["extensions"]["code"], "FORBIDDEN", "{response}");
        }
        change(forever.clone()).await;
        assert_eq!(told(app, &partner, &after).await, ["UPSERT ACTION"], "nothing is lost");
    }
    // with fewer sites than before, those that are gone are told
    let after = end(app, &partner).await;
    change(json!({ "sites": ["cde-902"] })).await;
    let line = ["DELETE SITE", "UPSERT SITE"];
    assert_eq!(told(app, &partner, &after).await, [line, line].concat());
});

on_both!(a_stream_ends_when_its_grant_has_ended_meanwhile, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let grant = app.anct().ask("{ clientGrant(by: { clientId: \"client-FRANCE_TRAVAIL\" }) { id } }").await;
    let ends = json!({ "id": grant.data("/clientGrant/id"), "validTo": "2023-06-12T10:05:00Z" });
    write(&app.anct(), "updateClientGrant", ends).await.done();
    let mut socket = crate::live::following(&partner).await;
    app.clock.advance(600);
    crate::live::rename(app, 1, "Plus vue").await;
    assert_eq!(socket.closed().await.0, 4403);
});

on_both!(a_cursor_goes_past_what_is_not_seen, Small, async |app| {
    let (anct, stranger) = (app.anct(), app.prefecture(&["02"]));
    let draft = json!({ "id": known(Kind::Action, 4), "title": "Brouillon" });
    write(&anct, "updateAction", draft).await.done();
    settled(app).await;
    let read = page(&stranger, &Value::Null).await;
    assert!(read.list("/changes/nodes").is_empty(), "{read}");
    let cursor = read.data("/changes/pageInfo/endCursor").clone();
    assert_eq!(&cursor, page(&anct, &Value::Null).await.data("/changes/pageInfo/endCursor"));
    assert_eq!(page(&stranger, &cursor).await.data("/changes/pageInfo/endCursor"), &cursor);
    assert_eq!(end(app, &stranger).await, cursor);
    // where there is more the end is the last that is shown
    for name in ["Un nom", "Un autre"] {
        crate::live::rename(app, 1, name).await;
    }
    settled(app).await;
    let first = stranger.query(PAGE, json!({ "after": cursor, "first": 1 })).await;
    assert_eq!(first.data("/changes/pageInfo/hasNextPage"), &json!(true));
    let second = page(&stranger, first.data("/changes/pageInfo/endCursor")).await;
    assert_eq!(second.list("/changes/nodes").len(), 1, "{second}");
    // nobody learns where the journal ends who may not follow it
    let none = page(&app.public(), &Value::Null).await;
    assert_eq!(none.data("/changes/pageInfo/endCursor"), &Value::Null);
    let reader = app.partner("SANS", GrantedSites::All).await.scopes(&[Scope::Write]);
    assert_eq!(page(&reader, &Value::Null).await.data("/changes/pageInfo/endCursor"), &Value::Null);
});

/// Entries of a draft that ANCT and the préfecture of 69 alone see.
pub(crate) fn unseen(at: chrono::DateTime<chrono::Utc>, count: usize) -> Vec<journal::ActiveModel> {
    let entry = journal::ActiveModel {
        seq: NotSet,
        xid: NotSet,
        entity: Set("Action".to_owned()),
        entity_id: Set(Some(id(Kind::Action, 4))),
        version: Set(1),
        op: Set(JournalOp::Upsert),
        verb: Set("update".to_owned()),
        at: Set(at),
        site_id: Set(Some(id(Kind::Site, 1))),
        was_site_id: Set(Some(id(Kind::Site, 1))),
        public: Set(false),
        was_public: Set(false),
        changed_fields: Set(StringList::default()),
        lost_departements: Set(StringList::default()),
        lost_sirens: Set(StringList::default()),
        lost_clients: Set(StringList::default()),
        outcome: Set("OK".to_owned()),
        ..Default::default()
    };
    vec![entry; count]
}

on_both!(a_page_looks_through_so_many_entries_and_no_more, Small, async |app| {
    let stranger = app.prefecture(&["02"]);
    for _ in 0..101 {
        let some = unseen(app.clock.now(), 200);
        journal::Entity::insert_many(some).exec_without_returning(&app.db.writer).await.expect("entries");
    }
    crate::live::rename(app, 1, "Vue").await;
    settled(app).await;
    let first = page(&stranger, &Value::Null).await;
    assert_eq!(first.data("/changes/nodes"), &json!([]));
    assert_eq!(first.data("/changes/pageInfo/hasNextPage"), &json!(true));
    let second = page(&stranger, first.data("/changes/pageInfo/endCursor")).await;
    assert_eq!(second.list("/changes/nodes").len(), 1, "{second}");
    assert_eq!(second.data("/changes/pageInfo/hasNextPage"), &json!(false));
    let last = stranger.ask(LAST).await;
    assert_eq!(last.list("/changes/nodes").len(), 1);
    for _ in 0..101 {
        let some = unseen(app.clock.now(), 200);
        journal::Entity::insert_many(some).exec_without_returning(&app.db.writer).await.expect("entries");
    }
    settled(app).await;
    let last = stranger.ask(LAST).await;
    assert_eq!(last.data("/changes/nodes"), &json!([]), "it was not looked for so far back");
    assert_eq!(last.data("/changes/pageInfo/hasPreviousPage"), &json!(true));
    let cursor = last.data("/changes/pageInfo/endCursor");
    assert_eq!(page(&stranger, cursor).await.data("/changes/pageInfo/endCursor"), cursor);
});
