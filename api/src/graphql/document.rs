//! Documents: parsed and validated once, by the library and by `check`, kept for the next time they come.

use std::sync::Arc;

use async_graphql::dynamic::{Schema, SchemaBuilder};
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition};
use async_graphql::{Name, Positioned, Request, ServerError, ValidationResult};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::check::{self, Size, Types};
use super::{atomic, block};
use crate::error::{ApiError, Code};
use crate::limits::{self, DocumentLimits};
use crate::read::model::Model;

/// Documents that fit the schema.
pub struct Documents {
    schema: Schema,
    types: Types,
    known: Cache<String, Arc<Checked>, Memory>,
}

/// A document that fits the schema.
#[derive(Debug)]
pub struct Checked {
    /// The document.
    pub document: ExecutableDocument,
    size: Size,
}

/// Documents are kept by the memory that they take.
#[derive(Clone, Copy)]
struct Memory;

impl Weighter<String, Arc<Checked>> for Memory {
    fn weight(&self, _: &String, checked: &Arc<Checked>) -> u64 {
        checked.size.memory() as u64
    }
}

fn kept() -> Cache<String, Arc<Checked>, Memory> {
    Cache::with_weighter(limits::DOCUMENTS, limits::DOCUMENT_CACHE, Memory)
}

/// A document, or everything that is wrong with it.
pub type Found = Result<Arc<Checked>, Vec<ApiError>>;

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl Documents {
    /// Documents of a schema that was built with [`extend`].
    pub fn new(model: &Model, schema: Schema) -> Self {
        Self { schema, types: Types::new(model), known: kept() }
    }

    /// The document of a text, or everything that is wrong with it. One that is known may still be too large for a
    /// caller.
    pub async fn checked(&self, model: &Model, text: &str, limits: &DocumentLimits) -> Found {
        let one = |error| vec![error];
        if let Some(known) = self.known.get(text) {
            known.size.check(limits).map_err(one)?;
            return Ok(known);
        }
        let size = Size::of_text(text, limits).map_err(one)?;
        let document = block::parse(text).map_err(|error| vec![unparsed(&error)])?;
        let size = size.with(&document, limits).map_err(one)?;
        check::check_introspection(&document).map_err(one)?;
        self.validated_by_library(document.clone()).await?;
        let wrong = check::check(&self.types, model, &document);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let checked = Arc::new(Checked { document, size });
        if text.len() <= limits::DOCUMENT_CACHE_BYTES {
            self.known.insert(text.to_owned(), Arc::clone(&checked));
        }
        Ok(checked)
    }

    /// Has the library validate a document.
    async fn validated_by_library(&self, mut document: ExecutableDocument) -> Result<(), Vec<ApiError>> {
        atomic::take_off(&mut document);
        check::carry_directives(&mut document);
        let mut request = Request::new("");
        request.set_parsed_query(document);
        let errors = self.schema.execute(request).await.errors;
        if errors.is_empty() { Ok(()) } else { Err(errors.into_iter().map(invalid).collect()) }
    }

    /// The schema in its definition language.
    pub fn sdl(&self) -> String {
        let options = async_graphql::SDLExportOptions::new().include_specified_by();
        self.schema.sdl_with_options(options) + &atomic::sdl()
    }
}

/// The operation to run, with its name if it has one: the named one, or the only one.
pub fn operation<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Result<(Option<&'d Name>, &'d Positioned<OperationDefinition>), ApiError> {
    let not_found = |message: String| ApiError::new(Code::OperationNotFound, message);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok((None, operation)),
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get_key_value(name)
            .map(|(name, operation)| (Some(name), operation))
            .ok_or_else(|| not_found(format!("the document has no operation named {name:?}"))),
        (DocumentOperations::Multiple(operations), None) => match operations.iter().next() {
            Some((name, operation)) if operations.len() == 1 => Ok((Some(name), operation)),
            _ => Err(not_found("the document has several operations".to_owned())
                .expected("operationName, which names the one to run")),
        },
        (DocumentOperations::Single(_), Some(name)) => {
            Err(not_found(format!("the document has no operation named {name:?}")))
        }
    }
}

fn unparsed(error: &async_graphql::parser::Error) -> ApiError {
    let mut wrong = ApiError::new(Code::GraphqlParseFailed, format!("the document does not parse: {error}"));
    wrong.locations = error.positions().collect();
    wrong
}

fn invalid(error: ServerError) -> ApiError {
    let mut wrong = ApiError::new(Code::GraphqlValidationFailed, error.message);
    wrong.locations = error.locations;
    wrong
}

/// Lets the library stop after validation: what it found is the answer, and nothing is resolved. It proposes no other
/// names for those that are unknown, since it compares each with all there are.
pub fn extend(builder: SchemaBuilder) -> SchemaBuilder {
    builder.extension(StopAfterValidation).disable_suggestions()
}

struct StopAfterValidation;

impl ExtensionFactory for StopAfterValidation {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for StopAfterValidation {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        match next.run(ctx).await {
            // no errors: the document is valid, and the request ends here
            Ok(_) => Err(Vec::new()),
            Err(errors) => Err(errors),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Role;

    #[test]
    fn large_documents_push_each_other_out_and_small_ones_stay() {
        let checked = |text: &str| {
            let limits = DocumentLimits::of(Role::Public);
            let document = block::parse(text).unwrap();
            let size = Size::of_text(text, &limits).and_then(|size| size.with(&document, &limits)).unwrap();
            Arc::new(Checked { document, size })
        };
        let large = checked(&format!("{{ {} }}", "a ".repeat(DocumentLimits::of(Role::Public).fields)));
        let (many, few) = (kept(), kept());
        for number in 0..500 {
            many.insert(number.to_string(), Arc::clone(&large));
            few.insert(number.to_string(), checked("{ sites { totalCount } }"));
        }
        assert!(many.weight() <= limits::DOCUMENT_CACHE && many.len() < 200, "{}", many.len());
        assert_eq!(few.len(), 500);
    }
}
