//! Puts the parts together: database, data, engine, tokens, HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, middleware, web};
use anyhow::Context;
use async_graphql::Variables;
use futures_util::stream;

use crate::audit::seal;
use crate::auth::{Actor, AuthError, Authenticator, Scope, dev};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, ServeLock};
use crate::error::{ApiError, Code};
use crate::export::{self, Asked, Body, Exported, File, Options};
use crate::graphql::{self, Engine, Operation, Outcome};
use crate::http::{
    self, AnswerKind, AuthRefusal, Endpoint, Executor, ExportAnswer, ExportBody, ExportFailure,
    ExportRequest, GraphqlAnswer, GraphqlRequest, HttpSettings, ImportChunk, ImportFailure, Unfinished,
};
use crate::sync::Chunk;
use crate::{ingest, limits, webhook};

/// Opens the configured database.
pub async fn open(config: &Config) -> anyhow::Result<Db> {
    let database = &config.database;
    let timeout = Duration::from_millis(database.acquire_timeout_ms);
    Ok(Db::open(database.url.expose(), database.max_connections, timeout).await?)
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
    let engine = Engine::new(Arc::new(db), Arc::clone(clock))?.in_development(dev::is_accepted(config));
    let engine = Arc::new(engine);
    webhook::in_background(Arc::clone(&engine))?;
    seal_in_background(Arc::clone(&engine.db), Arc::clone(clock));
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

/// How often the journal is sealed.
const SEAL_EVERY: Duration = Duration::from_secs(5);

/// Seals the journal from time to time; a failure is logged and tried again.
fn seal_in_background(db: Arc<Db>, clock: Arc<dyn Clock>) {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SEAL_EVERY).await;
            if let Err(error) = seal::seal(&db, clock.as_ref()).await {
                tracing::warn!(%error, "the journal could not be sealed; it will be tried again");
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

    async fn export(&self, request: ExportRequest, actor: Actor) -> Result<ExportAnswer, ExportFailure> {
        let file = File::named(&request.file).ok_or(ExportFailure::NoSuchFile)?;
        let ExportRequest { parameters, known, head_only, request_id, .. } = request;
        let begun = async {
            let options = Options::read(file.format, &parameters)?;
            export::begin(&self.engine, Asked { file, options, known, head_only, request_id }, actor).await
        };
        let Exported { tag, name, body, is_known } = begun.await.map_err(|error| not_exported(&error))?;
        let media_type = file.format.media_type();
        Ok(ExportAnswer { tag, is_known, name, media_type, body: body.map(pieces) })
    }

    async fn ready(&self) -> Result<(), String> {
        self.engine.ready().await.map_err(|error| error.to_string())
    }
}

/// The bytes of an export as a stream, whose last item is an error where the end is missing.
fn pieces(body: Body) -> ExportBody {
    Box::pin(stream::unfold(Some(body), async |body| {
        let mut body = body?;
        match body.next().await? {
            Ok(bytes) => Some((Ok(bytes), Some(body))),
            Err(_broken) => Some((Err(Unfinished), None)),
        }
    }))
}

fn not_exported(error: &ApiError) -> ExportFailure {
    let kind = match error.code {
        Code::Unavailable => AnswerKind::Unavailable,
        Code::Internal => AnswerKind::Data,
        _ => AnswerKind::RequestError,
    };
    ExportFailure::Refused { body: graphql::refused(std::slice::from_ref(error)), kind }
}

fn refusal(error: &AuthError) -> AuthRefusal {
    match error.www_authenticate() {
        None => AuthRefusal::Unavailable,
        Some(challenge) => AuthRefusal::Invalid { code: error.code(), message: error.to_string(), challenge },
    }
}
