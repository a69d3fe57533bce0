//! JSON: an object a line as GraphQL shows it, or a feature a row with its columns as properties.

use super::columns::{Column, Content, Page, instant};
use super::run::FileWriter;
use crate::db::{Cell, Kind, cell};
use crate::error::ApiError;
use crate::read::json::escaped;
use crate::read::plan::internal;
use crate::read::shape::{Out, Shape};
use crate::read::write::Writer;

#[derive(Debug)]
pub(super) struct Ndjson;

impl FileWriter for Ndjson {
    fn head(&mut self, _: &[Column]) -> Result<Vec<u8>, ApiError> {
        Ok(Vec::new())
    }

    fn page(&mut self, page: &Page<'_>) -> Result<Vec<u8>, ApiError> {
        Writer::new(page.levels, page.fetched).lines(0, page.shape)
    }

    fn end(&mut self) -> Result<Vec<u8>, ApiError> {
        Ok(Vec::new())
    }
}

#[derive(Debug, Default)]
pub(super) struct GeoJson {
    has_begun: bool,
}

impl FileWriter for GeoJson {
    fn head(&mut self, _: &[Column]) -> Result<Vec<u8>, ApiError> {
        Ok(br#"{"type":"FeatureCollection","features":["#.to_vec())
    }

    fn page(&mut self, page: &Page<'_>) -> Result<Vec<u8>, ApiError> {
        let mut out = Vec::new();
        for row in page.rows() {
            out.extend_from_slice(if self.has_begun { b",\n" } else { b"\n" });
            self.has_begun = true;
            feature(&mut out, page, row)?;
        }
        Ok(out)
    }

    fn end(&mut self) -> Result<Vec<u8>, ApiError> {
        Ok(b"\n]}\n".to_vec())
    }
}

fn feature(out: &mut Vec<u8>, page: &Page<'_>, row: usize) -> Result<(), ApiError> {
    out.extend_from_slice(br#"{"type":"Feature","geometry":"#);
    geometry(out, page, row)?;
    out.extend_from_slice(br#","properties":{"#);
    for (index, column) in page.columns.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        escaped(out, &column.name);
        out.push(b':');
        property(out, &page.content(row, column)?);
    }
    out.extend_from_slice(b"}}");
    Ok(())
}

fn property(out: &mut Vec<u8>, content: &Content<'_>) {
    match content {
        Content::Nothing => out.extend_from_slice(b"null"),
        Content::Text(text) => escaped(out, text),
        Content::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Content::Float(number) => out.extend_from_slice(serde_json::json!(number).to_string().as_bytes()),
        Content::Bool(is) => out.extend_from_slice(if *is { b"true" } else { b"false" }),
        Content::Decimal(number) => escaped(out, &number.to_string()),
        Content::Date(date) => escaped(out, &date.to_string()),
        Content::Instant(at) => escaped(out, &instant(*at)),
        Content::List(texts) => {
            out.push(b'[');
            for (index, text) in texts.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                escaped(out, text);
            }
            out.push(b']');
        }
    }
}

/// An outline as it is held, or the points of what a row leads to.
fn geometry(out: &mut Vec<u8>, page: &Page<'_>, row: usize) -> Result<(), ApiError> {
    match page.geometry {
        Some(Out::Value { column, kind, .. }) => match cell(page.row(row)?, *column, *kind)? {
            Cell::Json(json) | Cell::Text(json) => out.extend_from_slice(json.as_bytes()),
            _ => out.extend_from_slice(b"null"),
        },
        Some(Out::List { level, shape }) => {
            let [lon, lat] = point(shape)?;
            let mut points = Vec::new();
            for below in page.below(*level, row) {
                if let (Cell::Float(lon), Cell::Float(lat)) =
                    (cell(below, lon, Kind::Float)?, cell(below, lat, Kind::Float)?)
                {
                    points.push([lon, lat]);
                }
            }
            let json = match points.as_slice() {
                [] => serde_json::Value::Null,
                points => serde_json::json!({ "type": "MultiPoint", "coordinates": points }),
            };
            out.extend_from_slice(json.to_string().as_bytes());
        }
        _ => out.extend_from_slice(b"null"),
    }
    Ok(())
}

/// The columns of longitude and latitude in the only field of a selection.
fn point(shape: &Shape) -> Result<[usize; 2], ApiError> {
    let inner = match shape.first() {
        Some((_, Out::Object { shape, .. })) => shape.as_slice(),
        _ => &[],
    };
    match inner {
        [(_, Out::Value { column: lon, .. }), (_, Out::Value { column: lat, .. })] => Ok([*lon, *lat]),
        _ => Err(internal("a place is no point")),
    }
}
