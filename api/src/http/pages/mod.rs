//! The pages for people: what this is at `/`, the explorer at `/graphiql`, and the files that crawlers and
//! finders of flaws look for. Everything comes from the binary, and a page loads nothing from elsewhere.

mod explorer;
mod file;
mod landing;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, Responder, Route, guard};
use chrono::TimeDelta;

pub(super) use self::file::Content;
use self::file::{DAY, File};
use super::Endpoint;
use super::executor::Executor;
use super::negotiate::MediaType;
use super::refusal::{Refusal, no_such_path};
pub(super) use landing::Counts;

/// Nothing runs on the plain pages.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
                           form-action 'none'; frame-ancestors 'none'";

/// Adds every page.
pub(super) fn routes<E: Executor>(app: &mut ServiceConfig) {
    app.service(page("/").route(read().to(landing::page::<E>)))
        .service(page("/style.css").route(read().to(landing::style)))
        .service(page("/graphiql").route(read().to(explorer::page)))
        .service(page("/graphiql/{file}").route(read().to(explorer::asset)))
        .service(page("/schema.graphql").route(read().to(schema::<E>)))
        .service(page("/robots.txt").route(read().to(robots)))
        .service(page("/.well-known/security.txt").route(read().to(security::<E>)));
}

fn page(path: &str) -> Resource {
    web::resource(path).default_service(web::to(other_method))
}

fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn other_method() -> HttpResponse {
    Refusal::method("GET, HEAD").response(MediaType::Json)
}

/// The schema as text, where anybody may ask for it.
async fn schema<E: Executor>(http: HttpRequest, endpoint: Data<Endpoint<E>>) -> HttpResponse {
    if !endpoint.settings.shows_schema {
        return no_such_path().await;
    }
    let content = endpoint.schema.get_or_init(|| Content::text(endpoint.executor.schema().to_owned()));
    File::of("text/plain; charset=utf-8", content).answer(&http)
}

/// Pages may be found; the API itself is nothing to crawl.
async fn robots(http: HttpRequest) -> impl Responder {
    let text = "User-agent: *\nDisallow: /graphql\nDisallow: /graphiql\nDisallow: /import\n";
    File::of("text/plain; charset=utf-8", &Content::text(text)).keep(DAY).answer(&http)
}

/// How to report a flaw (RFC 9116), to whom the operator names.
async fn security<E: Executor>(http: HttpRequest, endpoint: Data<Endpoint<E>>) -> HttpResponse {
    let contact = &endpoint.settings.security_contact;
    if contact.is_empty() {
        return no_such_path().await;
    }
    let expires = (endpoint.executor.now() + TimeDelta::days(180)).format("%Y-%m-%dT00:00:00Z");
    let text = format!("Contact: {contact}\nExpires: {expires}\nPreferred-Languages: fr, en\n");
    File::of("text/plain; charset=utf-8", &Content::text(text)).keep(DAY).answer(&http)
}
