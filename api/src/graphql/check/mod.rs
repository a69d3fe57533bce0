//! What the specification asks of a document and the library does not look at.
//!
//! async-graphql 7.2.1 checks names, fragments and directives. It passes over everything about `__typename`, over
//! the places where variables stand, over literals beside a variable, over most selections that cannot be merged, and
//! over what a subscription selects; and it spreads fragments as often as they are named, however often that is. Here
//! `size` (with `lex`, before it is parsed) bounds that before the library begins; then `typename`, `inputs`, `merge`
//! and `single` look at a document that the library found
//! right: its fields, arguments, fragments and variables exist; `introspection` bounds what a document asks of the schema,
//! and `conditions` looks at the variables that came with it.

mod conditions;
mod inputs;
mod introspection;
mod lex;
mod merge;
mod single;
mod size;
mod typename;

use std::collections::HashMap;

use async_graphql::dynamic::TypeRef;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};

use super::outputs::{self, OutputField};
use crate::error::{ApiError, Code};
use crate::read::model::Model;

pub use conditions::check as check_conditions;
pub use introspection::check as check_introspection;
pub use lex::block_escapes;
pub use size::{Size, check_roots, check_variables};
pub use typename::carry_directives;

/// The fields of the schema's object types.
#[derive(Debug)]
pub struct Types {
    fields: HashMap<String, HashMap<String, OutputField>>,
    typename: TypeRef,
}

impl Types {
    /// The fields that follow from a model.
    pub fn new(model: &Model) -> Self {
        let types = outputs::objects(model).into_iter().chain([outputs::node()]);
        let by_name =
            |fields: Vec<OutputField>| fields.into_iter().map(|field| (field.name.clone(), field)).collect();
        Self {
            fields: types.map(|ty| (ty.name, by_name(ty.fields))).collect(),
            typename: TypeRef::named_nn(TypeRef::STRING),
        }
    }

    /// A field; `None` for those of introspection, which are not declared here.
    fn field(&self, on: &str, name: &str) -> Option<&OutputField> {
        self.fields.get(on)?.get(name)
    }

    /// The type of a field; `None` for those of introspection.
    fn type_of(&self, on: &str, name: &str) -> Option<&TypeRef> {
        if name == "__typename" { Some(&self.typename) } else { self.field(on, name).map(|field| &field.ty) }
    }

    fn is_composite(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }
}

/// Everything that is wrong with a document that the library found right.
pub fn check(types: &Types, model: &Model, document: &ExecutableDocument) -> Vec<ApiError> {
    let mut errors = typename::check(document);
    errors.extend(inputs::check(types, model, document));
    errors.extend(merge::check(types, document));
    errors.extend(single::check(document));
    errors
}

/// The type that an operation selects from.
const fn root(operation: &OperationDefinition) -> &'static str {
    match operation.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}

/// The name at the heart of a type.
fn named(ty: &TypeRef) -> &str {
    match ty {
        TypeRef::Named(name) => name,
        TypeRef::NonNull(inner) | TypeRef::List(inner) => named(inner),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(Code::GraphqlValidationFailed, message.into())
}
