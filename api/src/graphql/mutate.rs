//! Mutations: each field in order, in a transaction of its own; the changed object is read by the planner.

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, SelectionSet};
use async_graphql::{Positioned, Value, Variables};
use serde_json::Value as Json;

use super::execute::{Answer, Outcome};
use super::{Engine, response};
use crate::error::ApiError;
use crate::limits;
use crate::policy::Viewer;
use crate::read::coerce::{self, Arguments};
use crate::read::model::Argument;
use crate::read::plan::{Planner, internal};
use crate::read::run;
use crate::read::select::{Document, Selected};
use crate::read::shape::{Out, Shape, json_key, json_string};
use crate::read::write::Writer;
use crate::write::{self, Mutation, Problem, Sender, Written};

impl Engine {
    /// Runs the fields of a mutation one after the other. A fault makes its field null; those before it are done.
    pub(super) async fn mutate(
        &self,
        parsed: &ExecutableDocument,
        operation: &Positioned<OperationDefinition>,
        variables: &Variables,
        viewer: &Viewer,
        request_id: &str,
    ) -> Result<Answer, Vec<ApiError>> {
        let document = Document { fragments: &parsed.fragments, variables };
        let sets: [&SelectionSet; 1] = [&operation.node.selection_set.node];
        let roots = document.fields(&sets, &|on| on == "Mutation");
        if roots.len() > limits::ROOT_FIELDS {
            let message = format!("{} root fields, at most {} are taken", roots.len(), limits::ROOT_FIELDS);
            return Err(vec![ApiError::new(crate::error::Code::LimitExceeded, message)]);
        }
        let sender = self.sender(viewer, request_id);
        let mut data = vec![b'{'];
        let mut errors = Vec::new();
        for (index, root) in roots.iter().enumerate() {
            if index > 0 {
                data.push(b',');
            }
            data.extend_from_slice(&json_key(root.key));
            match self.mutation(document, root, sender).await {
                Ok(json) => data.extend_from_slice(&json),
                Err(error) => {
                    errors.push(error.at(root.position).under(root.key));
                    data.extend_from_slice(b"null");
                }
            }
        }
        data.push(b'}');
        Ok(Answer { body: response::executed(&data, &errors), outcome: Outcome::Executed })
    }

    /// Who sends a write.
    pub(crate) fn sender<'s>(&'s self, viewer: &'s Viewer, request_id: &'s str) -> Sender<'s> {
        Sender { viewer, request_id, refusals: &self.refusals }
    }

    async fn mutation(
        &self,
        document: Document<'_>,
        root: &Selected<'_>,
        sender: Sender<'_>,
    ) -> Result<Vec<u8>, ApiError> {
        if root.name == "__typename" {
            return Ok(json_string("Mutation"));
        }
        let mutation =
            self.model.mutations.get(root.name).ok_or_else(|| internal("a mutation is not declared"))?;
        let input = self.input(mutation, document, root)?;
        let written = write::run(&self.db, &self.clock, mutation, &input, sender).await?;
        self.payload(mutation, document, root, sender.viewer, &written).await
    }

    fn input(
        &self,
        mutation: &Mutation,
        document: Document<'_>,
        root: &Selected<'_>,
    ) -> Result<Arguments, ApiError> {
        let ty = async_graphql::dynamic::TypeRef::named_nn(mutation.input_type());
        let declared = [Argument::new("input", ty, "")];
        let arguments = coerce::arguments(&self.model, &declared, root.arguments, document.variables)?;
        let Some(Value::Object(fields)) = arguments.get("input") else {
            return Err(internal("a mutation without input"));
        };
        Ok(fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
    }

    async fn payload(
        &self,
        mutation: &Mutation,
        document: Document<'_>,
        root: &Selected<'_>,
        viewer: &Viewer,
        written: &Written,
    ) -> Result<Vec<u8>, ApiError> {
        let mut planner = Planner::new(&self.model, viewer, document, &self.services, self.db.backend);
        let name = mutation.payload_type();
        let mut shape = Shape::new();
        for part in document.fields(&root.sets, &|on| on == name) {
            let out = match (part.name, written.id) {
                ("__typename", _) => Out::Text(json_string(&name)),
                ("replayed", _) => Out::Text(written.replayed.to_string().into_bytes()),
                ("userErrors", _) => user_errors(document, &part, &written.problems),
                (name, _) if mutation.parts.iter().any(|part| part.name == name) => {
                    reported(&mut planner, mutation, &part, written)?
                }
                (_, Some(id)) => {
                    let noun = planner.noun(mutation.target.noun)?;
                    planner.by_id(noun, id, &part.sets).map_err(|error| error.under(part.key))?
                }
                (_, None) => Out::null(),
            };
            shape.push((json_key(part.key), out));
        }
        let levels = planner.levels;
        let fetched = run::run(&self.db, &levels).await?;
        Writer::new(&levels, &fetched).root(&Out::Fields(shape))
    }
}

/// What the work reported, under one of the payload's own fields; an empty list when it was refused as a whole.
fn reported<'p>(
    planner: &mut Planner<'p>,
    mutation: &Mutation,
    selected: &Selected<'p>,
    written: &Written,
) -> Result<Out, ApiError> {
    let part = mutation.parts.iter().find(|part| part.name == selected.name);
    let part = part.ok_or_else(|| internal("a payload's field is not declared"))?;
    match &written.report {
        Some(report) => (part.plan)(planner, selected, report).map_err(|error| error.under(selected.key)),
        None => Ok(Out::Items(Vec::new())),
    }
}

/// What was wrong, or is to be known, as a list of `UserError`.
pub(crate) fn user_errors(document: Document<'_>, part: &Selected<'_>, problems: &[Problem]) -> Out {
    let fields = document.fields(&part.sets, &|on| on == "UserError");
    let item = |problem: &Problem| {
        let shape = fields
            .iter()
            .map(|field| {
                let json: Json = match field.name {
                    "__typename" => "UserError".into(),
                    "code" => problem.code.name().into(),
                    "path" => problem.path.clone().into(),
                    _ => problem.message.clone().into(),
                };
                (json_key(field.key), Out::Text(json.to_string().into_bytes()))
            })
            .collect();
        Out::Fields(shape)
    };
    Out::Items(problems.iter().map(item).collect())
}
