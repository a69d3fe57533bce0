//! Values of a mutation's input, read with their paths. What is wrong is gathered, so that one answer tells all.

use std::ops::RangeInclusive;
use std::sync::Mutex;

use async_graphql::Value;
use chrono::NaiveDate;
use entity::StringList;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::problem::{Failure, Problem, ProblemCode};
use crate::graphql::scalars::{Parsed, PartialDate, Scalar};
use crate::ids;
use crate::read::coerce::Arguments;
use crate::text;

/// A field of an update: absent is not null.
#[derive(Clone, Debug, PartialEq)]
pub enum Patch<T> {
    /// Not given: leave as it is.
    Keep,
    /// Null: empty it.
    Clear,
    /// A value.
    Set(T),
}

impl<T> Patch<T> {
    /// The value after the change.
    pub fn or(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// Whether it was given.
    pub const fn is_given(&self) -> bool {
        !matches!(self, Self::Keep)
    }
}

/// The coerced input of a mutation.
#[derive(Debug)]
pub struct Input<'i> {
    values: &'i Arguments,
    malformed: &'i [Problem],
    problems: Mutex<Vec<Problem>>,
}

impl<'i> Input<'i> {
    /// An input to read.
    pub fn new(values: &'i Arguments) -> Self {
        Self { values, malformed: &[], problems: Mutex::default() }
    }

    /// The same, with what in it is not of its form.
    #[must_use]
    pub fn with_malformed(mut self, malformed: &'i [Problem]) -> Self {
        self.malformed = malformed;
        self
    }

    /// What is not of its form, for those who tell of it in parts.
    pub const fn malformed(&self) -> &'i [Problem] {
        self.malformed
    }

    /// What was found; of what was not, the problems are noted, and the mutation goes on until [`Input::check`].
    pub fn found<T>(&self, found: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match found {
            Ok(found) => Ok(Some(found)),
            Err(Failure::Problems(problems)) => {
                for problem in problems {
                    self.problem(problem);
                }
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Notes a problem; the mutation goes on until [`Input::check`].
    pub fn problem(&self, problem: Problem) {
        if let Ok(mut problems) = self.problems.lock() {
            problems.push(problem);
        }
    }

    /// Notes a problem with a field.
    pub fn wrong(&self, code: ProblemCode, field: &str, message: impl Into<String>) {
        self.problem(Problem::at(code, field, message));
    }

    /// Fails with everything that was noted so far.
    pub fn check(&self) -> Result<(), Failure> {
        match self.noted() {
            Failure::Problems(noted) if noted.is_empty() => Ok(()),
            noted => Err(noted),
        }
    }

    /// Everything that was noted so far.
    pub fn noted(&self) -> Failure {
        let noted = self.problems.lock().map(|mut problems| std::mem::take(&mut *problems));
        Failure::Problems(noted.unwrap_or_default())
    }

    /// The value as it came, if it was given.
    pub fn given(&self, name: &str) -> Option<&'i Value> {
        self.values.get(name)
    }

    fn patch<T>(&self, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Patch<T> {
        match self.values.get(name) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Clear,
            Some(value) => read(value).map_or(Patch::Keep, Patch::Set),
        }
    }

    /// A text, normalised and within bounds of length.
    pub fn text(&self, name: &str, length: RangeInclusive<usize>) -> Patch<String> {
        self.patch(name, |value| match value {
            Value::String(raw) => self.clean(name, raw, &length),
            _ => None,
        })
    }

    fn clean(&self, name: &str, raw: &str, length: &RangeInclusive<usize>) -> Option<String> {
        let Ok(clean) = text::normalise(raw) else {
            self.wrong(ProblemCode::InvalidText, name, "control characters are not taken");
            return None;
        };
        let count = clean.chars().count();
        if length.contains(&count) {
            return Some(clean);
        }
        let message = format!("{count} characters; expected {} to {}", length.start(), length.end());
        self.wrong(ProblemCode::OutOfBounds, name, message);
        None
    }

    /// A text that an object cannot be without; null is noted as a problem.
    pub fn needed_text(&self, name: &str, length: RangeInclusive<usize>) -> Patch<String> {
        self.not_null(name, self.text(name, length))
    }

    /// A value that an object cannot be without; null is noted as a problem.
    pub fn not_null<T>(&self, name: &str, patch: Patch<T>) -> Patch<T> {
        if matches!(patch, Patch::Clear) {
            self.wrong(ProblemCode::Required, name, "cannot be emptied");
            return Patch::Keep;
        }
        patch
    }

    /// A code or other scalar held as text.
    pub fn code(&self, name: &str, scalar: Scalar) -> Patch<String> {
        self.patch(name, |value| match scalar.parse(value) {
            Ok(Parsed::Text(text)) => Some(text),
            _ => None,
        })
    }

    /// An enum value.
    pub fn choice<T>(&self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Patch<T> {
        self.patch(name, |value| if let Value::Enum(name) = value { parse(name) } else { None })
    }

    /// An enum value that an object cannot be without; null is noted as a problem.
    pub fn needed<T>(&self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Patch<T> {
        self.not_null(name, self.choice(name, parse))
    }

    /// A boolean that an object cannot be without.
    pub fn flag(&self, name: &str) -> Patch<bool> {
        let patch =
            self.patch(name, |value| if let Value::Boolean(value) = value { Some(*value) } else { None });
        self.not_null(name, patch)
    }

    /// A 32-bit integer within bounds.
    pub fn integer(&self, name: &str, bounds: RangeInclusive<i32>) -> Patch<i32> {
        self.patch(name, |value| {
            let Value::Number(number) = value else { return None };
            let value = number.as_i64().and_then(|number| i32::try_from(number).ok())?;
            if bounds.contains(&value) {
                return Some(value);
            }
            let message = format!("{value}; expected {} to {}", bounds.start(), bounds.end());
            self.wrong(ProblemCode::OutOfBounds, name, message);
            None
        })
    }

    /// A 64-bit integer, zero or more.
    pub fn amount(&self, name: &str) -> Patch<i64> {
        self.patch(name, |value| match Scalar::BigInt.parse(value) {
            Ok(Parsed::Int(amount)) if amount >= 0 => Some(amount),
            _ => {
                self.wrong(ProblemCode::OutOfBounds, name, "expected cents, zero or more");
                None
            }
        })
    }

    /// An exact decimal.
    pub fn decimal(&self, name: &str) -> Patch<Decimal> {
        self.patch(name, |value| match Scalar::Decimal.parse(value) {
            Ok(Parsed::Decimal(decimal)) => Some(decimal),
            _ => None,
        })
    }

    /// A civil date.
    pub fn date(&self, name: &str) -> Patch<NaiveDate> {
        self.patch(name, |value| match Scalar::Date.parse(value) {
            Ok(Parsed::Date(date)) => Some(date),
            _ => None,
        })
    }

    /// A partial date.
    pub fn period(&self, name: &str) -> Patch<PartialDate> {
        self.patch(name, |value| match Scalar::PartialDate.parse(value) {
            Ok(Parsed::Period(period)) => Some(period),
            _ => None,
        })
    }

    /// A list of enum values or codes, each once; null empties it.
    pub fn list(&self, name: &str, scalar: Option<Scalar>) -> Patch<StringList> {
        match self.values.get(name) {
            None => Patch::Keep,
            Some(Value::List(items)) => {
                let mut list: Vec<String> = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    let Some(item) = element(item, scalar) else {
                        let message = "control characters are not taken";
                        self.problem(Problem::at(ProblemCode::InvalidText, name, message).then(index));
                        continue;
                    };
                    if !list.contains(&item) {
                        list.push(item);
                    }
                }
                Patch::Set(StringList(list))
            }
            Some(_) => Patch::Set(StringList::default()),
        }
    }

    /// The id of an object of a noun with this prefix.
    pub fn id(&self, name: &str, prefix: &str) -> Patch<Uuid> {
        self.patch(name, |value| {
            let Value::String(text) = value else { return None };
            let found = ids::decode(text).ok().filter(|(kind, _)| *kind == prefix).map(|(_, id)| id);
            if found.is_none() {
                self.wrong(ProblemCode::NotFound, name, format!("expected an id that begins with {prefix}_"));
            }
            found
        })
    }

    /// The id of the object that the mutation is about.
    pub fn subject(&self, name: &str, prefix: &str) -> Result<Uuid, Failure> {
        if let Patch::Set(id) = self.id(name, prefix) {
            return Ok(id);
        }
        self.check()?;
        Err(Problem::at(ProblemCode::Required, name, "an id is needed").into())
    }

    /// `expectedVersion`, if given.
    pub fn expected_version(&self) -> Option<i32> {
        match self.patch("expectedVersion", |value| match value {
            Value::Number(number) => number.as_i64().and_then(|number| i32::try_from(number).ok()),
            _ => None,
        }) {
            Patch::Set(version) => Some(version),
            _ => None,
        }
    }
}

fn element(item: &Value, scalar: Option<Scalar>) -> Option<String> {
    match (item, scalar) {
        (Value::Enum(name), _) => Some(name.to_string()),
        (value, Some(scalar)) => match scalar.parse(value) {
            Ok(Parsed::Text(text)) => Some(text),
            _ => None,
        },
        (Value::String(text), None) => text::normalise(text).ok(),
        _ => None,
    }
}
