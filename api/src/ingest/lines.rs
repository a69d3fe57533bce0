//! CSV files read line by line: a bad line is reported and the next one is read.

use std::collections::HashMap;
use std::io::Read;
use std::str::FromStr;

use csv::{ErrorKind, Reader, StringRecord};

use super::report::{FileReport, Wrong};
use super::{DataSource, IngestError, code};
use crate::graphql::scalars::Scalar;
use crate::text;

/// Lines handed on at once.
pub(super) const BATCH: usize = 500;

/// A CSV file with a header line.
pub(super) struct Lines {
    file: &'static str,
    reader: Reader<Box<dyn Read + Send>>,
    columns: HashMap<&'static str, usize>,
    key: &'static [&'static str],
    seen: HashMap<Vec<String>, u64>,
    record: StringRecord,
}

impl Lines {
    /// Opens a file that has these columns, in any order and among others. The first `key` of them name a line:
    /// a second line of the same key is refused.
    pub fn open(
        data: &DataSource,
        file: &'static str,
        columns: &'static [&'static str],
        key: usize,
    ) -> Result<Self, IngestError> {
        let mut reader = Reader::from_reader(data.open(file)?);
        let header =
            reader.headers().map_err(|error| IngestError::at(file, 1, error.to_string(), "a header line"))?;
        let place = |name: &&'static str| {
            header.iter().position(|found| found == *name).map(|index| (*name, index)).ok_or_else(|| {
                IngestError::at(
                    file,
                    1,
                    format!("no column {name}"),
                    format!("columns {}", columns.join(", ")),
                )
            })
        };
        let columns_at = columns.iter().map(place).collect::<Result<_, _>>()?;
        let key = &columns[..key];
        Ok(Self { file, reader, columns: columns_at, key, seen: HashMap::new(), record: StringRecord::new() })
    }

    /// Reads up to 500 rows; `None` at the end of the file. `read` answers `None` for a line left out on purpose.
    pub fn batch<M>(
        &mut self,
        report: &mut FileReport,
        mut read: impl FnMut(&Line<'_>) -> Result<Option<M>, Wrong>,
    ) -> Result<Option<Vec<M>>, IngestError> {
        let mut rows = Vec::with_capacity(BATCH);
        while rows.len() < BATCH {
            match self.reader.read_record(&mut self.record) {
                Ok(false) => return Ok((!rows.is_empty()).then_some(rows)),
                Ok(true) => {}
                Err(error) => {
                    report.lines += 1;
                    self.refuse(report, &error)?;
                    continue;
                }
            }
            report.lines += 1;
            let number = self.record.position().map_or(0, csv::Position::line);
            let line = Line { at: number, record: &self.record, columns: &self.columns };
            let row = once(&mut self.seen, self.key, &line, number).and_then(|()| read(&line));
            match row {
                Ok(Some(row)) => rows.push(row),
                Ok(None) => report.skipped += 1,
                Err(wrong) => report.reject(self.file, number, &wrong),
            }
        }
        Ok(Some(rows))
    }

    /// A line that is no CSV is refused; a stream that breaks off ends the file.
    fn refuse(&self, report: &mut FileReport, error: &csv::Error) -> Result<(), IngestError> {
        let line = error.position().map_or_else(|| self.reader.position().line(), csv::Position::line);
        let wrong = match error.kind() {
            ErrorKind::Io(error) => {
                return Err(IngestError::at(self.file, line, error.to_string(), "a whole file"));
            }
            ErrorKind::Utf8 { .. } => Wrong::new("the line is not UTF-8", "UTF-8 text"),
            ErrorKind::UnequalLengths { expected_len, len, .. } => {
                Wrong::new(format!("{len} values"), format!("{expected_len}, as in the header"))
            }
            _ => Wrong::new(error.to_string(), "a line of CSV"),
        };
        report.reject(self.file, line, &wrong);
        Ok(())
    }
}

/// Refuses a key that an earlier line has.
fn once(
    seen: &mut HashMap<Vec<String>, u64>,
    key: &[&'static str],
    line: &Line<'_>,
    number: u64,
) -> Result<(), Wrong> {
    let values: Vec<String> = key.iter().map(|column| line.raw(column).to_owned()).collect();
    let named = format!("{} {}", key.join(", "), values.join(", "));
    match seen.insert(values, number) {
        None => Ok(()),
        Some(first) => Err(Wrong::new(format!("{named} again, first at line {first}"), "each once")),
    }
}

/// One line; values are read by column name.
pub(super) struct Line<'a> {
    /// Its number in the file.
    pub at: u64,
    record: &'a StringRecord,
    columns: &'a HashMap<&'static str, usize>,
}

impl<'a> Line<'a> {
    /// A value as it is, trimmed.
    pub fn raw(&self, column: &str) -> &'a str {
        self.columns.get(column).and_then(|index| self.record.get(*index)).unwrap_or_default().trim()
    }

    /// A text in its stored form; an empty one is `None`.
    pub fn optional(&self, column: &str) -> Result<Option<String>, Wrong> {
        let stored = text::normalise(self.raw(column))
            .map_err(|error| Wrong::new(format!("{column}: {error}"), "plain text"))?;
        Ok((!stored.is_empty()).then_some(stored))
    }

    /// A text that must be there.
    pub fn text(&self, column: &str) -> Result<String, Wrong> {
        self.optional(column)?.ok_or_else(|| Wrong::new(format!("{column} is empty"), "a value"))
    }

    /// A code in canonical form; an empty value is `None`.
    pub fn code(&self, column: &str, scalar: Scalar) -> Result<Option<String>, Wrong> {
        match self.raw(column) {
            "" => Ok(None),
            raw => code(scalar, raw).map(Some),
        }
    }

    /// A code that must be there.
    pub fn key(&self, column: &str, scalar: Scalar) -> Result<String, Wrong> {
        code(scalar, self.raw(column))
    }

    /// A number; an empty value is `None`.
    pub fn number<N: FromStr>(&self, column: &str) -> Result<Option<N>, Wrong> {
        match self.raw(column) {
            "" => Ok(None),
            raw => raw.parse().map(Some).map_err(|_| Wrong::new(format!("{column} {raw}"), "a number")),
        }
    }

    /// One of the named values of an enum.
    pub fn one_of<T>(&self, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Wrong> {
        let raw = self.raw(column);
        parse(raw).ok_or_else(|| Wrong::new(format!("{column} {raw}"), "a value of its list"))
    }

    /// `oui` or `non`.
    pub fn yes(&self, column: &str) -> Result<bool, Wrong> {
        match self.raw(column) {
            "oui" => Ok(true),
            "non" => Ok(false),
            raw => Err(Wrong::new(format!("{column} {raw}"), "oui or non")),
        }
    }

    /// Values separated by `;`, none if empty.
    pub fn list(&self, column: &str) -> impl Iterator<Item = &'a str> {
        self.raw(column).split(';').map(str::trim).filter(|value| !value.is_empty())
    }
}
