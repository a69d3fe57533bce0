//! `actionStatistics` against a count in Rust over the rows that the caller reads.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;
use entity::action::Model as Action;
use entity::enums::{FigureStatus, Indicator};
use rust_decimal::Decimal;
use serde_json::Value;
use tests::world::{self, World};
use tests::{Persona, on_both};
use uuid::Uuid;

/// A dimension, how its value is asked, and the values an action has there; none is null.
type Dimension = (&'static str, &'static str, &'static str, fn(&World, &Action) -> Vec<String>);

const DIMENSIONS: [Dimension; 11] = [
    ("SITE", "site { name }", "/site/name", |w, a| vec![site(w, a).name.clone()]),
    ("DEPARTEMENT", "departement { code }", "/departement/code", |w, a| {
        w.site_departements
            .iter()
            .filter(|d| d.site_id == a.site_id)
            .map(|d| d.departement_code.clone())
            .collect()
    }),
    ("REGION", "region { code }", "/region/code", |w, a| {
        let of = w.site_departements.iter().filter(|d| d.site_id == a.site_id);
        of.map(|d| d.region_code.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }),
    ("QPV", "qpv { code }", "/qpv/code", |w, a| {
        let of = w.action_qpvs.iter().filter(|link| link.action_id == a.id);
        of.filter_map(|link| w.qpvs.iter().find(|qpv| qpv.id == link.qpv_id))
            .map(|qpv| qpv.code.clone())
            .collect()
    }),
    ("PILLAR", "pillar", "/pillar", |_, a| a.pillar.iter().map(|of| of.as_str().to_owned()).collect()),
    ("CATEGORY", "category", "/category", |_, a| a.categories.0.clone()),
    ("STATUS", "status", "/status", |_, a| vec![a.status.as_str().to_owned()]),
    ("PARTNER_KIND", "partnerKind", "/partnerKind", |w, a| {
        w.partners
            .iter()
            .filter(|p| Some(p.id) == a.lead_partner_id)
            .map(|p| p.kind.as_str().to_owned())
            .collect()
    }),
    ("SOURCE", "source", "/source", |_, a| a.source_system.clone().into_iter().collect()),
    ("QUARTER", "quarter", "/quarter", |_, a| {
        let is_known =
            a.starts_from.zip(a.starts_to).is_some_and(|(from, to)| from.month0() / 3 == to.month0() / 3);
        let day = a.starts_from.filter(|_| is_known);
        day.iter().map(|day| format!("{}-Q{}", day.year(), day.month().div_ceil(3))).collect()
    }),
    ("YEAR", "year", "/year", |_, a| a.starts_from.iter().map(|day| day.year().to_string()).collect()),
];

fn site<'w>(world: &'w World, action: &Action) -> &'w entity::site::Model {
    world.sites.iter().find(|site| site.id == action.site_id).expect("a site")
}

/// What is counted of one group.
#[derive(Debug, Default, PartialEq)]
struct Count {
    actions: i64,
    innovative: i64,
    sites: i64,
    beneficiaries: Option<Decimal>,
}

/// Counts actions by dimensions, the plain way.
fn naive(world: &World, actions: &[&Action], by: &[&Dimension]) -> BTreeMap<Vec<String>, Count> {
    let mut groups: BTreeMap<Vec<String>, (Count, BTreeSet<Uuid>, Kinds)> = BTreeMap::new();
    for action in actions {
        let mut keys = vec![Vec::new()];
        for (.., values) in by {
            let mut values = values(world, action);
            if values.is_empty() {
                values.push("null".to_owned());
            }
            let longer = |key: &Vec<String>| {
                let key = key.clone();
                values
                    .clone()
                    .into_iter()
                    .map(move |value| [key.clone(), vec![value]].concat())
                    .collect::<Vec<_>>()
            };
            keys = keys.iter().flat_map(longer).collect();
        }
        for key in keys {
            let (count, sites, kinds) = groups.entry(key).or_default();
            count.actions += 1;
            count.innovative += i64::from(action.innovative);
            sites.insert(action.site_id);
            count.sites = i64::try_from(sites.len()).expect("a number");
            for (kind, reached) in beneficiaries(world, action) {
                count.beneficiaries = Some(count.beneficiaries.unwrap_or_default() + reached);
                kinds.insert(kind);
            }
        }
    }
    // what several sources give, or what is of a month and of a quarter, is never summed
    let count = |(mut count, _, kinds): (Count, _, Kinds)| {
        count.beneficiaries = count.beneficiaries.filter(|_| kinds.len() == 1);
        count
    };
    groups.into_iter().map(|(key, group)| (key, count(group))).collect()
}

/// Sources and kinds of period.
type Kinds = BTreeSet<(String, &'static str)>;

/// Persons that an action reached, by its figures in force, each with its source and kind of period.
fn beneficiaries(world: &World, action: &Action) -> Vec<((String, &'static str), Decimal)> {
    let of = world.figures.iter().filter(|figure| {
        figure.action_id == Some(action.id)
            && figure.indicator == Indicator::BeneficiaryCount
            && matches!(figure.status, FigureStatus::Provisional | FigureStatus::Validated)
    });
    let kind = |figure: &entity::figure::Model| {
        let period = figure.period.as_deref().expect("a period");
        let kind = match (period.contains('Q'), period.len()) {
            (true, _) => "quarter",
            (_, 4) => "year",
            (_, 7) => "month",
            _ => "day",
        };
        (figure.origin.clone(), kind)
    };
    of.map(|figure| (kind(figure), figure.value.expect("a value"))).collect()
}

async fn asked(persona: &Persona<'_>, by: &[&Dimension], filter: &str) -> BTreeMap<Vec<String>, Count> {
    let names: Vec<&str> = by.iter().map(|(name, ..)| *name).collect();
    let fields: Vec<&str> = by.iter().map(|(_, field, ..)| *field).collect();
    let document = format!(
        "{{ rows: actionStatistics(groupBy: [{}]{filter}) {{ group {{ __typename {} }} actionCount innovativeCount siteCount \
         beneficiaryCount }} }}",
        names.join(", "),
        fields.join(" ")
    );
    let answer = persona.ask(&document).await;
    let mut groups = BTreeMap::new();
    for row in answer.list("/rows") {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let key =
            by.iter().map(|(_, _, at, _)| text(row["group"].pointer(at).unwrap_or(&Value::Null))).collect();
        let number = |name: &str| row[name].as_i64().expect("a number");
        let count = Count {
            actions: number("actionCount"),
            innovative: number("innovativeCount"),
            sites: number("siteCount"),
            beneficiaries: row["beneficiaryCount"].as_str().map(|text| text.parse().expect("a decimal")),
        };
        assert!(groups.insert(key, count).is_none(), "a group stands twice: {answer}");
    }
    groups
}

on_both!(each_dimension_counts_what_a_plain_count_does, Small, async |app| {
    let world = world::small();
    let actions: Vec<&Action> = world.actions.iter().filter(|action| action.deleted_at.is_none()).collect();
    assert_eq!(asked(&app.anct(), &[], "").await, naive(&world, &actions, &[]));
    for one in &DIMENSIONS {
        assert_eq!(asked(&app.anct(), &[one], "").await, naive(&world, &actions, &[one]), "{}", one.0);
    }
});

on_both!(two_or_three_dimensions_count_what_a_plain_count_does, Small, async |app| {
    let world = world::small();
    let actions: Vec<&Action> = world.actions.iter().filter(|action| action.deleted_at.is_none()).collect();
    for (n, one) in DIMENSIONS.iter().enumerate() {
        for other in &DIMENSIONS[n + 1..] {
            let by = [one, other];
            assert_eq!(
                asked(&app.anct(), &by, "").await,
                naive(&world, &actions, &by),
                "{} {}",
                one.0,
                other.0
            );
        }
    }
    let three = [&DIMENSIONS[3], &DIMENSIONS[5], &DIMENSIONS[9]];
    assert_eq!(asked(&app.anct(), &three, "").await, naive(&world, &actions, &three));
});

on_both!(a_filter_narrows_statistics_as_it_narrows_the_list, Small, async |app| {
    let world = world::small();
    let drafts = |action: &&Action| action.status.as_str() == "DRAFT" && action.deleted_at.is_none();
    let actions: Vec<&Action> = world.actions.iter().filter(drafts).collect();
    let by = [&DIMENSIONS[2], &DIMENSIONS[4]];
    assert_eq!(
        asked(&app.anct(), &by, ", filter: { status: { eq: DRAFT } }").await,
        naive(&world, &actions, &by)
    );
});

on_both!(nothing_to_count_is_zero_and_no_beneficiary_is_null, Small, async |app| {
    let none = ", filter: { status: { in: [] } }";
    let rows = asked(&app.anct(), &[], none).await;
    assert_eq!(rows, BTreeMap::from([(Vec::new(), Count::default())]));
    assert!(asked(&app.anct(), &[&DIMENSIONS[0]], none).await.is_empty());
});

on_both!(more_than_three_dimensions_are_refused, Small, async |app| {
    let answer =
        app.anct().ask("{ actionStatistics(groupBy: [SITE, QPV, PILLAR, YEAR]) { actionCount } }").await;
    assert_eq!(answer.code(), "LIMIT_EXCEEDED");
});
