//! What a document may be, counted in linear time before the library validates it: its validation walks fragments
//! again and again, and a document of a few hundred bytes could keep it busy for minutes.

use std::collections::HashMap;

use async_graphql::parser::types::{Directive, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value, Variables};

use super::lex;
use crate::error::{ApiError, Code};
use crate::limits::{self, DocumentLimits};

/// What is below a selection with every fragment written out, and how deep it goes.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    fields: usize,
    aliases: usize,
    depth: usize,
    directives: usize,
    /// Fragments, inline ones too, each where it is spread: the library walks through one that holds no field as well.
    spreads: usize,
}

impl Count {
    fn beside(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
            depth: self.depth.max(other.depth),
            directives: self.directives.saturating_add(other.directives),
            spreads: self.spreads.saturating_add(other.spreads),
        }
    }
}

/// The size of a document.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    bytes: usize,
    tokens: usize,
    operations: usize,
    fragments: usize,
    count: Count,
}

impl Size {
    /// The size of a text before it is parsed, unless it is too large for that.
    pub fn of_text(text: &str, limits: &DocumentLimits) -> Result<Self, ApiError> {
        within("bytes", text.len(), limits.bytes)?;
        let lexed = lex::count(text);
        within("brackets within brackets", lexed.nesting, limits::NESTING)?;
        within("characters in a name", lexed.name, limits::NAME_BYTES)?;
        let size = Self {
            bytes: text.len(),
            tokens: lexed.tokens,
            operations: 0,
            fragments: 0,
            count: Count::default(),
        };
        size.check(limits)?;
        Ok(size)
    }

    /// With the size of the document that the text holds, unless it is larger than the limits or its fragments lead
    /// back to themselves.
    pub fn with(self, document: &ExecutableDocument, limits: &DocumentLimits) -> Result<Self, ApiError> {
        let operations = document.operations.iter().count();
        let size = Self { operations, fragments: document.fragments.len(), ..self };
        // first: it bounds how deep the count itself goes
        size.check(limits)?;
        let size = Self { count: count(document)?, ..size };
        size.check(limits)?;
        Ok(size)
    }

    /// Memory that the document takes at most while it is kept, in bytes.
    pub const fn memory(&self) -> usize {
        // its text is the key, and is in it
        1_024 + 2 * self.bytes + limits::DOCUMENT_TOKEN_BYTES * self.tokens
    }

    /// Refuses what is larger than the limits.
    pub fn check(&self, limits: &DocumentLimits) -> Result<(), ApiError> {
        let count = &self.count;
        within("bytes", self.bytes, limits.bytes)?;
        within("tokens", self.tokens, limits.tokens)?;
        within("operations", self.operations, limits::OPERATIONS)?;
        within("fragments", self.fragments, limits.fragments)?;
        within("fields, fragments written out", count.fields, limits.fields)?;
        within("fragments, each where it is spread", count.spreads, limits.fields)?;
        within("aliases, fragments written out", count.aliases, limits.aliases)?;
        within("levels of nesting", count.depth, limits.depth)?;
        within("directives, fragments written out", count.directives, limits.directives)
    }
}

/// Refuses variables of more values than the limit.
pub fn check_variables(variables: &Variables, limits: &DocumentLimits) -> Result<(), ApiError> {
    let mut left = limits.variables;
    if variables.values().all(|value| fits(value, &mut left)) {
        return Ok(());
    }
    Err(ApiError::new(Code::LimitExceeded, "the variables hold too many values")
        .expected(format!("{} at most", limits.variables)))
}

/// Refuses an operation of more root fields than the limit, once directives have left some out.
pub fn check_roots(count: usize, limits: &DocumentLimits) -> Result<(), ApiError> {
    within("root fields", count, limits.root_fields)
}

/// Whether a value and all it holds are within what is left. The parser bounds how deep they nest.
fn fits(value: &Value, left: &mut usize) -> bool {
    let Some(less) = left.checked_sub(1) else { return false };
    *left = less;
    match value {
        Value::List(items) => items.iter().all(|item| fits(item, left)),
        Value::Object(fields) => fields.values().all(|item| fits(item, left)),
        _ => true,
    }
}

/// A fragment: being counted, or counted.
enum Known {
    Open,
    Done(Count),
}

struct Counter<'d> {
    document: &'d ExecutableDocument,
    fragments: HashMap<&'d str, Known>,
    /// Selections within selections at this moment, in fields and fragments alike: what takes room on the stack.
    level: usize,
}

fn count(document: &ExecutableDocument) -> Result<Count, ApiError> {
    let mut counter = Counter { document, fragments: HashMap::new(), level: 0 };
    let mut whole = Count::default();
    for (_, operation) in document.operations.iter() {
        let below = counter.set(&operation.node.selection_set.node)?;
        whole = whole.beside(directed(below, &operation.node.directives));
    }
    // fragments that nothing spreads are validated all the same
    for name in document.fragments.keys() {
        whole.depth = whole.depth.max(counter.fragment(name)?.depth);
    }
    Ok(whole)
}

fn within(what: &str, count: usize, limit: usize) -> Result<(), ApiError> {
    if count <= limit {
        return Ok(());
    }
    Err(ApiError::new(Code::LimitExceeded, format!("the document has too many {what}"))
        .expected(format!("{limit} at most")))
}

impl<'d> Counter<'d> {
    fn set(&mut self, set: &'d SelectionSet) -> Result<Count, ApiError> {
        self.level += 1;
        within("selections within selections", self.level, limits::NESTING)?;
        let size = self.items(set)?;
        self.level -= 1;
        Ok(size)
    }

    fn items(&mut self, set: &'d SelectionSet) -> Result<Count, ApiError> {
        let mut total = Count::default();
        for item in &set.items {
            let size = match &item.node {
                Selection::Field(field) => {
                    let below = self.set(&field.node.selection_set.node)?;
                    let fields = below.fields.saturating_add(1);
                    let aliases = below.aliases.saturating_add(field.node.alias.is_some().into());
                    let count = Count { fields, aliases, depth: below.depth + 1, ..below };
                    directed(count, &field.node.directives)
                }
                Selection::InlineFragment(inline) => {
                    let below = self.set(&inline.node.selection_set.node)?;
                    directed(spread_once(below), &inline.node.directives)
                }
                Selection::FragmentSpread(spread) => {
                    let below = self.fragment(&spread.node.fragment_name.node)?;
                    directed(spread_once(below), &spread.node.directives)
                }
            };
            total = total.beside(size);
        }
        Ok(total)
    }

    /// Each fragment is counted once; one that is met while it is counted leads back to itself.
    fn fragment(&mut self, name: &Name) -> Result<Count, ApiError> {
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Ok(Count::default());
        };
        match self.fragments.get(name.as_str()) {
            Some(Known::Done(size)) => return Ok(*size),
            Some(Known::Open) => {
                let message = format!("the fragment {name} leads back to itself");
                return Err(ApiError::new(Code::GraphqlValidationFailed, message).at(fragment.pos));
            }
            None => {}
        }
        self.fragments.insert(name, Known::Open);
        let size = self.set(&fragment.node.selection_set.node)?;
        self.fragments.insert(name, Known::Done(size));
        Ok(size)
    }
}

fn spread_once(count: Count) -> Count {
    Count { spreads: count.spreads.saturating_add(1), ..count }
}

fn directed(count: Count, directives: &[Positioned<Directive>]) -> Count {
    Count { directives: count.directives.saturating_add(directives.len()), ..count }
}
