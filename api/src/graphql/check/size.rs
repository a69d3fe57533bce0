//! How many selections a document comes to once its fragments are spread: a short document can name a fragment in
//! a fragment in a fragment, twice each time.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// Deeper fragments are refused by the library; here the stack is what matters.
const DEPTH: usize = 64;

/// The number of selections over all operations, as large as can be where fragments are too deep to tell.
pub fn spread(document: &ExecutableDocument) -> usize {
    let mut counter = Counter { document, known: HashMap::new() };
    let sets = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    sets.fold(0, |total: usize, set| total.saturating_add(counter.set(set, 0)))
}

struct Counter<'d> {
    document: &'d ExecutableDocument,
    /// Selections of each fragment; none while it is being counted, so that a cycle ends.
    known: HashMap<&'d Name, usize>,
}

impl<'d> Counter<'d> {
    fn set(&mut self, set: &'d SelectionSet, depth: usize) -> usize {
        if depth > DEPTH {
            return usize::MAX;
        }
        let items = set.items.iter();
        items.fold(0, |total: usize, item| {
            let below = match &item.node {
                Selection::Field(field) => self.set(&field.node.selection_set.node, depth + 1),
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node, depth + 1),
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, depth + 1)
                }
            };
            total.saturating_add(below).saturating_add(1)
        })
    }

    fn fragment(&mut self, name: &'d Name, depth: usize) -> usize {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let Some(fragment) = self.document.fragments.get(name) else { return 0 };
        self.known.insert(name, 0);
        let count = self.set(&fragment.node.selection_set.node, depth);
        self.known.insert(name, count);
        count
    }
}
