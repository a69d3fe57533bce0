//! Mutations by the schema with inputs, right and wrong.
#![no_main]

use fuzz::{Who, generate, post, with_fresh_server};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    with_fresh_server(|server| {
        let Some((first, rest)) = data.split_first() else { return };
        let Ok(asked) = generate::operation(rest, &server.values, "mutation") else { return };
        let who = [Who::Anct, Who::Anct, Who::Prefecture, Who::Partner][usize::from(first % 4)];
        server.ask_as(who, post(&asked.document, &asked.variables));
    });
});
