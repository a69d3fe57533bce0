//! Keys of rows, and values of one type together.

use std::borrow::Cow;

use sea_orm::sea_query::{ArrayType, Value};
use uuid::Uuid;

use super::Kind;

/// What a relation is keyed by: rows by UUID, referentials by their official code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// UUID of a row.
    Uuid,
    /// Official code.
    Text,
    /// Number in a sequence.
    Number,
}

impl KeyType {
    /// How such a key is held.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Uuid => Kind::Uuid,
            Self::Text => Kind::Text,
            Self::Number => Kind::BigInt,
        }
    }
}

/// Keys of parent rows, of one type.
#[derive(Clone, Debug)]
pub enum Keys {
    /// UUIDs of rows.
    Uuid(Vec<Uuid>),
    /// Official codes.
    Text(Vec<String>),
}

impl Keys {
    /// How many keys there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Uuid(keys) => keys.len(),
            Self::Text(keys) => keys.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A key as text: a UUID in hexadecimal digits. Other values are no keys.
pub(super) fn text_of_key(key: &Value) -> Option<Cow<'_, str>> {
    match key {
        Value::Uuid(Some(id)) => Some(Cow::Owned(id.simple().to_string())),
        Value::String(Some(text)) => Some(Cow::Borrowed(text)),
        _ => None,
    }
}

/// What an array of such values is to the driver.
pub(super) fn array_type(value: &Value) -> ArrayType {
    match value {
        Value::Uuid(_) => ArrayType::Uuid,
        Value::Int(_) => ArrayType::Int,
        Value::BigInt(_) => ArrayType::BigInt,
        Value::Double(_) => ArrayType::Double,
        Value::Bool(_) => ArrayType::Bool,
        Value::Decimal(_) => ArrayType::Decimal,
        Value::ChronoDate(_) => ArrayType::ChronoDate,
        Value::ChronoDateTimeUtc(_) => ArrayType::ChronoDateTimeUtc,
        _ => ArrayType::String,
    }
}
