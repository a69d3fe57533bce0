//! The example of a client against an API of the test's own, which answers as no server can be made to at will.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use france_travail_sync::client::{Client, Token};
use france_travail_sync::follow::follow;
use france_travail_sync::mirror::Mirror;
use france_travail_sync::push::{Sending, push};
use france_travail_sync::queries::{Now, now};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request: its head and its body.
#[derive(Clone, Debug)]
struct Asked {
    head: String,
    body: Value,
}

impl Asked {
    fn is(&self, operation: &str) -> bool {
        self.body["operationName"] == operation
    }

    /// Identifiers of the items of a call.
    fn ids(&self) -> Vec<String> {
        let items = self.body["variables"]["input"]["items"].as_array().expect("items");
        items.iter().map(|item| item["externalId"].as_str().expect("an id").to_owned()).collect()
    }
}

/// A server that answers as it is told, and keeps what it was asked.
struct Api {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Api {
    /// Answers each request by status and body; without them it ends the connection.
    async fn answering(mut answer: impl FnMut(&Asked) -> Option<(u16, Value)> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/graphql", listener.local_addr().expect("its address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let request = read(&mut connection).await;
                let told = answer(&request);
                kept.lock().expect("what was asked").push(request);
                let Some((status, body)) = told else { continue };
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nConnection: close\r\n"
                );
                let text = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
                connection.write_all(text.as_bytes()).await.expect("it is answered");
            }
        });
        Self { url, asked }
    }

    fn client(&self, token: Token, patience: Duration) -> Client {
        Client::new(&self.url, token, patience)
    }

    /// What was asked by an operation so far.
    fn asked(&self, operation: &str) -> Vec<Asked> {
        let asked = self.asked.lock().expect("what was asked");
        asked.iter().filter(|asked| asked.is(operation)).cloned().collect()
    }
}

async fn read(connection: &mut TcpStream) -> Asked {
    let (mut bytes, mut piece) = (Vec::new(), vec![0; 16 * 1_024]);
    loop {
        let count = connection.read(&mut piece).await.expect("a request");
        assert!(count > 0, "the request ends early");
        bytes.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        if body.len() >= length.parse::<usize>().expect("a number") {
            return Asked { body: serde_json::from_str(body).expect("JSON"), head };
        }
    }
}

fn token() -> Token {
    Token::Text("t".to_owned())
}

fn mirror(home: &Path) -> Mirror {
    Mirror::open(&home.join("mirror.db")).expect("the mirror opens")
}

fn page(name: &str, nodes: &Value) -> Value {
    json!({ "data": { name: { "pageInfo": { "hasNextPage": false, "endCursor": "c" }, "nodes": nodes } } })
}

/// Sites by the contracts that each has.
fn sites(contracts: &[(&str, &[&str])]) -> Value {
    let site = |(code, contracts): &(&str, &[&str])| json!({ "code": code, "contratVilleCodes": contracts });
    page("sites", &contracts.iter().map(site).collect())
}

/// Every item of a call is taken.
fn created(call: &Asked) -> Value {
    let results: Vec<Value> =
        call.ids().iter().map(|_| json!({ "outcome": "CREATED", "errors": [], "notices": [] })).collect();
    json!({ "data": { "syncActions": { "replayed": false, "results": results, "userErrors": [] } } })
}

/// A file of posts: the contract of each.
fn file(home: &Path, contracts: &[&str]) -> std::path::PathBuf {
    let row = |(n, contract): (usize, &&str)| format!("P-{n},21380185800017,MAIRIE,2023,100,{contract}\n");
    let rows: String = contracts.iter().enumerate().map(row).collect();
    let path = home.join("posts.csv");
    let head = "id_poste,siret,raison_sociale,annee,montant_eur,code_cv\n";
    std::fs::write(&path, format!("{head}{rows}")).expect("the file is written");
    path
}

#[tokio::test]
async fn a_call_without_an_answer_is_sent_again_as_it_was() {
    let home = tempfile::tempdir().expect("a folder");
    let csv = file(home.path(), &["CV001", "CV001", "CV002", "CV001", "CV001", "CV002", "CV001"]);
    let sending = |items| Sending { csv: &csv, as_of: "2023-12-31T00:00:00Z", items };
    let mut calls = 0;
    let api = Api::answering(move |asked| {
        if asked.is("Sites") {
            return Some((200, sites(&[("cde-001", &["CV001"])])));
        }
        calls += 1;
        (calls != 2).then(|| (200, created(asked)))
    })
    .await;
    let broken = push(&api.client(token(), Duration::ZERO), &mut mirror(home.path()), sending(2)).await.err();
    assert!(broken.is_some(), "the second call has no answer");
    let before = api.asked("SyncActions");
    assert_eq!(before.len(), 2);

    // meanwhile another site has the one contract as well, and one has the other
    let moved = Api::answering(|asked| {
        let sites = || sites(&[("cde-001", &["CV001"]), ("cde-002", &["CV002"])]);
        Some((200, if asked.is("Sites") { sites() } else { created(asked) }))
    })
    .await;
    let client = moved.client(token(), Duration::ZERO);
    let (counts, bad) = push(&client, &mut mirror(home.path()), sending(3)).await.expect("it is sent");
    let after = moved.asked("SyncActions");
    assert_eq!(after[0].body, before[1].body, "the very same call");
    let done = before[..1].iter().chain(&after).flat_map(Asked::ids).collect::<Vec<String>>();
    assert_eq!(done.len(), done.iter().collect::<BTreeSet<_>>().len(), "none twice: {done:?}");
    let told = bad.iter().map(|bad| bad.id.clone());
    let all: BTreeSet<String> = done.iter().cloned().chain(told).collect();
    assert_eq!(all, (0..7).map(|n| format!("P-{n}")).collect(), "each row is sent or told of");
    assert_eq!(counts, [("CREATED".to_owned(), done.len() as u64)]);
    let keys: BTreeSet<String> = before[..1]
        .iter()
        .chain(&after)
        .map(|call| call.body["variables"]["input"]["idempotencyKey"].to_string())
        .collect();
    assert_eq!(keys.len(), 1 + after.len(), "a key for each");
}

#[tokio::test]
async fn what_a_call_that_was_refused_for_good_had_is_sent_in_another() {
    let home = tempfile::tempdir().expect("a folder");
    let csv = file(home.path(), &["CV001"]);
    let sending = Sending { csv: &csv, as_of: "2023-12-31T00:00:00Z", items: 2 };
    let mut refused = false;
    let api = Api::answering(move |asked| {
        if asked.is("Sites") {
            return Some((200, sites(&[("cde-001", &["CV001"])])));
        }
        if std::mem::replace(&mut refused, true) {
            return Some((200, created(asked)));
        }
        let errors = json!([{ "message": "no", "extensions": { "code": "BAD_USER_INPUT" } }]);
        Some((400, json!({ "errors": errors })))
    })
    .await;
    let client = api.client(token(), Duration::from_mins(1));
    let mut mirror = mirror(home.path());
    assert!(push(&client, &mut mirror, sending).await.is_err(), "it is refused");
    let (counts, _) = push(&client, &mut mirror, sending).await.expect("it is sent");
    assert_eq!(counts, [("CREATED".to_owned(), 1)]);
    let keys = api.asked("SyncActions");
    let keys = keys.iter().map(|call| call.body["variables"]["input"]["idempotencyKey"].to_string());
    assert_eq!(keys.collect::<BTreeSet<_>>().len(), 2);
}

#[tokio::test]
async fn it_waits_for_points_and_for_another_token() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("token");
    std::fs::write(&path, "former").expect("the token is written");
    let (renewed, mut count) = (path.clone(), 0);
    let api = Api::answering(move |_| {
        count += 1;
        let refused = |code: &str| {
            json!({ "errors": [{ "message": "no", "extensions": { "code": code, "retryAfter": 0 } }] })
        };
        Some(match count {
            1 => (429, refused("RATE_LIMITED")),
            2 => {
                std::fs::write(&renewed, "new").expect("the token is written");
                (401, refused("TOKEN_EXPIRED"))
            }
            _ => (200, page("changes", &json!([]))),
        })
    })
    .await;
    let client = api.client(Token::File(path), Duration::from_mins(1));
    client.ask::<Now>(now::Variables {}).await.expect("an answer");
    let tokens: Vec<bool> =
        api.asked("Now").iter().map(|asked| asked.head.contains("authorization: bearer new")).collect();
    assert_eq!(tokens, [false, false, true]);
    // nobody puts another in the place of one that is given once
    let api = Api::answering(|_| {
        Some((401, json!({ "errors": [{ "message": "no", "extensions": { "code": "TOKEN_EXPIRED" } }] })))
    })
    .await;
    let client = api.client(token(), Duration::from_mins(1));
    let refused = client.ask::<Now>(now::Variables {}).await.expect_err("it is refused");
    assert_eq!(refused.code, "TOKEN_EXPIRED");
    assert_eq!(api.asked("Now").len(), 1);
}

#[tokio::test]
async fn what_the_mirror_is_read_from_is_not_behind_the_feed() {
    let home = tempfile::tempdir().expect("a folder");
    let api = Api::answering(|asked| {
        let site = json!([{ "operation": "UPSERT", "entity": "SITE", "entityId": "site_1",
            "node": { "__typename": "Site" } }]);
        Some((
            200,
            if asked.is("Changes") {
                page("changes", &site)
            } else if asked.is("Now") {
                page("changes", &json!([]))
            } else {
                page("actions", &json!([]))
            },
        ))
    })
    .await;
    follow(&api.client(token(), Duration::ZERO), &mut mirror(home.path())).await.expect("it follows");
    for operation in ["Actions", "ActionsOfSite"] {
        let asked = api.asked(operation);
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].body["extensions"]["causality"], "latest", "{operation}");
    }
}
