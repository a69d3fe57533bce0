//! An issuer with one key of each kind, and an authenticator that trusts it.

use std::{fs, sync::Arc};

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, crypto, jwk::Jwk};
use serde_json::{Value, json};

use crate::{
    auth::{Actor, AuthError, Authenticator},
    clock::FixedClock,
    config::{Config, Overrides},
};

pub(super) const ISSUER: &str = "https://sso.example.fr/realms/cites";

/// The time of every test, in seconds: tokens are valid from 60 s before to 600 s after it.
pub(super) const NOW: i64 = 1_760_000_000;

pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

/// A private key and what its issuer publishes of it.
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) signing: EncodingKey,
    pub(super) jwk: Value,
}

impl Key {
    fn new(algorithm: Algorithm, signing: EncodingKey, id: &str) -> Self {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&signing, algorithm).unwrap()).unwrap();
        jwk["kid"] = json!(id);
        Self { algorithm, signing, jwk }
    }

    pub(super) fn es256(id: &str) -> Self {
        let made =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        Self::new(Algorithm::ES256, EncodingKey::from_ec_der(made.as_ref()), id)
    }

    pub(super) fn ed25519(id: &str) -> Self {
        let made = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
        Self::new(Algorithm::EdDSA, EncodingKey::from_ed_der(made.as_ref()), id)
    }

    pub(super) fn rs256(id: &str) -> Self {
        let made = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        // jsonwebtoken wants PKCS#1, which PKCS#8 holds after 26 bytes that say "RSA".
        let pkcs8 = made.as_der().unwrap();
        Self::new(Algorithm::RS256, EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..]), id)
    }

    /// A header of the right form for this key.
    pub(super) fn header(&self) -> Value {
        json!({ "alg": self.algorithm, "typ": "at+jwt", "kid": self.jwk["kid"] })
    }

    /// A token with exactly this header and payload, signed with this key.
    pub(super) fn sign(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = crypto::sign(signed.as_bytes(), &self.signing, self.algorithm).unwrap();
        format!("{signed}.{signature}")
    }

    /// A token with these claims.
    pub(super) fn token(&self, claims: &Value) -> String {
        self.sign(&self.header().to_string(), &claims.to_string())
    }
}

/// The text of a JWK set with these keys.
pub(super) fn key_set<'a>(keys: impl IntoIterator<Item = &'a Key>) -> String {
    let keys: Vec<_> = keys.into_iter().map(|key| &key.jwk).collect();
    json!({ "keys": keys }).to_string()
}

/// Good claims of a préfecture.
pub(super) fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "cites-api", "sub": "user-1", "client_id": "portal", "jti": "t-1",
        "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 600,
        "roles": ["prefecture", "offline_access"], "departements": ["69", "38", "69"],
        "scope": "openid cde:read cde:write",
    })
}

/// The good claims with one changed, or taken out where `value` is null.
pub(super) fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    match value {
        Value::Null => members.remove(name),
        value => members.insert(name.to_owned(), value),
    };
    claims
}

/// An authenticator and the clock it reads.
pub(super) struct Trust {
    pub(super) authenticator: Arc<Authenticator>,
    pub(super) clock: Arc<FixedClock>,
    /// Its key file, which is read again for unknown key ids.
    _directory: Option<tempfile::TempDir>,
}

impl Trust {
    /// Trusts these keys, given as files, with more settings in `--set` form.
    pub(super) fn keys<'a>(keys: impl IntoIterator<Item = &'a Key>, set: &[&str]) -> Self {
        Self::key_text(&key_set(keys), "", set)
    }

    /// Trusts the keys of a JWK set; `more` are further members of the issuer's settings.
    pub(super) fn key_text(text: &str, more: &str, set: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        fs::write(&path, text).unwrap();
        let trust =
            Self::issuer(&format!("issuer = '{ISSUER}', jwks_file = '{}'{more}", path.display()), set);
        Self { _directory: Some(directory), ..trust }
    }

    /// Trusts one issuer, given as the members of an inline table.
    pub(super) fn issuer(issuer: &str, set: &[&str]) -> Self {
        let issuers = format!("auth.issuers=[{{ {issuer} }}]");
        let set = set.iter().copied().chain([issuers.as_str()]).map(str::to_owned).collect();
        let flags = Overrides { set, ..Overrides::default() };
        let config = Config::from_sources(std::path::Path::new("/nonexistent"), [], &flags).unwrap();
        let clock = Arc::new(FixedClock::new(now()));
        let authenticator = Authenticator::new(&config.auth, None, clock.clone()).unwrap();
        Self { authenticator: Arc::new(authenticator), clock, _directory: None }
    }

    pub(super) async fn check(&self, token: &str) -> Result<Actor, AuthError> {
        self.authenticator.authenticate(Some(&format!("Bearer {token}"))).await
    }
}
