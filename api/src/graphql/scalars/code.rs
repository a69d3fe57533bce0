//! What the official codes share: how an input is made canonical, digits, the Luhn key.

use async_graphql::Value;

use super::Parsed;

/// Reads a code: a string that, made canonical, passes `test`.
pub(super) fn read_code(value: &Value, test: fn(&[u8]) -> bool) -> Option<Parsed> {
    let code = compact(value)?;
    test(code.as_bytes()).then_some(Parsed::Text(code))
}

/// A string without its spaces, in upper case.
///
/// Line breaks inside are kept, so that two codes pasted together never read as one. Only ASCII letters
/// change case: `ſ` or `ı` must not turn into letters of a code.
pub(super) fn compact(value: &Value) -> Option<String> {
    let Value::String(text) = value else { return None };
    Some(compact_text(text))
}

/// As [`compact`], from a text.
pub(super) fn compact_text(text: &str) -> String {
    let kept = text.trim().chars().filter(|c| !c.is_whitespace() || c.is_control());
    kept.map(|c| c.to_ascii_uppercase()).collect()
}

/// Exactly `count` digits.
pub(super) fn are_digits(code: &[u8], count: usize) -> bool {
    code.len() == count && code.iter().all(u8::is_ascii_digit)
}

/// The number written with exactly `count` digits; `count` is at most 9.
pub(super) fn number(code: &[u8], count: usize) -> Option<u32> {
    let digits = are_digits(code, count).then(|| code.iter().map(|digit| u32::from(digit - b'0')))?;
    Some(digits.fold(0, |number, digit| number * 10 + digit))
}

/// Whether the last digit is the key of the others by Luhn's rule (ISO/IEC 7812-1). All bytes are digits.
pub(super) fn has_luhn_key(digits: &[u8]) -> bool {
    let doubled = |place: usize, digit: u32| match digit * 2 {
        _ if place.is_multiple_of(2) => digit,
        double if double > 9 => double - 9,
        double => double,
    };
    let values = digits.iter().rev().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = values.enumerate().map(|(place, digit)| doubled(place, digit)).sum();
    sum.is_multiple_of(10)
}
