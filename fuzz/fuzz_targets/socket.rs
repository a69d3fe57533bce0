//! The messages of a WebSocket, one a line.
#![no_main]

use actix_web::test::TestRequest;
use fuzz::{Who, with_fresh_server};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let frames: Vec<u8> = data.split(|byte| *byte == b'\n').flat_map(frame).collect();
    with_fresh_server(|server| {
        let request = TestRequest::get()
            .uri("/graphql/ws")
            .insert_header(("connection", "upgrade"))
            .insert_header(("upgrade", "websocket"))
            .insert_header(("sec-websocket-version", "13"))
            .insert_header(("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="))
            .insert_header(("sec-websocket-protocol", "graphql-transport-ws"));
        let answer = server.ask_as(Who::Anct, request.set_payload(frames.clone()));
        assert_eq!(answer.status, 101);
    });
});

/// A text in one frame of a client, under a mask of zeros (RFC 6455).
fn frame(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let text = &text[..usize::from(length)];
    let mut frame = vec![0x81];
    match u8::try_from(length) {
        Ok(short @ ..126) => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text);
    frame
}
