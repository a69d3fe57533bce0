//! Who may import, and where.

use cites::auth::Scope;
use serde_json::json;
use tests::{GrantedSites, Persona, on_both};

use super::{call, france_travail, item, send};

on_both!(a_client_imports_into_its_granted_open_sites_alone, Small, async |app| {
    let partner = france_travail(app).await;
    let of = |code: &str| json!([item("A", 0, json!({ "site": { "code": code } }))]);
    assert_eq!(send(&partner, of("cde-901")).await.only(), ["CREATED"]);
    // not granted; closed; deleted
    assert_eq!(send(&partner, of("cde-902")).await.only(), ["REJECTED", "FORBIDDEN site.code"]);
    let new = |code: &str| json!([item("B", 0, json!({ "site": { "code": code } }))]);
    assert_eq!(send(&partner, new("cde-903")).await.only(), ["REJECTED", "FORBIDDEN site.code"]);
    assert_eq!(send(&partner, new("cde-905")).await.only(), ["REJECTED", "UNKNOWN_CODE site.code"]);
});

on_both!(the_source_comes_from_the_token, Small, async |app| {
    let one = france_travail(app).await;
    let other = app.partner("OTHER", GrantedSites::All).await;
    send(&one, json!([item("A", 0, json!({}))])).await.only();
    let sent = send(&other, json!([item("A", 1, json!({ "title": "Le leur" }))])).await;
    assert_eq!(sent.only(), ["CREATED"], "the same identifier of another system is another action");
    let read =
        "{ actions(filter: { sourceExternalId: { eq: \"A\" } }) { nodes { title source { system } } } }";
    let read = app.anct().ask(read).await;
    assert_eq!(read.list("/actions/nodes").len(), 2);
});

/// The same, whose client writes the rows of a system of its own.
fn syncing(persona: Persona<'_>) -> Persona<'_> {
    persona.with(|claims| claims.source = Some("INTERNE".to_owned()))
}

on_both!(each_role_imports_where_the_matrix_says, Small, async |app| {
    let items = || json!([item("A", 0, json!({}))]);
    assert_eq!(send(&app.prefecture(&["69"]), items()).await.refused(), ["FORBIDDEN"], "no source system");
    assert_eq!(send(&syncing(app.prefecture(&["69"])), items()).await.only(), ["CREATED"]);
    let elsewhere = send(&syncing(app.prefecture(&["38"])), items()).await;
    assert_eq!(elsewhere.only()[0], "REJECTED");
    let city = send(&syncing(app.collectivite(&["200046977"])), json!([item("B", 0, json!({}))])).await;
    assert_eq!(city.only(), ["CREATED"]);
    assert_eq!(send(&app.public(), items()).await.refused(), ["FORBIDDEN"]);
    let partner = france_travail(app).await;
    let without = partner.clone().scopes(&[Scope::Read, Scope::Write]);
    assert_eq!(send(&without, items()).await.refused(), ["FORBIDDEN"], "not without cde:import");
    let import = partner.scopes(&[Scope::Read, Scope::Import]);
    assert_eq!(send(&import, items()).await.only(), ["CREATED"], "cde:import is enough");
    let snapshot = json!({ "mode": "FULL_SNAPSHOT", "site": { "code": "cde-901" }, "items": items() });
    assert_eq!(call(&syncing(app.prefecture(&["69"])), snapshot).await.refused(), ["FORBIDDEN mode"]);
});

on_both!(a_client_sees_its_own_imports_alone, Small, async |app| {
    let one = france_travail(app).await;
    let other = app.partner("OTHER", GrantedSites::All).await;
    send(&one, json!([item("A", 0, json!({})), item("B", 0, json!({ "title": "CV" }))])).await.outcomes();
    let batch = one.ask("{ importBatches { nodes { id } } }").await;
    let id = batch.data("/importBatches/nodes/0/id").as_str().expect("an id").to_owned();
    let look = format!("{{ importBatch(by: {{ id: \"{id}\" }}) {{ id }} node(id: \"{id}\") {{ id }} }}");
    let none = json!({ "importBatch": null, "node": null });
    assert_eq!(other.ask(&look).await.data(""), &none);
    assert_ne!(one.ask(&look).await.data(""), &none);
    let ask = "{ importBatches { totalCount nodes { items { totalCount } } } }";
    for (persona, batches, items) in [
        (&one, 1, 2),
        (&other, 0, 0),
        (&app.anct(), 1, 2),
        (&app.public(), 0, 0),
        (&app.prefecture(&["69"]), 0, 0),
    ] {
        let seen = persona.ask(ask).await;
        assert_eq!(seen.number("/importBatches/totalCount"), batches, "{persona:?}");
        let batches = seen.list("/importBatches/nodes").iter();
        let held: i64 = batches.filter_map(|batch| batch["items"]["totalCount"].as_i64()).sum();
        assert_eq!(held, items, "{persona:?}");
    }
});
