//! What support can answer: did item X arrive, when, and what happened?

use serde_json::json;
use tests::on_both;

use super::{call, france_travail, item};

on_both!(every_item_of_every_import_is_found, Small, async |app| {
    let partner = france_travail(app).await;
    let items = json!([item("A", 0, json!({})), item("B", 0, json!({ "title": "CV" }))]);
    call(&partner, json!({ "idempotencyKey": "un", "items": items })).await.outcomes();
    app.clock.advance(60);
    call(&partner, json!({ "idempotencyKey": "deux", "items": [item("A", 1, json!({}))] })).await.outcomes();

    let arrived = "{ importBatches(filter: { externalIds: { has: \"A\" } }) { nodes { idempotencyKey createdAt \
        counts { created unchanged } items(filter: { externalId: { eq: \"A\" } }) { nodes { outcome action { title } } } } } }";
    let expected = json!([
        {
            "idempotencyKey": "deux", "createdAt": "2023-06-12T10:01:00Z",
            "counts": { "created": 0, "unchanged": 1 }, "items": { "nodes": [] }
        },
        {
            "idempotencyKey": "un", "createdAt": "2023-06-12T10:00:00Z",
            "counts": { "created": 1, "unchanged": 0 },
            "items": { "nodes": [{ "outcome": "CREATED", "action": { "title": "Permanence emploi" } }] }
        }
    ]);
    assert_eq!(partner.ask(arrived).await.data("/importBatches/nodes"), &expected);

    let wrong = "{ importBatch(by: { idempotencyKey: \"un\" }) { items(filter: { outcome: { eq: REJECTED } }) { nodes { \
        index externalId outcome codes paths messages batch { idempotencyKey } } } } }";
    let expected = json!([{
        "index": 1, "externalId": "B", "outcome": "REJECTED", "codes": ["OUT_OF_BOUNDS"], "paths": ["title"],
        "messages": ["2 characters; expected 3 to 200"], "batch": { "idempotencyKey": "un" }
    }]);
    assert_eq!(partner.ask(wrong).await.data("/importBatch/items/nodes"), &expected);
});
