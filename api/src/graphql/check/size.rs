//! What a document may be, counted in linear time before the library validates it: its validation walks fragments
//! again and again, and a document of a few hundred bytes could keep it busy for minutes.

use std::collections::HashMap;

use async_graphql::parser::types::{Directive, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Positioned};

use crate::error::{ApiError, Code};
use crate::limits;

/// Fields and directives below a selection with every fragment written out, and how deep it goes.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    fields: usize,
    depth: usize,
    directives: usize,
}

impl Size {
    fn beside(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            depth: self.depth.max(other.depth),
            directives: self.directives.saturating_add(other.directives),
        }
    }
}

/// A fragment: being counted, or counted.
enum Known {
    Open,
    Done(Size),
}

struct Counter<'d> {
    document: &'d ExecutableDocument,
    fragments: HashMap<&'d str, Known>,
    /// Selections within selections at this moment, in fields and fragments alike: what takes room on the stack.
    level: usize,
}

/// Deepest nesting that is counted, fragments included: fields have a limit of their own below it, and fragments may
/// stand in fragments around each.
const LEVELS: usize = 4 * limits::DEPTH;

/// Refuses a document that is larger than the limits, or whose fragments lead back to themselves.
pub fn bound(document: &ExecutableDocument) -> Result<(), ApiError> {
    // first: it bounds how deep the count itself goes
    within("fragments", document.fragments.len(), limits::FRAGMENTS)?;
    let mut counter = Counter { document, fragments: HashMap::new(), level: 0 };
    let mut whole = Size::default();
    for (_, operation) in document.operations.iter() {
        let size = counter.set(&operation.node.selection_set.node)?;
        whole = whole.beside(size);
    }
    // fragments that nothing spreads are validated all the same
    for name in document.fragments.keys() {
        whole.depth = whole.depth.max(counter.fragment(name)?.depth);
    }
    within("fields, fragments written out", whole.fields, limits::FIELDS)?;
    within("levels of nesting", whole.depth, limits::DEPTH)?;
    within("directives", whole.directives, limits::DIRECTIVES)
}

fn within(what: &str, count: usize, limit: usize) -> Result<(), ApiError> {
    if count <= limit {
        return Ok(());
    }
    Err(ApiError::new(Code::LimitExceeded, format!("the document has too many {what}"))
        .expected(format!("{limit} at most")))
}

impl<'d> Counter<'d> {
    fn set(&mut self, set: &'d SelectionSet) -> Result<Size, ApiError> {
        self.level += 1;
        within("levels of nesting", self.level, LEVELS)?;
        let size = self.items(set)?;
        self.level -= 1;
        Ok(size)
    }

    fn items(&mut self, set: &'d SelectionSet) -> Result<Size, ApiError> {
        let mut total = Size::default();
        for item in &set.items {
            let size = match &item.node {
                Selection::Field(field) => {
                    let below = self.set(&field.node.selection_set.node)?;
                    let fields = below.fields.saturating_add(1);
                    directed(Size { fields, depth: below.depth + 1, ..below }, &field.node.directives)
                }
                Selection::InlineFragment(inline) => {
                    directed(self.set(&inline.node.selection_set.node)?, &inline.node.directives)
                }
                Selection::FragmentSpread(spread) => {
                    directed(self.fragment(&spread.node.fragment_name.node)?, &spread.node.directives)
                }
            };
            total = total.beside(size);
        }
        Ok(total)
    }

    /// Each fragment is counted once; one that is met while it is counted leads back to itself.
    fn fragment(&mut self, name: &Name) -> Result<Size, ApiError> {
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Ok(Size::default());
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

fn directed(size: Size, directives: &[Positioned<Directive>]) -> Size {
    Size { directives: size.directives.saturating_add(directives.len()), ..size }
}
