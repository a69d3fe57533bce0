//! The one way to write: a mutation's input is checked whole, its row is locked under the caller's rights, changed,
//! journaled and answered in one transaction.
//!
//! `declare` says what a mutation takes and gives, `input` reads values with their paths and gathers what is
//! wrong, `formats` what is malformed, `guard` finds rows that the caller may write, `idempotency` keeps answers for retries, `run` ties them.

pub mod declare;
mod formats;
mod guard;
mod idempotency;
pub mod input;
mod problem;
mod refusals;
mod rescope;
pub(crate) mod row;
mod run;
pub mod source;

use crate::db::Transaction;
use chrono::{DateTime, NaiveDate, Utc};

use crate::db::Backend;
use crate::policy::Viewer;

pub use self::declare::{Mutation, Target};
pub use self::formats::malformed;
pub use self::guard::{Place, Resources};
pub use self::idempotency::prune;
pub use self::input::Input;
pub use self::problem::{Failure, Problem, ProblemCode, USER_ERROR_CODE};
pub use self::refusals::Refusals;
pub use self::run::{Asked, Change, Done, Sender, Written, run};

/// What a write works with: one transaction, the caller, the time.
#[derive(Clone, Copy, Debug)]
pub struct Writing<'w> {
    /// The transaction of this mutation, or of its whole document.
    pub tx: &'w Transaction,
    /// Who writes.
    pub viewer: &'w Viewer,
    /// Kind of database.
    pub backend: Backend,
    /// One instant for everything that this mutation writes.
    pub now: DateTime<Utc>,
    /// Id of the request, for the journal.
    pub request_id: &'w str,
    /// The server is one for development.
    pub is_development: bool,
}

impl Writing<'_> {
    /// The client, as its rows name it; the person where a token names no client.
    pub fn client(&self) -> String {
        let actor = &self.viewer.actor;
        actor.client_id.clone().or_else(|| actor.sub.clone()).unwrap_or_default()
    }

    /// The civil date in France.
    pub fn today(&self) -> NaiveDate {
        self.viewer.today
    }
}
