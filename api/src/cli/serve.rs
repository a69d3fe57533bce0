//! `cites serve`.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::{auth, clock::Clock, config::Config, startup};

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
    let auth = Arc::new(auth::from_config(config, Arc::clone(&clock))?);
    let db = startup::open(config).await?;
    // before anything is written: the database may be another server's
    let lock = db.serve_lock()?;
    startup::prepare(config, &db, clock.as_ref()).await?;
    let running = startup::serve(config, db, lock, &clock, Arc::clone(&auth))?;
    let refresh = auth.spawn_refresh();
    greet(config, running.address);
    let end_streams = Arc::clone(&running.end_streams);
    tokio::spawn(async move {
        match told_to_stop().await {
            Ok(()) => end_streams(),
            Err(error) => tracing::warn!(%error, "streams will not be ended before the server"),
        }
    });
    let outcome = running.server.await;
    refresh.abort();
    Ok(outcome?)
}

/// Waits for the signals by which the server is stopped; it waits for them by itself.
async fn told_to_stop() -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
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
