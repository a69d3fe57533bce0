//! Open data read into the database: idempotent, by natural key and vintage.
//!
//! Each source is one step with one transaction and one run row. A step whose files are those of its last
//! success stops before it reads them. A bad line is reported as `file:line: what is wrong, what was expected`
//! and the rest goes on.
//!
//! Referentials and figures follow their files. What belongs to people once it exists (sites, seats, governance,
//! roadmaps, links of sites and QPV, demonstration actions) is made when missing and never overwritten. No
//! step deletes rows of another vintage. Once the database was filled, what a step changes is journaled.

mod demo;
mod facts;
pub(crate) mod figures;
mod files;
mod ground;
mod lines;
mod links;
mod load;
mod outlines;
mod presentation;
mod qpvs;
mod report;
mod runs;
mod sites;
mod sources;
mod territories;
#[cfg(test)]
mod tests;
mod told;
mod write;

use entity::enums::IngestState;
use sea_orm::DbErr;
use uuid::Uuid;

pub use files::DataSource;
pub use report::{FileReport, Report, Wrong};

use crate::clock::Clock;
use crate::db::Db;
use load::{Load, code};
use sources::Source;
pub(crate) use write::insert;

/// Why a loading stopped.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The database refused or is away.
    #[error("the data could not be written: {0}")]
    Database(#[from] DbErr),
    /// A whole file cannot be read.
    #[error("{file}:{line}: {}, expected {}", .wrong.what, .wrong.expected)]
    File {
        /// Name of the file.
        file: &'static str,
        /// Line, 1 if none is known.
        line: u64,
        /// What is wrong.
        wrong: Wrong,
    },
}

impl IngestError {
    fn file(file: &'static str, what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::at(file, 1, what, expected)
    }

    fn at(file: &'static str, line: u64, what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::File { file, line, wrong: Wrong::new(what, expected) }
    }
}

/// Loads every source, parents before children, under the lock of the database: of several instances that start
/// together one loads, the others find nothing to do. `demo` adds the demonstration actions.
///
/// # Errors
/// A file that cannot be read at all, or a failing database. What was loaded before stays; the run row of the
/// source says FAILED and why, and the next call takes up there. Bad lines are no error: see [`Report`].
pub async fn run(db: &Db, clock: &dyn Clock, data: DataSource, demo: bool) -> Result<Report, IngestError> {
    let all = async {
        let mut report = Report::default();
        let is_followed = runs::is_done(&db.writer, Source::SiteQpvs.about().name).await?;
        for source in Source::ALL.iter().copied().filter(|source| demo || *source != Source::Demonstration) {
            report.files.push(step(db, clock, &data, (source, is_followed)).await?);
        }
        Ok(report)
    };
    db.locked("ingest", Box::pin(all)).await
}

async fn step(
    db: &Db,
    clock: &dyn Clock,
    data: &DataSource,
    (source, is_followed): (Source, bool),
) -> Result<FileReport, IngestError> {
    let about = source.about();
    let fingerprint = data.fingerprint(about.files)?;
    let mut report = FileReport::new(about.name, about.files[0], about.vintage);
    let run = load::new_id(clock.now());
    if runs::is_unchanged(&db.writer, &report, &fingerprint).await? {
        report.state = IngestState::Unchanged;
        runs::open(&db.writer, (run, clock.now()), &report, fingerprint).await?;
        return Ok(report);
    }
    runs::open(&db.writer, (run, clock.now()), &report, fingerprint).await?;
    match attempt(db, clock, data, (source, is_followed), (run, report.clone())).await {
        Ok(report) => Ok(report),
        Err(error) => {
            report.state = IngestState::Failed;
            report.errors.push(error.to_string());
            runs::close(&db.writer, (run, clock.now()), &report).await?;
            Err(error)
        }
    }
}

/// Loads a source and closes its run in one transaction.
async fn attempt(
    db: &Db,
    clock: &dyn Clock,
    data: &DataSource,
    (source, is_followed): (Source, bool),
    (run, report): (Uuid, FileReport),
) -> Result<FileReport, IngestError> {
    let tx = db.begin_write().await?;
    let mut load = Load { tx: &tx, data, now: clock.now(), is_followed, report };
    // On the heap: the steps together would make every caller's future large.
    Box::pin(source.load(&mut load)).await?;
    let mut report = load.report;
    report.state = IngestState::Done;
    runs::close(&tx, (run, clock.now()), &report).await?;
    tx.commit().await?;
    Ok(report)
}
