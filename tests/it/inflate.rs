//! Bodies that come compressed, honest ones and those that swell.

use std::io::Write as _;

use serde_json::{Value, json};
use tests::{Backend, Process, Template, TestDatabase, block_on, on_both};

use crate::sync::item;

/// Most that the server may grow by for all that is sent to it here, in KiB.
const GROWTH: u64 = 96 * 1_024;

/// A Zstandard frame of a window of so many bytes (a power of two), with blocks of a kind: 0 as they are, 1 one byte
/// that is repeated.
fn frame(window: u32, kind: u32, blocks: &[(u32, &[u8])]) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00];
    frame.push(u8::try_from((window.ilog2() - 10) << 3).expect("a window"));
    for (index, (size, bytes)) in blocks.iter().enumerate() {
        let is_last = u32::from(index + 1 == blocks.len());
        frame.extend_from_slice(&(size << 3 | kind << 1 | is_last).to_le_bytes()[..3]);
        frame.extend_from_slice(bytes);
    }
    frame
}

/// A hundred thousand bytes that swell to three thousand million.
fn bomb(byte: &[u8]) -> Vec<u8> {
    frame(131_072, 1, &vec![(131_072, byte); 25_000])
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("compressed");
    encoder.finish().expect("compressed")
}

fn zstd(text: &str) -> Vec<u8> {
    frame(131_072, 0, &[(u32::try_from(text.len()).expect("a short text"), text.as_bytes())])
}

on_both!(a_document_may_come_compressed, Small, async |app| {
    let body = json!({ "query": "{ sites { totalCount } }" }).to_string();
    let send = async |encoding: &str, body: Vec<u8>| {
        let request = app.http().post(app.url()).header("content-type", "application/json");
        app.receive(request.header("content-encoding", encoding).body(body)).await
    };
    let plain = send("identity", body.clone().into_bytes()).await;
    for (encoding, sent) in [("gzip", gzip(&body)), ("zstd", zstd(&body))] {
        assert_eq!(send(encoding, sent).await.data(""), plain.data(""), "{encoding}");
    }
    // in two parts that were put together
    let (half, rest) = body.split_at(10);
    assert_eq!(send("gzip", [gzip(half), gzip(rest)].concat()).await.data(""), plain.data(""));
    for (encoding, sent, status) in [
        ("br", gzip(&body), 415),
        ("gzip", body.clone().into_bytes(), 400),
        ("zstd", zstd(&body)[..20].to_vec(), 400),
        // a window of 128 MiB would have to be kept for it
        ("zstd", frame(1 << 27, 1, &[(131_072, b" ")]), 400),
        ("zstd", bomb(b" "), 413),
    ] {
        assert_eq!(send(encoding, sent).await.status, status, "{encoding}");
    }
});

#[test]
fn a_body_that_swells_is_not_held() {
    block_on(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Sqlite, Template::Small, home.path()).await;
        let mut process = Process::of(env!("CARGO_BIN_EXE_cites-tested"), &database, home.path());
        let graphql = process.serve();
        let import = graphql.replace("/graphql", "/import/actions");
        let token = ["token", "--role", "partner_system", "--source", "FRANCE_TRAVAIL", "--sites", "all"];
        let token = String::from_utf8(process.run(&token).stdout).expect("a token");
        let http = reqwest::Client::new();
        let send = async |url: &str, kind: &str, token: Option<&str>, body: Vec<u8>| {
            let mut request = http.post(url).header("content-type", kind).header("content-encoding", "zstd");
            if let Some(token) = token {
                request = request.bearer_auth(token.trim());
            }
            let answer = request.body(body).send().await.expect("an answer");
            let (status, text) = (answer.status().as_u16(), answer.text().await.expect("a text"));
            let told: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
            (status, told["errors"][0]["extensions"]["code"].as_str().map(str::to_owned))
        };
        let lines = "application/x-ndjson";
        let good = zstd(&(item("L-1", 0, json!({})).to_string() + "\n"));
        assert_eq!(send(&import, lines, Some(&token), good).await, (200, None));
        let before = process.peak_memory();
        let told = |status: u16, code: &str| (status, Some(code.to_owned()));
        let refused = send(&graphql, "application/json", None, bomb(b" ")).await;
        assert_eq!(refused, told(413, "PAYLOAD_TOO_LARGE"));
        assert_eq!(send(&import, lines, None, bomb(b"x")).await, told(403, "FORBIDDEN"));
        // a line without end is passed over, and refused by itself
        assert_eq!(send(&import, lines, Some(&token), bomb(b"x")).await, (200, None));
        let grown = process.peak_memory() - before;
        assert!(grown < GROWTH, "{grown} KiB");
    });
}
