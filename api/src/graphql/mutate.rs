//! Mutations: each field in order, in a transaction of its own or all in one; the changed objects are read by the
//! planner.

use std::borrow::Cow;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, SelectionSet};
use async_graphql::{Positioned, Value, Variables};
use serde_json::Value as Json;
use uuid::Uuid;

use super::execute::{Answer, executed};
use super::{Engine, atomic, check};
use crate::admission::Class;
use crate::budget::Account;
use crate::error::{ApiError, Code};
use crate::limits;
use crate::policy::Viewer;
use crate::read::coerce::{self, Arguments, Formats};
use crate::read::cost::{self, Tally};
use crate::read::model::Argument;
use crate::read::plan::{Planner, internal};
use crate::read::run;
use crate::read::select::{Document, Selected};
use crate::read::shape::{Out, Shape, check_items, json_key, json_string};
use crate::read::write::Writer;
use crate::write::{self, Asked, Mutation, Problem, Sender, Written};

/// A mutation whose input and payload are right as far as can be told before it is run.
struct Step<'d> {
    key: &'d str,
    sets: Vec<&'d SelectionSet>,
    mutation: &'d Mutation,
    input: Cow<'d, Arguments>,
    malformed: Vec<Problem>,
    /// Points of the write, and of its payload if every page were full.
    points: (u64, u64),
}

impl Step<'_> {
    fn asked(&self) -> Asked<'_> {
        Asked { key: self.key, mutation: self.mutation, input: &self.input, malformed: &self.malformed }
    }
}

/// The variables of an operation.
#[derive(Clone, Copy)]
pub(super) struct Given<'v> {
    pub values: &'v Variables,
    /// Something in them is not of its form.
    pub has_malformed: bool,
}

/// A field before it is run; `None` for `__typename`.
type Prepared<'d> = Result<Option<Step<'d>>, ApiError>;

/// A field after it was run; `None` for `__typename`.
type Ended = Result<Option<Written>, ApiError>;

impl Engine {
    /// Runs the fields of a mutation one after the other. A fault makes its field null; those before it are done.
    pub(super) async fn mutate(
        &self,
        parsed: &ExecutableDocument,
        operation: &Positioned<OperationDefinition>,
        variables: Given<'_>,
        viewer: &Viewer,
        account: &mut Account,
        request_id: &str,
    ) -> Result<Answer, Vec<ApiError>> {
        let document = Document { fragments: &parsed.fragments, variables: variables.values };
        let sets: [&SelectionSet; 1] = [&operation.node.selection_set.node];
        let roots = document.fields(&sets, &|on| on == "Mutation");
        check::check_roots(roots.len(), &account.allowance().document).map_err(|error| vec![error])?;
        let sender = self.sender(viewer, request_id);
        let steps: Vec<Prepared<'_>> =
            roots.iter().map(|root| self.prepare(document, variables, root, viewer)).collect();
        // nothing is written by an operation that may not be answered whole
        let (written, shown) = steps.iter().flatten().flatten().fold((0, 0), |sum, step| {
            (step.points.0.saturating_add(sum.0), step.points.1.saturating_add(sum.1))
        });
        let known = account.requested();
        account.take(written.saturating_add(shown)).map_err(|error| vec![error])?;
        let _place = self.admission.enter(Class::of_write(written)).await.map_err(|error| vec![error])?;
        let mut tally = Tally::of(known.saturating_add(written));
        let together = if atomic::is_asked(&operation.node) { steps.len() } else { 1 };
        let most = account.allowance().answer;
        let (mut answers, mut left) = (Vec::new(), most);
        for steps in steps.chunks(together.max(1)) {
            let ended = self.write(steps, sender).await;
            for (step, written) in steps.iter().zip(ended) {
                answers.push(self.answered(document, viewer, step, written, &mut tally, &mut left).await);
            }
        }
        account.cost_at_least(cost::of_bytes(most - left));
        let mut data = vec![b'{'];
        let mut errors = Vec::new();
        for (root, answer) in roots.iter().zip(answers) {
            if data.len() > 1 {
                data.push(b',');
            }
            data.extend_from_slice(&json_key(root.key));
            data.extend_from_slice(&answer.unwrap_or_else(|error| {
                errors.push(error.at(root.position).under(root.key));
                b"null".to_vec()
            }));
        }
        data.push(b'}');
        // what was refused is journaled too
        let causality = self.written(&viewer.actor).await;
        Ok(executed(&data, &errors, account, tally, causality.as_deref()))
    }

    /// Who sends a write.
    pub(crate) fn sender<'s>(&'s self, viewer: &'s Viewer, request_id: &'s str) -> Sender<'s> {
        Sender {
            viewer,
            request_id,
            refusals: &self.refusals,
            is_development: self.is_development,
            metrics: &self.metrics,
        }
    }

    async fn answered(
        &self,
        document: Document<'_>,
        viewer: &Viewer,
        step: &Prepared<'_>,
        ended: Ended,
        tally: &mut Tally,
        left: &mut usize,
    ) -> Result<Vec<u8>, ApiError> {
        match (step, ended?) {
            (Ok(Some(step)), Some(written)) => {
                self.payload(step, document, viewer, &written, tally, left).await
            }
            _ => Ok(json_string("Mutation")),
        }
    }

    /// Looks at everything that can be wrong with a field before something is written: its input, and what its
    /// payload is asked for.
    fn prepare<'d>(
        &'d self,
        document: Document<'d>,
        variables: Given<'d>,
        root: &Selected<'d>,
        viewer: &Viewer,
    ) -> Prepared<'d> {
        if root.name == "__typename" {
            return Ok(None);
        }
        let mutation =
            self.model.mutations.get(root.name).ok_or_else(|| internal("a mutation is not declared"))?;
        let (input, has_malformed) = self.input(mutation, variables, root)?;
        // any object will do
        let mut placeholder = Written::done(Some(Uuid::nil()), false);
        placeholder.report = mutation.parts.first().map(|part| (part.longest)(&input));
        let mut planner = Planner::new(&self.model, viewer, document, &self.services, self.db.backend);
        shape(&mut planner, mutation, &root.sets, &placeholder)?;
        let malformed = if has_malformed || variables.has_malformed {
            write::malformed(&self.model, mutation, &input)
        } else {
            Vec::new()
        };
        let points = (points(&input), cost::requested(&planner.levels));
        Ok(Some(Step { key: root.key, sets: root.sets.clone(), mutation, input, malformed, points }))
    }

    /// Writes some fields in one transaction; one that is wrong beforehand keeps the others from being tried.
    async fn write(&self, steps: &[Prepared<'_>], sender: Sender<'_>) -> Vec<Ended> {
        let wrong = steps.iter().any(Result::is_err);
        let mut asked: Vec<Asked<'_>> = Vec::new();
        if !wrong {
            asked.extend(steps.iter().flatten().flatten().map(Step::asked));
        }
        let mut written = write::run(&self.db, self.clock.as_ref(), &asked, sender).await.into_iter();
        let ended = |step: &Prepared<'_>| match step {
            Err(error) => Err(error.clone()),
            Ok(None) => Ok(None),
            Ok(Some(_)) => written.next().unwrap_or_else(|| Ok(Written::given_up("another field"))).map(Some),
        };
        steps.iter().map(ended).collect()
    }

    /// The input of a field, and whether something that the document writes in it is not of its form.
    fn input<'d>(
        &self,
        mutation: &Mutation,
        variables: Given<'d>,
        root: &Selected<'_>,
    ) -> Result<(Cow<'d, Arguments>, bool), ApiError> {
        if let Some(fields) = coerce::object_of_variable(root.arguments, "input", variables.values) {
            return Ok((Cow::Borrowed(fields), false));
        }
        let ty = async_graphql::dynamic::TypeRef::named_nn(mutation.input_type());
        let declared = [Argument::new("input", ty, "")];
        let (mut arguments, has_malformed) = coerce::arguments_with(
            &self.model,
            &declared,
            root.arguments,
            variables.values,
            Formats::Passed,
        )?;
        let Some(Value::Object(fields)) = arguments.swap_remove("input") else {
            return Err(internal("a mutation without input"));
        };
        Ok((Cow::Owned(fields), has_malformed))
    }

    async fn payload(
        &self,
        step: &Step<'_>,
        document: Document<'_>,
        viewer: &Viewer,
        written: &Written,
        tally: &mut Tally,
        left: &mut usize,
    ) -> Result<Vec<u8>, ApiError> {
        let mut planner = Planner::new(&self.model, viewer, document, &self.services, self.db.backend);
        let shape = shape(&mut planner, step.mutation, &step.sets, written)?;
        let levels = planner.levels;
        let fetched = match run::run(&self.db, &levels).await {
            Ok(fetched) => fetched,
            Err(error) => return Err(unread(&error)),
        };
        tally.add(&levels, &fetched);
        let payload = Writer::within(*left, Vec::new(), &levels, &fetched).root(&Out::Fields(shape));
        *left -= payload.as_ref().map_or(*left, Vec::len);
        payload.map_err(|error| unread(&error))
    }
}

/// Points of a write: a fixed number, and one for each item of the lists in its input.
fn points(input: &Arguments) -> u64 {
    let items = |value: &Value| if let Value::List(items) = value { items.len() as u64 } else { 0 };
    input.values().map(items).fold(limits::MUTATION_POINTS, u64::saturating_add)
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
    let nothing = Json::Array(Vec::new());
    let report = written.report.as_ref().unwrap_or(&nothing);
    (part.plan)(planner, selected, report).map_err(|error| error.under(selected.key))
}

/// The write is done; a fault now must not read as if it were not.
fn unread(error: &ApiError) -> ApiError {
    if error.code == Code::LimitExceeded {
        return ApiError::new(Code::LimitExceeded, "the write is done, but the answer would be too long")
            .expected("fewer fields; what is sent again with its idempotency key is not written twice");
    }
    let message = "the write is done, but its answer could not be read; read the object, or send the same again \
                   with its idempotency key: it is not written twice";
    tracing::warn!(%error, "a payload could not be read");
    ApiError::new(Code::OutcomeUnknown, message)
}

/// The payload of a mutation, planned.
fn shape<'p>(
    planner: &mut Planner<'p>,
    mutation: &Mutation,
    sets: &[&'p SelectionSet],
    written: &Written,
) -> Result<Shape, ApiError> {
    let document = planner.document;
    let name = mutation.payload_type();
    let mut shape = Shape::new();
    for part in document.fields(sets, &|on| on == name) {
        let out = match (part.name, written.id) {
            ("__typename", _) => Out::Text(json_string(&name)),
            ("replayed", _) => Out::Text(written.replayed.to_string().into_bytes()),
            ("userErrors", _) => user_errors(document, &part, &written.problems)?,
            (name, _) if mutation.parts.iter().any(|part| part.name == name) => {
                reported(planner, mutation, &part, written)?
            }
            (_, Some(id)) => {
                let noun = planner.noun(mutation.target.noun)?;
                planner.by_id(noun, id, &part.sets).map_err(|error| error.under(part.key))?
            }
            (_, None) => Out::null(),
        };
        shape.push((json_key(part.key), out));
    }
    Ok(shape)
}

/// What was wrong, or is to be known, as a list of `UserError`.
pub(crate) fn user_errors(
    document: Document<'_>,
    part: &Selected<'_>,
    problems: &[Problem],
) -> Result<Out, ApiError> {
    let fields = document.fields(&part.sets, &|on| on == "UserError");
    check_items(problems.len(), fields.len())?;
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
    Ok(Out::Items(problems.iter().map(item).collect()))
}
