//! Imports of any length, line by line.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Backend, Persona, Proxy, Template, TestApp, TestDatabase, block_on_postgres, on_both};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{france_travail, item};

/// Sends lines; gives the status and the lines of the answer.
pub(crate) async fn upload(
    app: &TestApp,
    persona: &Persona<'_>,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> (u16, Vec<Value>) {
    let url = format!("http://{}{path}", app.address);
    let mut request = reqwest::Client::new().post(url).body(body);
    if headers.iter().all(|(name, _)| *name != "content-type") {
        request = request.header("content-type", "application/x-ndjson");
    }
    if let Some(authorization) = persona.authorization() {
        request = request.header("authorization", authorization);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let text = response.text().await.expect("a text");
    (status, text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

fn lines(range: std::ops::Range<usize>) -> String {
    let lines: Vec<String> = range.map(|n| item(&format!("L-{n}"), 0, json!({})).to_string()).collect();
    lines.join("\n")
}

fn outcomes(answer: &[Value]) -> Vec<(u64, &str)> {
    answer
        .iter()
        .map(|line| (line["line"].as_u64().expect("a number"), line["outcome"].as_str().expect("an outcome")))
        .collect()
}

on_both!(each_line_has_its_outcome_and_bad_ones_stop_nothing, Small, async |app| {
    let partner = france_travail(app).await;
    let body = format!(
        "{}\n\nno JSON\n{}\n{}\n{}\n{}\n[]",
        item("A", 0, json!({})),
        item("B", 0, json!({ "title": "CV" })),
        item("C", 0, json!({ "lead": { "siret": "1" } })),
        item("D", 0, json!({ "titre": "Permanence" })),
        json!({ "externalId": 5 })
    );
    let (status, answer) = upload(app, &partner, "/import/actions", &[], body).await;
    assert_eq!(status, 200);
    let rejected = (2..8).map(|line| (line, "REJECTED"));
    assert_eq!(outcomes(&answer), [(0, "CREATED")].into_iter().chain(rejected).collect::<Vec<_>>());
    let ids: Vec<&Value> = answer.iter().map(|line| &line["externalId"]).collect();
    let none = Value::Null;
    assert_eq!(ids, [&json!("A"), &none, &json!("B"), &json!("C"), &json!("D"), &none, &none]);
    assert_eq!(answer[2]["errors"][0]["code"], "OUT_OF_BOUNDS");
    assert_eq!(answer[3]["errors"][0]["code"], "INVALID_FORMAT", "{}", answer[3]);
    assert_eq!(answer[3]["errors"][0]["path"], json!(["lead", "siret"]));
});

on_both!(an_upload_sent_again_is_answered_as_before, Small, async |app| {
    let partner = france_travail(app).await;
    let key = [("idempotency-key", "nuit-du-12")];
    let (_, first) = upload(app, &partner, "/import/actions", &key, lines(0..2_300)).await;
    assert_eq!(first.len(), 2_300);
    let (_, again) = upload(app, &partner, "/import/actions", &key, lines(0..2_300)).await;
    assert!(
        again.iter().all(|line| line["outcome"] == "CREATED" && line["replayed"] == true),
        "{}",
        again[0]
    );
    // a broken upload goes on from its last acknowledged line
    let (_, rest) = upload(app, &partner, "/import/actions?from=2000", &key, lines(2_000..2_300)).await;
    assert_eq!(rest.first().map(|line| &line["line"]), Some(&json!(2_000)));
    assert!(rest.iter().all(|line| line["replayed"] == true));
    let count = "{ actions(filter: { sourceSystem: { eq: \"FRANCE_TRAVAIL\" }, title: { eq: \"Permanence emploi\" } }) { totalCount } }";
    assert_eq!(partner.ask(count).await.number("/actions/totalCount"), 2_300);
});

on_both!(compressed_lines_are_read, Small, async |app| {
    let partner = france_travail(app).await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(lines(0..5).as_bytes()).expect("compressed");
    let body = encoder.finish().expect("compressed");
    let (status, answer) =
        upload(app, &partner, "/import/actions", &[("content-encoding", "gzip")], body.clone()).await;
    assert_eq!((status, answer.len()), (200, 5));
    let (status, _) = upload(app, &partner, "/import/actions", &[("content-encoding", "br")], body).await;
    assert_eq!(status, 415);
    let (status, answer) =
        upload(app, &partner, "/import/actions", &[("content-encoding", "gzip")], "no gzip").await;
    assert_eq!((status, answer[0]["errors"][0]["extensions"]["code"].as_str()), (400, Some("BAD_REQUEST")));
});

on_both!(who_may_not_import_hears_so_by_the_status, Small, async |app| {
    let (status, answer) = upload(app, &app.public(), "/import/actions", &[], lines(0..1)).await;
    assert_eq!((status, answer[0]["errors"][0]["extensions"]["code"].as_str()), (403, Some("FORBIDDEN")));
    let partner = france_travail(app).await;
    let read = partner.clone().scopes(&[cites::auth::Scope::Read]);
    assert_eq!(upload(app, &read, "/import/actions", &[], lines(0..1)).await.0, 403);
    let (status, _) = upload(app, &partner, "/import/actions?from=x", &[], lines(0..1)).await;
    assert_eq!(status, 400);
    let wrong = [("content-type", "application/json")];
    assert_eq!(upload(app, &partner, "/import/actions", &wrong, lines(0..1)).await.0, 415);
});

on_both!(a_line_that_cannot_be_read_is_refused_alone, Small, async |app| {
    let partner = france_travail(app).await;
    let good = |id: &str| item(id, 0, json!({})).to_string().into_bytes();
    let long = |bytes: usize| vec![b'x'; bytes];
    let lines = [good("A"), b"caf\xe9".to_vec(), good("B"), long(5_000_000), good("C"), long(65_537)];
    let (status, answer) = upload(app, &partner, "/import/actions?from=7", &[], lines.join(&b'\n')).await;
    assert_eq!(status, 200);
    let expected = ["CREATED", "REJECTED", "CREATED", "REJECTED", "CREATED", "REJECTED"];
    assert_eq!(outcomes(&answer), (7..).zip(expected).collect::<Vec<_>>());
    let codes = [1, 3, 5].map(|line: usize| answer[line]["errors"][0]["code"].as_str().expect("a code"));
    assert_eq!(codes, ["BAD_USER_INPUT", "LIMIT_EXCEEDED", "LIMIT_EXCEEDED"]);
    // one of the longest
    let description =
        "x".repeat(65_536 - item("D", 0, json!({ "onCreate": { "other": "" } })).to_string().len());
    let longest = item("D", 0, json!({ "onCreate": { "other": description } })).to_string();
    assert_eq!(longest.len(), 65_536);
    let (_, answer) = upload(app, &partner, "/import/actions", &[], longest).await;
    assert_eq!(answer[0]["errors"][0]["code"], "BAD_USER_INPUT", "it was read: {}", answer[0]);
});

on_both!(an_answer_waits_for_no_line_that_comes_after_it, Small, async |app| {
    let partner = france_travail(app).await;
    let mut connection = TcpStream::connect(app.address).await.expect("the server listens");
    let head = format!(
        "POST /import/actions HTTP/1.1\r\nHost: cites\r\nAuthorization: {}\r\nConnection: close\r\n\
         Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n",
        partner.authorization().expect("a token")
    );
    connection.write_all(head.as_bytes()).await.expect("it is sent");
    let all = lines(0..2_500);
    let ends: Vec<usize> = all.match_indices('\n').map(|(at, _)| at + 1).collect();
    // all but the last part end within a line
    let parts = [(ends[999] + 20, 1_000), (ends[1_999] + 20, 2_000), (all.len(), 2_500)];
    let (mut from, mut answer) = (0, String::new());
    for (to, answered) in parts {
        let mut piece = format!("{:x}\r\n{}\r\n", to - from, &all[from..to]);
        if to == all.len() {
            piece.push_str("0\r\n\r\n");
        }
        connection.write_all(piece.as_bytes()).await.expect("it is sent");
        while told(&answer).len() < answered {
            let mut bytes = vec![0; 64 * 1_024];
            let read = tokio::time::timeout(Duration::from_secs(30), connection.read(&mut bytes)).await;
            let count = read.expect("more is told").expect("the connection lasts");
            assert!(count > 0, "the answer ends early");
            answer.push_str(std::str::from_utf8(&bytes[..count]).expect("ASCII"));
        }
        from = to;
    }
    assert_eq!(outcomes(&told(&answer)), (0..2_500).map(|line| (line, "CREATED")).collect::<Vec<_>>());
});

/// The whole lines of an answer that comes in chunks.
fn told(answer: &str) -> Vec<Value> {
    let whole = answer.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

on_both!(a_client_has_so_many_uploads_under_way, Small, async |app| {
    let partner = france_travail(app).await;
    let other = app.partner("AGENDA", tests::GrantedSites::All).await;
    let mut open = Vec::new();
    for n in 0..cites::limits::UPLOADS_OF_CLIENT {
        // it is under way once it has answered, with more to come
        let mut connection = begin(app, &partner, &lines(n * 1_000..(n + 1) * 1_000)).await;
        assert!(!next(&mut connection).await.is_empty());
        open.push(connection);
    }
    let url = format!("http://{}/import/actions", app.address);
    let refused = reqwest::Client::new().post(url).header("content-type", "application/x-ndjson");
    let refused = refused.header("authorization", partner.authorization().expect("a token"));
    let refused = refused.body(lines(0..1)).send().await.expect("an answer");
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (429, &"5".parse().expect("a value"))
    );
    let body = refused.text().await.expect("a text");
    assert!(body.contains("RATE_LIMITED"), "{body}");
    assert_eq!(upload(app, &other, "/import/actions", &[], lines(0..1)).await.0, 200, "others go on");
    let mut ended = open.pop().expect("one");
    ended.write_all(b"0\r\n\r\n").await.expect("it is sent");
    while !next(&mut ended).await.is_empty() {}
    assert_eq!(upload(app, &partner, "/import/actions", &[], lines(0..1)).await.0, 200, "its place is free");
});

#[test]
fn an_upload_that_loses_the_database_says_when_to_go_on() {
    block_on_postgres(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Postgres, Template::Small, home.path()).await;
        let proxy = Proxy::to(database.url());
        let app = TestApp::serve(database, home, |url| proxy.url(&url)).await;
        let partner = france_travail(&app).await;
        let mut connection = begin(&app, &partner, &lines(0..1_000)).await;
        let mut answer = String::new();
        let mut more = async |connection: &mut TcpStream| {
            let bytes = next(connection).await;
            answer.push_str(std::str::from_utf8(&bytes).expect("ASCII"));
            (bytes.len(), told(&answer))
        };
        while more(&mut connection).await.1.len() < 1_000 {}
        proxy.cut();
        let rest = lines(1_000..2_000);
        let chunk = format!("{:x}\r\n{rest}\n\r\n0\r\n\r\n", rest.len() + 1);
        connection.write_all(chunk.as_bytes()).await.expect("it is sent");
        let all = loop {
            let (count, told) = more(&mut connection).await;
            if count == 0 {
                break told;
            }
        };
        let last = &all.last().expect("a line")["error"];
        let expected = (&json!("UNAVAILABLE"), &json!(1_000), &json!(5));
        assert_eq!((&last["code"], &last["continueFrom"], &last["retryAfter"]), expected, "{last}");
        app.stop().await;
    });
}

/// Begins an upload that does not end yet.
async fn begin(app: &TestApp, persona: &Persona<'_>, lines: &str) -> TcpStream {
    let mut connection = TcpStream::connect(app.address).await.expect("the server listens");
    let head = format!(
        "POST /import/actions HTTP/1.1\r\nHost: cites\r\nAuthorization: {}\r\nConnection: close\r\n\
         Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n",
        persona.authorization().expect("a token")
    );
    let chunk = format!("{:x}\r\n{lines}\n\r\n", lines.len() + 1);
    connection.write_all(format!("{head}{chunk}").as_bytes()).await.expect("it is sent");
    connection
}

/// What comes next; nothing at the end.
async fn next(connection: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 64 * 1_024];
    let read = tokio::time::timeout(Duration::from_secs(30), connection.read(&mut bytes)).await;
    let count = read.expect("more comes").expect("the connection lasts");
    bytes.truncate(count);
    bytes
}
