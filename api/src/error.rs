//! The one error that goes out: a stable code, a text for people, where it happened. What the cause said stays
//! in the log.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};

use async_graphql::Pos;
use sea_orm::DbErr;

use crate::codes::Again;
use crate::db;
use crate::limits;

/// Refused as a whole, or in one field.
const PARTIAL: &str = "400, or 200 with a `path`";

/// Codes that clients may rely on (`extensions.code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The document does not parse.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
    /// Which operation to run is not told, or there is none of that name.
    OperationNotFound,
    /// A variable or an argument is missing, of the wrong type or out of bounds.
    BadUserInput,
    /// A code, date or other scalar is not of its form.
    InvalidFormat,
    /// An id is malformed, or of another type.
    InvalidId,
    /// A cursor is malformed, or of another list or order.
    InvalidCursor,
    /// A cursor of the change feed is too old, or of another copy of the database.
    CursorExpired,
    /// The operation asks for more than a limit allows.
    LimitExceeded,
    /// The client has asked for too much of late.
    RateLimited,
    /// No document is known by the identifier.
    PersistedQueryNotFound,
    /// The caller runs nothing but trusted documents.
    DocumentNotTrusted,
    /// The caller may not do this.
    Forbidden,
    /// A write may be done or not; sent again with its idempotency key, it is done once.
    OutcomeUnknown,
    /// The request took longer than a request may, and was stopped; nothing was written.
    DeadlineExceeded,
    /// The database does not answer, or too many exports or uploads are under way; the same request may succeed later.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl Code {
    /// Every code with its HTTP status, whether to send the request again, and what it means; for the documentation.
    pub const ALL: &[(Self, &str, Again, &str)] = &[
        (Self::GraphqlParseFailed, "400", Again::Never, "The document does not parse."),
        (Self::GraphqlValidationFailed, "400", Again::Never, "The document does not fit the schema."),
        (
            Self::OperationNotFound,
            "400",
            Again::Never,
            "Which operation to run is not told, or there is none of that name.",
        ),
        (
            Self::BadUserInput,
            "400, or 200 with a `path`; 405 for a mutation sent by GET",
            Again::Never,
            "A variable or an argument is missing, of the wrong type or out of bounds.",
        ),
        (
            Self::InvalidFormat,
            PARTIAL,
            Again::Never,
            "A code, date or other scalar is not of its form; `expected` says which.",
        ),
        (Self::InvalidId, PARTIAL, Again::Never, "An id is malformed, or of another type."),
        (Self::InvalidCursor, PARTIAL, Again::Never, "A cursor is malformed, or of another list or order."),
        (
            Self::CursorExpired,
            PARTIAL,
            Again::Never,
            "A cursor of the change feed is too old, or of another copy of the database; start over.",
        ),
        (Self::LimitExceeded, PARTIAL, Again::Never, "The operation asks for more than a limit allows."),
        (
            Self::RateLimited,
            "429",
            Again::Later,
            "The client has asked for too much of late, or has as many exports, uploads or streams under way as it may; `retryAfter` and the header `Retry-After` say after how many \
             seconds the same may be asked ([limits](limits.md)).",
        ),
        (
            Self::PersistedQueryNotFound,
            "400",
            Again::Never,
            "No document is known by this identifier; send the document with it ([documents](documents.md)).",
        ),
        (
            Self::DocumentNotTrusted,
            "400",
            Again::Never,
            "Callers of this role run nothing but the documents of the operator's manifest.",
        ),
        (Self::Forbidden, PARTIAL, Again::Never, "The caller may not do this."),
        (
            Self::OutcomeUnknown,
            "200 with a `path`",
            Again::WithKey,
            "A write may be done or not; sent again with its idempotency key, it is done once.",
        ),
        (
            Self::DeadlineExceeded,
            "200 with `data: null` or a `path`, 400 for a file",
            Again::Never,
            "The request took longer than a request may, and was stopped; nothing was written. Ask for less at once.",
        ),
        (
            Self::Unavailable,
            "503, or 200 with a `path`",
            Again::Later,
            "The database does not answer, or more is asked than can be served at once; the same request may succeed later.",
        ),
        (
            Self::Internal,
            "200, or 500 for a file",
            Again::Later,
            "A fault of ours; the request id helps to find it.",
        ),
    ];

    /// The code as clients see it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::OperationNotFound => "OPERATION_NOT_FOUND",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::InvalidFormat => "INVALID_FORMAT",
            Self::InvalidId => "INVALID_ID",
            Self::InvalidCursor => "INVALID_CURSOR",
            Self::CursorExpired => "CURSOR_EXPIRED",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::RateLimited => "RATE_LIMITED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::DocumentNotTrusted => "DOCUMENT_NOT_TRUSTED",
            Self::Forbidden => "FORBIDDEN",
            Self::OutcomeUnknown => "OUTCOME_UNKNOWN",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// A step of the path in the answer or in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A response key or the name of an input field.
    Key(String),
    /// A position in a list.
    Index(usize),
}

/// An error as it goes out. On the heap, so that results stay small.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct ApiError(Box<Fault>);

/// What an error says.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Stable code.
    pub code: Code,
    /// What is wrong, for people.
    pub message: Cow<'static, str>,
    /// What would be right.
    pub expected: Option<Cow<'static, str>>,
    /// Where in the answer.
    pub path: Vec<Step>,
    /// Where in the input, from the argument down.
    pub input: Vec<Step>,
    /// Where in the document.
    pub locations: Vec<Pos>,
    /// After how many seconds the same may be asked again, where more is known of it than its code says.
    pub retry_after: Option<u32>,
    /// Another transaction stood in the way, or the connection was lost: nothing was written, and the same may succeed
    /// at once.
    pub is_transient: bool,
}

impl Deref for ApiError {
    type Target = Fault;

    fn deref(&self) -> &Fault {
        &self.0
    }
}

impl DerefMut for ApiError {
    fn deref_mut(&mut self) -> &mut Fault {
        &mut self.0
    }
}

impl ApiError {
    /// An error with a code and a text.
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Fault {
            code,
            message: message.into(),
            expected: None,
            path: Vec::new(),
            input: Vec::new(),
            locations: Vec::new(),
            retry_after: None,
            is_transient: false,
        }))
    }

    /// Nothing was written, and the same may succeed at once.
    pub fn transient() -> Self {
        let mut error = Self::unavailable();
        error.is_transient = true;
        error
    }

    fn unavailable() -> Self {
        Self::new(Code::Unavailable, "the database does not answer at the moment; try again shortly")
    }

    /// The request took longer than a request may.
    pub fn too_long() -> Self {
        Self::new(Code::DeadlineExceeded, "this took longer than a request may take, and was stopped")
            .expected("less at once: smaller pages, fewer lists, a narrower filter")
    }

    /// After how many seconds the same may be asked again; none when that is not known, or never.
    pub fn again_after(&self) -> Option<u32> {
        self.retry_after.or(match self.code {
            Code::Unavailable | Code::OutcomeUnknown => Some(limits::RETRY_AFTER_SECONDS),
            _ => None,
        })
    }

    /// Says what would be right.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<Cow<'static, str>>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Says where in the document, unless that is known.
    #[must_use]
    pub fn at(mut self, position: Pos) -> Self {
        if self.locations.is_empty() {
            self.locations.push(position);
        }
        self
    }

    /// Puts a step before the path in the answer.
    #[must_use]
    pub fn under(mut self, key: &str) -> Self {
        self.path.insert(0, Step::Key(key.to_owned()));
        self
    }

    /// Puts a step before the path in the input.
    #[must_use]
    pub fn in_field(mut self, name: &str) -> Self {
        self.input.insert(0, Step::Key(name.to_owned()));
        self
    }

    /// Puts a list position before the path in the input.
    #[must_use]
    pub fn in_item(mut self, index: usize) -> Self {
        self.input.insert(0, Step::Index(index));
        self
    }
}

/// Faults of the database: out of reach, or a fault of ours. The cause is logged here, once.
impl From<DbErr> for ApiError {
    fn from(error: DbErr) -> Self {
        if db::is_contended(&error) {
            tracing::info!(%error, "a transaction gave way to another");
            Self::transient()
        } else if db::is_too_long(&error) {
            tracing::warn!(%error, "a statement took too long");
            Self::too_long()
        } else if db::is_lost(&error) {
            tracing::warn!(%error, "a connection was lost");
            Self::transient()
        } else if is_unavailable(&error) {
            tracing::warn!(%error, "the database is out of reach");
            Self::unavailable()
        } else {
            tracing::error!(%error, "a statement failed");
            Self::new(Code::Internal, "something went wrong on our side")
        }
    }
}

/// Whether an error says that the database is out of reach rather than that a statement is wrong.
pub fn is_unavailable(error: &DbErr) -> bool {
    use sea_orm::{RuntimeErr, sqlx};
    // without a connection no statement was tried, whatever the server said
    if matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) {
        return true;
    }
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return false;
    };
    match cause.as_ref() {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| no_service(&code)),
        _ => false,
    }
}

/// Connection exceptions, operator intervention, out of resources. SQLite's codes are numbers, the kind in the last
/// byte: busy, read-only, input or output, full, cannot open.
fn no_service(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 8 | 10 | 13 | 14),
        _ => code == "25006" || ["08", "57P", "53"].iter().any(|class| code.starts_with(class)),
    }
}
