//! The documents that users come with answer as their comments promise, over the open data.

use serde_json::{Value, json};
use tests::{Answer, GrantedSites, Persona, TestApp, on_both};

const DASHBOARD: &str = include_str!("contract/dashboard.graphql");
const FRONTEND: &str = include_str!("contract/frontend.graphql");

/// Each query with the variables that such a user sends.
pub fn queries() -> [(&'static str, &'static str, Value); 8] {
    [
        (DASHBOARD, "NationalFigures", json!({})),
        (DASHBOARD, "SiteCards", json!({ "after": null })),
        (DASHBOARD, "ActionsByRegionAndPillar", json!({ "from": "2022-Q1" })),
        (DASHBOARD, "SiteSheet", json!({ "code": "cde-026" })),
        (FRONTEND, "WhereAmI", json!({ "lon": 4.9267, "lat": 45.7796 })),
        (FRONTEND, "Search", json!({ "text": "villeneuve" })),
        (FRONTEND, "QpvMap", json!({ "departement": "69" })),
        (FRONTEND, "Me", json!({})),
    ]
}

async fn ask(persona: Persona<'_>, name: &str) -> Answer {
    let (document, _, variables) =
        queries().into_iter().find(|(_, known, _)| *known == name).expect("a query");
    persona.operation(document, name, variables).await
}

/// The value of the first national figure of an indicator.
fn national(answer: &Answer, indicator: &str) -> Vec<String> {
    let of = |figure: &&Value| figure["indicator"] == indicator;
    let value = |figure: &Value| figure["value"].as_str().unwrap_or_default().to_owned();
    answer.list("/figures/nodes").iter().filter(of).map(value).collect()
}

on_both!(every_query_answers_to_every_role, Real, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let others = [app.public(), app.anct(), app.prefecture(&["69"]), app.collectivite(&["200046977"])];
    for persona in others.into_iter().chain([partner]) {
        for (document, name, variables) in queries() {
            let answer = persona.operation(document, name, variables).await;
            assert!(answer.errors().is_empty() && answer.status == 200, "{name}: {answer}");
        }
    }
});

on_both!(national_figures_are_those_that_were_published, Real, async |app| {
    let answer = ask(app.anct(), "NationalFigures").await;
    assert_eq!(answer.number("/sites/totalCount"), 84);
    let published = [
        ("ACTION_COUNT", "2588"),
        ("BENEFICIARY_COUNT", "31915"),
        ("REFERENT_COUNT", "803"),
        ("PARTNER_COUNT_AVG", "14"),
        ("INNOVATIVE_ACTION_COUNT", "1493"),
    ];
    for (indicator, value) in published {
        assert_eq!(national(&answer, indicator), [value], "{indicator}");
    }
    let mut sites = national(&answer, "SITE_COUNT");
    sites.sort();
    assert_eq!(sites, ["24", "84"]);
    let sources = answer.column("/figures/nodes", "source");
    assert!(sources.iter().all(|source| source == "deck" || source == "page"), "{sources:?}");
});

on_both!(site_cards_come_twenty_at_a_time_by_name, Real, async |app| {
    let answer = ask(app.anct(), "SiteCards").await;
    assert_eq!(answer.number("/sites/totalCount"), 84);
    assert_eq!(answer.list("/sites/nodes").len(), 20);
    assert_eq!(answer.data("/sites/pageInfo/hasNextPage"), true);
    let names = answer.column("/sites/nodes", "name");
    let folded: Vec<String> = names.iter().map(|name| cites::text::fold(name)).collect();
    assert!(folded.is_sorted(), "{names:?}");
    for site in answer.list("/sites/nodes") {
        let shown = site["actions"]["nodes"].as_array().expect("actions").len() as u64;
        assert_eq!(Some(shown), site["actions"]["totalCount"].as_u64().map(|count| count.min(10)));
        assert!(!site["departements"].as_array().expect("départements").is_empty(), "{site}");
    }
});

on_both!(actions_are_counted_by_region_and_pillar, Real, async |app| {
    let answer = ask(app.anct(), "ActionsByRegionAndPillar").await;
    let rows = answer.list("/actionStatistics");
    let total: i64 = rows.iter().filter_map(|row| row["actionCount"].as_i64()).sum();
    let since = "{ actions(filter: { startsOn: { gte: \"2022-Q1\" } }) { totalCount } }";
    assert_eq!(total, app.anct().ask(since).await.number("/actions/totalCount"));
    assert!(rows.iter().all(|row| row["group"]["region"]["code"].is_string()), "{answer}");
});

on_both!(grenoble_has_four_co_pilots_and_its_committees_their_rhythm, Real, async |app| {
    let answer = ask(app.anct(), "SiteSheet").await;
    assert_eq!(answer.data("/site/name"), "Grenoble-Alpes Métropole");
    let bodies = answer.list("/site/governanceBodies/nodes");
    let cadence = |kind: &str| {
        bodies
            .iter()
            .find(|body| body["kind"] == kind)
            .map(|body| body["cadence"].clone())
            .unwrap_or_default()
    };
    assert_eq!(cadence("COTECH"), json!({ "every": 6, "unit": "WEEK" }));
    assert_eq!(cadence("COMITE_OPERATIONNEL"), json!({ "every": 1, "unit": "MONTH" }));
    assert_eq!(cadence("COPIL"), json!({ "every": 1, "unit": "YEAR" }));
    let seats =
        "{ site(by: { code: \"cde-026\" }) { seats(filter: { kind: { eq: COPILOTE } }) { totalCount } } }";
    assert_eq!(app.public().ask(seats).await.number("/site/seats/totalCount"), 4);
    let codes = answer.column("/site/qpvs/nodes", "code");
    assert!(["QP038006", "QN03806M"].iter().all(|code| codes.iter().any(|known| known == code)), "{codes:?}");
    assert_eq!(answer.data("/site/viewerCanUpdate"), true);
});

on_both!(a_point_of_vaulx_en_velin_lies_in_its_qpv_and_its_site, Real, async |app| {
    let answer = ask(app.public(), "WhereAmI").await;
    assert_eq!(answer.data("/qpvAt/code"), "QN06916M");
    assert_eq!(answer.column("/qpvAt/communes", "code"), ["69256"]);
    assert!(answer.column("/qpvAt/sites/nodes", "code").contains(&"cde-024".to_owned()), "{answer}");
    let nowhere = "{ qpvAt(point: { lon: -30, lat: 40 }) { code } }";
    assert_eq!(app.public().ask(nowhere).await.data("/qpvAt"), &Value::Null);
});

on_both!(search_finds_names_whatever_their_accents_and_case, Real, async |app| {
    let answer = ask(app.public(), "Search").await;
    assert_eq!(answer.number("/qpvs/totalCount"), 7);
    assert!(answer.column("/qpvs/nodes", "code").contains(&"QP038007".to_owned()), "{answer}");
    assert!(
        answer
            .column("/communes/nodes", "name")
            .iter()
            .all(|name| name.to_lowercase().contains("villeneuve"))
    );
});

on_both!(the_map_of_a_departement_has_every_outline, Real, async |app| {
    let answer = ask(app.public(), "QpvMap").await;
    let nodes = answer.list("/qpvs/nodes");
    assert!(
        nodes.len() > 30 && nodes.iter().all(|qpv| qpv["geometry"]["coordinates"].is_array()),
        "{}",
        nodes.len()
    );
    assert!(nodes.iter().all(|qpv| qpv["centroid"]["lon"].is_f64()));
});

on_both!(me_says_what_the_token_gives, Real, async |app| {
    let answer = ask(app.collectivite(&["200046977"]), "Me").await;
    assert_eq!(answer.data("/viewer/role"), "collectivite");
    assert_eq!(answer.data("/viewer/sirens"), &json!(["200046977"]));
    let answer = ask(app.prefecture(&["69", "38"]), "Me").await;
    assert_eq!(answer.data("/viewer/departements"), &json!(["38", "69"]));
    let mine = "{ sites(filter: { departement: { in: [\"38\", \"69\"] } }) { totalCount } }";
    assert_eq!(
        answer.number("/viewer/sites/totalCount"),
        app.anct().ask(mine).await.number("/sites/totalCount")
    );
    assert_eq!(ask(app.public(), "Me").await.data("/viewer/role"), "public");
});

on_both!(sites_may_reach_into_several_departements_and_share_communes, Real, async |app| {
    for (code, departements) in [("cde-031", ["02", "59"]), ("cde-015", ["77", "95"])] {
        let document = format!("{{ site(by: {{ code: \"{code}\" }}) {{ departements {{ code }} }} }}");
        let mut found = app.public().ask(&document).await.column("/site/departements", "code");
        found.sort();
        assert_eq!(found, departements, "{code}");
    }
    let document = "{ commune(by: { code: \"93008\" }) { sites { nodes { code } } } }";
    let mut sites = app.public().ask(document).await.column("/commune/sites/nodes", "code");
    sites.sort();
    assert_eq!(sites, ["cde-062", "cde-064", "cde-066"]);
});

on_both!(a_site_is_missing_what_it_lacks, Real, async |app| {
    let missing = async |app: &TestApp, code: &str| {
        let document = format!("{{ site(by: {{ code: \"{code}\" }}) {{ completeness {{ missing }} }} }}");
        app.anct().ask(&document).await.data("/site/completeness/missing").clone()
    };
    let of = missing(app, "cde-026").await;
    assert!(!of.as_array().expect("a list").contains(&json!("QPV")), "{of}");
    assert!(missing(app, "cde-001").await.as_array().expect("a list").contains(&json!("STATE_COPILOTE")));
});
