//! The five scalars of GraphQL itself, with the input coercion of its specification (section 3.5): an integer
//! may stand for a float or an id, nothing else is converted.

use async_graphql::Value;

use super::{Parsed, Spec};

pub(super) static ID: Spec = Spec {
    name: "ID",
    description: "Opaque identifier of an object, stable for ever: keep it, do not take it apart.",
    specified_by: None,
    expected: "an id as this API gives it, for example \"site_01h455vb4pex5vsknk084sn02q\"",
    read: |value| match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(Parsed::Text(number.to_string())),
        other => text(other),
    },
};

pub(super) static INT: Spec = Spec {
    name: "Int",
    description: "Integer from -2147483648 to 2147483647.",
    specified_by: None,
    expected: "an integer from -2147483648 to 2147483647, without quotes",
    read: |value| {
        let Value::Number(number) = value else { return None };
        let int = i32::try_from(number.as_i64()?).ok()?;
        Some(Parsed::Int(i64::from(int)))
    },
};

pub(super) static FLOAT: Spec = Spec {
    name: "Float",
    description: "Double-precision number (IEEE 754), finite.",
    specified_by: None,
    expected: "a finite number, without quotes, for example 4.9267",
    read: |value| {
        let Value::Number(number) = value else { return None };
        number.as_f64().filter(|float| float.is_finite()).map(Parsed::Float)
    },
};

pub(super) static BOOLEAN: Spec = Spec {
    name: "Boolean",
    description: "`true` or `false`.",
    specified_by: None,
    expected: "true or false, without quotes",
    read: |value| match value {
        Value::Boolean(bool) => Some(Parsed::Bool(*bool)),
        _ => None,
    },
};

pub(super) static STRING: Spec = Spec {
    name: "String",
    description: "Text in Unicode, without the character NUL.",
    specified_by: None,
    expected: "a string without the character NUL",
    read: text,
};

/// A string as it came. NUL is refused here because a `PostgreSQL` text cannot hold it: let through, it would
/// come back as a fault of the database.
fn text(value: &Value) -> Option<Parsed> {
    match value {
        Value::String(text) if !text.contains('\0') => Some(Parsed::Text(text.clone())),
        _ => None,
    }
}
