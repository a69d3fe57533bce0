//! Pages: arguments of a connection, its order, and keyset cursors that hold the place of a row in that order.

use std::hash::{Hash, Hasher};

use async_graphql::Value;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

use super::coerce::Arguments;
use super::declare::{Field, FieldKind, Noun, Source, ValueField};
use super::inputs::order_name;
use super::keyset::{bound, keyset};
use super::level::{Level, Term};
use super::plan::internal;
use super::shape::Cursor;
use super::value::guarded;
use crate::db::{KeyType, Kind, Sql};
use crate::error::{ApiError, Code};
use crate::limits;
use crate::policy::Viewer;

/// A page asked of a list, in its order.
#[derive(Debug)]
pub struct Page {
    limit: usize,
    backward: bool,
    after: Option<Vec<Json>>,
    before: Option<Vec<Json>>,
    order: Vec<(String, bool)>,
    tag: u32,
}

impl Page {
    /// The page that the arguments of a connection ask for.
    pub fn parse(noun: &Noun, arguments: &Arguments) -> Result<Self, ApiError> {
        let (first, last) = (count(arguments, "first")?, count(arguments, "last")?);
        if first.is_some() && last.is_some() {
            return Err(
                ApiError::new(Code::BadUserInput, "first and last exclude each other").in_field("last")
            );
        }
        let order = order(noun, arguments)?;
        let tag = tag(noun, &order);
        Ok(Self {
            limit: last.or(first).unwrap_or(limits::PAGE_DEFAULT),
            backward: last.is_some(),
            after: cursor(arguments, "after", tag, order.len() + 1)?,
            before: cursor(arguments, "before", tag, order.len() + 1)?,
            order,
            tag,
        })
    }

    /// The whole of a list in its default order.
    pub fn default_order(noun: &Noun) -> Result<Self, ApiError> {
        Self::parse(noun, &Arguments::new())
    }

    /// Puts order, limit and cursors on a level.
    pub fn apply(&self, level: &mut Level<'_>, viewer: &Viewer, noun: &Noun) -> Result<(), ApiError> {
        level.order = self.terms(level, viewer, noun)?;
        level.limit = Some(self.limit);
        level.backward = self.backward;
        level.has_before = if self.backward { self.before.is_some() } else { self.after.is_some() };
        let terms = level.order.clone();
        let mut parts = Vec::new();
        for (values, name, forward) in [(&self.after, "after", true), (&self.before, "before", false)] {
            if let Some(values) = values {
                let values = bound(&terms, values).ok_or_else(|| bad_cursor().in_field(name))?;
                parts.push(level.sql.piece(|sql| keyset(sql, &terms, &values, forward)));
            }
        }
        level.keyset = (!parts.is_empty()).then(|| parts.join(" AND "));
        Ok(())
    }

    fn terms(&self, level: &mut Level<'_>, viewer: &Viewer, noun: &Noun) -> Result<Vec<Term>, ApiError> {
        let mut terms = Vec::new();
        for (name, descending) in &self.order {
            let (field, value) =
                sortable(noun, name).ok_or_else(|| internal("an order by a field that has none"))?;
            let column = value.sort.ok_or_else(|| internal("an order by a field that has none"))?;
            let write = |sql: &mut Sql| {
                sql.push("t.").push(column);
            };
            // an order by what the caller may not read is an order by nothing
            let Some(expression) = guarded(&mut level.sql, viewer, noun.resource, field.group, "t", write)
            else {
                continue;
            };
            let own = matches!(value.source, Source::Column(source) if source == column);
            let kind = match (own, value.interval) {
                (true, _) => value.kind,
                (false, Some(_)) => Kind::Date,
                (false, None) => Kind::Text,
            };
            let nullable = value.nullable || field.group.is_some();
            terms.push(Term { expression, kind, descending: *descending, nullable });
        }
        let kind = if noun.key_type == KeyType::Uuid { Kind::Uuid } else { Kind::Text };
        let descending = self.order.last().is_some_and(|(_, descending)| *descending);
        terms.push(Term { expression: format!("t.{}", noun.key), kind, descending, nullable: false });
        Ok(terms)
    }

    /// The columns of a cursor, added to the level.
    pub fn cursor(&self, level: &mut Level<'_>) -> Cursor {
        let terms = level.order.clone();
        let columns =
            terms.into_iter().map(|term| (level.column(term.expression, term.kind), term.kind)).collect();
        Cursor { tag: self.tag, columns }
    }
}

fn count(arguments: &Arguments, name: &str) -> Result<Option<usize>, ApiError> {
    let Some(Value::Number(number)) = arguments.get(name) else { return Ok(None) };
    let within = number
        .as_u64()
        .and_then(|count| usize::try_from(count).ok())
        .filter(|count| *count <= limits::PAGE_MAX);
    within.map(Some).ok_or_else(|| {
        ApiError::new(Code::BadUserInput, format!("{name} is {number}"))
            .expected(format!("a number from 0 to {}", limits::PAGE_MAX))
            .in_field(name)
    })
}

fn order(noun: &Noun, arguments: &Arguments) -> Result<Vec<(String, bool)>, ApiError> {
    let given = match arguments.get("orderBy") {
        Some(Value::List(terms)) if !terms.is_empty() => terms,
        _ => {
            return Ok(noun
                .order
                .iter()
                .map(|(name, descending)| ((*name).to_owned(), *descending))
                .collect());
        }
    };
    if given.len() > limits::ORDER_KEYS {
        let message = format!("{} terms, at most {} are taken", given.len(), limits::ORDER_KEYS);
        return Err(ApiError::new(Code::LimitExceeded, message).in_field("orderBy"));
    }
    let mut order: Vec<(String, bool)> = Vec::new();
    for term in given {
        let Value::Object(term) = term else { continue };
        let (Some(Value::Enum(field)), Some(Value::Enum(direction))) =
            (term.get("field"), term.get("direction"))
        else {
            continue;
        };
        let field = noun.fields.iter().find(|known| order_name(known.name) == field.as_str());
        let field = field.ok_or_else(|| internal("an order by an undeclared field"))?;
        if !order.iter().any(|(name, _)| name == field.name) {
            order.push((field.name.to_owned(), direction == "DESC"));
        }
    }
    Ok(order)
}

fn sortable<'n>(noun: &'n Noun, name: &str) -> Option<(&'n Field, &'n ValueField)> {
    let field = noun.field(name)?;
    match &field.kind {
        FieldKind::Value(value) => Some((field, value)),
        _ => None,
    }
}

/// Names a list and its order, so that a cursor of another is refused.
fn tag(noun: &Noun, order: &[(String, bool)]) -> u32 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    noun.name.hash(&mut hasher);
    order.hash(&mut hasher);
    let hash = hasher.finish();
    u32::try_from(hash >> 32).unwrap_or(0)
}

/// FNV-1a: a hash that is the same in every build, since cursors outlive a process.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

fn cursor(arguments: &Arguments, name: &str, tag: u32, length: usize) -> Result<Option<Vec<Json>>, ApiError> {
    let Some(Value::String(text)) = arguments.get(name) else { return Ok(None) };
    if text.len() > limits::OPAQUE_BYTES {
        return Err(bad_cursor().in_field(name));
    }
    let decoded =
        URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| serde_json::from_slice::<Vec<Json>>(&bytes).ok());
    match decoded {
        Some(mut values)
            if values.len() > 1 && values.len() <= length + 1 && values[0].as_u64() == Some(tag.into()) =>
        {
            values.remove(0);
            Ok(Some(values))
        }
        _ => Err(bad_cursor().in_field(name)),
    }
}

fn bad_cursor() -> ApiError {
    ApiError::new(Code::InvalidCursor, "this is no cursor of this list in this order")
        .expected("a cursor that this list gave under the same orderBy")
}
