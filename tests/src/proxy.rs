//! A way to PostgreSQL that a test can cut and mend.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
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

/// A socket that leads to the server while it is not cut.
#[derive(Debug)]
pub struct Proxy {
    folder: TempDir,
    upstream: Upstream,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Proxy {
    /// A way to the server of a URL.
    pub fn to(url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let proxy = Self { folder, upstream: Upstream::of(url), accepting: Mutex::new(None) };
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

    /// Lets connections through again.
    pub fn mend(&self) {
        let listener = UnixListener::bind(self.folder.path().join(SOCKET)).expect("a socket");
        let upstream = self.upstream.clone();
        // dropped with the task, the set ends the connections
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let upstream = upstream.clone();
                connections.spawn(async move {
                    let mut server = upstream.connect().await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        *self.accepting.lock().unwrap_or_else(PoisonError::into_inner) = Some(accepting);
    }
}
