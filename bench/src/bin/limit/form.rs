//! Values in the form the product gives them.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// Crockford's base32, lower case.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const PREFIX: &[u8; 7] = b"action_";
const LENGTH: usize = PREFIX.len() + 26;

/// The typed id of an action: `action_` and the UUID in base32.
pub struct ActionId(pub Uuid);

impl ActionId {
    /// Reads the typed id of an action.
    pub fn parse(text: &str) -> Option<Self> {
        parse(PREFIX, text).map(Self)
    }
}

/// Reads a typed id: a prefix such as `site_`, and the UUID in base32.
pub fn parse(prefix: &[u8], text: &str) -> Option<Uuid> {
    let digits = text.as_bytes().strip_prefix(prefix).filter(|digits| digits.len() == 26)?;
    let digit = |byte: &u8| ALPHABET.iter().position(|known| known == byte);
    let bits = digits.iter().try_fold(0_u128, |bits, byte| Some(bits << 5 | digit(byte)? as u128))?;
    Some(Uuid::from_u128(bits))
}

impl Serialize for ActionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bits = self.0.as_u128();
        let mut text = [0; LENGTH];
        let (prefix, digits) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX);
        for (index, digit) in digits.iter_mut().rev().enumerate() {
            *digit = ALPHABET[((bits >> (5 * index)) & 31) as usize];
        }
        serializer.serialize_str(std::str::from_utf8(&text).map_err(serde::ser::Error::custom)?)
    }
}

/// An instant in RFC 3339, with as many decimals as it needs.
pub struct Instant(pub DateTime<Utc>);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}
