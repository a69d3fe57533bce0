//! `POST /import/actions`: actions as NDJSON, a line each, of any length. Outcomes go out as NDJSON while lines come in;
//! no more than one chunk is held at a time.

use std::time::Duration;

use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::web::{self, Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, Resource};
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::Endpoint;
use super::envelope::request_id;
use super::executor::{Executor, ImportChunk, ImportFailure};
use super::graphql::authenticate;
use super::inflate::{Encoding, Inflated};
use super::negotiate::MediaType;
use super::refusal::Refusal;
use crate::limits;

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
    let mut upload = Upload {
        lines: Lines {
            body: Inflated::new(body, encoding),
            timeout: endpoint.settings.body_timeout,
            buffer: Vec::new(),
            ended: false,
        },
        next: from(http)?,
        key: key(http.headers())?,
        request_id: request_id(http),
        endpoint,
        actor,
        failed: false,
    };
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

/// An upload on its way.
struct Upload<E: Executor> {
    lines: Lines,
    /// Number of the next line.
    next: u64,
    key: Option<String>,
    request_id: String,
    endpoint: Data<Endpoint<E>>,
    actor: E::Actor,
    failed: bool,
}

impl<E: Executor> Upload<E> {
    /// Handles the next lines; `None` when there are no more, or when a chunk failed.
    async fn chunk(&mut self) -> Option<Result<Vec<u8>, ImportFailure>> {
        if self.failed {
            return None;
        }
        let lines = match self.lines.take().await {
            Ok(lines) if lines.is_empty() => return None,
            Ok(lines) => lines,
            Err(failure) => return Some(Err(failure)),
        };
        let count = lines.len() as u64;
        let chunk = ImportChunk {
            first: self.next,
            lines,
            key: self.key.clone(),
            request_id: self.request_id.clone(),
        };
        let told = self.endpoint.executor.import(chunk, self.actor.clone()).await;
        if told.is_ok() {
            self.next += count;
        }
        Some(told)
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

/// The lines of a body, as they arrive.
struct Lines {
    body: Inflated,
    timeout: Duration,
    buffer: Vec<u8>,
    ended: bool,
}

impl Lines {
    /// The next lines, as many as a chunk has; fewer at the end, none after it.
    async fn take(&mut self) -> Result<Vec<String>, ImportFailure> {
        let (mut lines, mut bytes, mut taken) = (Vec::new(), 0, 0);
        while lines.len() < limits::IMPORT_CHUNK && bytes < limits::IMPORT_CHUNK_BYTES {
            let waiting = &self.buffer[taken..];
            if let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                lines.push(text(&waiting[..end])?);
                taken += end + 1;
                bytes += end + 1;
            } else if self.ended {
                if !waiting.is_empty() {
                    lines.push(text(waiting)?);
                    taken = self.buffer.len();
                }
                break;
            } else {
                self.buffer.drain(..taken);
                taken = 0;
                self.read().await?;
            }
        }
        self.buffer.drain(..taken);
        Ok(lines)
    }

    async fn read(&mut self) -> Result<(), ImportFailure> {
        if self.buffer.len() > limits::IMPORT_LINE_BYTES {
            let text = format!("a line has more than {} bytes", limits::IMPORT_LINE_BYTES);
            return Err(ImportFailure::new("LIMIT_EXCEEDED", text));
        }
        match tokio::time::timeout(self.timeout, self.body.read(&mut self.buffer)).await {
            Err(_elapsed) => Err(ImportFailure::new("REQUEST_TIMEOUT", "no more lines arrived in time")),
            Ok(Err(_broken)) => Err(ImportFailure::new(
                "BAD_REQUEST",
                "the body did not arrive whole, or is not compressed as it says",
            )),
            Ok(Ok(more)) => {
                self.ended = !more;
                Ok(())
            }
        }
    }
}

fn text(line: &[u8]) -> Result<String, ImportFailure> {
    std::str::from_utf8(line)
        .map(str::to_owned)
        .map_err(|_| ImportFailure::new("BAD_REQUEST", "a line is not UTF-8"))
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
