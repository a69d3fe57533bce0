//! Instances are replaced one after the other: nobody who comes by a proxy that asks for readiness sees it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tests::{Backend, Process, Template, TestDatabase, block_on_postgres};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

const BINARY: &str = env!("CARGO_BIN_EXE_cites-tested");

/// How often the proxy asks whether an instance is ready.
const LOOK: Duration = Duration::from_millis(20);

/// Where requests may be sent.
type Ready = Arc<Mutex<Vec<SocketAddr>>>;

/// A proxy that sends each connection to one of those that are ready, in turn.
async fn proxy(ready: Ready) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        for turn in 0_usize.. {
            let (mut client, _) = listener.accept().await.expect("a client");
            let ready = Arc::clone(&ready);
            tokio::spawn(async move {
                let to = {
                    let ready = ready.lock().unwrap_or_else(PoisonError::into_inner);
                    ready[turn % ready.len()]
                };
                let mut server = TcpStream::connect(to).await.expect("a ready instance takes connections");
                copy_bidirectional(&mut client, &mut server).await.ok();
            });
        }
    });
    address
}

/// Asks an instance again and again whether it is ready, and notes the answer.
async fn watch(instance: SocketAddr, ready: Ready) {
    let url = format!("http://{instance}/health/ready");
    loop {
        let is_ready = reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success());
        {
            let mut ready = ready.lock().unwrap_or_else(PoisonError::into_inner);
            ready.retain(|known| *known != instance);
            if is_ready {
                ready.push(instance);
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").split('/').next().expect("a host").parse().expect("an address")
}

#[test]
fn a_rolling_restart_loses_no_request() {
    block_on_postgres(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Postgres, Template::Small, home.path()).await;
        let start = || {
            let mut process = Process::of(BINARY, &database, home.path())
                // time enough for the proxy to see it on a busy machine
                .with("CITES_SERVER__DRAIN_MS", "1500")
                // these clients ask as fast as they can
                .with("CITES_LIMITS__ENABLED", "false");
            let instance = address(&process.serve());
            (process, instance)
        };
        let ready = Ready::default();
        let mut running = Vec::new();
        for _ in 0..2 {
            let (process, instance) = start();
            running.push((process, tokio::spawn(watch(instance, Arc::clone(&ready)))));
        }
        await_ready(&ready, 2).await;
        let url = format!("http://{}/graphql", proxy(Arc::clone(&ready)).await);
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let clients: Vec<_> =
            (0..4).map(|_| tokio::spawn(ask(url.clone(), Arc::clone(&stop), Arc::clone(&asked)))).collect();
        for _ in 0..4 {
            let (mut old, watching) = running.remove(0);
            let before = asked.load(Ordering::Relaxed);
            let code = tokio::task::block_in_place(|| old.terminate());
            assert_eq!(code, Some(0), "it ends in order: {}", old.log());
            watching.abort();
            assert!(asked.load(Ordering::Relaxed) > before, "requests went on meanwhile");
            let (process, instance) = tokio::task::block_in_place(start);
            running.push((process, tokio::spawn(watch(instance, Arc::clone(&ready)))));
            await_ready(&ready, 2).await;
        }
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.expect("every request was answered");
        }
        println!("{} requests over four restarts, none lost", asked.load(Ordering::Relaxed));
    });
}

/// Waits until so many instances are ready.
async fn await_ready(ready: &Ready, count: usize) {
    while ready.lock().unwrap_or_else(PoisonError::into_inner).len() < count {
        tokio::time::sleep(LOOK).await;
    }
}

/// A client that keeps no connection, and stands no failure.
async fn ask(url: String, stop: Arc<AtomicBool>, asked: Arc<AtomicUsize>) {
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
    while !stop.load(Ordering::Relaxed) {
        let request = client.post(&url).json(&json!({ "query": "{ sites(first: 3) { totalCount } }" }));
        let answer = request.send().await.expect("an answer").text().await.expect("a whole one");
        assert!(answer.contains("totalCount") && !answer.contains("errors"), "{answer}");
        asked.fetch_add(1, Ordering::Relaxed);
    }
}
