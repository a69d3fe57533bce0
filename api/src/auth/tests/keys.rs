use std::fs;

use serde_json::{Value, json};

use super::{
    issuer_server::IssuerServer,
    support::{ISSUER, Key, Trust, claims, claims_with, key_set},
};
use crate::auth::AuthError;

fn trust(server: &IssuerServer) -> Trust {
    Trust::issuer(&format!("issuer = '{ISSUER}', jwks_url = '{}'", server.url("/jwks")), &[])
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_for_an_unknown_id_once_per_interval() {
    let (old, new) = (Key::es256("old"), Key::es256("new"));
    let server = IssuerServer::start();
    server.answer("/jwks", 200, key_set([&old]));
    let trust = trust(&server);
    assert_eq!(trust.authenticator.issuers_without_keys(), [ISSUER]);
    for _ in 0..3 {
        assert!(trust.check(&old.token(&claims())).await.is_ok());
    }
    assert_eq!((server.hits(), trust.authenticator.issuers_without_keys().len()), (1, 0));
    server.answer("/jwks", 200, key_set([&new]));
    for _ in 0..3 {
        assert_eq!(trust.check(&new.token(&claims())).await.unwrap_err().code(), "TOKEN_INVALID");
    }
    assert_eq!(server.hits(), 1, "the interval is not over");
    trust.clock.advance(30);
    assert!(trust.check(&new.token(&claims())).await.is_ok());
    assert_eq!(server.hits(), 2);
    assert!(trust.check(&old.token(&claims())).await.is_err(), "a key taken out is no longer good");
    trust.clock.advance(-7_200);
    assert_ne!(trust.check(&old.token(&claims())).await, Err(AuthError::KeysUnavailable));
    assert_eq!(server.hits(), 3, "a clock set back does not stop fetches");
}

#[tokio::test]
async fn concurrent_tokens_share_one_fetch() {
    let key = Key::es256("a");
    let server = IssuerServer::start();
    server.answer("/jwks", 200, key_set([&key]));
    let trust = trust(&server);
    let token = key.token(&claims());
    let checks = (0..16).map(|_| {
        let (authenticator, header) = (trust.authenticator.clone(), format!("Bearer {token}"));
        tokio::spawn(async move { authenticator.authenticate(Some(&header)).await })
    });
    for check in checks.collect::<Vec<_>>() {
        assert!(check.await.unwrap().is_ok());
    }
    assert_eq!(server.hits(), 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_waste_the_fetch() {
    let key = Key::es256("a");
    let server = IssuerServer::start();
    server.answer("/jwks", 200, key_set([&key]));
    let trust = trust(&server);
    let token = key.token(&claims());
    let hung_up = tokio::time::timeout(std::time::Duration::from_millis(5), trust.check(&token)).await;
    assert!(hung_up.is_err());
    assert!(trust.check(&token).await.is_ok());
    assert_eq!(server.hits(), 1);
}

#[tokio::test]
async fn a_dead_issuer_keeps_its_last_good_keys() {
    let key = Key::es256("a");
    let server = IssuerServer::start();
    let trust = trust(&server);
    let token = key.token(&claims());
    let error = trust.check(&token).await.unwrap_err();
    assert_eq!((error, error.status(), error.www_authenticate()), (AuthError::KeysUnavailable, 503, None));
    server.answer("/jwks", 200, key_set([&key]));
    trust.authenticator.refresh_keys().await;
    assert!(trust.check(&token).await.is_ok());
    let too_long = format!("{}{}", key_set([]), " ".repeat(300_000));
    for (status, body) in [
        (500, String::new()),
        (200, "<html>".to_owned()),
        (200, "{}".to_owned()),
        (200, r#"{"keys":[],"keys":[]}"#.to_owned()),
        (302, key_set([])),
        (200, too_long),
    ] {
        server.answer("/jwks", status, body);
        trust.authenticator.refresh_keys().await;
        assert!(trust.check(&token).await.is_ok(), "{status}");
    }
    server.answer("/jwks", 200, key_set([]));
    trust.authenticator.refresh_keys().await;
    assert!(trust.check(&token).await.is_err(), "an issuer may take all its keys back");
}

#[tokio::test]
async fn the_background_task_fetches_at_once() {
    let key = Key::es256("a");
    let server = IssuerServer::start();
    server.answer("/jwks", 200, key_set([&key]));
    let trust = trust(&server);
    let task = trust.authenticator.spawn_refresh();
    while !trust.authenticator.issuers_without_keys().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    task.abort();
    assert!(trust.check(&key.token(&claims())).await.is_ok());
    assert_eq!(server.hits(), 1);
}

#[tokio::test]
async fn keys_are_found_by_discovery() {
    let key = Key::es256("a");
    let server = IssuerServer::start();
    server.answer("/certs", 200, key_set([&key]));
    let issuer = server.url("/realms/cites");
    let token = key.token(&claims_with("iss", json!(issuer)));
    let metadata = |issuer: &str| json!({ "issuer": issuer, "jwks_uri": server.url("/certs") }).to_string();
    let trust = || Trust::issuer(&format!("issuer = '{issuer}', discovery = true"), &[]);
    server.answer("/.well-known/oauth-authorization-server/realms/cites", 200, metadata(&issuer));
    assert!(trust().check(&token).await.is_ok(), "RFC 8414");
    server.answer("/realms/cites/.well-known/openid-configuration", 200, metadata(&issuer));
    assert!(trust().check(&token).await.is_ok(), "OpenID Connect");
    server.answer("/realms/cites/.well-known/openid-configuration", 200, metadata("https://evil.example"));
    assert_eq!(trust().check(&token).await, Err(AuthError::KeysUnavailable), "another issuer's metadata");
}

#[tokio::test]
async fn a_key_signs_for_its_own_issuer_only() {
    let (ours, theirs) = (Key::es256("a"), Key::es256("a"));
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, key: &Key| {
        let path = directory.path().join(name);
        fs::write(&path, key_set([key])).unwrap();
        path.display().to_string()
    };
    let (first, second) = (file("a.json", &ours), file("b.json", &theirs));
    let issuers = format!(
        "issuer = '{ISSUER}', jwks_file = '{first}' }}, {{ issuer = 'https://b', jwks_file = '{second}'"
    );
    let trust = Trust::issuer(&issuers, &[]);
    assert!(trust.check(&ours.token(&claims())).await.is_ok());
    assert!(trust.check(&theirs.token(&claims_with("iss", json!("https://b")))).await.is_ok());
    assert!(trust.check(&theirs.token(&claims())).await.is_err());
    assert!(trust.check(&ours.token(&claims_with("iss", json!("https://b")))).await.is_err());
}

/// Members of a JWK, each merged over a good one, and whether the key may still verify.
#[tokio::test]
async fn the_use_that_a_key_was_published_for_is_respected() {
    let good = Key::es256("a");
    let other = Key::es256("other");
    let cases = [
        (json!({}), true),
        (json!({"alg": null}), true),
        (json!({"use": "sig", "key_ops": ["verify"]}), true),
        (json!({"use": "enc"}), false),
        (json!({"key_ops": ["sign"]}), false),
        (json!({"key_ops": []}), false),
        (json!({"alg": "ES384"}), false),
        (json!({"alg": "RS256"}), false),
        (json!({"kty": "oct", "k": "AAAA"}), false),
        (json!({"crv": "P-384"}), false),
        (json!({"crv": "secp256k1"}), false),
        (json!({"x": "AAAA"}), false),
        (json!({"x": 1}), false),
        (json!({"kid": 1}), false),
    ];
    for (change, may_verify) in cases {
        let mut jwk = good.jwk.clone();
        for (name, value) in change.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        let set = json!({ "keys": [jwk, other.jwk, 1] }).to_string();
        let verified = Trust::key_text(&set, "", &[]).check(&good.token(&claims())).await;
        assert_eq!(verified.is_ok(), may_verify, "{change}");
    }
    let mut off_curve = good.jwk.clone();
    off_curve["x"] = off_curve["y"].clone();
    let set = json!({ "keys": [off_curve] }).to_string();
    assert!(Trust::key_text(&set, "", &[]).check(&good.token(&claims())).await.is_err());
}

#[tokio::test]
async fn two_keys_may_share_an_id() {
    let (first, second) = (Key::es256("a"), Key::rs256("a"));
    let trust = Trust::keys([&first, &second], &[]);
    for key in [&first, &second] {
        assert!(trust.check(&key.token(&claims())).await.is_ok());
    }
}

#[test]
fn a_key_file_without_a_usable_key_stops_the_start() {
    use crate::{
        auth::Authenticator,
        clock::SystemClock,
        config::{AuthConfig, Config, IssuerConfig, Overrides},
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    let config = Config::from_sources(directory.path(), [], &Overrides::default()).unwrap();
    let issuer = IssuerConfig {
        issuer: ISSUER.to_owned(),
        jwks_file: Some(path.clone()),
        jwks_url: None,
        discovery: false,
        claims: crate::config::ClaimPaths::default(),
    };
    let auth = AuthConfig { issuers: vec![issuer], ..config.auth };
    let start = || Authenticator::new(&auth, None, std::sync::Arc::new(SystemClock)).map(|_| ());
    assert!(start().unwrap_err().to_string().contains("keys.json"), "absent");
    for text in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#] {
        fs::write(&path, text).unwrap();
        assert!(start().unwrap_err().to_string().contains("expected a JWK set"), "{text}");
    }
    fs::write(&path, key_set([&Key::es256("a")])).unwrap();
    assert!(start().is_ok());
    assert!(Value::is_object(&claims()));
}

#[tokio::test]
async fn a_known_token_is_refused_as_soon_as_it_would_be_anew() {
    let (old, new) = (Key::es256("old"), Key::es256("new"));
    let server = IssuerServer::start();
    server.answer("/jwks", 200, key_set([&old]));
    let trust = trust(&server);
    let token = old.token(&claims());
    for _ in 0..2 {
        assert!(trust.check(&token).await.is_ok());
    }
    let other_signature = old.token(&claims_with("jti", json!("another")));
    let (signed, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = other_signature.rsplit_once('.').unwrap();
    assert!(trust.check(&format!("{signed}.{signature}")).await.is_err(), "its signature is part of it");
    trust.clock.advance(-7_200);
    assert!(trust.check(&token).await.is_err(), "it was issued in the future of a clock set back");
    trust.clock.advance(7_200);
    assert!(trust.check(&token).await.is_ok());
    trust.clock.advance(86_400);
    assert_eq!(trust.check(&token).await, Err(AuthError::Expired));
    trust.clock.advance(-86_400);
    server.answer("/jwks", 200, key_set([&new]));
    trust.authenticator.refresh_keys().await;
    assert!(trust.check(&token).await.is_err(), "its key was taken out");
}
