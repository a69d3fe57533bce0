//! Input values where they are written (GraphQL, sections 5.6 and 5.8.5): literals are of the type that their place
//! asks for, and variables can be.

use std::collections::{HashMap, HashSet};

use async_graphql::dynamic::TypeRef;
use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Positioned, Value};
use async_graphql_value::Value as Written;

use super::{Types, invalid, named, root};
use crate::error::ApiError;
use crate::read::coerce;
use crate::read::model::{Argument, Input, InputObject, Model};

/// What is wrong with the input values of a document.
pub fn check(types: &Types, model: &Model, document: &ExecutableDocument) -> Vec<ApiError> {
    let mut errors = Vec::new();
    for (_, operation) in document.operations.iter() {
        let definitions = operation.node.variable_definitions.iter();
        let mut inputs = Inputs {
            types,
            model,
            document,
            condition: TypeRef::named_nn(TypeRef::BOOLEAN),
            variables: definitions.map(|definition| (&definition.node.name.node, definition)).collect(),
            visited: HashSet::new(),
            errors: Vec::new(),
        };
        inputs.operation(&operation.node);
        errors.append(&mut inputs.errors);
    }
    errors
}

struct Inputs<'d> {
    types: &'d Types,
    model: &'d Model,
    document: &'d ExecutableDocument,
    /// Type of the argument `if` of `@skip` and `@include`.
    condition: TypeRef,
    variables: HashMap<&'d Name, &'d Positioned<VariableDefinition>>,
    visited: HashSet<&'d Name>,
    errors: Vec<ApiError>,
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place<'t> {
    ty: &'t TypeRef,
    has_default: bool,
    /// A key of an input object that takes exactly one.
    one_of: bool,
}

impl<'t> Place<'t> {
    const fn new(ty: &'t TypeRef) -> Self {
        Self { ty, has_default: false, one_of: false }
    }

    const fn of(argument: &'t Argument) -> Self {
        Self { ty: &argument.ty, has_default: argument.default.is_some(), one_of: false }
    }
}

impl<'d> Inputs<'d> {
    fn operation(&mut self, operation: &'d OperationDefinition) {
        for definition in &operation.variable_definitions {
            if let Some(default) = &definition.node.default_value {
                let ty = coerce::type_ref(&definition.node.var_type.node);
                let checked = self.value(Place::new(&ty), &default.node.clone().into_value());
                let named = |error: ApiError| error.in_field(&definition.node.name.node).at(default.pos);
                self.errors.extend(checked.map_err(named).err());
            }
        }
        self.set(root(operation), &operation.selection_set.node);
    }

    fn set(&mut self, on: &'d str, set: &'d SelectionSet) {
        for item in &set.items {
            self.directives(item.node.directives());
            match &item.node {
                Selection::Field(field) => self.field(on, &field.node),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let on = condition.map_or(on, |condition| condition.node.on.node.as_str());
                    self.set(on, &inline.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.visited.insert(name)
                    {
                        let on = fragment.node.type_condition.node.on.node.as_str();
                        self.set(on, &fragment.node.selection_set.node);
                    }
                }
            }
        }
    }

    fn field(&mut self, on: &'d str, field: &'d Field) {
        let types = self.types;
        let Some(declared) = types.field(on, &field.name.node) else { return };
        for (name, value) in &field.arguments {
            let argument = declared.arguments.iter().find(|argument| argument.name == name.node.as_str());
            if let Some(argument) = argument {
                let checked = self.value(Place::of(argument), &value.node);
                self.errors.extend(checked.map_err(|error| error.in_field(&name.node).at(value.pos)).err());
            }
        }
        self.set(named(&declared.ty), &field.selection_set.node);
    }

    /// The library knows no directive but `@skip` and `@include`, whose only argument is `if`.
    fn directives(&mut self, directives: &[Positioned<Directive>]) {
        for (_, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
            let checked = self.value(Place::new(&self.condition), &value.node);
            self.errors.extend(checked.map_err(|error| error.at(value.pos)).err());
        }
    }

    fn value(&self, place: Place<'_>, written: &Written) -> Result<(), ApiError> {
        if let Written::Variable(name) = written {
            return self.variable(place, name);
        }
        match (place.ty, written) {
            (TypeRef::NonNull(_), Written::Null) => Err(coerce::missing(place.ty)),
            (TypeRef::NonNull(inner), _) => self.value(Place::new(inner), written),
            (_, Written::Null) => Ok(()),
            (TypeRef::List(inner), Written::List(items)) => {
                items.iter().enumerate().try_for_each(|(index, item)| {
                    self.value(Place::new(inner), item).map_err(|error| error.in_item(index))
                })
            }
            (TypeRef::List(inner), _) => self.value(Place::new(inner), written),
            (TypeRef::Named(name), _) => match self.model.inputs.get(name.as_ref()) {
                Some(Input::Leaf(leaf)) => coerce::literal(*leaf, written),
                Some(Input::Object(declared)) => self.object(declared, written),
                None => Ok(()),
            },
        }
    }

    fn object(&self, declared: &InputObject, written: &Written) -> Result<(), ApiError> {
        let Written::Object(given) = written else {
            let shown = written.clone().into_const().unwrap_or(Value::Null);
            return Err(coerce::wrong(&shown, format!("an object of type {}", declared.name)));
        };
        if let Some(unknown) =
            given.keys().find(|key| !declared.fields.iter().any(|field| field.name == key.as_str()))
        {
            return Err(coerce::unknown(declared, unknown));
        }
        if declared.one_of && (given.len() != 1 || given.values().any(|value| *value == Written::Null)) {
            return Err(coerce::not_one(declared));
        }
        for field in &declared.fields {
            let place = Place { one_of: declared.one_of, ..Place::of(field) };
            let checked = match given.get(field.name.as_str()) {
                Some(value) => self.value(place, value),
                None if matches!(field.ty, TypeRef::NonNull(_)) && field.default.is_none() => {
                    Err(coerce::missing(&field.ty))
                }
                None => Ok(()),
            };
            checked.map_err(|error| error.in_field(&field.name))?;
        }
        Ok(())
    }

    fn variable(&self, place: Place<'_>, name: &Name) -> Result<(), ApiError> {
        let Some(definition) = self.variables.get(name) else { return Ok(()) };
        let ty = coerce::type_ref(&definition.node.var_type.node);
        let default = definition.node.default_value.as_ref();
        let has_default = place.has_default || default.is_some_and(|value| value.node != Value::Null);
        let fits = match (place.ty, &ty) {
            // a default stands in where nothing is given
            (TypeRef::NonNull(inner), TypeRef::Named(_) | TypeRef::List(_)) => {
                has_default && can_be(inner, &ty)
            }
            _ if place.one_of && !matches!(ty, TypeRef::NonNull(_)) => false,
            (wanted, _) => can_be(wanted, &ty),
        };
        if fits {
            return Ok(());
        }
        let wanted = if place.one_of { format!("{}!", place.ty) } else { place.ty.to_string() };
        Err(invalid(format!("variable \"${name}\" of type {ty} cannot stand where {wanted} is expected")))
    }
}

/// Whether every value of a type is one of another.
fn can_be(wanted: &TypeRef, ty: &TypeRef) -> bool {
    match (wanted, ty) {
        (TypeRef::NonNull(wanted), TypeRef::NonNull(ty)) | (TypeRef::List(wanted), TypeRef::List(ty)) => {
            can_be(wanted, ty)
        }
        (TypeRef::NonNull(_), _) => false,
        (wanted, TypeRef::NonNull(ty)) => can_be(wanted, ty),
        (TypeRef::Named(wanted), TypeRef::Named(ty)) => wanted == ty,
        _ => false,
    }
}
