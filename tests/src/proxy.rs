//! A way to PostgreSQL that a test can cut and mend.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

/// The name that PostgreSQL's clients look for in a folder of sockets.
const SOCKET: &str = ".s.PGSQL.5432";

/// Where the server is.
#[derive(Clone, Debug)]
enum Upstream {
    Socket(PathBuf),
    Address(String),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Upstream {
    /// The server of a URL: its `host=` folder, else its host and port.
    fn of(url: &str) -> Self {
        if let Some(folder) = option(url, "host") {
            return Self::Socket(PathBuf::from(folder).join(SOCKET));
        }
        let address = url.split_once("://").map_or(url, |(_, rest)| rest);
        let address = address.split(['/', '?']).next().unwrap_or(address);
        let address = address.rsplit_once('@').map_or(address, |(_, host)| host);
        let port = if address.contains(':') { "" } else { ":5432" };
        Self::Address(format!("{address}{port}"))
    }

    async fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Socket(path) => Box::new(UnixStream::connect(path).await?),
            Self::Address(address) => Box::new(TcpStream::connect(address).await?),
        })
    }
}

fn option<'u>(url: &'u str, name: &str) -> Option<&'u str> {
    let (_, options) = url.split_once('?')?;
    options.split('&').find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
}

/// A text in a statement; the next commit after it, on the same connection, loses its answer.
type Watched = Arc<Mutex<Option<&'static str>>>;

/// Whether other instances were told of commits: at all, and on a connection that had begun a transaction.
type Told = Arc<(AtomicBool, AtomicBool)>;

/// How long each answer of the server takes on the way, in milliseconds.
type Delay = Arc<AtomicU64>;

/// A socket that leads to the server while it is not cut.
#[derive(Debug)]
pub struct Proxy {
    folder: TempDir,
    upstream: Upstream,
    watched: Watched,
    deaf: Arc<AtomicBool>,
    told: Told,
    delay: Delay,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Proxy {
    /// A way to the server of a URL.
    pub fn to(url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let upstream = Upstream::of(url);
        let proxy = Self {
            folder,
            upstream,
            watched: Watched::default(),
            deaf: Arc::default(),
            told: Told::default(),
            delay: Delay::default(),
            accepting: Mutex::new(None),
        };
        proxy.mend();
        proxy
    }

    /// The URL by this way: the same user and database.
    pub fn url(&self, url: &str) -> String {
        let address = url.split_once('?').map_or(url, |(address, _)| address);
        let (scheme, rest) = address.split_once("://").expect("a URL");
        let (place, database) = rest.split_once('/').expect("a database");
        let user = place.rsplit_once('@').map_or(String::new(), |(user, _)| format!("{user}@"));
        format!("{scheme}://{user}localhost/{database}?host={}", self.folder.path().display())
    }

    /// Ends every connection, and lets none begin.
    pub fn cut(&self) {
        if let Some(accepting) = self.accepting.lock().unwrap_or_else(PoisonError::into_inner).take() {
            accepting.abort();
        }
        std::fs::remove_file(self.folder.path().join(SOCKET)).expect("the socket goes");
    }

    /// Once: lets the commit after a statement with this text through, and cuts its connection before the answer
    /// comes back.
    pub fn lose_commit_after(&self, text: &'static str) {
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    /// From now on each answer of the server takes so much longer.
    pub fn delay(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).expect("a short time");
        self.delay.store(millis, Ordering::SeqCst);
    }

    /// Whether other instances were told of commits, at all and on a connection that transactions are made on.
    pub fn told(&self) -> (bool, bool) {
        (self.told.0.load(Ordering::SeqCst), self.told.1.load(Ordering::SeqCst))
    }

    /// From now on a LISTEN is accepted and does nothing.
    pub fn deafen(&self) {
        self.deaf.store(true, Ordering::SeqCst);
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        let listener = UnixListener::bind(self.folder.path().join(SOCKET)).expect("a socket");
        let (upstream, watched) = (self.upstream.clone(), Arc::clone(&self.watched));
        let (deaf, told, delay) = (Arc::clone(&self.deaf), Arc::clone(&self.told), Arc::clone(&self.delay));
        // dropped with the task, the set ends the connections
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (upstream, watched) = (upstream.clone(), Arc::clone(&watched));
                let (deaf, told, delay) = (Arc::clone(&deaf), Arc::clone(&told), Arc::clone(&delay));
                connections.spawn(async move {
                    let way = Way { watched: &watched, deaf: &deaf, told: &told, delay: &delay };
                    carry(client, upstream.connect().await?, way).await
                });
            }
        });
        *self.accepting.lock().unwrap_or_else(PoisonError::into_inner) = Some(accepting);
    }
}

/// What happens on the way.
#[derive(Clone, Copy)]
struct Way<'w> {
    watched: &'w Watched,
    deaf: &'w AtomicBool,
    told: &'w Told,
    delay: &'w Delay,
}

/// Carries bytes both ways until one side ends, or a watched commit is done.
async fn carry(
    mut client: UnixStream,
    mut server: Box<dyn Stream>,
    Way { watched, deaf, told, delay }: Way<'_>,
) -> std::io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let (mut is_next, mut has_begun) = (false, false);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let sent = &mut asked[..read?];
                if deaf.load(Ordering::SeqCst) {
                    pass_over(sent);
                }
                if sent.is_empty() {
                    return Ok(());
                }
                has_begun |= holds(sent, b"BEGIN");
                if holds(sent, b"pg_notify") {
                    told.0.store(true, Ordering::SeqCst);
                    told.1.fetch_or(has_begun, Ordering::SeqCst);
                }
                server.write_all(sent).await?;
                is_next |= is_watched(watched, sent);
                if is_next && holds(sent, b"COMMIT\0") {
                    *watched.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    // the server has done it by now; nobody hears of it
                    return server.read(&mut answered).await.map(drop);
                }
            }
            read = server.read(&mut answered) => {
                let came = &answered[..read?];
                if came.is_empty() {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(delay.load(Ordering::SeqCst))).await;
                client.write_all(came).await?;
            }
        }
    }
}

/// Puts a statement that does nothing, as long as it, in the place of a LISTEN.
fn pass_over(sent: &mut [u8]) {
    let listens = sent.windows(7).position(|text| text == b"LISTEN ");
    if let Some(statement) = listens.map(|at| &mut sent[at..]) {
        let end = statement.iter().position(|byte| *byte == 0).unwrap_or(statement.len());
        statement[..end].fill(b' ');
        statement[..8].copy_from_slice(b"SELECT 1");
    }
}

fn is_watched(watched: &Watched, sent: &[u8]) -> bool {
    let watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
    watched.is_some_and(|text| holds(sent, text.as_bytes()))
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
