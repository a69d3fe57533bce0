//! What a request may ask: each limit just met and just passed. A document that is refused is refused at once.

use std::fmt::Write as _;
use std::time::Duration;

use cites::auth::Role;
use cites::limits::{self, DocumentLimits};
use serde_json::json;
use tests::{Dice, on_both};

/// What a document of the public may be.
const DOCUMENT: DocumentLimits = DocumentLimits::of(Role::Public);

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

/// A fragment of one field besides its spreads, spread twice: the braces of the operation are left out.
fn doubled(count: usize) -> String {
    format!("...F ...F }} fragment F on Query {{ {}", "__typename ".repeat(count))
}

/// A text for each number, one after the other.
fn joined(numbers: std::ops::Range<usize>, text: impl Fn(usize) -> String) -> String {
    numbers.map(text).collect::<Vec<String>>().concat()
}

/// As many fragments, each of them spread.
fn fragments(count: usize) -> String {
    let spreads = joined(0..count, |n| format!("...F{n} "));
    let fragments = joined(1..count, |n| format!("fragment F{n} on Query {{ __typename }} "));
    format!("{spreads} }} {fragments} fragment F0 on Query {{ __typename")
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
    let cases: [(&str, String, String); 16] = [
        (
            "root fields",
            many(DOCUMENT.root_fields, "__typename"),
            many(DOCUMENT.root_fields + 1, "__typename"),
        ),
        (
            "fields",
            format!("viewer {{ {} }}", "role ".repeat(DOCUMENT.fields - 1)),
            format!("viewer {{ {} }}", "role ".repeat(DOCUMENT.fields)),
        ),
        ("fields of fragments", doubled(DOCUMENT.fields / 2), doubled(DOCUMENT.fields / 2 + 1)),
        (
            "aliases",
            format!("viewer {{ {} }}", many(DOCUMENT.aliases, "role")),
            format!("viewer {{ {} }}", many(DOCUMENT.aliases + 1, "role")),
        ),
        (
            "directives",
            format!("viewer {{ {} }}", "role @skip(if: false) ".repeat(DOCUMENT.directives)),
            format!("viewer {{ {} }}", "role @skip(if: false) ".repeat(DOCUMENT.directives + 1)),
        ),
        ("fragments", fragments(DOCUMENT.fragments), fragments(DOCUMENT.fragments + 1)),
        (
            "fragments where they are spread",
            "... { ... { __typename } } ".repeat(DOCUMENT.fields / 2),
            "... { ... { __typename } } ".repeat(DOCUMENT.fields / 2 + 1),
        ),
        (
            "characters of a name",
            format!("{}: __typename", "n".repeat(limits::NAME_BYTES)),
            format!("{}: __typename", "n".repeat(limits::NAME_BYTES + 1)),
        ),
        // the braces around are two bytes and a space each
        (
            "bytes",
            format!("__typename#{}", "x".repeat(DOCUMENT.bytes - "{ __typename#\n }".len())) + "\n",
            format!("__typename#{}", "x".repeat(DOCUMENT.bytes - "{ __typename#\n }".len() + 1)) + "\n",
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
    assert!(app.public().ask(&deep(DOCUMENT.depth)).await.errors().is_empty());
    assert_eq!(app.public().ask(&deep(DOCUMENT.depth + 1)).await.code(), "LIMIT_EXCEEDED");
});

on_both!(tokens_are_counted_before_the_document_is_parsed, Small, async |app| {
    // what follows does not parse: a document of too many tokens is refused before that shows
    let document = |tokens: usize| format!("{{ {} }}", "! ".repeat(tokens - 2));
    assert_eq!(app.public().ask(&document(DOCUMENT.tokens)).await.code(), "GRAPHQL_PARSE_FAILED");
    assert_eq!(app.public().ask(&document(DOCUMENT.tokens + 1)).await.code(), "LIMIT_EXCEEDED");
});

on_both!(the_operations_of_a_document_are_bounded_and_what_they_spread, Small, async |app| {
    let operations = |count: usize| joined(0..count, |n| format!("query Q{n} {{ __typename }} "));
    // none is named: all of them were looked at by then
    assert_eq!(app.public().ask(&operations(limits::OPERATIONS)).await.code(), "OPERATION_NOT_FOUND");
    assert_eq!(app.public().ask(&operations(limits::OPERATIONS + 1)).await.code(), "LIMIT_EXCEEDED");
    assert_eq!(app.public().ask(&chain(40, CHAIN)).await.code(), "OPERATION_NOT_FOUND");
    assert_eq!(app.public().ask(&chain(2_000, CHAIN)).await.code(), "LIMIT_EXCEEDED");
});

/// Fragments that spread each other, one after the other: the library takes no more than 32 selections within each other.
const CHAIN: usize = 28;

/// Operations that each spread a fragment, which spreads another, and so on: one field for each operation.
fn chain(operations: usize, fragments: usize) -> String {
    let operations = joined(0..operations, |n| format!("query Q{n} {{ ...c1 }} "));
    let fragments = joined(1..fragments, |n| format!("fragment c{n} on Query {{ ...c{} }} ", n + 1))
        + &format!("fragment c{fragments} on Query {{ __typename }}");
    operations + &fragments
}

on_both!(a_name_that_is_unknown_is_compared_with_no_others, Small, async |app| {
    for name in ["sitez", "fist"] {
        let document = format!("{{ sitez {{ totalCount }} qpvs({name}: 1) {{ totalCount }} }}");
        let told = app.public().ask(&document).await.body.to_string();
        assert!(told.contains(name) && !told.contains("mean"), "{told}");
    }
});

on_both!(brackets_within_brackets_are_bounded_before_the_parser_meets_them, Small, async |app| {
    for (open, within, close) in [("{a", "", "}"), ("...{", "a", "}"), ("[", "", "]"), ("{not:", "{}", "}")] {
        for depth in [limits::NESTING, limits::NESTING + 1, 6_000] {
            let nested = format!("{}{within}{}", open.repeat(depth), close.repeat(depth));
            let placed = match open {
                "{a" => nested,
                "...{" => format!("{{ {nested} }}"),
                _ => format!("{{ sites(filter: {nested}) {{ totalCount }} }}"),
            };
            // a stack that overflows would end the process, and answer nothing
            let answer = app.public().ask(&placed).await;
            assert!(!answer.errors().is_empty(), "{open} {depth}: {answer}");
            assert!(
                depth <= limits::NESTING || answer.code() == "LIMIT_EXCEEDED",
                "{open} {depth}: {answer}"
            );
        }
    }
});

on_both!(the_values_of_variables_are_counted, Small, async |app| {
    let ask = "query ($names: [String!]) { sites(filter: { name: { in: $names } }) { totalCount } }";
    let names = |count: usize| json!({ "names": vec!["x"; count] });
    let with = |count: usize| json!({ "names": ["x"], "unused": vec![1; count] });
    // the list itself is a value too
    let beyond = app.public().query(ask, names(DOCUMENT.variables)).await;
    assert_eq!(beyond.code(), "LIMIT_EXCEEDED");
    assert!(
        beyond.errors()[0]["message"].as_str().is_some_and(|text| text.contains("variables")),
        "{beyond}"
    );
    // within, another limit is met: that of `in`
    let within = app.public().query(ask, names(DOCUMENT.variables - 1)).await;
    assert!(
        within.errors()[0]["message"].as_str().is_some_and(|text| !text.contains("variables")),
        "{within}"
    );
    assert!(app.public().query(ask, with(DOCUMENT.variables - 3)).await.errors().is_empty());
    assert_eq!(app.public().query(ask, with(DOCUMENT.variables - 2)).await.code(), "LIMIT_EXCEEDED");
});

on_both!(no_more_errors_are_told_than_say_something_new, Small, async |app| {
    let wrong = |count: usize| format!("{{ viewer {{ {} }} }}", joined(0..count, |n| format!("x{n} ")));
    assert_eq!(app.public().ask(&wrong(limits::ERRORS)).await.errors().len(), limits::ERRORS);
    assert_eq!(app.public().ask(&wrong(limits::ERRORS + 1)).await.errors().len(), limits::ERRORS);
});

/// Other limits for one role.
const STRICTER: [(&str, &str); 1] = [("CITES_LIMITS__PUBLIC", "{ depth = 3, aliases = 1 }")];

on_both!(limits_are_those_of_the_role_whoever_asked_before, Small with STRICTER, async |app| {
    for document in [deep(4), "{ a: __typename b: __typename }".to_owned()] {
        assert!(app.anct().ask(&document).await.errors().is_empty());
        assert_eq!(app.public().ask(&document).await.code(), "LIMIT_EXCEEDED");
    }
    assert!(app.public().ask(&deep(3)).await.errors().is_empty());
});

/// CPU time that a document within the limits may take before it is planned: many times what was measured without
/// optimisation, a fraction of what a document without limits took.
const CPU: Duration = Duration::from_secs(4);

on_both!(no_document_within_the_limits_takes_long, Small, async |app| {
    let time: std::sync::Arc<dyn cites::clock::Clock> = app.clock.clone();
    let engine = cites::graphql::Engine::new(std::sync::Arc::new(app.db.clone()), time).expect("an engine");
    let (mut longest, mut executed) = (Duration::ZERO, 0);
    for seed in 0..60 {
        let document = hostile(&mut Dice::new(seed));
        let operation = cites::graphql::Operation {
            query: Some(document.clone()),
            read_only: true,
            ..cites::graphql::Operation::default()
        };
        let before = cpu();
        let answer = engine.execute(operation, cites::auth::Actor::public()).await;
        let taken = cpu().saturating_sub(before);
        executed += usize::from(!String::from_utf8_lossy(&answer.body).contains("LIMIT_EXCEEDED"));
        assert!(taken < CPU, "seed {seed}: {taken:?} for {document}");
        longest = longest.max(taken);
    }
    println!("{executed} documents within the limits, {longest:?} of CPU at most");
    assert!(executed > 30, "{executed}");
});

/// CPU time of this thread, on which the engine parses, validates and plans.
fn cpu() -> Duration {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the time of a thread");
    Duration::from_nanos(text.split(' ').next().and_then(|first| first.parse().ok()).expect("nanoseconds"))
}

/// A document near a limit, of one of the shapes that cost most: wide, deep, repeated, of fragments that double, of
/// many errors, of keys in conflict.
fn hostile(dice: &mut Dice) -> String {
    let near = |dice: &mut Dice, limit: usize| dice.between(limit * 8 / 10, limit);
    match dice.between(0, 9) {
        0 => format!("{{ viewer {{ {} }} }}", "role ".repeat(near(dice, DOCUMENT.fields) - 1)),
        1 => format!("{{ viewer {{ {} }} }}", many(near(dice, DOCUMENT.aliases), "role")),
        2 => {
            let unknown = |n: usize| format!("site{n} ");
            format!("{{ {} }}", (0..near(dice, DOCUMENT.fields)).map(unknown).collect::<String>())
        }
        3 => {
            // the same selection of a list again and again, each time to be merged with all before
            let inner = "sites { nodes { name seats { nodes { kind partner { name } } } } } ";
            format!("{{ {} }}", inner.repeat(near(dice, DOCUMENT.fields) / 8))
        }
        4 => {
            let levels = dice.between(6, 9);
            let mut text = "{ ...f0 }".to_owned();
            for level in 0..levels {
                let _ = write!(text, " fragment f{level} on Query {{ ...f{0} ...f{0} }}", level + 1);
            }
            text + &format!(" fragment f{levels} on Query {{ __typename viewer {{ role }} }}")
        }
        5 => {
            let different = |n: usize| format!("sites(first: {}) {{ totalCount }} ", n % 100);
            format!("{{ {} }}", (0..near(dice, DOCUMENT.fields) / 2).map(different).collect::<String>())
        }
        6 => {
            // each fragment spreads all that follow
            let count = dice.between(6, 8);
            let all = |from: usize| joined(from..count, |n| format!("...g{n} "));
            let fragments =
                (0..count).map(|n| format!("fragment g{n} on Query {{ __typename {} }} ", all(n + 1)));
            format!("{{ {} }} {}", all(0), fragments.collect::<String>())
        }
        7 => chain(near(dice, limits::OPERATIONS), CHAIN),
        8 => {
            // unknown, and as long as names may be
            let long = |n: usize| format!("x{n:0width$} ", width = limits::NAME_BYTES - 1);
            format!("{{ {} }}", joined(0..near(dice, 1_000), long))
        }
        _ => {
            let variables = near(dice, DOCUMENT.tokens) / 12;
            let declared = |n: usize| format!("$v{n}: String = \"x\" ");
            let used = |n: usize| format!("{{ name: {{ eq: $v{n} }} }} ");
            let (declared, used): (String, String) =
                ((0..variables).map(declared).collect(), (0..variables).map(used).collect());
            format!("query ({declared}) {{ sites(filter: {{ or: [{used}] }}) {{ totalCount }} }}")
        }
    }
}

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

on_both!(lists_in_a_filter_cost_points_and_are_three_deep_at_most, Small, async |app| {
    let through = |lists: &[&str]| {
        lists.iter().rev().fold("{}".to_owned(), |inner, list| format!("{{ {list}: {{ some: {inner} }} }}"))
    };
    let ask = async |lists: &[&str]| {
        app.public()
            .ask(&format!("{{ qpvs(first: 1, filter: {}) {{ nodes {{ code }} }} }}", through(lists)))
            .await
    };
    let path = ["communes", "qpvs", "communes", "qpvs"];
    for (depth, points) in [(0, 2), (1, 12), (2, 112), (3, 1_112)] {
        let cost = ask(&path[..depth]).await.body["extensions"]["cost"].clone();
        assert_eq!(cost["requested"], points, "{depth}: {cost}");
        assert_eq!(cost["actual"], points, "{depth}: what a filter looked through is not given back");
    }
    assert_eq!(ask(&path).await.code(), "LIMIT_EXCEEDED");
    let beside = "{ or: [{ communes: { some: {} } }, { not: { communes: { none: {} } } }] }";
    let answer =
        app.public().ask(&format!("{{ qpvs(first: 1, filter: {beside}) {{ nodes {{ code }} }} }}")).await;
    assert_eq!(answer.body["extensions"]["cost"]["requested"], 22);
});
