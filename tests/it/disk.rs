//! A disk that is full: writes say that they were not done, reads go on, and once there is room so do writes.

use std::path::Path;

use serde_json::{Value, json};
use tests::world::Kind;
use tests::{Backend, Caller, Process, Template, TestDatabase, block_on};

use crate::writes::known;

const CREATE: &str =
    "mutation ($input: CreateActionInput!) { createAction(input: $input) { action { id } } }";
const TITLED: &str =
    "query ($input: String!) { actions(first: 100, filter: { title: { eq: $input } }) { nodes { id } } }";

/// Room that is left: for some writes, not for many.
const ROOM: u64 = 300_000;

fn large() -> Value {
    json!({ "site": known(Kind::Site, 1), "title": "Pleine", "description": "x".repeat(9_000) })
}

/// Size of the largest file of a database.
fn size(home: &Path) -> u64 {
    let files =
        home.read_dir().expect("a folder").map(|file| file.expect("a file").metadata().expect("its size"));
    files.map(|file| file.len()).max().expect("files")
}

#[test]
fn a_disk_that_is_full_takes_no_write_and_loses_none() {
    block_on(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Sqlite, Template::Small, home.path()).await;
        let process = Process::of(env!("CARGO_BIN_EXE_cites-tested"), &database, home.path());
        let mut process = process.deaf_to_limits();
        let caller = Caller::of(&process);
        let address = process.serve();
        process.limit_files(Some(size(home.path()) + ROOM));
        let mut acknowledged = Vec::new();
        let refused = loop {
            let answer = caller.ask(&address, CREATE, large()).await;
            let id = answer["data"]["createAction"]["action"]["id"].clone();
            if id.is_null() {
                break answer;
            }
            acknowledged.push(id);
            assert!(acknowledged.len() < 100, "the disk is never full");
        };
        assert!(!acknowledged.is_empty());
        assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{refused}");
        assert_eq!(refused["errors"][0]["extensions"]["retryAfter"], 5);
        assert!(!refused.to_string().to_lowercase().contains("disk"), "{refused}");
        // again and again, and reads go on
        for _ in 0..3 {
            let again = caller.ask(&address, CREATE, large()).await;
            assert_eq!(again["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{again}");
            let there = caller.ask(&address, TITLED, json!("Pleine")).await;
            assert_eq!(
                there["data"]["actions"]["nodes"].as_array().unwrap_or_else(|| panic!("{there}")).len(),
                acknowledged.len()
            );
        }
        process.limit_files(None);
        let answer = caller.ask(&address, CREATE, large()).await;
        acknowledged.push(answer["data"]["createAction"]["action"]["id"].clone());
        // nothing that was acknowledged is lost, and nothing else is there, after a crash as well
        process.kill();
        let address = process.serve();
        let there = caller.ask(&address, TITLED, json!("Pleine")).await;
        let there = there["data"]["actions"]["nodes"].as_array().unwrap_or_else(|| panic!("{there}")).clone();
        let mut ids: Vec<Value> = there.into_iter().map(|node| node["id"].clone()).collect();
        let by_text = |one: &Value, other: &Value| one.as_str().cmp(&other.as_str());
        ids.sort_by(by_text);
        acknowledged.sort_by(by_text);
        assert_eq!(ids, acknowledged);
        process.kill();
        let checked = process.run(&["doctor", "--audit"]);
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    });
}
