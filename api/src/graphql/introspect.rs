//! Introspection. The library describes the schema, once; answers are written from what it said, as fast as they grow, and
//! within their bounds.

use std::collections::HashMap;

use async_graphql::{Request, Value, Variables};
use async_graphql_value::Value as Written;
use serde_json::Value as Json;

use super::{Engine, atomic};
use crate::budget::Account;
use crate::error::{ApiError, Code};
use crate::limits;
use crate::read::plan::internal;
use crate::read::select::{Document, Selected};
use crate::read::shape::{Out, json_key, json_string};
use crate::read::write::too_long;

/// All that there is to ask. Types within are named, and looked up by their names.
const ALL: &str = "{ __schema { description queryType { name } mutationType { name } subscriptionType { name }
    types { kind name description specifiedByURL isOneOf interfaces { name } possibleTypes { name }
        fields(includeDeprecated: true) {
            name description isDeprecated deprecationReason type { ...Named }
            args(includeDeprecated: true) { ...Input } }
        inputFields(includeDeprecated: true) { ...Input }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...Input } } } }
fragment Input on __InputValue {
    name description defaultValue isDeprecated deprecationReason type { ...Named } }
fragment Named on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";

/// The schema as it is described.
#[derive(Debug)]
pub(super) struct Described {
    schema: Json,
    /// Where each type stands among all.
    types: HashMap<String, usize>,
}

/// A field that is asked of each object of a kind.
struct Asked<'d> {
    key: Vec<u8>,
    name: &'d str,
    /// Also what is deprecated.
    all: bool,
    /// The kind of what it leads to.
    on: &'static str,
    below: Vec<Self>,
}

impl Engine {
    /// Writes the introspection fields of an operation, no more than so many bytes in all.
    pub(super) async fn introspect(
        &self,
        document: Document<'_>,
        roots: &[Selected<'_>],
        outs: &mut [(Vec<u8>, Option<Out>)],
        most: usize,
    ) -> Result<(), ApiError> {
        let mut left = most;
        for (root, (_, out)) in roots.iter().zip(outs) {
            if is_introspection(root) {
                let described = self.described.get_or_try_init(|| self.describe()).await?;
                let text = described.answer(document, root, left).map_err(|error| {
                    // of all of them together
                    if error.code == Code::LimitExceeded { too_long(most) } else { error }
                })?;
                left = left.saturating_sub(text.len());
                *out = Some(Out::Text(text));
            }
        }
        Ok(())
    }

    /// Has the library describe the schema.
    async fn describe(&self) -> Result<Described, ApiError> {
        let response = self.introspection.execute(Request::new(ALL)).await;
        let mut data = response.data.into_json().unwrap_or_default();
        let mut schema = data["__schema"].take();
        let Some(directives) = schema["directives"].as_array_mut().filter(|_| response.errors.is_empty())
        else {
            return Err(internal("the schema is not described"));
        };
        directives.push(atomic::described());
        let types = schema["types"].as_array().into_iter().flatten().enumerate();
        let types = types.filter_map(|(index, ty)| Some((ty["name"].as_str()?.to_owned(), index))).collect();
        Ok(Described { schema, types })
    }
}

impl Described {
    /// What is answered to `__schema` or `__type`.
    fn answer(&self, document: Document<'_>, root: &Selected<'_>, most: usize) -> Result<Vec<u8>, ApiError> {
        let asked = asked(document, root);
        let mut out = Vec::new();
        let found = match root.name {
            "__type" => self.named(&text(root, "name", document.variables)),
            _ => Some(&self.schema),
        };
        match found {
            Some(found) => self.object(&asked, found, &mut out, most)?,
            None => out.extend_from_slice(b"null"),
        }
        Ok(out)
    }

    fn named(&self, name: &str) -> Option<&Json> {
        self.types.get(name).and_then(|index| self.schema["types"].get(*index))
    }

    fn object(&self, of: &Asked<'_>, found: &Json, out: &mut Vec<u8>, most: usize) -> Result<(), ApiError> {
        if out.len() > most {
            return Err(too_long(most));
        }
        // a type that is only named; one around another has no name
        let named =
            if of.on == "__Type" { found["name"].as_str().and_then(|name| self.named(name)) } else { None };
        let found = named.unwrap_or(found);
        out.push(b'{');
        for (index, asked) in of.below.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&asked.key);
            match (asked.name, &found[asked.name]) {
                ("__typename", _) => out.extend_from_slice(&json_string(of.on)),
                (_, Json::Array(items)) if !asked.below.is_empty() => self.list(asked, items, out, most)?,
                (_, inner @ Json::Object(_)) => self.object(asked, inner, out, most)?,
                (_, value) => serde_json::to_writer(&mut *out, value)
                    .map_err(|_| internal("introspection is no JSON"))?,
            }
        }
        out.push(b'}');
        Ok(())
    }

    fn list(
        &self,
        asked: &Asked<'_>,
        items: &[Json],
        out: &mut Vec<u8>,
        most: usize,
    ) -> Result<(), ApiError> {
        let shown = items.iter().filter(|item| asked.all || item["isDeprecated"] != Json::Bool(true));
        out.push(b'[');
        for (index, item) in shown.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            self.object(asked, item, out, most)?;
        }
        out.push(b']');
        Ok(())
    }
}

/// What a field of introspection is asked for, all the way down.
fn asked<'d>(document: Document<'d>, field: &Selected<'d>) -> Asked<'d> {
    let on = match field.name {
        "__schema" => "__Schema",
        "fields" => "__Field",
        "args" | "inputFields" => "__InputValue",
        "enumValues" => "__EnumValue",
        "directives" => "__Directive",
        _ => "__Type",
    };
    let below = document.fields(&field.sets, &|name| name == on);
    Asked {
        key: json_key(field.key),
        name: field.name,
        all: argument(field, "includeDeprecated", document.variables) == Some(Value::Boolean(true)),
        on,
        below: below.iter().map(|field| asked(document, field)).collect(),
    }
}

fn text(field: &Selected<'_>, name: &str, variables: &Variables) -> String {
    match argument(field, name, variables) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

/// An argument of a field of introspection, which the library found right.
fn argument(field: &Selected<'_>, name: &str, variables: &Variables) -> Option<Value> {
    let (_, written) = field.arguments.iter().find(|(known, _)| known.node == name)?;
    match &written.node {
        Written::Variable(name) => variables.get(name).cloned(),
        written => written.clone().into_const(),
    }
}

/// Takes the points of introspection, where the role may ask for the schema.
pub(super) fn may_introspect(account: &mut Account) -> Result<(), ApiError> {
    if account.allowance().introspection {
        return account.take(limits::INTROSPECTION_POINTS);
    }
    Err(ApiError::new(Code::Forbidden, "the schema may not be asked for by this role"))
}

pub(super) fn is_introspection(root: &Selected<'_>) -> bool {
    matches!(root.name, "__schema" | "__type")
}
