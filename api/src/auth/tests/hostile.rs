use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::support::{ISSUER, Key, NOW, Trust, claims, claims_with, now};
use crate::auth::{Actor, AuthError, Role, Scope};

#[tokio::test]
async fn a_good_token_of_each_algorithm_gives_its_actor() {
    let keys = [Key::es256("a"), Key::rs256("b"), Key::ed25519("c")];
    let trust = Trust::keys(&keys, &[]);
    for key in &keys {
        let actor = trust.check(&key.token(&claims())).await.unwrap();
        let expected = Actor {
            role: Role::Prefecture,
            sub: Some("user-1".to_owned()),
            client_id: Some("portal".to_owned()),
            jti: Some("t-1".to_owned()),
            departements: vec!["38".to_owned(), "69".to_owned()],
            sirens: vec![],
            source: None,
            scopes: vec![Scope::Read, Scope::Write],
            issued_at: Some(now() - chrono::TimeDelta::seconds(60)),
            expires_at: Some(now() + chrono::TimeDelta::seconds(600 + 30)),
        };
        assert_eq!(actor, expected);
        assert!(actor.has(Scope::Write) && !actor.has(Scope::Admin));
    }
}

#[tokio::test]
async fn no_header_is_the_public_and_a_bad_one_never_is() {
    let key = Key::es256("a");
    let trust = Trust::keys([&key], &[]);
    assert_eq!(trust.authenticator.authenticate(None).await, Ok(Actor::public()));
    let token = key.token(&claims());
    for header in
        ["", "Bearer", "Bearer ", "Basic dTpw", "Token x", "Bearer a b", &token, &format!("Bearer{token}")]
    {
        let error = trust.authenticator.authenticate(Some(header)).await.unwrap_err();
        assert_eq!(error, AuthError::Unauthenticated, "{header}");
        assert_eq!(error.www_authenticate().as_deref(), Some("Bearer realm=\"cites\""));
    }
    let header = format!("bEARER  {token}");
    assert!(trust.authenticator.authenticate(Some(&header)).await.is_ok());
}

/// Headers, each merged over a good one; all must be refused although the signature is right.
#[tokio::test]
async fn hostile_headers_are_refused() {
    let key = Key::es256("a");
    let trust = Trust::keys([&key, &Key::es256("b")], &[]);
    let hostile = [
        json!({"alg": "none"}),
        json!({"alg": "None"}),
        json!({"alg": "HS256"}),
        json!({"alg": "RS256"}),
        json!({"alg": "ES384"}),
        json!({"alg": "es256"}),
        json!({"alg": null}),
        json!({"alg": ["ES256"]}),
        json!({"typ": "JWT"}),
        json!({"typ": "application/jwt"}),
        json!({"typ": "id+jwt"}),
        json!({"typ": null}),
        json!({"typ": 1}),
        json!({"kid": "unknown"}),
        json!({"kid": "b"}),
        json!({"kid": 1}),
        json!({"kid": ["a"]}),
        json!({"crit": ["b64"], "b64": false}),
        json!({"crit": ["exp"]}),
        json!({"crit": []}),
        json!({"crit": null}),
    ];
    for change in hostile {
        let mut header = key.header();
        for (name, value) in change.as_object().unwrap() {
            header[name] = value.clone();
        }
        let error = trust.check(&key.sign(&header.to_string(), &claims().to_string())).await.unwrap_err();
        assert_eq!(error.code(), "TOKEN_INVALID", "{header}");
    }
    let no_kid = key.sign(r#"{"alg":"ES256","typ":"at+jwt"}"#, &claims().to_string());
    let expected = AuthError::Invalid("the header 'kid' must name a key");
    assert_eq!(trust.check(&no_kid).await, Err(expected));
    assert!(Trust::keys([&key], &[]).check(&no_kid).await.is_ok(), "the only key needs no id");
}

#[tokio::test]
async fn keys_that_a_token_brings_along_are_ignored() {
    let (good, evil) = (Key::es256("a"), Key::es256("a"));
    let trust = Trust::keys([&good], &[]);
    for (name, value) in [
        ("jwk", evil.jwk.clone()),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/chain")),
        ("x5c", json!(["MII"])),
    ] {
        let mut header = good.header();
        header[name] = value;
        let (header, payload) = (header.to_string(), claims().to_string());
        let error = trust.check(&evil.sign(&header, &payload)).await.unwrap_err();
        assert_eq!(error, AuthError::Invalid("its signature is not the issuer's"), "{name}");
        assert!(trust.check(&good.sign(&header, &payload)).await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let key = Key::rs256("a");
    let trust = Trust::keys([&key], &[]);
    let modulus = URL_SAFE_NO_PAD.decode(key.jwk["n"].as_str().unwrap()).unwrap();
    for secret in [modulus, key.jwk.to_string().into_bytes()] {
        let forged = Key {
            algorithm: Algorithm::HS256,
            signing: EncodingKey::from_secret(&secret),
            jwk: key.jwk.clone(),
        };
        assert_eq!(trust.check(&forged.token(&claims())).await.unwrap_err().code(), "TOKEN_INVALID");
        let lying = forged.sign(&key.header().to_string(), &claims().to_string());
        assert_eq!(trust.check(&lying).await.unwrap_err().code(), "TOKEN_INVALID");
    }
}

#[tokio::test]
async fn texts_that_are_no_token_are_refused() {
    let key = Key::es256("a");
    let trust = Trust::keys([&key], &[]);
    let good = key.token(&claims());
    let parts: Vec<_> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let other = URL_SAFE_NO_PAD.encode(claims_with("sub", json!("root")).to_string());
    let not_json = URL_SAFE_NO_PAD.encode("[]");
    let hostile = [
        "x".to_owned(),
        "..".to_owned(),
        "é.é.é".to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}.AAAA"),
        format!("{header}.{payload}.{signature}."),
        format!("{header}.{payload}.{signature}.x"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{other}.{signature}"),
        format!("{header}.{not_json}.{signature}"),
        format!("{not_json}.{payload}.{signature}"),
        format!("{header}=.{payload}.{signature}"),
        key.sign("{}", "{}"),
    ];
    for token in hostile {
        assert_eq!(trust.check(&token).await.unwrap_err().code(), "TOKEN_INVALID", "{token}");
    }
    let huge = key.token(&claims_with("padding", json!("x".repeat(8_192))));
    assert_eq!(trust.check(&huge).await, Err(AuthError::Invalid("it is too long")));
}

#[tokio::test]
async fn repeated_members_are_refused() {
    let key = Key::es256("a");
    let trust = Trust::keys([&key], &[]);
    let payload = claims().to_string();
    let twice = format!(r#"{{"roles":["anct"],{}"#, &payload[1..]);
    assert_eq!(
        trust.check(&key.sign(&key.header().to_string(), &twice)).await.unwrap_err().code(),
        "TOKEN_INVALID"
    );
    let header = r#"{"alg":"ES256","alg":"ES256","typ":"at+jwt","kid":"a"}"#;
    assert_eq!(trust.check(&key.sign(header, &payload)).await.unwrap_err().code(), "TOKEN_INVALID");
    let nested = claims_with("x", json!("MARK")).to_string().replace("\"MARK\"", r#"{"a":1,"a":1}"#);
    assert!(trust.check(&key.sign(&key.header().to_string(), &nested)).await.is_err());
}

/// Each claim and a value it must not have; null = absent.
#[tokio::test]
async fn hostile_claims_are_refused() {
    let key = Key::es256("a");
    let trust = Trust::keys([&key], &[]);
    let cases: Vec<(&str, Vec<Value>)> = vec![
        ("iss", vec![Value::Null, json!("https://evil.example"), json!([ISSUER]), json!(1), json!("")]),
        (
            "aud",
            vec![
                Value::Null,
                json!("other"),
                json!([]),
                json!(["other"]),
                json!(["cites-api", 1]),
                json!(1),
                json!({"cites-api": 1}),
                json!("cites-api "),
            ],
        ),
        (
            "exp",
            vec![
                Value::Null,
                json!("1760000600"),
                json!(true),
                json!([]),
                json!(-1),
                json!(1e300),
                json!(u64::MAX),
                json!(i64::MAX),
            ],
        ),
        ("nbf", vec![json!(NOW + 31), json!("0"), json!(false), json!(1e300)]),
        ("iat", vec![json!(NOW + 31), json!("0"), json!({}), json!(-1e300)]),
        (
            "sub",
            vec![Value::Null, json!(""), json!(1), json!(["user-1"]), json!("a\nb"), json!("x".repeat(256))],
        ),
        ("client_id", vec![Value::Null, json!(""), json!(1), json!(["portal"])]),
        ("jti", vec![Value::Null, json!(""), json!(1)]),
        (
            "roles",
            vec![
                Value::Null,
                json!([]),
                json!("prefecture"),
                json!(["anct", "prefecture"]),
                json!(["ANCT"]),
                json!(["public"]),
                json!(["offline_access"]),
                json!(["prefecture", 1]),
                json!({"prefecture": true}),
            ],
        ),
        (
            "departements",
            vec![
                json!("69"),
                json!([69]),
                json!(["069"]),
                json!(["20"]),
                json!(["69", "%"]),
                json!([["69"]]),
            ],
        ),
        (
            "sirens",
            vec![json!("200046977"), json!([200_046_977]), json!(["200034582"]), json!(["000000000"])],
        ),
        ("source", vec![json!(["FRANCE_TRAVAIL"]), json!("france travail"), json!(""), json!(1)]),
        ("scope", vec![json!(1), json!([1]), json!({})]),
    ];
    for (name, values) in cases {
        for value in values {
            let error = trust.check(&key.token(&claims_with(name, value.clone()))).await.expect_err(name);
            assert_eq!(error.code(), "TOKEN_INVALID", "{name}: {value}");
            let challenge = error.www_authenticate().unwrap();
            assert!(challenge.is_ascii() && challenge.matches('"').count() == 6, "{challenge}");
        }
    }
    // A JSON null is a value of the wrong type, not an absent claim.
    for name in
        ["aud", "exp", "nbf", "iat", "sub", "client_id", "jti", "roles", "departements", "source", "scope"]
    {
        let mut claims = claims();
        claims[name] = Value::Null;
        assert_eq!(trust.check(&key.token(&claims)).await.unwrap_err().code(), "TOKEN_INVALID", "{name}");
    }
}

#[tokio::test]
async fn optional_claims_may_be_absent_and_give_nothing() {
    let key = Key::es256("a");
    let trust = Trust::keys([&key], &[]);
    for name in ["nbf", "iat", "departements", "scope", "sirens", "source"] {
        assert!(trust.check(&key.token(&claims_with(name, Value::Null))).await.is_ok(), "{name}");
    }
    let bare = trust.check(&key.token(&claims_with("departements", Value::Null))).await.unwrap();
    assert_eq!(bare.departements, Vec::<String>::new());
    let bare = trust.check(&key.token(&claims_with("scope", Value::Null))).await.unwrap();
    assert!(bare.scopes.is_empty() && !bare.has(Scope::Read));
}

#[tokio::test]
async fn the_audience_may_be_a_list_and_the_client_may_be_azp() {
    let key = Key::es256("a");
    let trust = Trust::keys([&key], &[]);
    let token = key.token(&claims_with("aud", json!(["account", "cites-api"])));
    assert!(trust.check(&token).await.is_ok());
    let mut claims = claims_with("client_id", Value::Null);
    claims["azp"] = json!("keycloak-client");
    let actor = trust.check(&key.token(&claims)).await.unwrap();
    assert_eq!(actor.client_id.as_deref(), Some("keycloak-client"));
}

#[tokio::test]
async fn a_partner_system_names_its_source_and_others_may() {
    let key = Key::es256("a");
    let trust = Trust::keys([&key], &[]);
    let mut claims = claims_with("source", json!("FRANCE_TRAVAIL"));
    assert_eq!(trust.check(&key.token(&claims)).await.unwrap().source.as_deref(), Some("FRANCE_TRAVAIL"));
    claims["roles"] = json!(["partner_system"]);
    assert_eq!(trust.check(&key.token(&claims)).await.unwrap().role, Role::PartnerSystem);
    let none = claims_with("roles", json!(["partner_system"]));
    assert_eq!(trust.check(&key.token(&none)).await.unwrap_err().code(), "TOKEN_INVALID");
}

#[tokio::test]
async fn a_token_ends_when_it_says_give_or_take_the_leeway() {
    let key = Key::es256("a");
    let trust = Trust::keys([&key], &["auth.leeway_seconds=30"]);
    let token = key.token(&claims());
    trust.clock.advance(600 + 29);
    assert!(trust.check(&token).await.is_ok());
    trust.clock.advance(1);
    let error = trust.check(&token).await.unwrap_err();
    assert_eq!((error, error.code(), error.status()), (AuthError::Expired, "TOKEN_EXPIRED", 401));
    let challenge = error.www_authenticate().unwrap();
    assert_eq!(
        challenge,
        r#"Bearer realm="cites", error="invalid_token", error_description="the token has expired""#
    );
    trust.clock.set(now());
    trust.clock.advance(-60 - 30);
    assert!(trust.check(&token).await.is_ok());
    trust.clock.advance(-1);
    assert_eq!(trust.check(&token).await.unwrap_err().code(), "TOKEN_INVALID");
    let strict = Trust::keys([&key], &["auth.leeway_seconds=0"]);
    strict.clock.advance(600);
    assert_eq!(strict.check(&token).await, Err(AuthError::Expired));
    let fraction = claims_with("exp", json!(1_760_000_600.5));
    assert!(trust.check(&key.token(&fraction)).await.is_err(), "the clock is still before nbf");
    trust.clock.set(now());
    assert!(trust.check(&key.token(&fraction)).await.is_ok());
}

#[tokio::test]
async fn configuration_narrows_algorithms_and_widens_types() {
    let keys = [Key::es256("a"), Key::rs256("b")];
    let trust = Trust::keys(&keys, &["auth.algorithms=RS256", "auth.accepted_typ=at+jwt,JWT"]);
    assert!(trust.check(&keys[0].token(&claims())).await.is_err());
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT"] {
        let mut header = keys[1].header();
        header["typ"] = json!(typ);
        let token = keys[1].sign(&header.to_string(), &claims().to_string());
        assert!(trust.check(&token).await.is_ok(), "{typ}");
    }
}

#[tokio::test]
async fn claims_are_read_where_the_issuer_puts_them() {
    let key = Key::es256("a");
    let paths = ", claims = { roles = ['resource_access.cites.roles', 'https://cites.example/roles'], \
                 departements = ['cites.departements'], scope = ['scp'] }";
    let trust = Trust::key_text(&super::support::key_set([&key]), paths, &[]);
    let mut keycloak = claims_with("roles", json!(["anct"]));
    keycloak["resource_access"] =
        json!({ "account": { "roles": ["anct"] }, "cites": { "roles": ["collectivite"] } });
    keycloak["cites"] = json!({ "departements": ["974"] });
    keycloak["scp"] = json!(["cde:read", "cde:admin"]);
    let actor = trust.check(&key.token(&keycloak)).await.unwrap();
    assert_eq!((actor.role, actor.departements), (Role::Collectivite, vec!["974".to_owned()]));
    assert_eq!(actor.scopes, [Scope::Read, Scope::Admin]);
    let mut named = claims_with("roles", json!(["anct"]));
    named["https://cites.example/roles"] = json!(["prefecture"]);
    assert_eq!(trust.check(&key.token(&named)).await.unwrap().role, Role::Prefecture);
    assert!(trust.check(&key.token(&claims())).await.is_err(), "the default place is not read");
}
