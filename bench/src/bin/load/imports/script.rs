//! What each caller imports.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{anyhow, ensure};
use serde_json::Value;

use super::ITEMS;
use super::items::{Ground, Item};
use crate::client::{Request, Script};
use crate::scenario::Servers;

/// Batches of each caller that come again.
const BATCHES: usize = 4;

/// What a batch changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everything is new.
    New,
    /// One title in five is.
    Changed,
    /// Nothing is.
    Unchanged,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::New, Self::Changed, Self::Unchanged];

    /// What the table calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "one in five changed",
            Self::Unchanged => "unchanged",
        }
    }
}

/// The way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    SyncActions,
    Lines,
    Limit,
}

/// Who imports.
#[derive(Clone, Debug)]
pub struct Importer {
    way: Way,
    address: SocketAddr,
    token: String,
    /// Tells its items from those of the others.
    pub name: &'static str,
}

/// Keys of calls, each used once.
static CALLS: AtomicUsize = AtomicUsize::new(0);

impl Importer {
    /// By `syncActions`.
    pub fn product(servers: &Servers, token: &str) -> Self {
        Self { way: Way::SyncActions, address: servers.product, token: token.to_owned(), name: "call" }
    }

    /// By `/import/actions`.
    pub fn lines(servers: &Servers, token: &str) -> Self {
        Self { way: Way::Lines, address: servers.product, token: token.to_owned(), name: "file" }
    }

    /// By the limit.
    pub const fn limit(address: SocketAddr) -> Self {
        Self { way: Way::Limit, address, token: String::new(), name: "bare" }
    }

    /// Whether the product imports.
    pub fn is_product(&self) -> bool {
        self.way != Way::Limit
    }

    /// What stands between items.
    pub fn separator(&self) -> char {
        if self.way == Way::Lines { '\n' } else { ',' }
    }

    /// A request with items that are written already. The product's have an idempotency key, as a client's should.
    pub fn request(&self, items: &str) -> Request {
        let key = format!("bench-{}", CALLS.fetch_add(1, Ordering::Relaxed));
        match self.way {
            Way::Lines => Request::lines(self.address, &self.token, &key, items),
            Way::Limit => Request::post(self.address, "/import", None, &format!("{{\"items\":[{items}]}}")),
            Way::SyncActions => {
                let query = Value::from(include_str!("../../../../documents/sync_actions.graphql"));
                let body = format!(
                    "{{\"query\":{query},\"variables\":{{\"input\":{{\"idempotencyKey\":\"{key}\",\"items\":[{items}]}}}}}}"
                );
                Request::graphql(self.address, Some(&self.token), &body)
            }
        }
    }
}

/// How many items of an answer had an outcome.
pub fn count(answer: &[u8], outcome: &str) -> usize {
    let text = format!("\"outcome\":\"{outcome}\"");
    answer.split(|byte| *byte == b'{').filter(|part| holds(part, text.as_bytes())).count()
}

fn holds(part: &[u8], text: &[u8]) -> bool {
    part.windows(text.len()).any(|window| window == text)
}

/// The batches of one importer; each caller has its own.
#[derive(Debug)]
pub struct Batches {
    importer: Importer,
    ground: std::sync::Arc<Ground>,
    kind: Kind,
    /// How many were sent by each caller.
    sent: Vec<Mutex<usize>>,
}

/// Numbers of new series: no two scripts import the same items.
static SERIES: AtomicUsize = AtomicUsize::new(0);

impl Batches {
    /// The batches of a kind; those that come again are made first.
    pub async fn of(
        importer: &Importer,
        ground: &std::sync::Arc<Ground>,
        kind: Kind,
        callers: usize,
    ) -> anyhow::Result<Self> {
        let first = SERIES.fetch_add(callers, Ordering::Relaxed);
        let sent = (0..callers).map(|caller| Mutex::new((first + caller) << 32)).collect();
        let batches = Self { importer: importer.clone(), ground: ground.clone(), kind, sent };
        if kind != Kind::New {
            for caller in 0..callers {
                for _ in 0..BATCHES {
                    let answer = batches.next(caller)?.send().await?;
                    batches.check(caller, &answer, [ITEMS, 0, 0])?;
                }
            }
        }
        Ok(batches)
    }

    /// The items of a batch, sent so many batches after the first of its caller.
    fn items(&self, sent: usize) -> String {
        let (series, sent) = (sent >> 32, sent & 0xffff_ffff);
        let (batch, pass) = match self.kind {
            Kind::New => (sent, 0),
            Kind::Changed | Kind::Unchanged => (sent % BATCHES, sent / BATCHES),
        };
        let series = format!("{}-{series}-{batch}", self.importer.name);
        let mut items = String::with_capacity(ITEMS * 600);
        for number in 0..ITEMS {
            let changes = self.kind == Kind::Changed && number.is_multiple_of(5);
            let pass = if changes { pass } else { 0 };
            let item = Item { series: &series, number, pass };
            self.ground.write(&mut items, &item, self.importer.separator());
        }
        items
    }

    /// Every item has the outcome that it must have: so many created, updated, unchanged.
    fn check(&self, caller: usize, answer: &[u8], expected: [usize; 3]) -> anyhow::Result<()> {
        let outcomes = ["CREATED", "UPDATED", "UNCHANGED"].map(|outcome| count(answer, outcome));
        let text = String::from_utf8_lossy(answer);
        ensure!(outcomes == expected, "{:?}: {outcomes:?} in {text:.2000}", self.importer.name);
        *self.lock(caller)? += 1;
        Ok(())
    }

    fn lock(&self, caller: usize) -> anyhow::Result<std::sync::MutexGuard<'_, usize>> {
        self.sent[caller].lock().map_err(|_| anyhow!("another caller failed"))
    }
}

impl Script for Batches {
    fn next(&self, caller: usize) -> anyhow::Result<Request> {
        let sent = *self.lock(caller)?;
        Ok(self.importer.request(&self.items(sent)))
    }

    fn take(&self, caller: usize, answer: &[u8]) -> anyhow::Result<()> {
        let expected = match self.kind {
            Kind::New => [ITEMS, 0, 0],
            Kind::Changed => [0, ITEMS / 5, ITEMS - ITEMS / 5],
            Kind::Unchanged => [0, 0, ITEMS],
        };
        self.check(caller, answer, expected)
    }
}
