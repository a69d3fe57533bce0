//! Filters as conditions: over the values of a row and across relations, each relation under the caller's own
//! reach, so that a filter never tells what a read would not.

use async_graphql::Value;
use sea_orm::sea_query::Value as Bound;

use super::declare::{Field, FieldKind, Filter, Leaf, Noun, Relation, Source, ValueField};
use super::model::{Model, group_filter};
use super::plan::{expression, guarded, internal};
use crate::db::{Kind, Sql};
use crate::error::{ApiError, Code};
use crate::graphql::scalars::{Parsed, PartialDate, Scalar};
use crate::limits;
use crate::policy::{Reach, Verb, Viewer};
use crate::{ids, text};

/// Writes filters for one caller.
#[derive(Clone, Copy, Debug)]
pub struct Filters<'f> {
    /// The declarations.
    pub model: &'f Model,
    /// Who asks.
    pub viewer: &'f Viewer,
}

type Outcome = Result<(), ApiError>;

impl Filters<'_> {
    /// Appends the condition of a filter over the row at `alias`; nothing for an empty filter.
    pub fn condition(&self, sql: &mut Sql, noun: &Noun, alias: &str, filter: &Value, depth: usize) -> Outcome {
        if depth > limits::FILTER_DEPTH {
            let message = format!("a filter is nested deeper than {}", limits::FILTER_DEPTH);
            return Err(ApiError::new(Code::LimitExceeded, message));
        }
        let Value::Object(given) = filter else { return Ok(()) };
        let mut parts = Vec::new();
        for (name, value) in given {
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

    fn named(&self, sql: &mut Sql, noun: &Noun, alias: &str, name: &str, value: &Value, depth: usize) -> Outcome {
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

    fn piece(&self, sql: &mut Sql, noun: &Noun, alias: &str, value: &Value, depth: usize) -> Result<String, ApiError> {
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

    fn field(&self, sql: &mut Sql, noun: &Noun, alias: &str, name: &str, value: &Value, depth: usize) -> Outcome {
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
                (_, "contains") if of.search.is_some() => {
                    let column = open(sql, of.search).unwrap_or_else(closed);
                    contains(sql, &column, operand);
                    Ok(())
                }
                (Some((from, to)), "eq" | "ne" | "gt" | "gte" | "lt" | "lte") if *operand != Value::Null => {
                    let from = open(sql, Some(from)).unwrap_or_else(closed);
                    let to = open(sql, Some(to)).unwrap_or_else(closed);
                    period(sql, &from, &to, operator, operand)
                }
                _ => {
                    let column = open(sql, None).unwrap_or_else(closed);
                    if of.list { target.list(sql, &column, operator, operand) } else { target.compare(sql, &column, operator, operand) }
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
        if let Some(leaf) = self.model.code_leaf(relation).map_err(|_| internal("a relation leads nowhere"))? {
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
        match field.group.map(|group| self.viewer.authorize(noun.resource, Verb::Read, group).reach(sql, alias)) {
            None | Some(Reach::All) => sql.push(&exists),
            Some(Reach::Nothing) => sql.push("FALSE"),
            Some(Reach::Rows(condition)) => sql.push(&format!("({condition} AND {exists})")),
        };
        Ok(())
    }

    fn many(&self, sql: &mut Sql, relation: &Relation, alias: &str, value: &Value, depth: usize) -> Outcome {
        each(sql, value, |sql, operator, filter| {
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
        Ok(format!("EXISTS (SELECT 1 FROM {} {inner} WHERE {})", target.table, conditions.join(" AND ")))
    }
}

fn or_true(part: &str) -> &str {
    if part.is_empty() { "TRUE" } else { part }
}

/// Writes each given operator, joined by AND.
fn each(
    sql: &mut Sql,
    operators: &Value,
    mut write: impl FnMut(&mut Sql, &str, &Value) -> Outcome,
) -> Outcome {
    let Value::Object(operators) = operators else { return Ok(()) };
    let mut parts = Vec::new();
    for (operator, operand) in operators {
        let mut outcome = Ok(());
        let part = sql.piece(|sql| outcome = write(sql, operator, operand));
        outcome.map_err(|error| error.in_field(operator))?;
        if !part.is_empty() {
            parts.push(part);
        }
    }
    sql.push(&parts.join(" AND "));
    Ok(())
}

/// A filter over rows that hang on this one: the condition is put where the declaration says.
fn extra(sql: &mut Sql, alias: &str, filter: &Filter, operators: &Value) -> Outcome {
    let (before, column) = filter.exists;
    let target = Target { leaf: filter.leaf, kind: Kind::Text, nullable: false, prefix: None };
    each(sql, operators, |sql, operator, operand| {
        // a negation says that no such row has the value, not that some row has another
        let (operator, word) = match (operator, operand) {
            ("ne", _) => ("eq", "NOT "),
            ("notIn", _) => ("in", "NOT "),
            ("eq", Value::Null) | ("isNull", Value::Boolean(true)) => ("isSet", "NOT "),
            ("isNull", _) => ("isSet", ""),
            (operator, _) => (operator, ""),
        };
        sql.push(word).push("EXISTS (").push(&before.replace("{t}", alias)).push(" AND ");
        if operator == "isSet" {
            sql.push(column).push(" IS NOT NULL");
        } else {
            target.compare(sql, column, operator, operand)?;
        }
        sql.push(")");
        Ok(())
    })
}

fn contains(sql: &mut Sql, column: &str, operand: &Value) {
    if let Value::String(text) = operand {
        sql.push(column).push(" LIKE ").bind(text::like_pattern(&text::fold(text)).into()).push(" ESCAPE '\\'");
    }
}

/// Partial dates compare by interval.
fn period(sql: &mut Sql, from: &str, to: &str, operator: &str, operand: &Value) -> Outcome {
    let Ok(Parsed::Period(PartialDate { from: first, to: last, .. })) = Scalar::PartialDate.parse(operand) else {
        return Err(internal("a partial date went through unchecked"));
    };
    match operator {
        "gt" => sql.push(from).push(" > ").bind(last.into()),
        "gte" => sql.push(from).push(" >= ").bind(first.into()),
        "lt" => sql.push(to).push(" < ").bind(first.into()),
        "lte" => sql.push(to).push(" <= ").bind(last.into()),
        _ => {
            sql.push("((").push(from).push(" = ").bind(first.into()).push(" AND ").push(to).push(" = ");
            sql.bind(last.into()).push(if operator == "ne" { ") IS NOT TRUE)" } else { "))" })
        }
    };
    Ok(())
}

/// What is compared.
#[derive(Clone, Copy)]
struct Target {
    leaf: Leaf,
    kind: Kind,
    nullable: bool,
    prefix: Option<&'static str>,
}

impl Target {
    fn compare(self, sql: &mut Sql, column: &str, operator: &str, operand: &Value) -> Outcome {
        match (operator, operand) {
            ("eq", Value::Null) => sql.push(column).push(" IS NULL"),
            ("ne", Value::Null) => sql.push(column).push(" IS NOT NULL"),
            ("isNull", Value::Boolean(true)) => sql.push(column).push(" IS NULL"),
            ("isNull", Value::Boolean(false)) => sql.push(column).push(" IS NOT NULL"),
            (_, Value::Null) => sql,
            ("in" | "notIn", Value::List(items)) => return self.among(sql, column, operator, items),
            ("ne", operand) => {
                let value = self.bound(operand)?;
                let null = if self.nullable { format!(" OR {column} IS NULL)") } else { ")".to_owned() };
                sql.push("(").push(column).push(" <> ").bind(value).push(&null)
            }
            (operator, operand) => {
                let sign = match operator {
                    "eq" => " = ",
                    "gt" => " > ",
                    "gte" => " >= ",
                    "lt" => " < ",
                    "lte" => " <= ",
                    _ => return Err(internal("an operator is not declared")),
                };
                let value = self.bound(operand)?;
                sql.push(column).push(sign).bind(value)
            }
        };
        Ok(())
    }

    fn among(self, sql: &mut Sql, column: &str, operator: &str, items: &[Value]) -> Outcome {
        let values = self.all(items)?;
        if operator == "in" {
            sql.is_in(column, values);
        } else if values.is_empty() {
            sql.push("TRUE");
        } else {
            sql.push("((");
            sql.is_in(column, values);
            sql.push(") IS NOT TRUE)");
        }
        Ok(())
    }

    fn all(self, items: &[Value]) -> Result<Vec<Bound>, ApiError> {
        if items.len() > limits::FILTER_IN_MAX {
            let message = format!("{} values, at most {} are taken", items.len(), limits::FILTER_IN_MAX);
            return Err(ApiError::new(Code::LimitExceeded, message));
        }
        items
            .iter()
            .enumerate()
            .map(|(index, item)| self.bound(item).map_err(|error| error.in_item(index)))
            .collect()
    }

    fn list(self, sql: &mut Sql, column: &str, operator: &str, operand: &Value) -> Outcome {
        match (operator, operand) {
            (_, Value::Null) => {}
            ("isEmpty", Value::Boolean(empty)) => {
                sql.push(if *empty { "" } else { "NOT " }).push("(").list_is_empty(column);
                sql.push(")");
            }
            ("hasAny", Value::List(items)) if items.is_empty() => {
                sql.push("FALSE");
            }
            ("hasAny", Value::List(items)) => {
                sql.push("(");
                for (index, item) in items.iter().enumerate() {
                    sql.push(if index == 0 { "" } else { " OR " });
                    self.has(sql, column, item)?;
                }
                sql.push(")");
            }
            (_, operand) => self.has(sql, column, operand)?,
        }
        Ok(())
    }

    fn has(self, sql: &mut Sql, column: &str, operand: &Value) -> Outcome {
        match self.bound(operand)? {
            Bound::String(Some(text)) => sql.list_has(column, text),
            _ => return Err(internal("a list holds texts only")),
        }
        Ok(())
    }

    /// The operand in the form it is bound; scalars were checked when the arguments were coerced.
    fn bound(self, operand: &Value) -> Result<Bound, ApiError> {
        let scalar = match (self.leaf, operand) {
            (Leaf::Enum(_), Value::Enum(name)) => return Ok(name.as_str().into()),
            (Leaf::Scalar(scalar), _) => scalar,
            _ => return Err(internal("an enum went through unchecked")),
        };
        let parsed = scalar.parse(operand).map_err(|_| internal("a scalar went through unchecked"))?;
        Ok(match parsed {
            Parsed::Text(text) if self.kind == Kind::Uuid => return self.id(&text),
            Parsed::Text(text) => text.into(),
            Parsed::Int(value) if self.kind == Kind::Int => match i32::try_from(value) {
                Ok(value) => value.into(),
                Err(_) => return Err(internal("an integer went through unchecked")),
            },
            Parsed::Int(value) => value.into(),
            Parsed::Float(value) => value.into(),
            Parsed::Bool(value) => value.into(),
            Parsed::Date(value) => value.into(),
            Parsed::Instant(value) => value.into(),
            Parsed::Decimal(value) => value.into(),
            Parsed::Period(value) => value.text.into(),
            Parsed::Json(value) => value.to_string().into(),
        })
    }

    fn id(self, text: &str) -> Result<Bound, ApiError> {
        let wrong = |_| {
            let kind = self.prefix.unwrap_or("another type");
            ApiError::new(Code::InvalidId, format!("{text:?} is not an id of this type"))
                .expected(format!("an id that begins with {kind}_"))
        };
        let (prefix, key) = ids::decode(text).map_err(|_| ()).map_err(wrong)?;
        if Some(prefix) == self.prefix { Ok(key.into()) } else { Err(wrong(())) }
    }
}
