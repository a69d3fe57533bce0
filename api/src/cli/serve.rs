//! `cites serve`.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::startup::{self, Running};
use crate::{auth, clock::Clock, config::Config, telemetry::traces};

/// Serve the API (what `cites` does without a command)
///
/// Makes the SQLite database if none is there, migrates it, loads the open data of data/, and listens on
/// `server.listen` (127.0.0.1:8080). Prints its address, a first query to paste, and how to get a token.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  cites serve\n  cites serve --listen 127.0.0.1:9000\n  \
                        CITES_DATABASE__URL=postgres://cites@localhost/cites cites serve")]
pub struct ServeArgs {}

/// Prepares the database and serves until stopped.
pub(super) async fn run(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
    let traces = traces::begin(&config.telemetry)?;
    let auth = Arc::new(auth::from_config(config, Arc::clone(&clock))?);
    let db = startup::open(config).await?;
    // before anything is written: the database may be another server's
    let lock = db.serve_lock()?;
    startup::prepare(config, &db, clock.as_ref()).await?;
    let running = startup::serve(config, db, lock, &clock, Arc::clone(&auth)).await?;
    let refresh = auth.spawn_refresh();
    greet(config, running.address);
    let outcome = until_told(config, running).await;
    refresh.abort();
    traces.end().await;
    outcome
}

/// Serves until a signal: SIGTERM ends in order, SIGINT, and a second signal, without waiting for those who send
/// requests here.
async fn until_told(config: &Config, running: Running) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let Running { server, stopping, lock: _lock, .. } = running;
    let handle = server.handle();
    let mut serving = tokio::spawn(server);
    tokio::select! {
        outcome = &mut serving => return Ok(outcome??),
        _ = interrupt.recv() => stopping.drain(),
        _ = terminate.recv() => {
            stopping.drain();
            tracing::info!("not ready any more: told to stop");
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(config.server.drain_ms)) => {}
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
    }
    stopping.end_streams();
    handle.stop(true).await;
    Ok(serving.await??)
}

/// Says where the server is, what to ask first, and how to get a token.
fn greet(config: &Config, address: std::net::SocketAddr) {
    println!("Cités de l'emploi: GraphQL on http://{address}{}", crate::http::GRAPHQL_PATH);
    println!();
    println!("A first query:");
    println!(
        "  curl -s http://{address}{} -H 'Content-Type: application/json' \\",
        crate::http::GRAPHQL_PATH
    );
    println!("    -d '{{\"query\":\"{{ sites(first: 5) {{ totalCount nodes {{ code name }} }} }}\"}}'");
    println!();
    if auth::dev::is_accepted(config) {
        println!(
            "Development tokens are accepted, since this server listens on loopback and no issuer is configured:"
        );
        println!(
            "  cites token --role anct        (from the sources: cargo run --release -- token --role anct)"
        );
    } else {
        println!("Tokens are accepted from: {}", issuers(config));
    }
}

fn issuers(config: &Config) -> String {
    if config.auth.issuers.is_empty() {
        return "nobody, since no issuer is configured; only public queries are answered".to_owned();
    }
    config.auth.issuers.iter().map(|issuer| issuer.issuer.as_str()).collect::<Vec<_>>().join(", ")
}
