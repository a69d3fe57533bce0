//! The schema as clients ask for it: whole, and never more than an answer may hold.

use std::collections::HashSet;

use cites::limits;
use serde_json::{Value, json};
use tests::{Persona, on_both};

/// What explorers, graphql-codegen, Apollo and Relay send: `getIntrospectionQuery` of graphql-js 16 with every option.
const STANDARD: &str = include_str!("introspection/standard.graphql");

/// Every type that is named within, and every wrapper that names none.
fn named<'v>(value: &'v Value, found: &mut HashSet<&'v str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| named(item, found)),
        Value::Object(fields) => {
            if matches!(value["kind"].as_str(), Some("LIST" | "NON_NULL")) {
                assert!(value["ofType"].is_object(), "nothing is wrapped: {value}");
            }
            found.extend(value["kind"].as_str().and(value["name"].as_str()));
            fields.values().for_each(|field| named(field, found));
        }
        _ => {}
    }
}

on_both!(the_introspection_of_clients_is_answered_whole, Small, async |app| {
    let answer = app.public().operation(STANDARD, "IntrospectionQuery", json!({})).await;
    let schema = answer.data("/__schema");
    let types: HashSet<&str> =
        answer.list("/__schema/types").iter().filter_map(|ty| ty["name"].as_str()).collect();
    let mut mentioned = HashSet::new();
    named(schema, &mut mentioned);
    assert!(mentioned.is_subset(&types), "{:?}", mentioned.difference(&types));
    let sdl = cites::graphql::sdl().expect("a schema");
    let declared = sdl.lines().filter(|line| !line.starts_with([' ', '\t'])).filter_map(|line| {
        let mut words = line.split_whitespace();
        let is_type = matches!(words.next()?, "type" | "input" | "enum" | "interface" | "scalar");
        is_type.then(|| words.next())?
    });
    let declared: Vec<&str> = declared.collect();
    assert!(declared.len() > 300);
    for name in declared {
        assert!(types.contains(name.trim_end_matches('{')), "{name} is not introspected");
    }
    let named = |list: &str, name: &str| {
        let found = schema[list].as_array().into_iter().flatten().find(|item| item["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {list}")).clone()
    };
    let site = named("types", "Site");
    let code = site["fields"].as_array().into_iter().flatten().find(|field| field["name"] == "actions");
    let first = code.and_then(|field| field["args"].as_array()).into_iter().flatten().next();
    assert_eq!(first.expect("an argument")["type"]["kind"], "SCALAR");
    assert_eq!((&site["interfaces"][0]["name"], &site["possibleTypes"]), (&json!("Node"), &Value::Null));
    assert!(named("types", "Node")["possibleTypes"].as_array().is_some_and(|types| types.len() > 10));
    assert_eq!(named("types", "SiteBy")["isOneOf"], true);
    assert!(named("types", "CommuneCode")["specifiedByURL"].is_string());
    assert_eq!(named("directives", "atomic")["locations"], json!(["MUTATION"]));
    let older = STANDARD
        .replace("(includeDeprecated: true)", "")
        .replace("specifiedByURL", "")
        .replace("isOneOf", "")
        .replace("isRepeatable", "");
    assert!(app.public().operation(&older, "IntrospectionQuery", json!({})).await.errors().is_empty());
});

on_both!(a_type_is_found_by_its_name, Small, async |app| {
    let ask = "query ($name: String!, $all: Boolean) { known: __type(name: $name) { __typename kind name \
               values: enumValues(includeDeprecated: $all) { name } fields { name } } \
               unknown: __type(name: \"Cite\") { name } }";
    let answer = app.public().query(ask, json!({ "name": "SiteStatus", "all": true })).await;
    let found = answer.data("/known");
    assert_eq!(
        (&found["__typename"], &found["kind"], &found["fields"]),
        (&json!("__Type"), &json!("ENUM"), &Value::Null)
    );
    assert!(found["values"].as_array().is_some_and(|values| values.len() > 2), "{answer}");
    assert_eq!(answer.data("/unknown"), &Value::Null);
});

on_both!(lists_of_the_schema_within_each_other_are_bounded, Small, async |app| {
    let node = |inner: &str| format!("{{ __type(name: \"Node\") {{ {inner} }} }}");
    let within = [
        node("possibleTypes { interfaces { name } }"),
        node("fields { type { ofType { fields { args { type { ofType { ofType { name } } } } } } } }"),
        "{ __schema { types { inputFields { type { ofType { inputFields { name } } } } } } }".to_owned(),
        "{ __schema { ...S } } fragment S on __Schema { types { ...T } } fragment T on __Type { fields { type { ...U } } } \
         fragment U on __Type { name interfaces { name } }"
            .to_owned(),
    ];
    for document in within {
        let answer = app.public().ask(&document).await;
        assert!(answer.errors().is_empty(), "{document}: {:?}", answer.errors());
    }
    let beyond = [
        node("possibleTypes { interfaces { possibleTypes { name } } }"),
        node("fields { type { ofType { fields { type { ofType { fields { name } } } } } } }"),
        "{ __schema { types { inputFields { type { inputFields { type { inputFields { name } } } } } } } }"
            .to_owned(),
        "{ __schema { ...S } } fragment S on __Schema { types { ...T } } fragment T on __Type { fields { type { ...U } } } \
         fragment U on __Type { name interfaces { ... on __Type { possibleTypes { name } } } }"
            .to_owned(),
        "query Q { ...R } fragment R on Query { s: __schema { queryType { fields { type { fields { type { fields { name } } } } } } } }"
            .to_owned(),
    ];
    for document in beyond {
        let answer = app.public().ask(&document).await;
        assert_eq!((answer.status, answer.code()), (400, "LIMIT_EXCEEDED"), "{document}");
    }
});

/// A bound that is easily met.
const SHORT: [(&str, &str); 1] = [("CITES_LIMITS__PUBLIC", "{ answer = 20000 }")];

async fn remaining(persona: &Persona<'_>) -> i64 {
    persona.ask("{ viewer { limits { cost { remaining } } } }").await.number("/viewer/limits/cost/remaining")
}

on_both!(introspection_is_no_longer_than_an_answer_may_be, Small with SHORT, async |app| {
    let public = app.public();
    let one = |n: usize| format!("a{n}: __type(name: \"Site\") {{ fields {{ name description }} }} ");
    let ask = |count: usize| format!("{{ {} }}", (0..count).map(one).collect::<String>());
    let answer = public.ask(&ask(1)).await;
    let length = answer.data("").to_string().len();
    let fits = 20_000 / length;
    assert!(fits > 1 && fits < 20, "{length}");
    assert!(public.ask(&ask(fits - 1)).await.errors().is_empty());
    let before = remaining(&public).await;
    for document in [ask(fits + 1), "{ __schema { types { fields { name description } } } }".to_owned()] {
        let beyond = public.ask(&document).await;
        assert_eq!((beyond.status, beyond.code()), (400, "LIMIT_EXCEEDED"), "{beyond}");
    }
    let paid = u64::try_from(before - remaining(&public).await).expect("fewer than before");
    assert!(paid > 2 * limits::INTROSPECTION_POINTS, "what was written in vain is paid: {paid}");
});
