//! What a mutation is: its input, its answer, its work.

use std::future::Future;
use std::pin::Pin;

use async_graphql::dynamic::TypeRef;

use serde_json::Value as Json;

use super::Writing;
use super::input::Input;
use super::problem::Failure;
use super::run::{Change, Done};
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::read::coerce::Arguments;
use crate::read::model::Argument;
use crate::read::plan::Planner;
use crate::read::select::Selected;
use crate::read::shape::Out;

/// What a mutation returns: the noun it changed, and the name under which the payload shows it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Field of the payload.
    pub field: &'static str,
    /// Noun.
    pub noun: &'static str,
}

/// The work of a mutation that changes one object, inside its transaction.
pub type One = for<'c> fn(
    Writing<'c>,
    &'c Input<'c>,
) -> Pin<Box<dyn Future<Output = Result<Change, Failure>> + Send + 'c>>;

/// The work of a mutation that has more to tell than one object.
pub type Many = for<'c> fn(
    Writing<'c>,
    &'c Input<'c>,
) -> Pin<Box<dyn Future<Output = Result<Done, Failure>> + Send + 'c>>;

/// What a mutation does.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Changes one object.
    One(One),
    /// Has more to tell: handles many items and reports on each, say.
    Many(Many),
}

/// A field of a payload beside the object, planned from what the work reported.
#[derive(Clone, Debug)]
pub struct Part {
    /// Name.
    pub name: &'static str,
    /// Type.
    pub ty: TypeRef,
    /// Description in the schema.
    pub description: &'static str,
    /// Plans it.
    pub plan: for<'p> fn(&mut Planner<'p>, &Selected<'p>, &Json) -> Result<Out, ApiError>,
    /// A report as long as one of an input can be: what it takes to show is known before something is written.
    pub longest: fn(&Arguments) -> Json,
}

/// A field of `Mutation`.
#[derive(Clone, Debug)]
pub struct Mutation {
    /// Name: verb first.
    pub name: &'static str,
    /// Description in the schema.
    pub description: &'static str,
    /// Fields of its input, beside `idempotencyKey`.
    pub input: Vec<Argument>,
    /// What its payload shows.
    pub target: Target,
    /// What it does.
    pub work: Work,
    /// What its payload shows beside the object.
    pub parts: Vec<Part>,
    /// Tables whose erased values must not linger in the database's files.
    pub scrub: &'static [&'static str],
    /// What it reports is not kept for a replay.
    pub shown_once: bool,
    /// Counts what it reports, once that is written.
    pub count: Option<fn(&Json, &Metrics)>,
}

impl Mutation {
    /// A mutation of a noun that its payload shows under `field`.
    pub fn new(
        name: &'static str,
        target: Target,
        description: &'static str,
        input: impl Into<Vec<Argument>>,
        work: One,
    ) -> Self {
        Self::with(name, target, description, input.into(), Work::One(work))
    }

    /// A mutation that has more to tell than the object that its payload shows under `field`.
    pub fn reporting(
        name: &'static str,
        target: Target,
        description: &'static str,
        input: impl Into<Vec<Argument>>,
        work: Many,
    ) -> Self {
        Self::with(name, target, description, input.into(), Work::Many(work))
    }

    fn with(
        name: &'static str,
        target: Target,
        description: &'static str,
        input: Vec<Argument>,
        work: Work,
    ) -> Self {
        Self {
            name,
            description,
            input,
            target,
            work,
            parts: Vec::new(),
            scrub: &[],
            shown_once: false,
            count: None,
        }
    }

    /// Shows more than the object in its payload.
    #[must_use]
    pub fn shows(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Keeps nothing of what it reports: a replayed answer is without it.
    #[must_use]
    pub const fn shown_once(mut self) -> Self {
        self.shown_once = true;
        self
    }

    /// Has what it reports counted.
    #[must_use]
    pub const fn counted(mut self, count: fn(&Json, &Metrics)) -> Self {
        self.count = Some(count);
        self
    }

    /// Has what it erased in these tables rewritten in the database's files.
    #[must_use]
    pub const fn scrubs(mut self, tables: &'static [&'static str]) -> Self {
        self.scrub = tables;
        self
    }

    /// Name of its input type: `updateAction` takes `UpdateActionInput`.
    pub fn input_type(&self) -> String {
        format!("{}Input", self.type_name())
    }

    /// Name of its payload type.
    pub fn payload_type(&self) -> String {
        format!("{}Payload", self.type_name())
    }

    fn type_name(&self) -> String {
        let mut letters = self.name.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
    }
}

/// A field that must be given.
pub fn required(name: &str, ty: &'static str, description: &str) -> Argument {
    Argument::new(name, TypeRef::named_nn(ty), description)
}

/// A field that may be left out; in an update, absent leaves as it is and null empties.
pub fn optional(name: &str, ty: &'static str, description: &str) -> Argument {
    Argument::new(name, TypeRef::named(ty), description)
}

/// A list that may be left out; in an update it replaces the whole list.
pub fn several(name: &str, ty: &'static str, description: &str) -> Argument {
    Argument::new(name, TypeRef::named_nn_list(ty), description)
}

/// `id` of the object to change.
pub fn id_of(what: &str) -> Argument {
    required("id", "ID", &format!("The {what}."))
}

/// `expectedVersion`.
pub fn expected_version() -> Argument {
    optional(
        "expectedVersion",
        "Int",
        "The version that the change starts from; another is refused with CONFLICT.",
    )
}
