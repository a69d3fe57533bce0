//! Keys under which clients send a change again without doing it twice.

use std::time::{Duration, Instant};

use cites::clock::Clock;
use entity::enums::IdempotencyState;
use entity::idempotency_key;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{TestApp, on_both};

use super::ground::traces;
use super::{all, known, write};

fn partner(key: &str, name: &str) -> Value {
    json!({ "name": name, "kind": "ASSOCIATION", "idempotencyKey": key })
}

on_both!(the_same_key_and_input_write_once, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    let first = write(&city, "createPartner", partner("clé 1", "Tremplin")).await;
    assert!(!first.replayed());
    let before = traces(app).await;
    let again = json!({ "idempotencyKey": "clé 1", "kind": "ASSOCIATION", "name": "Tremplin" });
    let again = write(&city, "createPartner", again).await;
    assert!(again.replayed());
    assert_eq!(again.id(), first.id());
    assert_eq!(traces(app).await, before);
    let body = json!({
        "site": known(Kind::Site, 1), "kind": "COTECH", "cadence": { "every": 6, "unit": "WEEK" },
        "idempotencyKey": "clé 2",
    });
    let document = "mutation { result: createGovernanceBody(input: { kind: COTECH, cadence: { unit: WEEK, every: 6 }, \
                    idempotencyKey: \"clé 2\", site: \"SITE\" }) { object: governanceBody { id version } userErrors { \
                    code path message } replayed } }";
    let first = write(&city, "createGovernanceBody", body).await;
    let again = super::Written(city.ask(&document.replace("SITE", &known(Kind::Site, 1))).await);
    assert_eq!((again.id(), again.replayed()), (first.id(), true), "the order of fields does not count");
});

on_both!(the_same_key_with_another_input_is_refused, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    write(&city, "createPartner", partner("k", "Tremplin")).await.done();
    let before = traces(app).await;
    let mismatch = ["IDEMPOTENCY_MISMATCH idempotencyKey"];
    assert_eq!(write(&city, "createPartner", partner("k", "Autre")).await.problems(), mismatch);
    let other = json!({ "id": known(Kind::Partner, 3), "name": "Tremplin", "idempotencyKey": "k" });
    assert_eq!(write(&city, "updatePartner", other).await.problems(), mismatch, "another mutation");
    let colleague = city.clone().with(|claims| "somebody-else".clone_into(&mut claims.sub));
    assert_eq!(write(&colleague, "createPartner", partner("k", "Tremplin")).await.problems(), mismatch);
    assert_eq!(traces(app).await, before);
    let client = city.clone().with(|claims| "another-client".clone_into(&mut claims.client_id));
    assert!(!write(&client, "createPartner", partner("k", "Tremplin")).await.replayed());
    for key in [String::new(), "k".repeat(201)] {
        let refused = write(&city, "createPartner", partner(&key, "Tremplin")).await;
        assert_eq!(refused.problems(), ["OUT_OF_BOUNDS idempotencyKey"]);
    }
});

on_both!(a_refused_write_leaves_its_key_free, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    assert_eq!(write(&city, "createPartner", partner("k", "x")).await.problems(), ["OUT_OF_BOUNDS name"]);
    write(&city, "createPartner", partner("k", "Tremplin")).await.done();
});

on_both!(the_same_key_sent_at_once_writes_once, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    for round in 0..3 {
        let before = partners(app).await;
        let key = format!("at once {round}");
        let written = all((0..8).map(|_| write(&city, "createPartner", partner(&key, "Tremplin")))).await;
        let first = written[0].id();
        assert!(written.iter().all(|one| one.id() == first), "{written:?}");
        assert_eq!(written.iter().filter(|one| !one.replayed()).count(), 1);
        assert_eq!(partners(app).await, before + 1);
    }
});

async fn partners(app: &TestApp) -> i64 {
    let count = "{ partners { totalCount } }";
    app.anct().ask(count).await.number("/partners/totalCount")
}

on_both!(keys_are_kept_for_seven_days, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    let first = write(&city, "createPartner", partner("k", "Tremplin")).await.id();
    app.clock.advance(7 * 86_400 - 1);
    assert_eq!(write(&city, "createPartner", partner("k", "Tremplin")).await.id(), first);
    app.clock.advance(1);
    let again = write(&city, "createPartner", partner("k", "Tremplin")).await;
    assert!(!again.replayed() && again.id() != first);
});

on_both!(the_server_forgets_old_answers_by_itself, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    // more than one batch of them, of which the last is a day younger
    let old = (0..1_200).map(|n| idempotency_key::Model {
        client_id: "a-client".to_owned(),
        key: format!("old {n}"),
        operation: "createPartner".to_owned(),
        input_hash: String::new(),
        answer: Some("{}".to_owned()),
        state: IdempotencyState::Done,
        created_at: app.clock.now(),
        expires_at: app.clock.now() + chrono::TimeDelta::days(7),
    });
    app.insert(old).await;
    app.clock.advance(86_400);
    let young = write(&city, "createPartner", partner("young", "Tremplin")).await.id();
    app.clock.advance(6 * 86_400);
    let end = Instant::now() + Duration::from_secs(30);
    while idempotency_key::Entity::find().count(&app.db.readers).await.expect("a count") > 1 {
        assert!(Instant::now() < end, "the old answers are still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let again = write(&city, "createPartner", partner("young", "Tremplin")).await;
    assert!(again.replayed() && again.id() == young, "the young one stays");
});

on_both!(a_deletion_sent_again_is_done_once, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    let action = json!({ "site": known(Kind::Site, 1), "title": "Forum" });
    let action = write(&city, "createAction", action).await.id();
    let delete = json!({ "id": action, "idempotencyKey": "k" });
    assert_eq!(write(&city, "deleteAction", delete.clone()).await.done(), &Value::Null);
    let again = write(&city, "deleteAction", delete).await;
    assert_eq!(again.done(), &Value::Null);
    assert!(again.replayed());
    assert_eq!(write(&city, "deleteAction", json!({ "id": action })).await.problems(), ["NOT_FOUND id"]);
});

on_both!(mutations_of_one_document_run_in_order_each_on_its_own, Small, async |app| {
    let document = "mutation ($id: ID!) { \
        one: updateAction(input: { id: $id, title: \"Premier\" }) { action { title version } userErrors { code } } \
        two: updateAction(input: { id: $id, expectedVersion: 1, title: \"Deuxième\" }) { action { title } userErrors { code } } \
        three: updateAction(input: { id: $id, expectedVersion: 2, title: \"Troisième\" }) { action { title version } userErrors { code } } }";
    let answer = app.anct().query(document, json!({ "id": known(Kind::Action, 1) })).await;
    assert_eq!(answer.data("/one/action"), &json!({ "title": "Premier", "version": 2 }));
    assert_eq!(answer.data("/two"), &json!({ "action": null, "userErrors": [{ "code": "CONFLICT" }] }));
    assert_eq!(answer.data("/three/action"), &json!({ "title": "Troisième", "version": 3 }));
    let keys: Vec<&String> = answer.data("").as_object().expect("data").keys().collect();
    assert_eq!(keys.len(), 3);
});
