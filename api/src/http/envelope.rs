//! What every answer carries, whatever it holds: a request id and the security headers.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CROSS_ORIGIN_OPENER_POLICY, CROSS_ORIGIN_RESOURCE_POLICY,
    HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use uuid::Uuid;

use super::connection::{Held, InProgress};
use super::negotiate::MediaType;
use super::refusal::Refusal;
use super::route::Route;
use super::streams::Stopping;
use super::trace;
use crate::metrics::Metrics;
use crate::telemetry::{Serving, traces};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id taken from a client; a longer one would swell logs and the journal.
const MAX_REQUEST_ID: usize = 64;

/// An API answers no page: nothing may be loaded, framed, guessed or kept by a shared cache.
///
/// A handler that serves something else sets its own value, which is then left as it is.
const DEFAULT_HEADERS: [(HeaderName, &str); 8] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    // no page of another origin shares a window or a process with what is answered; CORS says who may read it
    (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (REFERRER_POLICY, "no-referrer"),
    (VARY, "Accept, Authorization"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// The id of the request being served.
#[derive(Clone)]
struct RequestId(String);

/// Middleware for the whole application: gives the request an id, in its log lines and in `x-request-id`, and
/// adds the security headers.
///
/// The client's own id is kept when it is 1 to 64 letters, digits, `.`, `_` or `-`; otherwise one is made.
pub async fn envelope(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = taken(request.headers()).unwrap_or_else(|| Uuid::now_v7().to_string());
    request.extensions_mut().insert(RequestId(id.clone()));
    let route = Route::of(request.path());
    let span = trace::begin(&request, route);
    let serving = Serving::request(id.clone(), span.clone());
    let mut response = if let Some(place) = InProgress::begin(&request) {
        let response = serving.scope(next.call(request)).await?;
        response.map_body(|_, body| Held { body: Box::pin(body), _place: place }).map_into_left_body()
    } else {
        let refusal = Refusal::too_many_requests_of_connection().response(MediaType::Json);
        request.into_response(refusal).map_into_right_body()
    };
    if let Some(span) = &span {
        traces::answered(span, response.status().as_u16());
    }
    if response.request().app_data::<Stopping>().is_some_and(Stopping::is_draining) {
        // a client that keeps its connection would find it closed by its next request
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    if let Some(metrics) = response.request().app_data::<Data<Metrics>>() {
        metrics.request(route, response.status().as_str());
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(X_REQUEST_ID, id);
    }
    for (name, value) in DEFAULT_HEADERS {
        // an answer varies by what others say beside
        if name == VARY || !headers.contains_key(&name) {
            headers.append(name, HeaderValue::from_static(value));
        }
    }
    Ok(response)
}

/// The id that [`envelope`] gave to a request; empty in an application that lacks it.
pub(super) fn request_id(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

fn taken(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=MAX_REQUEST_ID).contains(&id.len()).then_some(())?;
    id.bytes().all(plain).then(|| id.to_owned())
}
