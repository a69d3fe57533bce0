//! When an action was changed in its source: what is older comes late and is passed over, also after calls that changed
//! nothing.

use entity::action;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};
use serde_json::{Value, json};
use tests::{Backend, GrantedSites, Persona, Template, TestApp, block_on_postgres, on_both};

use super::stream::upload;
use super::{call, france_travail, item, journaled, send};

fn gone(minute: u32) -> Value {
    let at = format!("2023-06-12T10:{minute:02}:00Z");
    json!({ "externalId": "A", "sourceUpdatedAt": at, "deleted": true })
}

fn titled(minute: u32, title: &str) -> Value {
    item("A", minute, json!({ "title": title }))
}

async fn row(app: &TestApp) -> action::Model {
    let row = action::Entity::find().filter(action::Column::SourceExternalId.eq("A"));
    row.one(&app.db.readers).await.expect("actions").expect("the one that was sent")
}

async fn only(partner: &Persona<'_>, item: Value) -> Vec<String> {
    send(partner, json!([item])).await.only()
}

on_both!(an_item_older_than_one_that_changed_nothing_is_passed_over, Small, async |app| {
    let partner = france_travail(app).await;
    assert_eq!(only(&partner, item("A", 1, json!({}))).await, ["CREATED"]);
    let (before, entries) = (row(app).await, journaled(app).await);
    app.clock.advance(60);
    assert_eq!(only(&partner, item("A", 3, json!({}))).await, ["UNCHANGED"]);
    let mut after = row(app).await;
    assert_eq!(journaled(app).await, entries, "nothing to tell");
    assert_ne!(after.source_updated_at, before.source_updated_at);
    after.source_updated_at = before.source_updated_at;
    assert_eq!(after, before, "nothing but the instant in its source");
    assert_eq!(only(&partner, titled(2, "En retard")).await, ["UNCHANGED", "STALE sourceUpdatedAt"]);
    assert_eq!(row(app).await.title, before.title);
    assert_eq!(only(&partner, titled(4, "À l'heure")).await, ["UPDATED"]);
});

on_both!(an_item_older_than_a_deletion_sent_again_is_passed_over, Small, async |app| {
    let partner = france_travail(app).await;
    assert_eq!(only(&partner, item("A", 1, json!({}))).await, ["CREATED"]);
    assert_eq!(only(&partner, gone(2)).await, ["UPDATED"]);
    assert_eq!(only(&partner, gone(5)).await, ["UNCHANGED"]);
    assert_eq!(only(&partner, titled(4, "En retard")).await, ["UNCHANGED", "STALE sourceUpdatedAt"]);
    assert_eq!(only(&partner, titled(6, "De retour")).await, ["CREATED"]);
});

/// How many actions there are of that identifier.
async fn actions(app: &TestApp) -> usize {
    let rows = action::Entity::find().filter(action::Column::SourceExternalId.eq("A"));
    rows.all(&app.db.readers).await.expect("actions").len()
}

on_both!(a_creation_older_than_a_deletion_of_what_nobody_knew_is_passed_over, Small, async |app| {
    let partner = france_travail(app).await;
    let trial = call(&partner, json!({ "dryRun": true, "items": [gone(9)] })).await;
    assert_eq!(trial.only(), ["UNCHANGED"], "of which nothing is kept");
    let before = journaled(app).await;
    assert_eq!(only(&partner, gone(5)).await, ["UNCHANGED"]);
    assert_eq!(only(&partner, gone(5)).await, ["UNCHANGED"]);
    assert_eq!(only(&partner, gone(4)).await, ["UNCHANGED", "STALE sourceUpdatedAt"]);
    assert_eq!(only(&partner, titled(4, "En retard")).await, ["UNCHANGED", "STALE sourceUpdatedAt"]);
    // also in one call with others, and after a later deletion
    let sent = send(&partner, json!([titled(6, "En retard"), gone(7), item("B", 1, json!({}))])).await;
    assert_eq!(sent.outcomes(), ["UNCHANGED", "UNCHANGED", "CREATED"]);
    assert_eq!(only(&partner, titled(6, "En retard")).await, ["UNCHANGED", "STALE sourceUpdatedAt"]);
    assert_eq!((actions(app).await, journaled(app).await), (0, before + 1), "B alone");
    let other = app.partner("OTHER", GrantedSites::All).await;
    assert_eq!(only(&other, titled(1, "D'un autre système")).await, ["CREATED"]);
    assert_eq!(only(&partner, titled(8, "De retour")).await, ["CREATED"]);
    assert_eq!(actions(app).await, 2);
});

on_both!(an_upload_passes_over_creations_older_than_deletions, Small, async |app| {
    let partner = france_travail(app).await;
    let sent = upload(app, &partner, "/import/actions", &[], gone(5).to_string()).await.1;
    assert_eq!(sent[0]["outcome"], "UNCHANGED");
    let late = upload(app, &partner, "/import/actions", &[], titled(4, "En retard").to_string()).await.1;
    assert_eq!((&late[0]["outcome"], &late[0]["notices"][0]["code"]), (&json!("UNCHANGED"), &json!("STALE")));
    assert_eq!(actions(app).await, 0);
});

on_both!(trials_and_calls_that_are_refused_keep_the_instant, Small, async |app| {
    let partner = france_travail(app).await;
    assert_eq!(only(&partner, item("A", 1, json!({}))).await, ["CREATED"]);
    let later = item("A", 9, json!({}));
    let trial = call(&partner, json!({ "dryRun": true, "items": [later] })).await;
    assert_eq!(trial.only(), ["UNCHANGED"]);
    let wrong = item("B", 9, json!({ "title": "CV" }));
    let refused = call(&partner, json!({ "onError": "ABORT", "items": [later, wrong] })).await;
    assert_eq!(refused.refused(), ["RULE items"]);
    let elsewhere = item("A", 9, json!({ "site": { "code": "cde-903" } }));
    assert_eq!(only(&partner, elsewhere).await[0], "REJECTED");
    assert_eq!(only(&partner, titled(5, "À l'heure")).await, ["UPDATED"]);
});

on_both!(thousands_of_instants_go_in_one_call, Small, async |app| {
    let partner = france_travail(app).await;
    let all =
        |minute| json!((0..2_500).map(|n| item(&format!("N-{n}"), minute, json!({}))).collect::<Vec<_>>());
    send(&partner, all(1)).await.outcomes();
    let later = send(&partner, all(3)).await;
    assert!(later.outcomes().iter().all(|outcome| *outcome == "UNCHANGED"));
    let rows = action::Entity::find().filter(action::Column::SourceExternalId.starts_with("N-"));
    let rows = rows.all(&app.db.readers).await.expect("actions");
    assert_eq!(rows.len(), 2_500);
    let at = "2023-06-12T10:03:00Z".parse().ok();
    assert!(rows.iter().all(|row| row.source_updated_at == at && row.version == 1));
});

/// The transaction that wrote the action.
async fn writer(app: &TestApp) -> i64 {
    let text = "SELECT xmin::text::bigint FROM action WHERE source_external_id = 'A'";
    let statement = Statement::from_string(app.db.readers.get_database_backend(), text);
    let row = app.db.readers.query_one_raw(statement).await.expect("actions").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

#[test]
fn the_same_item_sent_again_writes_no_action() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let partner = france_travail(&app).await;
        assert_eq!(only(&partner, item("A", 1, json!({}))).await, ["CREATED"]);
        let before = writer(&app).await;
        assert_eq!(only(&partner, item("A", 1, json!({}))).await, ["UNCHANGED"]);
        assert_eq!(writer(&app).await, before);
        assert_eq!(only(&partner, item("A", 2, json!({}))).await, ["UNCHANGED"]);
        assert_ne!(writer(&app).await, before);
        app.stop().await;
    });
}
