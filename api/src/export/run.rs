//! From a request to the bytes of a file: pages read in one snapshot, one after the other, as fast as they are taken.
//!
//! A task of its own holds the snapshot, so that it ends in time whatever the client does. What is read and not yet
//! taken is a page or two. A file that could not be finished has no end: its connection is broken off.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Value;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use uuid::Uuid;

use super::columns::{Column, Page};
use super::csv::Csv;
use super::json::{GeoJson, Ndjson};
use super::parquet::Parquet;
use super::places::Place;
use super::{CsvOptions, File, Format, Options, plan, record, state};
use crate::auth::Actor;
use crate::db::{Cell, Kind, cell};
use crate::error::{ApiError, Code};
use crate::graphql::Engine;
use crate::limits;
use crate::policy::Viewer;
use crate::read::coerce::{self, Formats};
use crate::read::run;

/// How rows become bytes.
pub(super) trait FileWriter: Send {
    /// What stands before the first row.
    fn head(&mut self, columns: &[Column]) -> Result<Vec<u8>, ApiError>;

    /// The rows of a page; what they leave unfinished comes with a later one.
    fn page(&mut self, page: &Page<'_>) -> Result<Vec<u8>, ApiError>;

    /// What stands after the last row.
    fn end(&mut self) -> Result<Vec<u8>, ApiError>;
}

/// An export that is asked for.
#[derive(Debug)]
pub struct Asked {
    /// The file.
    pub file: File,
    /// Its parameters.
    pub options: Options,
    /// Entity tags that the client holds; `*` stands for any.
    pub known: Vec<String>,
    /// Nothing but the head is asked for.
    pub head_only: bool,
    /// Id of the request, for the journal.
    pub request_id: String,
    /// Where it comes from, which tells anonymous clients apart.
    pub address: Option<IpAddr>,
}

/// What became of it.
#[derive(Debug)]
pub struct Exported {
    /// Names the state that the file shows.
    pub tag: String,
    /// Name under which it is saved.
    pub name: String,
    /// The file; none when the client has it, or asked for the head alone.
    pub body: Option<Body>,
    /// The client has it.
    pub is_known: bool,
}

/// The bytes of a file, as they come.
#[derive(Debug)]
pub struct Body(Receiver<Piece>);

/// The file could not be finished: what was sent of it is worth nothing.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the export could not be finished")]
pub struct Broken;

#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    End,
}

impl Body {
    /// The next bytes; nothing after the last.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, Broken>> {
        match self.0.recv().await {
            Some(Piece::Bytes(bytes)) => Some(Ok(bytes)),
            Some(Piece::End) => None,
            None => Some(Err(Broken)),
        }
    }
}

/// Begins an export: looks whether the client has the file, reads the first page, journals who takes it.
pub async fn begin(engine: &Arc<Engine>, asked: Asked, actor: Actor) -> Result<Exported, ApiError> {
    let place = engine.exports.take(engine.clients.of(&actor, asked.address))?;
    let mut account = engine.budget.account(&actor, asked.address, engine.now());
    account.take(limits::EXPORT_POINTS)?;
    let until = actor.expires_at.map(|end| (end - engine.now()).to_std().unwrap_or_default());
    let time = until.unwrap_or(limits::EXPORT_DURATION).min(limits::EXPORT_DURATION);
    let viewer = engine.viewer(Arc::new(actor));
    let filter = filter(engine, &asked)?;
    // what is wrong with the filter is told in any case, and before anything is opened
    let planned = plan::page(engine, &viewer, asked.file, &filter, None)?;
    if let Err(refused) = account.take(planned.levels.iter().map(|level| level.filter_points).sum()) {
        account.settle(0);
        return Err(refused);
    }
    let columns = planned.columns;
    let snapshot = engine.db.begin_lasting_read().await?;
    let tag = state::tag(&snapshot, engine, &viewer, asked.file, &filter, asked.options.csv).await?;
    let name = format!("{}-{}", viewer.today, asked.file.name());
    let is_known = asked.known.iter().any(|known| known == "*" || *known == tag);
    if is_known || asked.head_only {
        snapshot.commit().await?;
        return Ok(Exported { tag, name, body: None, is_known });
    }
    let mut writer = writer(asked.file.format, asked.options.csv);
    let mut first = writer.head(&columns)?;
    let shown = filter.to_string();
    let file = asked.file;
    let mut reading = Reading {
        engine: Arc::clone(engine),
        viewer,
        address: asked.address,
        file,
        filter,
        snapshot,
        writer,
        after: None,
        place,
    };
    let more = reading.page(&mut first).await?;
    record::record(engine, &reading.viewer, &asked.request_id, file, &shown, &columns).await?;
    let (sender, receiver) = channel(1);
    tokio::spawn(reading.send(first, more, sender, time));
    Ok(Exported { tag, name, body: Some(Body(receiver)), is_known })
}

/// The filter, checked as an argument of the list.
fn filter(engine: &Engine, asked: &Asked) -> Result<Value, ApiError> {
    let Some(text) = &asked.options.filter else { return Ok(Value::Null) };
    let wrong = || {
        let error = ApiError::new(Code::BadUserInput, "the filter is not JSON");
        error.expected("a JSON object, URL-encoded, as the list of the same name takes it").in_field("filter")
    };
    let json: serde_json::Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let value = Value::from_json(json).map_err(|_| wrong())?;
    if value == Value::Null {
        return Ok(value);
    }
    let ty = format!("{}Filter", asked.file.list.noun);
    let coerced = coerce::input(&engine.model, ty, value, Formats::Checked);
    coerced.map(|(value, _)| value).map_err(|error| error.in_field("filter"))
}

fn writer(format: Format, csv: CsvOptions) -> Box<dyn FileWriter> {
    match format {
        Format::Csv => Box::new(Csv::new(csv)),
        Format::Ndjson => Box::new(Ndjson),
        Format::Parquet => Box::new(Parquet::default()),
        Format::GeoJson => Box::new(GeoJson::default()),
    }
}

/// An export under way.
struct Reading {
    engine: Arc<Engine>,
    viewer: Viewer,
    address: Option<IpAddr>,
    file: File,
    filter: Value,
    snapshot: crate::db::Transaction,
    writer: Box<dyn FileWriter>,
    /// The last row that was read.
    after: Option<Uuid>,
    place: Place,
}

/// Why an export was not finished.
#[derive(Debug)]
enum Stop {
    Left,
    Stalled,
    Failed,
    Revoked,
}

impl From<ApiError> for Stop {
    /// What went wrong is in the log already.
    fn from(_: ApiError) -> Self {
        Self::Failed
    }
}

impl Reading {
    /// Reads a page and appends its rows; says whether there are more.
    async fn page(&mut self, out: &mut Vec<u8>) -> Result<bool, ApiError> {
        let planned = plan::page(&self.engine, &self.viewer, self.file, &self.filter, self.after)?;
        // dropped when it is late, by which the database stops
        let work = run::run_on(&self.snapshot, &self.engine.db, &planned.levels);
        // each page costs what a read costs that takes as long, as far as the client has points: the export goes on
        let mut account = self.engine.budget.account(&self.viewer.actor, self.address, self.engine.now());
        let fetched = account.working(timeout(self.engine.db.deadline, work)).await;
        account.settle(0);
        let fetched = fetched.unwrap_or_else(|_| Err(ApiError::too_long()))?;
        let page = Page {
            levels: &planned.levels,
            fetched: &fetched,
            shape: &planned.shape,
            columns: &planned.columns,
            geometry: planned.geometry.as_ref(),
        };
        out.append(&mut self.writer.page(&page)?);
        if let Some(last) = page.rows().last()
            && let Cell::Uuid(id) = cell(page.row(last)?, planned.key, Kind::Uuid)?
        {
            self.after = Some(id);
        }
        Ok(fetched.first().and_then(|root| root.group(None)).is_some_and(|group| group.more))
    }

    /// Hands out what was read and reads on, within the time.
    async fn send(self, first: Vec<u8>, more: bool, sender: Sender<Piece>, time: Duration) {
        let (file, engine) = (self.file, Arc::clone(&self.engine));
        let outcome = match timeout(time, self.pages(first, more, &sender)).await {
            Ok(Ok(())) => "finished",
            Ok(Err(stop)) => {
                tracing::warn!(file = file.name(), ?stop, "an export was not finished");
                match stop {
                    Stop::Left => "left",
                    Stop::Stalled => "stalled",
                    Stop::Failed => "failed",
                    Stop::Revoked => "revoked",
                }
            }
            Err(_elapsed) => {
                tracing::warn!(file = file.name(), "an export took too long");
                "late"
            }
        };
        engine.metrics.export(outcome);
    }

    async fn pages(mut self, first: Vec<u8>, mut more: bool, sender: &Sender<Piece>) -> Result<(), Stop> {
        give(sender, Piece::Bytes(first), limits::EXPORT_STALL).await?;
        while more {
            if self.engine.revocations.name(&self.viewer.actor) {
                return Err(Stop::Revoked);
            }
            let mut bytes = Vec::new();
            more = self.page(&mut bytes).await?;
            give(sender, Piece::Bytes(bytes), limits::EXPORT_STALL).await?;
        }
        let end = self.writer.end()?;
        self.snapshot.commit().await.map_err(ApiError::from)?;
        // nothing is held any more: whoever has the whole file may ask for the next one
        drop(self.place);
        give(sender, Piece::Bytes(end), limits::EXPORT_STALL).await?;
        give(sender, Piece::End, limits::EXPORT_STALL).await
    }
}

/// Waits until a piece is taken, not longer than `stall`. Nothing is no piece: over HTTP it would be the end.
async fn give(sender: &Sender<Piece>, piece: Piece, stall: Duration) -> Result<(), Stop> {
    if matches!(&piece, Piece::Bytes(bytes) if bytes.is_empty()) {
        return Ok(());
    }
    match timeout(stall, sender.send(piece)).await {
        Ok(sent) => sent.map_err(|_| Stop::Left),
        Err(_elapsed) => Err(Stop::Stalled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_not_waited_for() {
        let (sender, mut receiver) = channel(1);
        let brief = Duration::from_millis(1);
        assert!(give(&sender, Piece::Bytes(b"a".to_vec()), brief).await.is_ok());
        let stop = give(&sender, Piece::Bytes(b"b".to_vec()), brief).await;
        assert!(matches!(stop, Err(Stop::Stalled)));
        drop(sender);
        assert!(matches!(receiver.recv().await, Some(Piece::Bytes(_))));
        let mut body = Body(receiver);
        assert!(matches!(body.next().await, Some(Err(Broken))), "what has no end was not finished");
    }

    #[tokio::test]
    async fn nothing_is_no_piece_and_the_end_is_told() {
        let (sender, receiver) = channel(2);
        let brief = Duration::from_millis(1);
        for piece in [Piece::Bytes(Vec::new()), Piece::Bytes(b"a".to_vec()), Piece::End] {
            assert!(give(&sender, piece, brief).await.is_ok());
        }
        let mut body = Body(receiver);
        assert_eq!(body.next().await.unwrap().unwrap(), b"a");
        assert!(body.next().await.is_none());
        drop(body);
        assert!(matches!(give(&sender, Piece::End, brief).await, Err(Stop::Left)));
    }
}
