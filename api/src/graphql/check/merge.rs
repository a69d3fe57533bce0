//! Whether selections can be merged (GraphQL, section 5.3.2): under one response key an object has one field with
//! one set of arguments, and all objects that may stand in one place have values of one shape.

use std::collections::HashMap;

use async_graphql::dynamic::TypeRef;
use async_graphql::parser::types::{ExecutableDocument, Field, FragmentDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned};
use indexmap::IndexMap;

use super::{Types, invalid, named, root};
use crate::error::ApiError;

/// What cannot be merged, the first of each kind for each operation.
pub fn check(types: &Types, document: &ExecutableDocument) -> Vec<ApiError> {
    let merge = Merge { types, fragments: &document.fragments };
    let mut errors = Vec::new();
    for (_, operation) in document.operations.iter() {
        let fields = merge.fields(&[(root(&operation.node), &operation.node.selection_set.node)]);
        errors.extend(merge.shapes(&fields).and_then(|()| merge.fields_agree(&fields)).err());
    }
    errors
}

struct Merge<'d> {
    types: &'d Types,
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
}

/// A field asked of objects of a type.
#[derive(Clone, Copy)]
struct Asked<'d> {
    on: &'d str,
    field: &'d Positioned<Field>,
}

/// Fields by response key.
type Fields<'d> = IndexMap<&'d str, Vec<Asked<'d>>>;

impl<'d> Merge<'d> {
    /// The fields of some selections, each of a type, fragments spread.
    fn fields(&self, sets: &[(&'d str, &'d SelectionSet)]) -> Fields<'d> {
        let mut fields = Fields::new();
        let mut visited = Vec::new();
        for (on, set) in sets {
            self.collect(on, set, &mut fields, &mut visited);
        }
        fields
    }

    fn collect(
        &self,
        on: &'d str,
        set: &'d SelectionSet,
        fields: &mut Fields<'d>,
        visited: &mut Vec<&'d str>,
    ) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    fields.entry(key).or_default().push(Asked { on, field });
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let on = condition.map_or(on, |condition| condition.node.on.node.as_str());
                    self.collect(on, &inline.node.selection_set.node, fields, visited);
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    if let Some(fragment) = self.fragments.get(name)
                        && !visited.contains(&name)
                    {
                        visited.push(name);
                        let on = fragment.node.type_condition.node.on.node.as_str();
                        self.collect(on, &fragment.node.selection_set.node, fields, visited);
                    }
                }
            }
        }
    }

    /// What is selected below some fields.
    fn below(&self, asked: &[Asked<'d>]) -> Fields<'d> {
        let set = |asked: &Asked<'d>| {
            let ty = self.types.type_of(asked.on, &asked.field.node.name.node);
            // introspection is not declared: what stands in one place there is of one type
            (ty.map_or("", named), &asked.field.node.selection_set.node)
        };
        self.fields(&asked.iter().map(set).collect::<Vec<_>>())
    }

    /// All that may stand in one place has one shape, whatever object it is of.
    fn shapes(&self, fields: &Fields<'d>) -> Result<(), ApiError> {
        for (key, asked) in fields {
            let ty = |asked: &Asked<'d>| self.types.type_of(asked.on, &asked.field.node.name.node);
            let first = ty(&asked[0]);
            if let Some(other) = asked.iter().find(|other| !self.same_shape(first, ty(other))) {
                let message =
                    format!("\"{key}\" is asked for values of different shapes; an alias tells them apart");
                return Err(conflict(message, asked[0], *other));
            }
            self.shapes(&self.below(asked))?;
        }
        Ok(())
    }

    fn same_shape(&self, one: Option<&TypeRef>, other: Option<&TypeRef>) -> bool {
        match (one, other) {
            (Some(TypeRef::NonNull(one)), Some(TypeRef::NonNull(other)))
            | (Some(TypeRef::List(one)), Some(TypeRef::List(other))) => {
                self.same_shape(Some(one), Some(other))
            }
            (Some(TypeRef::Named(one)), Some(TypeRef::Named(other))) => {
                one == other || (self.types.is_composite(one) && self.types.is_composite(other))
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// An object has one field with one set of arguments under a key.
    fn fields_agree(&self, fields: &Fields<'d>) -> Result<(), ApiError> {
        for (key, asked) in fields {
            for together in overlapping(asked) {
                let first = together[0];
                if let Some(other) =
                    together.iter().find(|other| !is_same(&first.field.node, &other.field.node))
                {
                    let message = format!(
                        "\"{key}\" is asked for different fields or with different arguments; an alias tells them apart"
                    );
                    return Err(conflict(message, first, *other));
                }
                self.fields_agree(&self.below(&together))?;
            }
        }
        Ok(())
    }
}

fn conflict(message: String, one: Asked<'_>, other: Asked<'_>) -> ApiError {
    let mut error = invalid(message);
    error.locations = vec![one.field.pos, other.field.pos];
    error
}

/// The fields that one object may have together: those of its type, and those of the interface.
fn overlapping<'d>(asked: &[Asked<'d>]) -> Vec<Vec<Asked<'d>>> {
    let is_interface = |asked: &Asked<'_>| asked.on == "Node";
    let mut types: Vec<&str> = Vec::new();
    for object in asked.iter().filter(|asked| !is_interface(asked)) {
        if !types.contains(&object.on) {
            types.push(object.on);
        }
    }
    if types.len() < 2 {
        return vec![asked.to_vec()];
    }
    let of =
        |ty: &&str| asked.iter().filter(|asked| is_interface(asked) || asked.on == *ty).copied().collect();
    types.iter().map(of).collect()
}

fn is_same(one: &Field, other: &Field) -> bool {
    let has = |(name, value): &(Positioned<Name>, Positioned<_>)| {
        other.get_argument(&name.node).is_some_and(|given| given.node == value.node)
    };
    one.name.node == other.name.node
        && one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(has)
}
