//! The SQL of one value, under the rights group it falls under.

use super::declare::{Leaf, Noun, Source, ValueField};
use super::shape::Form;
use crate::db::{Kind, Sql};
use crate::graphql::scalars::Scalar;
use crate::policy::{Reach, Resource, Verb, Viewer};

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
    let reach =
        group.map_or(Reach::All, |group| viewer.authorize(resource, Verb::Read, group).reach(sql, alias));
    match reach {
        Reach::All => Some(sql.piece(write)),
        Reach::Nothing => None,
        Reach::Rows(condition) => {
            let expression = sql.piece(write);
            Some(format!("CASE WHEN {condition} THEN {expression} END"))
        }
    }
}

/// How a value is written.
pub fn form(noun: &Noun, value: &ValueField) -> Form {
    match (value.leaf, value.kind) {
        (_, Kind::Json) => Form::Json,
        (Leaf::Scalar(Scalar::Id), _) => Form::Id(noun.prefix.unwrap_or("")),
        (Leaf::Scalar(Scalar::BigInt), _) => Form::Quoted,
        (Leaf::Enum(_), _) => Form::Plain,
        _ => Form::Usual,
    }
}
