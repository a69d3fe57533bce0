//! What may go wrong: told to the log, answered as 500, which ends the benchmark.

use std::fmt;

use actix_web::ResponseError;

/// Any failure.
#[derive(Debug)]
pub struct Failure(anyhow::Error);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl ResponseError for Failure {}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}
