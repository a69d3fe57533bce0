//! Filters as conditions: over the values of a row and across relations, each relation under the caller's own
//! reach, so that a filter never tells what a read would not.

use async_graphql::Value;

use super::compare::{Outcome, Target, contains, each, equal_folded, extra, in_order, period};
use super::declare::{Field, FieldKind, Noun, Relation, Source, ValueField};
use super::inputs::group_filter;
use super::model::Model;
use super::plan::internal;
use super::value::{expression, guarded};
use crate::db::{Kind, Sql};
use crate::error::{ApiError, Code};
use crate::limits;
use crate::policy::{Reach, Verb, Viewer};

/// Writes filters for one caller.
#[derive(Clone, Copy, Debug)]
pub struct Filters<'f> {
    /// The declarations.
    pub model: &'f Model,
    /// Who asks.
    pub viewer: &'f Viewer,
}

impl Filters<'_> {
    /// Refuses a filter with more conditions than can be planned at little cost.
    pub fn check_size(filter: &Value) -> Outcome {
        let conditions = size(filter);
        if conditions > limits::FILTER_CONDITIONS {
            let message = format!("{conditions} conditions, at most {} are taken", limits::FILTER_CONDITIONS);
            return Err(ApiError::new(Code::LimitExceeded, message));
        }
        let values = values(filter);
        if values > limits::FILTER_VALUES {
            let message = format!("{values} values in lists, at most {} are taken", limits::FILTER_VALUES);
            return Err(ApiError::new(Code::LimitExceeded, message));
        }
        Ok(())
    }

    /// Points of what a filter looks through; refuses one that looks through lists too deep within each other, each of
    /// which multiplies the rows to be looked at.
    pub fn points(filter: &Value) -> Result<u64, ApiError> {
        let points = lists(filter, 0);
        points.ok_or_else(|| {
            let most = limits::FILTER_LISTS;
            let message = format!("a filter has lists within each other deeper than {most}");
            ApiError::new(Code::LimitExceeded, message)
        })
    }

    /// Appends the condition of a filter over the row at `alias`; nothing for an empty filter.
    pub fn condition(
        &self,
        sql: &mut Sql,
        noun: &Noun,
        alias: &str,
        filter: &Value,
        depth: usize,
    ) -> Outcome {
        if depth > limits::FILTER_DEPTH {
            let message = format!("a filter is nested deeper than {}", limits::FILTER_DEPTH);
            return Err(ApiError::new(Code::LimitExceeded, message));
        }
        let Value::Object(given) = filter else { return Ok(()) };
        let mut parts = Vec::new();
        for (name, value) in in_order(given) {
            let mut outcome = Ok(());
            let part = sql.piece(|sql| outcome = self.named(sql, noun, alias, name, value, depth));
            outcome.map_err(|error| error.in_field(name))?;
            if !part.is_empty() {
                parts.push(part);
            }
        }
        sql.push(&parts.join(" AND "));
        Ok(())
    }

    fn named(
        &self,
        sql: &mut Sql,
        noun: &Noun,
        alias: &str,
        name: &str,
        value: &Value,
        depth: usize,
    ) -> Outcome {
        match name {
            _ if *value == Value::Null => Ok(()),
            "and" => self.combined(sql, noun, alias, value, depth, " AND "),
            "or" => self.combined(sql, noun, alias, value, depth, " OR "),
            "not" => {
                let part = self.piece(sql, noun, alias, value, depth)?;
                // an unknown inside counts as not met, so its negation is met
                sql.push(&format!("(({}) IS NOT TRUE)", or_true(&part)));
                Ok(())
            }
            _ => match noun.filters.iter().find(|filter| filter.name == name) {
                Some(filter) => extra(sql, alias, filter, value),
                None => self.field(sql, noun, alias, name, value, depth),
            },
        }
    }

    fn piece(
        &self,
        sql: &mut Sql,
        noun: &Noun,
        alias: &str,
        value: &Value,
        depth: usize,
    ) -> Result<String, ApiError> {
        let mut outcome = Ok(());
        let part = sql.piece(|sql| outcome = self.condition(sql, noun, alias, value, depth + 1));
        outcome.map(|()| part)
    }

    fn combined(
        &self,
        sql: &mut Sql,
        noun: &Noun,
        alias: &str,
        value: &Value,
        depth: usize,
        word: &str,
    ) -> Outcome {
        let Value::List(items) = value else { return Ok(()) };
        let mut parts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let part = self.piece(sql, noun, alias, item, depth).map_err(|error| error.in_item(index))?;
            parts.push(format!("({})", or_true(&part)));
        }
        let text = match (parts.is_empty(), word) {
            (true, " OR ") => "FALSE".to_owned(),
            (true, _) => String::new(),
            _ => format!("({})", parts.join(word)),
        };
        sql.push(&text);
        Ok(())
    }

    fn field(
        &self,
        sql: &mut Sql,
        noun: &Noun,
        alias: &str,
        name: &str,
        value: &Value,
        depth: usize,
    ) -> Outcome {
        if let Some(field) = noun.field(name) {
            return match &field.kind {
                FieldKind::Value(of) => self.value(sql, noun, field, of, alias, value),
                FieldKind::One(relation) => self.one(sql, noun, field, relation, alias, value, depth),
                FieldKind::Many(relation) | FieldKind::List(relation) => {
                    self.many(sql, relation, alias, value, depth)
                }
                FieldKind::Group { .. } => Err(internal("a group is no filter")),
            };
        }
        for outer in &noun.fields {
            if let FieldKind::Group { fields, .. } = &outer.kind {
                let inner = fields.iter().find(|inner| group_filter(outer.name, inner.name) == name);
                if let Some((inner, FieldKind::Value(of))) = inner.map(|inner| (inner, &inner.kind)) {
                    let group = inner.group.or(outer.group);
                    let field = Field { group, ..inner.clone() };
                    return self.value(sql, noun, &field, of, alias, value);
                }
            }
        }
        Err(internal("a filter by an undeclared field"))
    }

    fn value(
        &self,
        sql: &mut Sql,
        noun: &Noun,
        field: &Field,
        of: &ValueField,
        alias: &str,
        operators: &Value,
    ) -> Outcome {
        let viewer = self.viewer;
        let open = |sql: &mut Sql, column: Option<&'static str>| {
            let write = |sql: &mut Sql| match column {
                Some(column) => {
                    sql.push(alias).push(".").push(column);
                }
                None => expression(sql, viewer, of, alias),
            };
            guarded(sql, viewer, noun.resource, field.group, alias, write)
        };
        let prefix = noun.prefix;
        let nullable = of.nullable || field.group.is_some();
        each(sql, operators, |sql, operator, operand| {
            let target = Target { leaf: of.leaf, kind: of.kind, nullable, prefix };
            // a filter by what the caller may not read compares with no value
            let closed = || "NULL".to_owned();
            match (of.interval, operator) {
                (_, "contains") => {
                    let column = open(sql, of.search).unwrap_or_else(closed);
                    contains(sql, &column, operand)
                }
                (Some((from, to)), "eq" | "ne" | "gt" | "gte" | "lt" | "lte") if *operand != Value::Null => {
                    let from = open(sql, Some(from)).unwrap_or_else(closed);
                    let to = open(sql, Some(to)).unwrap_or_else(closed);
                    period(sql, &from, &to, operator, operand)
                }
                _ => {
                    let column = open(sql, None).unwrap_or_else(closed);
                    if of.list {
                        let column = if of.is_column() { column } else { sql.json(&column) };
                        return target.list(sql, &column, operator, operand);
                    }
                    if let Some(folded) = of.search.and_then(|search| open(sql, Some(search))) {
                        equal_folded(sql, &folded, operator, operand);
                    }
                    target.compare(sql, &column, operator, operand)
                }
            }
        })
    }

    #[expect(clippy::too_many_arguments, reason = "a relation is a field with the row it starts from")]
    fn one(
        &self,
        sql: &mut Sql,
        noun: &Noun,
        field: &Field,
        relation: &Relation,
        alias: &str,
        value: &Value,
        depth: usize,
    ) -> Outcome {
        if let Some(leaf) =
            self.model.code_leaf(relation).map_err(|_| internal("a relation leads nowhere"))?
        {
            let of = ValueField {
                source: Source::Column(relation.key),
                kind: Kind::Text,
                leaf,
                list: false,
                nullable: true,
                sort: None,
                search: None,
                interval: None,
                filterable: true,
            };
            return self.value(sql, noun, field, &of, alias, value);
        }
        let exists = self.exists(sql, relation, alias, value, depth)?;
        match field
            .group
            .map(|group| self.viewer.authorize(noun.resource, Verb::Read, group).reach(sql, alias))
        {
            None | Some(Reach::All) => sql.push(&exists),
            Some(Reach::Nothing) => sql.push("FALSE"),
            Some(Reach::Rows(condition)) => sql.push(&format!("({condition} AND {exists})")),
        };
        Ok(())
    }

    fn many(&self, sql: &mut Sql, relation: &Relation, alias: &str, value: &Value, depth: usize) -> Outcome {
        each(sql, value, |sql, operator, filter| {
            // as for every other operator, null says nothing
            if *filter == Value::Null {
                return Ok(());
            }
            let exists = self.exists(sql, relation, alias, filter, depth)?;
            sql.push(if operator == "none" { "NOT " } else { "" }).push(&exists);
            Ok(())
        })
    }

    /// `EXISTS` of a related row that the caller may read and that meets a filter.
    fn exists(
        &self,
        sql: &mut Sql,
        relation: &Relation,
        alias: &str,
        filter: &Value,
        depth: usize,
    ) -> Result<String, ApiError> {
        let target = self.model.noun(relation.target).ok_or_else(|| internal("a noun is not declared"))?;
        let inner = sql.alias('f');
        let key = format!("{alias}.{}", relation.key);
        let mut conditions = vec![sql.piece(|sql| relation.on.write(sql, &inner, &key))];
        if target.tombstones {
            conditions.push(format!("{inner}.deleted_at IS NULL"));
        }
        let access = self.viewer.authorize(target.resource, Verb::Read, target.group.unwrap_or(""));
        match access.reach(sql, &inner) {
            Reach::All => {}
            Reach::Nothing => conditions.push("FALSE".to_owned()),
            Reach::Rows(condition) => conditions.push(condition),
        }
        let part = self.piece(sql, target, &inner, filter, depth)?;
        if !part.is_empty() {
            conditions.push(part);
        }
        // the limit keeps SQLite from making a join of it, which 3.51 does wrongly: where an OR is read by several
        // indexes it gives up at the first row that does not meet the rest
        let conditions = conditions.join(" AND ");
        Ok(format!("EXISTS (SELECT 1 FROM {} {inner} WHERE {conditions} LIMIT 1)", target.table))
    }
}

/// Points of the lists in a filter that stands within so many; nothing when they are too deep.
fn lists(filter: &Value, within: u32) -> Option<u64> {
    match filter {
        Value::Object(fields) => fields.iter().try_fold(0, |sum: u64, (name, value)| {
            let is_list = matches!(name.as_str(), "some" | "none") && matches!(value, Value::Object(_));
            let depth = within + u32::from(is_list);
            let own = if is_list { limits::FILTER_LIST_POINTS.pow(depth) } else { 0 };
            (depth <= limits::FILTER_LISTS).then(|| lists(value, depth))?.map(|inner| sum + own + inner)
        }),
        Value::List(items) => items.iter().try_fold(0, |sum, item| Some(sum + lists(item, within)?)),
        _ => Some(0),
    }
}

/// How many operators a filter holds; the values of an `in` list count as one, and so does an object that says nothing,
/// for it is a condition all the same.
fn size(filter: &Value) -> usize {
    match filter {
        Value::Object(fields) => fields.values().map(size).sum::<usize>().max(1),
        Value::List(items) if items.iter().any(|item| matches!(item, Value::Object(_))) => {
            items.iter().map(size).sum()
        }
        _ => 1,
    }
}

/// How many values the lists of a filter hold.
fn values(filter: &Value) -> usize {
    match filter {
        Value::Object(fields) => fields.values().map(values).sum(),
        Value::List(items) => items.iter().map(|item| values(item).max(1)).sum(),
        _ => 0,
    }
}

fn or_true(part: &str) -> &str {
    if part.is_empty() { "TRUE" } else { part }
}
