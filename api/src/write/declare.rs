//! What a mutation is: its input, its answer, its work.

use std::future::Future;
use std::pin::Pin;

use async_graphql::dynamic::TypeRef;

use super::Writing;
use super::input::Input;
use super::problem::Failure;
use super::run::Change;
use crate::read::model::Argument;

/// What a mutation returns: the noun it changed, and the name under which the payload shows it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Field of the payload.
    pub field: &'static str,
    /// Noun.
    pub noun: &'static str,
}

/// The work of a mutation, inside its transaction.
pub type Work = for<'c> fn(
    Writing<'c>,
    &'c Input<'c>,
) -> Pin<Box<dyn Future<Output = Result<Change, Failure>> + Send + 'c>>;

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
    /// Table whose erased values must not linger in the database's files.
    pub scrub: Option<&'static str>,
}

impl Mutation {
    /// A mutation of a noun that its payload shows under `field`.
    pub fn new(
        name: &'static str,
        target: Target,
        description: &'static str,
        input: impl Into<Vec<Argument>>,
        work: Work,
    ) -> Self {
        Self { name, description, input: input.into(), target, work, scrub: None }
    }

    /// Has what it erased in a table rewritten in the database's files.
    #[must_use]
    pub fn scrubs(mut self, table: &'static str) -> Self {
        self.scrub = Some(table);
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
