//! A backup taken while the server writes, and the database restored from it.

use serde_json::json;
use tests::{Backend, Process, Template, TestDatabase, block_on};

const BINARY: &str = env!("CARGO_BIN_EXE_cites-tested");

async fn post(address: &str, token: &str, body: serde_json::Value) -> serde_json::Value {
    let request = reqwest::Client::new().post(address).bearer_auth(token).json(&body);
    request.send().await.expect("the server answers").json().await.expect("JSON")
}

async fn create(address: &str, token: &str, name: &str) {
    let query = "mutation($name: String!) { createPartner(input: { name: $name, kind: ASSOCIATION }) { partner { id } } }";
    let answer = post(address, token, json!({ "query": query, "variables": { "name": name } })).await;
    assert!(answer.pointer("/data/createPartner/partner/id").is_some(), "{answer}");
}

async fn names(address: &str, token: &str) -> Vec<String> {
    let query = "{ partners(first: 100, orderBy: [{ field: NAME, direction: ASC }]) { nodes { name } } }";
    let answer = post(address, token, json!({ "query": query })).await;
    let nodes = answer.pointer("/data/partners/nodes").and_then(|nodes| nodes.as_array()).expect("nodes");
    nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_copy_taken_under_writes_is_whole_and_restores() {
    block_on(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Sqlite, Template::Small, home.path()).await;
        let mut process = Process::of(BINARY, &database, home.path());
        let token = process.run(&["token", "--role", "anct"]).stdout;
        let token = String::from_utf8(token).expect("text").trim().to_owned();
        let address = process.serve();
        create(&address, &token, "Avant").await;
        let known = names(&address, &token).await;

        let file = home.path().join("copy.db");
        let backup = ["backup", file.to_str().expect("a path")];
        let (to, by) = (address.clone(), token.clone());
        let writing = tokio::spawn(async move {
            for number in 0..20 {
                create(&to, &by, &format!("Pendant {number}")).await;
            }
        });
        let made = tokio::task::block_in_place(|| process.run(&backup));
        writing.await.expect("all is written");
        assert!(made.status.success(), "{made:?}");
        create(&address, &token, "Après").await;
        let again = process.run(&backup);
        assert!(!again.status.success(), "a backup is not overwritten: {again:?}");
        process.kill();

        let restored = home.path().join("restored");
        std::fs::create_dir(&restored).expect("a folder");
        std::fs::copy(&file, restored.join("cites.db")).expect("it is put in place");
        let url = format!("sqlite://{}", restored.join("cites.db").display());
        let mut process = Process::at(BINARY, &url, &restored);
        let audit = process.run(&["doctor", "--audit"]);
        let said = String::from_utf8_lossy(&audit.stdout).into_owned();
        assert!(said.contains("ok    database") && said.contains("ok    audit"), "{said}");
        let token = process.run(&["token", "--role", "anct"]).stdout;
        let token = String::from_utf8(token).expect("text").trim().to_owned();
        let address = process.serve();
        let there = names(&address, &token).await;
        assert!(known.iter().all(|name| there.contains(name)), "{there:?}");
        assert!(!there.contains(&"Après".to_owned()), "what came later is not in it: {there:?}");
        create(&address, &token, "Ensuite").await;
    });
}
