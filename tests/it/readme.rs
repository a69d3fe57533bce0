//! The README's queries answer what it says.

use serde_json::Value;
use tests::{TestApp, on_both};

const README: &str = include_str!("../../README.md");

/// The blocks of the section of queries: each document with its answer.
fn queries() -> Vec<(&'static str, Value)> {
    let (_, section) = README.split_once("\n## Five queries\n").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("the section after it");
    let block = |(text, _): (&'static str, &'static str)| text;
    let documents =
        section.split("```graphql\n").skip(1).filter_map(|rest| rest.split_once("\n```").map(block));
    let answers = section.split("```json\n").skip(1).filter_map(|rest| rest.split_once("\n```").map(block));
    let answers = answers.map(|text| serde_json::from_str(text).expect("an answer is JSON"));
    documents.zip(answers).collect()
}

/// Where a document of the README leaves an id out, that of a site.
async fn completed(app: &TestApp, document: &str) -> String {
    let answer = app.public().ask("{ site(by: { code: \"cde-024\" }) { id } }").await;
    document.replace("site_…", answer.data("/site/id").as_str().unwrap_or_default())
}

/// Seats of one kind stand in the order of their ids, which are chance: here in that of their text. The cost is left
/// out, as the README does.
fn settled(mut answer: Value) -> Value {
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("extensions");
    }
    if let Some(Value::Array(seats)) = answer.pointer_mut("/data/site/seats/nodes") {
        seats.sort_by_key(ToString::to_string);
    }
    answer
}

on_both!(the_queries_of_the_readme_answer_what_it_says, Real, async |app| {
    let queries = queries();
    assert_eq!(queries.len(), 6, "five queries and a write");
    for (document, expected) in queries {
        let persona = if document.starts_with("mutation") { app.anct() } else { app.public() };
        let answer = persona.ask(&completed(app, document).await).await;
        assert_eq!(settled(answer.body), settled(expected), "{document}");
    }
});
