//! Rows by their typed ids.

use std::sync::Arc;

use async_graphql::Value;
use async_graphql::parser::types::SelectionSet;
use indexmap::IndexMap;
use uuid::Uuid;

use super::coerce::Arguments;
use super::declare::Noun;
use super::level::Level;
use super::plan::{Planner, internal};
use super::select::Selected;
use super::shape::{Out, Shape};
use crate::db::Kind;
use crate::error::{ApiError, Code};
use crate::{ids, limits};

impl<'p> Planner<'p> {
    /// One object by its typed id; null when there is none that the caller may read.
    pub fn node(&mut self, id: &Value, sets: &[&'p SelectionSet]) -> Result<Out, ApiError> {
        let (noun, key) = self.typed(id)?;
        self.by_id(noun, key, sets)
    }

    /// One row of a noun by its id; null when the caller may not read it.
    pub fn by_id(&mut self, noun: &'p Noun, key: Uuid, sets: &[&'p SelectionSet]) -> Result<Out, ApiError> {
        self.single(noun, sets, |_, level| {
            let condition = level.sql.piece(|sql| {
                sql.push("t.id = ").bind(key.into());
            });
            level.conditions.push(condition);
            Ok(())
        })
    }

    /// Objects by their typed ids, one statement for each noun among them.
    pub(super) fn nodes(&mut self, selected: &Selected<'p>, arguments: &Arguments) -> Result<Out, ApiError> {
        let Some(Value::List(given)) = arguments.get("ids") else {
            return Err(internal("nodes without ids"));
        };
        if given.len() > limits::NODES_MAX {
            let message = format!("{} ids, at most {} are taken", given.len(), limits::NODES_MAX);
            return Err(ApiError::new(Code::LimitExceeded, message).in_field("ids"));
        }
        let mut by_noun: IndexMap<&'static str, Vec<Uuid>> = IndexMap::new();
        let mut asked = Vec::with_capacity(given.len());
        for (index, id) in given.iter().enumerate() {
            let (noun, key) = self.typed(id).map_err(|error| error.in_item(index).in_field("ids"))?;
            by_noun.entry(noun.name).or_default().push(key);
            asked.push((noun.name, key));
        }
        let mut rows = IndexMap::new();
        for (name, ids) in by_noun {
            let noun = self.noun(name)?;
            rows.insert(name, self.by_ids(noun, &ids, &selected.sets)?);
        }
        let out = |(name, key): (&str, Uuid)| rows.get(name).map_or_else(Out::null, |rows| rows.row(key));
        Ok(Out::Items(asked.into_iter().map(out).collect()))
    }

    /// The noun and the key of a typed id.
    pub fn typed(&self, id: &Value) -> Result<(&'p Noun, Uuid), ApiError> {
        let text = if let Value::String(text) = id { text.as_str() } else { "" };
        let (prefix, key) = ids::decode(text).map_err(|_| bad_id(text))?;
        let noun = self.model.noun_of_prefix(prefix).ok_or_else(|| bad_id(text))?;
        Ok((noun, key))
    }

    /// Rows of a noun by their ids, in one statement, to be placed by id in the answer.
    pub fn by_ids(
        &mut self,
        noun: &'p Noun,
        ids: &[Uuid],
        sets: &[&'p SelectionSet],
    ) -> Result<RowsById, ApiError> {
        let mut level = Level::new(noun, self.backend, None);
        if !self.restrict(&mut level, noun) {
            level.conditions.push("FALSE".to_owned());
        }
        let values = ids.iter().map(|id| (*id).into()).collect();
        let condition = level.sql.piece(|sql| sql.is_in("t.id", values));
        level.conditions.push(condition);
        level.wants_rows = true;
        level.points = Some(ids.len() as u64);
        let column = level.column("t.id".to_owned(), Kind::Uuid);
        let index = self.push(level)?;
        let shape = Arc::new(self.object(noun, index, "t", sets)?);
        Ok(RowsById { level: index, column, shape })
    }
}

impl Planner<'_> {
    /// Says how many rows are written where fewer are read.
    pub fn count_as(&mut self, rows: &RowsById, written: usize) {
        self.levels[rows.level].points = Some(written as u64);
    }
}

/// Rows read by their ids.
#[derive(Clone, Debug)]
pub struct RowsById {
    level: usize,
    column: usize,
    shape: Arc<Shape>,
}

impl RowsById {
    /// The row with an id, or null.
    pub fn row(&self, id: Uuid) -> Out {
        Out::ById { level: self.level, column: self.column, id, shape: Arc::clone(&self.shape) }
    }
}

fn bad_id(text: &str) -> ApiError {
    // an error does not repeat a large input
    let shown = text.char_indices().nth(60).map_or(text, |(end, _)| &text[..end]);
    ApiError::new(Code::InvalidId, format!("{shown:?} is not an id of this API"))
        .expected("an id as this API gave it, for example in a field `id`")
}
