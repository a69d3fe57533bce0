//! What is wrong with a write, for the one who sent it.

use sea_orm::{DbErr, SqlErr};

use crate::error::ApiError;
use crate::read::declare::EnumType;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// Stable codes of `userErrors`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemCode { $($(#[doc = $doc])* $variant,)* }

        impl ProblemCode {
            /// The code as clients see it.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name,)* } }

            /// The code of that name.
            pub fn parse(name: &str) -> Option<Self> { match name { $($name => Some(Self::$variant),)* _ => None } }
        }

        /// The same as a GraphQL enum.
        pub const USER_ERROR_CODE: EnumType = EnumType {
            name: "UserErrorCode",
            description: "What is wrong with a write; new values may be added.",
            values: &[$(($name, concat!($($doc),*).trim_ascii()),)*],
        };
    };
}

codes! {
    /// There is no such object, or none that the caller may read.
    NotFound = "NOT_FOUND",
    /// The caller may read the object but not do this to it.
    Forbidden = "FORBIDDEN",
    /// The object has changed since `expectedVersion`; nothing was written.
    Conflict = "CONFLICT",
    /// A value is missing.
    Required = "REQUIRED",
    /// A text is too short or too long, or a number or date out of bounds.
    OutOfBounds = "OUT_OF_BOUNDS",
    /// A text holds characters that are not taken.
    InvalidText = "INVALID_TEXT",
    /// A code, date or other scalar is not of its form.
    InvalidFormat = "INVALID_FORMAT",
    /// A code is well formed but not in its referential.
    UnknownCode = "UNKNOWN_CODE",
    /// The object is not in a state from which this leads; the message lists those it may move to.
    InvalidTransition = "INVALID_TRANSITION",
    /// The same thing exists already.
    Duplicate = "DUPLICATE",
    /// A rule of the domain does not allow it.
    Rule = "RULE",
    /// What the field says is settled in the object's state.
    Frozen = "FROZEN",
    /// Several objects fit what was given; more is needed to tell them apart.
    Ambiguous = "AMBIGUOUS",
    /// Ours is newer; nothing was written. Only in notices.
    Stale = "STALE",
    /// The code was followed by another, which is named. Only in notices.
    Successor = "SUCCESSOR",
    /// A snapshot does not hold the action, which is deleted. Only in the history of imports.
    Absent = "ABSENT",
    /// It does more than the caller may expect; the field that confirms it is named.
    Unconfirmed = "UNCONFIRMED",
    /// The idempotency key was used with another input.
    IdempotencyMismatch = "IDEMPOTENCY_MISMATCH",
    /// All or nothing was asked, and another mutation of the document was refused or failed.
    NotWritten = "NOT_WRITTEN",
}

/// One thing that is wrong, and where in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable code.
    pub code: ProblemCode,
    /// Path into the mutation's arguments: `["input", "qpvs", "1"]`.
    pub path: Vec<String>,
    /// What is wrong and what is expected, for people.
    pub message: String,
}

impl Problem {
    /// A problem with one field of the input; an empty name stands for the input as a whole.
    pub fn at(code: ProblemCode, field: &str, message: impl Into<String>) -> Self {
        let mut path = vec!["input".to_owned()];
        if !field.is_empty() {
            path.push(field.to_owned());
        }
        Self { code, path, message: message.into() }
    }

    /// A transition that does not exist, with those that do.
    pub fn transition<'a>(from: &str, to: &str, allowed: impl Iterator<Item = &'a str>) -> Self {
        let allowed: Vec<&str> = allowed.collect();
        let allowed = if allowed.is_empty() { "nothing: it is final".to_owned() } else { allowed.join(", ") };
        let message = format!("{from} does not lead to {to}; it leads to {allowed}");
        Self::at(ProblemCode::InvalidTransition, "to", message)
    }

    /// Puts another field of the input in the path's place.
    #[must_use]
    pub fn on(mut self, field: &str) -> Self {
        self.path = vec!["input".to_owned(), field.to_owned()];
        self
    }

    /// Puts a position or a field after the path.
    #[must_use]
    pub fn then(mut self, step: impl std::fmt::Display) -> Self {
        self.path.push(format!("{step}"));
        self
    }
}

/// Why a mutation wrote nothing.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The caller can mend it: `userErrors`.
    Problems(Vec<Problem>),
    /// A fault: `errors`.
    Fault(ApiError),
}

impl Failure {
    /// What two checks give, or what is wrong with either of them.
    pub fn both<A, B>(one: Result<A, Self>, other: Result<B, Self>) -> Result<(A, B), Self> {
        match (one, other) {
            (Ok(one), Ok(other)) => Ok((one, other)),
            (Err(Self::Problems(one)), Err(Self::Problems(other))) => {
                Err(Self::Problems(one.into_iter().chain(other).collect()))
            }
            (Err(fault @ Self::Fault(_)), _) | (_, Err(fault @ Self::Fault(_))) => Err(fault),
            (Err(failure), _) | (_, Err(failure)) => Err(failure),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problems(vec![problem])
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Fault(error)
    }
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        // a rule that the database itself holds, broken by a concurrent writer; the work checks each one before
        if let Some(SqlErr::UniqueConstraintViolation(_)) = error.sql_err() {
            return Problem::at(ProblemCode::Duplicate, "", "the same exists already, since a moment").into();
        }
        Self::Fault(error.into())
    }
}
