//! The bare limit: what the benchmark's documents cost when one writes them by hand, without GraphQL, rights or
//! plans. Prepared SQL over tokio-postgres, rows into structs that borrow from them, `serde_json`, actix.
//!
//! It answers the same JSON as the product does to a caller who may read and write every row. On SQLite it serves
//! the writes alone.

mod action;
mod error;
mod form;
mod import;
mod page;
mod pool;
mod site_cards;
mod statistics;
mod write;

use std::net::SocketAddr;
use std::rc::Rc;

use actix_web::{App, HttpResponse, HttpServer, web};
use clap::Parser;
use serde::Serialize;

use error::Failure;
use pool::Pool;

// The product's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serve the benchmark's documents from hand-written SQL, once the database is vacuumed; on SQLite the writes alone
#[derive(Debug, Parser)]
struct Args {
    /// Address and port to listen on
    #[arg(long)]
    listen: SocketAddr,
    /// How to reach the database: `postgres://user@host/name` or `sqlite://file`
    #[arg(long)]
    database_url: String,
    /// Number of worker threads
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Connections of each worker
    #[arg(long, default_value_t = 6)]
    connections: usize,
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    match args.database_url.strip_prefix("sqlite://") {
        Some(file) => serve_sqlite(&args, file).await,
        None => serve_postgres(args).await,
    }
}

async fn serve_postgres(args: Args) -> anyhow::Result<()> {
    pool::vacuum(&args.database_url).await?;
    let Args { database_url, connections, .. } = args;
    let server = HttpServer::new(move || {
        let (url, size) = (database_url.clone(), connections);
        // each worker has a pool of its own, on its own thread
        App::new()
            .data_factory(move || {
                let url = url.clone();
                async move { Pool::open(&url, size).await.map(Rc::new) }
            })
            .route("/site-cards", web::get().to(site_cards::get))
            .route("/action/{id}", web::get().to(action::get))
            .route("/action-with-qpvs/{id}", web::get().to(action::get_with_qpvs))
            .route("/actions", web::get().to(page::get))
            .route("/action-page", web::get().to(page::get_filtered))
            .route("/action-statistics", web::get().to(statistics::get))
            .route("/action/{id}", web::post().to(write::postgres::update))
            .route("/actions", web::post().to(write::postgres::create))
            .app_data(web::PayloadConfig::new(16 << 20))
            .route("/import", web::post().to(import::post))
    });
    let server = server.workers(args.workers).bind(args.listen)?;
    greet(&server.addrs());
    Ok(server.run().await?)
}

async fn serve_sqlite(args: &Args, file: &str) -> anyhow::Result<()> {
    let database = web::Data::new(write::sqlite::Database::open(file)?);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(database.clone())
            .route("/action/{id}", web::post().to(write::sqlite::update))
            .route("/actions", web::post().to(write::sqlite::create))
    });
    let server = server.workers(args.workers).bind(args.listen)?;
    greet(&server.addrs());
    Ok(server.run().await?)
}

fn greet(addresses: &[SocketAddr]) {
    for address in addresses {
        println!("The limit is on http://{address}");
    }
}

/// A pool of the worker that serves the request.
type Database = web::Data<Rc<Pool>>;

/// `{"data": …}`.
#[derive(Serialize)]
struct Answer<T> {
    data: T,
}

/// Rows and what stands beside them, as a connection of the product.
#[derive(Serialize)]
struct Nodes<T> {
    nodes: T,
}

/// Whether more rows follow, and where they begin.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_cursor: Option<String>,
}

fn json<T: Serialize>(data: T) -> Result<HttpResponse, Failure> {
    let body = serde_json::to_vec(&Answer { data })?;
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}
