//! The items of a call, read and checked in memory: what a look-up in the database does not need to say.

use std::sync::LazyLock;

use async_graphql::Value;
use chrono::{DateTime, Utc};
use entity::StringList;
use entity::enums::{ActionStatus, PartnerKind, Pillar};

use crate::graphql::scalars::{Parsed, PartialDate, Scalar};
use crate::limits;
use crate::read::coerce::Arguments;
use crate::write::input::Patch;
use crate::write::{Failure, Input, Problem, ProblemCode};

/// One action as its source system has it.
#[derive(Debug)]
pub(super) struct Item {
    pub external_id: String,
    pub source_updated_at: DateTime<Utc>,
    pub expected_version: Option<i32>,
    pub deleted: bool,
    pub site: Option<SiteRef>,
    pub title: Option<String>,
    pub description: Patch<String>,
    pub status: Option<ActionStatus>,
    pub starts: Patch<PartialDate>,
    pub ends: Patch<PartialDate>,
    pub cancel_reason: Patch<String>,
    pub lead: Patch<PartnerRef>,
    pub partners: Option<Vec<PartnerRef>>,
    pub rome_codes: Option<StringList>,
    pub on_create: OnCreate,
    /// What is wrong with it, its path from the item on.
    pub problems: Vec<Problem>,
}

/// How an item names a site.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum SiteRef {
    Code(String),
    Qpvs(Vec<String>),
}

/// How an item names a partner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct PartnerRef {
    pub external_id: Option<String>,
    pub siret: Option<String>,
    pub rna: Option<String>,
    pub safir_code: Option<String>,
    pub name: Option<String>,
    pub kind: Option<PartnerKind>,
}

/// First values of what the site's steerers own.
#[derive(Debug, Default)]
pub(super) struct OnCreate {
    pub pillar: Option<Pillar>,
    pub categories: StringList,
    pub audiences: StringList,
    pub innovative: bool,
    pub published: bool,
    pub qpvs: Vec<String>,
}

/// The items of a call, in their order.
pub(super) fn items(input: &Input<'_>, now: DateTime<Utc>) -> Vec<Item> {
    let Some(Value::List(items)) = input.given("items") else { return Vec::new() };
    let mut items: Vec<Item> = items.iter().map(|item| read(fields(Some(item)), now)).collect();
    for problem in input.malformed() {
        match of_item(problem) {
            Some((index, problem)) if index < items.len() => items[index].problems.push(problem),
            _ => input.problem(problem.clone()),
        }
    }
    items
}

/// A problem of the call as one of its items, with its place.
fn of_item(problem: &Problem) -> Option<(usize, Problem)> {
    let [_input, items, index, path @ ..] = problem.path.as_slice() else { return None };
    let index = (items == "items").then(|| index.parse().ok())??;
    Some((index, Problem { path: path.to_vec(), ..problem.clone() }))
}

/// The fields of an input object; of another value, none.
fn fields(value: Option<&Value>) -> &Arguments {
    static NONE: LazyLock<Arguments> = LazyLock::new(Arguments::new);
    if let Some(Value::Object(fields)) = value { fields } else { &NONE }
}

fn read(values: &Arguments, now: DateTime<Utc>) -> Item {
    let input = Input::new(values);
    let given_id = input.text("externalId", 1..=200);
    let deleted = matches!(values.get("deleted"), Some(Value::Boolean(true)));
    let source_updated_at = instant(values.get("sourceUpdatedAt"));
    if source_updated_at > now + limits::SOURCE_AHEAD {
        let text = "more than a day in the future: nothing that is older would be taken until then";
        input.wrong(ProblemCode::OutOfBounds, "sourceUpdatedAt", text);
    }
    let starts = input.period("startsOn");
    let ends = input.period("endsOn");
    if let (Patch::Set(from), Patch::Set(to)) = (&starts, &ends)
        && to.to < from.from
    {
        input.wrong(ProblemCode::Rule, "endsOn", "the end is before the start");
    }
    let item = Item {
        external_id: given_id.or(None).unwrap_or_default(),
        source_updated_at,
        expected_version: input.expected_version(),
        deleted,
        site: site(values.get("site")),
        title: set(input.needed_text("title", 3..=200)),
        description: input.text("description", 0..=10_000),
        status: set(input.needed("status", ActionStatus::parse)),
        starts,
        ends,
        cancel_reason: input.text("cancelReason", 3..=1_000),
        lead: match values.get("lead") {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Clear,
            Some(value) => Patch::Set(partner(&input, value, &["lead"])),
        },
        partners: partners(&input, values.get("partners")),
        rome_codes: set(input.list("romeCodes", Some(Scalar::RomeCode))),
        on_create: on_create(values.get("onCreate")),
        problems: Vec::new(),
    };
    let problems = match input.check() {
        Err(Failure::Problems(problems)) => problems.into_iter().map(from_item).collect(),
        _ => Vec::new(),
    };
    Item { problems, ..item }
}

/// Paths of an item begin in the item.
fn from_item(mut problem: Problem) -> Problem {
    if !problem.path.is_empty() {
        problem.path.remove(0);
    }
    problem
}

fn set<T>(patch: Patch<T>) -> Option<T> {
    patch.or(None)
}

fn instant(value: Option<&Value>) -> DateTime<Utc> {
    match value.map(|value| Scalar::DateTime.parse(value)) {
        Some(Ok(Parsed::Instant(at))) => at,
        _ => DateTime::UNIX_EPOCH,
    }
}

/// How a site is named; none when it is not.
pub(super) fn site(value: Option<&Value>) -> Option<SiteRef> {
    let fields = fields(value);
    let input = Input::new(fields);
    if let Patch::Set(code) = input.code("code", Scalar::SiteCode) {
        return Some(SiteRef::Code(code));
    }
    set(input.list("qpvs", Some(Scalar::QpvCode))).map(|codes| SiteRef::Qpvs(codes.0))
}

fn partners(input: &Input<'_>, value: Option<&Value>) -> Option<Vec<PartnerRef>> {
    let one = |(index, item): (usize, &Value)| partner(input, item, &["partners", &index.to_string()]);
    match value? {
        Value::List(items) => Some(items.iter().enumerate().map(one).collect()),
        _ => Some(Vec::new()),
    }
}

/// Reads how a partner is named; what is wrong is noted under its path.
fn partner(outer: &Input<'_>, value: &Value, path: &[&str]) -> PartnerRef {
    let values = fields(Some(value));
    let input = Input::new(values);
    let found = PartnerRef {
        external_id: set(input.text("externalId", 1..=200)),
        siret: set(input.code("siret", Scalar::Siret)),
        rna: set(input.code("rna", Scalar::Rna)),
        safir_code: set(input.code("safirCode", Scalar::SafirCode)),
        name: set(input.text("name", 2..=200)),
        kind: set(input.choice("kind", PartnerKind::parse)),
    };
    if let Err(Failure::Problems(problems)) = input.check() {
        for mut problem in problems {
            problem.path.splice(1..1, path.iter().map(ToString::to_string));
            outer.problem(problem);
        }
    }
    // one that is malformed is told so already
    let is_given = |name: &&str| values.get(*name).is_some_and(|value| *value != Value::Null);
    if !["externalId", "siret", "rna", "safirCode"].iter().any(is_given) {
        let text = "name the partner by externalId, siret, rna or safirCode";
        let mut problem = Problem::at(ProblemCode::Required, "", text);
        problem.path.extend(path.iter().map(ToString::to_string));
        outer.problem(problem);
    }
    found
}

impl PartnerRef {
    /// The codes by which it is named, with the field and the column of each, the surest first.
    pub fn keys(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("externalId", &self.external_id),
            ("siret", &self.siret),
            ("rna", &self.rna),
            ("safirCode", &self.safir_code),
        ]
        .into_iter()
        .filter_map(|(field, value)| Some((field, value.as_deref()?)))
    }
}

fn on_create(value: Option<&Value>) -> OnCreate {
    let values = fields(value);
    let input = Input::new(values);
    OnCreate {
        pillar: set(input.choice("pillar", Pillar::parse)),
        categories: set(input.list("categories", None)).unwrap_or_default(),
        audiences: set(input.list("audiences", None)).unwrap_or_default(),
        innovative: set(input.flag("innovative")).unwrap_or_default(),
        published: set(input.flag("published")).unwrap_or_default(),
        qpvs: set(input.list("qpvs", Some(Scalar::QpvCode))).unwrap_or_default().0,
    }
}
