//! The rows of a page laid out flat: a value, or a list of texts, in each column.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use sea_orm::QueryResult;

use crate::db::{Cell, Kind, cell};
use crate::error::ApiError;
use crate::ids;
use crate::read::declare::{Field, FieldKind, ValueField};
use crate::read::level::Level;
use crate::read::model::Model;
use crate::read::plan::internal;
use crate::read::run::Fetched;
use crate::read::select::{Document, Selected};
use crate::read::shape::{Form, Out, Shape};
use async_graphql::parser::types::SelectionSet;

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Int,
    Float,
    Bool,
    Decimal,
    Date,
    Instant,
    /// Texts.
    List,
}

impl Type {
    const fn of(value: &ValueField) -> Self {
        match value.kind {
            _ if value.list => Self::List,
            Kind::Text | Kind::Uuid | Kind::Json => Self::Text,
            Kind::Int | Kind::BigInt => Self::Int,
            Kind::Float => Self::Float,
            Kind::Bool => Self::Bool,
            Kind::Decimal => Self::Decimal,
            Kind::Date => Self::Date,
            Kind::Instant => Self::Instant,
        }
    }
}

/// A column of a file. It is there whatever the caller may read; his rights make cells empty.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// The names on the way, put together: `siteCode`.
    pub name: String,
    pub of: Type,
    place: Place,
}

/// Where the cells of a column are.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Nowhere: the caller may not read them.
    Nowhere,
    Row {
        column: usize,
        kind: Kind,
        form: Form,
    },
    /// In the rows of a level that belong to the row.
    Level {
        level: usize,
        column: usize,
        kind: Kind,
        form: Form,
    },
}

/// What a cell holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content<'r> {
    Nothing,
    Text(Cow<'r, str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    Decimal(Decimal),
    Date(NaiveDate),
    Instant(DateTime<Utc>),
    List(Vec<Cow<'r, str>>),
}

/// The columns of a selection that was planned as `shape`.
pub(super) fn columns(
    model: &Model,
    noun: &str,
    (document, set): (Document<'static>, &'static SelectionSet),
    shape: &Shape,
) -> Result<Vec<Column>, ApiError> {
    let noun = model.noun(noun).ok_or_else(|| internal("a noun is not declared"))?;
    let mut columns = Vec::new();
    let gather = Gather { model, document };
    gather.fields(&noun.fields, &[set], "", Some(shape), &mut columns)?;
    Ok(columns)
}

#[derive(Clone, Copy)]
struct Gather<'m> {
    model: &'m Model,
    document: Document<'static>,
}

impl Gather<'_> {
    /// Adds the columns of the fields asked for; without shape the caller reads none of them.
    fn fields(
        self,
        declared: &[Field],
        sets: &[&'static SelectionSet],
        prefix: &str,
        shape: Option<&Shape>,
        columns: &mut Vec<Column>,
    ) -> Result<(), ApiError> {
        for (index, selected) in self.document.fields(sets, &|_| true).iter().enumerate() {
            let field = declared.iter().find(|field| field.name == selected.name);
            let field = field.ok_or_else(|| internal("a field is not declared"))?;
            let out = shape.and_then(|shape| shape.get(index)).map(|(_, out)| out);
            self.field(field, selected, &joined(prefix, selected.key), out, columns)?;
        }
        Ok(())
    }

    fn field(
        self,
        field: &Field,
        selected: &Selected<'static>,
        name: &str,
        out: Option<&Out>,
        columns: &mut Vec<Column>,
    ) -> Result<(), ApiError> {
        let inner = match out {
            Some(Out::Object { shape, .. }) => Some(shape),
            _ => None,
        };
        match &field.kind {
            FieldKind::Value(value) => {
                let place = out.map_or(Place::Nowhere, in_row);
                columns.push(Column { name: name.to_owned(), of: Type::of(value), place });
            }
            FieldKind::Group { fields, .. } => self.fields(fields, &selected.sets, name, inner, columns)?,
            FieldKind::One(relation) => {
                let target = self.model.noun(relation.target);
                let target = target.ok_or_else(|| internal("a noun is not declared"))?;
                self.fields(&target.fields, &selected.sets, name, inner, columns)?;
            }
            FieldKind::Many(_) | FieldKind::List(_) => {
                columns.push(Column { name: name.to_owned(), of: Type::List, place: in_level(out) });
            }
        }
        Ok(())
    }
}

/// `site` and `code`: `siteCode`.
fn joined(prefix: &str, key: &str) -> String {
    let mut letters = key.chars();
    match letters.next().filter(|_| !prefix.is_empty()) {
        Some(first) => format!("{prefix}{}{}", first.to_ascii_uppercase(), letters.as_str()),
        None => key.to_owned(),
    }
}

const fn in_row(out: &Out) -> Place {
    match out {
        Out::Value { column, kind, form } => Place::Row { column: *column, kind: *kind, form: *form },
        _ => Place::Nowhere,
    }
}

/// The one value that a list shows of its rows.
fn in_level(out: Option<&Out>) -> Place {
    match out {
        Some(Out::List { level, shape }) => match shape.first().map(|(_, out)| in_row(out)) {
            Some(Place::Row { column, kind, form }) => Place::Level { level: *level, column, kind, form },
            _ => Place::Nowhere,
        },
        _ => Place::Nowhere,
    }
}

/// The rows of a page with what they show.
#[derive(Debug)]
pub(super) struct Page<'p> {
    pub levels: &'p [Level<'p>],
    pub fetched: &'p [Fetched],
    /// What each row shows, as GraphQL would.
    pub shape: &'p Shape,
    /// The same laid out flat.
    pub columns: &'p [Column],
    /// What places each row on the map.
    pub geometry: Option<&'p Out>,
}

impl<'p> Page<'p> {
    /// The rows, by their position.
    pub fn rows(&self) -> impl Iterator<Item = usize> + use<'p> {
        let group = self.fetched.first().and_then(|fetched| fetched.group(None));
        group.into_iter().flat_map(|group| &group.rows).map(|row| *row as usize)
    }

    /// A row of the page.
    pub fn row(&self, row: usize) -> Result<&'p QueryResult, ApiError> {
        let rows = self.fetched.first().map(|fetched| &fetched.rows);
        rows.and_then(|rows| rows.get(row)).ok_or_else(|| internal("a row went missing"))
    }

    /// The rows of a level that belong to a row of the page.
    pub fn below(&self, level: usize, row: usize) -> impl Iterator<Item = &'p QueryResult> {
        let fetched: &'p [Fetched] = self.fetched;
        fetched.get(level).into_iter().flat_map(move |fetched| {
            let group = fetched.group(Some(row));
            group.into_iter().flat_map(|group| &group.rows).filter_map(|row| fetched.rows.get(*row as usize))
        })
    }

    /// What a row holds in a column.
    pub fn content(&self, row: usize, column: &Column) -> Result<Content<'p>, ApiError> {
        match column.place {
            Place::Nowhere => Ok(Content::Nothing),
            Place::Row { column: index, kind, form } => {
                content(column.of, cell(self.row(row)?, index, kind)?, form)
            }
            Place::Level { level, column, kind, form } => {
                let texts = self.below(level, row).map(|row| Ok(text(cell(row, column, kind)?, form)));
                let texts: Result<Vec<Option<Cow<'p, str>>>, ApiError> = texts.collect();
                Ok(Content::List(texts?.into_iter().flatten().collect()))
            }
        }
    }
}

fn content(of: Type, cell: Cell<'_>, form: Form) -> Result<Content<'_>, ApiError> {
    Ok(match (of, cell) {
        (_, Cell::Null) => Content::Nothing,
        (Type::List, Cell::Json(json)) => {
            let texts: Vec<String> =
                serde_json::from_str(json).map_err(|_| internal("a list is no list of texts"))?;
            Content::List(texts.into_iter().map(Cow::Owned).collect())
        }
        (_, Cell::Int(number)) => Content::Int(number),
        (_, Cell::Float(number)) => Content::Float(number),
        (_, Cell::Bool(is)) => Content::Bool(is),
        (_, Cell::Decimal(number)) => Content::Decimal(number.normalize()),
        (_, Cell::Date(date)) => Content::Date(date),
        (_, Cell::Instant(at)) => Content::Instant(at),
        (_, cell) => text(cell, form).map_or(Content::Nothing, Content::Text),
    })
}

fn text(cell: Cell<'_>, form: Form) -> Option<Cow<'_, str>> {
    match (cell, form) {
        (Cell::Text(text) | Cell::Json(text), _) => Some(Cow::Borrowed(text)),
        (Cell::Uuid(id), Form::Id(prefix)) => Some(Cow::Owned(ids::encode(prefix, id))),
        _ => None,
    }
}

/// An instant as every format writes it.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}
