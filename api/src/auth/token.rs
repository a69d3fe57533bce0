//! The parts of a compact JWT and the rules on its header, before any key is looked for.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{error::AuthError, strict_json};
use crate::config::{AuthConfig, SigningAlgorithm};

/// What the configuration says about a token's outside.
pub(super) struct TokenRules {
    max_bytes: usize,
    algorithms: Vec<SigningAlgorithm>,
    accepted_typ: Vec<String>,
}

impl TokenRules {
    pub(super) fn new(config: &AuthConfig) -> Self {
        let accepted_typ = config.accepted_typ.iter().map(|typ| bare_typ(typ)).collect();
        Self { max_bytes: config.max_token_bytes, algorithms: config.algorithms.clone(), accepted_typ }
    }
}

/// A token whose header follows the rules. Its payload is decoded but **not trusted** until the signature
/// over [`Token::signed_bytes`] is verified. The header's `jku`, `x5u`, `x5c` and `jwk` are never read.
pub(super) struct Token<'a> {
    signed: &'a str,
    signature: &'a str,
    algorithm: SigningAlgorithm,
    key_id: Option<String>,
    payload: Map<String, Value>,
}

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str, rules: &TokenRules) -> Result<Self, AuthError> {
        if text.len() > rules.max_bytes {
            return Err(AuthError::Invalid("it is too long"));
        }
        let form = AuthError::Invalid("it is not a signed JWT in compact form");
        let (signed, signature) = text.rsplit_once('.').ok_or(form)?;
        let (header, payload) = signed.split_once('.').ok_or(form)?;
        let header = decode(header).ok_or(AuthError::Invalid("its header is not a plain JSON object"))?;
        let (algorithm, key_id) = check_header(&header, rules)?;
        let payload = decode(payload).ok_or(AuthError::Invalid("its payload is not a plain JSON object"))?;
        Ok(Self { signed, signature, algorithm, key_id, payload })
    }

    pub(super) fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The signature, in base64url.
    pub(super) fn signature(&self) -> &str {
        self.signature
    }

    /// What the signature is over.
    pub(super) fn signed_bytes(&self) -> &[u8] {
        self.signed.as_bytes()
    }

    pub(super) fn payload(&self) -> &Map<String, Value> {
        &self.payload
    }
}

fn decode(part: &str) -> Option<Map<String, Value>> {
    strict_json::object(&URL_SAFE_NO_PAD.decode(part).ok()?)
}

fn check_header(
    header: &Map<String, Value>,
    rules: &TokenRules,
) -> Result<(SigningAlgorithm, Option<String>), AuthError> {
    let algorithm = header
        .get("alg")
        .and_then(Value::as_str)
        .and_then(SigningAlgorithm::from_name)
        .filter(|algorithm| rules.algorithms.contains(algorithm))
        .ok_or(AuthError::Invalid("its algorithm is not accepted"))?;
    let typ = header.get("typ").and_then(Value::as_str).map(bare_typ);
    if !typ.is_some_and(|typ| rules.accepted_typ.contains(&typ)) {
        return Err(AuthError::Invalid("its type is not accepted, an access token (at+jwt) is expected"));
    }
    // No extension is understood here, so a critical one, even an empty list, refuses the token (RFC 7515).
    if header.contains_key("crit") {
        return Err(AuthError::Invalid("it needs an extension that is not understood"));
    }
    match header.get("kid") {
        None => Ok((algorithm, None)),
        Some(Value::String(kid)) => Ok((algorithm, Some(kid.clone()))),
        Some(_) => Err(AuthError::Invalid("the header 'kid' must be a text")),
    }
}

/// A media type without case and without the `application/` that may be left out (RFC 7515 section 4.1.9).
fn bare_typ(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").map(str::to_owned).unwrap_or(typ)
}
