//! Requests refused before the engine sees them.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;

use super::executor::{AuthRefusal, ImportFailure};
use super::negotiate::MediaType;

/// Seconds a client waits before it asks again an instance that is not ready.
pub(super) const RETRY_AFTER_SECONDS: &str = "5";

/// A status, one coded GraphQL error, and the header that the status calls for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    header: Option<(HeaderName, &'static str)>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), header: None }
    }

    fn with(self, name: HeaderName, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    /// 400: the request is not a well-formed GraphQL request.
    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// 404: nothing is served at this path.
    fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "Nothing is served here; GraphQL is at /graphql.")
    }

    /// 405: `allow` lists the methods of the resource.
    pub(super) fn method(allow: &'static str) -> Self {
        let message = format!("This method is not served here; use {allow}.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message).with(ALLOW, allow)
    }

    /// 406: the client accepts none of the media types served.
    pub(super) fn not_acceptable() -> Self {
        let message = "Answers are application/graphql-response+json or application/json, in UTF-8; \
                       the Accept header must allow one of them.";
        Self::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message)
    }

    /// 408: the body did not come in time.
    pub(super) fn too_slow() -> Self {
        let message = "The body did not arrive in time; send the request again.";
        Self::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message)
    }

    /// 413: the body has more than `limit` bytes.
    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("The body is larger than the {limit} bytes accepted; split the request.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
    }

    /// 415: the body is something else than plain JSON.
    pub(super) fn media_type() -> Self {
        let message = "The body must be sent as Content-Type: application/json, in UTF-8, without \
                       Content-Encoding.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
    }

    /// 415: the body of an import is something else than lines of JSON.
    pub(super) fn lines_type() -> Self {
        let message = "The body must be sent as Content-Type: application/x-ndjson, in UTF-8, plain or with \
                       Content-Encoding gzip or zstd.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
    }

    /// An import whose first lines already failed.
    pub(super) fn import(failure: &ImportFailure) -> Self {
        let status = match failure.code {
            "FORBIDDEN" => StatusCode::FORBIDDEN,
            "UNAVAILABLE" | "OUTCOME_UNKNOWN" => StatusCode::SERVICE_UNAVAILABLE,
            "REQUEST_TIMEOUT" => StatusCode::REQUEST_TIMEOUT,
            "INTERNAL" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let refusal = Self::new(status, failure.code, failure.message.clone());
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return refusal.with(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        refusal
    }

    /// The answer, as GraphQL JSON under `media_type`.
    pub(super) fn response(&self, media_type: MediaType) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some((name, value)) = &self.header {
            response.insert_header((name.clone(), *value));
        }
        let error = json!({ "message": self.message, "extensions": { "code": self.code } });
        response.content_type(media_type).body(json!({ "errors": [error] }).to_string())
    }
}

impl From<AuthRefusal> for Refusal {
    fn from(refusal: AuthRefusal) -> Self {
        match refusal {
            AuthRefusal::Invalid { code, message } => Self::new(StatusCode::UNAUTHORIZED, code, message)
                .with(WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#),
            AuthRefusal::Unavailable => {
                let message = "Tokens cannot be checked for now; send the request again later.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message)
                    .with(RETRY_AFTER, RETRY_AFTER_SECONDS)
            }
        }
    }
}

/// Answers 404 to a path that nothing serves.
pub(super) async fn no_such_path() -> HttpResponse {
    Refusal::not_found().response(MediaType::Json)
}
