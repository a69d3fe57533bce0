//! The engine as HTTP asks it: requests and answers in the one's words and in the other's.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::auth::{Actor, AuthError, Authenticator, Scope};
use crate::clients::Client;
use crate::clock::Clock;
use crate::error::{ApiError, Code};
use crate::export::{self, Asked, Body, Exported, File, Options};
use crate::graphql::{self, Answer, Engine, Operated, Operation, Outcome};
use crate::http::{
    self, AnswerKind, AuthRefusal, Executor, ExportAnswer, ExportBody, ExportFailure, ExportRequest,
    GraphqlAnswer, GraphqlRequest, ImportChunk, ImportFailure, ImportLine, Unfinished,
};
use crate::limits;
use crate::live;
use crate::metrics::Metrics;
use crate::sync::{Chunk, Read};

/// The engine behind HTTP.
pub(super) struct Service {
    pub engine: Arc<Engine>,
    pub auth: Arc<Authenticator>,
    pub clock: Arc<dyn Clock>,
}

impl Service {
    /// Why a token that was good is good no more.
    fn ended(&self, actor: &Actor) -> Option<AuthError> {
        if self.engine.revocations.name(actor) {
            return Some(AuthError::Revoked);
        }
        actor.expires_at.is_some_and(|end| end <= self.clock.now()).then_some(AuthError::Expired)
    }
}

#[async_trait::async_trait]
impl Executor for Service {
    type Actor = Actor;
    type Lines = Read;

    async fn authenticate(&self, authorization: Option<&str>) -> Result<Actor, AuthRefusal> {
        self.auth.authenticate(authorization).await.map_err(|error| refusal(&error))
    }

    fn client(&self, actor: Option<&Actor>, address: Option<IpAddr>) -> Client {
        let clients = &self.engine.clients;
        actor.map_or_else(|| clients.public(address), |actor| clients.of(actor, address))
    }

    fn body_bytes(&self, actor: &Actor) -> usize {
        if actor.has(Scope::Import) { limits::IMPORT_BODY_BYTES } else { limits::BODY_BYTES }
    }

    fn affords(&self, actor: &Actor, address: Option<IpAddr>) -> Result<(), GraphqlAnswer> {
        self.engine.affords(actor, address).map_err(answered)
    }

    async fn execute(&self, request: GraphqlRequest, actor: Actor) -> GraphqlAnswer {
        answered(self.engine.execute(operation(request), actor).await)
    }

    async fn operate(&self, request: GraphqlRequest, actor: Actor, turn: http::Turn) -> http::Operated {
        match self.engine.operate(operation(request), actor, turn).await {
            Operated::Answered(answer) => http::Operated::Answer(answered(answer)),
            Operated::Live(subscription) => http::Operated::Events(events(subscription)),
        }
    }

    fn ending(&self, actor: &Actor) -> Option<http::Ending> {
        match self.ended(actor)? {
            AuthError::Revoked => Some(http::Ending::TokenRevoked),
            _ => Some(http::Ending::Expired),
        }
    }

    fn may_import(&self, actor: &Actor) -> Result<(), ImportFailure> {
        self.engine.may_import(actor).map_err(|error| not_imported(&error))
    }

    fn read(&self, chunk: ImportChunk) -> Result<Read, ImportFailure> {
        let ImportChunk { first, lines, key, request_id } = chunk;
        let lines = lines.into_iter().map(line).collect();
        let read = self.engine.read_chunk(Chunk { first, lines, key, request_id });
        read.map_err(|error| not_imported(&error))
    }

    async fn import(&self, lines: Read, actor: Actor) -> Result<Vec<u8>, ImportFailure> {
        // an upload lasts as long as its client likes, but no longer than its token
        if let Some(refused) = self.ended(&actor) {
            return Err(ImportFailure::new(refused.code(), refused.to_string()));
        }
        let told = self.engine.import(lines, actor).await;
        told.map_err(|error| not_imported(&error))
    }

    async fn export(&self, request: ExportRequest, actor: Actor) -> Result<ExportAnswer, ExportFailure> {
        let file = File::named(&request.file).ok_or(ExportFailure::NoSuchFile)?;
        let ExportRequest { parameters, known, head_only, request_id, address, .. } = request;
        let begun = async {
            let options = Options::read(file.format, &parameters)?;
            export::begin(&self.engine, Asked { file, options, known, head_only, request_id, address }, actor)
                .await
        };
        let Exported { tag, name, body, is_known } = begun.await.map_err(|error| not_exported(&error))?;
        let media_type = file.format.media_type();
        Ok(ExportAnswer { tag, is_known, name, media_type, body: body.map(pieces) })
    }

    fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.engine.metrics)
    }

    async fn scrape(&self, streams: usize) -> Result<String, String> {
        self.engine.scrape(streams).await.map_err(|error| error.to_string())
    }

    async fn ready(&self) -> Result<(), String> {
        self.engine.ready().await.map_err(|error| error.to_string())
    }

    fn schema(&self) -> &str {
        self.engine.sdl()
    }

    fn now(&self) -> DateTime<Utc> {
        self.engine.now()
    }
}

fn line(line: ImportLine) -> Result<String, ApiError> {
    match line {
        ImportLine::Text(text) => Ok(text),
        ImportLine::NotText => Err(ApiError::new(Code::BadUserInput, "the line is not UTF-8")),
        ImportLine::TooLong => {
            let text = format!("the line has more than {} bytes", limits::IMPORT_LINE_BYTES);
            Err(ApiError::new(Code::LimitExceeded, text))
        }
    }
}

fn not_imported(error: &ApiError) -> ImportFailure {
    ImportFailure {
        code: error.code.name(),
        message: error.message.to_string(),
        retry_after: error.again_after(),
    }
}

fn operation(request: GraphqlRequest) -> Operation {
    // what is no text names nothing
    let causality = request.extensions.get("causality");
    Operation {
        causality: causality.map(|token| token.as_str().unwrap_or_default().to_owned()),
        query: request.query,
        document_id: request.document_id,
        name: request.operation_name,
        variables: request.variables,
        read_only: request.read_only,
        bytes: request.bytes,
        request_id: request.request_id,
        address: request.address,
        is_ours: request.is_ours,
    }
}

fn answered(answer: Answer) -> GraphqlAnswer {
    let kind = match answer.outcome {
        Outcome::Executed => AnswerKind::Data,
        Outcome::Refused => AnswerKind::RequestError,
        Outcome::ReadOnly => AnswerKind::ReadOnly,
        Outcome::Unavailable => AnswerKind::Unavailable,
        Outcome::RateLimited { retry_after } => AnswerKind::RateLimited { retry_after },
    };
    GraphqlAnswer { body: answer.body, kind, shared: answer.shared }
}

/// The events of a subscription, until it ends.
fn events(subscription: Box<live::Subscription>) -> BoxStream<'static, Result<Vec<u8>, http::Ending>> {
    stream::unfold(Some(subscription), async |following| {
        let mut subscription = following?;
        match subscription.next().await {
            Ok(event) => Some((Ok(event), Some(subscription))),
            Err(ending) => Some((Err(ended(ending)), None)),
        }
    })
    .boxed()
}

fn ended(ending: live::Ending) -> http::Ending {
    match ending {
        live::Ending::Expired => http::Ending::Expired,
        live::Ending::TokenRevoked => http::Ending::TokenRevoked,
        live::Ending::Revoked => http::Ending::Revoked,
        live::Ending::Failed(response) => http::Ending::Failed(response),
    }
}

/// The bytes of an export as a stream, whose last item is an error where the end is missing.
fn pieces(body: Body) -> ExportBody {
    Box::pin(stream::unfold(Some(body), async |body| {
        let mut body = body?;
        match body.next().await? {
            Ok(bytes) => Some((Ok(bytes), Some(body))),
            Err(_broken) => Some((Err(Unfinished), None)),
        }
    }))
}

fn not_exported(error: &ApiError) -> ExportFailure {
    let kind = match error.code {
        Code::RateLimited => AnswerKind::RateLimited { retry_after: error.retry_after.unwrap_or(1) },
        Code::Unavailable => AnswerKind::Unavailable,
        Code::Internal => AnswerKind::Data,
        _ => AnswerKind::RequestError,
    };
    ExportFailure::Refused { body: graphql::refused(std::slice::from_ref(error)), kind }
}

fn refusal(error: &AuthError) -> AuthRefusal {
    match error.www_authenticate() {
        None => AuthRefusal::Unavailable,
        Some(challenge) => AuthRefusal::Invalid { code: error.code(), message: error.to_string(), challenge },
    }
}
