//! Reads come from a standby: never older than what their caller knows, never older than may be, and never refused for
//! its sake.

mod causality;
mod faults;
mod lag;
mod setup;

use serde_json::{Value, json};
use tests::world::Kind;
use tests::{Answer, Persona, TestApp};

use crate::metrics::{METRICS, Scrape, until};
use crate::writes::{known, write};

/// Asks for the name of a site that the public sees.
const NAME: &str = "{ site(by: { code: \"cde-901\" }) { name } }";

/// Renames that site; gives what names the write.
async fn rename(persona: &Persona<'_>, name: &str) -> String {
    let written = write(persona, "updateSite", json!({ "id": known(Kind::Site, 1), "name": name })).await;
    written.done();
    token(&written.0.body)
}

#[track_caller]
fn token(body: &Value) -> String {
    let token = body.pointer("/extensions/causality").and_then(Value::as_str);
    token.unwrap_or_else(|| panic!("no token: {body}")).to_owned()
}

/// The name that somebody reads.
async fn name(persona: &Persona<'_>) -> String {
    read_name(&persona.ask(NAME).await)
}

/// The same of one who says what he knows.
async fn name_after(app: &TestApp, persona: &Persona<'_>, causality: Value) -> String {
    let body = json!({ "query": NAME, "extensions": { "causality": causality } });
    read_name(&app.post(persona.authorization().as_deref(), &body).await)
}

#[track_caller]
fn read_name(answer: &Answer) -> String {
    answer.data("/site/name").as_str().expect("a name").to_owned()
}

/// How many reads came from the replica.
async fn from_replica(app: &TestApp) -> f64 {
    Scrape::of(app).await.value("cites_reads_total{server=\"replica\",why=\"fresh\"}")
}

/// How many came from the primary for a reason.
async fn from_primary(app: &TestApp, why: &str) -> f64 {
    Scrape::of(app).await.value(&format!("cites_reads_total{{server=\"primary\",why=\"{why}\"}}"))
}

/// Waits until reads come from the replica.
async fn served(app: &TestApp) {
    until(app, |scrape| scrape.value("cites_replica_serves") > 0.5).await;
}

/// Waits until the replica serves somebody who was served by the primary.
async fn served_to(app: &TestApp, persona: &Persona<'_>) {
    for _ in 0..300 {
        let before = from_replica(app).await;
        name(persona).await;
        if from_replica(app).await > before {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("never served by the replica: {}", Scrape::of(app).await.text());
}
