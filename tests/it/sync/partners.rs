//! The partners that items name: found whatever became of them, made once.

use serde_json::{Value, json};
use tests::{Persona, TestApp, on_both};

use super::{france_travail, item, send};
use crate::writes::write;

/// The partner that leads an action.
async fn lead(partner: &Persona<'_>, external_id: &str) -> Value {
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
    let made = lead(partner, &id("1")).await;
    let mut correction = corrected;
    correction["id"] = made.clone();
    write(&app.anct(), "updatePartner", correction).await.done();
    let unnamed = json!({ "lead": { field: code } });
    let items = json!([item(&id("2"), 0, named("Tremplin")), item(&id("3"), 0, unnamed)]);
    assert_eq!(send(partner, items).await.outcomes(), ["CREATED", "CREATED"]);
    assert_eq!(lead(partner, &id("2")).await, made);
    assert_eq!(lead(partner, &id("3")).await, made);
    // one that has the code now is meant before one that had it
    let name = format!("Porteur du code {field}");
    let input = json!({ "name": name, "kind": "ASSOCIATION", field: code });
    let holder = write(&app.anct(), "createPartner", input).await.id();
    assert_eq!(send(partner, json!([item(&id("4"), 0, named("Tremplin"))])).await.only(), ["CREATED"]);
    assert_eq!(lead(partner, &id("4")).await, holder);
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
