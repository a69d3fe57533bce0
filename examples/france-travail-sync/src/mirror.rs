//! What survives a crash: the mirror, the cursor up to which it is right, and how far the file was sent. Each step is
//! one transaction of SQLite, so that rows and cursor never disagree.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

/// An action as the mirror keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its id in the API.
    pub id: String,
    /// Its version there.
    pub version: i64,
    /// Title.
    pub title: String,
    /// Status.
    pub status: String,
    /// Start and end, as precisely as known.
    pub period: (Option<String>, Option<String>),
    /// Its site, by which it goes when the site does.
    pub site_id: Option<String>,
    /// Code of its site.
    pub site: Option<String>,
    /// Its source system and its identifier there.
    pub source: (Option<String>, Option<String>),
}

/// What the feed says of an action.
#[derive(Clone, Debug)]
pub enum Step {
    /// It is so now.
    Put(Row),
    /// It is gone, or out of our sight.
    Remove(String),
    /// A site is, and its actions with it.
    RemoveSite(String),
}

/// A row of the file that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bad {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Its identifier.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// A call as it is sent, kept until it is acknowledged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Rows of the file up to its end.
    pub rows: u64,
    /// What is sent, its idempotency key in it; nothing when none of its rows makes an item.
    pub body: Option<String>,
    /// Line and identifier of each item.
    pub places: Vec<(u64, String)>,
    /// Rows of it that make none.
    pub bad: Vec<Bad>,
}

/// How often each outcome was answered.
pub type Counts = Vec<(String, u64)>;

/// The file of the mirror.
#[derive(Debug)]
pub struct Mirror {
    db: Connection,
}

/// Of the tables.
const VERSION: i64 = 2;

/// A mirror of an earlier form is read anew, and a file that was not sent to its end is sent from its beginning.
const BEFORE: &str = "
    DROP TABLE IF EXISTS action;
    CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT) STRICT;
    DELETE FROM state;
    PRAGMA user_version = 2;";

const TABLES: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT) STRICT;
    CREATE TABLE IF NOT EXISTS action (
        id TEXT PRIMARY KEY, version INTEGER NOT NULL, title TEXT NOT NULL, status TEXT NOT NULL, starts_on TEXT,
        ends_on TEXT, site_id TEXT, site TEXT, source_system TEXT, external_id TEXT) STRICT;
    CREATE TABLE IF NOT EXISTS bad_row (line INTEGER NOT NULL, id TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS outcome (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;";

impl Mirror {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let db = Connection::open(path)?;
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version < VERSION {
            db.execute_batch(BEFORE)?;
        }
        db.execute_batch(TABLES)?;
        Ok(Self { db })
    }

    /// Every action, by id.
    pub fn rows(&self) -> rusqlite::Result<Vec<Row>> {
        let mut select = self.db.prepare("SELECT * FROM action ORDER BY id")?;
        let rows = select.query_map([], |row| {
            Ok(Row {
                id: row.get(0)?,
                version: row.get(1)?,
                title: row.get(2)?,
                status: row.get(3)?,
                period: (row.get(4)?, row.get(5)?),
                site_id: row.get(6)?,
                site: row.get(7)?,
                source: (row.get(8)?, row.get(9)?),
            })
        })?;
        rows.collect()
    }

    /// The cursor to go on from: none before the first snapshot, `Some(None)` at the beginning of the feed.
    pub fn cursor(&self) -> rusqlite::Result<Option<Option<String>>> {
        let select = "SELECT value FROM state WHERE name = 'cursor'";
        self.db.query_row(select, [], |row| row.get(0)).optional()
    }

    /// Takes a page of changes with the cursor after it.
    pub fn apply(&mut self, steps: &[Step], cursor: Option<&str>) -> rusqlite::Result<()> {
        let tx = self.db.transaction()?;
        for step in steps {
            match step {
                Step::Put(row) => put(&tx, row)?,
                Step::Remove(id) => {
                    tx.execute("DELETE FROM action WHERE id = ?1", [id])?;
                }
                Step::RemoveSite(site) => {
                    tx.execute("DELETE FROM action WHERE site_id = ?1", [site])?;
                }
            }
        }
        if let Some(cursor) = cursor {
            keep(&tx, "cursor", Some(cursor))?;
        }
        tx.commit()
    }

    /// Starts over from a full reading, and the cursor that was taken before it.
    pub fn replace(&mut self, rows: &[Row], cursor: Option<&str>) -> rusqlite::Result<()> {
        let tx = self.db.transaction()?;
        tx.execute("DELETE FROM action", [])?;
        for row in rows {
            put(&tx, row)?;
        }
        keep(&tx, "cursor", cursor)?;
        tx.commit()
    }

    /// How many rows of a file are done, and the call that was sent after them and not acknowledged. Another file begins
    /// anew.
    pub fn run(&mut self, file: &str) -> rusqlite::Result<(u64, Option<Call>)> {
        let tx = self.db.transaction()?;
        if state(&tx, "file")?.as_deref() != Some(file) {
            for (name, value) in [("file", Some(file)), ("rows", Some("0")), ("call", None)] {
                keep(&tx, name, value)?;
            }
            tx.execute_batch("DELETE FROM bad_row; DELETE FROM outcome")?;
        }
        let rows = state(&tx, "rows")?.and_then(|rows| rows.parse().ok()).unwrap_or_default();
        let call = state(&tx, "call")?.and_then(|call| serde_json::from_str(&call).ok());
        tx.commit()?;
        Ok((rows, call))
    }

    /// Keeps a call that is about to be sent.
    pub fn open_call(&mut self, call: &Call) -> anyhow::Result<()> {
        let call = serde_json::to_string(call)?;
        let tx = self.db.transaction()?;
        keep(&tx, "call", Some(&call))?;
        Ok(tx.commit()?)
    }

    /// A call was refused, and is not sent again.
    pub fn forget_call(&mut self) -> rusqlite::Result<()> {
        let tx = self.db.transaction()?;
        keep(&tx, "call", None)?;
        tx.commit()
    }

    /// A call is done, and so many rows of the file with it: what came of its own.
    pub fn done(&mut self, rows: u64, counts: &Counts, bad: &[Bad]) -> rusqlite::Result<()> {
        let tx = self.db.transaction()?;
        for Bad { line, id, reason } in bad {
            tx.execute("INSERT INTO bad_row VALUES (?1, ?2, ?3)", params![line.cast_signed(), id, reason])?;
        }
        for (name, count) in counts {
            let add = "INSERT INTO outcome VALUES (?1, ?2) ON CONFLICT DO UPDATE SET count = count + ?2";
            tx.execute(add, params![name, count.cast_signed()])?;
        }
        keep(&tx, "rows", Some(&rows.to_string()))?;
        keep(&tx, "call", None)?;
        tx.commit()
    }

    /// The run is over: its counts and its bad rows. The next begins anew.
    pub fn finish(&mut self) -> rusqlite::Result<(Counts, Vec<Bad>)> {
        let tx = self.db.transaction()?;
        let counts = tx
            .prepare("SELECT name, count FROM outcome ORDER BY name")?
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?
            .collect::<rusqlite::Result<Counts>>()?;
        let bad = tx
            .prepare("SELECT line, id, reason FROM bad_row ORDER BY line")?
            .query_map([], |row| {
                Ok(Bad { line: row.get::<_, i64>(0)?.cast_unsigned(), id: row.get(1)?, reason: row.get(2)? })
            })?
            .collect::<rusqlite::Result<Vec<Bad>>>()?;
        keep(&tx, "file", None)?;
        tx.commit()?;
        Ok((counts, bad))
    }
}

fn put(tx: &Transaction<'_>, row: &Row) -> rusqlite::Result<()> {
    let Row { id, version, title, status, period: (from, to), site_id, site, source: (system, external_id) } =
        row;
    let values = params![id, version, title, status, from, to, site_id, site, system, external_id];
    tx.prepare_cached("REPLACE INTO action VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
        .execute(values)?;
    Ok(())
}

fn state(tx: &Transaction<'_>, name: &str) -> rusqlite::Result<Option<String>> {
    let found =
        tx.query_row("SELECT value FROM state WHERE name = ?1", [name], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

fn keep(tx: &Transaction<'_>, name: &str, value: Option<&str>) -> rusqlite::Result<()> {
    tx.execute("REPLACE INTO state VALUES (?1, ?2)", params![name, value])?;
    Ok(())
}
