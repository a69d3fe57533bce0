//! `__typename`, which the library passes over whole, and two places of the grammar that it passes over too.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, InlineFragment, Selection, SelectionSet,
};
use async_graphql::{Pos, Positioned};

use super::invalid;
use crate::error::ApiError;

/// Puts each `__typename` that has directives into a fragment that has them instead, which means the same: the
/// library then looks at them and at their variables.
pub fn carry_directives(document: &mut ExecutableDocument) {
    match &mut document.operations {
        DocumentOperations::Single(operation) => carry(&mut operation.node.selection_set.node),
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                carry(&mut operation.node.selection_set.node);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        carry(&mut fragment.node.selection_set.node);
    }
}

fn carry(set: &mut SelectionSet) {
    for item in &mut set.items {
        let at = item.pos;
        match &mut item.node {
            Selection::Field(field) if is_typename(&field.node) && !field.node.directives.is_empty() => {
                let directives = std::mem::take(&mut field.node.directives);
                let bare = Positioned::new(Selection::Field(field.clone()), at);
                let selection_set = Positioned::new(SelectionSet { items: vec![bare] }, at);
                let fragment = InlineFragment { type_condition: None, directives, selection_set };
                item.node = Selection::InlineFragment(Positioned::new(fragment, at));
            }
            Selection::Field(field) => carry(&mut field.node.selection_set.node),
            Selection::InlineFragment(inline) => carry(&mut inline.node.selection_set.node),
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn is_typename(field: &Field) -> bool {
    field.name.node == "__typename"
}

/// `__typename` with arguments or selections, directives on variables, a fragment called `on`.
pub fn check(document: &ExecutableDocument) -> Vec<ApiError> {
    let mut wrong = Vec::new();
    for (_, operation) in document.operations.iter() {
        let directives =
            operation.node.variable_definitions.iter().flat_map(|variable| &variable.node.directives);
        wrong.extend(directives.map(|directive| {
            let name = &directive.node.name.node;
            invalid(format!("directive \"@{name}\" may not stand on a variable")).at(directive.pos)
        }));
        bare(&operation.node.selection_set.node, &mut wrong);
    }
    for (name, fragment) in &document.fragments {
        if name == "on" {
            wrong.push(invalid("a fragment may not be called \"on\"").at(fragment.pos));
        }
        bare(&fragment.node.selection_set.node, &mut wrong);
    }
    wrong
}

fn bare(set: &SelectionSet, wrong: &mut Vec<ApiError>) {
    let mut refuse =
        |what: &str, at: Pos| wrong.push(invalid(format!("\"__typename\" takes no {what}")).at(at));
    for item in &set.items {
        if let Selection::Field(field) = &item.node
            && is_typename(&field.node)
        {
            if !field.node.arguments.is_empty() {
                refuse("arguments", field.pos);
            }
            if !field.node.selection_set.node.items.is_empty() {
                refuse("selection", field.pos);
            }
        }
    }
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => bare(&field.node.selection_set.node, wrong),
            Selection::InlineFragment(inline) => bare(&inline.node.selection_set.node, wrong),
            Selection::FragmentSpread(_) => {}
        }
    }
}
