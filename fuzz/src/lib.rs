//! What the fuzz targets stand on: the product behind its HTTP layer, in this process, on the small world of the tests.
//!
//! [`Server::ask`] is the oracle: whatever is asked, there is an answer, no fault of ours, within bounded time. A panic
//! anywhere ends the process, as libFuzzer wants it.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a target whose ground cannot be laid is of no use"
)]

pub mod generate;
mod server;
mod values;

use std::cell::RefCell;
use std::mem::ManuallyDrop;

use actix_web::test::TestRequest;
use serde_json::Value;
pub use server::{Answer, Server, Who};
pub use values::Values;

/// Inputs after which a target that writes begins on a new database, so that no input depends on many before it and
/// the database stays small.
const WRITES: u32 = 2_000;

thread_local! {
    /// Not dropped at the end of the process, where parts of the runtime are gone already.
    static SERVER: RefCell<ManuallyDrop<Option<(Server, u32)>>> = const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Lends the server, which is made at the first call.
pub fn with_server(ask: impl FnOnce(&Server)) {
    lend(u32::MAX, ask);
}

/// Lends a server whose database may be changed.
pub fn with_fresh_server(ask: impl FnOnce(&Server)) {
    lend(WRITES, ask);
}

fn lend(times: u32, ask: impl FnOnce(&Server)) {
    SERVER.with_borrow_mut(|kept| {
        if kept.as_ref().is_some_and(|(_, left)| *left == 0) {
            **kept = None;
        }
        let (server, left) = kept.get_or_insert_with(|| (Server::start(), times));
        *left -= 1;
        ask(server);
    });
}

/// A document with its variables, as POST takes it; shown if `FUZZ_SHOW` is set.
#[must_use]
pub fn post(document: &str, variables: &Value) -> TestRequest {
    let body = serde_json::json!({ "query": document, "variables": variables });
    if std::env::var_os("FUZZ_SHOW").is_some() {
        println!("{document}\n{variables}");
    }
    TestRequest::post()
        .uri("/graphql")
        .insert_header(("content-type", "application/json"))
        .set_payload(body.to_string())
}
