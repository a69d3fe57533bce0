//! What is wrong in a request is said: a stable code, what was expected, nothing of the inside.

use serde_json::{Value, json};
use tests::{Answer, on_both, world};

/// No error tells of tables, statements, files or types of the program.
fn assert_discreet(answer: &Answer) {
    let text = answer.body.to_string().to_lowercase();
    for word in ["sql", "select ", "postgres", "panicked", ".rs", "sea_orm", "deleted_at", "no such column"] {
        assert!(!text.contains(word), "{word:?} in {answer}");
    }
    for error in answer.errors() {
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer}");
        assert!(error["extensions"]["code"].as_str().is_some_and(|code| !code.is_empty()), "{answer}");
    }
}

on_both!(what_is_no_graphql_request_is_refused, Small, async |app| {
    for (body, status, code) in [
        ("", 400, "BAD_REQUEST"),
        ("{", 400, "BAD_REQUEST"),
        ("[]", 400, "BAD_REQUEST"),
        ("null", 400, "BAD_REQUEST"),
        ("{\"query\": 3}", 400, "BAD_REQUEST"),
        ("{\"variables\": {}}", 400, "BAD_REQUEST"),
        ("{\"query\": \"{ sites { totalCount } }\", \"variables\": []}", 400, "BAD_REQUEST"),
        ("{\"query\": \"\"}", 400, "GRAPHQL_PARSE_FAILED"),
        ("{\"query\": \"{ sites {\"}", 400, "GRAPHQL_PARSE_FAILED"),
    ] {
        let answer = app.send(None, body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}: {answer}");
        assert_discreet(&answer);
    }
    let huge = format!("{{\"query\": \"{{ sites {{ totalCount }} }} # {}\"}}", "x".repeat(2 << 20));
    assert_eq!(app.send(None, huge).await.code(), "PAYLOAD_TOO_LARGE");
});

/// Documents without variables, and the code that answers each.
const DOCUMENTS: &[(&str, &str)] = &[
    ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ sites { nodes { nothing } } }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ sites }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ viewer { role { x } } }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ sites(first: \"3\") { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ sites(filter: { status: { eq: NOTHING } }) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ sites(filter: { nothing: { eq: 1 } }) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ sites(orderBy: [{ field: NOTHING }]) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ site { name } }", "GRAPHQL_VALIDATION_FAILED"),
    ("query ($x: Nothing) { sites { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ ...missing }", "GRAPHQL_VALIDATION_FAILED"),
    ("mutation { nothing }", "GRAPHQL_VALIDATION_FAILED"),
    ("{ sites(first: -1) { totalCount } }", "BAD_USER_INPUT"),
    ("{ sites(first: 1000) { totalCount } }", "BAD_USER_INPUT"),
    ("{ node(id: \"site_\") { id } }", "INVALID_ID"),
    ("{ node(id: \"\") { id } }", "INVALID_ID"),
    ("{ node(id: \"nothing_01h455vb4pex5vsknk084sn02q\") { id } }", "INVALID_ID"),
    ("{ action(by: { id: \"site_01h455vb4pex5vsknk084sn02q\" }) { id } }", "INVALID_ID"),
    ("query A { sites { totalCount } } query B { sites { totalCount } }", "OPERATION_NOT_FOUND"),
    ("{ qpvAt(point: { lon: 200, lat: 45 }) { code } }", "BAD_USER_INPUT"),
];

on_both!(each_fault_of_a_document_has_its_code, Small, async |app| {
    for (document, code) in DOCUMENTS {
        let answer = app.public().ask(document).await;
        let codes: Vec<&str> =
            answer.errors().iter().filter_map(|error| error["extensions"]["code"].as_str()).collect();
        assert!(!codes.is_empty() && codes.iter().all(|known| known == code), "{document}: {answer}");
        assert!(matches!(answer.status, 200 | 400), "{document}: {answer}");
        assert_discreet(&answer);
    }
});

/// The type of a variable, the field that takes it, a value, the code.
const VARIABLES: &[(&str, &str, Value, &str)] = &[
    ("Int", "sites(first: $v) { totalCount }", Value::Bool(true), "BAD_USER_INPUT"),
    ("Int!", "sites(first: $v) { totalCount }", Value::Null, "BAD_USER_INPUT"),
    ("SiteCode!", "site(by: { code: $v }) { name }", Value::Null, "BAD_USER_INPUT"),
];

on_both!(each_fault_of_a_variable_has_its_code, Small, async |app| {
    for (ty, field, value, code) in VARIABLES {
        let answer =
            app.public().query(&format!("query ($v: {ty}) {{ {field} }}"), json!({ "v": value })).await;
        assert_eq!(answer.code(), *code, "{ty} {value}: {answer}");
        assert_eq!(answer.status, 400);
    }
    let missing = app.public().ask("query ($v: SiteCode!) { site(by: { code: $v }) { name } }").await;
    assert_eq!(missing.code(), "BAD_USER_INPUT");
    let wrong = app
        .public()
        .query("query ($f: SiteFilter) { sites(filter: $f) { totalCount } }", json!({ "f": { "x": 1 } }))
        .await;
    assert_eq!(wrong.code(), "BAD_USER_INPUT");
    let both = json!({ "by": { "code": "cde-901", "id": "site_01h455vb4pex5vsknk084sn02q" } });
    for by in [both, json!({ "by": {} }), json!({ "by": { "code": null } })] {
        let answer = app.public().query("query ($by: SiteBy!) { site(by: $by) { name } }", by).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{answer}");
    }
});

on_both!(a_malformed_code_says_what_is_expected, Small, async |app| {
    for (ty, field, bad) in [
        ("SiteCode", "sites(filter: { code: { eq: $v } }) { totalCount }", "CDE-24"),
        ("QpvCode", "qpvs(filter: { code: { eq: $v } }) { totalCount }", "QN06916"),
        ("DepartementCode", "sites(filter: { departement: { eq: $v } }) { totalCount }", "20"),
        ("CommuneCode", "communes(filter: { code: { eq: $v } }) { totalCount }", "96001"),
        ("RegionCode", "regions(filter: { code: { eq: $v } }) { totalCount }", "05"),
        ("Siret", "partners(filter: { siret: { eq: $v } }) { totalCount }", "20003452800041"),
        ("PartialDate", "actions(filter: { startsOn: { gte: $v } }) { totalCount }", "2022-13"),
        ("DateTime", "actions(filter: { createdAt: { gte: $v } }) { totalCount }", "yesterday"),
        ("Decimal", "figures(filter: { value: { gte: $v } }) { totalCount }", "1,5"),
    ] {
        let answer =
            app.public().query(&format!("query ($v: {ty}) {{ {field} }}"), json!({ "v": bad })).await;
        assert_eq!(answer.code(), "INVALID_FORMAT", "{ty}: {answer}");
        let expected = answer.errors()[0]["extensions"]["expected"].as_str().unwrap_or_default();
        assert!(!expected.is_empty(), "{answer}");
        assert_discreet(&answer);
        let literal = field.replace("$v", &format!("\"{bad}\""));
        assert_eq!(
            app.public().ask(&format!("{{ {literal} }}")).await.code(),
            "INVALID_FORMAT",
            "{ty}, in the document"
        );
    }
});

on_both!(an_unknown_code_is_absent_not_an_error, Small, async |app| {
    let answer = app
        .public()
        .ask("{ site(by: { code: \"cde-999\" }) { name } qpv(by: { code: \"QN01101M\" }) { name } }")
        .await;
    assert_eq!(answer.data(""), &json!({ "site": null, "qpv": null }));
});

on_both!(limits_are_kept, Small, async |app| {
    let deep = format!("{}{}{}", "{ not: ".repeat(20), "{}", " }".repeat(20));
    let wide = format!("{{ or: [{}] }}", "{ status: { eq: DRAFT } } ".repeat(200));
    let long = format!("{{ title: {{ contains: \"{}\" }} }}", "é".repeat(300));
    for filter in [deep, wide, long] {
        let answer = app.public().ask(&format!("{{ actions(filter: {filter}) {{ totalCount }} }}")).await;
        assert_eq!(answer.code(), "LIMIT_EXCEEDED", "{filter}");
    }
    let many = json!({ "v": vec!["DRAFT"; 1001] });
    let answer = app
        .public()
        .query("query ($v: [ActionStatus!]) { actions(filter: { status: { in: $v } }) { totalCount } }", many)
        .await;
    assert_eq!(answer.code(), "LIMIT_EXCEEDED");
    let ids = json!({ "v": vec![cites::ids::encode("site", world::id(world::Kind::Site, 1)); 101] });
    assert_eq!(
        app.public().query("query ($v: [ID!]!) { nodes(ids: $v) { id } }", ids).await.code(),
        "LIMIT_EXCEEDED"
    );
    let roots = (0..30).map(|n| format!("a{n}: sites {{ totalCount }}")).collect::<Vec<_>>().join(" ");
    assert_eq!(app.public().ask(&format!("{{ {roots} }}")).await.code(), "LIMIT_EXCEEDED");
});

on_both!(an_error_in_one_field_names_its_path, Small, async |app| {
    let answer = app.public().ask("{ good: sites { totalCount } bad: node(id: \"nothing\") { id } }").await;
    assert_eq!(answer.code(), "INVALID_ID");
    assert_eq!(answer.errors()[0]["path"], json!(["bad"]));
    assert_eq!(answer.partial("/good/totalCount"), 3);
    assert_eq!(answer.partial("/bad"), &Value::Null);
});

on_both!(an_answer_names_its_request, Small, async |app| {
    let answer = app.public().ask("{ sites { totalCount } }").await;
    assert!(!answer.header("x-request-id").is_empty(), "{:?}", answer.headers);
});

on_both!(other_paths_and_methods_are_refused_with_a_code, Small, async |app| {
    let answer = app.get("/nothing").await;
    assert_eq!((answer.status, answer.code()), (404, "NOT_FOUND"));
    assert_eq!(app.get("/health/live").await.status, 200);
    assert_eq!(app.get("/health/ready").await.status, 200);
    let answer = app.get("/graphql?query=%7Bsites%7BtotalCount%7D%7D").await;
    assert_eq!(answer.number("/sites/totalCount"), 3);
});

on_both!(a_refused_token_says_how_to_ask, Small, async |app| {
    let body = json!({ "query": "{ viewer { role } }" });
    for authorization in ["", "Basic x", "Bearer", "Bearer a b"] {
        let answer = app.post(Some(authorization), &body).await;
        assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED"), "{authorization}: {answer}");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"cites\"");
    }
    let bearer = app.anct().authorization().expect("a token");
    app.clock.advance(2 * 86_400);
    for (authorization, code) in [("Bearer x", "TOKEN_INVALID"), (bearer.as_str(), "TOKEN_EXPIRED")] {
        let answer = app.post(Some(authorization), &body).await;
        assert_eq!((answer.status, answer.code()), (401, code), "{answer}");
        let challenge = answer.header("www-authenticate");
        let message = answer.errors()[0]["message"].as_str().unwrap_or_default();
        assert!(challenge.starts_with("Bearer realm=\"cites\", error=\"invalid_token\""), "{challenge}");
        assert!(!message.is_empty() && challenge.contains(message), "{challenge}");
    }
});
