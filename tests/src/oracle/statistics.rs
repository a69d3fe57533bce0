//! `actionStatistics`, counted plainly.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use entity::action;
use serde_json::{Value, json};
use uuid::Uuid;

use super::filters::Filter;
use super::graph::Type;
use super::matrix::Eyes;
use super::reads::Read;
use crate::dice::Dice;

/// A dimension, and the field of the group that shows it.
const DIMENSIONS: [(&str, &str); 11] = [
    ("SITE", "site { id }"),
    ("DEPARTEMENT", "departement { code }"),
    ("REGION", "region { code }"),
    ("QPV", "qpv { id }"),
    ("PILLAR", "pillar"),
    ("CATEGORY", "category"),
    ("STATUS", "status"),
    ("PARTNER_KIND", "partnerKind"),
    ("SOURCE", "source"),
    ("QUARTER", "quarter"),
    ("YEAR", "year"),
];

/// A random question with its answer, and the fields of its groups.
pub(super) fn random(dice: &mut Dice, eyes: &Eyes<'_>, all: &Eyes<'_>) -> (Read, Vec<&'static str>) {
    let of = Type::named("Action");
    let by = dice.some(&DIMENSIONS, 0, 2);
    let filter = dice.chance(50).then(|| Filter::random(dice, all, of, 2));
    let rows = eyes.all(of).filter(|at| eyes.reads("Action", *at));
    let rows: Vec<&action::Model> = rows
        .filter(|at| filter.as_ref().is_none_or(|filter| filter.meets(eyes, of, *at)))
        .map(|at| &eyes.world.actions[at])
        .collect();
    let names: Vec<&str> = by.iter().map(|(name, _)| *name).collect();
    let shown: Vec<&str> = by.iter().map(|(_, field)| *field).collect();
    let filter = filter.map(|filter| format!(", filter: {}", filter.text())).unwrap_or_default();
    let group = if shown.is_empty() { String::new() } else { format!("group {{ {} }}", shown.join(" ")) };
    let document = format!(
        "{{ actionStatistics(groupBy: [{}]{filter}) {{ actionCount innovativeCount siteCount {group} }} }}",
        names.join(", ")
    );
    let expected = json!({ "actionStatistics": count(eyes, &by, &rows) });
    (Read { document, expected }, by.into_iter().map(|(_, field)| name(field)).collect())
}

fn count(eyes: &Eyes<'_>, by: &[(&str, &str)], rows: &[&action::Model]) -> Vec<Value> {
    let mut groups: BTreeMap<Vec<String>, Vec<&action::Model>> = BTreeMap::new();
    for row in rows {
        for key in keys(eyes, by, row) {
            groups.entry(key).or_default().push(row);
        }
    }
    if by.is_empty() && groups.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    groups.into_iter().map(|(key, rows)| shown(eyes, by, &key, &rows)).collect()
}

/// The groups of an action; an empty text stands for none.
fn keys(eyes: &Eyes<'_>, by: &[(&str, &str)], row: &action::Model) -> BTreeSet<Vec<String>> {
    let links = eyes.world.site_departements.iter().filter(|link| link.site_id == row.site_id);
    let mut found = BTreeSet::new();
    // a département goes with its own region
    for place in links {
        let mut keys: Vec<Vec<String>> = vec![Vec::new()];
        for (name, _) in by {
            let values = match *name {
                "DEPARTEMENT" => vec![place.departement_code.clone()],
                "REGION" => vec![place.region_code.clone()],
                other => values(eyes, other, row),
            };
            keys = keys
                .iter()
                .flat_map(|key| values.iter().map(|value| [key.clone(), vec![value.clone()]].concat()))
                .collect();
        }
        found.extend(keys);
    }
    found
}

fn values(eyes: &Eyes<'_>, name: &str, row: &action::Model) -> Vec<String> {
    let one = |value: Option<String>| vec![value.unwrap_or_default()];
    let or_none = |values: Vec<String>| if values.is_empty() { vec![String::new()] } else { values };
    match name {
        "SITE" => vec![row.site_id.to_string()],
        "QPV" => {
            let links = eyes.world.action_qpvs.iter().filter(|link| link.action_id == row.id);
            or_none(links.map(|link| link.qpv_id.to_string()).collect())
        }
        "CATEGORY" => or_none(row.categories.0.clone()),
        "PILLAR" => one(row.pillar.map(|pillar| pillar.as_str().to_owned())),
        "STATUS" => vec![row.status.as_str().to_owned()],
        "PARTNER_KIND" => {
            let lead = eyes.world.partners.iter().find(|partner| Some(partner.id) == row.lead_partner_id);
            one(lead.map(|partner| partner.kind.as_str().to_owned()))
        }
        "SOURCE" => one(row.source_system.clone()),
        "QUARTER" => {
            let quarter = |day: NaiveDate| format!("{}-Q{}", day.year(), day.month0() / 3 + 1);
            let is_known = row.starts_from.map(quarter) == row.starts_to.map(quarter);
            one(row.starts_from.filter(|_| is_known).map(quarter))
        }
        _ => one(row.starts_from.map(|day| day.year().to_string())),
    }
}

fn shown(eyes: &Eyes<'_>, by: &[(&str, &str)], key: &[String], rows: &[&action::Model]) -> Value {
    let sites: BTreeSet<Uuid> = rows.iter().map(|row| row.site_id).collect();
    let mut shown = json!({
        "actionCount": rows.len(),
        "innovativeCount": rows.iter().filter(|row| row.innovative).count(),
        "siteCount": sites.len(),
    });
    for ((dimension, field), value) in by.iter().zip(key) {
        let of = |of: &str, at: Option<usize>| match at.filter(|at| eyes.reads(of, *at)) {
            Some(at) => json!({ "id": eyes.key(Type::named(of), at) }),
            None => Value::Null,
        };
        let world = eyes.world;
        let value = match *dimension {
            "SITE" => of("Site", world.sites.iter().position(|row| row.id.to_string() == *value)),
            "QPV" => of("Qpv", world.qpvs.iter().position(|row| row.id.to_string() == *value)),
            "DEPARTEMENT" | "REGION" => json!({ "code": value }),
            "YEAR" => json!(value.parse::<i32>().ok()),
            _ => json!(Some(value).filter(|value| !value.is_empty())),
        };
        shown["group"][name(field)] = value;
    }
    shown
}

/// The name of a field in the group.
fn name(field: &str) -> &str {
    field.split(' ').next().unwrap_or(field)
}
