//! What everybody reads alike: reference data. And the little that differs in it.

use serde_json::{Value, json};
use tests::{GrantedSites, on_both};

const REFERENCE: &str = "{
  regions { totalCount nodes { code name } } departements { totalCount nodes { code } }
  departement(by: { code: \"69\" }) { name region { code } communes { nodes { code } } qpvs { nodes { code } } }
  epcis { nodes { siren name kind departement { code } } } epci(by: { siren: \"200046977\" }) { communes { nodes { code } } }
  commune(by: { code: \"69256\" }) { name epci { siren } qpvs { nodes { code } } }
  contratsVille { nodes { code name } } contratVille(by: { code: \"CV125\" }) { generation departement { code } }
  qpvs { totalCount nodes { code centroid { lon } predecessors { kind qpv { code } } successors { kind qpv { code } } } }
  qpvAt(point: { lon: 3, lat: 45.5 }) { code }
  qpvsAt(points: [{ lon: 3, lat: 45.5 }, { lon: 5, lat: 45.5 }, { lon: 50, lat: 45.5 }]) { qpv { code } }
}";

on_both!(reference_data_is_the_same_for_all, Small, async |app| {
    let public = app.public().ask(REFERENCE).await;
    assert_eq!(public.number("/qpvs/totalCount"), 4);
    let partner = app.partner("OTHER", GrantedSites::All).await;
    for persona in [app.anct(), app.prefecture(&["69"]), app.collectivite(&["200046977"]), partner] {
        assert_eq!(persona.ask(REFERENCE).await.data(""), public.data(""));
    }
});

on_both!(a_tombstone_of_a_qpv_is_on_no_map, Small, async |app| {
    let answer = app.anct().ask(REFERENCE).await;
    assert_eq!(answer.data("/qpvAt/code"), "QN06916M");
    assert_eq!(
        answer.data("/qpvsAt"),
        &json!([{ "qpv": { "code": "QN06916M" } }, { "qpv": null }, { "qpv": null }])
    );
    let sites = "{ site(by: { code: \"cde-901\" }) { qpvs { nodes { code } } } }";
    assert_eq!(app.anct().ask(sites).await.column("/site/qpvs/nodes", "code"), ["QN06916M", "QP069018"]);
});

on_both!(what_lies_at_a_point_is_read_under_the_caller_s_rights, Small, async |app| {
    let document = "{ qpvAt(point: { lon: 3, lat: 45.5 }) { sites { nodes { name } } actions { totalCount } } \
                    qpvsAt(points: [{ lon: 3, lat: 45.5 }]) { qpv { sites { totalCount } } } }";
    let answer = app.public().ask(document).await;
    assert_eq!(answer.column("/qpvAt/sites/nodes", "name"), ["Deux Rives", "Échirolles d'en haut 100 %"]);
    assert_eq!(answer.number("/qpvsAt/0/qpv/sites/totalCount"), 2);
    let all = app.anct().ask(document).await;
    assert_eq!(all.number("/qpvsAt/0/qpv/sites/totalCount"), 3, "the candidate too");
    assert!(all.number("/qpvAt/actions/totalCount") > answer.number("/qpvAt/actions/totalCount"));
});

on_both!(my_sites_are_those_of_my_role_alone, Small, async |app| {
    let document =
        "{ viewer { role source departements sirens scopes sites { totalCount nodes { name } } } }";
    let partner = app.partner("OTHER", GrantedSites::Codes(&["cde-902"])).await;
    for (persona, expected) in [
        (app.public(), 3),
        (app.anct(), 4),
        (app.prefecture(&["69"]), 1),
        (app.prefecture(&["38", "93"]), 2),
        (app.prefecture(&[]), 0),
        (app.collectivite(&["200046977"]), 2),
        (partner, 1),
    ] {
        let answer = persona.ask(document).await;
        assert_eq!(answer.number("/viewer/sites/totalCount"), expected, "{answer}");
    }
    assert_eq!(app.public().ask(document).await.data("/viewer/scopes"), &json!([]));
    assert_eq!(app.public().ask(document).await.data("/viewer/source"), &Value::Null);
});

on_both!(milestones_and_what_is_missing_show_nothing_of_hidden_sites, Small, async |app| {
    let document = "{ sites { nodes { code milestones { kind start } completeness { missing } recordedActionCount \
                    declaredActionCount actions { totalCount } } } }";
    for persona in [app.public(), app.anct(), app.prefecture(&["02"])] {
        for site in persona.ask(document).await.list("/sites/nodes") {
            assert_eq!(site["milestones"], json!([{ "kind": "LABEL", "start": "2021-Q3" }]));
            assert_eq!(site["recordedActionCount"], site["actions"]["totalCount"], "{site}");
        }
    }
});
