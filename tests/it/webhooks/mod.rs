//! Webhooks, with a receiver that verifies what it gets: signed, in order, again when it must be, to nobody else.

mod deliveries;
mod instances;
mod owners;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{GrantedSites, Persona, TestApp};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::writes::{Written, known, write};

/// A delivery, as it arrived.
#[derive(Clone, Debug)]
struct Delivery {
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

impl Delivery {
    fn data(&self) -> Value {
        let body: Value = serde_json::from_str(&self.body).expect("JSON");
        assert_eq!(body["type"], "change");
        body["data"].clone()
    }

    fn version(&self) -> i64 {
        self.data()["version"].as_i64().expect("a version")
    }

    /// Whether the library of Standard Webhooks takes the signature for the secret's.
    fn is_signed(&self, secret: &str) -> bool {
        let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
        let timestamp = self.timestamp.parse().expect("seconds");
        webhook.sign(&self.id, timestamp, self.body.as_bytes()).expect("a signature") == self.signature
    }
}

/// How a receiver answers, one after the other; 200 when nothing is left. 0 stands for no answer.
type Script = Arc<Mutex<VecDeque<u16>>>;

/// A server that notes what is posted to it.
struct Receiver {
    url: String,
    arrived: UnboundedReceiver<Delivery>,
    script: Script,
    server: ServerHandle,
}

async fn receive(
    http: HttpRequest,
    body: Bytes,
    noted: Data<UnboundedSender<Delivery>>,
    script: Data<Script>,
) -> HttpResponse {
    let header = |name: &str| {
        let value = http.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let body = String::from_utf8(body.to_vec()).unwrap_or_default();
    let (id, timestamp, signature) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    noted.send(Delivery { id, timestamp, signature, body }).ok();
    let answer = script.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or(200);
    if answer == 0 {
        std::future::pending::<()>().await;
    }
    HttpResponse::build(StatusCode::from_u16(answer).expect("a status")).body("thanks")
}

impl Receiver {
    fn start() -> Self {
        let (sender, arrived) = unbounded_channel();
        let script = Script::default();
        let (noted, answers) = (Data::new(sender), Data::new(Arc::clone(&script)));
        let make = move || {
            App::new().app_data(noted.clone()).app_data(answers.clone()).default_service(web::to(receive))
        };
        let server = HttpServer::new(make).workers(1).bind("127.0.0.1:0").expect("it listens");
        let url = format!("http://{}/hook", server.addrs()[0]);
        let server = server.disable_signals().run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, arrived, script, server: handle }
    }

    fn answers(&self, statuses: &[u16]) {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).extend(statuses);
    }

    /// The next delivery; transactions of other tests on the same server may hold it up.
    async fn next(&mut self) -> Delivery {
        timeout(Duration::from_secs(30), self.arrived.recv()).await.expect("in time").expect("a delivery")
    }
}

/// Makes a webhook.
const MADE: &str = "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { secret webhook { id } \
    userErrors { code path } } }";

async fn made(persona: &Persona<'_>, input: Value) -> (String, String) {
    let answer = persona.query(MADE, json!({ "input": input })).await;
    let text = |pointer: &str| answer.data(pointer).as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    (text("/createWebhook/webhook/id"), text("/createWebhook/secret"))
}

/// The webhook as its owner sees it, once it is as it should be.
async fn until(persona: &Persona<'_>, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let document = "query ($id: ID!) { webhook(by: { id: $id }) { state pauseReason attempts nextAttemptAt failingSince \
                    lastError deliveredAt after version } }";
    for _ in 0..3_000 {
        let hook = persona.query(document, json!({ "id": id })).await.data("/webhook").clone();
        if is_so(&hook) {
            return hook;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to be");
}

async fn partner(app: &TestApp) -> Persona<'_> {
    app.partner("FRANCE_TRAVAIL", GrantedSites::All).await
}

async fn action(persona: &Persona<'_>, external_id: &str) -> Written {
    let input = json!({ "site": known(Kind::Site, 1), "title": "Forum", "externalId": external_id });
    write(persona, "createAction", input).await
}

async fn retitled(persona: &Persona<'_>, id: &str, title: &str) {
    write(persona, "updateAction", json!({ "id": id, "title": title })).await.done();
}
