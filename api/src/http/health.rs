//! `/health/live`: the process answers. `/health/ready`: it can serve requests.

use actix_web::http::header::RETRY_AFTER;
use actix_web::web::{self, Data};
use actix_web::{HttpResponse, Resource};
use serde_json::json;

use super::Endpoint;
use super::executor::Executor;
use super::negotiate::MediaType;
use super::refusal::Refusal;
use crate::limits::RETRY_AFTER_SECONDS;

/// Always 200: an instance that cannot answer this is to be restarted.
pub(super) fn live(path: &str) -> Resource {
    web::resource(path)
        .route(web::get().to(alive))
        .route(web::head().to(alive))
        .default_service(web::to(other_method))
}

/// 200, or 503 while the engine is not ready: such an instance gets no traffic and is left to recover.
pub(super) fn ready<E: Executor>(path: &str) -> Resource {
    web::resource(path)
        .route(web::get().to(readiness::<E>))
        .route(web::head().to(readiness::<E>))
        .default_service(web::to(other_method))
}

async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "live" }))
}

async fn readiness<E: Executor>(endpoint: Data<Endpoint<E>>) -> HttpResponse {
    let ready = if endpoint.stopping().is_draining() {
        Err("the server is about to stop".to_owned())
    } else {
        endpoint.executor.ready().await
    };
    match ready {
        Ok(()) => HttpResponse::Ok().json(json!({ "status": "ready" })),
        Err(reason) => {
            // The reason may name hosts and databases: it is for the log.
            tracing::warn!(reason, "not ready");
            HttpResponse::ServiceUnavailable()
                .insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS))
                .json(json!({ "status": "unavailable" }))
        }
    }
}

async fn other_method() -> HttpResponse {
    Refusal::method("GET, HEAD").response(MediaType::Json)
}
