//! What is under way when a token is revoked: streams, sockets, uploads.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Socket, TestApp, on_both};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::revocation::{SOON, lasting, revoke_client};
use crate::live::{LIVE, following, line, rename};
use crate::sync::{france_travail, item};

on_both!(live_streams_of_a_revoked_token_end, Small, async |app| {
    let (revoked, other) = (lasting(app, "portail"), lasting(app, "tableau"));
    let mut socket = following(&revoked).await;
    let mut events = revoked.stream(LIVE, json!({})).await;
    let mut idle = Socket::of(&revoked).await;
    let mut unconcerned = following(&other).await;
    app.clock.advance(1);
    let begun = Instant::now();
    revoke_client(app, "portail").await;
    let (code, reason) = socket.closed().await;
    assert_eq!((code, reason.as_str()), (4401, "the token was revoked; go on with another"));
    let (_, response) = events.event().await.expect("an event");
    assert_eq!(response["errors"][0]["extensions"]["code"], "TOKEN_REVOKED", "{response}");
    assert_eq!(events.event().await, Some(("complete".to_owned(), Value::Null)));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    idle.subscribe("1", "{ viewer { role } }", json!({})).await;
    assert_eq!(idle.closed().await, (4401, reason));
    rename(app, 1, "Encore vu").await;
    assert_eq!(line(&unconcerned.change().await), "UPSERT SITE 2 *");
});

/// An upload whose first lines are imported, and that sends more when its token is good no more.
async fn upload_past_its_token(app: &TestApp, code: &str, end: impl AsyncFnOnce(&str, &str)) {
    let partner = france_travail(app).await;
    let token = partner.authorization().expect("a token");
    let client = partner.claims.as_ref().expect("claims").client_id.clone();
    let mut connection = TcpStream::connect(app.address).await.expect("the server listens");
    let head = format!(
        "POST /import/actions HTTP/1.1\r\nHost: cites\r\nAuthorization: {token}\r\nConnection: close\r\n\
         Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.expect("it is sent");
    send(&mut connection, 0..1_000).await;
    let mut answer = String::new();
    while !answer.contains("\"line\":999,") {
        assert!(read(&mut connection, &mut answer).await > 0, "{answer}");
    }
    end(&token, &client).await;
    send(&mut connection, 1_000..2_000).await;
    while !answer.contains("continueFrom") {
        assert!(read(&mut connection, &mut answer).await > 0, "{answer}");
    }
    let code = format!("\"code\":\"{code}\"");
    assert!(answer.contains(&code) && answer.contains("\"continueFrom\":1000"), "{answer}");
    assert!(!answer.contains("\"line\":1000,"), "{answer}");
}

on_both!(an_upload_ends_when_its_token_is_revoked, Small, async |app| {
    upload_past_its_token(app, "TOKEN_REVOKED", async |token, client| {
        app.clock.advance(1);
        revoke_client(app, client).await;
        super::revocation::turns(app, token, super::revocation::revoked()).await;
    })
    .await;
});

on_both!(an_upload_ends_when_its_token_expires, Small, async |app| {
    upload_past_its_token(app, "TOKEN_EXPIRED", async |_, _| app.clock.advance(3_630)).await;
});

/// Sends lines as one chunk of a body.
async fn send(connection: &mut TcpStream, range: std::ops::Range<usize>) {
    let lines: Vec<_> = range.map(|n| item(&format!("L-{n}"), 0, json!({})).to_string() + "\n").collect();
    let lines = lines.concat();
    let chunk = format!("{:x}\r\n{lines}\r\n", lines.len());
    connection.write_all(chunk.as_bytes()).await.expect("it is sent");
}

async fn read(connection: &mut TcpStream, answer: &mut String) -> usize {
    let mut bytes = vec![0; 16 * 1_024];
    let read = tokio::time::timeout(Duration::from_secs(30), connection.read(&mut bytes)).await;
    let count =
        read.unwrap_or_else(|_| panic!("nothing comes after {answer}")).expect("the connection lasts");
    answer.push_str(&String::from_utf8_lossy(&bytes[..count]));
    count
}
