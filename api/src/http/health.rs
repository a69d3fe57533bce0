//! `/health/live`: the process answers. `/health/ready`: it can serve requests.

use actix_web::http::header::RETRY_AFTER;
use actix_web::web::{self, Data};
use actix_web::{HttpResponse, Resource};
use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::sync::Mutex;

use super::Endpoint;
use super::executor::Executor;
use super::negotiate::MediaType;
use super::refusal::Refusal;
use crate::limits::{READY_KEPT_MS, RETRY_AFTER_SECONDS};

/// When the engine was last asked whether it is ready, and what it said.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Option<(DateTime<Utc>, Ready)>>);

type Ready = Result<(), String>;

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
        looked(&endpoint).await
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

/// Asked once for all who wait for it, and passed on for a moment.
async fn looked<E: Executor>(endpoint: &Endpoint<E>) -> Ready {
    let mut kept = endpoint.readiness.0.lock().await;
    if let Some((at, ready)) = &*kept
        // a clock that goes back is not waited for
        && (0..READY_KEPT_MS).contains(&(endpoint.executor.now() - at).num_milliseconds())
    {
        return ready.clone();
    }
    let ready = endpoint.executor.ready().await;
    *kept = Some((endpoint.executor.now(), ready.clone()));
    ready
}

async fn other_method() -> HttpResponse {
    Refusal::method("GET, HEAD").response(MediaType::Json)
}
