//! A page of the feed as levels: the journal's entries, then the objects of each kind among them, in one snapshot.

use std::fmt::Write as _;
use std::sync::LazyLock;

use async_graphql::Value;
use async_graphql::parser::types::SelectionSet;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use entity::journal;

use super::declare::ENTITIES;
use crate::db::{Backend, KeyType, Kind, Sql};
use crate::error::{ApiError, Code};
use crate::limits;
use crate::policy::{Reach, Resource, Verb};
use crate::read::coerce::Arguments;
use crate::read::declare::{Noun, On, Relation};
use crate::read::level::{Level, Parent, Required, Term};
use crate::read::plan::{Planner, internal};
use crate::read::select::Selected;
use crate::read::shape::{ConnectionOut, Cursor, EdgeOut, Form, Out, PageOut, Shape, json_key, json_string};

/// The journal's table, as a level reads it.
static JOURNAL: LazyLock<Noun> = LazyLock::new(|| {
    Noun::new("Change", journal::Entity, Resource::ChangeFeed, "").keyed_by(journal::Column::Seq)
});

/// How an entry leads to its object of each kind.
static OBJECT: LazyLock<Vec<Relation>> = LazyLock::new(|| {
    let to = |(target, _): (&'static str, &str)| Relation {
        target,
        key: "entity_id",
        key_type: KeyType::Uuid,
        on: On::Column("id"),
        required: false,
    };
    ENTITIES.into_iter().map(to).collect()
});

/// Plans `changes`.
pub(super) fn changes<'p>(
    planner: &mut Planner<'p>,
    selected: &Selected<'p>,
    arguments: &Arguments,
) -> Result<Out, ApiError> {
    let mut level = Level::new(&JOURNAL, planner.backend(), None);
    let access = planner.viewer.authorize(Resource::ChangeFeed, Verb::Read, "");
    if access.reach(&mut level.sql.clone(), "t") == Reach::Nothing {
        level.conditions.push("FALSE".to_owned());
    }
    let entities = entities(arguments)?;
    let seen = conditions(planner, &mut level, &entities)?;
    let tag = planner.services.identity();
    let after = page(&mut level, planner.backend(), arguments, tag)?;
    let index = planner.push(level)?;
    let feed = Feed { entities, seen, tag, index, after };
    feed.connection(planner, selected)
}

/// What the parts of the answer are made from.
struct Feed {
    entities: Vec<&'static str>,
    /// Whether the caller may read the object of an entry now.
    seen: String,
    tag: u32,
    index: usize,
    after: Option<String>,
}

/// The kinds that are asked for.
fn entities(arguments: &Arguments) -> Result<Vec<&'static str>, ApiError> {
    let mut kinds: Vec<(&str, &str)> = ENTITIES.to_vec();
    if let Some(Value::Object(filter)) = arguments.get("filter")
        && let Some(Value::Object(operators)) = filter.get("entity")
    {
        for (operator, value) in operators {
            let named: Vec<&str> = match value {
                Value::Enum(name) => vec![name.as_str()],
                Value::List(names) => names
                    .iter()
                    .filter_map(|name| if let Value::Enum(name) = name { Some(name.as_str()) } else { None })
                    .collect(),
                // null compares with nothing, as in other filters that are never null
                _ => Vec::new(),
            };
            let wanted = matches!(operator.as_str(), "eq" | "in");
            kinds.retain(|(_, name)| named.contains(name) == wanted);
        }
    }
    let known =
        |(noun, _): (&str, &str)| ENTITIES.iter().find(|(known, _)| *known == noun).map(|(known, _)| *known);
    kinds.into_iter().map(|kind| known(kind).ok_or_else(|| internal("an unknown kind"))).collect()
}

/// Puts on the level what an entry must be to reach the caller: his to read now, or his to see when it was written.
/// Gives the former as an expression.
fn conditions(
    planner: &Planner<'_>,
    level: &mut Level<'_>,
    kinds: &[&'static str],
) -> Result<String, ApiError> {
    level.conditions.push("t.outcome = 'OK'".to_owned());
    let (mut now, mut then) = (String::from("CASE t.entity"), String::from("CASE t.entity"));
    for kind in kinds {
        let noun = planner.noun(kind)?;
        let access = planner.viewer.authorize(noun.resource, Verb::Read, noun.group.unwrap_or(""));
        let reach = level.sql.piece(|sql| access.expression(sql, "e"));
        let live = format!("e.id = t.entity_id AND e.deleted_at IS NULL AND {reach}");
        let _ =
            write!(now, " WHEN '{kind}' THEN EXISTS (SELECT 1 FROM {} e WHERE {live} LIMIT 1)", noun.table);
        let recorded = level.sql.piece(|sql| access.recorded(sql, "t"));
        let _ = write!(then, " WHEN '{kind}' THEN {recorded}");
    }
    let kinds = kinds.iter().map(|kind| (*kind).into()).collect();
    let of_kind = level.sql.piece(|sql| sql.is_in("t.entity", kinds));
    level.conditions.push(of_kind);
    if now.ends_with("entity") {
        return Ok("FALSE".to_owned());
    }
    (now, then) = (format!("{now} ELSE FALSE END"), format!("{then} ELSE FALSE END"));
    level.conditions.push(format!("({then} OR {now})"));
    Ok(now)
}

/// Puts order, limit and cursor on the level; gives the cursor back.
fn page(
    level: &mut Level<'_>,
    backend: Backend,
    arguments: &Arguments,
    tag: u32,
) -> Result<Option<String>, ApiError> {
    let (first, last) = (count(arguments, "first")?, count(arguments, "last")?);
    let after = match arguments.get("after") {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    if last.is_some() && (first.is_some() || after.is_some()) {
        let text = "last goes with neither first nor after";
        return Err(ApiError::new(Code::BadUserInput, text).in_field("last"));
    }
    let term = |expression: &str| Term {
        expression: expression.to_owned(),
        kind: Kind::BigInt,
        descending: false,
        nullable: false,
    };
    level.order = level.sql.commit_order().iter().map(|column| term(column)).collect();
    level.limit = Some(first.or(last).unwrap_or(limits::PAGE_MAX_CHANGES));
    level.backward = last.is_some();
    level.has_before = after.is_some();
    let settled = level.sql.piece(|sql| {
        sql.settled("t");
    });
    level.conditions.push(settled);
    if let Some(text) = &after {
        let columns = level.sql.commit_order();
        let (place, at) = read(text, tag, columns.len()).ok_or_else(|| expired().in_field("after"))?;
        level.keyset = Some(level.sql.piece(|sql| place_is(sql, columns, ">", &place)));
        // a copy that was restored lost the entries after its making: their numbers are given anew
        let mut sql = Sql::new(backend);
        sql.push("SELECT 1 FROM journal t WHERE ");
        place_is(&mut sql, columns, "=", &place);
        sql.push(" AND t.at = ").bind(at.into());
        level.requires = Some(Required { sql, otherwise: expired().in_field("after") });
    }
    Ok(after)
}

/// Compares the place of an entry with another, row by row.
pub(super) fn place_is(sql: &mut Sql, columns: &[&str], operator: &str, place: &[i64]) {
    sql.push("(").push(&columns.join(", ")).push(") ").push(operator).push(" (");
    for (index, number) in place.iter().enumerate() {
        sql.push(if index == 0 { "" } else { ", " }).bind((*number).into());
    }
    sql.push(")");
}

fn count(arguments: &Arguments, name: &str) -> Result<Option<usize>, ApiError> {
    let Some(Value::Number(number)) = arguments.get(name) else { return Ok(None) };
    let most = limits::PAGE_MAX_CHANGES;
    let within = number.as_u64().and_then(|count| usize::try_from(count).ok()).filter(|count| *count <= most);
    within.map(Some).ok_or_else(|| {
        let error = ApiError::new(Code::BadUserInput, format!("{name} is {number}"));
        error.expected(format!("a number from 0 to {most}")).in_field(name)
    })
}

/// The place that a cursor of this database names.
pub(super) fn read(text: &str, tag: u32, columns: usize) -> Option<(Vec<i64>, DateTime<Utc>)> {
    if text.len() > limits::OPAQUE_BYTES {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let mut numbers: Vec<i64> = serde_json::from_slice(&bytes).ok()?;
    (numbers.len() == columns + 2 && numbers[0] == i64::from(tag)).then_some(())?;
    let at = DateTime::from_timestamp_micros(numbers.pop()?)?;
    numbers.remove(0);
    Some((numbers, at))
}

fn expired() -> ApiError {
    let text = "this database does not know the cursor: it is too old, or of another copy";
    ApiError::new(Code::CursorExpired, text).expected(
        "start over: take the cursor of `changes(last: 1) { pageInfo { endCursor } }`, read the lists, follow from it",
    )
}

impl Feed {
    fn connection<'p>(&self, planner: &mut Planner<'p>, selected: &Selected<'p>) -> Result<Out, ApiError> {
        const NAME: &str = "ChangeConnection";
        let mut fields = Vec::new();
        for asked in planner.document.fields(&selected.sets, &|on| on == NAME) {
            let out = match asked.name {
                "__typename" => ConnectionOut::Text(json_string(NAME)),
                "pageInfo" => ConnectionOut::PageInfo(self.page_info(planner, &asked)),
                "edges" => ConnectionOut::Edges(self.edges(planner, &asked)?),
                _ => ConnectionOut::Nodes(self.rows(planner, &asked)?),
            };
            fields.push((json_key(asked.key), out));
        }
        planner.levels[self.index].wants_rows = true;
        Ok(Out::Connection { level: self.index, fields })
    }

    fn rows<'p>(&self, planner: &mut Planner<'p>, asked: &Selected<'p>) -> Result<Shape, ApiError> {
        self.change(planner, &asked.sets).map_err(|error| error.under(asked.key))
    }

    fn edges<'p>(
        &self,
        planner: &mut Planner<'p>,
        asked: &Selected<'p>,
    ) -> Result<Vec<(Vec<u8>, EdgeOut)>, ApiError> {
        let mut fields = Vec::new();
        for part in planner.document.fields(&asked.sets, &|on| on == "ChangeEdge") {
            let out = match part.name {
                "__typename" => EdgeOut::Text(json_string("ChangeEdge")),
                "cursor" => EdgeOut::Cursor(self.cursor(planner)),
                _ => EdgeOut::Node(self.rows(planner, &part).map_err(|error| error.under(asked.key))?),
            };
            fields.push((json_key(part.key), out));
        }
        Ok(fields)
    }

    fn page_info<'p>(&self, planner: &mut Planner<'p>, asked: &Selected<'p>) -> Vec<(Vec<u8>, PageOut)> {
        let mut fields = Vec::new();
        for part in planner.document.fields(&asked.sets, &|on| on == "PageInfo") {
            let out = match part.name {
                "__typename" => PageOut::Text(json_string("PageInfo")),
                "hasNextPage" => PageOut::HasNext,
                "hasPreviousPage" => PageOut::HasPrevious,
                "startCursor" => PageOut::Start(self.cursor(planner)),
                _ => PageOut::EndOr(self.cursor(planner), self.after.clone()),
            };
            fields.push((json_key(part.key), out));
        }
        fields
    }

    /// The columns of a cursor; the instant tells entries apart that have the same number in two copies.
    fn cursor(&self, planner: &mut Planner<'_>) -> Cursor {
        let level = &mut planner.levels[self.index];
        let order = level.sql.commit_order().iter().map(|column| (*column, Kind::BigInt));
        let columns = order.chain([("t.at", Kind::Instant)]);
        let columns = columns.map(|(column, kind)| (level.column(column.to_owned(), kind), kind)).collect();
        Cursor { tag: self.tag, columns }
    }

    /// What to write of an entry.
    fn change<'p>(&self, planner: &mut Planner<'p>, sets: &[&'p SelectionSet]) -> Result<Shape, ApiError> {
        let mut shape = Shape::new();
        for part in planner.document.fields(sets, &|on| on == "Change") {
            let out = match part.name {
                "__typename" => Out::Text(json_string("Change")),
                "cursor" => Out::Cursor(self.cursor(planner)),
                "node" => self.node(planner, &part)?,
                name => self.value(planner, name),
            };
            shape.push((json_key(part.key), out));
        }
        Ok(shape)
    }

    fn value(&self, planner: &mut Planner<'_>, name: &str) -> Out {
        let level = &mut planner.levels[self.index];
        let (expression, kind, form) = match name {
            "at" => ("t.at".to_owned(), Kind::Instant, Form::Usual),
            "version" => ("t.version".to_owned(), Kind::Int, Form::Usual),
            "entity" => (by_kind(|(_, name)| Some(name)), Kind::Text, Form::Plain),
            "entityId" => {
                let prefix = |(noun, _)| planner.model.noun(noun).and_then(|noun| noun.prefix);
                let id = level.sql.piece(|sql| sql.uuid_text("t.entity_id"));
                (format!("{} || ':' || {id}", by_kind(prefix)), Kind::Text, Form::Typed)
            }
            _ => {
                let seen = &self.seen;
                let text = format!("CASE WHEN t.op = 'UPSERT' AND {seen} THEN 'UPSERT' ELSE 'DELETE' END");
                (text, Kind::Text, Form::Plain)
            }
        };
        Out::Value { column: level.column(expression, kind), kind, form }
    }

    /// The object of an entry: a level for each kind of which something is asked.
    fn node<'p>(&self, planner: &mut Planner<'p>, part: &Selected<'p>) -> Result<Out, ApiError> {
        let entity = planner.levels[self.index].column("t.entity".to_owned(), Kind::Text);
        let mut cases = Vec::new();
        for relation in OBJECT.iter().filter(|relation| self.entities.contains(&relation.target)) {
            let kind = relation.target;
            let noun = planner.noun(kind)?;
            let is = |on: &str| on == noun.name || on == "Node";
            let fields = planner.document.fields(&part.sets, &is);
            let out = if fields.iter().all(|field| matches!(field.name, "id" | "__typename")) {
                // the entry knows as much
                let mut shape = Shape::new();
                for field in &fields {
                    let out = match field.name {
                        "id" => self.value(planner, "entityId"),
                        _ => Out::Text(json_string(noun.name)),
                    };
                    shape.push((json_key(field.key), out));
                }
                let absent = format!("NOT (t.op = 'UPSERT' AND {})", self.seen);
                let absent_if = Some(planner.levels[self.index].column(absent, Kind::Bool));
                Out::Object { absent_if, null_key: None, shape }
            } else {
                let key = format!("CASE WHEN t.op = 'UPSERT' AND t.entity = '{kind}' THEN t.entity_id END");
                let column = planner.levels[self.index].column(key, Kind::Uuid);
                let parent = Parent { level: self.index, column, relation };
                let mut level = Level::new(noun, planner.backend(), Some(parent));
                level.wants_rows = true;
                if !planner.restrict(&mut level, noun) {
                    level.conditions.push("FALSE".to_owned());
                }
                let index = planner.push(level)?;
                let shape =
                    planner.object(noun, index, "t", &part.sets).map_err(|error| error.under(part.key))?;
                Out::First { level: index, shape }
            };
            cases.push((kind, out));
        }
        Ok(Out::ByType { entity, cases })
    }
}

/// A text for each kind of entry.
fn by_kind<'t>(text: impl Fn((&'static str, &'static str)) -> Option<&'t str>) -> String {
    let cases =
        ENTITIES.into_iter().filter_map(|kind| Some(format!(" WHEN '{}' THEN '{}'", kind.0, text(kind)?)));
    format!("CASE t.entity{} END", cases.collect::<String>())
}
