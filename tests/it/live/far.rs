//! Who comes back after long is looked for in parts, whatever lies between.

use sea_orm::ConnectionTrait;
use serde_json::json;
use tests::{TestApp, on_both};

use super::{LIVE, line, rename};
use crate::feed::settled;

/// More than two parts of what a stream looks through at once.
const ENTRIES: usize = 45_000;

/// Puts many entries into the journal of which nobody is told.
async fn nobody_s(app: &TestApp) {
    let sql = format!(
        "INSERT INTO journal (entity, version, op, verb, at, outcome) \
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {ENTRIES}) \
         SELECT 'Site', 1, 'UPSERT', 'update', (SELECT max(at) FROM journal), 'FORBIDDEN' FROM n"
    );
    app.db.writer.execute_unprepared(&sql).await.expect("entries");
}

on_both!(who_comes_back_after_long_is_told_all_that_is_his, Small, async |app| {
    rename(app, 1, "Nom zéro").await;
    settled(app).await;
    let last = app.anct().ask("{ changes(last: 1) { pageInfo { endCursor } } }").await;
    let after = last.data("/changes/pageInfo/endCursor").clone();
    rename(app, 1, "Nom un").await;
    nobody_s(app).await;
    rename(app, 1, "Nom deux").await;
    let mut events = app.anct().stream(LIVE, json!({ "after": after })).await;
    assert_eq!(line(&events.change().await), "UPSERT SITE 3 *");
    assert_eq!(line(&events.change().await), "UPSERT SITE 4 *");
    rename(app, 1, "Nom trois").await;
    assert_eq!(line(&events.change().await), "UPSERT SITE 5 *");
});
