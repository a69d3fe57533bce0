//! Introspection: the library answers it, from the schema that it holds.

use std::collections::HashMap;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Positioned, Request, Variables};

use super::{Engine, atomic};
use crate::budget::Account;
use crate::error::{ApiError, Code};
use crate::limits;
use crate::read::plan::internal;
use crate::read::select::{Document, Selected};

impl Engine {
    /// Lets the library answer the introspection fields of an operation, by response key.
    pub(super) async fn introspect(
        &self,
        parsed: &ExecutableDocument,
        operation: &Positioned<OperationDefinition>,
        variables: &Variables,
        roots: &[Selected<'_>],
    ) -> Result<HashMap<String, Vec<u8>>, Vec<ApiError>> {
        let mut operation = operation.clone();
        keep_introspection(&mut operation.node.selection_set.node, parsed);
        let document = ExecutableDocument {
            operations: DocumentOperations::Single(operation),
            fragments: parsed.fragments.clone(),
        };
        let mut request = Request::new("").variables(variables.clone());
        request.set_parsed_query(document);
        let response = self.introspection.execute(request).await;
        if !response.errors.is_empty() {
            let errors = response.errors.into_iter();
            return Err(errors
                .map(|error| ApiError::new(Code::GraphqlValidationFailed, error.message))
                .collect());
        }
        let async_graphql::Value::Object(mut data) = response.data else { return Ok(HashMap::new()) };
        let document = Document { fragments: &parsed.fragments, variables };
        for root in roots.iter().filter(|root| root.name == "__schema") {
            if let Some(answer) = data.get_mut(root.key) {
                atomic::introspected(document, root, answer);
            }
        }
        // as JSON: the value's own text is GraphQL's notation
        let json = |value| serde_json::to_vec(&value).map_err(|_| vec![internal("introspection is no JSON")]);
        data.into_iter().map(|(key, value)| Ok((key.to_string(), json(value)?))).collect()
    }
}

/// Takes the points of introspection, where the role may ask for the schema.
pub(super) fn may_introspect(account: &mut Account) -> Result<(), ApiError> {
    if account.allowance().introspection {
        return account.take(limits::INTROSPECTION_POINTS);
    }
    Err(ApiError::new(Code::Forbidden, "the schema may not be asked for by this role"))
}

pub(super) fn is_introspection(root: &Selected<'_>) -> bool {
    matches!(root.name, "__schema" | "__type")
}

/// Leaves only the introspection fields of a root selection, fragments spread in place.
fn keep_introspection(set: &mut SelectionSet, parsed: &ExecutableDocument) {
    let mut kept = Vec::new();
    for mut item in std::mem::take(&mut set.items) {
        match &mut item.node {
            Selection::Field(field) => {
                if matches!(field.node.name.node.as_str(), "__schema" | "__type") {
                    kept.push(item);
                }
            }
            Selection::InlineFragment(inline) => {
                keep_introspection(&mut inline.node.selection_set.node, parsed);
                kept.push(item);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = parsed.fragments.get(&spread.node.fragment_name.node) {
                    let mut inner = fragment.node.selection_set.node.clone();
                    keep_introspection(&mut inner, parsed);
                    kept.extend(inner.items);
                }
            }
        }
    }
    set.items = kept;
}
