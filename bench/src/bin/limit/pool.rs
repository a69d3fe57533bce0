//! Connections of one worker, each with every statement prepared.

use std::cell::RefCell;
use std::ops::Deref;

use anyhow::Context;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::{Client, Config, NoTls, Statement};

use crate::{action, import, page, site_cards, statistics, write};

/// A connection and its statements.
pub struct Connection {
    /// The connection.
    pub client: Client,
    /// Statements of `SiteCards`.
    pub site_cards: site_cards::Statements,
    /// An action by its id.
    pub action: Statement,
    /// The QPV of an action.
    pub action_qpvs: Statement,
    /// The first actions.
    pub first_page: Statement,
    /// Actions after one.
    pub next_page: Statement,
    /// Actions that meet conditions.
    pub filtered_page: Statement,
    /// Actions counted.
    pub statistics: Statement,
    /// Items brought up to date.
    pub import: Statement,
    /// Links of those that are new.
    pub import_links: Statement,
    /// Statements of writes.
    pub write: write::postgres::Statements,
}

impl Connection {
    async fn open(url: &str) -> anyhow::Result<Self> {
        let (client, connection) =
            tokio_postgres::connect(url, NoTls).await.context("PostgreSQL is out of reach")?;
        actix_web::rt::spawn(connection);
        Ok(Self {
            site_cards: site_cards::Statements::prepare(&client).await?,
            action: client.prepare(action::ACTION).await?,
            action_qpvs: client.prepare(action::QPVS).await?,
            first_page: client.prepare(&page::all("TRUE")).await?,
            next_page: client.prepare(&page::all(page::AFTER)).await?,
            filtered_page: client.prepare(page::FILTERED).await?,
            statistics: client.prepare(statistics::STATISTICS).await?,
            import: client.prepare(import::IMPORT).await?,
            import_links: client.prepare(import::LINKS).await?,
            write: write::postgres::Statements::prepare(&client).await?,
            client,
        })
    }
}

async fn connect(url: &str) -> anyhow::Result<Client> {
    let mut config: Config = url.parse()?;
    // as the product's readers: one process per statement, nothing compiled
    config.options("-c max_parallel_workers_per_gather=0 -c jit=off");
    let (client, connection) = config.connect(NoTls).await.context("PostgreSQL is out of reach")?;
    actix_web::rt::spawn(connection);
    Ok(client)
}

/// Does what autovacuum would do sooner or later: plans know the data, and index scans need not look at rows.
pub async fn vacuum(url: &str) -> anyhow::Result<()> {
    Ok(connect(url).await?.batch_execute("VACUUM ANALYZE").await?)
}

/// A fixed number of connections, lent one request at a time.
pub struct Pool {
    free: RefCell<Vec<Connection>>,
    permits: Semaphore,
}

impl Pool {
    /// Opens every connection.
    pub async fn open(url: &str, size: usize) -> anyhow::Result<Self> {
        let mut free = Vec::with_capacity(size);
        for _ in 0..size {
            free.push(Connection::open(url).await?);
        }
        Ok(Self { free: RefCell::new(free), permits: Semaphore::new(size) })
    }

    /// Lends a connection, once one is free.
    pub async fn lend(&self) -> anyhow::Result<Lent<'_>> {
        let permit = self.permits.acquire().await?;
        let connection = self.free.borrow_mut().pop();
        Ok(Lent {
            connection: Some(connection.context("a permit without connection")?),
            pool: self,
            _permit: permit,
        })
    }
}

/// A connection on loan, given back when dropped.
pub struct Lent<'p> {
    connection: Option<Connection>,
    pool: &'p Pool,
    _permit: SemaphorePermit<'p>,
}

impl Deref for Lent<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().unwrap_or_else(|| unreachable!("taken only when dropped"))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.pool.free.borrow_mut().extend(self.connection.take());
    }
}
