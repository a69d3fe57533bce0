//! A request as a text: a line with method and target, lines of headers, an empty line, the body. The values `anct`
//! and `partner` stand for the tokens of those.
#![no_main]

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::test::TestRequest;
use fuzz::{Server, Who, with_fresh_server};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    with_fresh_server(|server| {
        if let Some(request) = request(server, data) {
            server.ask(request);
        }
    });
});

fn request(server: &Server, data: &[u8]) -> Option<TestRequest> {
    let end = data.windows(2).position(|pair| pair == b"\n\n")?;
    let head = std::str::from_utf8(&data[..end]).ok()?;
    let mut lines = head.split('\n');
    let (method, target) = lines.next()?.split_once(' ')?;
    let target: Uri = target.parse().ok().filter(|uri: &Uri| uri.path().starts_with('/'))?;
    let mut request = TestRequest::default()
        .method(Method::from_bytes(method.as_bytes()).ok()?)
        .uri(&target.to_string())
        .set_payload(data[end + 2..].to_vec());
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name: HeaderName = name.parse().ok()?;
        let value = match value.trim() {
            "anct" => server.authorization(Who::Anct)?,
            "partner" => server.authorization(Who::Partner)?,
            other => other,
        };
        request = request.append_header((name, HeaderValue::from_str(value).ok()?));
    }
    Some(request)
}
