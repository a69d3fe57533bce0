//! GraphQL over Server-Sent Events, each operation on a connection of its own.

use serde_json::{Value, json};
use tests::{EventStream, on_both};

use super::{LIVE, changes, line, rename};

on_both!(changes_come_as_events_and_go_on_after_a_cursor, Small, async |app| {
    let mut events = app.anct().stream(LIVE, json!({})).await;
    for name in ["Un", "Deux", "Trois"] {
        rename(app, 1, &format!("Nom {name}")).await;
    }
    let told = changes(&mut events, 3).await;
    assert_eq!(
        told.iter().map(line).collect::<Vec<_>>(),
        ["UPSERT SITE 2 *", "UPSERT SITE 3 *", "UPSERT SITE 4 *"]
    );
    drop(events);
    rename(app, 1, "Nom manqué").await;
    let mut events = app.anct().stream(LIVE, json!({ "after": told[1]["cursor"] })).await;
    assert_eq!(line(&events.change().await), "UPSERT SITE 4 *");
    assert_eq!(line(&events.change().await), "UPSERT SITE 5 *");
    rename(app, 1, "Nom vu").await;
    assert_eq!(line(&events.change().await), "UPSERT SITE 6 *");
});

on_both!(queries_and_what_is_wrong_are_told_by_one_event, Small, async |app| {
    let mut events = app.anct().stream("{ viewer { role } }", json!({})).await;
    let next = events.event().await.expect("an event");
    assert_eq!((next.0.as_str(), &next.1["data"]), ("next", &json!({ "viewer": { "role": "anct" } })));
    assert_eq!(events.event().await, Some(("complete".to_owned(), Value::Null)));
    assert_eq!(events.event().await, None);
    for (document, code) in [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { changes(after: \"abc\") { cursor } }", "CURSOR_EXPIRED"),
    ] {
        let mut events = app.anct().stream(document, json!({})).await;
        let (name, response) = events.event().await.expect("an event");
        assert_eq!((name.as_str(), &response["errors"][0]["extensions"]["code"]), ("next", &json!(code)));
        assert_eq!(events.event().await, Some(("complete".to_owned(), Value::Null)));
    }
    let mut events = app.public().stream(LIVE, json!({})).await;
    assert_eq!(events.event().await.expect("an event").1["errors"][0]["extensions"]["code"], "FORBIDDEN");
});

on_both!(a_get_does_as_well, Small, async |app| {
    let authorization = app.anct().authorization().expect("a token");
    let get = async |path: &str, accept: &str| {
        let request = reqwest::Client::new().get(format!("http://{}{path}", app.address));
        let request = request.header("accept", accept).header("authorization", &authorization);
        request.send().await.expect("an answer")
    };
    let query = "query=subscription%7Bchanges%7Bversion%7D%7D";
    for path in ["/graphql/stream", "/graphql"] {
        let mut events = EventStream::of(get(&format!("{path}?{query}"), "text/event-stream").await);
        rename(app, 1, &format!("Par {path}")).await;
        assert!(events.change().await["version"].is_number());
    }
    let mutation = "query=mutation%7BrevokeClientGrant(input:%7Bid:%22x%22%7D)%7Breplayed%7D%7D";
    assert_eq!(get(&format!("/graphql/stream?{mutation}"), "text/event-stream").await.status(), 405);
    assert_eq!(get(&format!("/graphql/stream?{query}"), "application/json").await.status(), 406);
    assert_eq!(get("/graphql/stream", "text/event-stream").await.status(), 400, "no document");
    let bad = app.stream(Some("Bearer nothing"), &json!({ "query": LIVE })).await;
    assert_eq!(bad.status(), 401);
});
