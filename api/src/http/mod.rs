//! GraphQL over HTTP: the only part of the product that knows actix.
//!
//! It follows the GraphQL-over-HTTP specification and hands each well-formed request to an [`Executor`].
//! Mount it with [`routes`], and wrap the whole application in [`envelope()`]:
//!
//! ```ignore
//! let endpoint = web::Data::new(Endpoint::new(engine, HttpSettings::default()));
//! App::new().wrap(middleware::from_fn(http::envelope)).configure(|app| http::routes(app, &endpoint))
//! ```

mod address;
mod connection;
mod cors;
mod envelope;
mod executor;
mod export;
mod graphql;
mod health;
mod import;
mod inflate;
mod lines;
mod negotiate;
mod pages;
mod params;
mod refusal;
mod route;
mod scrape;
mod socket;
mod sse;
mod streams;
mod trace;
mod unread;
mod uploads;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::web::{self, Data, ServiceConfig};

pub use address::{ForwardedHeader, IpNet, Proxies};
pub use connection::connected;
pub use cors::cors;
pub use envelope::envelope;
pub use executor::{
    AnswerKind, AuthRefusal, Ending, Executor, ExportAnswer, ExportBody, ExportFailure, ExportRequest,
    GraphqlAnswer, GraphqlRequest, ImportChunk, ImportFailure, ImportLine, Operated, Turn, Unfinished,
};
pub use refusal::{REFUSALS, RefusalCode};
pub use route::Route;
pub use scrape::scrapes;
pub use streams::Stopping;
use streams::Streams;
use unread::Unread;
use uploads::Uploads;

use crate::limits;

/// Where GraphQL requests are served.
pub const GRAPHQL_PATH: &str = "/graphql";

/// Bounds on what the server reads before it has a request to execute, and whom it believes.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Longest wait for the whole body; a slower client is answered 408.
    pub body_timeout: Duration,
    /// Longest wait for the first message of a WebSocket.
    pub init_timeout: Duration,
    /// How long a WebSocket without a token may have nothing under way.
    pub idle_timeout: Duration,
    /// How long a client may take to read what it is sent; a slower stream is ended.
    pub stall_timeout: Duration,
    /// Most streams open at once.
    pub max_streams: usize,
    /// The proxies before it.
    pub proxies: Proxies,
    /// Whether the schema is a page of its own.
    pub shows_schema: bool,
    /// Where flaws are reported, as a URI; empty when nobody is named.
    pub security_contact: String,
}

impl Default for HttpSettings {
    /// 10 seconds for a body and for the first message, a minute for a WebSocket without token, 30 seconds to read,
    /// 10 000 streams, no proxy, the schema for everybody, no contact.
    fn default() -> Self {
        Self {
            body_timeout: Duration::from_secs(10),
            init_timeout: Duration::from_secs(10),
            idle_timeout: limits::SOCKET_IDLE,
            stall_timeout: Duration::from_secs(30),
            max_streams: 10_000,
            proxies: Proxies::default(),
            shows_schema: true,
            security_contact: String::new(),
        }
    }
}

/// What the handlers share: the engine and the bounds.
pub struct Endpoint<E> {
    executor: E,
    settings: HttpSettings,
    streams: Arc<Streams>,
    uploads: Uploads,
    counts: pages::Counts,
    unread: Unread,
    readiness: health::Readiness,
    schema: OnceLock<pages::Content>,
}

impl<E: Executor> Endpoint<E> {
    /// Serves `executor` within `settings`.
    pub fn new(executor: E, settings: HttpSettings) -> Self {
        let streams = Arc::new(Streams::new(settings.max_streams));
        Self {
            executor,
            settings,
            streams,
            uploads: Uploads::default(),
            counts: pages::Counts::default(),
            unread: Unread::default(),
            readiness: health::Readiness::default(),
            schema: OnceLock::new(),
        }
    }

    /// What is told before the server stops.
    pub fn stopping(&self) -> Stopping {
        Stopping(Arc::clone(&self.streams))
    }
}

/// Adds `/graphql`, `/graphql/ws`, `/graphql/stream`, `/import/actions`, `/export/…`, `/health/live`, `/health/ready`,
/// the pages for people, and a coded 404 for every other path.
pub fn routes<E: Executor>(app: &mut ServiceConfig, endpoint: &Data<Endpoint<E>>) {
    app.app_data(endpoint.clone())
        .app_data(endpoint.stopping())
        .app_data(Data::from(endpoint.executor.metrics()))
        .service(graphql::resource::<E>(GRAPHQL_PATH))
        .service(socket::resource::<E>("/graphql/ws"))
        .service(sse::resource::<E>("/graphql/stream"))
        .service(import::resource::<E>("/import/actions"))
        .configure(export::configure::<E>)
        .service(health::live("/health/live"))
        .service(health::ready::<E>("/health/ready"))
        .configure(pages::routes::<E>)
        .default_service(web::to(refusal::no_such_path));
}

#[cfg(test)]
mod tests;
