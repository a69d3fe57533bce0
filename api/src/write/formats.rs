//! Codes, dates and other scalars of an input that are not of their form: all of them, with their paths. They never
//! repeat the value, which may be a person's.

use async_graphql::Value;
use async_graphql::dynamic::TypeRef;

use super::Mutation;
use super::problem::{Problem, ProblemCode};
use crate::graphql::scalars::Scalar;
use crate::read::coerce::Arguments;
use crate::read::declare::Leaf;
use crate::read::model::{Argument, Input, Model};

/// What is malformed in the coerced input of a mutation.
pub fn malformed(model: &Model, mutation: &Mutation, input: &Arguments) -> Vec<Problem> {
    let mut found = Vec::new();
    if let Some(Input::Object(declared)) = model.inputs.get(mutation.input_type().as_str()) {
        let path = Path { outer: None, step: Step::Field("input") };
        within(model, &declared.fields, |name| input.get(name), &path, &mut found);
    }
    found
}

/// A way into the input, which becomes a list of texts only where something is wrong.
struct Path<'p> {
    outer: Option<&'p Path<'p>>,
    step: Step<'p>,
}

enum Step<'p> {
    Field(&'p str),
    Index(usize),
}

impl Path<'_> {
    fn steps(&self) -> Vec<String> {
        let mut steps = self.outer.map(Self::steps).unwrap_or_default();
        steps.push(match self.step {
            Step::Field(name) => name.to_owned(),
            Step::Index(index) => index.to_string(),
        });
        steps
    }
}

fn within<'v>(
    model: &Model,
    fields: &[Argument],
    value: impl Fn(&str) -> Option<&'v Value>,
    path: &Path<'_>,
    found: &mut Vec<Problem>,
) {
    for field in fields {
        if let Some(value) = value(&field.name) {
            let path = Path { outer: Some(path), step: Step::Field(&field.name) };
            look(model, &field.ty, value, &path, found);
        }
    }
}

fn look(model: &Model, ty: &TypeRef, value: &Value, path: &Path<'_>, found: &mut Vec<Problem>) {
    match (ty, value) {
        (_, Value::Null) => {}
        (TypeRef::List(inner), Value::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                let path = Path { outer: Some(path), step: Step::Index(index) };
                look(model, inner, item, &path, found);
            }
        }
        (TypeRef::NonNull(inner) | TypeRef::List(inner), _) => look(model, inner, value, path, found),
        (TypeRef::Named(name), _) => match (model.inputs.get(name.as_ref()), value) {
            (Some(Input::Object(declared)), Value::Object(given)) => {
                within(model, &declared.fields, |name| given.get(name), path, found);
            }
            (Some(Input::Leaf(Leaf::Scalar(scalar))), _) if Scalar::CUSTOM.contains(scalar) => {
                if let Err(error) = scalar.parse(value) {
                    let message = format!("expected {}", error.expected);
                    found.push(Problem { code: ProblemCode::InvalidFormat, path: path.steps(), message });
                }
            }
            _ => {}
        },
    }
}

/// What is wrong in all: what is malformed, and what the work found, save what it says of a value that it could
/// not read. To the work such a value is missing, and it may say so of another field.
pub(super) fn joined(malformed: &[Problem], found: Vec<Problem>, input: &Arguments) -> Vec<Problem> {
    let is_given = |path: &[String]| {
        path.get(1).and_then(|field| input.get(field.as_str())).is_some_and(|value| *value != Value::Null)
    };
    let follows = |problem: &Problem| {
        problem.code == ProblemCode::Required && is_given(&problem.path)
            || malformed.iter().any(|bad| problem.path.starts_with(&bad.path))
    };
    let others = found.into_iter().filter(|problem| !follows(problem));
    malformed.iter().cloned().chain(others).collect()
}
