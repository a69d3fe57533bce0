//! `mutation @atomic { … }`: every mutation of the operation in one transaction.
//!
//! The library's dynamic schemas take no directive of their own. So it is printed and introspected beside theirs, and
//! taken off before the library validates a document: where it stands wrongly it stays, and the library, which does
//! not know it, refuses it.

use async_graphql::Value;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
};
use indexmap::IndexMap;

use crate::read::select::{Document, Selected};

const NAME: &str = "atomic";

const DESCRIPTION: &str = "All mutations of this operation are done, or none. If one is refused or fails, it says why; \
                           the others answer `NOT_WRITTEN`.";

/// Whether an operation is to be done whole or not at all.
pub fn is_asked(operation: &OperationDefinition) -> bool {
    operation.directives.iter().any(|directive| directive.node.name.node == NAME)
}

/// Takes the directive off the mutations on which it stands as declared: once, without arguments.
pub fn take_off(document: &mut ExecutableDocument) {
    match &mut document.operations {
        DocumentOperations::Single(operation) => take(&mut operation.node),
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                take(&mut operation.node);
            }
        }
    }
}

fn take(operation: &mut OperationDefinition) {
    let named = operation.directives.iter().filter(|directive| directive.node.name.node == NAME);
    let is_right = operation.ty == OperationType::Mutation
        && named.clone().count() == 1
        && named.clone().all(|directive| directive.node.arguments.is_empty());
    if is_right {
        operation.directives.retain(|directive| directive.node.name.node != NAME);
    }
}

/// The declaration, for the schema as it is printed.
pub fn sdl() -> String {
    format!("\"\"\"\n{DESCRIPTION}\n\"\"\"\ndirective @{NAME} on MUTATION\n")
}

/// Adds the directive to what introspection answered to a `__schema`.
pub fn introspected(document: Document<'_>, root: &Selected<'_>, answer: &mut Value) {
    let Value::Object(schema) = answer else { return };
    for asked in document.fields(&root.sets, &|on| on == "__Schema") {
        if asked.name == "directives"
            && let Some(Value::List(known)) = schema.get_mut(asked.key)
        {
            known.push(Value::Object(described(document, &asked)));
        }
    }
}

fn described(document: Document<'_>, asked: &Selected<'_>) -> IndexMap<async_graphql::Name, Value> {
    let fields = document.fields(&asked.sets, &|on| on == "__Directive").into_iter();
    let value = |name: &str| match name {
        "__typename" => "__Directive".into(),
        "name" => NAME.into(),
        "description" => DESCRIPTION.into(),
        "isRepeatable" => false.into(),
        "locations" => Value::List(vec![Value::Enum(async_graphql::Name::new("MUTATION"))]),
        "args" => Value::List(Vec::new()),
        _ => Value::Null,
    };
    fields.map(|field| (async_graphql::Name::new(field.key), value(field.name))).collect()
}
