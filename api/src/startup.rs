//! Puts the parts together: database, data, engine, tokens, HTTP (`service`).

mod service;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, middleware, web};
use anyhow::Context;

use self::service::Service;
use crate::audit::seal;
use crate::auth::{Authenticator, Role, dev};
use crate::budget::Budget;
use crate::clock::Clock;
use crate::config::{Config, DocumentsConfig};
use crate::db::{self, Bounds, Db, ServeLock};
use crate::graphql::{self, Engine, Persisted};
use crate::http::{self, Endpoint, Executor, HttpSettings, Proxies, Stopping};
use crate::limits::DocumentLimits;
use crate::{ingest, revocation, webhook, write};

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

/// Migrates the database, or makes sure that its owner did, as configured.
pub async fn migrate(config: &Config, db: &Db) -> anyhow::Result<()> {
    if config.database.migrate_at_start {
        db.migrate().await.context("the database could not be migrated")?;
    } else {
        let pending = db.migrations().await?.into_iter().filter(|(_, applied)| !applied).count();
        anyhow::ensure!(
            pending == 0,
            "{pending} migrations are not applied; run `cites migrate` as the owner"
        );
    }
    Ok(())
}

/// Migrates the database and loads what it should hold.
pub async fn prepare(config: &Config, db: &Db, clock: &dyn Clock) -> anyhow::Result<()> {
    migrate(config, db).await?;
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
    engine.check_trusted(&document_limits(config)).await?;
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
    .on_connect(move |connection, data| http::connected(connection, data, stall))
    // who closes his side of a connection waits for no answer: what is done for him stops
    .h1_allow_half_closed(false)
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
        // the page is the public's way to ask for it
        shows_schema: config.limits.allowance(Role::Public).introspection,
        security_contact: config.server.security_contact.clone(),
        ..HttpSettings::default()
    };
    Ok((engine, web::Data::new(Endpoint::new(service, settings))))
}

/// Makes sure that the trusted documents fit this server; tells how many there are.
pub async fn check_trusted(config: &Config) -> anyhow::Result<usize> {
    graphql::check_trusted(&persisted(config)?, &document_limits(config)).await
}

/// What a document may be, for each role.
fn document_limits(config: &Config) -> [DocumentLimits; Role::ALL.len()] {
    Role::ALL.map(|role| config.limits.allowance(role).document)
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
