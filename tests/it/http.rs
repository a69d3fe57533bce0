//! GraphQL over HTTP as its specification audits it, and the engine as a client of many requests meets it.

use std::path::Path;

use tests::on_both;

on_both!(every_audit_of_graphql_over_http_is_satisfied, Small, async |app| {
    let node = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    assert!(node.join("node_modules").is_dir(), "the packages of tests/node are not there: call tests/run");
    let url = app.url();
    let audits =
        move || std::process::Command::new("node").arg("audits.mjs").arg(url).current_dir(node).output();
    let output = tokio::task::spawn_blocking(audits).await.expect("it ends").expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
});

on_both!(many_readers_at_once_get_the_same_answer, Small, async |app| {
    let document =
        "{ sites { nodes { name actions(first: 3) { totalCount nodes { title lead { name } } } } } }";
    let persona = app.anct();
    let expected = persona.ask(document).await;
    let ask = || persona.ask(document);
    let answers = tokio::join!(ask(), ask(), ask(), ask(), ask(), ask(), ask(), ask());
    let answers: [tests::Answer; 8] = answers.into();
    assert!(answers.iter().all(|answer| answer.data("") == expected.data("")));
});
