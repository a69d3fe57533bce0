//! Writes the answer straight from the rows as JSON.

use std::collections::HashMap;

use sea_orm::QueryResult;
use uuid::Uuid;

use super::level::Level;
use super::run::{Fetched, Group};
use super::shape::{ConnectionOut, Cursor, EdgeOut, Form, Looked, Out, PageOut, Shape};
use super::{json, keyset};
use crate::db::{Cell, Kind, cell};
use crate::error::{ApiError, Code};
use crate::ids;

/// Writes what was planned from what was fetched.
pub struct Writer<'w> {
    levels: &'w [Level<'w>],
    fetched: &'w [Fetched],
    out: Vec<u8>,
    /// How long it may become.
    most: usize,
    /// Positions of rows by id, for each level and column that was asked for by id.
    by_id: HashMap<(usize, usize), HashMap<Uuid, u32>>,
}

/// The cursor of no row.
const NOWHERE: Cursor = Cursor { tag: 0, columns: Vec::new() };

/// A row, with its position in its level.
type At<'r> = Option<(usize, &'r QueryResult)>;
type Written = Result<(), ApiError>;

impl<'w> Writer<'w> {
    /// A writer over the levels of a plan and their rows, for those who ask for no more than they need.
    pub fn new(levels: &'w [Level<'w>], fetched: &'w [Fetched]) -> Self {
        Self::within(usize::MAX, Vec::with_capacity(8192), levels, fetched)
    }

    /// The same, that writes behind what is there, as many bytes in all.
    pub fn within(most: usize, out: Vec<u8>, levels: &'w [Level<'w>], fetched: &'w [Fetched]) -> Self {
        Self { levels, fetched, out, most, by_id: HashMap::new() }
    }

    /// The JSON of a root field.
    pub fn root(mut self, out: &Out) -> Result<Vec<u8>, ApiError> {
        self.write(out, None)?;
        self.check()?;
        Ok(self.out)
    }

    /// The JSON of each row of a level at the root, with its cursor, until they are long enough together.
    pub fn each(
        mut self,
        level: usize,
        shape: &Shape,
        cursor: &Cursor,
        enough: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, ApiError> {
        let rows = self.group(level, None).map(|group| group.rows.clone()).unwrap_or_default();
        let (mut written, mut bytes) = (Vec::with_capacity(rows.len()), 0);
        for row in rows {
            let (index, row) = self.row(level, row);
            self.object(shape, Some((index, row)))?;
            self.check()?;
            bytes += self.out.len();
            written.push((cursor_of(cursor, row)?, self.out.as_slice().to_vec()));
            self.out.clear();
            if bytes >= enough {
                break;
            }
        }
        Ok(written)
    }

    /// The rows of a level without parent, an object a line.
    pub fn lines(mut self, level: usize, shape: &Shape) -> Result<Vec<u8>, ApiError> {
        for row in self.group(level, None).iter().flat_map(|group| &group.rows) {
            let at = self.row(level, *row);
            self.object(shape, Some(at))?;
            self.out.push(b'\n');
        }
        Ok(self.out)
    }

    fn write(&mut self, out: &Out, at: At<'_>) -> Written {
        match out {
            Out::Text(text) => self.out.extend_from_slice(text),
            Out::Value { column, kind, form } => return self.value(at, *column, *kind, *form),
            Out::Object { absent_if, null_key, shape } => {
                let flagged = absent_if
                    .is_some_and(|column| !matches!(Self::at(at, column, Kind::Bool), Ok(Cell::Bool(false))));
                let level_kind =
                    |column: usize| if let Some((_, row)) = at { is_null(row, column) } else { true };
                if flagged || null_key.is_some_and(level_kind) {
                    self.out.extend_from_slice(b"null");
                } else {
                    return self.object(shape, at);
                }
            }
            Out::Items(items) => {
                self.out.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    self.comma(index);
                    self.write(item, None)?;
                }
                self.out.push(b']');
            }
            Out::Fields(shape) => return self.object(shape, at),
            Out::Single { level, shape } => {
                let fetched = &self.fetched[*level];
                match fetched.rows.first() {
                    Some(row) => return self.object(shape, Some((0, row))),
                    None => self.out.extend_from_slice(b"null"),
                }
            }
            Out::ById { level, column, id, shape } => {
                let rows = &self.fetched[*level].rows;
                let known = self.by_id.entry((*level, *column)).or_insert_with(|| positions(rows, *column));
                match known.get(id).copied() {
                    Some(index) => {
                        let at = self.row(*level, index);
                        return self.object(shape, Some(at));
                    }
                    None => self.out.extend_from_slice(b"null"),
                }
            }
            Out::First { level, shape } => {
                let first = self.group(*level, at).and_then(|group| group.rows.first().copied());
                match first {
                    Some(row) => {
                        let at = self.row(*level, row);
                        return self.object(shape, Some(at));
                    }
                    None => self.out.extend_from_slice(b"null"),
                }
            }
            Out::ByType { entity, cases } => {
                let name = match Self::at(at, *entity, Kind::Text)? {
                    Cell::Text(name) => name,
                    _ => "",
                };
                match cases.iter().find(|(case, _)| *case == name) {
                    Some((_, out)) => return self.write(out, at),
                    None => self.out.extend_from_slice(b"null"),
                }
            }
            Out::Cursor(cursor) => return self.cursor(cursor, at),
            Out::List { level, shape } => {
                let group = self.group(*level, at);
                return self.rows(*level, group, shape);
            }
            Out::Connection { level, fields } => return self.connection(*level, fields, at),
        }
        Ok(())
    }

    /// Looked at before each object and after each long value: one value is no longer than its column.
    fn check(&self) -> Written {
        if self.out.len() <= self.most { Ok(()) } else { Err(too_long(self.most)) }
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.out.push(b',');
        }
    }

    fn object(&mut self, shape: &Shape, at: At<'_>) -> Written {
        self.check()?;
        self.out.push(b'{');
        for (index, (key, out)) in shape.iter().enumerate() {
            self.comma(index);
            self.out.extend_from_slice(key);
            self.write(out, at)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn group(&self, level: usize, at: At<'_>) -> Option<&'w Group> {
        let parent = self.levels[level].parent.as_ref().and(at.map(|(index, _)| index));
        if self.levels[level].parent.is_some() && parent.is_none() {
            return None;
        }
        self.fetched[level].group(parent)
    }

    fn row(&self, level: usize, index: u32) -> (usize, &'w QueryResult) {
        let fetched: &'w Fetched = &self.fetched[level];
        (index as usize, &fetched.rows[index as usize])
    }

    fn rows(&mut self, level: usize, group: Option<&Group>, shape: &Shape) -> Written {
        self.out.push(b'[');
        for (index, row) in group.iter().flat_map(|group| &group.rows).enumerate() {
            self.comma(index);
            let at = self.row(level, *row);
            self.object(shape, Some(at))?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn connection(&mut self, level: usize, fields: &[(Vec<u8>, ConnectionOut)], at: At<'_>) -> Written {
        let group = self.group(level, at);
        self.out.push(b'{');
        for (index, (key, field)) in fields.iter().enumerate() {
            self.comma(index);
            self.out.extend_from_slice(key);
            match field {
                ConnectionOut::Text(text) => self.out.extend_from_slice(text),
                ConnectionOut::TotalCount => self.integer(group.map_or(0, |group| group.count)),
                ConnectionOut::Nodes(shape) => self.rows(level, group, shape)?,
                ConnectionOut::Edges(edge) => self.edges(level, group, edge)?,
                ConnectionOut::PageInfo(info) => self.page_info(level, group, info)?,
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn edges(&mut self, level: usize, group: Option<&Group>, edge: &[(Vec<u8>, EdgeOut)]) -> Written {
        self.out.push(b'[');
        for (index, row) in group.iter().flat_map(|group| &group.rows).enumerate() {
            self.comma(index);
            let at = self.row(level, *row);
            self.out.push(b'{');
            for (index, (key, field)) in edge.iter().enumerate() {
                self.comma(index);
                self.out.extend_from_slice(key);
                match field {
                    EdgeOut::Text(text) => self.out.extend_from_slice(text),
                    EdgeOut::Cursor(cursor) => self.cursor(cursor, Some(at))?,
                    EdgeOut::Node(shape) => self.object(shape, Some(at))?,
                }
            }
            self.out.push(b'}');
        }
        self.out.push(b']');
        Ok(())
    }

    fn page_info(&mut self, level: usize, group: Option<&Group>, info: &[(Vec<u8>, PageOut)]) -> Written {
        let of = &self.levels[level];
        let more = group.is_some_and(|group| group.more);
        let (next, previous) = if of.backward { (of.has_before, more) } else { (more, of.has_before) };
        let first = group.and_then(|group| group.rows.first()).map(|row| self.row(level, *row));
        let last = group.and_then(|group| group.rows.last()).map(|row| self.row(level, *row));
        self.out.push(b'{');
        for (index, (key, field)) in info.iter().enumerate() {
            self.comma(index);
            self.out.extend_from_slice(key);
            match field {
                PageOut::Text(text) => self.out.extend_from_slice(text),
                PageOut::HasNext => self.boolean(next),
                PageOut::HasPrevious => self.boolean(previous),
                PageOut::Start(cursor) => self.cursor(cursor, first)?,
                PageOut::End(cursor) => self.cursor(cursor, last)?,
                PageOut::HasNextAfter(looked) => {
                    let beyond = self.beyond(looked)?;
                    self.boolean(next || (beyond && !of.backward));
                }
                PageOut::HasPreviousBefore(looked) => {
                    let beyond = self.beyond(looked)?;
                    self.boolean(previous || (beyond && of.backward));
                }
                PageOut::EndOfLook(cursor, _, given) if next => {
                    self.cursor_or(cursor, last, given.as_deref())?;
                }
                PageOut::EndOfLook(_, looked, given) => {
                    let end = self.looked(looked);
                    self.cursor_or(&looked.cursor, end, given.as_deref())?;
                }
                PageOut::Given(given) => self.cursor_or(&NOWHERE, None, given.as_deref())?,
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    /// The place up to which a page was looked for.
    fn looked(&self, looked: &Looked) -> At<'w> {
        let group = self.group(looked.level, None)?;
        Some(self.row(looked.level, *group.rows.first()?))
    }

    fn beyond(&self, looked: &Looked) -> Result<bool, ApiError> {
        Ok(Self::at(self.looked(looked), looked.beyond, Kind::Bool)? == Cell::Bool(true))
    }

    fn cursor_or(&mut self, cursor: &Cursor, at: At<'_>, given: Option<&str>) -> Written {
        match (at, given) {
            (None, Some(given)) => {
                json::escaped(&mut self.out, given);
                Ok(())
            }
            _ => self.cursor(cursor, at),
        }
    }

    fn cursor(&mut self, cursor: &Cursor, at: At<'_>) -> Written {
        let Some((_, row)) = at else {
            self.out.extend_from_slice(b"null");
            return Ok(());
        };
        let text = cursor_of(cursor, row)?;
        self.quoted(text.as_bytes());
        Ok(())
    }

    fn at(at: At<'_>, column: usize, kind: Kind) -> Result<Cell<'_>, ApiError> {
        match at {
            Some((_, row)) => Ok(cell(row, column, kind)?),
            None => Ok(Cell::Null),
        }
    }

    fn value(&mut self, at: At<'_>, column: usize, kind: Kind, form: Form) -> Written {
        match (Self::at(at, column, kind)?, form) {
            (Cell::Null, _) => self.out.extend_from_slice(b"null"),
            (Cell::Text(text), Form::Typed) => self.typed(text),
            (Cell::Text(text), Form::Plain) => self.quoted(text.as_bytes()),
            (Cell::Text(text), _) => {
                json::escaped(&mut self.out, text);
                return self.check();
            }
            (Cell::Json(text), _) => {
                self.out.extend_from_slice(text.as_bytes());
                return self.check();
            }
            (Cell::Uuid(id), Form::Id(prefix)) => {
                self.out.push(b'"');
                ids::encode_into(&mut self.out, prefix, id);
                self.out.push(b'"');
            }
            (Cell::Uuid(id), _) => self.quoted(id.to_string().as_bytes()),
            (Cell::Int(value), Form::Quoted) => {
                self.out.push(b'"');
                self.integer(value);
                self.out.push(b'"');
            }
            (Cell::Int(value), _) => self.integer(value),
            (Cell::Float(value), _) => self.float(value),
            (Cell::Bool(value), _) => self.boolean(value),
            (Cell::Decimal(value), _) => self.quoted(value.normalize().to_string().as_bytes()),
            (Cell::Date(value), _) => self.quoted(value.to_string().as_bytes()),
            (Cell::Instant(value), _) => json::instant(&mut self.out, value),
        }
        Ok(())
    }

    /// A typed id whose type is known only from the row; null for a type without ids.
    fn typed(&mut self, text: &str) {
        let parts = text.split_once(':').filter(|(prefix, _)| !prefix.is_empty());
        match parts.and_then(|(prefix, id)| Some((prefix, uuid::Uuid::parse_str(id).ok()?))) {
            Some((prefix, id)) => self.quoted(ids::encode(prefix, id).as_bytes()),
            None => self.out.extend_from_slice(b"null"),
        }
    }

    fn quoted(&mut self, bytes: &[u8]) {
        self.out.push(b'"');
        self.out.extend_from_slice(bytes);
        self.out.push(b'"');
    }

    fn integer(&mut self, value: i64) {
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// JSON knows no NaN or infinity; the database holds none either.
    fn float(&mut self, value: f64) {
        if value.is_finite() {
            self.out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
        } else {
            self.out.extend_from_slice(b"null");
        }
    }
}

/// What is answered instead of an answer that is too long.
pub(crate) fn too_long(most: usize) -> ApiError {
    let message = format!("the answer would be longer than {most} bytes");
    ApiError::new(Code::LimitExceeded, message).expected("fewer fields, or smaller pages (`first`)")
}

fn is_null(row: &QueryResult, column: usize) -> bool {
    crate::db::is_null(row, column)
}

/// The text of a row's cursor.
fn cursor_of(cursor: &Cursor, row: &QueryResult) -> Result<String, ApiError> {
    let cells: Result<Vec<Cell<'_>>, _> =
        cursor.columns.iter().map(|(column, kind)| cell(row, *column, *kind)).collect();
    Ok(keyset::encode(cursor.tag, &cells?))
}

/// Where each row stands, by the id in a column.
fn positions(rows: &[QueryResult], column: usize) -> HashMap<Uuid, u32> {
    let id = |row| if let Ok(Cell::Uuid(id)) = cell(row, column, Kind::Uuid) { Some(id) } else { None };
    (0..).zip(rows).filter_map(|(index, row)| Some((id(row)?, index))).collect()
}
