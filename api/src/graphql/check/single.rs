//! A subscription follows one field: the specification takes no second one beside it, none of introspection, and none
//! that a directive leaves out.

use async_graphql::parser::types::{Directive, ExecutableDocument, OperationType, Selection, SelectionSet};
use async_graphql::{Pos, Positioned};

use super::invalid;
use crate::error::ApiError;

/// What is wrong with the subscriptions of a document.
pub fn check(document: &ExecutableDocument) -> Vec<ApiError> {
    let mut wrong = Vec::new();
    for (_, operation) in document.operations.iter() {
        if operation.node.ty == OperationType::Subscription {
            let mut keys = Vec::new();
            fields(document, &operation.node.selection_set.node, &mut keys, &mut wrong);
            keys.dedup();
            if keys.len() > 1 {
                wrong.push(invalid("a subscription selects one field at its root").at(operation.pos));
            }
        }
    }
    wrong
}

/// Gathers the response keys of a root selection, fragments written out; they are known not to lead back.
fn fields<'d>(
    document: &'d ExecutableDocument,
    set: &'d SelectionSet,
    keys: &mut Vec<&'d str>,
    wrong: &mut Vec<ApiError>,
) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => {
                if field.node.name.node.starts_with("__") {
                    let text = "a subscription selects no field of introspection at its root";
                    wrong.push(invalid(text).at(field.pos));
                }
                keys.push(&field.node.response_key().node);
                undirected(&field.node.directives, item.pos, wrong);
            }
            Selection::InlineFragment(inline) => {
                undirected(&inline.node.directives, item.pos, wrong);
                fields(document, &inline.node.selection_set.node, keys, wrong);
            }
            Selection::FragmentSpread(spread) => {
                undirected(&spread.node.directives, item.pos, wrong);
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    fields(document, &fragment.node.selection_set.node, keys, wrong);
                }
            }
        }
    }
}

fn undirected(directives: &[Positioned<Directive>], at: Pos, wrong: &mut Vec<ApiError>) {
    let leaves_out =
        |directive: &Positioned<Directive>| matches!(directive.node.name.node.as_str(), "skip" | "include");
    if directives.iter().any(leaves_out) {
        wrong.push(invalid("a subscription takes neither @skip nor @include at its root").at(at));
    }
}
