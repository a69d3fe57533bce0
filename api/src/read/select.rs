//! Which fields an object is asked for: fragments spread, `@skip` and `@include` applied, equal response keys
//! merged (GraphQL, section 6.3.2).

use std::collections::HashMap;

use async_graphql::parser::types::{Directive, FragmentDefinition, Selection as Node, SelectionSet};
use async_graphql::{Name, Pos, Positioned, Value, Variables};
use indexmap::IndexMap;

/// A field asked for, its selections merged.
#[derive(Clone, Debug)]
pub struct Selected<'d> {
    /// Key in the answer.
    pub key: &'d str,
    /// Name of the field.
    pub name: &'d str,
    /// Where it stands first.
    pub position: Pos,
    /// Arguments as written.
    pub arguments: &'d [(Positioned<Name>, Positioned<async_graphql_value::Value>)],
    /// Selections below it.
    pub sets: Vec<&'d SelectionSet>,
}

/// The parts of a document that selections refer to.
#[derive(Clone, Copy, Debug)]
pub struct Document<'d> {
    /// Fragments by name.
    pub fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    /// Variables, coerced.
    pub variables: &'d Variables,
}

impl<'d> Document<'d> {
    /// The fields asked of an object of a type; `implements` says whether the type is or implements a name.
    pub fn fields(&self, sets: &[&'d SelectionSet], implements: &dyn Fn(&str) -> bool) -> Vec<Selected<'d>> {
        let mut found = IndexMap::new();
        let mut visited = Vec::new();
        for set in sets {
            self.collect(set, implements, &mut found, &mut visited);
        }
        found.into_values().collect()
    }

    fn collect(
        &self,
        set: &'d SelectionSet,
        implements: &dyn Fn(&str) -> bool,
        found: &mut IndexMap<&'d str, Selected<'d>>,
        visited: &mut Vec<&'d str>,
    ) {
        for item in &set.items {
            if !self.is_included(item.node.directives()) {
                continue;
            }
            match &item.node {
                Node::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let key = field.node.alias.as_ref().map_or(name, |alias| alias.node.as_str());
                    let selected = found.entry(key).or_insert_with(|| Selected {
                        key,
                        name,
                        position: field.pos,
                        arguments: &field.node.arguments,
                        sets: Vec::new(),
                    });
                    selected.sets.push(&field.node.selection_set.node);
                }
                Node::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    if visited.contains(&name) {
                        continue;
                    }
                    visited.push(name);
                    if let Some(fragment) = self.fragments.get(name)
                        && implements(fragment.node.type_condition.node.on.node.as_str())
                    {
                        self.collect(&fragment.node.selection_set.node, implements, found, visited);
                    }
                }
                Node::InlineFragment(inline) => {
                    let on =
                        inline.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    if on.is_none_or(implements) {
                        self.collect(&inline.node.selection_set.node, implements, found, visited);
                    }
                }
            }
        }
    }

    fn is_included(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let condition =
                || directive.node.get_argument("if").is_none_or(|value| self.is_true(&value.node));
            match directive.node.name.node.as_str() {
                "skip" => !condition(),
                "include" => condition(),
                _ => true,
            }
        })
    }

    fn is_true(&self, value: &async_graphql_value::Value) -> bool {
        use async_graphql_value::Value as Written;
        match value {
            Written::Boolean(value) => *value,
            Written::Variable(name) => matches!(self.variables.get(name), Some(Value::Boolean(true))),
            _ => false,
        }
    }
}
