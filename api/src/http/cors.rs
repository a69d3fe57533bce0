//! Which pages of other origins may read answers. Tokens are in a header that pages set themselves: nothing is sent
//! unasked, so no origin is given credentials.

use actix_cors::Cors;
use actix_web::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use actix_web::middleware::Condition;

/// How long a browser keeps the answer to its first question, in seconds.
const MAX_AGE: usize = 3_600;

/// Middleware that lets pages of these origins, or of any (`*`), read answers; without an origin it does nothing.
pub fn cors(origins: &[String]) -> Condition<Cors> {
    let usual = Cors::default()
        .allowed_methods(["GET", "POST"])
        .allowed_headers([ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH])
        .allowed_headers(["x-request-id", "idempotency-key"])
        .expose_headers([ETAG, RETRY_AFTER])
        .expose_headers(["x-request-id"])
        .max_age(MAX_AGE);
    let allowed = origins.iter().fold(usual, |cors, origin| match origin.as_str() {
        "*" => cors.allow_any_origin().send_wildcard(),
        origin => cors.allowed_origin(origin),
    });
    Condition::new(!origins.is_empty(), allowed)
}
