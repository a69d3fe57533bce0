//! A small HTTP server that plays an issuer: it answers what a test sets, and counts.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

#[derive(Default)]
struct State {
    answers: Mutex<HashMap<String, (u16, String)>>,
    hits: AtomicUsize,
}

pub(super) struct IssuerServer {
    address: SocketAddr,
    state: Arc<State>,
}

impl IssuerServer {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::<State>::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let path = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned));
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                shared.hits.fetch_add(1, Ordering::SeqCst);
                // Long enough for concurrent callers to meet.
                std::thread::sleep(Duration::from_millis(20));
                let (status, body) = shared
                    .answers
                    .lock()
                    .unwrap()
                    .get(&path.unwrap_or_default())
                    .cloned()
                    .unwrap_or((404, String::new()));
                let head = format!(
                    "HTTP/1.1 {status} X\r\nLocation: /jwks\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = (&stream).write_all((head + &body).as_bytes());
            }
        });
        Self { address, state }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn answer(&self, path: &str, status: u16, body: impl Into<String>) {
        self.state.answers.lock().unwrap().insert(path.to_owned(), (status, body.into()));
    }

    pub(super) fn hits(&self) -> usize {
        self.state.hits.load(Ordering::SeqCst)
    }
}
