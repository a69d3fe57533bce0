//! `mutation @atomic { … }`: every mutation of the operation in one transaction.
//!
//! The library's dynamic schemas take no directive of their own. So it is printed and introspected beside theirs, and
//! taken off before the library validates a document: where it stands wrongly it stays, and the library, which does
//! not know it, refuses it.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
};
use serde_json::{Value as Json, json};

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

/// The declaration, for introspection.
pub fn described() -> Json {
    json!({
        "name": NAME,
        "description": DESCRIPTION,
        "isRepeatable": false,
        "locations": ["MUTATION"],
        "args": [],
    })
}
