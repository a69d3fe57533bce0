//! A client that does not read costs nothing more, and is told to go on from its last cursor once it does.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;
use tests::{Backend, Socket, Template, TestApp, block_on, block_on_postgres};
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::Message;

use super::rename;

/// Events of some fifty kilobytes.
fn wide() -> String {
    let names = (0..400).fold(String::new(), |mut names, n| {
        let _ = write!(names, "n{n}: name ");
        names
    });
    format!("subscription {{ changes {{ cursor node {{ ... on Site {{ {names} }} }} }} }}")
}

/// Follows, and reads nothing, until what the system and the server hold on the way is full and the server reads nothing
/// more for it; gives how often the site was renamed.
async fn stuffed(app: &TestApp) -> (Socket, usize) {
    let connection = TcpSocket::new_v4().expect("a socket");
    connection.set_recv_buffer_size(4_096).expect("a small buffer");
    let connection = connection.connect(app.address).await.expect("a connection");
    let mut socket = Socket::over(app, connection, app.anct().authorization().as_deref()).await;
    socket.begin(None).await;
    socket.subscribe("1", &wide(), json!({})).await;
    super::begun(&mut socket).await;
    let (mut before, mut quiet, mut written) = (app.statements(), 0, 0);
    while quiet < 8 {
        rename(app, 1, &format!("{written} {}", "x".repeat(100))).await;
        written += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let now = app.statements();
        // a rename reads its site back: one statement
        quiet = if now - before <= 1 { quiet + 1 } else { 0 };
        before = now;
        assert!(written < 5_000, "the server goes on reading for who does not");
    }
    (socket, written)
}

async fn closed_when_it_reads_on(backend: Backend) {
    let settings = [("CITES_LIVE__STALL_TIMEOUT_MS", "4000")];
    let app = TestApp::start_with(backend, Template::Small, &settings).await;
    let (mut socket, written) = stuffed(&app).await;
    tokio::time::sleep(Duration::from_millis(4_100)).await;
    // now it reads: what was on the way, then the end
    let (mut cursors, mut end) = (Vec::new(), None);
    while end.is_none() {
        match socket.frame().await {
            Some(Message::Text(text)) => {
                let message: serde_json::Value = serde_json::from_str(&text).expect("JSON");
                cursors.push(message["payload"]["data"]["changes"]["cursor"].clone());
            }
            Some(Message::Close(Some(close))) => {
                end = Some((u16::from(close.code), close.reason.to_string()));
            }
            other => panic!("{other:?}"),
        }
    }
    let (code, reason) = end.expect("an end");
    assert_eq!(code, 1013, "{reason}");
    assert!(reason.contains("cursor"));
    assert!(cursors.len() < written, "{} of {written} were on the way", cursors.len());
    // and goes on where it was
    let mut socket = Socket::of(&app.anct()).await;
    let after = json!({ "after": cursors.last().expect("one at least") });
    socket.subscribe("1", super::LIVE, after).await;
    for n in cursors.len()..written {
        assert_eq!(socket.change().await["version"], json!(n + 2));
    }
    app.stop().await;
}

#[test]
fn a_slow_reader_is_closed_and_goes_on_from_its_cursor_sqlite() {
    block_on(async || closed_when_it_reads_on(Backend::Sqlite).await);
}

#[test]
fn a_slow_reader_is_closed_and_goes_on_from_its_cursor_postgres() {
    block_on_postgres(async || closed_when_it_reads_on(Backend::Postgres).await);
}

#[test]
fn a_client_that_never_reads_is_given_up() {
    block_on(async || {
        let settings = [("CITES_LIVE__STALL_TIMEOUT_MS", "500"), ("CITES_LIVE__MAX_STREAMS", "1")];
        let app = TestApp::start_with(Backend::Sqlite, Template::Small, &settings).await;
        let (socket, _) = stuffed(&app).await;
        let body = json!({ "query": super::LIVE });
        let authorization = app.anct().authorization();
        let begun = Instant::now();
        // its place becomes free though it is there and says nothing
        while app.stream(authorization.as_deref(), &body).await.status() != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(begun.elapsed() < Duration::from_secs(20), "nobody gives it up");
        }
        drop(socket);
        app.stop().await;
    });
}
