//! The text of a document, asked by the public and by ANCT. A first line of JSON holds the variables.
#![no_main]

use fuzz::{Who, post, with_fresh_server};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let first = text.split_once('\n').and_then(|(line, rest)| Some((serde_json::from_str(line).ok()?, rest)));
    let (variables, document): (Value, &str) = first.unwrap_or((Value::Null, text));
    with_fresh_server(|server| {
        for who in [Who::Public, Who::Anct] {
            server.ask_as(who, post(document, &variables));
        }
    });
});
