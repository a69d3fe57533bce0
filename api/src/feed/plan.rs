//! A page of the feed as levels: the journal's entries, then the objects of each kind among them, in one snapshot.

use std::fmt::Write as _;
use std::sync::LazyLock;

use async_graphql::Value;
use async_graphql::parser::types::SelectionSet;
use entity::journal;

use super::declare::ENTITIES;
use super::look::{Look, place};
use super::place::Place;
use crate::db::{Backend, KeyType, Kind, Sql};
use crate::error::{ApiError, Code};
use crate::journal::RESCOPE;
use crate::limits;
use crate::policy::{Reach, Resource, Verb, Viewer};
use crate::read::coerce::Arguments;
use crate::read::declare::{Noun, On, Relation};
use crate::read::level::{Level, Parent, Required, Term};
use crate::read::plan::{Planner, internal};
use crate::read::select::Selected;
use crate::read::shape::{
    ConnectionOut, Cursor, EdgeOut, Form, Looked, Out, PageOut, Shape, json_key, json_string,
};

/// The journal's table, as a level reads it.
pub(super) static JOURNAL: LazyLock<Noun> = LazyLock::new(|| {
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
    let (mut level, entities, seen) = entries(planner, arguments)?;
    let tag = planner.services.identity();
    let after = page(&mut level, arguments, tag)?;
    let look = Look::new(&mut level, after.as_deref(), tag)?;
    let index = planner.push(level)?;
    // nobody gets to know where the journal ends but who may follow it
    let look =
        if is_followed(planner.viewer, planner.backend()) { Some(look.end(planner, tag)?) } else { None };
    let feed = Feed { entities, seen, tag, index, after, look };
    feed.connection(planner, selected)
}

/// A stretch of the feed: what is after one place, up to another. The latter is settled, so nothing can join it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch<'s> {
    /// Cursor of the former; none is the beginning.
    pub after: Option<&'s str>,
    /// Cursor of the latter; none is the end, settled or not.
    pub until: Option<&'s str>,
}

/// A page of a stretch: the level of its entries, what to write of each, and its cursor.
#[derive(Debug)]
pub(crate) struct Page {
    /// The level.
    pub level: usize,
    /// A change.
    pub shape: Shape,
    /// Its place.
    pub cursor: Cursor,
}

/// Plans a page of a stretch, as large as a stream keeps it.
pub(crate) fn live<'p>(
    planner: &mut Planner<'p>,
    selected: &Selected<'p>,
    arguments: &Arguments,
    stretch: Stretch<'_>,
) -> Result<Page, ApiError> {
    let (mut level, entities, seen) = entries(planner, arguments)?;
    let tag = planner.services.identity();
    in_order(&mut level, limits::LIVE_PAGE);
    for (cursor, operator) in [(stretch.after, ">"), (stretch.until, "<=")] {
        let Some(cursor) = cursor else { continue };
        let place = Place::read(cursor, tag, &level.sql)?;
        let condition = level.sql.piece(|sql| place.compare(sql, operator));
        level.conditions.push(condition);
    }
    level.wants_rows = true;
    let index = planner.push(level)?;
    let feed = Feed { entities, seen, tag, index, after: None, look: None };
    let shape = feed.change(planner, &selected.sets)?;
    let cursor = feed.cursor(planner);
    Ok(Page { level: index, shape, cursor })
}

/// A level of the entries that reach the caller, with the kinds that are asked for, and whether he may read the object
/// of an entry now, as an expression.
fn entries<'p>(
    planner: &Planner<'p>,
    arguments: &Arguments,
) -> Result<(Level<'p>, Vec<&'static str>, String), ApiError> {
    let mut level = Level::new(&JOURNAL, planner.backend(), None);
    if !is_followed(planner.viewer, planner.backend()) {
        level.conditions.push("FALSE".to_owned());
    }
    level.requires.extend(grant(planner.viewer, planner.backend()));
    let entities = entities(arguments)?;
    let seen = conditions(planner, &mut level, &entities)?;
    Ok((level, entities, seen))
}

/// Whether a caller may follow changes at all.
pub(crate) fn is_followed(viewer: &Viewer, backend: Backend) -> bool {
    let access = viewer.authorize(Resource::ChangeFeed, Verb::Read, "");
    access.reach(&mut Sql::new(backend), "t") != Reach::Nothing
}

/// What must hold for a caller to follow whose rights rest on a grant. While it does not, his cursor must not go past
/// what he will see once it does again.
pub(crate) fn grant(viewer: &Viewer, backend: Backend) -> Option<Required> {
    viewer.authorize(Resource::ChangeFeed, Verb::Read, "").rests_on_grant().then_some(())?;
    let mut sql = Sql::new(backend);
    let text = "no grant of this client for this source holds now";
    let otherwise = ApiError::new(Code::Forbidden, text)
        .expected("a grant that holds; the cursor stays good, go on from it then");
    viewer.grant(&mut sql).then_some(Required { sql, otherwise })
}

/// What the parts of the answer are made from.
struct Feed {
    entities: Vec<&'static str>,
    /// Whether the caller may read the object of an entry now.
    seen: String,
    tag: u32,
    index: usize,
    after: Option<String>,
    /// Up to where the page was looked for; nowhere for who may not follow.
    look: Option<Looked>,
}

/// The kinds that are asked for.
pub(crate) fn entities(arguments: &Arguments) -> Result<Vec<&'static str>, ApiError> {
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
    // an entry of scope reaches those whom it names; a site comes again only to those who still see it
    let rescope = format!("t.verb = '{RESCOPE}'");
    let feed = planner.viewer.authorize(Resource::ChangeFeed, Verb::Read, "");
    let named = level.sql.piece(|sql| feed.named(sql, "t"));
    level.conditions.push(format!("({rescope} IS NOT TRUE OR {named})"));
    let leaves = "t.op = 'DELETE' OR t.entity <> 'Site'";
    level.conditions.push(format!("(CASE WHEN {rescope} THEN {leaves} ELSE {then} END OR {now})"));
    Ok(now)
}

/// Puts order, limit and cursor on the level; gives the cursor back.
fn page(level: &mut Level<'_>, arguments: &Arguments, tag: u32) -> Result<Option<String>, ApiError> {
    let (first, last) = (count(arguments, "first")?, count(arguments, "last")?);
    let after = match arguments.get("after") {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    if last.is_some() && (first.is_some() || after.is_some()) {
        let text = "last goes with neither first nor after";
        return Err(ApiError::new(Code::BadUserInput, text).in_field("last"));
    }
    in_order(level, first.or(last).unwrap_or(limits::PAGE_MAX_CHANGES));
    level.backward = last.is_some();
    level.has_before = after.is_some();
    let settled = level.sql.piece(|sql| {
        sql.settled("t");
    });
    level.conditions.push(settled);
    if let Some(text) = &after {
        let place = Place::read(text, tag, &level.sql)?;
        level.keyset = Some(level.sql.piece(|sql| place.compare(sql, ">")));
        level.requires.push(place.required(level.sql.another()));
    }
    Ok(after)
}

/// Puts the order of commits and a limit on the level.
pub(super) fn in_order(level: &mut Level<'_>, limit: usize) {
    let term = |expression: &str| Term {
        expression: expression.to_owned(),
        kind: Kind::BigInt,
        descending: false,
        nullable: false,
    };
    level.order = level.sql.commit_order().iter().map(|column| term(column)).collect();
    level.limit = Some(limit);
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
                "startCursor" => PageOut::Start(self.cursor(planner)),
                name => self.end(planner, name),
            };
            fields.push((json_key(part.key), out));
        }
        fields
    }

    fn end(&self, planner: &mut Planner<'_>, name: &str) -> PageOut {
        match (name, self.look.clone()) {
            ("hasNextPage", Some(look)) => PageOut::HasNextAfter(look),
            ("hasNextPage", None) => PageOut::HasNext,
            ("hasPreviousPage", Some(look)) => PageOut::HasPreviousBefore(look),
            ("hasPreviousPage", None) => PageOut::HasPrevious,
            (_, Some(look)) => PageOut::EndOfLook(self.cursor(planner), look, self.after.clone()),
            (_, None) => PageOut::Given(self.after.clone()),
        }
    }

    fn cursor(&self, planner: &mut Planner<'_>) -> Cursor {
        place(&mut planner.levels[self.index], self.tag)
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
                level.points = Some(1);
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
