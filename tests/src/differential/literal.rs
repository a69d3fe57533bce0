//! Input values, as a document writes them and as variables carry them.

use std::fmt::Write as _;

use serde_json::Value;

/// An input value.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`.
    Null,
    /// A boolean, a number, or a text.
    Plain(Value),
    /// A value of an enum.
    Enum(String),
    /// A list.
    List(Vec<Literal>),
    /// An input object.
    Object(Vec<(String, Literal)>),
}

impl Literal {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Plain(Value::String(text.into()))
    }

    /// The value in JSON; enums are texts there.
    pub fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Plain(value) => value.clone(),
            Self::Enum(name) => Value::String(name.clone()),
            Self::List(items) => items.iter().map(Self::json).collect(),
            Self::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value.json())).collect(),
        }
    }

    /// The value in GraphQL.
    pub fn graphql(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            // JSON's escapes are among GraphQL's
            Self::Plain(value) => value.to_string(),
            Self::Enum(name) => name.clone(),
            Self::List(items) => {
                format!("[{}]", items.iter().map(Self::graphql).collect::<Vec<_>>().join(", "))
            }
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| format!("{name}: {}", value.graphql()));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// A text as a block string, for those of one line that can stand in one.
pub fn block_string(text: &str) -> Option<String> {
    let fits = !text.is_empty()
        && text.trim() == text
        && !text.contains(char::is_control)
        // what stands before the end would be read with it
        && !text.ends_with(['"', '\\']);
    fits.then(|| format!("\"\"\"{}\"\"\"", text.replace("\"\"\"", "\\\"\"\"")))
}

/// A text with every character beyond ASCII as `\uXXXX`, surrogates in pairs.
pub fn escaped_string(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        match char::from_u32(unit.into()) {
            Some(letter) if letter.is_ascii_alphanumeric() || letter == ' ' => out.push(letter),
            _ => {
                let _ = write!(out, "\\u{unit:04x}"); // a text takes all that is written
            }
        }
    }
    out.push('"');
    out
}
