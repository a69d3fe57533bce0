//! What each caller writes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context, anyhow, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Request, Script};
use crate::scenario::{Servers, content};

/// Rows that each caller changes in turn.
const ROWS: usize = 100;

/// Who writes.
#[derive(Clone, Debug)]
pub enum Writer {
    /// The product.
    Product(Servers),
    /// The limit.
    Limit {
        /// Where it is.
        address: SocketAddr,
        /// Whether it journals what it writes.
        journal: bool,
    },
}

impl Writer {
    /// Changes a field of an action.
    pub fn update(&self, id: &str, innovative: bool) -> Request {
        match self {
            Self::Product(servers) => servers.asked(
                include_str!("../../../../documents/update_action.graphql"),
                &json!({ "input": { "id": id, "innovative": innovative } }),
            ),
            Self::Limit { address, journal } => {
                let path = format!("/action/{id}?journal={journal}");
                Request::post(*address, &path, None, &json!({ "innovative": innovative }).to_string())
            }
        }
    }

    /// Makes an action of a site.
    pub fn create(&self, site: &str, title: &str) -> Request {
        let values = json!({ "site": site, "title": title });
        match self {
            Self::Product(servers) => servers.asked(
                include_str!("../../../../documents/create_action.graphql"),
                &json!({ "input": values }),
            ),
            Self::Limit { address, journal } => {
                let path = format!("/actions?journal={journal}");
                Request::post(*address, &path, None, &values.to_string())
            }
        }
    }

    /// Whether it journals what it writes.
    pub const fn journals(&self) -> bool {
        matches!(self, Self::Product(_) | Self::Limit { journal: true, .. })
    }
}

/// How many writes were acknowledged.
#[derive(Debug, Default)]
pub struct Written {
    /// New actions.
    pub created: AtomicUsize,
    /// Writes with a journal entry.
    pub journaled: AtomicUsize,
}

impl Written {
    /// An answer must show the version that the write leads to: then it was done, and nothing was lost.
    fn take(&self, writer: &Writer, version: i64, answer: &[u8]) -> anyhow::Result<()> {
        let shown = format!("\"version\":{version},");
        let is_done = answer.windows(shown.len()).any(|part| part == shown.as_bytes());
        ensure!(is_done, "expected version {version}, got {}", String::from_utf8_lossy(answer));
        self.journaled.fetch_add(usize::from(writer.journals()), Ordering::Relaxed);
        Ok(())
    }
}

/// An action under change.
#[derive(Debug, Deserialize)]
struct Row {
    id: String,
    version: i64,
    innovative: bool,
}

/// Rows of one caller, and which of them is next.
type Rows = Mutex<(Vec<Row>, usize)>;

/// Updates: each caller turns the same field of its rows over.
#[derive(Debug)]
pub struct Updates {
    writer: Writer,
    callers: Vec<Rows>,
    written: Arc<Written>,
}

impl Updates {
    /// The updates of each writer, by at most so many callers.
    pub async fn of(
        writers: &[Writer],
        servers: &Servers,
        callers: usize,
        written: &Arc<Written>,
    ) -> anyhow::Result<Vec<Arc<dyn Script>>> {
        let places = writers.len() * callers;
        let mut all: Vec<Vec<Row>> = std::iter::repeat_with(Vec::new).take(places).collect();
        // neighbours go to different callers, so that all have old and new rows
        for (index, row) in rows(servers, places * ROWS).await?.into_iter().enumerate() {
            all[index % places].push(row);
        }
        let mut all = all.into_iter().map(|rows| Mutex::new((rows, 0)));
        let script = |writer: &Writer| {
            let callers = all.by_ref().take(callers).collect();
            Arc::new(Self { writer: writer.clone(), callers, written: Arc::clone(written) })
                as Arc<dyn Script>
        };
        Ok(writers.iter().map(script).collect())
    }

    fn with_next<T>(
        &self,
        caller: usize,
        work: impl FnOnce(&mut Row) -> anyhow::Result<T>,
        step: usize,
    ) -> anyhow::Result<T> {
        let mut rows = self.callers[caller].lock().map_err(|_| anyhow!("another caller failed"))?;
        let (rows, next) = &mut *rows;
        let place = *next % rows.len();
        *next += step;
        work(&mut rows[place])
    }
}

impl Script for Updates {
    fn next(&self, caller: usize) -> anyhow::Result<Request> {
        self.with_next(caller, |row| Ok(self.writer.update(&row.id, !row.innovative)), 0)
    }

    fn take(&self, caller: usize, answer: &[u8]) -> anyhow::Result<()> {
        let done = |row: &mut Row| {
            (row.version, row.innovative) = (row.version + 1, !row.innovative);
            self.written.take(&self.writer, row.version, answer)
        };
        self.with_next(caller, done, 1)
    }
}

/// Actions of the product, so many of them.
async fn rows(servers: &Servers, count: usize) -> anyhow::Result<Vec<Row>> {
    let (mut rows, mut after) = (Vec::with_capacity(count), Value::Null);
    while rows.len() < count {
        let query = include_str!("../../../../documents/rows.graphql");
        let mut page = content(&servers.asked(query, &json!({ "after": after }))).await?;
        let page = page.pointer_mut("/data/actions").context("no page of actions")?;
        let nodes: Vec<Row> = serde_json::from_value(page["nodes"].take())?;
        ensure!(!nodes.is_empty(), "there are fewer than {count} actions");
        after = page["pageInfo"]["endCursor"].take();
        rows.extend(nodes);
    }
    rows.truncate(count);
    Ok(rows)
}

/// New actions: each caller makes those of its own site, since a site is locked while one is made.
#[derive(Debug)]
pub struct Creations {
    writer: Writer,
    sites: Vec<String>,
    written: Arc<Written>,
}

impl Creations {
    /// The creations of each writer.
    pub async fn of(
        writers: &[Writer],
        servers: &Servers,
        written: &Arc<Written>,
    ) -> anyhow::Result<Vec<Arc<dyn Script>>> {
        let sites = sites(servers).await?;
        let script = |writer: &Writer| {
            let (writer, sites) = (writer.clone(), sites.clone());
            Arc::new(Self { writer, sites, written: Arc::clone(written) }) as Arc<dyn Script>
        };
        Ok(writers.iter().map(script).collect())
    }
}

impl Script for Creations {
    fn next(&self, caller: usize) -> anyhow::Result<Request> {
        let number = self.written.created.load(Ordering::Relaxed);
        let title = format!("Atelier {number} des habitants");
        Ok(self.writer.create(&self.sites[caller % self.sites.len()], &title))
    }

    fn take(&self, _: usize, answer: &[u8]) -> anyhow::Result<()> {
        self.written.created.fetch_add(1, Ordering::Relaxed);
        self.written.take(&self.writer, 1, answer)
    }
}

/// Ids of sites.
pub async fn sites(servers: &Servers) -> anyhow::Result<Vec<String>> {
    let answer = content(&servers.asked("{ sites(first: 100) { nodes { id } } }", &json!({}))).await?;
    let nodes = answer.pointer("/data/sites/nodes").and_then(Value::as_array).context("no sites")?;
    Ok(nodes.iter().filter_map(|site| site["id"].as_str()).map(str::to_owned).collect())
}
