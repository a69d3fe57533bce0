//! HTTP/1.1 over kept connections, in a closed loop: each connection sends its next request when it has the
//! answer to the last one. Little more than the bytes themselves, so that the load costs less than the server.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A request, ready to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where it goes.
    pub address: SocketAddr,
    bytes: Vec<u8>,
}

impl Request {
    /// `GET path`.
    pub fn get(address: SocketAddr, path: &str) -> Self {
        let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\n\r\n");
        Self { address, bytes: head.into_bytes() }
    }

    /// `POST /graphql` of a JSON body, as the holder of a token or as the public.
    pub fn graphql(address: SocketAddr, token: Option<&str>, body: &str) -> Self {
        Self::post(address, "/graphql", token, body)
    }

    /// `POST path` of a JSON body.
    pub fn post(address: SocketAddr, path: &str, token: Option<&str>, body: &str) -> Self {
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\n{token}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Self { address, bytes: head.into_bytes() }
    }

    /// `POST /import/actions` of lines of JSON, under an idempotency key.
    pub fn lines(address: SocketAddr, token: &str, key: &str, lines: &str) -> Self {
        let head = format!(
            "POST /import/actions HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/x-ndjson\r\nIdempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{lines}",
            lines.len()
        );
        Self { address, bytes: head.into_bytes() }
    }

    /// Sends it once, on a connection of its own; the body of the answer.
    pub async fn send(&self) -> anyhow::Result<Vec<u8>> {
        Connection::open(self.address).await?.exchange(self).await.map(<[u8]>::to_vec)
    }
}

/// One kept connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("{address} is out of reach"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request and reads the body of its answer, which must be 200.
    pub async fn exchange(&mut self, request: &Request) -> anyhow::Result<&[u8]> {
        let start = self.answered(request).await?;
        if !self.is_ok() {
            bail!("the server answered {}", String::from_utf8_lossy(&self.buffer));
        }
        Ok(&self.buffer[start..])
    }

    /// Whether the last answer was 200.
    pub fn is_ok(&self) -> bool {
        self.buffer.starts_with(b"HTTP/1.1 200")
    }

    /// Sends a request and reads its answer; where the body begins in the buffer.
    pub async fn answered(&mut self, request: &Request) -> anyhow::Result<usize> {
        self.stream.write_all(&request.bytes).await?;
        self.buffer.clear();
        let start = loop {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server closed the connection");
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let length = body_length(&self.buffer[..start])?;
        while !is_whole(&self.buffer[start..], length) {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server closed the connection");
        }
        Ok(start)
    }
}

/// Whether a body has arrived: so many bytes, or, in chunks, up to the empty one.
fn is_whole(body: &[u8], length: Option<usize>) -> bool {
    length.map_or_else(|| body.ends_with(b"\r\n0\r\n\r\n"), |length| body.len() >= length)
}

/// The length of the body; none when it comes in chunks, which are then left as they are.
fn body_length(head: &[u8]) -> anyhow::Result<Option<usize>> {
    let head = std::str::from_utf8(head)?;
    if head.lines().any(|line| line.eq_ignore_ascii_case("transfer-encoding: chunked")) {
        return Ok(None);
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    Ok(Some(length.context("an answer without Content-Length")?.parse()?))
}

/// How long each request of a run took, shortest first.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// How many requests were answered.
    pub const fn count(&self) -> usize {
        self.0.len()
    }

    /// The latency below which a share of the requests stayed.
    pub fn percentile(&self, share: f64) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a position in a list in memory"
        )]
        let position = (self.0.len() as f64 * share) as usize;
        self.0.get(position.min(self.0.len().saturating_sub(1))).copied().unwrap_or_default()
    }

    /// Those of several runs together.
    pub fn merged(runs: impl IntoIterator<Item = Self>) -> Self {
        let mut all: Vec<Duration> = runs.into_iter().flat_map(|run| run.0).collect();
        all.sort_unstable();
        Self(all)
    }
}

/// What the callers of a run send.
pub trait Script: Send + Sync {
    /// The next request of a caller; callers are numbered from 0.
    fn next(&self, caller: usize) -> anyhow::Result<Request>;

    /// Takes the answer to that request; one that is not as it must be ends the run.
    fn take(&self, caller: usize, answer: &[u8]) -> anyhow::Result<()>;
}

/// One request, again and again. All answers must be of the same length.
#[derive(Debug)]
pub struct Repeated {
    request: Request,
    length: OnceLock<usize>,
}

impl Repeated {
    /// Repeats a request.
    pub const fn new(request: Request) -> Self {
        Self { request, length: OnceLock::new() }
    }
}

impl Script for Repeated {
    fn next(&self, _: usize) -> anyhow::Result<Request> {
        Ok(self.request.clone())
    }

    fn take(&self, _: usize, answer: &[u8]) -> anyhow::Result<()> {
        let same = *self.length.get_or_init(|| answer.len()) == answer.len();
        ensure!(same, "the answer changed while it was measured");
        Ok(())
    }
}

/// Has so many callers send what a script says, for so long, over a kept connection each.
pub async fn run(script: &Arc<dyn Script>, callers: usize, time: Duration) -> anyhow::Result<Latencies> {
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let script = Arc::clone(script);
        tasks.spawn(async move { closed_loop(script.as_ref(), caller, end).await });
    }
    let mut runs = Vec::with_capacity(callers);
    while let Some(run) = tasks.join_next().await {
        runs.push(run??);
    }
    Ok(Latencies::merged(runs))
}

async fn closed_loop(script: &dyn Script, caller: usize, end: Instant) -> anyhow::Result<Latencies> {
    let mut request = script.next(caller)?;
    let mut connection = Connection::open(request.address).await?;
    let mut latencies = Vec::new();
    let mut start = Instant::now();
    while start < end {
        script.take(caller, connection.exchange(&request).await?)?;
        let now = Instant::now();
        latencies.push(now - start);
        start = now;
        request = script.next(caller)?;
    }
    Ok(Latencies(latencies))
}
