//! From a selection to levels: one statement per level, whatever the number of rows, with the caller's reach on
//! every level.

use async_graphql::parser::types::SelectionSet;
use async_graphql::{Name, Value};

use super::coerce::{self, Arguments};
use super::declare::{Field, FieldKind, Noun, Relation, ValueField};
use super::level::{Level, Parent, Term};
use super::model::Model;
use super::page::Page;
use super::select::{Document, Selected};
use super::shape::{Out, Shape, json_key, json_string};
use super::value::{expression, form, guarded};
use crate::budget::Standing;
use crate::db::{Backend, Kind, Sql};
use crate::error::{ApiError, Code};
use crate::limits;
use crate::policy::Viewer;

/// How a root field is planned.
#[derive(Clone, Copy, Debug)]
pub enum RootPlan {
    /// A connection of all rows of a noun.
    List(&'static str),
    /// One row by a key.
    Lookup(&'static str),
    /// One row by its typed id.
    Node,
    /// Rows by their typed ids.
    Nodes,
    /// A plan of its own.
    Custom(CustomPlan),
}

/// Plans a root field of its own kind.
pub type CustomPlan = for<'p> fn(&mut Planner<'p>, &Selected<'p>, &Arguments) -> Result<Out, ApiError>;

/// Makes the plan of one operation.
#[derive(Debug)]
pub struct Planner<'p> {
    /// The declarations.
    pub model: &'p Model,
    /// Who asks.
    pub viewer: &'p Viewer,
    /// The document.
    pub document: Document<'p>,
    /// The levels so far, parents first.
    pub levels: Vec<Level<'p>>,
    /// What root fields of their own kind need (the outlines of the QPV, say).
    pub services: &'p crate::graphql::Services,
    /// What the caller may still ask; none when nothing is counted.
    pub standing: Option<Standing>,
    pub(super) backend: Backend,
}

impl<'p> Planner<'p> {
    /// A planner for one operation.
    pub fn new(
        model: &'p Model,
        viewer: &'p Viewer,
        document: Document<'p>,
        services: &'p crate::graphql::Services,
        backend: Backend,
    ) -> Self {
        Self { model, viewer, document, levels: Vec::new(), services, standing: None, backend }
    }

    /// The kind of database that the plan is for.
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// Plans a field of `Query`.
    pub fn root(&mut self, selected: &Selected<'p>) -> Result<Out, ApiError> {
        let model = self.model;
        let Some(root) = model.roots.get(selected.name) else {
            return Err(internal("a root field is not declared"));
        };
        let arguments =
            coerce::arguments(model, &root.arguments, selected.arguments, self.document.variables)?;
        match root.plan {
            RootPlan::List(name) => {
                let noun = self.noun(name)?;
                self.connection(noun, None, selected, &arguments, |_, _| {})
            }
            RootPlan::Lookup(name) => self.lookup(name, selected, &arguments),
            RootPlan::Node => {
                let id = arguments.get("id").cloned().unwrap_or(Value::Null);
                self.node(&id, &selected.sets)
            }
            RootPlan::Nodes => self.nodes(selected, &arguments),
            RootPlan::Custom(plan) => plan(self, selected, &arguments),
        }
    }

    /// The declaration of a noun.
    pub fn noun(&self, name: &str) -> Result<&'p Noun, ApiError> {
        self.model.noun(name).ok_or_else(|| internal("a noun is not declared"))
    }

    fn lookup(
        &mut self,
        name: &str,
        selected: &Selected<'p>,
        arguments: &Arguments,
    ) -> Result<Out, ApiError> {
        let noun = self.noun(name)?;
        let Some(Value::Object(by)) = arguments.get("by") else {
            return Err(internal("a look-up without key"));
        };
        let (key, value) = by.iter().next().ok_or_else(|| internal("a look-up without key"))?;
        let condition = Value::Object([(Name::new("eq"), value.clone())].into_iter().collect());
        let filter = Value::Object([(key.clone(), condition)].into_iter().collect());
        self.single(noun, &selected.sets, |planner, level| planner.filter(level, noun, &filter))
    }

    /// One row of a noun at the root, found by conditions that `narrow` adds.
    pub fn single(
        &mut self,
        noun: &'p Noun,
        sets: &[&'p SelectionSet],
        narrow: impl FnOnce(&Self, &mut Level<'p>) -> Result<(), ApiError>,
    ) -> Result<Out, ApiError> {
        let mut level = Level::new(noun, self.backend, None);
        if !self.restrict(&mut level, noun) {
            return Ok(Out::null());
        }
        narrow(self, &mut level)?;
        level.limit = Some(1);
        level.wants_rows = true;
        let index = self.push(level)?;
        let shape = self.object(noun, index, "t", sets)?;
        Ok(Out::Single { level: index, shape })
    }

    /// Adds a level to the plan, within the bound.
    pub fn push(&mut self, level: Level<'p>) -> Result<usize, ApiError> {
        if self.levels.len() >= limits::LEVELS {
            let message = format!("the operation reads more than {} lists and objects", limits::LEVELS);
            return Err(ApiError::new(Code::LimitExceeded, message).expected("fewer fields that are lists"));
        }
        // what is read for each row of a table is costed before it is known how many these are
        if let Some(above) = level.parent.as_ref().and_then(|parent| self.levels.get_mut(parent.level))
            && above.refuse_more
        {
            above.limit = above.limit.min(Some(limits::TABLE_PARENTS));
        }
        self.levels.push(level);
        Ok(self.levels.len() - 1)
    }

    /// What to write of the row at `alias`, its columns added to the level.
    pub fn object(
        &mut self,
        noun: &'p Noun,
        level: usize,
        alias: &str,
        sets: &[&'p SelectionSet],
    ) -> Result<Shape, ApiError> {
        let is = |on: &str| on == noun.name || (on == "Node" && noun.prefix.is_some());
        let mut shape = Shape::new();
        for selected in self.document.fields(sets, &is) {
            let out = if selected.name == "__typename" {
                Out::Text(json_string(noun.name))
            } else {
                let field = noun.field(selected.name).ok_or_else(|| internal("a field is not declared"))?;
                self.field(noun, field, level, alias, &selected)
                    .map_err(|error| error.at(selected.position).under(selected.key))?
            };
            shape.push((json_key(selected.key), out));
        }
        self.levels[level].check_width()?;
        Ok(shape)
    }

    /// What to write of a field of the row at `alias`.
    pub fn field(
        &mut self,
        noun: &'p Noun,
        field: &'p Field,
        level: usize,
        alias: &str,
        selected: &Selected<'p>,
    ) -> Result<Out, ApiError> {
        match &field.kind {
            FieldKind::Value(value) => Ok(self.value(noun, field, value, level, alias)),
            FieldKind::One(relation) => self.joined(noun, field, relation, level, alias, selected),
            FieldKind::Many(relation) => {
                let target = self.noun(relation.target)?;
                let declared = self.model.connection_arguments(target.name);
                let arguments =
                    coerce::arguments(self.model, declared, selected.arguments, self.document.variables)?;
                let parent = self.parent(level, alias, relation);
                self.connection(target, Some(parent), selected, &arguments, |_, _| {})
            }
            FieldKind::List(relation) => self.list(relation, level, alias, selected),
            FieldKind::Group { name, null_if, fields } => {
                self.group(noun, name, *null_if, fields, field.group, level, alias, selected)
            }
        }
    }

    fn value(
        &mut self,
        noun: &'p Noun,
        field: &'p Field,
        value: &ValueField,
        level: usize,
        alias: &str,
    ) -> Out {
        let form = form(noun, value);
        let level = &mut self.levels[level];
        let viewer = self.viewer;
        let write = |sql: &mut Sql| expression(sql, viewer, value, alias);
        match guarded(&mut level.sql, viewer, noun.resource, field.group, alias, write) {
            Some(expression) => {
                Out::Value { column: level.column(expression, value.kind), kind: value.kind, form }
            }
            None => Out::null(),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a group is a field with the row it belongs to")]
    fn group(
        &mut self,
        noun: &'p Noun,
        name: &'static str,
        null_if: Option<&'static str>,
        fields: &'p [Field],
        rights: Option<&'static str>,
        level: usize,
        alias: &str,
        selected: &Selected<'p>,
    ) -> Result<Out, ApiError> {
        let absent = match null_if {
            Some(column) => {
                let level = &mut self.levels[level];
                let write = |sql: &mut Sql| {
                    sql.push(alias).push(".").push(column).push(" IS NULL");
                };
                let opened = guarded(&mut level.sql, self.viewer, noun.resource, rights, alias, write);
                let Some(expression) = opened else { return Ok(Out::null()) };
                Some(level.column(expression, Kind::Bool))
            }
            None => None,
        };
        let mut shape = Shape::new();
        for part in self.document.fields(&selected.sets, &|on| on == name) {
            let out = if part.name == "__typename" {
                Out::Text(json_string(name))
            } else {
                let inner = fields.iter().find(|field| field.name == part.name);
                let inner = inner.ok_or_else(|| internal("a field is not declared"))?;
                self.field(noun, inner, level, alias, &part).map_err(|error| error.under(part.key))?
            };
            shape.push((json_key(part.key), out));
        }
        Ok(Out::Object { absent_if: absent, null_key: None, shape })
    }

    fn parent(&mut self, level: usize, alias: &str, relation: &'p Relation) -> Parent<'p> {
        let kind = relation.key_type.kind();
        let column = self.levels[level].column(format!("{alias}.{}", relation.key), kind);
        Parent { level, column, relation }
    }

    /// The whole of a relation to many, in the default order of its noun.
    pub fn list(
        &mut self,
        relation: &'p Relation,
        level: usize,
        alias: &str,
        selected: &Selected<'p>,
    ) -> Result<Out, ApiError> {
        let target = self.noun(relation.target)?;
        let parent = self.parent(level, alias, relation);
        let mut list = Level::new(target, self.backend, Some(parent));
        if !self.restrict(&mut list, target) {
            list.conditions.push("FALSE".to_owned());
        }
        Page::default_order(target)?.apply(&mut list, self.viewer, target)?;
        list.limit = None;
        list.wants_rows = true;
        let index = self.push(list)?;
        let shape = self.object(target, index, "t", &selected.sets)?;
        Ok(Out::List { level: index, shape })
    }

    /// All rows of a noun read from a table that was written for it, as a plain list; more than `limit` is an error.
    pub fn table(
        &mut self,
        noun: &'p Noun,
        from: String,
        sql: Sql,
        order: Vec<Term>,
        limit: usize,
        selected: &Selected<'p>,
    ) -> Result<Out, ApiError> {
        let mut level = Level::new(noun, self.backend, None);
        level.sql = sql;
        level.from = from;
        level.order = order;
        level.limit = Some(limit);
        level.refuse_more = true;
        level.wants_rows = true;
        level.points = Some(limits::AGGREGATE_POINTS);
        let index = self.push(level)?;
        let shape = self.object(noun, index, "t", &selected.sets)?;
        Ok(Out::List { level: index, shape })
    }
}

/// A fault of ours, with what to look for in the log.
pub fn internal(what: &'static str) -> ApiError {
    tracing::error!(what, "a plan could not be made");
    ApiError::new(Code::Internal, "something went wrong on our side")
}
