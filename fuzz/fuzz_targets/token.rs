//! The `Authorization` header: as it is, or of two lines a JOSE header and a payload that are rightly signed.
#![no_main]

use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::test::TestRequest;
use fuzz::with_server;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    with_server(|server| {
        let mut lines = data.splitn(2, |byte| *byte == b'\n');
        let (first, second) = (lines.next().unwrap_or_default(), lines.next());
        let value = match second {
            Some(payload) => HeaderValue::from_str(&format!("Bearer {}", server.signed(first, payload))),
            None => HeaderValue::from_bytes(first),
        };
        let Ok(value) = value else { return };
        let request = TestRequest::get().uri("/graphql?query=%7Bviewer%7Brole%7D%7D");
        let answer = server.ask(request.insert_header((AUTHORIZATION, value)));
        assert!(
            answer.status == 401 || second.is_some(),
            "a token that nobody signed is taken: {}",
            answer.status
        );
    });
});
