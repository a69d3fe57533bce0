//! Answers in one spelling, the order of keys kept, so that equal answers have equal texts.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A response, its parts as they were written.
#[derive(Debug, serde::Deserialize)]
pub struct Response {
    /// Data; `null` is some.
    #[serde(default, deserialize_with = "present")]
    pub data: Option<Box<RawValue>>,
    /// Errors.
    #[serde(default)]
    pub errors: Option<Box<RawValue>>,
}

impl Response {
    /// The data in one spelling; `None` without any.
    pub fn data(&self) -> Option<String> {
        let data = self.data.as_ref()?;
        let Spelt(text) = serde_json::from_str(data.get()).expect("the data is JSON");
        Some(text)
    }

    /// Refused before anything was executed: errors, and no data at all.
    pub fn is_refused(&self) -> bool {
        self.data.is_none() && self.errors.is_some()
    }

    /// Refused because a limit of the API was met.
    pub fn exceeds_a_limit(&self) -> bool {
        self.is_refused()
            && self.errors.as_ref().is_some_and(|errors| errors.get().contains("\"LIMIT_EXCEEDED\""))
    }

    /// Errors and data, for a message.
    pub fn shown(&self) -> String {
        let errors =
            self.errors.as_ref().map_or_else(String::new, |errors| format!("errors {} and ", errors.get()));
        format!("{errors}data {}", self.data().unwrap_or_else(|| "absent".to_owned()))
    }
}

fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(from).map(Some)
}

/// JSON without space, texts and numbers written in one way, keys in their order and as often as they stand there.
struct Spelt(String);

impl<'de> Deserialize<'de> for Spelt {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Speller)
    }
}

struct Speller;

impl<'de> Visitor<'de> for Speller {
    type Value = Spelt;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Spelt, E> {
        Ok(Spelt("null".to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Spelt, E> {
        Ok(Spelt(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Spelt, E> {
        Ok(Spelt(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Spelt, E> {
        Ok(Spelt(value.to_string()))
    }

    // without a point when it is whole, as JavaScript does
    fn visit_f64<E>(self, value: f64) -> Result<Spelt, E> {
        Ok(Spelt(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Spelt, E> {
        Ok(Spelt(serde_json::Value::from(value).to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Spelt, A::Error> {
        let mut texts = Vec::new();
        while let Some(Spelt(text)) = items.next_element()? {
            texts.push(text);
        }
        Ok(Spelt(format!("[{}]", texts.join(","))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Spelt, A::Error> {
        let mut texts = Vec::new();
        while let Some((Spelt(key), Spelt(value))) = entries.next_entry()? {
            texts.push(format!("{key}:{value}"));
        }
        Ok(Spelt(format!("{{{}}}", texts.join(","))))
    }
}
