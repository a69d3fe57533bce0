//! What a request may ask: each limit just met and just passed. A document that is refused is refused at once.

use std::fmt::Write as _;
use std::time::Duration;

use cites::limits;
use serde_json::json;
use tests::on_both;

/// The same field many times, each under an alias of its own.
fn many(count: usize, field: &str) -> String {
    (0..count).fold(String::new(), |mut text, index| {
        let _ = write!(text, "a{index}:{field} ");
        text
    })
}

/// A list of as many items.
fn items(count: usize, item: &str) -> String {
    vec![item; count].join(",")
}

/// A path of QPV and their predecessors, `depth` fields deep in all.
fn deep(depth: usize) -> String {
    let mut document = "code".to_owned();
    for level in (1..depth - 1).rev() {
        let field = if level % 2 == 1 { "predecessors" } else { "qpv" };
        document = format!("{field} {{ {document} }}");
    }
    // an odd number of steps ends in a predecessor, whose field is its kind
    if depth % 2 == 1 {
        document = document.replace("code", "kind");
    }
    format!("{{ qpv(by: {{ code: \"QN06916M\" }}) {{ {document} }} }}")
}

on_both!(each_limit_of_a_document_is_met_and_then_refused, Small, async |app| {
    let nested = |depth: usize| (1..depth).fold("{}".to_owned(), |filter, _| format!("{{ not: {filter} }}"));
    let cases: [(&str, String, String); 9] = [
        ("root fields", many(limits::ROOT_FIELDS, "__typename"), many(limits::ROOT_FIELDS + 1, "__typename")),
        (
            "fields",
            format!("viewer {{ {} }}", many(limits::FIELDS - 1, "role")),
            format!("viewer {{ {} }}", many(limits::FIELDS, "role")),
        ),
        (
            "values of `in`",
            format!(
                "sites(filter: {{ name: {{ in: [{}] }} }}) {{ totalCount }}",
                items(limits::FILTER_IN_MAX, "\"x\"")
            ),
            format!(
                "sites(filter: {{ name: {{ in: [{}] }} }}) {{ totalCount }}",
                items(limits::FILTER_IN_MAX + 1, "\"x\"")
            ),
        ),
        (
            "nesting of a filter",
            format!("sites(filter: {}) {{ totalCount }}", nested(limits::FILTER_DEPTH + 1)),
            format!("sites(filter: {}) {{ totalCount }}", nested(limits::FILTER_DEPTH + 2)),
        ),
        (
            "conditions of a filter",
            format!(
                "sites(filter: {{ or: [{}] }}) {{ totalCount }}",
                items(limits::FILTER_CONDITIONS, "{name:{eq:\"x\"}}")
            ),
            format!(
                "sites(filter: {{ or: [{}] }}) {{ totalCount }}",
                items(limits::FILTER_CONDITIONS + 1, "{name:{eq:\"x\"}}")
            ),
        ),
        (
            "searched text",
            format!(
                "sites(filter: {{ name: {{ contains: \"{}\" }} }}) {{ totalCount }}",
                "x".repeat(limits::FILTER_TEXT_CHARS)
            ),
            format!(
                "sites(filter: {{ name: {{ contains: \"{}\" }} }}) {{ totalCount }}",
                "x".repeat(limits::FILTER_TEXT_CHARS + 1)
            ),
        ),
        (
            "points",
            format!("qpvsAt(points: [{}]) {{ __typename }}", items(limits::POINTS_MAX, "{lon:4,lat:45}")),
            format!("qpvsAt(points: [{}]) {{ __typename }}", items(limits::POINTS_MAX + 1, "{lon:4,lat:45}")),
        ),
        (
            "ids",
            format!(
                "nodes(ids: [{}]) {{ id }}",
                items(limits::NODES_MAX, "\"site_01h455vb4pex5vsknk084sn02q\"")
            ),
            format!(
                "nodes(ids: [{}]) {{ id }}",
                items(limits::NODES_MAX + 1, "\"site_01h455vb4pex5vsknk084sn02q\"")
            ),
        ),
        (
            "lists",
            format!("sites {{ nodes {{ {} }} }}", many(limits::LEVELS - 1, "seats { nodes { kind } }")),
            format!("sites {{ nodes {{ {} }} }}", many(limits::LEVELS, "seats { nodes { kind } }")),
        ),
    ];
    for (what, within, beyond) in cases {
        let answer = app.public().ask(&format!("{{ {within} }}")).await;
        assert!(answer.errors().is_empty(), "{what}, within: {answer}");
        assert_eq!(
            app.public().ask(&format!("{{ {beyond} }}")).await.code(),
            "LIMIT_EXCEEDED",
            "{what}, beyond"
        );
    }
    assert!(app.public().ask(&deep(limits::DEPTH)).await.errors().is_empty());
    assert_eq!(app.public().ask(&deep(limits::DEPTH + 1)).await.code(), "LIMIT_EXCEEDED");
});

on_both!(a_document_of_fragments_that_double_is_refused_at_once, Small, async |app| {
    let mut bomb = "{ ...f0 }".to_owned();
    for level in 0..40 {
        let next = level + 1;
        let _ = write!(bomb, " fragment f{level} on Query {{ ...f{next} ...f{next} }}");
    }
    bomb.push_str(" fragment f40 on Query { __typename viewer { role } }");
    let answer = tokio::time::timeout(Duration::from_secs(20), async { app.public().ask(&bomb).await });
    assert_eq!(answer.await.expect("an answer long before that").code(), "LIMIT_EXCEEDED");
    let circle = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a __typename }";
    assert_eq!(app.public().ask(circle).await.code(), "GRAPHQL_VALIDATION_FAILED");
});

on_both!(the_introspection_of_clients_fits_the_limits, Small, async |app| {
    let mut of_type = "kind name".to_owned();
    for _ in 0..9 {
        of_type = format!("kind name ofType {{ {of_type} }}");
    }
    let document = format!(
        "query IntrospectionQuery {{ __schema {{ types {{ ...FullType }} }} }}
         fragment FullType on __Type {{ fields(includeDeprecated: true) {{ args {{ ...Value }} type {{ ...Ref }} }} }}
         fragment Value on __InputValue {{ name type {{ ...Ref }} defaultValue }}
         fragment Ref on __Type {{ {of_type} }}"
    );
    let answer = app.public().operation(&document, "IntrospectionQuery", json!({})).await;
    assert!(answer.errors().is_empty(), "{answer}");
});
