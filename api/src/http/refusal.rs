//! Requests refused before the engine sees them.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;

use super::executor::{AuthRefusal, ImportFailure};
use super::negotiate::MediaType;
use crate::codes::Again;
use crate::limits::RETRY_AFTER_SECONDS;

/// A code with which the HTTP front itself refuses.
#[derive(Debug, PartialEq, Eq)]
pub struct RefusalCode {
    /// HTTP status.
    pub status: StatusCode,
    /// The error's `extensions.code`.
    pub name: &'static str,
    /// Whether to send the request again.
    pub again: Again,
    /// What it means.
    pub meaning: &'static str,
}

const fn code(status: StatusCode, name: &'static str, again: Again, meaning: &'static str) -> RefusalCode {
    RefusalCode { status, name, again, meaning }
}

static BAD_REQUEST: RefusalCode = code(
    StatusCode::BAD_REQUEST,
    "BAD_REQUEST",
    Again::Never,
    "The request is not a well-formed GraphQL request over HTTP.",
);
static NOT_FOUND: RefusalCode =
    code(StatusCode::NOT_FOUND, "NOT_FOUND", Again::Never, "Nothing is served at this path.");
static METHOD_NOT_ALLOWED: RefusalCode = code(
    StatusCode::METHOD_NOT_ALLOWED,
    "METHOD_NOT_ALLOWED",
    Again::Never,
    "The path does not take this method; `Allow` lists those it takes.",
);
static NOT_ACCEPTABLE: RefusalCode = code(
    StatusCode::NOT_ACCEPTABLE,
    "NOT_ACCEPTABLE",
    Again::Never,
    "The `Accept` header allows none of the media types served.",
);
static REQUEST_TIMEOUT: RefusalCode =
    code(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", Again::Later, "The body did not arrive in time.");
static PAYLOAD_TOO_LARGE: RefusalCode = code(
    StatusCode::PAYLOAD_TOO_LARGE,
    "PAYLOAD_TOO_LARGE",
    Again::Never,
    "The body is larger than what is taken.",
);
static UNSUPPORTED_MEDIA_TYPE: RefusalCode = code(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "UNSUPPORTED_MEDIA_TYPE",
    Again::Never,
    "The body is something else than JSON, or compressed in a way that is not read.",
);

/// All of them, for the documentation.
pub static REFUSALS: [&RefusalCode; 7] = [
    &BAD_REQUEST,
    &NOT_FOUND,
    &METHOD_NOT_ALLOWED,
    &NOT_ACCEPTABLE,
    &REQUEST_TIMEOUT,
    &PAYLOAD_TOO_LARGE,
    &UNSUPPORTED_MEDIA_TYPE,
];

/// A status, one coded GraphQL error, and the header that the status calls for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    header: Option<(HeaderName, Cow<'static, str>)>,
}

impl Refusal {
    fn new(code: &RefusalCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: code.status, code: code.name, message: message.into(), header: None }
    }

    fn with(self, name: HeaderName, value: impl Into<Cow<'static, str>>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    /// 400: the request is not a well-formed GraphQL request.
    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&BAD_REQUEST, message)
    }

    /// 404: nothing is served at this path.
    fn not_found() -> Self {
        Self::new(&NOT_FOUND, "Nothing is served here; GraphQL is at /graphql.")
    }

    /// 404: no file of that name can be taken out.
    pub(super) fn no_such_file() -> Self {
        let message = "There is no such file; there are actions, sites, qpvs, partners and figures, as .csv, .ndjson \
                       and .parquet, and sites and qpvs as .geojson.";
        Self::new(&NOT_FOUND, message)
    }

    /// 405: `allow` lists the methods of the resource.
    pub(super) fn method(allow: &'static str) -> Self {
        let message = format!("This method is not served here; use {allow}.");
        Self::new(&METHOD_NOT_ALLOWED, message).with(ALLOW, allow)
    }

    /// 406: the client accepts none of the media types served.
    pub(super) fn not_acceptable() -> Self {
        let message = "Answers are application/graphql-response+json or application/json, in UTF-8; \
                       the Accept header must allow one of them.";
        Self::new(&NOT_ACCEPTABLE, message)
    }

    /// 406: the client does not accept the one media type of a stream.
    pub(super) fn no_event_stream() -> Self {
        let message = "Answers here are text/event-stream; the Accept header must allow it.";
        Self::new(&NOT_ACCEPTABLE, message)
    }

    /// 503, for a moment.
    fn busy(message: &'static str) -> Self {
        let (status, code) = (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE");
        let refusal = Self { status, code, message: message.into(), header: None };
        refusal.with(RETRY_AFTER, RETRY_AFTER_SECONDS.to_string())
    }

    /// 503: as many streams are open as are served.
    pub(super) fn too_many_streams() -> Self {
        let message = "Too many streams are open; try again later.";
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "UNAVAILABLE",
            message: message.into(),
            header: None,
        }
        .later()
    }

    /// 503: too much of what was answered waits to be read.
    pub(super) fn too_much_unread() -> Self {
        Self::busy("Too many long answers wait to be read; read yours, or ask for less at once.")
    }

    /// 503: a connection has as many requests in progress as are served.
    pub(super) fn too_many_requests_of_connection() -> Self {
        Self::busy("Too many requests are in progress on this connection; send the others after them.")
    }

    /// 429: the client has as many streams open as it may.
    pub(super) fn too_many_streams_of_client(most: usize) -> Self {
        let message =
            format!("You have {most} streams open, as many as you may; close one, or try again later.");
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self { status, code: "RATE_LIMITED", message: message.into(), header: None }.later()
    }

    /// 503: as many uploads are under way as are served.
    pub(super) fn too_many_uploads() -> Self {
        let message = "Too many uploads are under way; try again later.".into();
        Self { status: StatusCode::SERVICE_UNAVAILABLE, code: "UNAVAILABLE", message, header: None }.later()
    }

    /// 429: the client has as many uploads under way as it may.
    pub(super) fn too_many_uploads_of_client(most: usize) -> Self {
        let message =
            format!("You have {most} uploads under way, as many as you may; try again once one has ended.");
        let (status, message) = (StatusCode::TOO_MANY_REQUESTS, message.into());
        Self { status, code: "RATE_LIMITED", message, header: None }.later()
    }

    /// The same may be sent again before long.
    fn later(self) -> Self {
        self.with(RETRY_AFTER, RETRY_AFTER_SECONDS.to_string())
    }

    /// What is wrong, for people.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// 408: the body did not come in time.
    pub(super) fn too_slow() -> Self {
        Self::new(&REQUEST_TIMEOUT, "The body did not arrive in time; send the request again.")
    }

    /// 413: the body has more than `limit` bytes.
    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("The body is larger than the {limit} bytes accepted; split the request.");
        Self::new(&PAYLOAD_TOO_LARGE, message)
    }

    /// 415: the body is something else than JSON.
    pub(super) fn media_type() -> Self {
        let message = "The body must be sent as Content-Type: application/json, in UTF-8, plain or with \
                       Content-Encoding gzip or zstd.";
        Self::new(&UNSUPPORTED_MEDIA_TYPE, message)
    }

    /// 415: the body of an import is something else than lines of JSON.
    pub(super) fn lines_type() -> Self {
        let message = "The body must be sent as Content-Type: application/x-ndjson, in UTF-8, plain or with \
                       Content-Encoding gzip or zstd.";
        Self::new(&UNSUPPORTED_MEDIA_TYPE, message)
    }

    /// An import whose first lines already failed.
    pub(super) fn import(failure: &ImportFailure) -> Self {
        let status = match failure.code {
            "TOKEN_REVOKED" => StatusCode::UNAUTHORIZED,
            "FORBIDDEN" => StatusCode::FORBIDDEN,
            "UNAVAILABLE" | "OUTCOME_UNKNOWN" => StatusCode::SERVICE_UNAVAILABLE,
            "REQUEST_TIMEOUT" => StatusCode::REQUEST_TIMEOUT,
            "RATE_LIMITED" => StatusCode::TOO_MANY_REQUESTS,
            "INTERNAL" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let message = failure.message.clone().into();
        let refusal = Self { status, code: failure.code, message, header: None };
        match failure.retry_after {
            Some(seconds) => refusal.with(RETRY_AFTER, seconds.to_string()),
            None => refusal,
        }
    }

    /// The answer, as GraphQL JSON under `media_type`.
    pub(super) fn response(&self, media_type: MediaType) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some((name, value)) = &self.header {
            response.insert_header((name.clone(), value.as_ref()));
        }
        let error = json!({ "message": self.message, "extensions": { "code": self.code } });
        response.content_type(media_type).body(json!({ "errors": [error] }).to_string())
    }
}

impl From<AuthRefusal> for Refusal {
    fn from(refusal: AuthRefusal) -> Self {
        let refused = |status, code, message| Self { status, code, message, header: None };
        match refusal {
            AuthRefusal::Invalid { code, message, challenge } => {
                refused(StatusCode::UNAUTHORIZED, code, message.into()).with(WWW_AUTHENTICATE, challenge)
            }
            AuthRefusal::Unavailable => {
                let message = "Tokens cannot be checked for now; send the request again later.";
                refused(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message.into()).later()
            }
        }
    }
}

/// Answers 404 to a path that nothing serves.
pub(super) async fn no_such_path() -> HttpResponse {
    Refusal::not_found().response(MediaType::Json)
}
