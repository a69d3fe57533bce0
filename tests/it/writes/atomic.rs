//! All or nothing over a document, and what is looked at before anything is written.

use serde_json::{Value, json};
use tests::world::Kind;
use tests::{Answer, TestApp, on_both};

use super::ground::traces;
use super::known;

/// The part of an answer that says what became of one mutation: the codes and the object's version.
#[track_caller]
fn came_to(answer: &Answer, key: &str) -> (Vec<String>, Option<i64>) {
    let codes = answer.partial(&format!("/{key}/userErrors")).as_array().expect("a list");
    let codes = codes.iter().filter_map(|error| error["code"].as_str()).map(str::to_owned).collect();
    (codes, answer.partial(&format!("/{key}")).pointer("/action/version").and_then(Value::as_i64))
}

/// Three changes of one action, of which the second expects a version.
fn three(directive: &str, expected: i64, keys: bool) -> String {
    let key = |n: i64| if keys { format!("idempotencyKey: \"k{n}\", ") } else { String::new() };
    let payload = "{ action { version } userErrors { code path message } replayed }";
    format!(
        "mutation ($id: ID!) {directive} {{ \
         one: updateAction(input: {{ {}id: $id, title: \"Premier\" }}) {payload} \
         two: updateAction(input: {{ {}id: $id, expectedVersion: {expected}, title: \"Deuxième\" }}) {payload} \
         three: updateAction(input: {{ {}id: $id, title: \"Troisième\" }}) {payload} }}",
        key(1),
        key(2),
        key(3)
    )
}

async fn ask(app: &TestApp, document: &str) -> Answer {
    app.anct().query(document, json!({ "id": known(Kind::Action, 1) })).await
}

on_both!(all_are_done_in_one_transaction, Small, async |app| {
    let answer = ask(app, &three("@atomic", 2, false)).await;
    assert!(answer.errors().is_empty(), "{answer}");
    // each payload shows the object after the whole
    for key in ["one", "two", "three"] {
        assert_eq!(came_to(&answer, key), (Vec::new(), Some(4)), "{answer}");
    }
    let events = "{ auditEvents(first: 5) { nodes { verb outcome requestId } } }";
    let events = app.anct().ask(events).await;
    assert_eq!(events.column("/auditEvents/nodes", "outcome"), ["OK", "OK", "OK"]);
});

on_both!(one_that_is_refused_undoes_all, Small, async |app| {
    let before = traces(app).await;
    let answer = ask(app, &three("@atomic", 7, true)).await;
    assert!(answer.errors().is_empty(), "{answer}");
    assert_eq!(came_to(&answer, "two"), (vec!["CONFLICT".to_owned()], None));
    for key in ["one", "three"] {
        assert_eq!(came_to(&answer, key), (vec!["NOT_WRITTEN".to_owned()], None));
        let message = answer.data(&format!("/{key}/userErrors/0/message")).as_str().expect("a text");
        assert!(message.contains("`two`"), "{message}");
    }
    let after: Vec<_> = traces(app).await.into_iter().filter(|(table, ..)| table != "journal").collect();
    let before: Vec<_> = before.into_iter().filter(|(table, ..)| table != "journal").collect();
    assert_eq!(after, before);
    let refused = "{ auditEvents(first: 5) { nodes { outcome entityId } } }";
    let refused = app.anct().ask(refused).await;
    let expected = json!([{ "outcome": "CONFLICT", "entityId": known(Kind::Action, 1) }]);
    assert_eq!(*refused.data("/auditEvents/nodes"), expected);
    let mended = ask(app, &three("@atomic", 2, true)).await;
    assert_eq!(came_to(&mended, "three"), (Vec::new(), Some(4)), "the keys are free: {mended}");
    let again = ask(app, &three("@atomic", 2, true)).await;
    for key in ["one", "two", "three"] {
        assert_eq!(*again.data(&format!("/{key}/replayed")), json!(true));
        assert_eq!(came_to(&again, key), (Vec::new(), Some(4)), "{again}");
    }
});

on_both!(without_the_directive_the_others_stay, Small, async |app| {
    let answer = ask(app, &three("", 7, false)).await;
    assert_eq!(came_to(&answer, "one"), (Vec::new(), Some(2)));
    assert_eq!(came_to(&answer, "two"), (vec!["CONFLICT".to_owned()], None));
    assert_eq!(came_to(&answer, "three"), (Vec::new(), Some(3)));
});

/// A payload that asks for what cannot be answered, and its code.
const PAYLOADS: [(&str, &str); 3] = [
    ("site { actions(first: 1000) { totalCount } }", "BAD_USER_INPUT"),
    ("site { actions(after: \"nothing\") { totalCount } }", "INVALID_CURSOR"),
    ("site { actions(filter: { startsOn: { gte: \"never\" } }) { totalCount } }", "INVALID_FORMAT"),
];

on_both!(a_payload_that_cannot_be_answered_is_refused_before_the_write, Small, async |app| {
    let good = "good: updateAction(input: { id: $id, title: \"Non plus\" }) { userErrors { code } }";
    let before = traces(app).await;
    for (directive, good) in [("", ""), ("@atomic", good)] {
        for (payload, code) in PAYLOADS {
            let document = format!(
                "mutation ($id: ID!) {directive} {{ {good} \
                 bad: updateAction(input: {{ id: $id, title: \"Jamais\" }}) {{ action {{ {payload} }} }} }}"
            );
            let answer = ask(app, &document).await;
            assert_eq!((answer.code(), answer.partial("/bad")), (code, &Value::Null), "{answer}");
            if !good.is_empty() {
                assert_eq!(came_to(&answer, "good").0, ["NOT_WRITTEN"], "{answer}");
            }
        }
    }
    assert_eq!(traces(app).await, before);
});

on_both!(a_write_whose_answer_cannot_be_read_says_that_it_is_done, Small, async |app| {
    let input =
        json!({ "id": known(Kind::Partner, 6), "website": "https://exemple.fr", "idempotencyKey": "k" });
    let document = "mutation ($input: UpdatePartnerInput!) { result: updatePartner(input: $input) { \
                    object: partner { id version website leads { totalCount } } userErrors { code } replayed } }";
    let rename = async |from: &str, to: &str| {
        use sea_orm::ConnectionTrait;
        let sql = format!("ALTER TABLE {from} RENAME TO {to}");
        app.db.writer.execute_unprepared(&sql).await.expect("it is renamed");
    };
    let send = async || app.anct().query(document, json!({ "input": input })).await;
    rename("action", "elsewhere").await;
    let lost = send().await;
    assert_eq!(lost.code(), "OUTCOME_UNKNOWN", "{lost}");
    let message = lost.errors()[0]["message"].as_str().expect("a text");
    assert!(message.starts_with("the write is done"), "{message}");
    rename("elsewhere", "action").await;
    let again = send().await;
    assert_eq!(*again.data("/result/replayed"), json!(true), "{again}");
    assert_eq!(*again.data("/result/object/website"), json!("https://exemple.fr"));
});

on_both!(the_directive_stands_on_mutations_alone_and_is_introspected, Small, async |app| {
    let payload = "{ userErrors { code } }";
    for wrong in [
        "query @atomic { viewer { role } }".to_owned(),
        format!("mutation @atomic @atomic {{ updateAction(input: {{ id: \"x\" }}) {payload} }}"),
        format!("mutation @atomic(if: true) {{ updateAction(input: {{ id: \"x\" }}) {payload} }}"),
        format!("mutation {{ updateAction(input: {{ id: \"x\" }}) @atomic {payload} }}"),
    ] {
        let answer = app.anct().ask(&wrong).await;
        let code = |error: &Value| error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED";
        assert!(!answer.errors().is_empty() && answer.errors().iter().all(code), "{wrong}: {answer}");
    }
    let directives = "{ s: __schema { ...D } } fragment D on __Schema { known: directives { __typename name locations \
                      args { name } isRepeatable about: description } }";
    let known = app.public().ask(directives).await;
    let atomic = known.list("/s/known").iter().find(|known| known["name"] == "atomic").expect("it is known");
    assert!(atomic["about"].as_str().is_some_and(|text| text.contains("NOT_WRITTEN")), "{atomic}");
    assert_eq!(
        (&atomic["locations"], &atomic["args"], &atomic["isRepeatable"], &atomic["__typename"]),
        (&json!(["MUTATION"]), &json!([]), &json!(false), &json!("__Directive"))
    );
    let alone = "mutation @atomic { __typename }";
    assert_eq!(*app.anct().ask(alone).await.data("/__typename"), json!("Mutation"));
});
