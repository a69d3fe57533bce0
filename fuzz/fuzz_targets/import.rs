//! The lines of an upload by a partner's system.
#![no_main]

use actix_web::test::TestRequest;
use fuzz::{Who, with_fresh_server};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    with_fresh_server(|server| {
        let request = TestRequest::post().uri("/import/actions").set_payload(data.to_vec());
        server.ask_as(Who::Partner, request.insert_header(("content-type", "application/x-ndjson")));
    });
});
