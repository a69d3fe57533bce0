//! Who may have webhooks, what becomes of them with his rights, and where they may lead.

use chrono::TimeDelta;
use cites::auth::Scope;
use cites::clock::{Clock, FixedClock};
use cites::revocation::{Named, revoke};
use entity::journal;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{Backend, GrantedSites, Template, TestApp, block_on, block_on_postgres, on_both};

use super::{MADE, Receiver, made, partner, until};
use crate::live::rename;
use crate::tokens::{claims, revoke_client};
use crate::writes::{known, write};

on_both!(a_secret_is_shown_once_and_to_nobody_else, Small, async |app| {
    let partner = partner(app).await;
    let document = "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { secret replayed webhook { id } } }";
    let input = json!({ "input": { "url": "https://example.fr/hook", "idempotencyKey": "un" } });
    let made = partner.query(document, input.clone()).await;
    let secret = made.data("/createWebhook/secret").as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_") && secret.len() > 40);
    let again = partner.query(document, input).await;
    assert_eq!(again.data("/createWebhook/webhook"), made.data("/createWebhook/webhook"));
    assert_eq!(
        (again.data("/createWebhook/secret"), again.data("/createWebhook/replayed")),
        (&Value::Null, &json!(true))
    );
    let listed = "{ webhooks { totalCount nodes { url clientId } } }";
    let own = json!([{ "url": "https://example.fr/hook", "clientId": "client-FRANCE_TRAVAIL" }]);
    assert_eq!(partner.ask(listed).await.data("/webhooks/nodes"), &own);
    assert_eq!(app.anct().ask(listed).await.data("/webhooks/nodes"), &own);
    let other = app.partner("OTHER", GrantedSites::All).await;
    for nobody in [other, app.prefecture(&["69"]), app.collectivite(&["200046977"]), app.public()] {
        assert_eq!(nobody.ask(listed).await.number("/webhooks/totalCount"), 0);
    }
    let own = made.data("/createWebhook/webhook/id");
    let other = app.partner("ANOTHER", GrantedSites::All).await;
    for name in ["updateWebhook", "deleteWebhook"] {
        let refused = write(&other, name, json!({ "id": own })).await;
        assert_eq!(refused.problems(), ["NOT_FOUND id"], "{name} of another client's");
    }
    app.clock.advance(60);
    write(&partner, "updateWebhook", json!({ "id": own, "entities": ["ACTION"] })).await.done();
    let events = app.anct().ask("{ auditEvents { nodes { entity entityId verb } } }").await;
    assert_eq!(events.data("/auditEvents/nodes/0/entity"), "Webhook");
    assert_eq!(events.data("/auditEvents/nodes/0/entityId"), made.data("/createWebhook/webhook/id"));
    let id = made.data("/createWebhook/webhook/id");
    write(&partner, "deleteWebhook", json!({ "id": id })).await.0.data("/result/userErrors");
    assert_eq!(partner.ask(listed).await.number("/webhooks/totalCount"), 0);
});

on_both!(only_addresses_that_everybody_reaches_are_taken, Small, async |app| {
    let partner = partner(app).await;
    for url in [
        "http://example.fr/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/",
        "https://user:pw@example.fr/",
        "https://167772161/",
        "gopher://example.fr/",
        "example.fr",
    ] {
        let refused = write(&partner, "createWebhook", json!({ "url": url })).await;
        assert_eq!(refused.problems(), ["INVALID_FORMAT url"], "{url}");
    }
    for _ in 0..10 {
        made(&partner, json!({ "url": "https://example.fr/" })).await;
    }
    let more = write(&partner, "createWebhook", json!({ "url": "https://example.fr/" })).await;
    assert_eq!(more.problems(), ["RULE url"]);
    let read_only = partner.scopes(&[Scope::Read]);
    assert_eq!(
        write(&read_only, "createWebhook", json!({ "url": "https://example.fr/" })).await.outcome(),
        "FORBIDDEN"
    );
});

/// An owner who may run nothing but documents of a manifest, and has spent his points.
async fn whose_owner_may_ask_nothing(backend: Backend) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("manifest.json");
    std::fs::write(&path, json!({ "create": MADE }).to_string()).expect("written");
    let settings = [
        ("CITES_DOCUMENTS__MANIFEST", path.to_str().expect("a path")),
        ("CITES_DOCUMENTS__ONLY_TRUSTED_FOR", "partner_system"),
        ("CITES_LIMITS__PARTNER_SYSTEM", "{ operation = 20, bucket = 20, restore_rate = 1 }"),
    ];
    let app = TestApp::start_with(backend, Template::Small, &settings).await;
    let (mut receiver, partner) = (Receiver::start(), partner(&app).await);
    let (_, secret) = made(&partner, json!({ "url": receiver.url, "entities": ["SITE"] })).await;
    let input = json!({ "input": { "url": receiver.url } });
    assert_eq!(partner.query(MADE, input).await.code(), "RATE_LIMITED");
    assert_eq!(partner.ask("{ changes { nodes { version } } }").await.code(), "DOCUMENT_NOT_TRUSTED");
    write(&app.anct(), "updateSite", json!({ "id": known(Kind::Site, 1), "name": "Autre nom" })).await.done();
    let delivery = receiver.next().await;
    assert!(delivery.is_signed(&secret));
    assert_eq!(delivery.data()["entityId"], json!(known(Kind::Site, 1)));
    receiver.server.stop(true).await;
    app.stop().await;
}

#[test]
fn a_webhook_costs_no_points_and_needs_no_trusted_document_sqlite() {
    block_on(async || whose_owner_may_ask_nothing(Backend::Sqlite).await);
}

#[test]
fn a_webhook_costs_no_points_and_needs_no_trusted_document_postgres() {
    block_on_postgres(async || whose_owner_may_ask_nothing(Backend::Postgres).await);
}

on_both!(a_webhook_of_a_client_whose_tokens_were_revoked_is_paused, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    let (id, _) = made(&partner, json!({ "url": receiver.url, "entities": ["SITE"] })).await;
    app.clock.advance(60);
    revoke_client(app, "client-FRANCE_TRAVAIL").await;
    app.clock.advance(60);
    let rename = |name: &str| json!({ "id": known(Kind::Site, 1), "name": name });
    write(&app.anct(), "updateSite", rename("Autre nom")).await.done();
    let hook = until(&partner, &id, |hook| hook["state"] == "PAUSED").await;
    assert_eq!(hook["pauseReason"], "TOKEN_REVOKED");
    // with a newer token it goes on where it was
    write(&partner, "updateWebhook", json!({ "id": id, "state": "ACTIVE" })).await.done();
    let delivery = receiver.next().await;
    assert_eq!(delivery.data()["entityId"], json!(known(Kind::Site, 1)));
});

/// Revokes something as of an instant before now, of which this instance has not heard.
async fn revoke_unheard(app: &TestApp, named: Named, ago: i64) {
    let then = FixedClock::new(app.clock.now() - TimeDelta::seconds(ago));
    let kept = app.clock.now() + TimeDelta::days(30);
    revoke(&app.db, &then, &named, kept, None).await.expect("it is revoked");
}

/// Makes a webhook with this very token.
async fn made_by(app: &TestApp, token: &str, url: &str) -> String {
    let body = json!({ "query": MADE, "variables": { "input": { "url": url, "entities": ["SITE"] } } });
    let answer = app.post(Some(token), &body).await;
    answer.data("/createWebhook/webhook/id").as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

on_both!(a_webhook_ends_with_the_token_that_wrote_it_last, Small, async |app| {
    let (mut of_lost, mut of_other, mut taken_over) =
        (Receiver::start(), Receiver::start(), Receiver::start());
    let partner = partner(app).await;
    let token = || partner.authorization().expect("a token");
    let (lost, other) = (token(), token());
    let jti = claims(&lost)["jti"].as_str().expect("a text").to_owned();
    let paused = made_by(app, &lost, &of_lost.url).await;
    made_by(app, &other, &of_other.url).await;
    let taken = made_by(app, &lost, "https://example.fr/").await;
    write(&partner, "updateWebhook", json!({ "id": taken, "url": taken_over.url })).await.done();
    revoke_unheard(app, Named::Token(jti), 0).await;
    let hook = until(&partner, &paused, |hook| hook["state"] == "PAUSED").await;
    assert_eq!(hook["pauseReason"], "TOKEN_REVOKED");
    rename(app, 1, "Autre nom").await;
    for receiver in [&mut of_other, &mut taken_over] {
        assert_eq!(receiver.next().await.data()["entityId"], json!(known(Kind::Site, 1)));
    }
    assert!(of_lost.arrived.try_recv().is_err(), "it delivers no more");
});

on_both!(a_webhook_made_before_its_token_s_revocation_is_heard_of_is_paused, Small, async |app| {
    let partner = partner(app).await;
    let before = partner.authorization().expect("a token");
    app.clock.advance(60);
    let id = made_by(app, &before, "https://example.fr/").await;
    revoke_unheard(app, Named::Client("client-FRANCE_TRAVAIL".to_owned()), 30).await;
    let hook = until(&partner, &id, |hook| hook["state"] == "PAUSED").await;
    assert_eq!(hook["pauseReason"], "TOKEN_REVOKED");
});

on_both!(a_webhook_waits_while_its_grant_does_not_hold, Small, async |app| {
    let (mut receiver, mut clock) = (Receiver::start(), Receiver::start());
    let partner = partner(app).await;
    made(&partner, json!({ "url": receiver.url, "entities": ["ACTION"] })).await;
    made(&app.anct(), json!({ "url": clock.url, "entities": ["SITE"] })).await;
    let grant = app.anct().ask("{ clientGrant(by: { clientId: \"client-FRANCE_TRAVAIL\" }) { id } }").await;
    let set = |status: &str| json!({ "id": grant.data("/clientGrant/id"), "status": status });
    write(&app.anct(), "updateClientGrant", set("REVOKED")).await.done();
    // a draft of this system, then more than is looked through twice
    let draft = known(Kind::Action, 2);
    write(&app.anct(), "updateAction", json!({ "id": draft, "title": "Autre titre" })).await.done();
    for _ in 0..6 {
        let some = crate::mirror::scopes::unseen(app.clock.now(), 200);
        journal::Entity::insert_many(some).exec_without_returning(&app.db.writer).await.expect("entries");
    }
    // each is delivered in a round of its own
    for name in ["Un nom", "Un autre"] {
        rename(app, 1, name).await;
        clock.next().await;
    }
    write(&app.anct(), "updateClientGrant", set("ACTIVE")).await.done();
    assert_eq!(receiver.next().await.data()["entityId"], json!(draft));
    for receiver in [receiver, clock] {
        receiver.server.stop(true).await;
    }
});
