//! How deep introspection goes: lists of the schema within each other multiply the answer with each of them.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use crate::error::{ApiError, Code};
use crate::limits;

/// Lists that lead from one type to others, and on from these.
const LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// Refuses introspection that goes through more lists within each other than the limit, as graphql-js does. Fragments
/// are known not to lead back to themselves.
pub fn check(document: &ExecutableDocument) -> Result<(), ApiError> {
    let mut depths = Depths { document, fragments: HashMap::new() };
    for (_, operation) in document.operations.iter() {
        depths.find(&operation.node.selection_set.node)?;
    }
    document.fragments.values().try_for_each(|fragment| depths.find(&fragment.node.selection_set.node))
}

struct Depths<'d> {
    document: &'d ExecutableDocument,
    fragments: HashMap<&'d str, usize>,
}

impl<'d> Depths<'d> {
    /// Looks at the fields of introspection in a selection.
    fn find(&mut self, set: &'d SelectionSet) -> Result<(), ApiError> {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) if matches!(field.node.name.node.as_str(), "__schema" | "__type") => {
                    let lists = self.lists(&field.node.selection_set.node);
                    if lists > limits::INTROSPECTION_LISTS {
                        let message = format!("introspection goes through {lists} lists within each other");
                        let expected =
                            format!("{} of {} at most", limits::INTROSPECTION_LISTS, LISTS.join(", "));
                        let error = ApiError::new(Code::LimitExceeded, message).expected(expected);
                        return Err(error.at(field.pos));
                    }
                }
                Selection::Field(field) => self.find(&field.node.selection_set.node)?,
                Selection::InlineFragment(inline) => self.find(&inline.node.selection_set.node)?,
                // each fragment is looked at once, by itself
                Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }

    /// Lists within each other on the way that has most of them.
    fn lists(&mut self, set: &'d SelectionSet) -> usize {
        let mut most = 0;
        for item in &set.items {
            let lists = match &item.node {
                Selection::Field(field) => {
                    let is_list = LISTS.contains(&field.node.name.node.as_str());
                    usize::from(is_list) + self.lists(&field.node.selection_set.node)
                }
                Selection::InlineFragment(inline) => self.lists(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
            };
            most = most.max(lists);
        }
        most
    }

    fn fragment(&mut self, name: &str) -> usize {
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else { return 0 };
        if let Some(known) = self.fragments.get(name.as_str()) {
            return *known;
        }
        let lists = self.lists(&fragment.node.selection_set.node);
        self.fragments.insert(name, lists);
        lists
    }
}
