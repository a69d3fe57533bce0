//! The GraphQL response as JSON.

use serde_json::{Map, Value, json};

use crate::budget::Standing;
use crate::error::{ApiError, Step};

/// A response without data: the request was refused.
pub fn refused(errors: &[ApiError]) -> Vec<u8> {
    let mut out = b"{\"errors\":".to_vec();
    out.extend_from_slice(
        Value::from(errors.iter().map(error).collect::<Vec<Value>>()).to_string().as_bytes(),
    );
    out.push(b'}');
    out
}

/// What an operation asked for and what it came to, with what its client has left.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Points asked for.
    pub requested: u64,
    /// Points that were read and written.
    pub actual: u64,
    /// What is left; none when nothing is counted.
    pub left: Option<Standing>,
}

/// A response with the JSON of the data, the errors met on the way, and the cost; an event has none.
pub fn executed(data: &[u8], errors: &[ApiError], cost: Option<Cost>) -> Vec<u8> {
    let mut out = open(errors);
    out.extend_from_slice(data);
    close(out, cost, None)
}

/// The beginning of a response, to which its data are to be written.
pub fn open(errors: &[ApiError]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8192);
    out.push(b'{');
    if !errors.is_empty() {
        let errors = Value::from(errors.iter().map(error).collect::<Vec<Value>>());
        out.extend_from_slice(b"\"errors\":");
        out.extend_from_slice(errors.to_string().as_bytes());
        out.push(b',');
    }
    out.extend_from_slice(b"\"data\":");
    out
}

/// A response whose data are written; with what names what was written.
pub fn close(mut out: Vec<u8>, cost: Option<Cost>, causality: Option<&str>) -> Vec<u8> {
    if let Some(cost) = cost {
        write_cost(&mut out, cost);
        if let Some(token) = causality {
            out.extend_from_slice(b",\"causality\":\"");
            out.extend_from_slice(token.as_bytes());
            out.push(b'"');
        }
        out.push(b'}');
    }
    out.push(b'}');
    out
}

fn write_cost(out: &mut Vec<u8>, cost: Cost) {
    let mut digits = itoa::Buffer::new();
    let mut number = |name: &str, number: u64| {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(digits.format(number).as_bytes());
    };
    number(",\"extensions\":{\"cost\":{\"requested\":", cost.requested);
    number(",\"actual\":", cost.actual);
    if let Some(left) = cost.left {
        number(",\"limit\":", left.allowance.bucket);
        number(",\"remaining\":", left.remaining);
        number(",\"restoreRate\":", left.allowance.restore_rate);
    }
    out.push(b'}');
}

fn error(error: &ApiError) -> Value {
    let mut shown = Map::new();
    shown.insert("message".into(), error.message.as_ref().into());
    if !error.locations.is_empty() {
        let places: Vec<Value> =
            error.locations.iter().map(|at| json!({ "line": at.line, "column": at.column })).collect();
        shown.insert("locations".into(), places.into());
    }
    if !error.path.is_empty() {
        shown.insert("path".into(), steps(&error.path));
    }
    let mut extensions = Map::new();
    extensions.insert("code".into(), error.code.name().into());
    if let Some(expected) = &error.expected {
        extensions.insert("expected".into(), expected.as_ref().into());
    }
    if let Some(seconds) = error.again_after() {
        extensions.insert("retryAfter".into(), seconds.into());
    }
    if !error.input.is_empty() {
        extensions.insert("input".into(), steps(&error.input));
    }
    shown.insert("extensions".into(), extensions.into());
    shown.into()
}

fn steps(path: &[Step]) -> Value {
    path.iter()
        .map(|step| match step {
            Step::Key(key) => Value::from(key.as_str()),
            Step::Index(index) => Value::from(*index),
        })
        .collect()
}
