//! `POST /import/actions`: actions as NDJSON, a line each, of any length. Outcomes go out as NDJSON while lines come in;
//! while the database works on one chunk the next is read, and no more than these two are held at a time.

use std::pin::pin;
use std::time::Duration;

use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::web::{self, Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, Resource};
use futures_util::future::{Either, select};
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::Endpoint;
use super::envelope::request_id;
use super::executor::{Executor, ImportChunk, ImportFailure};
use super::graphql::authenticate;
use super::inflate::{Encoding, Inflated};
use super::lines::Lines;
use super::negotiate::MediaType;
use super::refusal::Refusal;
use super::uploads::Place;

const NDJSON: &str = "application/x-ndjson";

pub(super) fn resource<E: Executor>(path: &str) -> Resource {
    web::resource(path).route(web::post().to(post::<E>)).default_service(web::to(other_method))
}

async fn other_method() -> HttpResponse {
    Refusal::method("POST").response(MediaType::Json)
}

async fn post<E: Executor>(http: HttpRequest, body: Payload, endpoint: Data<Endpoint<E>>) -> HttpResponse {
    match begin(&http, body, endpoint).await {
        Ok(response) => response,
        Err(refusal) => refusal.response(MediaType::Json),
    }
}

/// Handles the first chunk before the status goes out: a caller who may not import hears so by it.
async fn begin<E: Executor>(
    http: &HttpRequest,
    body: Payload,
    endpoint: Data<Endpoint<E>>,
) -> Result<HttpResponse, Refusal> {
    let encoding = check_type(http.headers())?;
    let actor = authenticate(&endpoint.executor, http.headers()).await?;
    // before the body, which may be large
    endpoint.executor.may_import(&actor).map_err(|failure| Refusal::import(&failure))?;
    let next = from(http)?;
    let client = endpoint.executor.client(Some(&actor), endpoint.settings.proxies.client(http));
    let place = endpoint.uploads.take(client)?;
    let reader = Reader {
        lines: Lines::new(Inflated::new(body, encoding)),
        next,
        key: key(http.headers())?,
        request_id: request_id(http),
        endpoint: endpoint.clone(),
    };
    let mut upload = Upload { reader, ahead: None, next, endpoint, actor, failed: false, _place: place };
    let first = upload.chunk().await;
    if let Some(Err(failure)) = &first {
        return Err(Refusal::import(failure));
    }
    let rest = stream::unfold(upload, async |mut upload| {
        let told = match upload.chunk().await? {
            Ok(told) => told,
            Err(failure) => upload.fail(&failure),
        };
        Some((told, upload))
    });
    let all = stream::iter(first.and_then(Result::ok)).chain(rest);
    let all = all.map(|told| Ok::<_, actix_web::Error>(Bytes::from(told)));
    Ok(HttpResponse::Ok().content_type(NDJSON).streaming(all))
}

/// Lines that were read, and how many; none when there are no more.
type Read<E> = Result<Option<(u64, <E as Executor>::Lines)>, ImportFailure>;

/// Reads an upload, chunk by chunk.
struct Reader<E: Executor> {
    lines: Lines,
    /// Number of the next line to be read.
    next: u64,
    key: Option<String>,
    request_id: String,
    endpoint: Data<Endpoint<E>>,
}

impl<E: Executor> Reader<E> {
    async fn chunk(&mut self, patience: Option<Duration>) -> Read<E> {
        let lines = self.lines.take(patience).await?;
        let count = lines.len() as u64;
        if count == 0 {
            return Ok(None);
        }
        let (key, request_id) = (self.key.clone(), self.request_id.clone());
        let chunk = ImportChunk { first: self.next, lines, key, request_id };
        self.next += count;
        Ok(Some((count, self.endpoint.executor.read(chunk)?)))
    }
}

/// An upload on its way.
struct Upload<E: Executor> {
    reader: Reader<E>,
    /// What was read while the lines before were imported.
    ahead: Option<Read<E>>,
    /// Number of the next line to be answered.
    next: u64,
    endpoint: Data<Endpoint<E>>,
    actor: E::Actor,
    failed: bool,
    _place: Place,
}

impl<E: Executor> Upload<E> {
    /// Handles the next lines; `None` when there are no more, or when a chunk failed.
    async fn chunk(&mut self) -> Option<Result<Vec<u8>, ImportFailure>> {
        if self.failed {
            return None;
        }
        let read = match self.ahead.take() {
            Some(read) => read,
            None => self.reader.chunk(Some(self.endpoint.settings.body_timeout)).await,
        };
        let (count, lines) = match read {
            Ok(read) => read?,
            Err(failure) => return Some(Err(failure)),
        };
        let told = self.import(lines).await;
        if told.is_ok() {
            self.next += count;
        }
        Some(told)
    }

    /// Imports lines, and reads the next meanwhile. The answer waits for no line: a client may send more once he has it, and
    /// no time is counted against him before.
    async fn import(&mut self, lines: E::Lines) -> Result<Vec<u8>, ImportFailure> {
        let import = self.endpoint.executor.import(lines, self.actor.clone());
        match select(import, pin!(self.reader.chunk(None))).await {
            Either::Left((told, _)) => told,
            Either::Right((ahead, import)) => {
                self.ahead = Some(ahead);
                import.await
            }
        }
    }

    /// The last line of an answer that stops: what happened, and from which line to go on.
    fn fail(&mut self, failure: &ImportFailure) -> Vec<u8> {
        self.failed = true;
        let ImportFailure { code, message, retry_after } = failure;
        let mut error = json!({ "code": code, "message": message, "continueFrom": self.next });
        if let Some(seconds) = retry_after {
            error["retryAfter"] = (*seconds).into();
        }
        format!("{}\n", json!({ "error": error })).into_bytes()
    }
}

/// Refuses what is not said to be lines of JSON; says how they are sent.
fn check_type(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    let is_lines = ["application/x-ndjson", "application/ndjson", "application/jsonl"]
        .iter()
        .any(|known| essence.eq_ignore_ascii_case(known));
    Encoding::of(headers).filter(|_| is_lines).ok_or_else(Refusal::lines_type)
}

/// The client's own key for the upload.
fn key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=150).contains(&key.len()));
    let wrong = || Refusal::bad_request("The header Idempotency-Key has 1 to 150 visible ASCII characters.");
    key.map(|key| Some(key.to_owned())).ok_or_else(wrong)
}

/// Number of the first line sent: where a broken upload goes on.
fn from(http: &HttpRequest) -> Result<u64, Refusal> {
    let Some((_, value)) = http
        .query_string()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == "from")
    else {
        return Ok(0);
    };
    value.parse().map_err(|_| Refusal::bad_request("The parameter \"from\" is the number of a line, from 0."))
}
