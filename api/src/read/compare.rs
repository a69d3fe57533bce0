//! Comparisons of a filter as SQL: an operator, a column, an operand.

use async_graphql::{Name, Value};
use sea_orm::sea_query::Value as Bound;

use super::coerce::Arguments;
use super::declare::{Filter, Leaf};
use super::plan::internal;
use crate::db::{Kind, Sql};
use crate::error::{ApiError, Code};
use crate::graphql::scalars::{Parsed, PartialDate, Scalar};
use crate::{ids, limits, text};

pub(super) type Outcome = Result<(), ApiError>;

/// Fields of an input, by name: the same filter is the same statement, in whatever order it was sent.
pub(super) fn in_order(given: &Arguments) -> Vec<(&Name, &Value)> {
    let mut given: Vec<_> = given.iter().collect();
    given.sort_unstable_by_key(|(name, _)| *name);
    given
}

/// Writes each given operator, joined by AND.
pub(super) fn each(
    sql: &mut Sql,
    operators: &Value,
    mut write: impl FnMut(&mut Sql, &str, &Value) -> Outcome,
) -> Outcome {
    let Value::Object(operators) = operators else { return Ok(()) };
    let mut parts = Vec::new();
    for (operator, operand) in in_order(operators) {
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
pub(super) fn extra(sql: &mut Sql, alias: &str, filter: &Filter, operators: &Value) -> Outcome {
    let (before, column) = filter.exists;
    if before.is_empty() {
        let target = Target { leaf: filter.leaf, kind: Kind::Uuid, nullable: true, prefix: None };
        let column = format!("{alias}.{column}");
        return each(sql, operators, |sql, operator, operand| {
            target.compare(sql, &column, operator, operand)
        });
    }
    let target = Target { leaf: filter.leaf, kind: Kind::Text, nullable: false, prefix: None };
    each(sql, operators, |sql, operator, operand| {
        // a negation says that no such row has the value, not that some row has another
        let (operator, word) = match (operator, operand) {
            ("eq", Value::Null) | ("isNull", Value::Boolean(true)) => ("isSet", "NOT "),
            ("ne", Value::Null) | ("isNull", Value::Boolean(false)) => ("isSet", ""),
            (_, Value::Null) => return Ok(()),
            ("ne", _) => ("eq", "NOT "),
            ("notIn", _) => ("in", "NOT "),
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

pub(super) fn contains(sql: &mut Sql, column: &str, operand: &Value) -> Outcome {
    if let Value::String(text) = operand {
        if text.chars().count() > limits::FILTER_TEXT_CHARS {
            let message = format!("the text is longer than {} characters", limits::FILTER_TEXT_CHARS);
            return Err(ApiError::new(Code::LimitExceeded, message));
        }
        sql.push(column)
            .push(" LIKE ")
            .bind(text::like_pattern(&text::fold(text)).into())
            .push(" ESCAPE '\\'");
    }
    Ok(())
}

/// Equal texts have equal folded forms, and those have an index: a condition to stand before the exact one.
pub(super) fn equal_folded(sql: &mut Sql, folded: &str, operator: &str, operand: &Value) {
    let texts = match (operator, operand) {
        ("eq", text @ Value::String(_)) => std::slice::from_ref(text),
        ("in", Value::List(items)) if items.len() <= limits::FILTER_IN_MAX => items.as_slice(),
        _ => return,
    };
    let fold = |text: &Value| match text {
        Value::String(text) => Some(text::fold(text).into()),
        _ => None,
    };
    sql.is_in(folded, texts.iter().filter_map(fold).collect());
    sql.push(" AND ");
}

/// Partial dates compare by interval.
pub(super) fn period(sql: &mut Sql, from: &str, to: &str, operator: &str, operand: &Value) -> Outcome {
    let Ok(Parsed::Period(PartialDate { from: first, to: last, .. })) = Scalar::PartialDate.parse(operand)
    else {
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
pub(super) struct Target {
    /// Type of the operand.
    pub leaf: Leaf,
    /// How the column is held.
    pub kind: Kind,
    /// The column may be null.
    pub nullable: bool,
    /// Prefix of the ids it holds.
    pub prefix: Option<&'static str>,
}

impl Target {
    /// Appends a comparison.
    pub fn compare(self, sql: &mut Sql, column: &str, operator: &str, operand: &Value) -> Outcome {
        let is_of_few = matches!(self.leaf, Leaf::Enum(_) | Leaf::Scalar(Scalar::Boolean));
        let column = &*if is_of_few { sql.of_few_values(column) } else { column.into() };
        match (operator, operand) {
            ("eq", Value::Null) | ("isNull", Value::Boolean(true)) => sql.push(column).push(" IS NULL"),
            ("ne", Value::Null) | ("isNull", Value::Boolean(false)) => sql.push(column).push(" IS NOT NULL"),
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

    /// Appends a condition on a JSON list.
    pub fn list(self, sql: &mut Sql, column: &str, operator: &str, operand: &Value) -> Outcome {
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
        let wrong = || {
            let kind = self.prefix.unwrap_or("its type");
            ApiError::new(Code::InvalidId, format!("{text:?} is not an id of this type"))
                .expected(format!("an id that begins with {kind}_"))
        };
        let (prefix, key) = ids::decode(text).map_err(|_| wrong())?;
        // without a prefix, ids of any type stand there
        if self.prefix.is_none_or(|own| own == prefix) { Ok(key.into()) } else { Err(wrong()) }
    }
}
