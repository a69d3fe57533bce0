//! Documents and variables that the specification refuses: refused here too, before anything is executed.
//!
//! graphql-js judges each beside the API, so that the table cannot be wrong about the specification.

use serde_json::{Value, json};
use tests::differential::{Differential, Request, Response};
use tests::on_both;

/// What is refused, by what is wrong with it. `SITE` stands for the look-up of a site, `MUTATION` for the update of
/// an action.
const DOCUMENTS: &[(&str, &str)] = &[
    // fields
    ("a field that is not there", "{ SITE { nom } }"),
    ("a root field that is not there", "{ cites { id } }"),
    ("a field that is not there, in a fragment", "{ SITE { ...F } } fragment F on Site { nom }"),
    ("a field of an object, asked of the interface", r#"{ node(id: "x") { name } }"#),
    ("a selection below a value", "{ SITE { name { x } } }"),
    ("no selection below an object", "{ SITE }"),
    ("an empty selection", "{ SITE { } }"),
    ("no selection below a connection", "{ sites(first: 1) }"),
    // __typename
    ("a selection below __typename", "{ __typename { x } }"),
    ("an argument of __typename", "{ __typename(x: 1) }"),
    ("an unknown directive at __typename", "{ __typename @unknown }"),
    ("an undefined variable at __typename", "{ __typename @include(if: $no) }"),
    ("a directive twice at __typename", "{ __typename @include(if: true) @include(if: true) }"),
    ("a directive without argument at __typename", "{ __typename @include }"),
    ("a wrong literal at __typename", "{ __typename @include(if: 1) }"),
    // arguments and literals
    ("an argument that is not there", "{ sites(limit: 1) { totalCount } }"),
    ("an argument twice", "{ sites(first: 1, first: 2) { totalCount } }"),
    ("no argument where one is required", "{ site { name } }"),
    ("null where an argument is required", "{ node(id: null) { id } }"),
    ("null in a list that has none", "{ nodes(ids: [null]) { id } }"),
    ("an input field that is not there", r#"{ sites(filter: {nom: {eq: "x"}}) { totalCount } }"#),
    (
        "an input field that is not there, beside a variable",
        "query ($n: String) { sites(filter: {name: {eq: $n}, nom: 1}) { totalCount } }",
    ),
    ("no input field where one is required", "{ qpvAt(point: {lon: 1.0}) { id } }"),
    (
        "no input field where one is required, beside a variable",
        "query ($d: OrderDirection) { sites(orderBy: [{direction: $d}]) { totalCount } }",
    ),
    ("a text for an Int", r#"{ sites(first: "1") { totalCount } }"#),
    ("a fraction for an Int", "{ sites(first: 1.5) { totalCount } }"),
    ("an Int of more than 32 bits", "{ sites(first: 3000000000) { totalCount } }"),
    ("an Int for a text", "{ sites(filter: {name: {eq: 1}}) { totalCount } }"),
    ("an Int for a Boolean", "{ sites(filter: {name: {isNull: 1}}) { totalCount } }"),
    ("a Boolean for an ID", "{ node(id: true) { id } }"),
    ("a name for an ID", "{ node(id: X) { id } }"),
    ("a value that an enum has not", "{ sites(orderBy: [{field: NOM}]) { totalCount } }"),
    ("a text for an enum", r#"{ sites(orderBy: [{field: "NAME"}]) { totalCount } }"#),
    (
        "a text for an enum, as a default",
        r#"query ($d: OrderDirection = "ASC") { sites(orderBy: [{field: NAME, direction: $d}]) { totalCount } }"#,
    ),
    ("a list for a value", "{ sites(first: [1]) { totalCount } }"),
    ("a list in a list of values", r#"{ nodes(ids: [["x"]]) { id } }"#),
    ("an object for a value", "{ sites(first: {a: 1}) { totalCount } }"),
    ("a value for an object", "{ sites(filter: 1) { totalCount } }"),
    ("two keys where one is to be chosen", r#"{ site(by: {code: "cde-901", id: "x"}) { name } }"#),
    ("no key where one is to be chosen", "{ site(by: {}) { name } }"),
    ("null as the key that is chosen", "{ site(by: {code: null}) { name } }"),
    // fragments
    ("a fragment that is not there", "{ SITE { ...F } }"),
    ("a fragment that is not used", "{ SITE { name } } fragment F on Site { name }"),
    ("a fragment in itself", "{ SITE { ...F } } fragment F on Site { ...F }"),
    ("fragments in each other", "{ SITE { ...F } } fragment F on Site { ...G } fragment G on Site { ...F }"),
    (
        "a fragment in itself through a field",
        "{ SITE { ...F } } fragment F on Site { actions { nodes { site { ...F } } } }",
    ),
    ("an inline fragment that never applies", "{ SITE { ... on Qpv { name } } }"),
    ("a fragment that never applies", "{ SITE { ...F } } fragment F on Qpv { name }"),
    ("a fragment that applies to no node", r#"{ node(id: "x") { ... on PageInfo { hasNextPage } } }"#),
    ("a fragment on a scalar", "{ SITE { ... on String { name } } }"),
    ("a fragment on an input", "{ SITE { ... on SiteFilter { name } } }"),
    ("a fragment on a type that is not there", "{ SITE { ...F } } fragment F on Ville { name }"),
    (
        "two fragments of one name",
        "{ SITE { ...F } } fragment F on Site { name } fragment F on Site { code }",
    ),
    ("a fragment called on", "{ SITE { ...on } } fragment on on Site { name }"),
    // variables
    ("an undefined variable", "{ sites(first: $n) { totalCount } }"),
    (
        "an undefined variable in a fragment",
        "query ($m: Int) { sites(first: $m) { ...F } } fragment F on SiteConnection { nodes { actions(first: $n) { totalCount } } }",
    ),
    ("an undefined variable in an input object", "{ sites(filter: {name: {eq: $n}}) { totalCount } }"),
    ("an undefined variable in a list", "{ nodes(ids: [$n]) { id } }"),
    ("an unused variable", "query ($n: Int) { SITE { name } }"),
    ("a variable twice", "query ($n: Int, $n: Int) { sites(first: $n) { totalCount } }"),
    ("a variable of a type that is not there", "query ($n: Nombre) { sites(first: $n) { totalCount } }"),
    ("a variable of an object type", "query ($n: Site) { sites(first: $n) { totalCount } }"),
    ("a variable of another type", "query ($n: String) { sites(first: $n) { totalCount } }"),
    (
        "a variable of another type in an input object",
        "query ($n: Int) { sites(filter: {name: {eq: $n}}) { totalCount } }",
    ),
    (
        "a variable of another type in a fragment",
        "query ($n: Int) { ...F } fragment F on Query { sites(filter: {name: {eq: $n}}) { totalCount } }",
    ),
    ("a nullable variable where null may not stand", "query ($id: ID) { node(id: $id) { id } }"),
    ("a nullable variable that is null unless given", "query ($id: ID = null) { node(id: $id) { id } }"),
    ("two fields of a subscription", "subscription { changes { at } b: changes { at } }"),
    (
        "two fields of a subscription in fragments",
        "subscription { ...F ... on Subscription { b: changes { at } } } fragment F on Subscription { changes { at } }",
    ),
    ("introspection by a subscription", "subscription { __typename }"),
    ("an unknown field of a subscription", "subscription { sites { totalCount } }"),
    ("an argument that a subscription does not take", "subscription { changes(first: 1) { at } }"),
    ("a list with nulls for one without", "query ($ids: [ID]!) { nodes(ids: $ids) { id } }"),
    ("a list for its item", "query ($ids: [ID!]!) { node(id: $ids) { id } }"),
    ("an item for its list", "query ($id: ID!) { nodes(ids: $id) { id } }"),
    ("a default of another type", r#"query ($n: Int = "a") { sites(first: $n) { totalCount } }"#),
    ("null as default of what is never null", "query ($n: Int! = null) { sites(first: $n) { totalCount } }"),
    ("a variable as default", "query ($m: Int, $n: Int = $m) { sites(first: $n) { totalCount } }"),
    // directives
    ("an unknown directive", "{ SITE { name @cache } }"),
    ("a directive on an operation", "query @include(if: true) { SITE { name } }"),
    ("a directive on a fragment", "{ SITE { ...F } } fragment F on Site @skip(if: true) { name }"),
    ("a directive on a variable", "query ($n: Int @skip(if: true)) { sites(first: $n) { totalCount } }"),
    ("a directive of the schema", "{ SITE { name @oneOf } }"),
    ("a directive twice", "{ SITE { name @include(if: true) @include(if: true) } }"),
    ("a directive without its argument", "{ SITE { name @include } }"),
    ("a directive with another argument", "{ SITE { name @include(when: true) } }"),
    ("a text as condition", r#"{ SITE { name @include(if: "true") } }"#),
    ("a nullable condition", "query ($b: Boolean) { SITE { name @include(if: $b) } }"),
    ("a condition of another type", "query ($b: String!) { SITE { name @include(if: $b) } }"),
    // merging
    ("one key for two fields", "{ SITE { a: name a: code } }"),
    ("the name of a field for another", "{ SITE { name name: code } }"),
    ("one key for two arguments", "{ sites(first: 1) { totalCount } sites(first: 2) { totalCount } }"),
    ("one key with and without argument", "{ sites { totalCount } sites(first: 2) { totalCount } }"),
    (
        "one key for two variables",
        "query ($a: Int, $b: Int) { sites(first: $a) { totalCount } sites(first: $b) { totalCount } }",
    ),
    ("one key for two fields, one in a fragment", "{ SITE { a: name ... { a: code } } }"),
    ("one key for two fields, one under a condition", "{ SITE { a: name ... on Site { a: code } } }"),
    (
        "one key for two fields, one in a named fragment",
        "{ SITE { a: name ...F } } fragment F on Site { a: code }",
    ),
    (
        "one key for two fields of two fragments",
        "{ SITE { ...F ...G } } fragment F on Site { a: name } fragment G on Site { a: code }",
    ),
    ("one key for a field of the interface and another", "{ SITE { ... on Node { a: id } a: name } }"),
    ("one key for two fields below one that is asked twice", "{ SITE { a: name } SITE { a: code } }"),
    (
        "one key for two fields deep below one that is asked twice",
        "{ s: sites { nodes { a: name } } s: sites { ...F } } fragment F on SiteConnection { nodes { a: code } }",
    ),
    (
        "one key for two scalars of two types",
        r#"{ node(id: "x") { ... on Site { a: name } ... on Qpv { a: generation } } }"#,
    ),
    (
        "one key for a text and one that may be null",
        r#"{ node(id: "x") { ... on Site { a: name } ... on Action { a: description } } }"#,
    ),
    (
        "one key for a value and a list",
        r#"{ node(id: "x") { ... on Site { a: name } ... on Action { a: categories } } }"#,
    ),
    (
        "one key for a value and an object",
        r#"{ node(id: "x") { ... on Site { a: name } ... on Action { a: site { name } } } }"#,
    ),
    (
        "one key for two scalars below objects of two types",
        r#"{ node(id: "x") { ... on Site { a: roadmap { b: id } } ... on Axis { a: roadmap { b: version } } } }"#,
    ),
    ("one key for __typename and a field", "{ a: __typename a: viewer { role } }"),
    // mutations
    (
        "one key for two inputs of a mutation",
        r#"mutation { x: MUTATION(input: {id: "a", expectedVersion: 1}) { replayed } x: MUTATION(input: {id: "b", expectedVersion: 1}) { replayed } }"#,
    ),
    (
        "one key for two inputs of a mutation, one under a condition",
        r#"mutation { x: MUTATION(input: {id: "a", expectedVersion: 1}) { replayed } ... on Mutation { x: MUTATION(input: {id: "b", expectedVersion: 1}) { replayed } } }"#,
    ),
    (
        "one key for two inputs of a mutation, one in a fragment",
        r#"mutation { x: MUTATION(input: {id: "a", expectedVersion: 1}) { replayed } ...F } fragment F on Mutation { x: MUTATION(input: {id: "b", expectedVersion: 1}) { replayed } }"#,
    ),
    (
        "one key for two mutations",
        r#"mutation { x: MUTATION(input: {id: "a", expectedVersion: 1}) { replayed } ... { x: deleteAction(input: {id: "a", expectedVersion: 1}) { replayed } } }"#,
    ),
    (
        "one key for two fields of a payload",
        r#"mutation { MUTATION(input: {id: "a", expectedVersion: 1}) { a: replayed ... { a: __typename } } }"#,
    ),
    ("no input of a mutation", "mutation { MUTATION { replayed } }"),
    (
        "a text for an Int in the input of a mutation",
        r#"mutation { MUTATION(input: {id: "a", expectedVersion: "1"}) { replayed } }"#,
    ),
    (
        "a text for an Int in the input of a mutation, beside a variable",
        r#"mutation ($id: ID!) { MUTATION(input: {id: $id, expectedVersion: "1"}) { replayed } }"#,
    ),
    (
        "an input field that a mutation has not, beside a variable",
        "mutation ($id: ID!) { MUTATION(input: {id: $id, expectedVersion: 1, titre: 1}) { replayed } }",
    ),
    (
        "no input field where a mutation requires one, beside a variable",
        "mutation ($n: Int!) { MUTATION(input: {expectedVersion: $n}) { replayed } }",
    ),
    (
        "a variable of another type in a mutation",
        "mutation ($n: String!) { MUTATION(input: {id: \"a\", expectedVersion: $n}) { replayed } }",
    ),
    (
        "a nullable variable where a mutation takes no null",
        "mutation ($id: ID) { MUTATION(input: {id: $id, expectedVersion: 1}) { replayed } }",
    ),
    ("a wrong condition in a mutation", "mutation { ... @skip(if: 1) { __typename } }"),
    ("introspection in a mutation", "mutation { __schema { types { name } } }"),
    ("a query in a mutation", "mutation { ... on Query { viewer { role } } }"),
    // documents
    ("two operations without name", "{ viewer { role } } { viewer { role } }"),
    ("two operations of one name", "query A { viewer { role } } query A { viewer { role } }"),
    ("a type among operations", "{ viewer { role } } type X { a: Int }"),
    ("nothing", ""),
    ("a comment", "# nothing"),
    ("a fragment alone", "fragment F on Site { name }"),
    ("an open selection", "{ viewer { role }"),
    ("an open text", r#"{ node(id: "a"#),
    ("an escape that is none", r#"{ node(id: "\q") { id } }"#),
    ("half a character", r#"{ node(id: "\uD800") { id } }"#),
    ("a number that begins with zero", "{ sites(first: 01) { totalCount } }"),
    ("a number that ends with a letter", "{ sites(first: 1a) { totalCount } }"),
    // introspection
    ("a field that introspection has not", "{ __schema { nom } }"),
    ("introspection below an object", "{ SITE { __schema { types { name } } } }"),
    ("introspection of a type without name", "{ __type { name } }"),
];

on_both!(documents_that_are_not_valid_are_refused, Small, async |app| {
    let site = r#"site(by: {code: "cde-901"})"#;
    let requests = DOCUMENTS.iter().map(|(_, document)| {
        Request::new(document.replace("SITE", site).replace("MUTATION", "updateAction"), &json!({}))
    });
    let answers = judged(app, requests.collect()).await;
    for ((what, _), (_, theirs, ours)) in DOCUMENTS.iter().zip(&answers) {
        assert!(theirs.is_refused(), "graphql-js takes {what}: {}", theirs.shown());
        assert!(ours.is_refused(), "the API takes {what}: {}", ours.shown());
    }
});

on_both!(variables_that_do_not_fit_are_refused, Small, async |app| {
    let table: [(&str, Value); 12] = [
        ("query ($id: ID!) { node(id: $id) { id } }", json!({})),
        ("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": null })),
        ("query ($n: Int) { sites(first: $n) { totalCount } }", json!({ "n": "a" })),
        ("query ($n: Int) { sites(first: $n) { totalCount } }", json!({ "n": 1.5 })),
        ("query ($n: Int) { sites(first: $n) { totalCount } }", json!({ "n": [1] })),
        ("query ($f: SiteFilter) { sites(filter: $f) { totalCount } }", json!({ "f": { "nom": 1 } })),
        (
            "query ($f: SiteFilter) { sites(filter: $f) { totalCount } }",
            json!({ "f": { "name": { "eq": 1 } } }),
        ),
        (
            "query ($o: [SiteOrder!]) { sites(orderBy: $o) { totalCount } }",
            json!({ "o": { "field": "NOM" } }),
        ),
        ("query ($o: [SiteOrder!]) { sites(orderBy: $o) { totalCount } }", json!({ "o": [null] })),
        ("query ($b: SiteBy!) { site(by: $b) { name } }", json!({ "b": { "code": "cde-901", "id": "x" } })),
        ("query ($b: SiteBy!) { site(by: $b) { name } }", json!({ "b": { "code": null } })),
        ("query ($b: Boolean!) { viewer { role @include(if: $b) } }", json!({ "b": 1 })),
    ];
    let requests = table.iter().map(|(document, variables)| Request::new(*document, variables)).collect();
    for ((document, variables), (_, theirs, ours)) in table.iter().zip(judged(app, requests).await) {
        assert!(theirs.is_refused(), "graphql-js takes {document} with {variables}: {}", theirs.shown());
        assert!(ours.is_refused(), "the API takes {document} with {variables}: {}", ours.shown());
    }
});

// Valid, though they look as if they were not; the library alone would refuse the first.
on_both!(documents_that_look_wrong_are_answered, Small, async |app| {
    let site = r#"site(by: {code: "cde-901"})"#;
    let table: [(&str, Value); 10] = [
        ("query ($b: Boolean!) { a: __typename @include(if: $b) __typename }", json!({ "b": false })),
        ("{ SITE { ... on Node { ... on Axis { a: label } ... on Site { a: name } } } }", json!({})),
        ("{ SITE { a: name ... on Node { ... on Site { a: name } id } } }", json!({})),
        (
            "{ sites(first: 1, after: null) { totalCount } sites(after: null, first: 1) { totalCount } }",
            json!({}),
        ),
        (
            r#"{ sites(filter: {name: {eq: "a"}, wave: {eq: 1}}) { totalCount } sites(filter: {wave: {eq: 1}, name: {eq: "a"}}) { totalCount } }"#,
            json!({}),
        ),
        ("{ sites(orderBy: {field: NAME}, first: 1) { nodes { name } } }", json!({})),
        (
            "query ($d: OrderDirection = DESC) { sites(orderBy: [{field: NAME, direction: $d}]) { nodes { name } } }",
            json!({}),
        ),
        ("query ($n: Int! = 1) { sites(first: $n) { nodes { name } } }", json!({})),
        (
            "query ($o: [SiteOrder!]) { sites(orderBy: $o) { nodes { name } } }",
            json!({ "o": { "field": "NAME" }, "unknown": 1 }),
        ),
        ("{ viewer @skip(if: true) { role } SITE { name @skip(if: true) } }", json!({})),
    ];
    let requests = table
        .iter()
        .map(|(document, variables)| Request::new(document.replace("SITE", site), variables))
        .collect();
    for ((document, _), (_, theirs, ours)) in table.iter().zip(judged(app, requests).await) {
        assert_eq!(ours.shown(), theirs.shown(), "{document}");
        assert!(ours.errors.is_none(), "{document}: {}", ours.shown());
    }
});

// Where the API and graphql-js part, and why: a change of either shows here.
on_both!(known_differences_from_graphql_js, Small, async |app| {
    // the parser of async-graphql keeps the last of equal keys and tells nobody
    let twice = r#"{ sites(filter: {name: {eq: "a"}, name: {eq: "b"}}) { totalCount } }"#;
    // graphql-js 16 looks at this when it executes; the specification (5.8.5) refuses it
    let nullable = "query ($c: SiteCode) { site(by: {code: $c}) { name } }";
    // graphql-js 16 does not look at it; the specification (September 2025, 5.2.4.1) refuses it
    let subscription = "subscription { changes @include(if: true) { at } }";
    // JavaScript has one kind of number; here an Int is one that is written without fraction
    let whole = "query ($n: Int) { sites(first: $n) { totalCount } }";
    let requests = [twice, nullable, subscription, whole];
    let requests = requests.map(|document| Request::new(document, &json!({ "c": "cde-901", "n": 1.0 })));
    let answers = judged(app, requests.to_vec()).await;
    let refused: Vec<(bool, bool)> =
        answers.iter().map(|(_, theirs, ours)| (theirs.is_refused(), ours.is_refused())).collect();
    assert_eq!(refused, [(true, false), (false, true), (false, true), (false, true)]);
});

// A short document that fragments make long or deep is refused before it costs anything, the stack included.
on_both!(fragments_that_multiply_are_refused, Small, async |app| {
    let doubling = |depth: usize| {
        let double = |n: usize| format!("fragment F{n} on Query {{ ...F{m} ...F{m} }}", m = n + 1);
        let fragments: Vec<String> = (0..depth).map(double).collect();
        format!("{{ ...F0 }} {} fragment F{depth} on Query {{ __typename }}", fragments.join(" "))
    };
    let began = std::time::Instant::now();
    for depth in [14, 25, 60, 5_000] {
        let answer = app.public().ask(&doubling(depth)).await;
        assert_eq!(answer.code(), "LIMIT_EXCEEDED", "depth {depth}");
    }
    for depth in [90, 5_000] {
        let nested = format!("{}__typename{}", "... { ".repeat(depth), " }".repeat(depth));
        let answer = app.public().ask(&format!("{{ {nested} }}")).await;
        assert!(
            ["LIMIT_EXCEEDED", "GRAPHQL_PARSE_FAILED"].contains(&answer.code()),
            "depth {depth}: {answer}"
        );
    }
    assert!(began.elapsed().as_secs() < 20);
    app.public().ask(&doubling(8)).await.data("/__typename");
});

async fn judged(app: &tests::TestApp, requests: Vec<Request>) -> Vec<(Request, Response, Response)> {
    Differential::new(app, None).await.both(requests).await
}
