//! `/graphql/stream`: GraphQL over Server-Sent Events, each operation on a connection of its own. Events `next` hold
//! responses, `complete` is the last. A stream that ends without it was cut, and is taken up after its last event.

use actix_web::http::header::{ACCEPT, CONTENT_ENCODING, HeaderMap, HeaderValue};
use actix_web::web::{self, Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, Resource};
use futures_util::stream::{self, BoxStream, StreamExt};
use serde_json::json;

use super::executor::{AnswerKind, Ending, Executor, GraphqlAnswer, Operated};
use super::graphql::{authenticate, read, request};
use super::negotiate::{self, MediaType};
use super::params::Params;
use super::refusal::Refusal;
use super::streams::{Owner, Stream};
use super::{Endpoint, HttpSettings};
use crate::limits;

const EVENT_STREAM: &str = "text/event-stream";

/// Data is needed: browsers pass on no event without.
const COMPLETE: &str = "event: complete\ndata:\n\n";

pub(super) fn resource<E: Executor>(path: &str) -> Resource {
    web::resource(path)
        .route(web::get().to(get::<E>))
        .route(web::post().to(post::<E>))
        .default_service(web::to(other_method))
}

async fn other_method() -> HttpResponse {
    Refusal::method("GET, POST").response(MediaType::Json)
}

/// Whether a request to `/graphql` wants events, and none of the types that are answered there.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    names_it(headers) && negotiate::accepted(headers).is_err()
}

fn names_it(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok()).any(|value| value.contains(EVENT_STREAM))
}

/// A GET; a mutation is refused.
pub(super) async fn get<E: Executor>(http: HttpRequest, endpoint: Data<Endpoint<E>>) -> HttpResponse {
    let query = http.query_string();
    let params = async |_: &E::Actor| Ok((Params::from_query_string(query)?, query.len()));
    answer(&http, &endpoint, true, params).await
}

/// A POST.
pub(super) async fn post<E: Executor>(
    http: HttpRequest,
    body: Payload,
    endpoint: Data<Endpoint<E>>,
) -> HttpResponse {
    if let Err(refusal) = negotiate::check_body_type(http.headers()) {
        return refusal.response(MediaType::Json);
    }
    let params = async |actor: &E::Actor| {
        let most = endpoint.executor.body_bytes(actor);
        let body = read(body, http.headers(), most, &endpoint.settings).await?;
        Ok((Params::from_body(&body)?, body.len()))
    };
    answer(&http, &endpoint, false, params).await
}

async fn answer<E: Executor>(
    http: &HttpRequest,
    endpoint: &Endpoint<E>,
    read_only: bool,
    params: impl AsyncFnOnce(&E::Actor) -> Result<(Params, usize), Refusal>,
) -> HttpResponse {
    match begin(http, endpoint, read_only, params).await {
        Ok(response) => response,
        Err(refusal) => refusal.response(MediaType::Json),
    }
}

async fn begin<E: Executor>(
    http: &HttpRequest,
    endpoint: &Endpoint<E>,
    read_only: bool,
    params: impl AsyncFnOnce(&E::Actor) -> Result<(Params, usize), Refusal>,
) -> Result<HttpResponse, Refusal> {
    let headers = http.headers();
    let takes_any = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.contains("*/*"));
    if headers.contains_key(ACCEPT) && !names_it(headers) && !headers.get_all(ACCEPT).any(takes_any) {
        return Err(Refusal::no_event_stream());
    }
    let actor = authenticate(&endpoint.executor, headers).await?;
    let address = endpoint.settings.proxies.client(http);
    // what comes of it is told by an event too
    let asked = match endpoint.executor.affords(&actor, address) {
        Ok(()) => Ok(params(&actor).await?),
        Err(answer) => Err(answer),
    };
    let HttpSettings { stall_timeout, .. } = endpoint.settings;
    let client = endpoint.executor.client(Some(&actor), address);
    let stream = endpoint.streams.begin(Owner::Known(client), stall_timeout)?;
    let operated = match asked {
        Ok(asked) => endpoint.executor.operate(request(http, endpoint, asked, read_only), actor, None).await,
        Err(answer) => Operated::Answer(answer),
    };
    let events = match operated {
        Operated::Events(events) => events,
        Operated::Answer(answer) => once(answer)?,
    };
    let told = stream::unfold(Told { events: Some(events), stream }, async |mut told| {
        let bytes = told.more().await?;
        Some((Ok::<_, actix_web::Error>(bytes), told))
    });
    // a proxy in between must not gather events
    let mut response = HttpResponse::Ok();
    // compressed, an event would wait for those after it
    response.insert_header((CONTENT_ENCODING, "identity")).insert_header(("x-accel-buffering", "no"));
    Ok(response.content_type(EVENT_STREAM).streaming(told))
}

/// What is wrong with an operation is told by an event: a browser shows nothing of another answer.
fn once(answer: GraphqlAnswer) -> Result<BoxStream<'static, Result<Vec<u8>, Ending>>, Refusal> {
    match answer.kind {
        AnswerKind::ReadOnly => Err(Refusal::method("POST")),
        _ => Ok(stream::iter([Ok(answer.body)]).boxed()),
    }
}

/// A stream on its way.
struct Told {
    /// None when the last was told.
    events: Option<BoxStream<'static, Result<Vec<u8>, Ending>>>,
    stream: Stream,
}

impl Told {
    /// The next bytes; none at the end.
    async fn more(&mut self) -> Option<Bytes> {
        if self.stream.is_stalled() {
            return None;
        }
        let events = self.events.as_mut()?;
        let bytes = tokio::select! {
            () = self.stream.ended() => return None,
            event = tokio::time::timeout(limits::STREAM_SILENCE, events.next()) => match event {
                Err(_elapsed) => ":\n\n".to_owned().into_bytes(),
                Ok(Some(Ok(response))) => next(&response),
                Ok(Some(Err(ending))) => {
                    self.events = None;
                    [next(&last(ending)), COMPLETE.into()].concat()
                }
                Ok(None) => {
                    self.events = None;
                    COMPLETE.into()
                }
            },
        };
        self.stream.give();
        Some(bytes.into())
    }
}

/// JSON is written on one line.
fn next(response: &[u8]) -> Vec<u8> {
    [b"event: next\ndata: ".as_slice(), response, b"\n\n"].concat()
}

/// The response that says why events end.
fn last(ending: Ending) -> Vec<u8> {
    let (code, message) = match ending {
        Ending::Failed(response) => return response,
        Ending::Expired => ("TOKEN_EXPIRED", "the token has expired; go on with another"),
        Ending::TokenRevoked => ("TOKEN_REVOKED", "the token was revoked; go on with another"),
        Ending::Revoked => ("FORBIDDEN", "the grant of this client has changed or ended; begin again"),
    };
    let error = json!({ "message": message, "extensions": { "code": code } });
    json!({ "errors": [error] }).to_string().into_bytes()
}
