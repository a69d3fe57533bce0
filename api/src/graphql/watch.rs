//! What the operator gets to know of an operation: its metrics, its span, and a line in the log.

use std::time::Instant;

use async_graphql::Name;
use async_graphql::parser::types::OperationType;

use super::execute::{Answer, Outcome};
use crate::auth::{Actor, Role};
use crate::error::Code;
use crate::limits;
use crate::metrics::{Counted, Ended, Metrics, type_name};
use crate::telemetry;

/// An operation that is watched.
pub(super) struct Watch<'m> {
    metrics: &'m Metrics,
    counted: &'m Counted,
    begun: Instant,
    name: Option<Name>,
    ty: &'static str,
}

impl<'m> Watch<'m> {
    /// Begins to watch one that is not read yet.
    pub fn new(metrics: &'m Metrics) -> Self {
        Self { metrics, counted: metrics.operations.unread(), begun: Instant::now(), name: None, ty: "none" }
    }

    /// It was found in its document. Callers without a token give no names to metrics.
    pub fn found(&mut self, name: Option<&Name>, ty: OperationType, caller: &Actor) {
        let may_name = caller.role != Role::Public;
        self.counted = self.metrics.operations.of(name.map(Name::as_str), ty, may_name);
        self.name = name.cloned();
        self.ty = type_name(ty);
        telemetry::describe(self.short_name(), self.ty);
    }

    fn short_name(&self) -> Option<&str> {
        self.name.as_deref().map(|name| name.get(..limits::OPERATION_NAME_BYTES).unwrap_or(name))
    }

    /// It has ended with an answer, or begins to be followed.
    pub fn end(self, answer: Option<&Answer>, requested: u64) {
        let took = self.begun.elapsed();
        let Some(answer) = answer else {
            self.counted.end(took, Ended::Well);
            self.counted.cost(requested, requested, 0, 0);
            return;
        };
        let ended = match answer.outcome {
            Outcome::Executed if answer.codes.is_empty() => Ended::Well,
            Outcome::Executed => Ended::WithErrors,
            _ => Ended::Refused,
        };
        let tally = answer.tally;
        self.counted.end(took, ended);
        self.counted.cost(requested, tally.points, tally.rows, tally.statements);
        for code in &answer.codes {
            self.metrics.error(*code);
        }
        // what went wrong was logged where it did; here it gets a name
        let is_fault = |code: &Code| {
            matches!(code, Code::Internal | Code::DeadlineExceeded | Code::Unavailable | Code::OutcomeUnknown)
        };
        let name = self.short_name();
        if let Some(code) = answer.codes.iter().find(|code| is_fault(code)) {
            telemetry::failed(code.name());
            tracing::warn!(operation = name, r#type = self.ty, code = code.name(), "an operation failed");
        } else {
            tracing::debug!(
                operation = name,
                r#type = self.ty,
                ?ended,
                ?took,
                points = tally.points,
                rows = tally.rows,
                statements = tally.statements,
                "an operation ended"
            );
        }
    }
}
