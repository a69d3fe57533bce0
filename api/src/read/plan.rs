//! From a selection to levels: one statement per level, whatever the number of rows, with the caller's reach on
//! every level.

use std::sync::Arc;

use async_graphql::{Name, Value};
use async_graphql::parser::types::SelectionSet;
use indexmap::IndexMap;
use uuid::Uuid;

use super::coerce::{self, Arguments};
use super::declare::{Field, FieldKind, Leaf, Noun, Relation, Source, ValueField};
use super::filter::Filters;
use super::level::{CountPart, Level, Parent, Term};
use super::model::Model;
use super::page::Page;
use super::select::{Document, Selected};
use super::shape::{ConnectionOut, EdgeOut, Form, Out, PageOut, Shape, json_key, json_string};
use crate::db::{Backend, KeyType, Kind, Sql};
use crate::error::{ApiError, Code};
use crate::graphql::scalars::Scalar;
use crate::ids;
use crate::limits;
use crate::policy::{Reach, Resource, Verb, Viewer};

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
    backend: Backend,
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
        Self { model, viewer, document, levels: Vec::new(), services, backend }
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

    fn lookup(&mut self, name: &str, selected: &Selected<'p>, arguments: &Arguments) -> Result<Out, ApiError> {
        let noun = self.noun(name)?;
        let Some(Value::Object(by)) = arguments.get("by") else {
            return Err(internal("a look-up without key"));
        };
        let (key, value) = by.iter().next().ok_or_else(|| internal("a look-up without key"))?;
        let condition = Value::Object([(Name::new("eq"), value.clone())].into_iter().collect());
        let filter = Value::Object([(key.clone(), condition)].into_iter().collect());
        self.single(noun, &selected.sets, |planner, level| planner.filter(level, noun, &filter))
    }

    /// One object by its typed id; null when there is none that the caller may read.
    pub fn node(&mut self, id: &Value, sets: &[&'p SelectionSet]) -> Result<Out, ApiError> {
        let (noun, key) = self.typed(id)?;
        self.single(noun, sets, |_, level| {
            let condition = level.sql.piece(|sql| {
                sql.push("t.id = ").bind(key.into());
            });
            level.conditions.push(condition);
            Ok(())
        })
    }

    fn nodes(&mut self, selected: &Selected<'p>, arguments: &Arguments) -> Result<Out, ApiError> {
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

    fn typed(&self, id: &Value) -> Result<(&'p Noun, Uuid), ApiError> {
        let text = if let Value::String(text) = id { text.as_str() } else { "" };
        let (prefix, key) = ids::decode(text).map_err(|_| bad_id(text))?;
        let noun = self.model.noun_of_prefix(prefix).ok_or_else(|| bad_id(text))?;
        Ok((noun, key))
    }

    /// Rows of a noun by their ids, in one statement, to be placed by id in the answer.
    pub fn by_ids(&mut self, noun: &'p Noun, ids: &[Uuid], sets: &[&'p SelectionSet]) -> Result<RowsById, ApiError> {
        let mut level = Level::new(noun, self.backend, None);
        if !self.restrict(&mut level, noun) {
            level.conditions.push("FALSE".to_owned());
        }
        let values = ids.iter().map(|id| (*id).into()).collect();
        let condition = level.sql.piece(|sql| sql.is_in("t.id", values));
        level.conditions.push(condition);
        level.wants_rows = true;
        let column = level.column("t.id".to_owned(), Kind::Uuid);
        let index = self.push(level);
        let shape = Arc::new(self.object(noun, index, "t", sets)?);
        Ok(RowsById { level: index, column, shape })
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
        let index = self.push(level);
        let shape = self.object(noun, index, "t", sets)?;
        Ok(Out::Single { level: index, shape })
    }

    fn push(&mut self, level: Level<'p>) -> usize {
        self.levels.push(level);
        self.levels.len() - 1
    }

    /// Puts the caller's reach and the tombstones' absence on a level; false when nothing is reached.
    fn restrict(&self, level: &mut Level<'p>, noun: &Noun) -> bool {
        if noun.tombstones {
            level.conditions.push("t.deleted_at IS NULL".to_owned());
        }
        let access = self.viewer.authorize(noun.resource, Verb::Read, noun.group.unwrap_or(""));
        match access.reach(&mut level.sql, "t") {
            Reach::All => true,
            Reach::Nothing => false,
            Reach::Rows(condition) => {
                level.conditions.push(condition);
                true
            }
        }
    }

    fn filter(&self, level: &mut Level<'p>, noun: &'p Noun, filter: &Value) -> Result<(), ApiError> {
        let filters = Filters { model: self.model, viewer: self.viewer };
        let mut outcome = Ok(());
        let condition = level.sql.piece(|sql| outcome = filters.condition(sql, noun, "t", filter, 0));
        outcome.map_err(|error| error.in_field("filter"))?;
        if !condition.is_empty() {
            level.conditions.push(condition);
        }
        Ok(())
    }

    /// A connection, at the root or under a parent. `narrow` may add conditions.
    pub fn connection(
        &mut self,
        noun: &'p Noun,
        parent: Option<Parent<'p>>,
        selected: &Selected<'p>,
        arguments: &Arguments,
        narrow: impl FnOnce(&Self, &mut Level<'p>),
    ) -> Result<Out, ApiError> {
        let page = Page::parse(noun, arguments)?;
        let mut level = Level::new(noun, self.backend, parent);
        let reached = self.restrict(&mut level, noun);
        if let Some(filter) = arguments.get("filter").filter(|filter| **filter != Value::Null) {
            self.filter(&mut level, noun, filter)?;
        }
        narrow(self, &mut level);
        if !reached {
            level.conditions.push("FALSE".to_owned());
        }
        // the values bound so far are those of the conditions, which the count shares
        let count = CountPart { sql: level.sql.clone(), conditions: level.conditions.clone() };
        page.apply(&mut level, self.viewer, noun)?;
        let index = self.push(level);
        let name = format!("{}Connection", noun.name);
        let mut fields = Vec::new();
        for asked in self.document.fields(&selected.sets, &|on| on == name) {
            let out = match asked.name {
                "__typename" => ConnectionOut::Text(json_string(&name)),
                "totalCount" => {
                    self.levels[index].count = Some(count.clone());
                    ConnectionOut::TotalCount
                }
                "pageInfo" => ConnectionOut::PageInfo(self.page_info(index, &page, &asked)?),
                "edges" => ConnectionOut::Edges(self.edges(noun, index, &page, &asked)?),
                _ => ConnectionOut::Nodes(self.rows(noun, index, &asked)?),
            };
            fields.push((json_key(asked.key), out));
        }
        Ok(Out::Connection { level: index, fields })
    }

    fn rows(&mut self, noun: &'p Noun, level: usize, asked: &Selected<'p>) -> Result<Shape, ApiError> {
        self.levels[level].wants_rows = true;
        self.object(noun, level, "t", &asked.sets).map_err(|error| error.under(asked.key))
    }

    fn edges(
        &mut self,
        noun: &'p Noun,
        level: usize,
        page: &Page,
        asked: &Selected<'p>,
    ) -> Result<Vec<(Vec<u8>, EdgeOut)>, ApiError> {
        self.levels[level].wants_rows = true;
        let name = format!("{}Edge", noun.name);
        let mut fields = Vec::new();
        for part in self.document.fields(&asked.sets, &|on| on == name) {
            let out = match part.name {
                "__typename" => EdgeOut::Text(json_string(&name)),
                "cursor" => EdgeOut::Cursor(page.cursor(&mut self.levels[level])),
                _ => EdgeOut::Node(self.rows(noun, level, &part).map_err(|error| error.under(asked.key))?),
            };
            fields.push((json_key(part.key), out));
        }
        Ok(fields)
    }

    fn page_info(
        &mut self,
        level: usize,
        page: &Page,
        asked: &Selected<'p>,
    ) -> Result<Vec<(Vec<u8>, PageOut)>, ApiError> {
        let mut fields = Vec::new();
        for part in self.document.fields(&asked.sets, &|on| on == "PageInfo") {
            let out = match part.name {
                "__typename" => PageOut::Text(json_string("PageInfo")),
                "hasNextPage" => PageOut::HasNext,
                "hasPreviousPage" => PageOut::HasPrevious,
                "startCursor" => PageOut::Start(page.cursor(&mut self.levels[level])),
                _ => PageOut::End(page.cursor(&mut self.levels[level])),
            };
            if !matches!(out, PageOut::Text(_)) {
                self.levels[level].wants_rows = true;
            }
            fields.push((json_key(part.key), out));
        }
        Ok(fields)
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
        Ok(shape)
    }

    fn field(
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
            Some(expression) => Out::Value { column: level.column(expression, value.kind), kind: value.kind, form },
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

    fn joined(
        &mut self,
        noun: &'p Noun,
        field: &'p Field,
        relation: &'p Relation,
        level: usize,
        alias: &str,
        selected: &Selected<'p>,
    ) -> Result<Out, ApiError> {
        let target = self.noun(relation.target)?;
        let viewer = self.viewer;
        let current = &mut self.levels[level];
        let join = current.sql.alias('j');
        let mark = current.sql.mark();
        let mut conditions = Vec::new();
        let access = viewer.authorize(target.resource, Verb::Read, target.group.unwrap_or(""));
        let group = field.group.map(|group| viewer.authorize(noun.resource, Verb::Read, group));
        let reaches = [Some((access, join.as_str())), group.map(|access| (access, alias))];
        for (access, row) in reaches.into_iter().flatten() {
            match access.reach(&mut current.sql, row) {
                Reach::All => {}
                Reach::Nothing => {
                    current.sql.forget(mark);
                    return Ok(Out::null());
                }
                Reach::Rows(condition) => conditions.push(condition),
            }
        }
        if target.tombstones {
            conditions.push(format!("{join}.deleted_at IS NULL"));
        }
        let key = format!("{alias}.{}", relation.key);
        let tie = current.sql.piece(|sql| relation.on.write(sql, &join, &key));
        conditions.insert(0, tie);
        current.joins.push_str(&format!(" LEFT JOIN {} {join} ON {}", target.table, conditions.join(" AND ")));
        let kind = if target.key_type == KeyType::Uuid { Kind::Uuid } else { Kind::Text };
        let null_key = current.column(format!("{join}.{}", target.key), kind);
        let shape = self.object(target, level, &join, &selected.sets)?;
        Ok(Out::Object { absent_if: None, null_key: Some(null_key), shape })
    }

    fn parent(&mut self, level: usize, alias: &str, relation: &'p Relation) -> Parent<'p> {
        let kind = match relation.key_type {
            KeyType::Uuid => Kind::Uuid,
            KeyType::Text => Kind::Text,
        };
        let column = self.levels[level].column(format!("{alias}.{}", relation.key), kind);
        Parent { level, column, relation }
    }

    fn list(
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
        let index = self.push(list);
        let shape = self.object(target, index, "t", &selected.sets)?;
        Ok(Out::List { level: index, shape })
    }

    /// The conditions that reach and a filter put on a noun's rows at `t`, with the statement they are bound in.
    pub fn conditions(&self, noun: &str, filter: &Value) -> Result<(Vec<String>, Sql), ApiError> {
        let noun = self.noun(noun)?;
        let mut level = Level::new(noun, self.backend, None);
        if !self.restrict(&mut level, noun) {
            level.conditions.push("FALSE".to_owned());
        }
        if *filter != Value::Null {
            self.filter(&mut level, noun, filter)?;
        }
        Ok((level.conditions, level.sql))
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
        let index = self.push(level);
        let shape = self.object(noun, index, "t", &selected.sets)?;
        Ok(Out::List { level: index, shape })
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

/// Appends the expression of a value.
pub fn expression(sql: &mut Sql, viewer: &Viewer, value: &ValueField, alias: &str) {
    match value.source {
        Source::Column(column) => {
            sql.push(alias).push(".").push(column);
        }
        Source::Expression(write) => write(sql, viewer, alias),
    }
}

/// An expression under a rights group: itself where the caller reads the group on every row, null on the rows
/// where he does not, `None` where he never does.
pub fn guarded(
    sql: &mut Sql,
    viewer: &Viewer,
    resource: Resource,
    group: Option<&'static str>,
    alias: &str,
    write: impl FnOnce(&mut Sql),
) -> Option<String> {
    let reach = group.map_or(Reach::All, |group| viewer.authorize(resource, Verb::Read, group).reach(sql, alias));
    match reach {
        Reach::All => Some(sql.piece(write)),
        Reach::Nothing => None,
        Reach::Rows(condition) => {
            let expression = sql.piece(write);
            Some(format!("CASE WHEN {condition} THEN {expression} END"))
        }
    }
}

fn form(noun: &Noun, value: &ValueField) -> Form {
    match (value.leaf, value.kind) {
        (_, Kind::Json) => Form::Json,
        (Leaf::Scalar(Scalar::Id), _) => Form::Id(noun.prefix.unwrap_or("")),
        (Leaf::Scalar(Scalar::BigInt), _) => Form::Quoted,
        (Leaf::Enum(_), _) => Form::Plain,
        _ => Form::Usual,
    }
}

fn bad_id(text: &str) -> ApiError {
    ApiError::new(Code::InvalidId, format!("{text:?} is not an id of this API"))
        .expected("an id as this API gave it, for example in a field `id`")
}

/// A fault of ours, with what to look for in the log.
pub fn internal(what: &'static str) -> ApiError {
    tracing::error!(what, "a plan could not be made");
    ApiError::new(Code::Internal, "something went wrong on our side")
}
