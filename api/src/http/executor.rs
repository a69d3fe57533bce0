//! What the HTTP layer asks of the engine.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use async_graphql::Variables;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::Stream;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value};
use tokio::sync::OwnedMutexGuard;

use crate::clients::Client;
use crate::limits;
use crate::metrics::Metrics;

/// The engine behind the HTTP layer.
#[async_trait]
pub trait Executor: Send + Sync + 'static {
    /// Who makes a request, as the engine knows them.
    type Actor: Clone + Send;

    /// Lines of an upload that were read.
    type Lines: Send;

    /// Tells who makes the request from its `Authorization` header, scheme included.
    ///
    /// Without a header the actor is the public; a header that does not prove who it is must be refused,
    /// never read as the public.
    async fn authenticate(&self, authorization: Option<&str>) -> Result<Self::Actor, AuthRefusal>;

    /// Which client an actor is, for what each may hold at once; by its address alone as long as it is not known who it
    /// is.
    fn client(&self, actor: Option<&Self::Actor>, address: Option<IpAddr>) -> Client;

    /// Largest body taken from a caller, in bytes.
    fn body_bytes(&self, actor: &Self::Actor) -> usize;

    /// Whether a caller can pay for a request at all, asked before its body is read; otherwise the answer is given.
    fn affords(&self, actor: &Self::Actor, address: Option<IpAddr>) -> Result<(), GraphqlAnswer>;

    /// Executes one operation; every fault of the document or of its data is in the answer.
    async fn execute(&self, request: GraphqlRequest, actor: Self::Actor) -> GraphqlAnswer;

    /// Executes one operation, or begins to follow what it subscribes to. The turn is given up when those after it may
    /// begin: once a subscription follows, so that it tells what they write, and before anything else is executed.
    async fn operate(&self, request: GraphqlRequest, actor: Self::Actor, turn: Turn) -> Operated;

    /// Why what goes on for an actor is to end, once the token by which he is known is good no longer.
    fn ending(&self, actor: &Self::Actor) -> Option<Ending>;

    /// Whether an actor may import anything at all.
    fn may_import(&self, actor: &Self::Actor) -> Result<(), ImportFailure>;

    /// Reads some lines of an upload, without the database: others may be imported meanwhile.
    fn read(&self, chunk: ImportChunk) -> Result<Self::Lines, ImportFailure>;

    /// Imports them; the answer is NDJSON, a line for each that is not blank.
    async fn import(&self, lines: Self::Lines, actor: Self::Actor) -> Result<Vec<u8>, ImportFailure>;

    /// Begins to take a list out as a file.
    async fn export(&self, request: ExportRequest, actor: Self::Actor)
    -> Result<ExportAnswer, ExportFailure>;

    /// Whether requests can be answered now; the error says why not, for the log alone.
    async fn ready(&self) -> Result<(), String>;

    /// Where requests are counted.
    fn metrics(&self) -> Arc<Metrics>;

    /// All metrics as text, with the number of streams that are open.
    async fn scrape(&self, streams: usize) -> Result<String, String>;

    /// The schema, as text.
    fn schema(&self) -> &str;

    /// The time.
    fn now(&self) -> DateTime<Utc>;
}

/// One well-formed GraphQL request; its document has not been looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphqlRequest {
    /// The document, unless it is only named.
    pub query: Option<String>,
    /// The identifier of the document: of the client's choice, or `sha256:` with its hash.
    pub document_id: Option<String>,
    /// Which of the document's operations to execute.
    pub operation_name: Option<String>,
    /// Values of the operation's variables, not yet coerced.
    pub variables: Variables,
    /// What the client adds beside the specification.
    pub extensions: Map<String, Value>,
    /// Made by GET: a mutation must be refused with [`AnswerKind::ReadOnly`], before anything is executed.
    pub read_only: bool,
    /// Bytes that were read to have it, inflated: they cost points.
    pub bytes: usize,
    /// The `x-request-id` of the answer, for traces and the journal.
    pub request_id: String,
    /// Where it comes from, which tells anonymous clients apart.
    pub address: Option<IpAddr>,
    /// It is of this server's own pages.
    pub is_ours: bool,
}

/// The engine's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphqlAnswer {
    /// The complete GraphQL response, as JSON in UTF-8.
    pub body: Vec<u8>,
    /// What the body holds, from which comes the HTTP status.
    pub kind: AnswerKind,
    /// A hash of the data, if everybody gets the same: caches may keep it for a while.
    pub shared: Option<String>,
}

/// What an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// The operation was executed: the body has `data`, perhaps null, perhaps with errors.
    Data,
    /// The document, the operation name or the variables were refused: the body has errors and no `data`.
    RequestError,
    /// The operation is a mutation and the request was read-only; nothing was executed.
    ReadOnly,
    /// The engine cannot execute anything for now; the same request may succeed later.
    Unavailable,
    /// The client has asked for too much of late; nothing was executed.
    RateLimited {
        /// After how many seconds the same may be asked again.
        retry_after: u32,
    },
}

/// The turn of an operation among those of its connection; none when it is alone there.
pub type Turn = Option<OwnedMutexGuard<()>>;

/// What became of an operation.
pub enum Operated {
    /// It is done.
    Answer(GraphqlAnswer),
    /// It goes on: each event is a complete GraphQL response, as JSON in UTF-8. An error is the last item. Nothing is
    /// read ahead of who polls.
    Events(BoxStream<'static, Result<Vec<u8>, Ending>>),
}

/// Why events end. Those who follow may begin again after the last that they got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The token has ended.
    Expired,
    /// The token was revoked.
    TokenRevoked,
    /// The caller's grant has changed or ended.
    Revoked,
    /// They cannot go on; a response, as JSON, that says why.
    Failed(Vec<u8>),
}

/// Why a request's author is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthRefusal {
    /// The header or its token is not valid: 401.
    Invalid {
        /// The error's `extensions.code`.
        code: &'static str,
        /// What is wrong and what was expected, without the token or any part of it.
        message: String,
        /// The value of the `WWW-Authenticate` header (RFC 6750).
        challenge: String,
    },
    /// The token cannot be checked for now, as when the issuer's keys were never obtained: 503.
    Unavailable,
}

/// A line of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportLine {
    /// A text, whatever it says.
    Text(String),
    /// It is not UTF-8.
    NotText,
    /// It has more than [`limits::IMPORT_LINE_BYTES`], and was not kept.
    TooLong,
}

/// Lines of an upload.
#[derive(Clone, Debug)]
pub struct ImportChunk {
    /// Number of the first, from 0.
    pub first: u64,
    /// The lines.
    pub lines: Vec<ImportLine>,
    /// The client's own key for the upload.
    pub key: Option<String>,
    /// The `x-request-id` of the answer, for the journal.
    pub request_id: String,
}

/// Why some lines were not imported, none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportFailure {
    /// Stable code.
    pub code: &'static str,
    /// The same for people.
    pub message: String,
    /// After how many seconds to go on, where that is known.
    pub retry_after: Option<u32>,
}

impl ImportFailure {
    /// A failure with a code and a text.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// One that passes.
    pub fn passing(code: &'static str, message: impl Into<String>) -> Self {
        Self { retry_after: Some(limits::RETRY_AFTER_SECONDS), ..Self::new(code, message) }
    }
}

/// A file that is asked for.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// Its name, as `actions.csv`.
    pub file: String,
    /// The parameters, as given.
    pub parameters: Vec<(String, String)>,
    /// Entity tags that the client holds; `*` stands for any.
    pub known: Vec<String>,
    /// Nothing but the head is asked for.
    pub head_only: bool,
    /// The `x-request-id` of the answer, for the journal.
    pub request_id: String,
    /// Where it comes from, which tells anonymous clients apart.
    pub address: Option<IpAddr>,
}

/// A file.
pub struct ExportAnswer {
    /// Its entity tag.
    pub tag: String,
    /// The client has it.
    pub is_known: bool,
    /// Name under which it is saved.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes; none when the client has it, or asked for the head alone.
    pub body: Option<ExportBody>,
}

/// The bytes of a file, as they come. An error stands for the end that is missing.
pub type ExportBody = Pin<Box<dyn Stream<Item = Result<Vec<u8>, Unfinished>> + Send>>;

/// A file broken off: what was sent of it is worth nothing.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the file could not be finished")]
pub struct Unfinished;

/// Why there is no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportFailure {
    /// No file has that name.
    NoSuchFile,
    /// It was refused.
    Refused {
        /// The errors, as a GraphQL response.
        body: Vec<u8>,
        /// Why.
        kind: AnswerKind,
    },
}
