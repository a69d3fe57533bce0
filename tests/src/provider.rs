//! An OpenID provider in a process of its own: `tests/node/oidc.mjs`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// The process; it ends with its value.
#[derive(Debug)]
pub struct OpenIdProvider {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    http: reqwest::Client,
    issuer: String,
}

impl OpenIdProvider {
    /// Starts a provider that gives tokens for some audiences, and adds claims to those of each client.
    pub fn start(audiences: &[&str], clients: &[(&str, Value)]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/node/oidc.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js runs tests/node/oidc.mjs; call tests/run, which prepares it");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("its output is piped"));
        let (http, issuer) = (reqwest::Client::new(), String::new());
        let mut provider = Self { process, input, output, http, issuer };
        let client =
            |(id, claims): &(&str, Value)| json!({ "id": id, "secret": secret(id), "claims": claims });
        let clients: Vec<_> = clients.iter().map(client).collect();
        provider.issuer = provider.told(&json!({ "audiences": audiences, "clients": clients }).to_string());
        provider
    }

    /// Tells it a command of the script, and waits until it is done.
    pub fn tell(&mut self, command: &str) {
        self.told(command);
    }

    fn told(&mut self, line: &str) -> String {
        writeln!(self.input.as_mut().expect("it takes commands"), "{line}").expect("it reads");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("its output is text");
        assert!(
            !answer.is_empty(),
            "tests/node/oidc.mjs answers, its errors above; call tests/run, which prepares it"
        );
        answer.trim().to_owned()
    }

    /// Its name, as tokens have it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Settings of a server that trusts it, as a variable.
    pub fn trusted(&self) -> String {
        format!("[{{ issuer = '{}', discovery = true }}]", self.issuer)
    }

    /// The answer to a client that asks for a token by its credentials.
    pub async fn grant(&self, client: &str, audience: &str, scope: &str) -> Value {
        let form = [("grant_type", "client_credentials"), ("resource", audience), ("scope", scope)];
        let request = self.http.post(format!("{}/token", self.issuer)).form(&form);
        let answer = request.basic_auth(client, Some(secret(client))).send().await.expect("it answers");
        answer.json().await.expect("JSON")
    }

    /// A token of a client, as the value of the Authorization header.
    pub async fn token(&self, client: &str, audience: &str, scope: &str) -> String {
        let answer = self.grant(client, audience, scope).await;
        format!("Bearer {}", answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")))
    }
}

impl Drop for OpenIdProvider {
    fn drop(&mut self) {
        self.input = None; // the process ends with its input
        let _ = self.process.wait();
    }
}

/// The provider and its clients last as long as a test.
fn secret(client: &str) -> String {
    format!("secret-of-{client}")
}
