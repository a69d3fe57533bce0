//! Lists taken out whole, as files: the same nouns, filters and rights as the lists of GraphQL.
//!
//! `lists` says which columns each has, `plan` makes a level of a page by the planner, `columns` lays its rows out flat,
//! `csv`, `json` and `parquet` write them, `run` reads page by page in one snapshot and hands the bytes on as fast as
//! they are taken, as long as it holds one of the `places`, `state` names what the file was made from, `record` journals who took it.

mod columns;
mod csv;
mod json;
mod lists;
mod parquet;
mod places;
mod plan;
mod record;
mod run;
mod state;

use crate::error::{ApiError, Code};

pub use self::lists::List;
pub(crate) use self::places::Places;
pub use self::run::{Asked, Body, Exported, begin};

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// A JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
    /// A `FeatureCollection` of `GeoJSON` (RFC 7946).
    GeoJson,
}

impl Format {
    const ALL: [(&'static str, Self); 4] = [
        ("csv", Self::Csv),
        ("ndjson", Self::Ndjson),
        ("parquet", Self::Parquet),
        ("geojson", Self::GeoJson),
    ];

    /// The end of a file's name.
    const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
            Self::GeoJson => "geojson",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::GeoJson => "application/geo+json",
        }
    }
}

/// A list in a format.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// What it holds.
    pub list: &'static List,
    /// How it is written.
    pub format: Format,
}

impl File {
    /// The file of a name such as `actions.csv`; none if there is no such file.
    pub fn named(name: &str) -> Option<Self> {
        let (list, extension) = name.split_once('.')?;
        let list = lists::ALL.iter().find(|known| known.name == list)?;
        let (_, format) = Format::ALL.into_iter().find(|(known, _)| *known == extension)?;
        (format != Format::GeoJson || list.has_geometry()).then_some(Self { list, format })
    }

    /// Its name.
    pub fn name(&self) -> String {
        format!("{}.{}", self.list.name, self.format.extension())
    }
}

/// How a CSV file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CsvOptions {
    /// Begins with a byte order mark, by which spreadsheets know UTF-8.
    pub bom: bool,
    /// Between two cells.
    pub separator: u8,
    /// Between the whole part of a number and its decimals.
    pub decimal: char,
}

/// What a caller asks beside the file's name.
#[derive(Clone, Debug)]
pub struct Options {
    /// The filter, as JSON.
    pub filter: Option<String>,
    /// How a CSV file is written.
    pub csv: CsvOptions,
}

impl Options {
    /// Reads the parameters of a request; each may be given once.
    pub fn read(format: Format, parameters: &[(String, String)]) -> Result<Self, ApiError> {
        let csv = CsvOptions { bom: false, separator: b',', decimal: '.' };
        let mut options = Self { filter: None, csv };
        let known: &[&str] =
            if format == Format::Csv { &["filter", "bom", "separator", "decimal"] } else { &["filter"] };
        for (index, (name, value)) in parameters.iter().enumerate() {
            let wrong = |text: &str, expected: String| {
                ApiError::new(Code::BadUserInput, text.to_owned()).expected(expected).in_field(name)
            };
            if !known.contains(&name.as_str()) {
                return Err(wrong("there is no such parameter of this file", known.join(", ")));
            }
            if parameters[..index].iter().any(|(other, _)| other == name) {
                return Err(wrong("the parameter is given more than once", "it once".to_owned()));
            }
            match (name.as_str(), value.as_str()) {
                ("filter", json) => options.filter = Some(json.to_owned()),
                ("bom", "true") => options.csv.bom = true,
                ("bom", "false") => options.csv.bom = false,
                ("bom", _) => return Err(wrong("this is no value of bom", "true or false".to_owned())),
                ("separator", "," | ";") => options.csv.separator = value.as_bytes()[0],
                ("separator", "tab") => options.csv.separator = b'\t',
                ("separator", _) => {
                    return Err(wrong(
                        "this is no separator",
                        "a comma, %3B (a semicolon) or tab".to_owned(),
                    ));
                }
                ("decimal", ",") => options.csv.decimal = ',',
                ("decimal", ".") => options.csv.decimal = '.',
                _ => return Err(wrong("this is no decimal sign", "a point or a comma".to_owned())),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests;
