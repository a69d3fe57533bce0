//! One level of a plan and its SQL: the rows of one noun for all parents at once.

use super::declare::{Field, Noun, On, Relation};
use crate::db::{Backend, Keys, Kind, Sql};
use crate::error::{ApiError, Code};
use crate::limits;

/// A term of an order.
#[derive(Clone, Debug)]
pub struct Term {
    /// The expression.
    pub expression: String,
    /// How it is held.
    pub kind: Kind,
    /// Largest first.
    pub descending: bool,
    /// May be null.
    pub nullable: bool,
}

/// Which rows a level hangs on.
#[derive(Clone, Debug)]
pub struct Parent<'p> {
    /// The parent's level.
    pub level: usize,
    /// Column of the parent's rows that holds the key.
    pub column: usize,
    /// What ties a row to that key.
    pub relation: &'p Relation,
}

/// What a level needs to be there before it is read.
#[derive(Clone, Debug)]
pub struct Required {
    /// A statement that finds a row, or not.
    pub sql: Sql,
    /// What is answered when it finds none.
    pub otherwise: ApiError,
}

/// One statement of the plan, or two when a count is asked beside rows.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a list, not states")]
#[derive(Clone, Debug)]
pub struct Level<'p> {
    /// What its rows hang on; none at the root.
    pub parent: Option<Parent<'p>>,
    /// Values bound so far; its text is never used.
    pub sql: Sql,
    /// Table with its alias `t`.
    pub from: String,
    /// Joins of to-one relations.
    joins: String,
    /// Conditions: reach, filter.
    pub conditions: Vec<String>,
    /// Condition of the cursors.
    pub keyset: Option<String>,
    /// Order, the key last.
    pub order: Vec<Term>,
    /// Rows per parent; one more is fetched to see whether there are more.
    pub limit: Option<usize>,
    /// Read from the end: order turned, rows turned back after reading.
    pub backward: bool,
    /// A cursor was given on the side that the page leaves behind.
    pub has_before: bool,
    /// More rows than the limit are an error.
    pub refuse_more: bool,
    /// What must be there.
    pub requires: Vec<Required>,
    /// Its row says where a page was looked for, and tells of no object.
    pub is_place: bool,
    /// Rows are asked.
    pub wants_rows: bool,
    /// For how many points its rows count, per parent, where the limit does not tell.
    pub points: Option<u64>,
    /// Points of what its filter looks through, per parent.
    pub filter_points: u64,
    /// What is counted, if a count is asked.
    pub count: Option<CountPart>,
    key: &'static str,
    columns: Vec<(String, Kind)>,
    /// What is joined: the row that it hangs on, the field of that row's noun, its own alias.
    joined: Vec<(String, &'p Field, String)>,
}

impl<'p> Level<'p> {
    /// A level that reads a noun.
    pub fn new(noun: &Noun, backend: Backend, parent: Option<Parent<'p>>) -> Self {
        Self {
            parent,
            sql: Sql::new(backend),
            from: format!("{} t", noun.table),
            joins: String::new(),
            conditions: Vec::new(),
            keyset: None,
            order: Vec::new(),
            limit: None,
            backward: false,
            has_before: false,
            refuse_more: false,
            requires: Vec::new(),
            is_place: false,
            wants_rows: false,
            points: None,
            filter_points: 0,
            count: None,
            key: noun.key,
            columns: Vec::new(),
            joined: Vec::new(),
        }
    }

    /// The alias of what a field of the row at another alias leads to, if it is joined already: a caller has one reach,
    /// so that it is joined for him in the same way.
    pub fn known_join(&self, alias: &str, field: &Field) -> Option<String> {
        let same = |(row, of, _): &&(String, &Field, String)| row == alias && std::ptr::eq(*of, field);
        self.joined.iter().find(same).map(|(.., join)| join.clone())
    }

    /// Joins what a field of the row at an alias leads to.
    pub fn join(
        &mut self,
        alias: &str,
        field: &'p Field,
        table: &str,
        join: &str,
        on: &str,
    ) -> Result<(), ApiError> {
        if self.joined.len() >= limits::JOINS {
            let message = format!("a list is asked for more than {} objects beside its rows", limits::JOINS);
            return Err(ApiError::new(Code::LimitExceeded, message)
                .expected("fewer objects within objects, or several operations"));
        }
        for part in [" LEFT JOIN ", table, " ", join, " ON ", on] {
            self.joins.push_str(part);
        }
        self.joined.push((alias.to_owned(), field, join.to_owned()));
        Ok(())
    }

    /// Refuses more columns than a database gives at once.
    pub fn check_width(&self) -> Result<(), ApiError> {
        if self.columns.len() <= limits::COLUMNS {
            return Ok(());
        }
        let message = format!("a list is asked for more than {} fields of its rows", limits::COLUMNS);
        Err(ApiError::new(Code::LimitExceeded, message).expected("fewer fields, or several operations"))
    }

    /// The position of an expression among the columns; equal ones share it.
    pub fn column(&mut self, expression: String, kind: Kind) -> usize {
        let known = self.columns.iter().position(|(other, held)| *other == expression && *held == kind);
        known.unwrap_or_else(|| {
            self.columns.push((expression, kind));
            self.columns.len() - 1
        })
    }

    /// Position of the first column with an expression that is looked for.
    pub fn position(&self, is_it: impl Fn(&str) -> bool) -> Option<usize> {
        self.columns.iter().position(|(expression, _)| is_it(expression))
    }

    /// How a column is held.
    pub fn kind(&self, column: usize) -> Kind {
        self.columns.get(column).map_or(Kind::Text, |(_, kind)| *kind)
    }

    /// Position of the parent's number in rows read for several parents.
    pub fn ordinal(&self) -> usize {
        self.columns.len().max(1)
    }

    /// The statement for the rows, of all parents or of the whole table.
    pub fn rows_sql(&self, keys: Option<Keys>) -> Sql {
        let mut sql = self.sql.clone();
        match (&self.parent, keys) {
            (Some(parent), Some(keys)) if keys.len() == 1 => {
                let tie = self.tie_to_one(&mut sql, parent, keys);
                self.select(&mut sql, &tie);
            }
            (Some(parent), Some(keys)) if sql.has_lateral() => self.lateral(&mut sql, parent, keys),
            (Some(parent), Some(keys)) => self.correlated(&mut sql, parent, keys),
            _ => self.select(&mut sql, &self.untied()),
        }
        sql
    }

    /// The statement for the counts.
    pub fn count_sql(&self, keys: Option<Keys>, count: &CountPart) -> Sql {
        let mut sql = count.sql.clone();
        match (&self.parent, keys) {
            (Some(parent), Some(keys)) if keys.len() == 1 => {
                let tie = self.tie_to_one(&mut sql, parent, keys);
                sql.push("SELECT count(*), 0 FROM ").push(&tie.from);
                write_where(&mut sql, &tie.condition, &count.conditions, None);
            }
            (Some(parent), Some(keys)) => {
                let tie = self.tie(&mut sql, &parent.relation.on, "k.key");
                sql.push("SELECT (SELECT count(*) FROM ").push(&tie.from);
                write_where(&mut sql, &tie.condition, &count.conditions, None);
                sql.push("), k.ord FROM ").keys_table(keys);
            }
            _ => {
                sql.push("SELECT count(*), 0 FROM ").push(&self.from);
                write_where(&mut sql, "", &count.conditions, None);
            }
        }
        sql
    }

    fn untied(&self) -> Tie {
        Tie { from: self.from.clone(), condition: String::new() }
    }

    fn tie_to_one(&self, sql: &mut Sql, parent: &Parent<'_>, keys: Keys) -> Tie {
        let key = sql.piece(|sql| {
            match keys {
                Keys::Uuid(keys) => sql.bind(keys.first().copied().into()),
                Keys::Text(keys) => sql.bind(keys.into_iter().next().into()),
            };
        });
        self.tie(sql, &parent.relation.on, &key)
    }

    /// Links are joined rather than asked for by `IN`: PostgreSQL would rather read the whole target than look
    /// a few of its rows up.
    fn tie(&self, sql: &mut Sql, on: &On, key: &str) -> Tie {
        let On::Link { table, parent, target, to, only, unique } = on else {
            return Tie { condition: sql.piece(|sql| on.write(sql, "t", key)), ..self.untied() };
        };
        let link = sql.alias('l');
        let mut condition = format!("{link}.{parent} = {key}");
        if !only.is_empty() {
            condition = format!("{condition} AND {}", only.replace("{l}", &link));
        }
        let join = format!("{link} JOIN {} ON t.{to} = {link}.{target}", self.from);
        if *unique {
            Tie { from: format!("{table} {join}"), condition }
        } else {
            let links = format!("(SELECT DISTINCT {link}.{target} FROM {table} {link} WHERE {condition})");
            Tie { from: format!("{links} {join}"), condition: String::new() }
        }
    }

    /// PostgreSQL: the rows of each parent by a lateral subquery, which stops at the limit.
    fn lateral(&self, sql: &mut Sql, parent: &Parent<'_>, keys: Keys) {
        let tie = self.tie(sql, &parent.relation.on, "k.key");
        sql.push("SELECT c.*, k.ord FROM ").keys_table(keys);
        sql.push(" CROSS JOIN LATERAL (");
        self.select(sql, &tie);
        sql.push(") c");
    }

    /// SQLite: the keys of each parent's rows by a correlated subquery, the rows by their keys.
    fn correlated(&self, sql: &mut Sql, parent: &Parent<'_>, keys: Keys) {
        sql.push("SELECT ");
        self.push_columns(sql);
        sql.push(", k.ord FROM ").keys_table(keys);
        // CROSS JOIN keeps the parents outside, in SQLite's planner
        sql.push(" CROSS JOIN ").push(&self.from);
        if self.limit.is_some() {
            let tie = self.tie(sql, &parent.relation.on, "k.key");
            sql.push(" ON t.").push(self.key).push(" IN (SELECT t.").push(self.key);
            sql.push(" FROM ").push(&tie.from);
            write_where(sql, &tie.condition, &self.conditions, self.keyset.as_deref());
            self.push_order(sql, "");
            self.push_limit(sql);
            sql.push(")").push(&self.joins);
        } else {
            sql.push(" ON ");
            parent.relation.on.write(sql, "t", "k.key");
            sql.push(&self.joins);
            write_where(sql, "", &self.conditions, self.keyset.as_deref());
        }
        self.push_order(sql, "k.ord, ");
    }

    fn select(&self, sql: &mut Sql, tie: &Tie) {
        sql.push("SELECT ");
        self.push_columns(sql);
        sql.push(" FROM ").push(&tie.from).push(&self.joins);
        write_where(sql, &tie.condition, &self.conditions, self.keyset.as_deref());
        self.push_order(sql, "");
        self.push_limit(sql);
    }

    fn push_columns(&self, sql: &mut Sql) {
        if self.columns.is_empty() {
            sql.push("1 AS c0");
        }
        for (index, (expression, _)) in self.columns.iter().enumerate() {
            let mut digits = itoa::Buffer::new();
            sql.push(if index == 0 { "" } else { ", " }).push(expression);
            sql.push(" AS c").push(digits.format(index));
        }
    }

    fn push_order(&self, sql: &mut Sql, first: &str) {
        if self.order.is_empty() && first.is_empty() {
            return;
        }
        sql.push(" ORDER BY ").push(first);
        if self.order.is_empty() {
            sql.push("1");
        }
        for (index, term) in self.order.iter().enumerate() {
            sql.push(if index == 0 { "" } else { ", " });
            sql.order_term(&term.expression, term.descending != self.backward, term.nullable);
        }
    }

    fn push_limit(&self, sql: &mut Sql) {
        if let Some(limit) = self.limit {
            let mut digits = itoa::Buffer::new();
            sql.push(" LIMIT ").push(digits.format(limit + 1));
        }
    }
}

/// The conditions of a count, bound apart from those of the rows.
#[derive(Clone, Debug)]
pub struct CountPart {
    /// Values bound.
    pub sql: Sql,
    /// Conditions: reach, filter.
    pub conditions: Vec<String>,
}

/// How the rows at `t` hang on a key: their table with what it is joined to, and a condition, which may be empty.
struct Tie {
    from: String,
    condition: String,
}

fn write_where(sql: &mut Sql, tie: &str, conditions: &[String], keyset: Option<&str>) {
    let mut word = " WHERE ";
    let tie = Some(tie).filter(|tie| !tie.is_empty());
    for condition in tie.into_iter().chain(conditions.iter().map(String::as_str)).chain(keyset) {
        sql.push(word).push(condition);
        word = " AND ";
    }
}

impl On {
    /// Appends the condition that ties the target at `alias` to a key.
    pub fn write(&self, sql: &mut Sql, alias: &str, key: &str) {
        match self {
            Self::Column(column) => {
                sql.push(alias).push(".").push(column).push(" = ").push(key);
            }
            Self::Link { table, parent, target, to, only, .. } => {
                let link = sql.alias('l');
                sql.push(alias).push(".").push(to).push(" IN (SELECT ").push(&link).push(".").push(target);
                sql.push(" FROM ").push(table).push(" ").push(&link).push(" WHERE ").push(&link).push(".");
                sql.push(parent).push(" = ").push(key);
                if !only.is_empty() {
                    sql.push(" AND ").push(&only.replace("{l}", &link));
                }
                sql.push(")");
            }
            Self::Where(condition) => condition(sql, alias, key),
        }
    }
}
