//! Sources of settings laid over each other, each value with the place it came from.

use std::{collections::BTreeMap, path::Path};

use serde::de::DeserializeOwned;
use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};

use super::error::{ConfigError, Place};

/// The settings read so far: the merged tree, and for each key the place of the source that won.
pub(super) struct Layers {
    tree: Table,
    places: BTreeMap<String, Place>,
}

impl Layers {
    pub(super) fn new() -> Self {
        Self { tree: Table::new(), places: BTreeMap::new() }
    }

    /// Lays the tables of a TOML text over what is there. `place` makes a place of a line number.
    pub(super) fn add_text(&mut self, text: &str, place: impl Fn(usize) -> Place) -> Result<(), ConfigError> {
        let line_of = |offset: usize| 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
        // Only the bare message is kept: the library's full text quotes the line, which may hold a password.
        let syntax = |error: toml::de::Error| {
            let line = line_of(error.span().map_or(0, |span| span.start));
            ConfigError::at(place(line), format!("not valid TOML: {}", error.message()))
        };
        let document = DeTable::parse(text).map_err(syntax)?;
        let values: Table = toml::from_str(text).map_err(syntax)?;
        note_places(document.get_ref(), "", &|offset| place(line_of(offset)), &mut self.places);
        merge(&mut self.tree, values);
        Ok(())
    }

    /// Lays one `section.key` over what is there; `raw` is read by the type that the default has.
    pub(super) fn add_value(&mut self, section: &str, key: &str, raw: &str, place: Place) {
        let path = format!("{section}.{key}");
        let current = self.tree.get(section).and_then(|table| table.get(key));
        let value = read_literal(current, raw);
        let inner = Table::from_iter([(key.to_owned(), value)]);
        merge(&mut self.tree, Table::from_iter([(section.to_owned(), Value::Table(inner))]));
        self.places.retain(|known, _| !is_below(known, &path));
        self.places.entry(section.to_owned()).or_insert_with(|| place.clone());
        self.places.insert(path, place);
    }

    /// Reads the merged tree into its type. Unknown keys and wrong types are errors at their place.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        serde_path_to_error::deserialize(Value::Table(self.tree.clone())).map_err(|error| {
            let key = error.path().to_string();
            let problem = readable(&key, error.inner().message());
            self.error(&key, problem)
        })
    }

    /// An error about `key`, at the place where it, or the nearest table around it, was written.
    pub(super) fn error(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        let mut around = std::iter::successors(Some(key), |key| key.rfind(['.', '[']).map(|end| &key[..end]));
        let place = around.find_map(|key| self.places.get(key)).cloned().unwrap_or(Place::Defaults);
        ConfigError { key: Some(key.to_owned()), place, problem: problem.into() }
    }
}

/// Reads a file of settings; `None` when it does not exist.
pub(super) fn read_file(path: &Path) -> Result<Option<String>, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let place = Place::File { path: path.to_owned(), line: None };
            Err(ConfigError::at(place, format!("cannot be read ({error}); expected a UTF-8 TOML file")))
        }
    }
}

/// Tables merge key by key; anything else is replaced.
fn merge(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

fn note_places(
    table: &DeTable<'_>,
    prefix: &str,
    place: &dyn Fn(usize) -> Place,
    into: &mut BTreeMap<String, Place>,
) {
    for (key, value) in table {
        let name = key.get_ref();
        let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
        into.insert(path.clone(), place(key.span().start));
        note_value(value, &path, place, into);
    }
}

fn note_value(
    value: &Spanned<DeValue<'_>>,
    path: &str,
    place: &dyn Fn(usize) -> Place,
    into: &mut BTreeMap<String, Place>,
) {
    match value.get_ref() {
        DeValue::Table(table) => note_places(table, path, place, into),
        DeValue::Array(items) => {
            into.retain(|known, _| known == path || !is_below(known, path));
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                into.insert(path.clone(), place(item.span().start));
                note_value(item, &path, place, into);
            }
        }
        _ => {}
    }
}

/// Whether `known` is `path` or an item inside it.
fn is_below(known: &str, path: &str) -> bool {
    known.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Reads the text of a variable or flag: as it stands where the default is a text, split at commas where it
/// is a list, else as a TOML literal. What cannot be read stays a text, and the type check names it.
fn read_literal(default: Option<&Value>, raw: &str) -> Value {
    let as_toml = || {
        let line = format!("value = {raw}");
        toml::from_str::<Table>(&line).ok().and_then(|mut table| table.remove("value"))
    };
    let text = || Value::String(raw.to_owned());
    match default {
        Some(Value::String(_)) => text(),
        Some(Value::Array(_)) if !raw.trim_start().starts_with('[') => {
            let items = raw.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
        _ => as_toml().unwrap_or_else(text),
    }
}

/// serde's message in a form for people. What was found is left out below `database`, where it may hold a
/// password.
fn readable(key: &str, message: &str) -> String {
    let is_secret = key.starts_with("database");
    let Some((found, expected)) = message.trim().split_once(", expected ") else {
        return message.trim().to_owned();
    };
    let expected = match expected {
        "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "a sequence" => "a list",
        "a string" => "a text",
        other if other.starts_with("struct ") => "a table",
        other => other.trim_start_matches("one of "),
    };
    match found {
        _ if found.starts_with("unknown field") => format!("unknown key, expected one of {expected}"),
        _ if found.starts_with("unknown variant") => format!("{found}, expected one of {expected}"),
        _ if is_secret => format!("expected {expected}"),
        _ => format!("{found}, expected {expected}"),
    }
}
