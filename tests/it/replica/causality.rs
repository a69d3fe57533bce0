//! Who wrote, or was told of a change, finds it, though the standby stands still.

use serde_json::{Value, json};
use tests::{Replicated, Socket, block_on_postgres};

use super::*;
use crate::sync::{france_travail, item, stream::upload};

#[test]
fn the_replica_may_be_behind_but_not_for_who_wrote() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let app = servers.serve(&[METRICS]).await;
        let (public, anct) = (app.public(), app.anct());
        served(&app).await;
        let before = name(&public).await;
        servers.pause().await;
        let token = rename(&anct, "Renommée").await;
        assert_eq!(name(&public).await, before, "the standby stands still");
        assert_eq!(name(&app.prefecture(&["69"])).await, before);
        assert!(from_replica(&app).await >= 3.0);
        assert_eq!(name(&anct).await, "Renommée", "who wrote finds it without saying so");
        assert_eq!(name_after(&app, &public, json!(token)).await, "Renommée", "and who says so");
        assert!(from_primary(&app, "caused").await >= 2.0);
        servers.go_on().await;
        for persona in [&public, &anct] {
            served_to(&app, persona).await;
            assert_eq!(name(persona).await, "Renommée");
        }
        let seen = from_replica(&app).await;
        assert_eq!(name_after(&app, &public, json!(token)).await, "Renommée");
        assert!(from_replica(&app).await > seen, "the replica has what the token names");
        app.stop().await;
    });
}

#[test]
fn another_instance_finds_it_by_the_token() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let (app, other) = (servers.serve(&[METRICS]).await, servers.serve(&[METRICS]).await);
        served(&app).await;
        served(&other).await;
        servers.pause().await;
        let token = rename(&app.anct(), "Renommée").await;
        let anct = app.anct();
        let there = anct.before(&other);
        assert_ne!(name(&there).await, "Renommée", "it knows nothing of the write");
        assert_eq!(name_after(&other, &there, json!(token)).await, "Renommée");
        servers.go_on().await;
        app.stop().await;
        other.stop().await;
    });
}

#[test]
fn a_token_that_is_none_is_read_from_the_primary() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let app = servers.serve(&[METRICS]).await;
        served(&app).await;
        servers.pause().await;
        let token = rename(&app.anct(), "Renommée").await;
        let other_database = format!("{}{}", if token.starts_with('0') { '1' } else { '0' }, &token[1..]);
        let wrong = [
            json!("x"),
            json!(""),
            json!(12),
            Value::Null,
            json!({}),
            json!(token + "0"),
            json!(other_database),
        ];
        for wrong in wrong {
            assert_eq!(name_after(&app, &app.public(), wrong.clone()).await, "Renommée", "{wrong}");
        }
        servers.go_on().await;
        app.stop().await;
    });
}

#[test]
fn a_socket_has_the_token_too() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let app = servers.serve(&[METRICS]).await;
        let (anct, prefecture) = (app.anct(), app.prefecture(&["69"]));
        served(&app).await;
        servers.pause().await;
        let mut socket = Socket::of(&anct).await;
        let rename =
            "mutation ($input: UpdateSiteInput!) { updateSite(input: $input) { userErrors { code } } }";
        let input = json!({ "input": { "id": known(Kind::Site, 1), "name": "Renommée" } });
        socket.subscribe("1", rename, input).await;
        let token = token(&socket.next().await);
        let mut other = Socket::of(&prefecture).await;
        let payload = json!({ "query": NAME, "extensions": { "causality": token } });
        other.send(&json!({ "type": "subscribe", "id": "1", "payload": payload })).await;
        assert_eq!(other.next().await["data"]["site"]["name"], "Renommée");
        servers.go_on().await;
        app.stop().await;
    });
}

#[test]
fn an_import_is_found_by_who_sent_it() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let app = servers.serve(&[METRICS]).await;
        let partner = france_travail(&app).await;
        servers.caught_up().await;
        served_to(&app, &partner).await;
        servers.pause().await;
        let count = "{ actions(filter: { sourceExternalId: { eq: \"A-1\" } }) { totalCount } }";
        assert_eq!(partner.ask(count).await.number("/actions/totalCount"), 0);
        let (status, _) =
            upload(&app, &partner, "/import/actions", &[], item("A-1", 0, json!({})).to_string()).await;
        assert_eq!(status, 200);
        assert_eq!(partner.ask(count).await.number("/actions/totalCount"), 1);
        servers.go_on().await;
        app.stop().await;
    });
}

#[test]
fn the_feed_is_not_behind_and_who_follows_finds_what_he_was_told() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let app = servers.serve(&[METRICS]).await;
        let (anct, prefecture) = (app.anct(), app.prefecture(&["69"]));
        served(&app).await;
        let mut events = prefecture.stream("subscription { changes { cursor } }", json!({})).await;
        servers.pause().await;
        rename(&anct, "Renommée").await;
        let cursor = events.change().await["cursor"].as_str().expect("a cursor").to_owned();
        assert_eq!(name(&prefecture).await, "Renommée", "an event was told to him");
        // a standby that stands still does not know the entry that the cursor names
        let other = app.prefecture(&["69"]).with(|claims| claims.client_id = "another".to_owned());
        let after = "query ($after: String) { changes(after: $after) { nodes { cursor } } }";
        let answer = other.query(after, json!({ "after": cursor })).await;
        assert!(answer.list("/changes/nodes").is_empty(), "{answer}");
        assert_ne!(name(&other).await, "Renommée", "he was told nothing");
        let all = other.ask("{ changes(last: 1) { nodes { cursor } } }").await;
        assert_eq!(all.column("/changes/nodes", "cursor"), [cursor]);
        assert_eq!(name(&other).await, "Renommée");
        assert!(from_primary(&app, "pinned").await >= 2.0);
        servers.go_on().await;
        app.stop().await;
    });
}
