//! `/metrics`, on a listener of its own: it is for the operator, who alone reaches that.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, guard};

use super::Endpoint;
use super::executor::Executor;

/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Adds `/metrics`.
pub fn scrapes<E: Executor>(app: &mut ServiceConfig, endpoint: &Data<Endpoint<E>>) {
    let reads = guard::Any(guard::Get()).or(guard::Head());
    app.app_data(endpoint.clone())
        .service(web::resource("/metrics").route(web::route().guard(reads).to(scrape::<E>)));
}

async fn scrape<E: Executor>(endpoint: Data<Endpoint<E>>) -> HttpResponse {
    match endpoint.executor.scrape(endpoint.stopping().open_streams()).await {
        Ok(text) => HttpResponse::Ok().content_type(TEXT).body(text),
        Err(error) => {
            tracing::error!(error, "metrics could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}
