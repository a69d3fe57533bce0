//! `/graphql`: GET for queries, POST for everything.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH, RETRY_AFTER,
};
use actix_web::middleware::Compress;
use actix_web::web::{self, Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, Resource, guard};

use super::envelope::request_id;
use super::executor::{AnswerKind, Executor, GraphqlAnswer, GraphqlRequest};
use super::inflate::{Encoding, Inflated};
use super::negotiate::{self, MediaType};
use super::params::Params;
use super::refusal::Refusal;
use super::sse;
use super::{Endpoint, HttpSettings};
use crate::clients::Client;
use crate::limits;

/// The GraphQL resource.
pub(super) fn resource<E: Executor>(
    path: &str,
) -> Resource<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let wants_events = || guard::fn_guard(|context| sse::is_wanted(context.head().headers()));
    web::resource(path)
        .wrap(Compress::default())
        .route(web::get().guard(wants_events()).to(sse::get::<E>))
        .route(web::post().guard(wants_events()).to(sse::post::<E>))
        .route(web::get().to(get::<E>))
        .route(web::post().to(post::<E>))
        .default_service(web::to(other_method))
}

async fn other_method(http: HttpRequest) -> HttpResponse {
    let media_type = negotiate::accepted(http.headers()).unwrap_or(MediaType::Json);
    Refusal::method("GET, POST").response(media_type)
}

async fn get<E: Executor>(http: HttpRequest, endpoint: Data<Endpoint<E>>) -> HttpResponse {
    answer(&http, &endpoint, async || {
        let actor = authenticate(&endpoint.executor, http.headers()).await?;
        let query = http.query_string();
        let params = (Params::from_query_string(query)?, query.len());
        let client = client(&http, &endpoint, &actor);
        Ok((endpoint.executor.execute(request(&http, &endpoint, params, true), actor).await, client))
    })
    .await
}

async fn post<E: Executor>(http: HttpRequest, body: Payload, endpoint: Data<Endpoint<E>>) -> HttpResponse {
    answer(&http, &endpoint, async || {
        negotiate::check_body_type(http.headers())?;
        // Before the body: a token that is refused costs no more than its own check, and who has no points left
        // has nothing inflated or parsed.
        let actor = authenticate(&endpoint.executor, http.headers()).await?;
        let client = client(&http, &endpoint, &actor);
        if let Err(answer) = endpoint.executor.affords(&actor, endpoint.settings.proxies.client(&http)) {
            return Ok((answer, client));
        }
        let most = endpoint.executor.body_bytes(&actor);
        let body = read(body, http.headers(), most, &endpoint.settings).await?;
        let params = (Params::from_body(&body)?, body.len());
        drop(body);
        Ok((endpoint.executor.execute(request(&http, &endpoint, params, false), actor).await, client))
    })
    .await
}

fn client<E: Executor>(http: &HttpRequest, endpoint: &Endpoint<E>, actor: &E::Actor) -> Client {
    endpoint.executor.client(Some(actor), endpoint.settings.proxies.client(http))
}

/// Negotiates first, so that every refusal is written in the media type the client asked for.
async fn answer<E>(
    http: &HttpRequest,
    endpoint: &Endpoint<E>,
    serve: impl AsyncFnOnce() -> Result<(GraphqlAnswer, Client), Refusal>,
) -> HttpResponse {
    let media_type = match negotiate::accepted(http.headers()) {
        Ok(media_type) => media_type,
        Err(refusal) => return refusal.response(MediaType::Json),
    };
    let answered = serve().await.and_then(|(answer, client)| {
        let unread = Some(&endpoint.unread).filter(|_| client.is_public);
        response(answer, media_type, http.headers(), |mut response, body| match unread {
            Some(unread) if body.len() >= limits::LONG_ANSWER => {
                Ok(response.body(unread.take(body, client)?))
            }
            _ => Ok(response.body(body)),
        })
    });
    answered.unwrap_or_else(|refusal| refusal.response(media_type))
}

/// How a body is sent.
type Sent = Result<HttpResponse, Refusal>;

/// Reads the `Authorization` header and nothing else: a token in a URL or a cookie is never looked at.
pub(super) async fn authenticate<E: Executor>(
    executor: &E,
    headers: &HeaderMap,
) -> Result<E::Actor, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION);
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal::bad_request("The header Authorization is given more than once."));
    }
    // what is not even text is no token, and is refused as such
    let authorization = first.map(|value| value.to_str().unwrap_or_default());
    Ok(executor.authenticate(authorization).await?)
}

/// Reads the whole body, within the bounds on size and time.
pub(super) async fn read(
    body: Payload,
    headers: &HeaderMap,
    most: usize,
    settings: &HttpSettings,
) -> Result<Bytes, Refusal> {
    let whole = async {
        match Encoding::of(headers) {
            Some(Encoding::Plain) => match body.to_bytes_limited(most).await {
                Err(_exceeded) => Err(Refusal::too_large(most)),
                Ok(read) => read.map_err(|_| Refusal::bad_request("The body did not arrive whole.")),
            },
            Some(encoding) => Inflated::new(body, encoding).whole(most).await.map(Bytes::from),
            None => Err(Refusal::media_type()),
        }
    };
    let in_time = tokio::time::timeout(settings.body_timeout, whole).await;
    in_time.unwrap_or_else(|_elapsed| Err(Refusal::too_slow()))
}

/// A request of these parameters, which were read from so many bytes.
pub(super) fn request<E>(
    http: &HttpRequest,
    endpoint: &Endpoint<E>,
    (params, bytes): (Params, usize),
    read_only: bool,
) -> GraphqlRequest {
    let Params { query, document_id, operation_name, variables, extensions } = params;
    let (request_id, address) = (request_id(http), endpoint.settings.proxies.client(http));
    GraphqlRequest {
        query,
        document_id,
        operation_name,
        variables,
        extensions,
        read_only,
        bytes,
        request_id,
        address,
        is_ours: false,
    }
}

/// Gives an answer the status that its media type calls for.
fn response(
    answer: GraphqlAnswer,
    media_type: MediaType,
    headers: &HeaderMap,
    send: impl FnOnce(HttpResponseBuilder, Vec<u8>) -> Sent,
) -> Sent {
    if let Some(hash) = &answer.shared {
        let (mut response, is_known) = shared(hash, headers);
        if is_known {
            return Ok(response.finish());
        }
        response.content_type(media_type);
        return send(response, answer.body);
    }
    let mut response = HttpResponse::build(status(answer.kind, media_type));
    match answer.kind {
        AnswerKind::ReadOnly => response.insert_header((ALLOW, "POST")),
        AnswerKind::Unavailable => response.insert_header((RETRY_AFTER, limits::RETRY_AFTER_SECONDS)),
        AnswerKind::RateLimited { retry_after } => response.insert_header((RETRY_AFTER, retry_after)),
        AnswerKind::Data | AnswerKind::RequestError => &mut response,
    };
    response.content_type(media_type);
    send(response, answer.body)
}

/// An answer that caches may keep, or word that the client's own copy is still right. The tag is weak: it is that of the
/// data, and the cost beside them may differ.
fn shared(hash: &str, headers: &HeaderMap) -> (HttpResponseBuilder, bool) {
    let tag = format!("W/\"{hash}\"");
    let known = headers.get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    let known = known.flat_map(|value| value.split(',')).map(str::trim);
    let is_known = known.into_iter().any(|other| other == tag || other == "*");
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag));
    response.insert_header((CACHE_CONTROL, format!("public, max-age={}", limits::SHARED_SECONDS)));
    (response, is_known)
}

const fn status(kind: AnswerKind, media_type: MediaType) -> StatusCode {
    match (kind, media_type) {
        // The older media type answers 200 to every well-formed request, for clients that read errors from
        // a 200 alone.
        (AnswerKind::Data, _) | (AnswerKind::RequestError, MediaType::Json) => StatusCode::OK,
        (AnswerKind::RequestError, MediaType::GraphqlResponse) => StatusCode::BAD_REQUEST,
        (AnswerKind::ReadOnly, _) => StatusCode::METHOD_NOT_ALLOWED,
        (AnswerKind::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
        (AnswerKind::RateLimited { .. }, _) => StatusCode::TOO_MANY_REQUESTS,
    }
}
