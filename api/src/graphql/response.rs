//! The GraphQL response as JSON.

use serde_json::{Map, Value, json};

use crate::error::{ApiError, Code, Step};
use crate::limits;

/// A response without data: the request was refused.
pub fn refused(errors: &[ApiError]) -> Vec<u8> {
    let mut out = b"{\"errors\":".to_vec();
    out.extend_from_slice(
        Value::from(errors.iter().map(error).collect::<Vec<Value>>()).to_string().as_bytes(),
    );
    out.push(b'}');
    out
}

/// A response with the JSON of the data, and the errors met on the way.
pub fn executed(data: &[u8], errors: &[ApiError]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + 16);
    out.push(b'{');
    if !errors.is_empty() {
        let errors = Value::from(errors.iter().map(error).collect::<Vec<Value>>());
        out.extend_from_slice(b"\"errors\":");
        out.extend_from_slice(errors.to_string().as_bytes());
        out.push(b',');
    }
    out.extend_from_slice(b"\"data\":");
    out.extend_from_slice(data);
    out.push(b'}');
    out
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
    if matches!(error.code, Code::Unavailable | Code::OutcomeUnknown) {
        extensions.insert("retryAfter".into(), limits::RETRY_AFTER_SECONDS.into());
    }
    if let Some(expected) = &error.expected {
        extensions.insert("expected".into(), expected.as_ref().into());
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
