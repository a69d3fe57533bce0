//! What sites show that is computed.

use entity::enums::{FigureStatus, Indicator, Provenance, SiteQpvStatus};
use entity::{figure, site_qpv};
use rust_decimal::Decimal;
use serde_json::json;
use tests::world::{Kind, id, small};
use tests::{TestApp, on_both};
use uuid::Uuid;

/// Another figure like that of the first site's actions, of a period or of none.
async fn declare(app: &TestApp, value: i64, period: Option<(&str, &str, &str)>) {
    let is_declared = |row: &&figure::Model| {
        row.site_id == Some(id(Kind::Site, 1))
            && row.indicator == Indicator::ActionCount
            && row.status == FigureStatus::Validated
    };
    let world = small();
    let known = world.figures.iter().find(is_declared).expect("a figure of the site's actions");
    app.insert([figure::Model {
        id: Uuid::now_v7(),
        value: Some(Decimal::from(value)),
        period: period.map(|(text, ..)| text.to_owned()),
        period_from: period.map(|(_, from, _)| from.parse().expect("a day")),
        period_to: period.map(|(.., to)| to.parse().expect("a day")),
        natural_key: format!("declared {value}"),
        ..known.clone()
    }])
    .await;
}

on_both!(the_declared_count_is_that_of_the_latest_period, Small, async |app| {
    let declared = async || {
        let answer = app.anct().ask(r#"{ site(by: { code: "cde-901" }) { declaredActionCount } }"#).await;
        answer.data("/site/declaredActionCount").clone()
    };
    assert_eq!(declared().await, "40");
    declare(app, 7, None).await;
    assert_eq!(declared().await, "40", "a figure without date is the latest of none");
    declare(app, 50, Some(("2023-Q2", "2023-04-01", "2023-06-30"))).await;
    assert_eq!(declared().await, "50");
});

on_both!(a_link_to_a_qpv_says_how_sure_it_is_and_stays_known_after_its_end, Small, async |app| {
    app.insert([site_qpv::Model {
        id: Uuid::now_v7(),
        site_id: id(Kind::Site, 3),
        qpv_id: id(Kind::Qpv, 1),
        status: SiteQpvStatus::Associated,
        starts_on: Some("2021-01-01".parse().expect("a day")),
        ends_on: Some("2022-12-31".parse().expect("a day")),
        provenance: Provenance::Confirmed,
    }])
    .await;
    let document = r#"{ site(by: { code: "cde-903" }) { qpvs { totalCount } perimeter { totalCount nodes {
        status from to provenance qpv { code } site { code } } } } }"#;
    let expected = json!({ "qpvs": { "totalCount": 0 }, "perimeter": { "totalCount": 1, "nodes": [{
        "status": "ASSOCIATED", "from": "2021-01-01", "to": "2022-12-31", "provenance": "CONFIRMED",
        "qpv": { "code": "QP069018" }, "site": { "code": "cde-903" } }] } });
    assert_eq!(app.public().ask(document).await.data("/site"), &expected);
    let document =
        r#"{ qpv(by: { code: "QN06916M" }) { perimeters { nodes { provenance to site { code } } } } }"#;
    let links = json!([
        { "provenance": "DERIVED", "to": null, "site": { "code": "cde-901" } },
        { "provenance": "DERIVED", "to": null, "site": { "code": "cde-902" } },
    ]);
    assert_eq!(app.public().ask(document).await.data("/qpv/perimeters/nodes"), &links);
});

on_both!(what_sites_lack_is_one_question, Small, async |app| {
    let all = app.anct().ask("{ sites { nodes { name completeness { missing } } } }").await;
    let lacking = |wanted: &[&str]| -> Vec<String> {
        let lacks = |site: &&serde_json::Value| {
            let missing = site["completeness"]["missing"].as_array().expect("a list");
            missing.iter().any(|one| wanted.iter().any(|name| one == name))
        };
        let name = |site: &serde_json::Value| site["name"].as_str().expect("a name").to_owned();
        all.list("/sites/nodes").iter().filter(lacks).map(name).collect()
    };
    let asked = async |filter: &str| {
        let document =
            format!("{{ sites(filter: {{ completenessMissing: {filter} }}) {{ nodes {{ name }} }} }}");
        app.anct().ask(&document).await.column("/sites/nodes", "name")
    };
    let mut told = 0;
    for name in [
        "CODE",
        "LABEL_MILESTONE",
        "QPV",
        "STATE_COPILOTE",
        "COLLECTIVITY_COPILOTE",
        "PORTEUR",
        "COPIL",
        "ROADMAP",
    ] {
        let found = asked(&format!("{{ has: {name} }}")).await;
        assert_eq!(found, lacking(&[name]), "{name}");
        told += usize::from(!found.is_empty() && found.len() < 4);
    }
    assert!(told > 2, "a world where all sites lack the same would show nothing");
    assert_eq!(asked("{ hasAny: [CODE, QPV] }").await, lacking(&["CODE", "QPV"]));
    assert_eq!(asked("{ isEmpty: false }").await.len() + asked("{ isEmpty: true }").await.len(), 4);
});
