//! The trace of a request.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName};
use opentelemetry::Context;
use opentelemetry::propagation::Extractor;

use super::route::Route;
use crate::telemetry::traces;

/// Begins its span, if anything is traced.
pub(super) fn begin(request: &ServiceRequest, route: Route) -> Option<Context> {
    if !traces::is_on() {
        return None;
    }
    let method = match *request.method() {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        // any word will do for a method
        _ => "_OTHER",
    };
    let pattern = (route != Route::Other).then(|| route.pattern());
    traces::request(method, pattern, &Headers(request.headers()))
}

/// The headers, as the library reads them.
struct Headers<'h>(&'h HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
