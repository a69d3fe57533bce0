//! `GET /export/LIST.FORMAT`: a list taken out whole as a file, streamed and compressed as the client asks.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, Header, IF_NONE_MATCH, IfNoneMatch, RETRY_AFTER, VARY,
};
use actix_web::middleware::Compress;
use actix_web::web::{self, Bytes, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{StreamExt, stream};

use super::Endpoint;
use super::envelope::request_id;
use super::executor::{AnswerKind, Executor, ExportAnswer, ExportFailure, ExportRequest};
use super::graphql::authenticate;
use super::negotiate::MediaType;
use super::refusal::Refusal;
use crate::limits;

/// Adds the files.
pub(super) fn configure<E: Executor>(app: &mut ServiceConfig) {
    let resource = web::resource("/export/{file}")
        .route(web::get().to(get::<E>))
        .route(web::head().to(get::<E>))
        .default_service(web::to(other_method));
    app.service(resource.wrap(Compress::default()));
}

async fn other_method() -> HttpResponse {
    Refusal::method("GET, HEAD").response(MediaType::Json)
}

async fn get<E: Executor>(
    http: HttpRequest,
    file: Path<String>,
    endpoint: Data<Endpoint<E>>,
) -> HttpResponse {
    let begin = async {
        let actor = authenticate(&endpoint.executor, http.headers()).await?;
        let request = request(&http, &endpoint, file.into_inner())?;
        match endpoint.executor.export(request, actor).await {
            Ok(answer) => Ok(response(answer)),
            Err(ExportFailure::NoSuchFile) => Err(Refusal::no_such_file()),
            Err(ExportFailure::Refused { body, kind }) => Ok(refused(body, kind)),
        }
    };
    begin.await.unwrap_or_else(|refusal: Refusal| refusal.response(MediaType::Json))
}

fn request<E>(http: &HttpRequest, endpoint: &Endpoint<E>, file: String) -> Result<ExportRequest, Refusal> {
    let Query(parameters) = Query::<Vec<(String, String)>>::from_query(http.query_string())
        .map_err(|_| Refusal::bad_request("The query string is not form-urlencoded UTF-8."))?;
    let known = if http.headers().contains_key(IF_NONE_MATCH) {
        match IfNoneMatch::parse(http) {
            Ok(IfNoneMatch::Any) => vec!["*".to_owned()],
            Ok(IfNoneMatch::Items(tags)) => tags.iter().map(ToString::to_string).collect(),
            // a condition that cannot be read is none
            Err(_) => Vec::new(),
        }
    } else {
        Vec::new()
    };
    let head_only = http.method() == actix_web::http::Method::HEAD;
    let address = endpoint.settings.proxies.client(http);
    Ok(ExportRequest { file, parameters, known, head_only, request_id: request_id(http), address })
}

fn response(answer: ExportAnswer) -> HttpResponse {
    let status = if answer.is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let mut response = HttpResponse::build(status);
    response.insert_header((ETAG, answer.tag));
    // a copy may be kept by its owner, and is asked about each time
    response.insert_header((CACHE_CONTROL, "private, no-cache"));
    response.insert_header((VARY, "Authorization, Accept-Encoding"));
    if answer.is_known {
        return response.finish();
    }
    response.insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", answer.name)));
    response.content_type(answer.media_type);
    match answer.body {
        Some(body) => response.streaming(body.map(|bytes| bytes.map(Bytes::from))),
        None => response.streaming(stream::empty::<Result<Bytes, actix_web::Error>>()),
    }
}

/// Refused by the engine, in its own words.
fn refused(body: Vec<u8>, kind: AnswerKind) -> HttpResponse {
    let status = match kind {
        AnswerKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        AnswerKind::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        AnswerKind::Data => StatusCode::INTERNAL_SERVER_ERROR,
        AnswerKind::RequestError | AnswerKind::ReadOnly => StatusCode::BAD_REQUEST,
    };
    let mut response = HttpResponse::build(status);
    match kind {
        AnswerKind::Unavailable => response.insert_header((RETRY_AFTER, limits::RETRY_AFTER_SECONDS)),
        AnswerKind::RateLimited { retry_after } => response.insert_header((RETRY_AFTER, retry_after)),
        AnswerKind::Data | AnswerKind::RequestError | AnswerKind::ReadOnly => &mut response,
    };
    response.content_type(MediaType::Json).body(body)
}
