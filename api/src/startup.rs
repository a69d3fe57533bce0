//! Puts the parts together: database, data, engine, tokens, HTTP.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, middleware, web};
use anyhow::Context;
use async_graphql::Variables;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::audit::seal;
use crate::auth::{Actor, AuthError, Authenticator, Role, Scope, dev};
use crate::budget::Budget;
use crate::clients::Client;
use crate::clock::Clock;
use crate::config::{Config, DocumentsConfig};
use crate::db::{self, Bounds, Db, ServeLock};
use crate::error::{ApiError, Code};
use crate::export::{self, Asked, Body, Exported, File, Options};
use crate::graphql::{self, Answer, Engine, Operated, Operation, Outcome, Persisted};
use crate::http::{
    self, AnswerKind, AuthRefusal, Endpoint, Executor, ExportAnswer, ExportBody, ExportFailure,
    ExportRequest, GraphqlAnswer, GraphqlRequest, HttpSettings, ImportChunk, ImportFailure, Proxies,
    Stopping, Unfinished,
};
use crate::live;
use crate::metrics::Metrics;
use crate::sync::Chunk;
use crate::{ingest, limits, revocation, webhook, write};

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
    let db = Db::open(database.url.expose(), bounds).await?;
    match database.replica_url.expose().as_str() {
        "" => Ok(db),
        replica => {
            let max_lag = Duration::from_millis(database.replica_max_lag_ms);
            db.with_replica(replica, max_lag, bounds).context("database.replica_url is no address")
        }
    }
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
    /// What it is told before it is stopped.
    pub stopping: Stopping,
    /// Where its metrics are read.
    pub metrics: Option<SocketAddr>,
    /// Held as long as it serves.
    pub lock: ServeLock,
}

/// Serves a prepared database, under the lock that lets one server work on an embedded one. Revoked tokens are known
/// before the first request is taken.
pub async fn serve(
    config: &Config,
    db: Db,
    lock: ServeLock,
    clock: &Arc<dyn Clock>,
    auth: Arc<Authenticator>,
) -> anyhow::Result<Running> {
    let revocations = auth.revocations().clone();
    revocation::refresh(&db, clock.as_ref(), &revocations).await?;
    let mut budget = budget(config);
    if config.limits.shared {
        budget = budget.shared(db::name(&db.readers).await?.context("the database has no name")?);
    }
    let (engine, endpoint) = endpoint(config, db, clock, auth, budget)?;
    webhook::in_background(Arc::clone(&engine))?;
    care_in_background(Arc::clone(&engine.db), Arc::clone(clock));
    let (heeding, time) = (Arc::clone(&engine), Arc::clone(clock));
    tokio::spawn(async move { revocation::follow(&heeding.db, time.as_ref(), &heeding.revocations).await });
    let (sharing, time) = (Arc::clone(&engine), Arc::clone(clock));
    tokio::spawn(async move { sharing.budget.share(&sharing.db, time.as_ref()).await });
    if let Some(replica) = engine.db.replica.clone() {
        let clock = Arc::clone(clock);
        tokio::spawn(async move { replica.watch(clock.as_ref()).await });
    }
    tokio::spawn(async move { engine.follow_journal().await });
    let stall = Duration::from_millis(config.live.stall_timeout_ms);
    let stopping = endpoint.stopping();
    let metrics = config.server.metrics_listen.map(|address| tell_metrics(address, &endpoint)).transpose()?;
    let origins = config.server.cors_origins.clone();
    let mut server = HttpServer::new(move || {
        App::new()
            .wrap(http::cors(&origins))
            .wrap(middleware::from_fn(http::envelope))
            .configure(|app| http::routes(app, &endpoint))
    })
    .on_connect(move |connection, _| http::give_up_unread(connection, stall))
    // whoever asked for it says when to stop: see `cites serve`
    .disable_signals()
    .shutdown_timeout(config.server.stop_timeout_s);
    if config.server.workers > 0 {
        server = server.workers(config.server.workers);
    }
    let server = server
        .bind_auto_h2c(config.server.listen)
        .with_context(|| format!("cannot listen on {}", config.server.listen))?;
    let address = server.addrs().first().copied().unwrap_or(config.server.listen);
    Ok(Running { address, server: server.run(), stopping, metrics, lock })
}

/// Serves metrics in the background, as long as the program runs: while it stops, they tell of it.
fn tell_metrics<E: Executor>(
    address: SocketAddr,
    endpoint: &web::Data<Endpoint<E>>,
) -> anyhow::Result<SocketAddr> {
    let endpoint = endpoint.clone();
    let server = HttpServer::new(move || App::new().configure(|app| http::scrapes(app, &endpoint)))
        .disable_signals()
        .workers(1)
        .bind(address)
        .with_context(|| format!("cannot listen on {address} for metrics"))?;
    let bound = server.addrs().first().copied().unwrap_or(address);
    tokio::spawn(server.run());
    tracing::info!("metrics on http://{bound}/metrics");
    Ok(bound)
}

/// What clients may ask, counted by this instance alone.
pub fn budget(config: &Config) -> Budget {
    Budget::new(config.limits.enabled, |role| config.limits.allowance(role))
}

/// What answers over HTTP on a prepared database, before anything runs beside it.
pub fn endpoint(
    config: &Config,
    db: Db,
    clock: &Arc<dyn Clock>,
    auth: Arc<Authenticator>,
    budget: Budget,
) -> anyhow::Result<(Arc<Engine>, web::Data<Endpoint<impl Executor>>)> {
    let engine =
        Engine::new(Arc::new(db), Arc::clone(clock))?.within(budget).with_documents(persisted(config)?);
    let engine = engine.heeding(auth.revocations().clone()).in_development(dev::is_accepted(config));
    let engine = Arc::new(engine);
    let service = Service { engine: Arc::clone(&engine), auth, clock: Arc::clone(clock) };
    let proxies =
        Proxies { trusted: config.server.trusted_proxies.clone(), header: config.server.forwarded_header };
    let settings = HttpSettings {
        init_timeout: Duration::from_millis(config.live.init_timeout_ms),
        stall_timeout: Duration::from_millis(config.live.stall_timeout_ms),
        max_streams: config.live.max_streams,
        proxies,
        security_contact: config.server.security_contact.clone(),
        ..HttpSettings::default()
    };
    Ok((engine, web::Data::new(Endpoint::new(service, settings))))
}

/// The documents that clients may name.
fn persisted(config: &Config) -> anyhow::Result<Persisted> {
    let DocumentsConfig { manifest, only_trusted_for } = &config.documents;
    if manifest.is_empty() {
        return Ok(Persisted::default());
    }
    let roles = only_trusted_for.iter().filter_map(|role| Role::from_name(role)).collect();
    Persisted::load(manifest.as_ref(), roles)
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
            if let Err(error) = revocation::prune(&db, clock.as_ref()).await {
                tracing::warn!(%error, "old revocations could not be forgotten; it will be tried again");
            }
            if let Err(error) = db.forget_paid().await {
                tracing::warn!(%error, "what clients had taken could not be forgotten; it will be tried again");
            }
        }
    });
}

/// The engine behind HTTP.
struct Service {
    engine: Arc<Engine>,
    auth: Arc<Authenticator>,
    clock: Arc<dyn Clock>,
}

impl Service {
    /// Why a token that was good is good no more.
    fn ended(&self, actor: &Actor) -> Option<AuthError> {
        if self.engine.revocations.name(actor) {
            return Some(AuthError::Revoked);
        }
        actor.expires_at.is_some_and(|end| end <= self.clock.now()).then_some(AuthError::Expired)
    }
}

#[async_trait::async_trait]
impl Executor for Service {
    type Actor = Actor;

    async fn authenticate(&self, authorization: Option<&str>) -> Result<Actor, AuthRefusal> {
        self.auth.authenticate(authorization).await.map_err(|error| refusal(&error))
    }

    fn client(&self, actor: Option<&Actor>, address: Option<IpAddr>) -> Client {
        let clients = &self.engine.clients;
        actor.map_or_else(|| clients.public(address), |actor| clients.of(actor, address))
    }

    fn body_bytes(&self, actor: &Actor) -> usize {
        if actor.has(Scope::Import) { limits::IMPORT_BODY_BYTES } else { limits::BODY_BYTES }
    }

    async fn execute(&self, request: GraphqlRequest, actor: Actor) -> GraphqlAnswer {
        answered(self.engine.execute(operation(request), actor).await)
    }

    async fn operate(&self, request: GraphqlRequest, actor: Actor, turn: http::Turn) -> http::Operated {
        match self.engine.operate(operation(request), actor, turn).await {
            Operated::Answered(answer) => http::Operated::Answer(answered(answer)),
            Operated::Live(subscription) => http::Operated::Events(events(subscription)),
        }
    }

    fn ending(&self, actor: &Actor) -> Option<http::Ending> {
        match self.ended(actor)? {
            AuthError::Revoked => Some(http::Ending::TokenRevoked),
            _ => Some(http::Ending::Expired),
        }
    }

    fn may_import(&self, actor: &Actor) -> Result<(), ImportFailure> {
        self.engine.may_import(actor).map_err(|error| not_imported(&error))
    }

    async fn import(&self, chunk: ImportChunk, actor: Actor) -> Result<Vec<u8>, ImportFailure> {
        // an upload lasts as long as its client likes, but no longer than its token
        if let Some(refused) = self.ended(&actor) {
            return Err(ImportFailure::new(refused.code(), refused.to_string()));
        }
        let lines = Chunk {
            first: chunk.first,
            lines: &chunk.lines,
            key: chunk.key.as_deref(),
            request_id: &chunk.request_id,
        };
        let told = self.engine.import(&lines, actor).await;
        told.map_err(|error| not_imported(&error))
    }

    async fn export(&self, request: ExportRequest, actor: Actor) -> Result<ExportAnswer, ExportFailure> {
        let file = File::named(&request.file).ok_or(ExportFailure::NoSuchFile)?;
        let ExportRequest { parameters, known, head_only, request_id, address, .. } = request;
        let begun = async {
            let options = Options::read(file.format, &parameters)?;
            export::begin(&self.engine, Asked { file, options, known, head_only, request_id, address }, actor)
                .await
        };
        let Exported { tag, name, body, is_known } = begun.await.map_err(|error| not_exported(&error))?;
        let media_type = file.format.media_type();
        Ok(ExportAnswer { tag, is_known, name, media_type, body: body.map(pieces) })
    }

    fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.engine.metrics)
    }

    async fn scrape(&self, streams: usize) -> Result<String, String> {
        self.engine.scrape(streams).await.map_err(|error| error.to_string())
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

fn not_imported(error: &ApiError) -> ImportFailure {
    ImportFailure {
        code: error.code.name(),
        message: error.message.to_string(),
        retry_after: error.retry_after,
    }
}

fn operation(request: GraphqlRequest) -> Operation {
    // what is no text names nothing
    let causality = request.extensions.get("causality");
    Operation {
        causality: causality.map(|token| token.as_str().unwrap_or_default().to_owned()),
        query: request.query,
        document_id: request.document_id,
        name: request.operation_name,
        variables: Variables::from_json(request.variables.into()),
        read_only: request.read_only,
        request_id: request.request_id,
        address: request.address,
        is_ours: false,
    }
}

fn answered(answer: Answer) -> GraphqlAnswer {
    let kind = match answer.outcome {
        Outcome::Executed => AnswerKind::Data,
        Outcome::Refused => AnswerKind::RequestError,
        Outcome::ReadOnly => AnswerKind::ReadOnly,
        Outcome::Unavailable => AnswerKind::Unavailable,
        Outcome::RateLimited { retry_after } => AnswerKind::RateLimited { retry_after },
    };
    GraphqlAnswer { body: answer.body, kind, shared: answer.shared }
}

/// The events of a subscription, until it ends.
fn events(subscription: Box<live::Subscription>) -> BoxStream<'static, Result<Vec<u8>, http::Ending>> {
    stream::unfold(Some(subscription), async |following| {
        let mut subscription = following?;
        match subscription.next().await {
            Ok(event) => Some((Ok(event), Some(subscription))),
            Err(ending) => Some((Err(ended(ending)), None)),
        }
    })
    .boxed()
}

fn ended(ending: live::Ending) -> http::Ending {
    match ending {
        live::Ending::Expired => http::Ending::Expired,
        live::Ending::TokenRevoked => http::Ending::TokenRevoked,
        live::Ending::Revoked => http::Ending::Revoked,
        live::Ending::Failed(response) => http::Ending::Failed(response),
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
        Code::RateLimited => AnswerKind::RateLimited { retry_after: error.retry_after.unwrap_or(1) },
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
