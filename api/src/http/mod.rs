//! GraphQL over HTTP: the only part of the product that knows actix.
//!
//! It follows the GraphQL-over-HTTP specification and hands each well-formed request to an [`Executor`].
//! Mount it with [`routes`], and wrap the whole application in [`envelope()`]:
//!
//! ```ignore
//! let endpoint = web::Data::new(Endpoint::new(engine, HttpSettings::default()));
//! App::new().wrap(middleware::from_fn(http::envelope)).configure(|app| http::routes(app, &endpoint))
//! ```

mod envelope;
mod executor;
mod graphql;
mod health;
mod import;
mod negotiate;
mod pages;
mod params;
mod refusal;

use std::time::Duration;

use actix_web::web::{self, Data, ServiceConfig};

pub use envelope::envelope;
pub use executor::{
    AnswerKind, AuthRefusal, Executor, GraphqlAnswer, GraphqlRequest, ImportChunk, ImportFailure,
};
pub use refusal::{REFUSALS, RefusalCode};

/// Where GraphQL requests are served.
pub const GRAPHQL_PATH: &str = "/graphql";

/// Bounds on what the server reads before it has a request to execute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Longest wait for the whole body; a slower client is answered 408.
    pub body_timeout: Duration,
}

impl Default for HttpSettings {
    /// 10 seconds.
    fn default() -> Self {
        Self { body_timeout: Duration::from_secs(10) }
    }
}

/// What the handlers share: the engine and the bounds.
pub struct Endpoint<E> {
    executor: E,
    settings: HttpSettings,
    counts: pages::Counts,
}

impl<E: Executor> Endpoint<E> {
    /// Serves `executor` within `settings`.
    pub fn new(executor: E, settings: HttpSettings) -> Self {
        Self { executor, settings, counts: pages::Counts::default() }
    }
}

/// Adds `/graphql`, `/health/live`, `/health/ready`, the pages for people, and a coded 404 for every other path.
pub fn routes<E: Executor>(app: &mut ServiceConfig, endpoint: &Data<Endpoint<E>>) {
    app.app_data(endpoint.clone())
        .service(graphql::resource::<E>(GRAPHQL_PATH))
        .service(import::resource::<E>("/import/actions"))
        .service(health::live("/health/live"))
        .service(health::ready::<E>("/health/ready"))
        .configure(pages::routes::<E>)
        .default_service(web::to(refusal::no_such_path));
}

#[cfg(test)]
mod tests;
