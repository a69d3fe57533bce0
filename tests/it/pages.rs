//! The pages for people, as a browser and a crawler meet them.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tests::{TestApp, on_both};

/// What a real browser saw of the pages.
async fn browse(app: &TestApp, token: String) -> Value {
    let node = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
    let origin = format!("http://{}", app.address);
    let look =
        move || Command::new("node").arg("explorer.mjs").args([origin, token]).current_dir(node).output();
    let output = tokio::task::spawn_blocking(look).await.expect("it ends").expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("what it saw")
}

on_both!(a_browser_explores_the_api_and_asks_nobody_else, Real, async |app| {
    let token = app.anct().authorization().expect("a token");
    let seen = browse(app, token).await;
    assert_eq!(seen["outside"], json!([]));
    assert_eq!(seen["complaints"], json!([]));
    assert_eq!(seen["title"], "Cités de l'emploi — API");
    let public = app.public().ask("{ sites { totalCount } actions { totalCount } }").await;
    assert_eq!(seen["counts"][0], public.number("/sites/totalCount").to_string());
    assert_eq!(seen["counts"][2], public.number("/actions/totalCount").to_string());
    let examples = seen["examples"].as_array().expect("examples");
    for (_, name, _) in crate::contract::queries() {
        assert!(examples.contains(&json!(name)), "{name} is no example");
    }
    assert_eq!((&seen["role"], &seen["roleWithToken"]), (&json!("public"), &json!("anct")));
    assert_eq!(seen["documented"], "Query");
    assert_eq!(seen["socket"], format!("ws://{}/graphql/ws", app.address));
    assert_eq!(
        (&seen["event"], &seen["stopped"]),
        (&json!(true), &json!(true)),
        "a subscription shows an event"
    );
});

on_both!(files_are_kept_as_long_as_they_stay_the_same, Small, async |app| {
    let page = app.get("/graphiql").await;
    let html = page.body.as_str().expect("a page").to_owned();
    let script = html
        .split('"')
        .find(|text| Path::new(text).extension().is_some_and(|end| end == "js"))
        .expect("the explorer is built in")
        .to_owned();
    let script = app.get(&script).await;
    assert_eq!(script.status, 200);
    assert_eq!(script.headers["cache-control"], "public, max-age=31536000, immutable");
    for path in ["/", "/style.css", "/graphiql", "/schema.graphql", "/robots.txt"] {
        let url = format!("http://{}{path}", app.address);
        let first = reqwest::get(&url).await.expect("an answer");
        assert_eq!(first.status(), 200, "{path}");
        let tag = first.headers()["etag"].clone();
        let again =
            reqwest::Client::new().get(&url).header("if-none-match", tag).send().await.expect("an answer");
        assert_eq!(again.status(), 304, "{path}");
        let posted = reqwest::Client::new().post(&url).send().await.expect("an answer");
        assert_eq!(
            (posted.status().as_u16(), &posted.headers()["allow"].to_str().ok()),
            (405, &Some("GET, HEAD"))
        );
    }
});

on_both!(a_head_tells_of_the_same_bytes_as_a_get, Small, async |app| {
    let client = reqwest::Client::new();
    for path in ["/style.css", "/graphiql", "/schema.graphql"] {
        for coding in ["identity", "gzip"] {
            let url = format!("http://{}{path}", app.address);
            let ask =
                |method: reqwest::Method| client.request(method, &url).header("accept-encoding", coding);
            let head = ask(reqwest::Method::HEAD).send().await.expect("an answer");
            let got = ask(reqwest::Method::GET).send().await.expect("an answer");
            for name in ["content-length", "content-encoding", "etag", "content-type"] {
                assert_eq!(head.headers().get(name), got.headers().get(name), "{path} {coding} {name}");
            }
            let length = got.headers()["content-length"].to_str().expect("text").to_owned();
            assert_eq!(
                got.bytes().await.expect("the whole file").len().to_string(),
                length,
                "{path} {coding}"
            );
            assert!(head.bytes().await.expect("nothing").is_empty());
        }
    }
});

/// The schema is nobody's without a token.
const NOT_TOLD: [(&str, &str); 1] = [("CITES_LIMITS__PUBLIC", "{ introspection = false }")];

on_both!(a_schema_that_is_not_told_is_no_page, Small with NOT_TOLD, async |app| {
    assert_eq!(app.public().ask("{ __schema { queryType { name } } }").await.code(), "FORBIDDEN");
    assert_eq!(app.get("/schema.graphql").await.status, 404);
});

on_both!(only_the_explorer_runs_scripts, Small, async |app| {
    for (path, scripts) in
        [("/", false), ("/graphiql", true), ("/schema.graphql", false), ("/graphql", false)]
    {
        let policy =
            app.get(path).await.headers["content-security-policy"].to_str().expect("text").to_owned();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert_eq!(policy.contains("script-src"), scripts, "{path}: {policy}");
    }
});

on_both!(the_schema_and_the_way_to_report_flaws_are_served, Small, async |app| {
    assert_eq!(app.get("/schema.graphql").await.body, include_str!("../../schema.graphql"));
    assert_eq!(app.get("/.well-known/security.txt").await.status, 404, "nobody is named");
});

const CONTACT: [(&str, &str); 1] = [("CITES_SERVER__SECURITY_CONTACT", "mailto:securite@exemple.fr")];

on_both!(flaws_are_reported_to_whom_the_operator_names, Small with CONTACT, async |app| {
    let text = app.get("/.well-known/security.txt").await.body;
    let expected = "Contact: mailto:securite@exemple.fr\nExpires: 2023-12-09T00:00:00Z\nPreferred-Languages: fr, en\n";
    assert_eq!(text, expected);
});
