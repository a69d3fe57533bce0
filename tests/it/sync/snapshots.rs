//! Snapshots of a site, and trials.

use serde_json::{Value, json};
use tests::{GrantedSites, Persona, on_both};

use super::{call, france_travail, item, journaled, told};

const COUNT: &str = "{ actions(filter: { sourceSystem: { eq: \"FRANCE_TRAVAIL\" }, site: { code: { eq: \"cde-901\" } } }) \
    { totalCount nodes { source { externalId } status } } }";

/// What France Travail has in the first site, as items that say nothing new.
async fn known(partner: &Persona<'_>) -> Vec<Value> {
    let read = partner.ask(COUNT).await;
    let same = |action: &Value| {
        item(action["source"]["externalId"].as_str().expect("an id"), 0, json!({ "title": null }))
    };
    read.list("/actions/nodes").iter().map(same).collect()
}

fn snapshot(items: &[Value], more: &Value) -> Value {
    let mut input = json!({ "mode": "FULL_SNAPSHOT", "site": { "code": "cde-901" }, "items": items });
    input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    input
}

on_both!(a_snapshot_deletes_what_it_does_not_hold, Small, async |app| {
    let partner = france_travail(app).await;
    let items = known(&partner).await;
    assert_eq!(items.len(), 12);
    let before = journaled(app).await;
    let trial = call(&partner, snapshot(&items[..10], &json!({ "dryRun": true }))).await;
    assert_eq!(trial.0.data("/syncActions/batch"), &Value::Null);
    assert!(trial.refused().is_empty(), "two of twelve are under a fifth");
    assert_eq!(journaled(app).await, before, "a trial writes nothing");
    let done = call(&partner, snapshot(&items[..10], &json!({}))).await;
    assert!(done.refused().is_empty(), "{}", done.0);
    assert_eq!(done.0.data("/syncActions/batch/counts/absent"), &json!(2));
    assert_eq!(partner.ask(COUNT).await.number("/actions/totalCount"), 10);
    assert_eq!(journaled(app).await, before + 3, "two actions, and the figure of one");
    let kept = partner.ask("{ importBatches { nodes { mode site { code } } } }").await;
    let kept = kept.data("/importBatches/nodes");
    assert_eq!(kept, &json!([{ "mode": "FULL_SNAPSHOT", "site": { "code": "cde-901" } }]));
});

const ABSENT: &str = "mutation ($input: SyncActionsInput!) { syncActions(input: $input) { replayed \
    absent { externalId action { version source { externalId } } } userErrors { code } } }";

on_both!(what_a_snapshot_does_not_hold_is_told_one_by_one, Small, async |app| {
    let partner = france_travail(app).await;
    let items = known(&partner).await;
    let ids = |items: &[Value]| {
        let mut ids: Vec<Value> = items.iter().map(|item| item["externalId"].clone()).collect();
        ids.sort_by_key(ToString::to_string);
        ids
    };
    let ask = async |more: Value, upto: usize| {
        let answer = partner.query(ABSENT, json!({ "input": snapshot(&items[..upto], &more) })).await;
        answer.data("/syncActions").clone()
    };
    // a trial, and a call that is refused: what would be
    for (more, upto) in [(json!({ "dryRun": true }), 10), (json!({}), 8)] {
        let told = ask(more, upto).await;
        let absent = told["absent"].as_array().expect("a list");
        assert_eq!(ids(absent), ids(&items[upto..]));
        assert!(
            absent.iter().all(|one| one["action"]["source"]["externalId"] == one["externalId"]),
            "{told}"
        );
        assert_eq!(told["userErrors"].as_array().expect("a list").len(), usize::from(upto == 8));
    }
    let key = json!({ "idempotencyKey": "instantané" });
    let told = ask(key.clone(), 10).await;
    let expected: Vec<Value> =
        ids(&items[10..]).into_iter().map(|id| json!({ "externalId": id, "action": null })).collect();
    assert_eq!(told, json!({ "replayed": false, "absent": expected, "userErrors": [] }));
    let again = ask(key, 10).await;
    assert_eq!((&again["replayed"], &again["absent"]), (&json!(true), &told["absent"]));
    let upsert = json!({ "input": { "items": [items[0]] } });
    assert_eq!(partner.query(ABSENT, upsert).await.data("/syncActions/absent"), &json!([]));
    // the history finds the import by what it deleted
    let found = "query ($id: String!) { importBatches(filter: { externalIds: { has: $id } }) { nodes { idempotencyKey \
        counts { absent updated } items(filter: { externalId: { eq: $id } }) { nodes { index outcome codes } } } } }";
    let found = partner.query(found, json!({ "id": expected[1]["externalId"] })).await;
    let row = json!({ "index": 11, "outcome": "UPDATED", "codes": ["ABSENT"] });
    let batch = json!({
        "idempotencyKey": "instantané", "counts": { "absent": 2, "updated": 0 }, "items": { "nodes": [row] }
    });
    assert_eq!(found.data("/importBatches/nodes"), &json!([batch]));
});

on_both!(a_snapshot_that_deletes_much_must_be_confirmed, Small, async |app| {
    let partner = france_travail(app).await;
    let items = known(&partner).await;
    let refused = call(&partner, snapshot(&items[..9], &json!({}))).await;
    assert_eq!(refused.refused(), ["UNCONFIRMED confirmDeletions"]);
    assert_eq!(partner.ask(COUNT).await.number("/actions/totalCount"), 12, "nothing is written");
    let confirmed = call(&partner, snapshot(&items[..9], &json!({ "confirmDeletions": true }))).await;
    assert_eq!(confirmed.0.data("/syncActions/batch/counts/absent"), &json!(3));
    assert_eq!(partner.ask(COUNT).await.number("/actions/totalCount"), 9);
});

on_both!(a_snapshot_is_of_one_site, Small, async |app| {
    let partner = france_travail(app).await;
    let none = json!({ "mode": "FULL_SNAPSHOT", "items": [item("A", 0, json!({}))] });
    assert_eq!(call(&partner, none).await.refused(), ["REQUIRED site"]);
    let mut items = known(&partner).await;
    items.push(item("Z", 0, json!({ "site": { "code": "cde-903" } })));
    let sent = call(&partner, snapshot(&items, &json!({}))).await;
    assert_eq!(sent.outcomes().last(), Some(&"REJECTED"));
});

on_both!(an_item_of_another_site_leaves_what_the_snapshot_says_of_its_action, Small, async |app| {
    let partner = app.partner("AGENDA", GrantedSites::All).await;
    let elsewhere = |minute| item("RV-1", minute, json!({ "site": { "code": "cde-902" } }));
    let here = |minute| item("RV-1", minute, json!({ "title": "Rendez-vous" }));
    let sent = call(&partner, snapshot(&[elsewhere(1), here(2)], &json!({ "idempotencyKey": "un" }))).await;
    let results = sent.0.list("/syncActions/results");
    assert_eq!(told(&results[0]), ["REJECTED", "RULE site"]);
    assert_eq!(told(&results[1]), ["CREATED"]);
    assert_eq!(sent.action(1)["title"], "Rendez-vous");
    let counts =
        json!({ "created": 1, "updated": 0, "unchanged": 0, "conflict": 0, "rejected": 1, "absent": 0 });
    assert_eq!(sent.0.data("/syncActions/batch/counts"), &counts);
    assert_eq!(partner.ask(OF_AGENDA).await.number("/actions/totalCount"), 1);
    // nor does one that comes later, which says nothing of the site's
    let later = call(&partner, snapshot(&[here(3), elsewhere(9)], &json!({}))).await;
    assert_eq!(later.outcomes(), ["UNCHANGED", "REJECTED"]);
    assert_eq!(call(&partner, snapshot(&[here(3)], &json!({}))).await.outcomes(), ["UNCHANGED"]);
    let renamed = item("RV-1", 4, json!({ "title": "Autre rendez-vous" }));
    assert_eq!(call(&partner, snapshot(&[renamed], &json!({}))).await.outcomes(), ["UPDATED"]);
});

const OF_AGENDA: &str = "{ actions(filter: { sourceSystem: { eq: \"AGENDA\" }, sourceExternalId: { eq: \"RV-1\" }, \
    site: { code: { eq: \"cde-901\" } } }) { totalCount } }";
