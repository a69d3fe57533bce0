//! What a document writes is what is read: block strings, and conditions that are null.

use serde_json::{Value, json};
use tests::differential::{Differential, Request};
use tests::on_both;
use tests::world::Kind;

use crate::live::rename;
use crate::writes::known;

on_both!(a_block_string_is_stored_as_the_specification_reads_it, Small, async |app| {
    let site = known(Kind::Site, 1);
    let create = async |title: &str| {
        let input = format!("{{ site: \"{site}\", title: {title}, pillar: INNOVER, startsOn: \"2023\" }}");
        let document = format!(
            "mutation {{ createAction(input: {input}) {{ action {{ title }} userErrors {{ code }} }} }}"
        );
        app.anct().ask(&document).await.data("/createAction/action/title").clone()
    };
    assert_eq!(create(r#""""Forum \"""emploi\""" à Lyon""""#).await, json!(r#"Forum """emploi""" à Lyon"#));
    assert_eq!(create(r#""""Forum \n "emploi" \\ """"#).await, json!(r#"Forum \n "emploi" \\"#));
    assert_eq!(
        create(r#""Forum \\\"\"\"""#).await,
        json!(r#"Forum \""""#),
        "another string is left as it is"
    );
});

on_both!(block_strings_are_read_as_graphql_js_reads_them, Small, async |app| {
    rename(app, 1, r#"Cité """de" l'emploi \ ici"#).await;
    let found = [
        r#""""Cité \"""de" l'emploi \ ici""""#,
        "\"\"\"\n    Cité \\\"\"\"de\" l'emploi \\ ici\n  \"\"\"",
        r#""Cité \"\"\"de\" l'emploi \\ ici""#,
        "$known",
    ];
    let others = [r#""""Cité \\"""de" l'emploi \ ici""""#, r#""Cité \\\"\"\"de""#, r#""""\"""\"""""""#];
    let known = found[0];
    let request = |text: &&str| {
        let document = format!(
            "query ($known: String = {known}) {{ sites(filter: {{ name: {{ in: [$known, {text}], eq: {text} }} }}) {{ nodes {{ name }} }} }}"
        );
        Request::new(document, &json!({}))
    };
    let requests = found.iter().chain(&others).map(request).collect();
    let answers = Differential::new(app, None).await.both(requests).await;
    for (index, (request, theirs, ours)) in answers.iter().enumerate() {
        assert_eq!(ours.shown(), theirs.shown(), "{}", request.document);
        assert_eq!(
            ours.shown().contains("emploi"),
            index < found.len(),
            "{}: {}",
            request.document,
            ours.shown()
        );
    }
});

on_both!(a_condition_that_is_null_is_refused, Small, async |app| {
    let documents = [
        "query ($b: Boolean = true) { viewer { role @include(if: $b) limits { cost { limit } } } }",
        "query ($b: Boolean = false) { viewer { limits { cost { limit } } ... @skip(if: $b) { role } } }",
        "query ($b: Boolean = true) { viewer { ...V } } fragment V on Viewer { limits { ...L @include(if: $b) } role } \
         fragment L on ViewerLimits { cost { limit } }",
    ];
    for document in documents {
        let answer = app.public().query(document, json!({ "b": null })).await;
        assert_eq!((answer.status, answer.code()), (400, "BAD_USER_INPUT"), "{document}");
        assert!(answer.errors()[0]["message"].as_str().is_some_and(|text| text.contains("$b")), "{answer}");
        for given in [json!({}), json!({ "b": true }), json!({ "b": false })] {
            let answer = app.public().query(document, given.clone()).await;
            assert!(answer.data("/viewer").is_object(), "{document} {given}");
        }
    }
    let left_out = app.public().query(documents[0], json!({ "b": false })).await;
    assert_eq!(left_out.data("/viewer").get("role"), None);
    let live = "subscription ($b: Boolean = true) { changes { cursor node @include(if: $b) { id } } }";
    let mut events = app.anct().stream(live, json!({ "b": null })).await;
    let (_, response) = events.event().await.expect("an event");
    assert_eq!(response["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{response}");
    // null elsewhere says what it says
    let elsewhere = "query ($n: Int = 3) { sites(first: $n) { totalCount } }";
    assert_ne!(app.public().query(elsewhere, json!({ "n": null })).await.data("/sites"), &Value::Null);
});
