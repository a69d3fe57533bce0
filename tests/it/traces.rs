//! What a collector of traces gets: the trace of the caller down to the statements, and nothing about anybody.

use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Attribute;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{Backend, Process, Template, TestDatabase, block_on, block_on_postgres};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::writes::known;

const BINARY: &str = env!("CARGO_BIN_EXE_cites-tested");

/// The trace of a caller, and his span in it.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A collector that keeps what it is sent.
struct Collector {
    url: String,
    arrived: UnboundedReceiver<Bytes>,
    bytes: Vec<u8>,
    spans: Vec<Span>,
    server: ServerHandle,
}

async fn collect(body: Bytes, arrived: Data<UnboundedSender<Bytes>>) -> HttpResponse {
    arrived.send(body).ok();
    HttpResponse::Ok().content_type("application/x-protobuf").finish()
}

impl Collector {
    fn start() -> Self {
        let (sender, arrived) = unbounded_channel();
        let sender = Data::new(sender);
        let make = move || App::new().app_data(sender.clone()).route("/v1/traces", web::post().to(collect));
        let server = HttpServer::new(make).workers(1).bind("127.0.0.1:0").expect("it listens");
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.disable_signals().run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, arrived, bytes: Vec::new(), spans: Vec::new(), server: handle }
    }

    /// Takes what has arrived, until there are so many spans of requests.
    async fn requests(&mut self, count: usize) {
        while self.spans.iter().filter(|span| span.name.contains('/')).count() < count {
            let body = timeout(Duration::from_secs(30), self.arrived.recv()).await.expect("in time");
            self.take(&body.expect("spans"));
        }
    }

    /// Takes what has arrived and has not been looked at.
    fn rest(&mut self) {
        while let Ok(body) = self.arrived.try_recv() {
            self.take(&body);
        }
    }

    fn take(&mut self, body: &Bytes) {
        self.bytes.extend_from_slice(body);
        let sent = ExportTraceServiceRequest::decode(body.clone()).expect("OTLP");
        let scopes = sent.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.spans.extend(scopes.flat_map(|scope| scope.spans));
    }

    /// The spans below one.
    fn below(&self, span: &Span) -> Vec<&Span> {
        self.spans.iter().filter(|other| other.parent_span_id == span.span_id).collect()
    }

    fn holds(&self, word: &str) -> bool {
        String::from_utf8_lossy(&self.bytes).to_lowercase().contains(&word.to_lowercase())
    }
}

/// An attribute as a text; absent is empty.
fn attribute(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|found| found.value.clone()).and_then(|value| value.value) {
        Some(Attribute::StringValue(text)) => text,
        Some(Attribute::IntValue(number)) => number.to_string(),
        None => String::new(),
        Some(other) => panic!("{key} is {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

async fn post(url: &str, headers: &[(&str, &str)], body: &Value) -> Value {
    let mut request = reqwest::Client::new().post(url).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.body(body.to_string()).send().await.expect("an answer");
    serde_json::from_str(&answer.text().await.expect("a text")).expect("JSON")
}

async fn traced(backend: Backend) {
    let home = tempfile::tempdir().expect("a folder");
    let database = TestDatabase::of(backend, Template::Small, home.path()).await;
    let mut collector = Collector::start();
    let mut process = Process::of(BINARY, &database, home.path())
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.clone())
        .with("OTEL_BSP_SCHEDULE_DELAY", "20");
    let token = String::from_utf8(process.run(&["token", "--role", "anct"]).stdout).expect("a token");
    let authorization = format!("Bearer {}", token.trim());
    let url = process.serve();
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let find = "query Sites($name: String) { sites(filter: { name: { contains: $name } }) { totalCount nodes { name } } }";
    let asked = json!({ "query": find, "variables": { "name": "confidentiel" } });
    let headers =
        [("traceparent", parent.as_str()), ("x-request-id", "un"), ("authorization", &authorization)];
    let read = post(&url, &headers, &asked).await;
    assert_eq!(read["data"]["sites"]["totalCount"], 0);
    let rename = "mutation Rename($input: UpdateSiteInput!) { updateSite(input: $input) { userErrors { code } site { name } } }";
    let asked = json!({ "query": rename, "variables": { "input": { "id": known(Kind::Site, 1), "name": "Confidentiel" } } });
    let written = post(&url, &[("authorization", &authorization)], &asked).await;
    assert_eq!(written["data"]["updateSite"]["site"]["name"], "Confidentiel", "{written}");
    collector.requests(2).await;
    assert_eq!(process.terminate(), Some(0));
    collector.rest();

    let of_caller = |span: &&Span| hex(&span.trace_id) == TRACE;
    let request = collector.spans.iter().find(|span| hex(&span.parent_span_id) == CALLER).expect("a request");
    assert_eq!((request.name.as_str(), request.kind), ("POST /graphql", 2));
    assert!(of_caller(&request));
    assert_eq!(attribute(request, "http.route"), "/graphql");
    assert_eq!(attribute(request, "http.response.status_code"), "200");
    let below = collector.below(request);
    let [operation] = below[..] else { panic!("{below:?}") };
    assert_eq!(attribute(operation, "graphql.operation.name"), "Sites");
    assert_eq!(
        (attribute(operation, "graphql.operation.type"), operation.name.as_str()),
        ("query".to_owned(), "query")
    );
    let statements = collector.below(operation);
    let system = if backend == Backend::Sqlite { "sqlite" } else { "postgresql" };
    assert!(statements.iter().all(|span| attribute(span, "db.system.name") == system && span.kind == 3));
    let selects: Vec<&&Span> = statements.iter().filter(|span| span.name == "SELECT").collect();
    assert_eq!(selects.len(), 2, "rows and their count: {statements:?}");
    assert!(selects.iter().any(|span| attribute(span, "db.response.returned_rows") == "0"));
    assert!(selects.iter().all(|span| attribute(span, "db.query.text").contains(['?', '$'])), "{selects:?}");
    assert_eq!(collector.spans.iter().filter(of_caller).count(), 2 + statements.len());

    // who sends no trace has one of his own
    let renamed = |span: &&Span| attribute(span, "graphql.operation.name") == "Rename";
    let rename = collector.spans.iter().find(renamed).expect("the mutation");
    assert_ne!(hex(&rename.trace_id), TRACE);
    let texts: Vec<String> =
        collector.below(rename).iter().map(|span| attribute(span, "db.query.text")).collect();
    for verb in ["BEGIN", "UPDATE", "INSERT", "COMMIT"] {
        let is_run = |text: &String| text.split("; ").any(|statement| statement.starts_with(verb));
        assert!(texts.iter().any(is_run), "{verb} in {texts:?}");
    }
    for word in ["confidentiel", token.trim(), "test-anct", "127.0.0.1", "authorization"] {
        assert!(!collector.holds(word), "{word}");
    }
    let line = format!("[un {TRACE}]");
    assert!(
        process.log().lines().any(|logged| logged.contains(&line) && logged.contains("Sites")),
        "{}",
        process.log()
    );
    collector.server.stop(false).await;
}

#[test]
fn a_request_is_traced_down_to_its_statements_on_sqlite() {
    block_on(async || traced(Backend::Sqlite).await);
}

#[test]
fn a_request_is_traced_down_to_its_statements_on_postgres() {
    block_on_postgres(async || traced(Backend::Postgres).await);
}

#[test]
fn callers_decide_for_themselves_and_chance_for_the_others() {
    block_on(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Sqlite, Template::Small, home.path()).await;
        let mut collector = Collector::start();
        let mut process = Process::of(BINARY, &database, home.path())
            .with("CITES_TELEMETRY__OTLP_ENDPOINT", format!("{}/", collector.url))
            .with("CITES_TELEMETRY__TRACE_RATIO", "0")
            .with("OTEL_BSP_SCHEDULE_DELAY", "20");
        let url = process.serve();
        let asked = json!({ "query": "{ regions { nodes { name } } }" });
        let unwanted = format!("00-{}-{CALLER}-00", "1".repeat(32));
        let wanted = format!("00-{TRACE}-{CALLER}-01");
        for parent in [None, Some("no trace"), Some(&unwanted), Some(&wanted)] {
            let headers: Vec<(&str, &str)> =
                parent.map(|parent| ("traceparent", parent)).into_iter().collect();
            assert!(post(&url, &headers, &asked).await["data"]["regions"].is_object());
        }
        collector.requests(1).await;
        assert_eq!(process.terminate(), Some(0));
        collector.rest();
        assert!(collector.spans.len() >= 3);
        assert!(collector.spans.iter().all(|span| hex(&span.trace_id) == TRACE), "{:?}", collector.spans);
        collector.server.stop(false).await;
    });
}

#[test]
fn a_collector_that_is_gone_holds_nothing_up() {
    block_on(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Sqlite, Template::Small, home.path()).await;
        let gone = Collector::start();
        gone.server.stop(false).await;
        let mut process =
            Process::of(BINARY, &database, home.path()).with("CITES_TELEMETRY__OTLP_ENDPOINT", gone.url);
        let url = process.serve();
        let answer = post(&url, &[], &json!({ "query": "{ regions { nodes { name } } }" })).await;
        assert!(answer["data"]["regions"].is_object(), "{answer}");
        assert_eq!(process.terminate(), Some(0));
    });
}
