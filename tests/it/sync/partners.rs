//! The partners that items name: found whatever became of them, made once.

use serde_json::{Value, json};
use tests::{Persona, TestApp, on_both};

use super::{france_travail, item, send};
use crate::writes::write;

/// The partner that leads an action.
async fn lead_of(partner: &Persona<'_>, external_id: &str) -> Value {
    let read = "query ($id: String!) { actions(filter: { sourceExternalId: { eq: $id } }) { nodes { lead { id } } } }";
    let read = partner.query(read, json!({ "id": external_id })).await;
    read.data("/actions/nodes/0/lead/id").clone()
}

/// Has a partner made from a code, the code corrected, and the former one sent again.
async fn is_found_by_its_former_code(
    app: &TestApp,
    partner: &Persona<'_>,
    (field, code): (&str, &str),
    corrected: Value,
) {
    let named = |name: &str| json!({ "lead": { field: code, "name": name, "kind": "ASSOCIATION" } });
    let id = |place: &str| format!("{field}-{place}");
    assert_eq!(send(partner, json!([item(&id("1"), 0, named("Tremplin"))])).await.only(), ["CREATED"]);
    let made = lead_of(partner, &id("1")).await;
    let mut correction = corrected;
    correction["id"] = made.clone();
    write(&app.anct(), "updatePartner", correction).await.done();
    let unnamed = json!({ "lead": { field: code } });
    let items = json!([item(&id("2"), 0, named("Tremplin")), item(&id("3"), 0, unnamed)]);
    assert_eq!(send(partner, items).await.outcomes(), ["CREATED", "CREATED"]);
    assert_eq!(lead_of(partner, &id("2")).await, made);
    assert_eq!(lead_of(partner, &id("3")).await, made);
    // one that has the code now is meant before one that had it
    let name = format!("Porteur du code {field}");
    let input = json!({ "name": name, "kind": "ASSOCIATION", field: code });
    let holder = write(&app.anct(), "createPartner", input).await.id();
    assert_eq!(send(partner, json!([item(&id("4"), 0, named("Tremplin"))])).await.only(), ["CREATED"]);
    assert_eq!(lead_of(partner, &id("4")).await, holder);
}

on_both!(a_partner_is_found_by_the_code_it_was_made_from, Small, async |app| {
    let partner = france_travail(app).await;
    for (field, code, corrected) in [
        ("siret", "35600000009075", "35600000000048"),
        ("rna", "W2A1000119", "W9R1000088"),
        ("safirCode", "38052", "38053"),
    ] {
        is_found_by_its_former_code(app, &partner, (field, code), json!({ field: corrected })).await;
    }
});

on_both!(an_item_that_names_very_many_partners_stops_no_other, Small, async |app| {
    let partner = france_travail(app).await;
    let many: Vec<Value> = (0..33_000).map(|n| json!({ "externalId": format!("P-{n}") })).collect();
    let items = json!([item("A", 0, json!({ "partners": many })), item("B", 0, json!({}))]);
    let sent = send(&partner, items).await;
    assert_eq!(sent.outcomes(), ["REJECTED", "CREATED"]);
    assert_eq!(sent.0.list("/syncActions/results/0/errors").len(), 33_000);
    let named =
        |n: usize| json!({ "externalId": format!("P-{n}"), "name": "Tremplin", "kind": "ASSOCIATION" });
    let made: Vec<Value> = (0..1_200).map(named).collect();
    let items = json!([item("A", 0, json!({ "partners": made }))]);
    assert_eq!(send(&partner, items.clone()).await.only(), ["CREATED"]);
    assert_eq!(send(&partner, items).await.only(), ["UNCHANGED"], "each is found");
});

const NAMED: [&str; 2] = ["35600000009075", "35600000000048"];

/// A partner made by hand.
async fn made(app: &TestApp, name: &str, codes: Value) -> String {
    let mut input = json!({ "name": name, "kind": "ASSOCIATION" });
    input.as_object_mut().expect("an object").extend(codes.as_object().expect("codes").clone());
    write(&app.anct(), "createPartner", input).await.id()
}

on_both!(codes_that_contradict_each_other_lead_to_no_partner_in_silence, Small, async |app| {
    let partner = france_travail(app).await;
    let [siret, other] = NAMED;
    let first = made(app, "Premier", json!({ "siret": siret, "safirCode": "38051" })).await;
    let sent = async |id: &str, lead: Value| {
        send(&partner, json!([item(id, 0, json!({ "lead": lead }))])).await.only()
    };
    let led = async |id: &str, lead: Value| {
        assert_eq!(sent(id, lead).await, ["CREATED"]);
        lead_of(&partner, id).await
    };
    // another establishment of the same agency, unknown so far
    let told = sent("A", json!({ "siret": other, "safirCode": "38051" })).await;
    assert_eq!(told, ["REJECTED", "UNKNOWN_CODE lead.siret"]);
    let new = json!({ "siret": other, "safirCode": "38051", "name": "Second", "kind": "ASSOCIATION" });
    let second = led("A", new.clone()).await;
    assert_ne!(second, json!(first));
    // each is found by the surer code
    assert_eq!(led("B", json!({ "siret": siret, "safirCode": "38051" })).await, json!(first));
    assert_eq!(led("C", new).await, second);
    // a partner whose surer code is not known may be the one that is meant: of two nobody chooses
    made(app, "Troisième", json!({ "rna": "W2A1000119" })).await;
    let told = sent("D", json!({ "siret": siret, "rna": "W2A1000119" })).await;
    assert_eq!(told, ["REJECTED", "AMBIGUOUS lead"]);
    let fourth = made(app, "Quatrième", json!({ "safirCode": "38077" })).await;
    assert_eq!(led("E", json!({ "siret": "20004697700019", "safirCode": "38077" })).await, json!(fourth));
});

on_both!(two_that_the_source_tells_apart_are_two, Small, async |app| {
    let partner = france_travail(app).await;
    let [siret, _] = NAMED;
    let named = |id: &str| json!({ "lead": { "externalId": id, "siret": siret, "name": "Antenne", "kind": "ASSOCIATION" } });
    // made of a code, and named by its own identifier later on
    let unnamed = json!({ "lead": { "siret": siret, "name": "Antenne", "kind": "ASSOCIATION" } });
    assert_eq!(send(&partner, json!([item("A", 0, unnamed)])).await.only(), ["CREATED"]);
    let items = json!([item("B", 0, named("P-1"))]);
    assert_eq!(send(&partner, items).await.only(), ["CREATED"]);
    assert_eq!(lead_of(&partner, "B").await, lead_of(&partner, "A").await);
    let direct = |id: &str| json!({ "lead": { "externalId": id, "rna": "W2A1000119", "name": "Antenne", "kind": "ASSOCIATION" } });
    let items = json!([item("C", 0, direct("P-2")), item("D", 0, direct("P-3"))]);
    assert_eq!(send(&partner, items).await.outcomes(), ["CREATED", "CREATED"]);
    assert_ne!(lead_of(&partner, "C").await, lead_of(&partner, "D").await);
});

on_both!(a_partner_that_is_closed_stays_where_it_is, Small, async |app| {
    let partner = france_travail(app).await;
    let [closed, other] = ["38051", "38052"]
        .map(|code| json!({ "safirCode": code, "name": "Agence", "kind": "FRANCE_TRAVAIL" }));
    let state = json!({ "lead": closed, "partners": [closed, other] });
    assert_eq!(send(&partner, json!([item("A", 0, state.clone())])).await.only(), ["CREATED"]);
    let anct = app.anct();
    let id = lead_of(&partner, "A").await;
    let read = "query ($id: ID!) { node(id: $id) { ... on Partner { seats(filter: { to: { eq: null } }) { nodes { id } } } } }";
    let seats = async || anct.query(read, json!({ "id": id })).await.list("/node/seats/nodes").to_vec();
    for seat in seats().await {
        write(&anct, "endSeat", json!({ "id": seat["id"] })).await.done();
    }
    write(&anct, "closePartner", json!({ "id": id })).await.done();
    let again = item("A", 1, state.clone());
    assert_eq!(send(&partner, json!([again])).await.only(), ["UNCHANGED"], "nothing changed");
    let titled = json!({ "lead": closed, "partners": [closed], "title": "Autre titre" });
    assert_eq!(send(&partner, json!([item("A", 2, titled)])).await.only(), ["UPDATED"]);
    assert_eq!(seats().await, [json!(null); 0], "one that is closed gets no seat");
    // it takes no part in anything new
    let told = send(&partner, json!([item("B", 0, state)])).await.only();
    assert_eq!(told, ["REJECTED", "RULE lead", "RULE partners.0"]);
    let left = json!({ "lead": other, "partners": [other] });
    assert_eq!(send(&partner, json!([item("A", 3, left)])).await.only(), ["UPDATED"]);
    let back = json!({ "lead": closed, "partners": [closed] });
    let told = send(&partner, json!([item("A", 4, back)])).await.only();
    assert_eq!(told, ["REJECTED", "RULE lead", "RULE partners.0"]);
});
