//! Actions that go to another site, and what goes with them.

use serde_json::{Value, json};
use tests::world::Kind;
use tests::{GrantedSites, Persona, TestApp, on_both};

use super::{item, journaled, send};
use crate::feed::settled;
use crate::writes::{known, write};

/// The partners of the action, each with the kinds of its seats in a site.
async fn seats(persona: &Persona<'_>, site: u16) -> Vec<(String, Vec<String>)> {
    let read = "query ($site: ID!) { actions(filter: { sourceExternalId: { eq: \"A\" } }) { nodes { partners { nodes { name \
        seats(filter: { site: { id: { eq: $site } }, to: { eq: null } }) { nodes { kind } } } } } } }";
    let read = persona.query(read, json!({ "site": known(Kind::Site, site) })).await;
    let name = |value: &Value| value.as_str().expect("a text").to_owned();
    let one = |partner: &Value| {
        let seats = partner.pointer("/seats/nodes").and_then(Value::as_array).expect("seats");
        (name(&partner["name"]), seats.iter().map(|seat| name(&seat["kind"])).collect())
    };
    let mut seats: Vec<_> = read.list("/actions/nodes/0/partners/nodes").iter().map(one).collect();
    seats.sort();
    seats
}

fn named(code: &str) -> Value {
    json!({ "safirCode": code, "name": format!("Agence {code}"), "kind": "FRANCE_TRAVAIL" })
}

fn moved(minute: u32, more: Value) -> Value {
    let mut item = item("A", minute, more);
    item["site"]["code"] = json!("cde-902");
    item
}

fn expected(kinds: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let owned = |kinds: &[&str]| kinds.iter().map(ToString::to_string).collect();
    kinds.iter().map(|(code, kinds)| (format!("Agence {code}"), owned(kinds))).collect()
}

on_both!(partners_of_an_action_that_goes_to_another_site_have_a_seat_there, Small, async |app| {
    let partner = app.partner("AGENDA", GrantedSites::All).await;
    let all = json!({ "partners": [named("38051"), named("38052"), named("38053")] });
    assert_eq!(send(&partner, json!([item("A", 0, all)])).await.only(), ["CREATED"]);
    let anct = app.anct();
    // one is seated there already, and one is closed
    let id = async |code: &str| {
        let read = "query ($code: SafirCode!) { partners(filter: { safirCode: { eq: $code } }) { nodes { id \
            seats { nodes { id } } } } }";
        let read = anct.query(read, json!({ "code": code })).await;
        let text = |path: &str| read.data(path).as_str().expect("an id").to_owned();
        (text("/partners/nodes/0/id"), text("/partners/nodes/0/seats/nodes/0/id"))
    };
    let member = json!({ "site": known(Kind::Site, 2), "partner": id("38052").await.0, "kind": "MEMBRE" });
    write(&anct, "giveSeat", member).await.done();
    let (closed, seat) = id("38053").await;
    write(&anct, "endSeat", json!({ "id": seat })).await.done();
    write(&anct, "closePartner", json!({ "id": closed })).await.done();
    let before = journaled(app).await;
    assert_eq!(send(&partner, json!([moved(1, json!({}))])).await.only(), ["UPDATED"]);
    let there = expected(&[("38051", &["OPERATEUR"]), ("38052", &["MEMBRE"]), ("38053", &[])]);
    assert_eq!(seats(&anct, 2).await, there);
    assert_eq!(journaled(app).await, before + 2, "the action and one seat");
});

on_both!(partners_that_are_named_again_have_a_seat_in_the_other_site, Small, async |app| {
    let partner = app.partner("AGENDA", GrantedSites::All).await;
    let same = json!({ "partners": [named("38051")] });
    assert_eq!(send(&partner, json!([item("A", 0, same.clone())])).await.only(), ["CREATED"]);
    assert_eq!(send(&partner, json!([moved(1, same)])).await.only(), ["UPDATED"]);
    assert_eq!(seats(&app.anct(), 2).await, expected(&[("38051", &["OPERATEUR"])]));
});

on_both!(money_follows_its_action, Small, async |app| {
    let partner = app.partner("AGENDA", GrantedSites::All).await;
    let sent = send(&partner, json!([item("A", 0, json!({}))])).await;
    let line = |action: &Value| {
        json!({ "site": known(Kind::Site, 1), "year": 2023, "programmeLabel": "BOP 147", "amountCents": "100",
            "kind": "GRANTED", "action": action })
    };
    let anct = app.anct();
    let follows = write(&anct, "createFundingLine", line(&sent.action(0)["id"])).await.id();
    let stays = write(&anct, "createFundingLine", line(&Value::Null)).await.id();
    let deleted = write(&anct, "createFundingLine", line(&sent.action(0)["id"])).await.id();
    write(&anct, "deleteFundingLine", json!({ "id": deleted })).await.done();
    let before = journaled(app).await;
    assert_eq!(send(&partner, json!([moved(1, json!({}))])).await.only(), ["UPDATED"]);
    let read = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on FundingLine { version site { code } } } }";
    let read = anct.query(read, json!({ "ids": [follows, stays] })).await;
    let lines = json!([
        { "version": 2, "site": { "code": "cde-902" } }, { "version": 1, "site": { "code": "cde-901" } }
    ]);
    assert_eq!(read.data("/nodes"), &lines);
    assert_eq!(journaled(app).await, before + 2, "the action and its line");
    // who saw the line where it was is told, and who sees it now
    settled(app).await;
    let changes =
        "{ changes(last: 3, filter: { entity: { in: [FUNDING_LINE] } }) { nodes { entityId operation } } }";
    for (departement, operation) in [("69", "DELETE"), ("59", "UPSERT")] {
        let told = app.prefecture(&[departement]).ask(changes).await;
        let last = told.list("/changes/nodes").last().expect("a change").clone();
        assert_eq!(last, json!({ "entityId": follows, "operation": operation }));
    }
});

fn collectivite(app: &TestApp) -> Persona<'_> {
    app.collectivite(&["356000000"]).with(|claims| claims.source = Some("INTERNE".to_owned()))
}

on_both!(nobody_seats_himself_by_moving_an_action, Small, async |app| {
    let anct = app.anct();
    let mut own = Vec::new();
    for rna in ["W691234567", "W9R1000088"] {
        let input = json!({ "name": format!("La Poste {rna}"), "kind": "ENTREPRISE", "siren": "356000000", "rna": rna });
        own.push(write(&anct, "createPartner", input).await.id());
    }
    // he steers both sites by the one, and the other has a seat in the first alone
    for (partner, site, kind) in [(0, 1, "ANIMATEUR"), (0, 2, "ANIMATEUR"), (1, 1, "MEMBRE")] {
        let seat = json!({ "site": known(Kind::Site, site), "partner": own[partner], "kind": kind });
        write(&anct, "giveSeat", seat).await.done();
    }
    let city = collectivite(app);
    let other = json!({ "partners": [{ "rna": "W9R1000088" }] });
    assert_eq!(send(&city, json!([item("A", 0, other)])).await.only(), ["CREATED"]);
    assert_eq!(send(&city, json!([moved(1, json!({}))])).await.only(), ["REJECTED", "FORBIDDEN site"]);
    let none = moved(1, json!({ "partners": [] }));
    assert_eq!(send(&city, json!([none])).await.only(), ["UPDATED"]);
});
