//! What the server answered.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, with what tests ask of it. A wrong guess panics with the whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// HTTP headers.
    pub headers: HeaderMap,
    /// The body, read as JSON.
    pub body: Value,
}

impl Answer {
    /// The value at a JSON pointer below `data`; an answer with errors, or without that place, panics.
    #[track_caller]
    pub fn data(&self, pointer: &str) -> &Value {
        assert!(self.body.get("errors").is_none(), "unexpected errors: {self}");
        self.partial(pointer)
    }

    /// The same in an answer that may have errors beside its data.
    #[track_caller]
    pub fn partial(&self, pointer: &str) -> &Value {
        let found = self.body.get("data").and_then(|data| data.pointer(pointer));
        found.unwrap_or_else(|| panic!("nothing at {pointer}: {self}"))
    }

    /// The list at a pointer below `data`.
    #[track_caller]
    pub fn list(&self, pointer: &str) -> &[Value] {
        let found = self.data(pointer);
        found.as_array().unwrap_or_else(|| panic!("no list at {pointer}: {self}"))
    }

    /// One key of each object of the list at a pointer, as texts (numbers and booleans as written).
    #[track_caller]
    pub fn column(&self, pointer: &str, key: &str) -> Vec<String> {
        self.list(pointer)
            .iter()
            .map(|item| text(item.pointer(&format!("/{key}")).unwrap_or(&Value::Null)))
            .collect()
    }

    /// The number at a pointer below `data`.
    #[track_caller]
    pub fn number(&self, pointer: &str) -> i64 {
        let found = self.data(pointer);
        found.as_i64().unwrap_or_else(|| panic!("no number at {pointer}: {self}"))
    }

    /// The number at a pointer below `data`, as a length.
    #[track_caller]
    pub fn count(&self, pointer: &str) -> usize {
        usize::try_from(self.number(pointer)).unwrap_or_else(|_| panic!("no count at {pointer}: {self}"))
    }

    /// The errors; none is an empty list.
    pub fn errors(&self) -> &[Value] {
        self.body.get("errors").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The code of the only error; an answer without one, or with several, panics.
    #[track_caller]
    pub fn code(&self) -> &str {
        let [error] = self.errors() else { panic!("expected one error: {self}") };
        error.pointer("/extensions/code").and_then(Value::as_str).unwrap_or_else(|| panic!("no code: {self}"))
    }

    /// A header as text; absent is empty.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:#}", self.status, self.body)
    }
}

/// A scalar as a text.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
