//! What is no standby of the database is not read from, and the operator is told.

use std::time::Duration;

use tests::{Process, Replicated, block_on_postgres};

use super::*;

const BINARY: &str = env!("CARGO_BIN_EXE_cites-tested");

/// A process whose replica is at an address, in a folder.
fn process(servers: &Replicated, replica: &str, home: &std::path::Path) -> Process {
    Process::at(BINARY, &servers.url, home).with("CITES_DATABASE__REPLICA_URL", replica)
}

/// The line of a check.
fn doctor(process: &Process) -> String {
    let said = String::from_utf8(process.run(&["doctor"]).stdout).expect("a text");
    said.lines().find(|line| line.contains(" replica: ")).unwrap_or_else(|| panic!("{said}")).to_owned()
}

#[test]
fn the_doctor_knows_a_standby() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let home = tempfile::tempdir().expect("a folder");
        let said = doctor(&process(&servers, &servers.standby_url, home.path()));
        assert!(said.starts_with("ok") && said.contains("a standby of this database"), "{said}");
    });
}

#[test]
fn another_database_is_not_read_from() {
    block_on_postgres(async || {
        let servers = Replicated::lay().await;
        let (other, copy) = (servers.standby_of("postgres"), servers.standby_of(servers.template()));
        for (replica, why) in [
            (other.as_str(), "no copy of this database"),
            (copy.as_str(), "no copy of this database"),
            (&servers.url, "no standby"),
            ("postgres://tests@localhost/cites?host=/nowhere", "does not answer"),
        ] {
            let home = tempfile::tempdir().expect("a folder");
            let mut process = process(&servers, replica, home.path());
            let said = doctor(&process);
            assert!(said.starts_with("WRONG") && said.contains(why), "{said}");
            let address = process.serve();
            let body = json!({ "query": NAME }).to_string();
            let post =
                reqwest::Client::new().post(&address).header("content-type", "application/json").body(body);
            let answer = post.send().await.expect("an answer").text().await.expect("a text");
            assert!(answer.contains("\"name\":"), "{answer}");
            let told = async || {
                while !process.log().contains(why) {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(30), told()).await.expect("it is logged");
            let warned =
                process.log().lines().filter(|line| line.contains("WARN") && line.contains(why)).count();
            assert_eq!(warned, 1, "{}", process.log());
        }
    });
}
