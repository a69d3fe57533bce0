//! `@skip` and `@include` by a variable that is null: a variable that may be null can stand there when it has a default,
//! and null may be sent all the same (GraphQL, section 5.8.5).

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Value, Variables};
use async_graphql_value::Value as Written;

use crate::error::{ApiError, Code};

/// Refuses null where an operation asks whether to leave something out.
pub fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), ApiError> {
    let nulls: HashSet<&Name> =
        variables.iter().filter(|(_, value)| **value == Value::Null).map(|(name, _)| name).collect();
    if nulls.is_empty() {
        return Ok(());
    }
    Conditions { document, nulls, visited: HashSet::new() }.set(&operation.selection_set.node)
}

struct Conditions<'d> {
    document: &'d ExecutableDocument,
    nulls: HashSet<&'d Name>,
    visited: HashSet<&'d Name>,
}

impl<'d> Conditions<'d> {
    fn set(&mut self, set: &'d SelectionSet) -> Result<(), ApiError> {
        for item in &set.items {
            item.node.directives().iter().try_for_each(|directive| self.directive(directive))?;
            match &item.node {
                Selection::Field(field) => self.set(&field.node.selection_set.node)?,
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.visited.insert(name)
                    {
                        self.set(&fragment.node.selection_set.node)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn directive(&self, directive: &Positioned<Directive>) -> Result<(), ApiError> {
        let name = &directive.node.name.node;
        match directive.node.get_argument("if").map(|value| &value.node) {
            Some(Written::Variable(variable))
                if matches!(name.as_str(), "skip" | "include") && self.nulls.contains(variable) =>
            {
                let message = format!("@{name} by ${variable}, which is null");
                Err(ApiError::new(Code::BadUserInput, message)
                    .expected("true, false, or nothing where it has a default")
                    .at(directive.pos))
            }
            _ => Ok(()),
        }
    }
}
