//! Numbers that JSON clients would round: given as a number or a string, always written as a string.

use async_graphql::Value;
use rust_decimal::Decimal;

use super::{Parsed, Spec};

pub(super) static BIG_INT: Spec = Spec {
    name: "BigInt",
    description: "Integer of 64 bits, written as a string because JSON clients round large numbers; \
                  amounts are in cents (« centimes »), for example \"1500000\" for 15 000 €. Input: string \
                  of digits or integer.",
    specified_by: None,
    expected: "an integer of 64 bits as a string of digits, for example \"1500000\"",
    read: |value| match value {
        Value::Number(number) => number.as_i64().map(Parsed::Int),
        Value::String(text) => read_integer(text.trim()).map(Parsed::Int),
        _ => None,
    },
};

pub(super) static DECIMAL: Spec = Spec {
    name: "Decimal",
    description: "Exact decimal number, written as a string with a point and without exponent or trailing \
                  zeros, for example \"22.3\". Input: string, exact, or number, as precise as the client \
                  sends it. At most 28 digits.",
    specified_by: None,
    expected: "a decimal number of at most 28 digits, with a point, for example \"22.3\"",
    read: |value| {
        let decimal = match value {
            Value::Number(number) => read_json_number(&number.to_string()),
            Value::String(text) => read_decimal(text.trim()),
            _ => None,
        };
        Some(Parsed::Decimal(decimal?.normalize()))
    },
};

fn read_integer(text: &str) -> Option<i64> {
    is_natural(unsigned(text)).then(|| text.parse().ok())?
}

/// The crate would also read `1_000`, `.5` and `+1`, and round what is too long.
fn read_decimal(text: &str) -> Option<Decimal> {
    let (whole, fraction) = unsigned(text).split_once('.').unwrap_or((unsigned(text), "0"));
    (is_natural(whole) && is_natural(fraction)).then(|| Decimal::from_str_exact(text).ok())?
}

/// A JSON number in its shortest form, which has an exponent when very small or large.
fn read_json_number(text: &str) -> Option<Decimal> {
    if text.contains('e') { Decimal::from_scientific(text).ok() } else { read_decimal(text) }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix('-').unwrap_or(text)
}

fn is_natural(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
