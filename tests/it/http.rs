//! GraphQL over HTTP as its specification audits it, and the engine as a client of many requests meets it.

use std::io::Read;
use std::path::Path;

use cites::limits;
use serde_json::{Value, json};
use tests::{Answer, TestApp, on_both};

/// Asks for names, with some headers.
async fn with(app: &TestApp, headers: &[(&str, &str)]) -> Answer {
    let body = json!({ "query": "{ sites { nodes { name } } }" }).to_string();
    let request = app.http().post(app.url()).header("content-type", "application/json").body(body);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    app.receive(request).await
}

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

on_both!(answers_are_compressed_as_the_client_asks, Small, async |app| {
    for encoding in ["br", "gzip", "zstd"] {
        let answer = with(app, &[("accept-encoding", encoding)]).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, encoding));
        let vary = answer.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok());
        assert!(vary.collect::<Vec<_>>().join(", ").to_lowercase().contains("accept-encoding"));
    }
    let plain = with(app, &[]).await;
    assert_eq!(plain.header("content-encoding"), "");
    let request = app.http().post(app.url()).header("content-type", "application/json");
    let request =
        request.header("accept-encoding", "gzip").body("{\"query\":\"{ sites { nodes { name } } }\"}");
    let bytes = request.send().await.expect("an answer").bytes().await.expect("a body");
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_ref()).read_to_string(&mut text).expect("gzip");
    let read: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(&read["data"], plain.data(""));
});

const ORIGIN: (&str, &str) = ("origin", "https://carte.example.fr");

on_both!(no_page_of_another_origin_reads_answers_unless_it_is_configured, Small, async |app| {
    let answer = with(app, &[ORIGIN]).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ""));
});

/// One origin whose pages read answers.
const CORS: [(&str, &str); 1] = [("CITES_SERVER__CORS_ORIGINS", "https://carte.example.fr")];

on_both!(pages_of_configured_origins_read_answers, Small with CORS, async |app| {
    let answer = with(app, &[ORIGIN]).await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://carte.example.fr");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let vary = answer.headers.get_all("vary").iter().filter_map(|value| value.to_str().ok());
    let vary = vary.collect::<Vec<_>>().join(", ");
    assert!(vary.contains("Origin") && vary.contains("Authorization"), "{vary}");
    let other = with(app, &[("origin", "https://example.org")]).await;
    assert_eq!(other.header("access-control-allow-origin"), "");
    let ask = |origin: &str| {
        let request = app.http().request(reqwest::Method::OPTIONS, app.url()).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        app.receive(request.header("access-control-request-headers", "authorization,content-type"))
    };
    let allowed = ask("https://carte.example.fr").await;
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (200, ORIGIN.1));
    assert!(allowed.header("access-control-allow-headers").to_lowercase().contains("authorization"));
    assert_eq!(ask("https://example.org").await.header("access-control-allow-origin"), "");
});

/// The schema is not for the public.
const CLOSED: [(&str, &str); 1] = [("CITES_LIMITS__PUBLIC", "{ introspection = false }")];

on_both!(introspection_is_for_the_roles_that_have_it, Small with CLOSED, async |app| {
    let ask = "{ ... { s: __schema { queryType { name } } } }";
    assert_eq!(app.public().ask(ask).await.code(), "FORBIDDEN");
    assert_eq!(app.public().ask("{ __type(name: \"Site\") { name } }").await.code(), "FORBIDDEN");
    assert!(app.public().ask("{ __typename sites { totalCount } }").await.errors().is_empty());
    assert_eq!(app.anct().ask(ask).await.data("/s/queryType/name"), "Query");
});

/// A connection that speaks HTTP/2 without TLS.
async fn http2(app: &TestApp) -> h2::client::SendRequest<bytes::Bytes> {
    let stream = tokio::net::TcpStream::connect(app.address).await.expect("a connection");
    let mut client = h2::client::Builder::new();
    client.initial_max_send_streams(2 * limits::CONNECTION_REQUESTS);
    let (requests, connection) = client.handshake(stream).await.expect("HTTP/2 is spoken");
    tokio::spawn(connection);
    requests
}

/// Asks whether the server lives: the status, and after how many seconds to come back.
async fn alive(requests: &mut h2::client::SendRequest<bytes::Bytes>) -> (u16, Option<String>) {
    let get = ::http::Request::get("http://cites/health/live").body(()).expect("a request");
    let (answer, _) = requests.send_request(get, true).expect("it is sent");
    let answer = answer.await.expect("an answer");
    let after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
    (answer.status().as_u16(), after.map(str::to_owned))
}

on_both!(a_connection_has_so_many_requests_in_progress_and_others_go_on, Small, async |app| {
    let mut crowded = http2(app).await;
    let body = json!({ "query": "{ __typename }" }).to_string();
    let mut waiting = Vec::new();
    for _ in 0..limits::CONNECTION_REQUESTS {
        assert_eq!(alive(&mut crowded).await.0, 200);
        let post = ::http::Request::post("http://cites/graphql").header("content-type", "application/json");
        let post = post.body(()).expect("a request");
        let (answer, mut sending) = crowded.send_request(post, false).expect("it is sent");
        // the server waits for the end of it
        sending.send_data(body.clone().into(), false).expect("it is sent");
        waiting.push((answer, sending));
    }
    assert_eq!(alive(&mut crowded).await, (503, Some(limits::RETRY_AFTER_SECONDS.to_string())));
    assert_eq!(alive(&mut http2(app).await).await.0, 200, "another connection is not concerned");
    for (answer, mut sending) in waiting {
        sending.send_data(bytes::Bytes::new(), true).expect("it is sent");
        let mut answer = answer.await.expect("an answer");
        assert_eq!(answer.status(), 200);
        while let Some(bytes) = answer.body_mut().data().await {
            bytes.expect("it is whole");
        }
    }
    assert_eq!(alive(&mut crowded).await.0, 200);
});
