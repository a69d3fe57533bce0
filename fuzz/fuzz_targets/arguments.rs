//! Queries by the schema with cursors, ids, filters and scalars, right and wrong.
#![no_main]

use fuzz::{Who, generate, post, with_server};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    with_server(|server| {
        let Some((first, rest)) = data.split_first() else { return };
        let Ok(asked) = generate::operation(rest, &server.values, "query") else { return };
        let who = if first % 4 == 0 { Who::Public } else { Who::Anct };
        server.ask_as(who, post(&asked.document, &asked.variables));
    });
});
