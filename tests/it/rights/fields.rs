//! Fields that some roles do not read: null to them, never an error that tells they exist.

use base64::Engine;
use cites::auth::Scope;
use serde_json::Value;
use tests::{GrantedSites, Persona, on_both};

/// Asserts that each of these fields of the first node is null, or that none is.
async fn are_null(persona: &Persona<'_>, list: &str, fields: &str, null: bool) {
    let answer = persona.ask(&format!("{{ list: {list} {{ nodes {{ {fields} }} }} }}")).await;
    let nodes = answer.list("/list/nodes");
    assert!(!nodes.is_empty(), "{list}: {answer}");
    for (name, value) in nodes.iter().flat_map(|node| node.as_object().expect("an object")) {
        assert_eq!(value.is_null(), null, "{name} of {list}: {answer}");
    }
}

on_both!(public_reads_only_name_kind_commune_and_website_of_partners, Small, async |app| {
    let list = "partners(filter: { name: { contains: \"agence\" } })";
    let restricted =
        "siren safirCode status version createdAt updatedAt source { system } departement { code }";
    are_null(&app.public(), list, restricted, true).await;
    are_null(&app.public(), list, "name kind website commune { code }", false).await;
    for persona in [app.anct(), app.prefecture(&["38"]), app.partner("OTHER", GrantedSites::Codes(&[])).await]
    {
        are_null(&persona, list, restricted, false).await;
    }
});

on_both!(public_reads_only_kind_cadence_and_origin_of_committees, Small, async |app| {
    are_null(&app.public(), "governanceBodies", "kind origin cadence { every unit }", false).await;
    let restricted = "name attachedTo scaleLabel status version createdAt updatedAt";
    are_null(&app.public(), "governanceBodies", restricted, true).await;
    are_null(&app.anct(), "governanceBodies", restricted, false).await;
    let answer =
        app.public().ask("{ governanceBodies { nodes { members { seat } meetings { totalCount } } } }").await;
    for body in answer.list("/governanceBodies/nodes") {
        assert_eq!(body["members"].as_array().map(Vec::len), Some(0));
        assert_eq!(body["meetings"]["totalCount"], 0);
    }
});

on_both!(a_collectivity_reads_the_names_of_its_own_committees_alone, Small, async |app| {
    let document = "{ governanceBodies { nodes { name site { code } } } }";
    let answer = app.collectivite(&["200046977"]).ask(document).await;
    let named: Vec<(&Value, bool)> = answer
        .list("/governanceBodies/nodes")
        .iter()
        .map(|body| (&body["site"]["code"], body["name"].is_string()))
        .collect();
    // its own, among them the candidate site without a code, and those that the public sees
    let expected = [("cde-901", true), ("cde-902", false), ("cde-903", false)];
    for (code, is_named) in expected {
        assert!(named.iter().any(|(known, name)| *known == code && *name == is_named), "{named:?}");
    }
    assert!(named.iter().any(|(known, name)| known.is_null() && *name), "{named:?}");
    let related = "{ sites { nodes { code governanceBodies { nodes { name } } } } }";
    for site in app.collectivite(&["200046977"]).ask(related).await.list("/sites/nodes") {
        let is_own = site["code"].is_null() || site["code"] == "cde-901";
        assert_eq!(site["governanceBodies"]["nodes"][0]["name"].is_string(), is_own, "{site}");
    }
});

on_both!(persons_need_their_own_scope, Small, async |app| {
    let list = "referents";
    are_null(&app.anct(), list, "firstName lastName email phone function", false).await;
    for persona in [app.anct(), app.prefecture(&["69"]), app.collectivite(&["200046977"])] {
        let without = persona.scopes(&[Scope::Read, Scope::Write, Scope::Admin]);
        let answer =
            without.ask("{ referents { totalCount } sites { nodes { referents { totalCount } } } }").await;
        assert_eq!(answer.number("/referents/totalCount"), 0);
        assert!(
            answer.list("/sites/nodes").iter().all(|site| site["referents"]["totalCount"] == 0),
            "{answer}"
        );
    }
    let partner = app.partner("OTHER", GrantedSites::All).await.scopes(&Scope::ALL);
    assert_eq!(partner.ask("{ referents { totalCount } }").await.number("/referents/totalCount"), 0);
});

on_both!(small_counts_of_persons_are_masked_to_whom_they_are_not_his, Small, async |app| {
    let document = "{ figures(first: 100, filter: { indicator: { eq: BENEFICIARY_COUNT }, subject: { eq: QPV } }) { nodes \
                    { value qpv { code } } } }";
    let value = async |persona: Persona<'_>, code: &str| {
        let answer = persona.ask(document).await;
        let figure = answer.list("/figures/nodes").iter().find(|figure| figure["qpv"]["code"] == code);
        figure.unwrap_or_else(|| panic!("no figure: {answer}"))["value"].clone()
    };
    assert_eq!(value(app.public(), "QN06916M").await, Value::Null);
    assert_eq!(value(app.public(), "QN05901I").await, "30");
    assert_eq!(value(app.anct(), "QN06916M").await, "3");
    assert_eq!(value(app.prefecture(&["69"]), "QN06916M").await, "3");
    assert_eq!(value(app.prefecture(&["38"]), "QN06916M").await, Value::Null);
});

on_both!(a_masked_count_is_not_found_by_its_value_either, Small, async |app| {
    let filter = "{ indicator: { eq: BENEFICIARY_COUNT }, value: { lt: \"5\" } }";
    let document = format!("{{ figures(filter: {filter}) {{ totalCount }} }}");
    assert_eq!(app.public().ask(&document).await.number("/figures/totalCount"), 0);
    assert_ne!(app.anct().ask(&document).await.number("/figures/totalCount"), 0);
});

on_both!(statistics_mask_small_counts_however_they_are_grouped, Small, async |app| {
    // one action at a time, which any group may come down to
    let actions = "{ actions(first: 100, filter: { figures: { some: {} } }) { nodes { id figures { nodes { value } } } } }";
    let answer = app.public().ask(actions).await;
    let masked: Vec<&Value> = answer
        .list("/actions/nodes")
        .iter()
        .filter(|action| action["figures"]["nodes"][0]["value"].is_null())
        .map(|action| &action["id"])
        .collect();
    assert!(!masked.is_empty(), "{answer}");
    for id in masked.into_iter().take(3) {
        for group in ["", "SITE", "QPV, QUARTER", "CATEGORY"] {
            let document = format!(
                "{{ actionStatistics(groupBy: [{group}], filter: {{ id: {{ eq: {id} }} }}) {{ beneficiaryCount }} }}"
            );
            let answer = app.public().ask(&document).await;
            assert!(
                answer.list("/actionStatistics").iter().all(|row| row["beneficiaryCount"].is_null()),
                "{answer}"
            );
        }
    }
});

on_both!(what_may_not_be_read_is_not_told_by_a_filter, Small, async |app| {
    let count = async |document: &str| app.public().ask(document).await.number("/list/totalCount");
    let partners = count("{ list: partners { totalCount } }").await;
    for (filter, expected) in [
        ("siren: { eq: \"356000000\" }", 0),
        ("siren: { in: [\"356000000\", \"200046977\"] }", 0),
        ("siren: { isNull: false }", 0),
        ("siren: { ne: \"356000000\" }", partners),
        ("siren: { notIn: [\"356000000\"] }", partners),
        ("not: { siren: { eq: \"356000000\" } }", partners),
        ("siren: { isNull: true }", partners),
        ("sourceSystem: { eq: \"FRANCE_TRAVAIL\" }", 0),
        ("status: { eq: MERGED }", 0),
        ("departement: { eq: \"69\" }", 0),
        ("mergedInto: { name: { contains: \"mission\" } }", 0),
        ("updatedAt: { gt: \"2000-01-01T00:00:00Z\" }", 0),
    ] {
        let document = format!("{{ list: partners(filter: {{ {filter} }}) {{ totalCount }} }}");
        assert_eq!(count(&document).await, expected, "{filter}");
    }
    for filter in
        ["name: { eq: \"Instance secrète 1\" }", "attachedTo: { isNull: false }", "status: { eq: ACTIVE }"]
    {
        let document = format!("{{ list: governanceBodies(filter: {{ {filter} }}) {{ totalCount }} }}");
        assert_eq!(count(&document).await, 0, "{filter}");
        let nested = format!(
            "{{ list: sites(filter: {{ governanceBodies: {{ some: {{ {filter} }} }} }}) {{ totalCount }} }}"
        );
        assert_eq!(count(&nested).await, 0, "{filter}");
    }
});

on_both!(nor_by_a_filter_that_comes_from_another_row, Small, async |app| {
    for (list, filter) in [
        ("actions", "lead: { siren: { isNull: false } }"),
        ("actions", "partners: { some: { status: { eq: ACTIVE } } }"),
        ("sites", "seats: { some: { partner: { siren: { eq: \"200046977\" } } } }"),
        ("seats", "partner: { updatedAt: { gt: \"2000-01-01T00:00:00Z\" } }"),
        ("sites", "actions: { some: { lead: { safirCode: { eq: \"69050\" } } } }"),
    ] {
        let document = format!("{{ list: {list}(filter: {{ {filter} }}) {{ totalCount }} }}");
        assert_eq!(app.public().ask(&document).await.number("/list/totalCount"), 0, "{filter}");
        assert_ne!(app.anct().ask(&document).await.number("/list/totalCount"), 0, "{filter}");
    }
});

on_both!(an_order_by_what_may_not_be_read_is_no_order, Small, async |app| {
    let document =
        "{ partners(orderBy: [{ field: CREATED_AT, direction: DESC }]) { nodes { id } edges { cursor } } }";
    let answer = app.public().ask(document).await;
    // by id then, in the direction asked
    let ids = answer.column("/partners/nodes", "id");
    let mut sorted = ids.clone();
    sorted.sort();
    sorted.reverse();
    assert_eq!(ids, sorted);
    let cursors = answer.column("/partners/edges", "cursor");
    for cursor in cursors {
        assert!(!inside(&cursor).contains("168"), "a cursor tells an instant");
    }
});

/// The text inside a cursor: clients must not look, but they can.
fn inside(cursor: &str) -> String {
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(cursor).expect("base64");
    String::from_utf8(bytes).expect("a text")
}
