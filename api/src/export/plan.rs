//! A page of a list, planned as any read: reach, filter and rights of every field are the planner's.

use async_graphql::Value;
use async_graphql::parser::types::SelectionSet;
use uuid::Uuid;

use super::columns::{Column, columns};
use super::{File, Format};
use crate::db::Kind;
use crate::error::ApiError;
use crate::graphql::Engine;
use crate::limits;
use crate::policy::Viewer;
use crate::read::declare::FieldKind;
use crate::read::level::{Level, Term};
use crate::read::plan::{Planner, internal};
use crate::read::select::Document;
use crate::read::shape::{Out, Shape, json_key};

/// A page that can be run.
pub(super) struct Planned<'p> {
    pub levels: Vec<Level<'p>>,
    pub shape: Shape,
    pub columns: Vec<Column>,
    pub geometry: Option<Out>,
    /// Column of the root level that holds the id of a row, after which the next page begins.
    pub key: usize,
}

/// Plans the page after a row, in the order of ids, which is that of creation and needs no other index.
pub(super) fn page<'p>(
    engine: &'p Engine,
    viewer: &'p Viewer,
    file: File,
    filter: &Value,
    after: Option<Uuid>,
) -> Result<Planned<'p>, ApiError> {
    let (document, set) = file.list.columns();
    let backend = engine.db.backend;
    let mut planner = Planner::new(&engine.model, viewer, document, &engine.services, backend);
    let (conditions, sql, filter_points) = planner.conditions(file.list.noun, filter)?;
    let noun = planner.noun(file.list.noun)?;
    let mut level = Level::new(noun, backend, None);
    (level.conditions, level.sql, level.filter_points) = (conditions, sql, filter_points);
    let key = format!("t.{}", noun.key);
    if let Some(after) = after {
        level.keyset = Some(level.sql.piece(|sql| {
            sql.push(&key).push(" > ").bind(after.into());
        }));
    }
    level.order =
        vec![Term { expression: key.clone(), kind: Kind::Uuid, descending: false, nullable: false }];
    level.limit = Some(limits::EXPORT_PAGE);
    level.wants_rows = true;
    let key = level.column(key, Kind::Uuid);
    let root = planner.push(level)?;
    let shape = rows(&mut planner, file.list.noun, root, document, set)?;
    let columns = columns(&engine.model, file.list.noun, (document, set), &shape)?;
    let geometry = match file.list.geometry().filter(|_| file.format == Format::GeoJson) {
        Some((document, set)) => {
            rows(&mut planner, file.list.noun, root, document, set)?.into_iter().next().map(|(_, out)| out)
        }
        None => None,
    };
    Ok(Planned { levels: planner.levels, shape, columns, geometry, key })
}

/// What to write of each row: as of any object, but that relations to many are whole.
fn rows(
    planner: &mut Planner<'_>,
    noun: &str,
    root: usize,
    document: Document<'static>,
    set: &'static SelectionSet,
) -> Result<Shape, ApiError> {
    let noun = planner.noun(noun)?;
    let mut shape = Shape::new();
    for selected in document.fields(&[set], &|_| true) {
        let field = noun.field(selected.name).ok_or_else(|| internal("a field is not declared"))?;
        let out = match &field.kind {
            FieldKind::Many(relation) => planner.list(relation, root, "t", &selected)?,
            _ => planner.field(noun, field, root, "t", &selected)?,
        };
        shape.push((json_key(selected.key), out));
    }
    Ok(shape)
}
