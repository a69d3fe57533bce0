//! Filters of each kind against the same condition in Rust over the rows of the small world.

use std::collections::BTreeSet;

use cites::text::fold;
use entity::action::Model as Action;
use entity::enums::{ActionStatus, Pillar};
use tests::world::{self, World};
use tests::{Persona, on_both};

type Meets = fn(&World, &Action) -> bool;

fn day(text: &str) -> chrono::NaiveDate {
    text.parse().expect("a day")
}

/// A filter of actions and what it means.
const ACTIONS: &[(&str, Meets)] = &[
    ("{}", |_, _| true),
    // values
    ("{ status: { eq: DRAFT } }", |_, a| a.status == ActionStatus::Draft),
    ("{ status: { ne: DRAFT } }", |_, a| a.status != ActionStatus::Draft),
    ("{ status: { in: [DRAFT, PLANNED] } }", |_, a| {
        matches!(a.status, ActionStatus::Draft | ActionStatus::Planned)
    }),
    ("{ status: { notIn: [DRAFT, PLANNED] } }", |_, a| {
        !matches!(a.status, ActionStatus::Draft | ActionStatus::Planned)
    }),
    ("{ status: { in: [] } }", |_, _| false),
    ("{ status: { notIn: [] } }", |_, _| true),
    ("{ innovative: { eq: true } }", |_, a| a.innovative),
    ("{ innovative: { ne: true } }", |_, a| !a.innovative),
    ("{ createdAt: { gt: \"2023-05-01T01:00:00Z\" } }", |_, a| {
        a.created_at.to_rfc3339().as_str() > "2023-05-01T01:00:00+00:00"
    }),
    ("{ createdAt: { lte: \"2023-05-01T01:00:00Z\" } }", |_, a| {
        a.created_at.to_rfc3339().as_str() <= "2023-05-01T01:00:00+00:00"
    }),
    // rows without a value: only what asks for them, and negations
    ("{ pillar: { eq: INNOVER } }", |_, a| a.pillar == Some(Pillar::Innover)),
    ("{ pillar: { ne: INNOVER } }", |_, a| a.pillar != Some(Pillar::Innover)),
    ("{ pillar: { notIn: [INNOVER] } }", |_, a| a.pillar != Some(Pillar::Innover)),
    ("{ not: { pillar: { eq: INNOVER } } }", |_, a| a.pillar != Some(Pillar::Innover)),
    ("{ pillar: { isNull: true } }", |_, a| a.pillar.is_none()),
    ("{ pillar: { isNull: false } }", |_, a| a.pillar.is_some()),
    ("{ pillar: { eq: null } }", |_, a| a.pillar.is_none()),
    ("{ pillar: { ne: null } }", |_, a| a.pillar.is_some()),
    ("{ pillar: null }", |_, _| true),
    ("{ sourceSystem: { eq: \"OTHER\" } }", |_, a| a.source_system.as_deref() == Some("OTHER")),
    ("{ sourceSystem: { ne: \"OTHER\" } }", |_, a| a.source_system.as_deref() != Some("OTHER")),
    ("{ sourceSystem: { isNull: true } }", |_, a| a.source_system.is_none()),
    // text: accents, case and ligatures do not count, wildcards are characters like others
    ("{ title: { contains: \"ETE\" } }", |_, a| fold(&a.title).contains("ete")),
    ("{ title: { contains: \"été\" } }", |_, a| fold(&a.title).contains("ete")),
    ("{ title: { contains: \"œuvre\" } }", |_, a| fold(&a.title).contains("oeuvre")),
    ("{ title: { contains: \"oeuvre\" } }", |_, a| a.title.contains("Œuvre")),
    ("{ title: { contains: \"100 %\" } }", |_, a| a.title.contains("100 %")),
    ("{ title: { contains: \"%\" } }", |_, a| a.title.contains('%')),
    ("{ title: { contains: \"_\" } }", |_, a| a.title.contains('_')),
    ("{ title: { contains: \"\\\\\" } }", |_, a| a.title.contains('\\')),
    ("{ title: { contains: \"a_e\" } }", |_, _| false),
    ("{ title: { contains: \"nowhere\" } }", |_, _| false),
    // partial dates, by interval
    ("{ startsOn: { eq: \"2022-Q2\" } }", |_, a| a.starts_on.as_deref() == Some("2022-Q2")),
    ("{ startsOn: { ne: \"2022-Q2\" } }", |_, a| a.starts_on.as_deref() != Some("2022-Q2")),
    ("{ startsOn: { gte: \"2022-Q2\" } }", |_, a| a.starts_from >= Some(day("2022-04-01"))),
    ("{ startsOn: { gt: \"2022\" } }", |_, a| a.starts_from > Some(day("2022-12-31"))),
    ("{ startsOn: { lt: \"2022-11\" } }", |_, a| a.starts_to.is_some_and(|to| to < day("2022-11-01"))),
    ("{ startsOn: { lte: \"2022\" } }", |_, a| a.starts_to.is_some_and(|to| to <= day("2022-12-31"))),
    ("{ startsOn: { gte: \"2022-01\", lte: \"2022-12\" } }", |_, a| {
        a.starts_from.is_some_and(|from| from >= day("2022-01-01"))
            && a.starts_to.is_some_and(|to| to <= day("2022-12-31"))
    }),
    ("{ startsOn: { isNull: true } }", |_, a| a.starts_on.is_none()),
    // lists of values
    ("{ categories: { has: ALLER_VERS } }", |_, a| a.categories.0.iter().any(|of| of == "ALLER_VERS")),
    ("{ categories: { hasAny: [REPERAGE, JOB_DATING] } }", |_, a| {
        a.categories.0.iter().any(|of| of == "REPERAGE" || of == "JOB_DATING")
    }),
    ("{ categories: { hasAny: [] } }", |_, _| false),
    ("{ categories: { isEmpty: true } }", |_, a| a.categories.0.is_empty()),
    ("{ categories: { isEmpty: false } }", |_, a| !a.categories.0.is_empty()),
    ("{ not: { categories: { has: ALLER_VERS } } }", |_, a| {
        !a.categories.0.iter().any(|of| of == "ALLER_VERS")
    }),
    // and, or, not
    ("{ and: [{ status: { eq: DRAFT } }, { innovative: { eq: true } }] }", |_, a| {
        a.status == ActionStatus::Draft && a.innovative
    }),
    ("{ or: [{ status: { eq: DRAFT } }, { innovative: { eq: true } }] }", |_, a| {
        a.status == ActionStatus::Draft || a.innovative
    }),
    ("{ or: [] }", |_, _| false),
    ("{ and: [] }", |_, _| true),
    ("{ or: [{}, { status: { in: [] } }] }", |_, _| true),
    ("{ not: {} }", |_, _| false),
    ("{ not: { or: [{ status: { eq: DRAFT } }, { innovative: { eq: true } }] } }", |_, a| {
        a.status != ActionStatus::Draft && !a.innovative
    }),
    (
        "{ status: { eq: DRAFT }, or: [{ innovative: { eq: true } }, { pillar: { isNull: true } }] }",
        |_, a| a.status == ActionStatus::Draft && (a.innovative || a.pillar.is_none()),
    ),
    // across relations
    ("{ lead: { kind: { eq: MISSION_LOCALE } } }", |w, a| {
        w.partners.iter().any(|p| Some(p.id) == a.lead_partner_id && p.kind.as_str() == "MISSION_LOCALE")
    }),
    ("{ not: { lead: { kind: { eq: MISSION_LOCALE } } } }", |w, a| {
        !w.partners.iter().any(|p| Some(p.id) == a.lead_partner_id && p.kind.as_str() == "MISSION_LOCALE")
    }),
    ("{ site: { departements: { some: { region: { eq: \"84\" } } } } }", |w, a| {
        w.site_departements.iter().any(|d| d.site_id == a.site_id && d.region_code == "84")
    }),
    ("{ region: { eq: \"84\" } }", |w, a| {
        w.site_departements.iter().any(|d| d.site_id == a.site_id && d.region_code == "84")
    }),
    ("{ departement: { ne: \"59\" } }", |w, a| {
        !w.site_departements.iter().any(|d| d.site_id == a.site_id && d.departement_code == "59")
    }),
    ("{ departement: { notIn: [\"59\", \"69\"] } }", |w, a| {
        !w.site_departements
            .iter()
            .any(|d| d.site_id == a.site_id && ["59", "69"].contains(&d.departement_code.as_str()))
    }),
    ("{ qpvs: { some: { code: { eq: \"QN06916M\" } } } }", |w, a| has_qpv(w, a, "QN06916M")),
    ("{ qpvs: { none: { code: { eq: \"QN06916M\" } } } }", |w, a| !has_qpv(w, a, "QN06916M")),
    ("{ qpvs: { some: {} } }", |w, a| {
        w.qpvs.iter().any(|q| has_qpv(w, a, &q.code) && q.deleted_at.is_none())
    }),
    ("{ qpvs: { some: null, none: null } }", |_, _| true),
    ("{ qpvs: { none: {} } }", |w, a| {
        !w.qpvs.iter().any(|q| has_qpv(w, a, &q.code) && q.deleted_at.is_none())
    }),
    (
        "{ partners: { some: { kind: { eq: MISSION_LOCALE } } }, qpvs: { some: { generation: { eq: QPV_2024 } } } }",
        |w, a| {
            w.action_partners.iter().any(|l| l.action_id == a.id)
                && ["QN06916M", "QN05901I"].iter().any(|code| has_qpv(w, a, code))
        },
    ),
    ("{ site: { seats: { some: { partner: { siren: { eq: \"200046977\" } } } } } }", |w, a| {
        w.seats.iter().any(|s| s.site_id == a.site_id && s.partner_id == world::id(world::Kind::Partner, 2))
    }),
];

fn has_qpv(world: &World, action: &Action, code: &str) -> bool {
    let qpv = world.qpvs.iter().find(|qpv| qpv.code == code).expect("a QPV");
    world.action_qpvs.iter().any(|link| link.action_id == action.id && link.qpv_id == qpv.id)
}

/// The ids of all actions that meet a filter.
async fn found(persona: &Persona<'_>, filter: &str) -> BTreeSet<String> {
    let document = format!(
        "{{ a: actions(first: 100, filter: {filter}) {{ totalCount nodes {{ id }} }} b: actions(last: 100, filter: \
         {filter}) {{ nodes {{ id }} }} }}"
    );
    let answer = persona.ask(&document).await;
    let found: BTreeSet<String> =
        answer.column("/a/nodes", "id").into_iter().chain(answer.column("/b/nodes", "id")).collect();
    assert_eq!(answer.count("/a/totalCount"), found.len(), "{filter}");
    found
}

on_both!(a_filter_finds_the_actions_that_meet_it, Small, async |app| {
    let world = world::small();
    for (filter, meets) in ACTIONS {
        let rows = world.actions.iter().filter(|row| row.deleted_at.is_none() && meets(&world, row));
        let expected: BTreeSet<String> = rows.map(|row| cites::ids::encode("action", row.id)).collect();
        assert_eq!(found(&app.anct(), filter).await, expected, "{filter}");
    }
});

on_both!(a_filter_by_id_takes_ids_of_its_type, Small, async |app| {
    let id = cites::ids::encode("action", world::id(world::Kind::Action, 7));
    assert_eq!(
        found(&app.anct(), &format!("{{ id: {{ eq: \"{id}\" }} }}")).await,
        BTreeSet::from([id.clone()])
    );
    assert_eq!(
        found(&app.anct(), &format!("{{ id: {{ in: [\"{id}\", \"{id}\"] }} }}")).await,
        BTreeSet::from([id.clone()])
    );
    assert_eq!(found(&app.anct(), &format!("{{ id: {{ notIn: [\"{id}\"] }} }}")).await.len(), 143);
    let site = cites::ids::encode("site", world::id(world::Kind::Site, 1));
    let answer = app
        .anct()
        .ask(&format!("{{ actions(filter: {{ id: {{ eq: \"{site}\" }} }}) {{ totalCount }} }}"))
        .await;
    assert_eq!(answer.code(), "INVALID_ID");
});

on_both!(sites_are_found_by_ground_and_by_text, Small, async |app| {
    for (filter, codes) in [
        ("{ departement: { eq: \"02\" } }", vec!["cde-902"]),
        ("{ pilotDepartement: { eq: \"02\" } }", vec![]),
        ("{ pilotDepartement: { eq: \"59\" } }", vec!["cde-902"]),
        ("{ region: { in: [\"84\", \"11\"] } }", vec!["cde-901", "cde-903", "null"]),
        ("{ commune: { eq: \"69256\" } }", vec!["cde-901"]),
        ("{ epci: { eq: \"200040715\" } }", vec!["cde-903"]),
        ("{ epci: { isNull: true } }", vec!["cde-902", "null"]),
        ("{ epci: { ne: null } }", vec!["cde-901", "cde-903"]),
        ("{ epci: { eq: null } }", vec!["cde-902", "null"]),
        ("{ epci: { in: null, notIn: null, isNull: null } }", vec!["cde-901", "cde-902", "cde-903", "null"]),
        ("{ departements: { none: { code: { eq: \"69\" } } } }", vec!["cde-902", "cde-903", "null"]),
        ("{ name: { contains: \"ECHIROLLES\" } }", vec!["cde-901"]),
        ("{ name: { contains: \"d’en haut\" } }", vec!["cde-901"]),
        ("{ code: { eq: \" CDE-901 \" } }", vec!["cde-901"]),
        ("{ code: { isNull: true } }", vec!["null"]),
        ("{ audiences: { has: JEUNES } }", vec!["cde-901", "cde-903"]),
        ("{ wave: { gte: 2021 } }", vec!["cde-903"]),
        ("{ wave: { ne: 2021 } }", vec!["cde-901", "cde-902", "null"]),
        ("{ qpvs: { some: { code: { eq: \"QN06916M\" } } } }", vec!["cde-901", "cde-902", "null"]),
    ] {
        let answer = app.anct().ask(&format!("{{ sites(filter: {filter}) {{ nodes {{ code }} }} }}")).await;
        let mut found = answer.column("/sites/nodes", "code");
        found.sort();
        assert_eq!(found, codes, "{filter}");
    }
});

on_both!(numbers_of_any_size_and_decimals_are_exact, Small, async |app| {
    let document = "{ fundingLines(filter: { amountCents: { gt: \"1000000000001\" } }, orderBy: [{ field: AMOUNT_CENTS }]) { nodes { amountCents } } \
                    figures(filter: { subject: { eq: NATIONAL }, value: { eq: \"40.00\" } }) { totalCount nodes { value } } }";
    let answer = app.anct().ask(document).await;
    assert_eq!(
        answer.column("/fundingLines/nodes", "amountCents"),
        ["1000000000002", "1000000000003", "1000000000004"]
    );
    assert_eq!(answer.number("/figures/totalCount"), 4);
    assert_eq!(answer.data("/figures/nodes/0/value"), "40");
});
