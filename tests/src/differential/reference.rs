//! graphql-js in a process of its own: `tests/node/reference.mjs`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::compare::Response;
use super::generate::Request;

/// The process; it ends with its value.
#[derive(Debug)]
pub struct Reference {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

#[derive(serde::Deserialize)]
struct Line {
    id: usize,
    result: Response,
}

impl Reference {
    /// Starts it over the rows that somebody reads at an API.
    pub fn start(sdl: &str, url: &str, authorization: Option<&str>) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/node/reference.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js runs tests/node/reference.mjs; call tests/run, which prepares it");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("its output is piped"));
        let mut reference = Self { process, input, output };
        let mut first = json!({ "sdl": sdl, "url": url });
        if let Some(authorization) = authorization {
            first["authorization"] = authorization.into();
        }
        reference.send(&first);
        reference
    }

    /// The answers of some requests, in their order. Blocks until all are there.
    pub fn answers(&mut self, requests: &[Request]) -> Vec<Response> {
        for (id, request) in requests.iter().enumerate() {
            let Request { document, variables, operation } = request;
            self.send(&json!({ "id": id, "document": document, "variables": variables, "operationName": operation }));
        }
        (0..requests.len()).map(|id| self.receive(id)).collect()
    }

    fn send(&mut self, message: &Value) {
        let input = self.input.as_mut().expect("it takes requests");
        writeln!(input, "{message}")
            .expect("tests/node/reference.mjs reads; call tests/run, which prepares it");
    }

    fn receive(&mut self, id: usize) -> Response {
        let mut text = String::new();
        self.output.read_line(&mut text).expect("its output is text");
        let line: Line =
            serde_json::from_str(&text).expect("tests/node/reference.mjs answers, its errors above");
        assert_eq!(line.id, id, "answers come in order");
        line.result
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.input = None; // the process ends with its input
        let _ = self.process.wait();
    }
}
