//! What is followed costs points as what is asked does.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Persona, Socket, on_both};

use super::{LIVE, following, rename};

/// Few points for ANCT, each of whose persons has some of his own.
const FEW: [(&str, &str); 1] =
    [("CITES_LIMITS__ANCT", "{ operation = 100, bucket = 100, restore_rate = 1 }")];

fn person<'a>(app: &'a tests::TestApp, name: &str) -> Persona<'a> {
    app.anct().with(|claims| name.clone_into(&mut claims.sub))
}

/// What is left, after a point for the question.
async fn remaining(persona: &Persona<'_>) -> i64 {
    persona.ask("{ viewer { limits { cost { remaining } } } }").await.number("/viewer/limits/cost/remaining")
}

async fn refused(persona: &Persona<'_>, document: &str) -> Value {
    let mut events = persona.stream(document, json!({})).await;
    // a stream that begins after all would say nothing
    let event = tokio::time::timeout(Duration::from_secs(10), events.event()).await.expect("an answer");
    let (_, mut response) = event.expect("an event");
    response["errors"][0]["extensions"]["code"].take()
}

on_both!(a_subscription_costs_no_more_than_an_operation_may, Small with FEW, async |app| {
    let person = person(app, "one");
    let with = |seats: u32| {
        format!("subscription {{ changes {{ node {{ ... on Site {{ seats(first: {seats}) {{ nodes {{ kind }} }} }} }} }} }}")
    };
    // 50 changes and as many sites, of each of which so many seats
    assert_eq!(refused(&person, &with(1)).await, "LIMIT_EXCEEDED");
    let mut events = person.stream("subscription { changes { cursor node { id } } }", json!({})).await;
    assert_eq!(remaining(&person).await, 100 - 1 - 1 - 1, "a point for each; nothing is read yet");
    rename(app, 1, "Nom suivi").await;
    assert!(events.change().await["cursor"].is_string());
    assert_eq!(remaining(&person).await, 97 - 1 - 1, "and one for the change");
});

on_both!(who_has_no_points_left_is_told_of_changes_later, Small with FEW, async |app| {
    let (person, other) = (person(app, "one"), person(app, "other"));
    let mut socket = following(&person).await;
    let mut also = following(&other).await;
    let counts: String = (0..10).fold(String::new(), |text, n| text + &format!("a{n}: sites {{ totalCount }} "));
    assert!(person.ask(&format!("{{ {counts} }}")).await.errors().is_empty());
    assert!(remaining(&person).await < 50, "less than a page may cost");
    assert_eq!(refused(&person, LIVE).await, "RATE_LIMITED");
    rename(app, 1, "Nom attendu").await;
    assert_eq!(also.change().await["version"], 2, "whoever has points hears of it");
    socket.send(&json!({ "type": "ping" })).await;
    assert_eq!(socket.message().await["type"], "pong", "not yet");
    app.clock.advance(60);
    assert_eq!(socket.change().await["version"], 2, "as soon as they are back");
    drop::<Socket>(socket);
});
