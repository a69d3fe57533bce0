//! Downloads that take their time: one state from the first row to the last, and an end only when all was sent.

use entity::action;
use entity::enums::ActionStatus;
use serde_json::{Value, json};
use tests::world::{self, Kind, id};
use tests::{Backend, Persona, Proxy, Template, TestApp, TestDatabase, block_on_postgres, on_both};

use super::{ask, file, get};
use crate::feed::settled;
use crate::writes::{known, write};

/// How many large actions there are, in several pages.
const MANY: u16 = 3_000;

/// More actions than the buffers between server and client hold.
async fn grow(app: &TestApp) {
    let model = world::small().actions[0].clone();
    let large = |n| action::Model {
        id: id(Kind::Action, n),
        description: Some("x".repeat(10_000)),
        // the public reads it too
        status: ActionStatus::InProgress,
        source_system: None,
        source_external_id: None,
        ..model.clone()
    };
    app.insert((10_000..10_000 + MANY).map(large)).await;
}

/// Somebody of ANCT.
fn colleague<'a>(app: &'a TestApp, name: &str) -> Persona<'a> {
    app.anct().with(|claims| name.clone_into(&mut claims.sub))
}

/// Takes the first bytes of a download, and no more for now.
async fn begun(app: &TestApp, persona: &Persona<'_>) -> (reqwest::Response, Vec<u8>) {
    let mut response = ask(app, persona, "GET", "actions.ndjson", &[]).await;
    assert_eq!(response.status(), 200);
    let first = response.chunk().await.expect("bytes").expect("some");
    (response, first.to_vec())
}

on_both!(a_slow_download_shows_one_state_and_holds_nobody_up, Small, async |app| {
    grow(app).await;
    let (mut slow, mut bytes) = begun(app, &app.anct()).await;
    let last = known(Kind::Action, 10_000 + MANY - 1);
    let change = json!({ "id": last, "title": "Changée entre-temps" });
    write(&app.anct(), "updateAction", change).await.done();
    write(&app.anct(), "deleteAction", json!({ "id": known(Kind::Action, 10_000 + MANY - 2) })).await.done();
    // the feed goes on while the snapshot is held
    settled(app).await;
    let changes = app.anct().ask("{ changes { nodes { entityId } } }").await;
    assert_eq!(changes.list("/changes/nodes").len(), 2);
    // so many are served at once, and no more
    let mut others = Vec::new();
    for n in 1..cites::limits::EXPORTS {
        others.push(begun(app, &colleague(app, &format!("agent-{n}"))).await);
    }
    let refused = get(app, &app.anct(), "sites.csv", &[]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "5"));
    assert_eq!(refused.json()["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    drop(others);
    while let Some(chunk) = slow.chunk().await.expect("it goes on") {
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(bytes).expect("UTF-8");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 144 + usize::from(MANY));
    assert_eq!(lines.last().expect("a line")["id"], last.as_str());
    assert!(!text.contains("Changée entre-temps"));
    let now = file(app, &app.anct(), "actions.ndjson").await;
    assert_eq!(now.text().lines().count(), lines.len() - 1);
    assert!(now.text().contains("Changée entre-temps"));
});

on_both!(slow_downloads_of_one_client_leave_places_to_others, Small, async |app| {
    grow(app).await;
    let (one, public) = (colleague(app, "agent-1"), app.public());
    let held = [begun(app, &one).await, begun(app, &one).await, begun(app, &public).await];
    for (persona, who) in [(&one, "this client"), (&public, "your address")] {
        let refused = get(app, persona, "sites.csv", &[]).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, "5"));
        let error = refused.json()["errors"][0].take();
        assert_eq!(error["extensions"]["code"], "RATE_LIMITED");
        let message = error["message"].as_str().expect("a text");
        assert!(message.contains(who) && message.contains("exports under way"), "{message}");
    }
    file(app, &colleague(app, "agent-2"), "sites.csv").await;
    drop(held);
    // what is given up is free once the server notices
    for persona in [&one, &public] {
        while get(app, persona, "sites.csv", &[]).await.status != 200 {
            tokio::task::yield_now().await;
        }
        // one after the other is never too many
        for _ in 0..5 {
            file(app, persona, "sites.csv").await;
        }
    }
});

on_both!(every_format_holds_all_pages, Small, async |app| {
    grow(app).await;
    let all = usize::from(MANY) + 144;
    let csv = file(app, &app.anct(), "actions.csv").await;
    let ids: std::collections::BTreeSet<String> = csv::Reader::from_reader(csv.bytes.as_ref())
        .records()
        .map(|row| row.expect("a row")[0].to_owned())
        .collect();
    assert_eq!(ids.len(), all);
    let parquet = file(app, &app.anct(), "actions.parquet").await;
    let builder =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(parquet.bytes.clone());
    let rows: usize = builder
        .expect("Parquet")
        .build()
        .expect("a reader")
        .map(|batch| batch.expect("rows").num_rows())
        .sum();
    assert_eq!(rows, all);
});

#[test]
fn a_download_that_cannot_go_on_is_broken_off() {
    block_on_postgres(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Postgres, Template::Small, home.path()).await;
        let proxy = Proxy::to(database.url());
        let app = TestApp::serve(database, home, |url| proxy.url(&url)).await;
        grow(&app).await;
        let (mut response, _) = begun(&app, &app.anct()).await;
        proxy.cut();
        let broken = loop {
            match response.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broken, "it ended as if it were whole");
        proxy.mend();
        app.stop().await;
    });
}
