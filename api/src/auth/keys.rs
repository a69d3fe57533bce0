//! The keys of one issuer, read from its JWK set (RFC 7517).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::Value;

use super::strict_json;
use crate::{config::SigningAlgorithm, limits};

/// A public key that verifies signatures of one algorithm.
pub(super) struct VerifyKey {
    id: Option<String>,
    algorithm: SigningAlgorithm,
    decoding: DecodingKey,
}

impl VerifyKey {
    /// Whether a signature, in base64url, is of this key over these bytes. A malformed one is as wrong as a false one.
    pub(super) fn verifies(&self, signature: &str, bytes: &[u8]) -> bool {
        let algorithm = match self.algorithm {
            SigningAlgorithm::Es256 => Algorithm::ES256,
            SigningAlgorithm::Rs256 => Algorithm::RS256,
            SigningAlgorithm::EdDsa => Algorithm::EdDSA,
        };
        crypto::verify(signature, bytes, &self.decoding, algorithm).unwrap_or(false)
    }
}

/// The keys of one issuer that can verify a token here.
pub(super) struct KeySet {
    keys: Vec<VerifyKey>,
}

/// What a set has for a key id and an algorithm.
pub(super) enum Found<'a> {
    /// Keys to try, one or more: ids need not be unique between key types (RFC 7517 section 4.5).
    Keys(Vec<&'a VerifyKey>),
    /// The id is in the set, for another algorithm.
    OtherAlgorithm,
    /// The token names no key, and there are several, or none.
    IdNeeded,
    /// The id is not in the set.
    Unknown,
}

impl KeySet {
    /// Reads a JWK set. A key of another type, use or algorithm is left out, as the RFC asks; a text that is
    /// no JWK set is `None`.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut set = strict_json::object(text)?;
        let Some(Value::Array(keys)) = set.remove("keys") else { return None };
        let keys = keys.into_iter().take(limits::JWKS_KEYS).filter_map(verify_key).collect();
        Some(Self { keys })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn find(&self, id: Option<&str>, algorithm: SigningAlgorithm) -> Found<'_> {
        let Some(id) = id else {
            return match &self.keys[..] {
                [key] if key.algorithm == algorithm => Found::Keys(vec![key]),
                [_] => Found::OtherAlgorithm,
                _ => Found::IdNeeded,
            };
        };
        let named: Vec<_> = self.keys.iter().filter(|key| key.id.as_deref() == Some(id)).collect();
        let usable: Vec<_> = named.iter().copied().filter(|key| key.algorithm == algorithm).collect();
        match (named.is_empty(), usable.is_empty()) {
            (true, _) => Found::Unknown,
            (false, true) => Found::OtherAlgorithm,
            (false, false) => Found::Keys(usable),
        }
    }
}

/// The members of a JWK that matter here; private ones are not read.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

fn verify_key(jwk: Value) -> Option<VerifyKey> {
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    let is_for_signatures = jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
    let may_verify = jwk.key_ops.as_ref().is_none_or(|all| all.iter().any(|one| one == "verify"));
    let (algorithm, decoding) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("EC", Some("P-256")) => (SigningAlgorithm::Es256, ec_key(&jwk)?),
        ("RSA", _) => (SigningAlgorithm::Rs256, rsa_key(&jwk)?),
        ("OKP", Some("Ed25519")) => (SigningAlgorithm::EdDsa, ed_key(&jwk)?),
        _ => return None,
    };
    let is_its_algorithm =
        jwk.alg.as_deref().is_none_or(|alg| SigningAlgorithm::from_name(alg) == Some(algorithm));
    (is_for_signatures && may_verify && is_its_algorithm).then(|| VerifyKey {
        id: jwk.kid,
        algorithm,
        decoding,
    })
}

fn bytes(member: Option<&String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(member?).ok()
}

fn ec_key(jwk: &Jwk) -> Option<DecodingKey> {
    let (x, y) = (bytes(jwk.x.as_ref())?, bytes(jwk.y.as_ref())?);
    // The uncompressed point of SEC 1: 4, x, y.
    let point: Vec<u8> = std::iter::once(4).chain(x.iter().copied()).chain(y.iter().copied()).collect();
    (x.len() == 32 && y.len() == 32).then(|| DecodingKey::from_ec_der(&point))
}

fn rsa_key(jwk: &Jwk) -> Option<DecodingKey> {
    let (n, e) = (bytes(jwk.n.as_ref())?, bytes(jwk.e.as_ref())?);
    let modulus = n.iter().skip_while(|byte| **byte == 0).count();
    (modulus >= 256).then(|| DecodingKey::from_rsa_raw_components(&n, &e))
}

fn ed_key(jwk: &Jwk) -> Option<DecodingKey> {
    let x = bytes(jwk.x.as_ref())?;
    (x.len() == 32).then(|| DecodingKey::from_ed_der(&x))
}
