//! Puts the parts together: database, data, engine, tokens, HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, middleware, web};
use anyhow::Context;
use async_graphql::Variables;
use chrono::{DateTime, Utc};

use crate::audit::seal;
use crate::auth::{Actor, AuthError, Authenticator, Scope};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Bounds, Db, ServeLock};
use crate::graphql::{Engine, Operation, Outcome};
use crate::http::{
    self, AnswerKind, AuthRefusal, Endpoint, Executor, GraphqlAnswer, GraphqlRequest, HttpSettings,
    ImportChunk, ImportFailure,
};
use crate::sync::Chunk;
use crate::{ingest, limits, write};

/// Opens the configured database.
pub async fn open(config: &Config) -> anyhow::Result<Db> {
    let database = &config.database;
    let threads = match config.server.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let bounds = Bounds {
        max_connections: usize::try_from(database.max_connections)?,
        threads,
        wait: Duration::from_millis(database.acquire_timeout_ms),
        deadline: Duration::from_millis(database.request_timeout_ms),
    };
    Ok(Db::open(database.url.expose(), bounds).await?)
}

/// Migrates the database and loads what it should hold.
pub async fn prepare(config: &Config, db: &Db, clock: &dyn Clock) -> anyhow::Result<()> {
    if config.database.migrate_at_start {
        db.migrate().await.context("the database could not be migrated")?;
    } else {
        let pending = db.migrations().await?.into_iter().filter(|(_, applied)| !applied).count();
        anyhow::ensure!(
            pending == 0,
            "{pending} migrations are not applied; run `cites migrate` as the owner"
        );
    }
    if let Some(gap) = seal::gap(db).await? {
        anyhow::bail!("{gap}");
    }
    if config.data.ingest_at_start {
        let demo = config.data.demo.or(config.database.is_sqlite());
        let report = ingest::run(db, clock, ingest::DataSource::Embedded, demo).await?;
        for line in report.to_string().lines() {
            tracing::info!("{line}");
        }
    }
    Ok(())
}

/// A server that listens, with what must live as long as it does.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Runs until it is stopped.
    pub server: Server,
    _lock: ServeLock,
}

/// Serves a prepared database, under the lock that lets one server work on an embedded one.
pub fn serve(
    config: &Config,
    db: Db,
    lock: ServeLock,
    clock: &Arc<dyn Clock>,
    auth: Arc<Authenticator>,
) -> anyhow::Result<Running> {
    let engine = Arc::new(Engine::new(Arc::new(db), Arc::clone(clock))?);
    care_in_background(Arc::clone(&engine.db), Arc::clone(clock));
    let service = Service { engine, auth };
    let settings = HttpSettings::default();
    let endpoint = web::Data::new(Endpoint::new(service, settings));
    let mut server = HttpServer::new(move || {
        App::new().wrap(middleware::from_fn(http::envelope)).configure(|app| http::routes(app, &endpoint))
    });
    if config.server.workers > 0 {
        server = server.workers(config.server.workers);
    }
    let server = server
        .bind_auto_h2c(config.server.listen)
        .with_context(|| format!("cannot listen on {}", config.server.listen))?;
    let address = server.addrs().first().copied().unwrap_or(config.server.listen);
    Ok(Running { address, server: server.run(), _lock: lock })
}

/// How often the journal is sealed and kept answers are looked through.
const CARE_EVERY: Duration = Duration::from_secs(5);

/// Seals the journal and forgets answers that are due, from time to time; a failure is logged and tried again.
fn care_in_background(db: Arc<Db>, clock: Arc<dyn Clock>) {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(CARE_EVERY).await;
            if let Err(error) = seal::seal(&db, clock.as_ref()).await {
                tracing::warn!(%error, "the journal could not be sealed; it will be tried again");
            }
            if let Err(error) = write::prune(&db, clock.as_ref()).await {
                tracing::warn!(%error, "kept answers could not be forgotten; it will be tried again");
            }
        }
    });
}

/// The engine behind HTTP.
struct Service {
    engine: Arc<Engine>,
    auth: Arc<Authenticator>,
}

#[async_trait::async_trait]
impl Executor for Service {
    type Actor = Actor;

    async fn authenticate(&self, authorization: Option<&str>) -> Result<Actor, AuthRefusal> {
        self.auth.authenticate(authorization).await.map_err(|error| refusal(&error))
    }

    fn body_bytes(&self, actor: &Actor) -> usize {
        if actor.has(Scope::Import) { limits::IMPORT_BODY_BYTES } else { limits::BODY_BYTES }
    }

    async fn execute(&self, request: GraphqlRequest, actor: Actor) -> GraphqlAnswer {
        let operation = Operation {
            query: request.query,
            name: request.operation_name,
            variables: Variables::from_json(request.variables.into()),
            read_only: request.read_only,
            request_id: request.request_id,
        };
        let answer = self.engine.execute(&operation, actor).await;
        let kind = match answer.outcome {
            Outcome::Executed => AnswerKind::Data,
            Outcome::Refused => AnswerKind::RequestError,
            Outcome::ReadOnly => AnswerKind::ReadOnly,
            Outcome::Unavailable => AnswerKind::Unavailable,
        };
        GraphqlAnswer { body: answer.body, kind }
    }

    async fn import(&self, chunk: ImportChunk, actor: Actor) -> Result<Vec<u8>, ImportFailure> {
        let lines = Chunk {
            first: chunk.first,
            lines: &chunk.lines,
            key: chunk.key.as_deref(),
            request_id: &chunk.request_id,
        };
        let told = self.engine.import(&lines, actor).await;
        told.map_err(|error| ImportFailure::new(error.code.name(), error.message.clone()))
    }

    async fn ready(&self) -> Result<(), String> {
        self.engine.ready().await.map_err(|error| error.to_string())
    }

    fn schema(&self) -> &str {
        self.engine.sdl()
    }

    fn now(&self) -> DateTime<Utc> {
        self.engine.now()
    }
}

fn refusal(error: &AuthError) -> AuthRefusal {
    match error.www_authenticate() {
        None => AuthRefusal::Unavailable,
        Some(challenge) => AuthRefusal::Invalid { code: error.code(), message: error.to_string(), challenge },
    }
}
