//! What lies at a point follows the outlines that the database has.

use cites::clock::Clock;
use entity::enums::IngestState;
use entity::{ingest_run, qpv_outline};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tests::world::small;
use tests::{TestApp, on_both};
use uuid::Uuid;

async fn found(app: &TestApp) -> Value {
    app.public().ask("{ qpvAt(point: { lon: 3, lat: 45.5 }) { code } }").await.data("/qpvAt").clone()
}

async fn remove(app: &TestApp) {
    qpv_outline::Entity::delete_many().exec(&app.db.writer).await.expect("no outline is left");
}

/// A load of outlines that came to its end.
async fn loaded(app: &TestApp) {
    app.insert([ingest_run::Model {
        id: Uuid::now_v7(),
        source: "qpv-outlines".to_owned(),
        file: "outlines".to_owned(),
        vintage: "2024".to_owned(),
        sha256: String::new(),
        state: IngestState::Done,
        started_at: app.clock.now(),
        finished_at: Some(app.clock.now()),
        lines: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        rejected: 0,
        errors: json!([]),
    }])
    .await;
}

on_both!(outlines_that_come_after_the_first_question_are_found, Small, async |app| {
    remove(app).await;
    assert_eq!(found(app).await, Value::Null);
    app.insert(small().outlines).await;
    assert_eq!(found(app).await, json!({ "code": "QN06916M" }));
});

on_both!(outlines_are_read_again_after_they_were_loaded_anew, Small, async |app| {
    assert_eq!(found(app).await, json!({ "code": "QN06916M" }));
    remove(app).await;
    app.clock.advance(60);
    assert_eq!(found(app).await, json!({ "code": "QN06916M" }), "they are kept while no load has ended");
    loaded(app).await;
    assert_eq!(found(app).await, json!({ "code": "QN06916M" }), "and not looked at each time");
    app.clock.advance(6);
    assert_eq!(found(app).await, Value::Null);
});
