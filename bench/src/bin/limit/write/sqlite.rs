//! Writes on SQLite: one thread writes and one reads, each with a connection and its prepared statements. Settings
//! are those of the product.

use std::sync::mpsc::{self, Sender};
use std::thread;

use actix_web::{HttpResponse, web};
use anyhow::anyhow;
use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::{Connection, Result, Transaction, TransactionBehavior, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    ACTION, Action, Create, Entry, INSERT, JOURNAL, Options, SHOWN, SITE, UPDATE, Update, answer, now,
};
use crate::Failure;
use crate::action::parse;
use crate::form::{ActionId, Instant};

const SETTINGS: &str = "
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;
    PRAGMA busy_timeout = 5000";

/// The one writer, and a reader.
#[derive(Debug)]
pub struct Database {
    writer: Worker,
    reader: Worker,
}

impl Database {
    /// Opens a file.
    pub fn open(file: &str) -> Result<Self> {
        Ok(Self { writer: Worker::open(file)?, reader: Worker::open(file)? })
    }
}

/// A thread that works with a connection of its own, one job at a time.
#[derive(Debug)]
struct Worker(Sender<Job>);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

impl Worker {
    fn open(file: &str) -> Result<Self> {
        let mut connection = Connection::open(file)?;
        connection.execute_batch(SETTINGS)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        thread::spawn(move || queue.into_iter().for_each(|job| job(&mut connection)));
        Ok(Self(jobs))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| {
            // who asked may be gone
            let _ = answer.send(work(connection));
        });
        self.0.send(job).map_err(|_| anyhow!("the thread of a connection ended"))?;
        Ok(answered.await??)
    }
}

/// Changes one field of an action.
pub async fn update(
    database: web::Data<Database>,
    id: web::Path<String>,
    asked: web::Json<Update>,
    options: web::Query<Options>,
) -> Result<HttpResponse, Failure> {
    let (id, innovative, journaled) = (parse(&id)?.0, asked.innovative, options.journal);
    let write = move |connection: &mut Connection| {
        let at = now();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (version, site, source, public) = tx.prepare_cached(ACTION)?.query_row([blob(id)], |row| {
            Ok((row.get::<_, i32>(0)? + 1, Uuid::from_bytes(row.get(1)?), row.get(2)?, row.get(3)?))
        })?;
        let changed = params![version, text(at), innovative, blob(id)];
        tx.prepare_cached(UPDATE)?.query_row(changed, |_| Ok(()))?;
        if journaled {
            let (verb, fields) = ("update", ["innovative"].as_slice());
            let entry = Entry { id, version, verb, at, site, was_site: Some(site), source, public, fields };
            journal(&tx, &entry)?;
        }
        tx.commit()
    };
    database.writer.run(write).await?;
    show(&database, id).await
}

/// Makes an action of a site.
pub async fn create(
    database: web::Data<Database>,
    asked: web::Json<Create>,
    options: web::Query<Options>,
) -> Result<HttpResponse, Failure> {
    let (id, site, title, journaled) =
        (Uuid::now_v7(), asked.site()?, asked.into_inner().title, options.journal);
    let write = move |connection: &mut Connection| {
        let at = now();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.prepare_cached(SITE)?.query_row([blob(site)], |_| Ok(()))?;
        let row = params![blob(id), text(at), text(at), blob(site), title, title.to_lowercase()];
        tx.prepare_cached(INSERT)?.query_row(row, |_| Ok(()))?;
        if journaled {
            journal(&tx, &Entry::created(id, at, site))?;
        }
        tx.commit()
    };
    database.writer.run(write).await?;
    show(&database, id).await
}

fn journal(tx: &Transaction<'_>, entry: &Entry) -> Result<()> {
    let Entry { id, version, verb, at, site, was_site, source, public, .. } = entry;
    let row = params![
        blob(*id),
        version,
        verb,
        text(*at),
        blob(*site),
        was_site.map(blob),
        source,
        public,
        public,
        entry.fields().to_string(),
        Entry::request_id()
    ];
    tx.prepare_cached(JOURNAL)?.execute(row).map(|_| ())
}

async fn show(database: &Database, id: Uuid) -> Result<HttpResponse, Failure> {
    let read = move |connection: &mut Connection| {
        connection.prepare_cached(SHOWN)?.query_row([blob(id)], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get::<_, String>(3)?))
        })
    };
    let (version, title, innovative, at) = database.reader.run(read).await?;
    let updated_at = Instant(DateTime::parse_from_rfc3339(&at)?.to_utc());
    answer(Action { id: ActionId(id), version, title: &title, innovative, updated_at })
}

/// As the product stores ids.
fn blob(id: Uuid) -> [u8; 16] {
    id.into_bytes()
}

/// As the product stores instants.
fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}
