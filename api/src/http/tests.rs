//! The rules of GraphQL over HTTP, with an engine that answers by the text of the document.

use std::net::IpAddr;

use actix_web::body::to_bytes;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, middleware};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::clients::Client;
use crate::metrics::Metrics;

const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// Answers `{a}` with data that tell what was asked, and other documents with the kind they are named for.
pub(super) struct Engine {
    ready: bool,
    /// How many lines of an upload were read.
    read: watch::Sender<usize>,
}

impl Engine {
    pub(super) fn new(ready: bool) -> Self {
        Self { ready, read: watch::Sender::new(0) }
    }
}

#[async_trait]
impl Executor for Engine {
    type Actor = String;
    type Lines = ImportChunk;

    async fn authenticate(&self, authorization: Option<&str>) -> Result<String, AuthRefusal> {
        match authorization {
            None => Ok("public".to_owned()),
            Some("Bearer good") => Ok("known".to_owned()),
            Some("Bearer later") => Err(AuthRefusal::Unavailable),
            Some(_) => {
                let (message, challenge) = ("The token is not valid.".into(), "Bearer error=\"x\"".into());
                Err(AuthRefusal::Invalid { code: "TOKEN_INVALID", message, challenge })
            }
        }
    }

    fn client(&self, actor: Option<&String>, _: Option<IpAddr>) -> Client {
        Client { key: 0, is_public: actor.is_none_or(|actor| actor == "public") }
    }

    fn body_bytes(&self, _: &String) -> usize {
        1000
    }

    fn affords(&self, _: &String, _: Option<IpAddr>) -> Result<(), GraphqlAnswer> {
        Ok(())
    }

    fn may_import(&self, _: &String) -> Result<(), ImportFailure> {
        Ok(())
    }

    fn read(&self, chunk: ImportChunk) -> Result<ImportChunk, ImportFailure> {
        self.read.send_modify(|read| *read += chunk.lines.len());
        Ok(chunk)
    }

    /// One that begins so waits until more than its lines were read.
    async fn import(&self, chunk: ImportChunk, _: String) -> Result<Vec<u8>, ImportFailure> {
        if chunk.lines.first() == Some(&ImportLine::Text("wait".to_owned())) {
            self.read.subscribe().wait_for(|read| *read > chunk.lines.len()).await.unwrap();
        }
        Ok(format!("{}\n", chunk.lines.len()).into_bytes())
    }

    async fn operate(&self, request: GraphqlRequest, actor: String, _turn: Turn) -> Operated {
        Operated::Answer(self.execute(request, actor).await)
    }

    fn ending(&self, _: &String) -> Option<Ending> {
        None
    }

    async fn export(&self, request: ExportRequest, _: String) -> Result<ExportAnswer, ExportFailure> {
        let pieces = match request.file.as_str() {
            "whole.csv" => vec![Ok(b"a".to_vec()), Ok(b"b".to_vec())],
            "broken.csv" => vec![Ok(b"a".to_vec()), Err(Unfinished)],
            _ => return Err(ExportFailure::NoSuchFile),
        };
        let body: Option<ExportBody> = Some(Box::pin(futures_util::stream::iter(pieces)));
        let tag = "W/\"1\"".to_owned();
        Ok(ExportAnswer { tag, is_known: false, name: request.file, media_type: "text/csv", body })
    }

    async fn execute(&self, request: GraphqlRequest, actor: String) -> GraphqlAnswer {
        let kind = match request.query.as_deref().unwrap_or_default() {
            "mutation{a}" if request.read_only => AnswerKind::ReadOnly,
            "{a}" | "mutation{a}" => AnswerKind::Data,
            "down" => AnswerKind::Unavailable,
            _ => AnswerKind::RequestError,
        };
        let body = match kind {
            AnswerKind::Data => json!({ "data": {
                "actor": actor,
                "variables": request.variables,
                "operationName": request.operation_name,
                "requestId": request.request_id,
            } }),
            _ => json!({ "errors": [{ "message": "no" }] }),
        };
        GraphqlAnswer { body: body.to_string().into_bytes(), kind, shared: None }
    }

    async fn ready(&self) -> Result<(), String> {
        self.ready.then_some(()).ok_or_else(|| "database db.internal refused".to_owned())
    }

    fn metrics(&self) -> Arc<Metrics> {
        Arc::new(Metrics::new().unwrap())
    }

    async fn scrape(&self, _streams: usize) -> Result<String, String> {
        Ok(String::new())
    }

    fn schema(&self) -> &'static str {
        "type Query { a: Int }"
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn code(&self) -> Option<&str> {
        self.body["errors"][0]["extensions"]["code"].as_str()
    }
}

async fn send_to(engine: Engine, request: TestRequest) -> Answer {
    let endpoint = Data::new(Endpoint::new(engine, HttpSettings::default()));
    let app = App::new().wrap(middleware::from_fn(envelope)).configure(|app| routes(app, &endpoint));
    let response: ServiceResponse<_> = call_service(&init_service(app).await, request.to_request()).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = to_bytes(response.into_body()).await.ok().unwrap();
    Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap() }
}

async fn send(request: TestRequest) -> Answer {
    send_to(Engine::new(true), request).await
}

fn post(query: &str) -> TestRequest {
    TestRequest::post().uri(GRAPHQL_PATH).set_json(json!({ "query": query }))
}

fn get(query_string: &str) -> TestRequest {
    TestRequest::get().uri(&format!("{GRAPHQL_PATH}?{query_string}"))
}

#[actix_web::test]
async fn post_is_answered_in_the_media_type_asked_for() {
    for (accept, content_type) in [
        ("*/*", "application/json; charset=utf-8"),
        (GRAPHQL_RESPONSE, "application/graphql-response+json; charset=utf-8"),
    ] {
        let answer = send(post("{a}").insert_header(("accept", accept))).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some(content_type));
        assert_eq!(answer.body["data"]["actor"], "public");
    }
}

#[actix_web::test]
async fn a_refused_document_is_400_in_the_newer_type_and_200_in_the_older() {
    assert_eq!(send(post("{").insert_header(("accept", GRAPHQL_RESPONSE))).await.status, 400);
    assert_eq!(send(post("{").insert_header(("accept", "application/json"))).await.status, 200);
}

#[actix_web::test]
async fn a_malformed_request_is_400_in_both_types_and_says_what_is_expected() {
    for accept in [GRAPHQL_RESPONSE, "application/json"] {
        let request = TestRequest::post().uri(GRAPHQL_PATH).set_payload("{ \"not a JSON");
        let request = request.insert_header(("content-type", "application/json"));
        let answer = send(request.insert_header(("accept", accept))).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, Some("BAD_REQUEST")));
        assert!(answer.header("content-type").unwrap().starts_with(accept));
        let message = answer.body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("line 1") && message.contains("\"query\""), "{message}");
        assert!(answer.body.get("data").is_none());
    }
}

#[actix_web::test]
async fn get_serves_queries_and_refuses_mutations() {
    let answer = send(get("query=%7Ba%7D&variables=%7B%22x%22:1%7D&operationName=A")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["data"]["variables"], json!({ "x": 1 }));
    assert_eq!(answer.body["data"]["operationName"], "A");
    let refused = send(get("query=mutation%7Ba%7D")).await;
    assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, Some("POST")));
    assert_eq!(send(post("mutation{a}")).await.status, 200);
    assert_eq!(send(get("")).await.code(), Some("BAD_REQUEST"));
}

#[actix_web::test]
async fn other_methods_are_405_with_the_methods_served() {
    for request in [TestRequest::put(), TestRequest::delete(), TestRequest::patch()] {
        let answer = send(request.uri(GRAPHQL_PATH)).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET, POST")));
        assert_eq!(answer.code(), Some("METHOD_NOT_ALLOWED"));
    }
    let answer = send(TestRequest::post().uri("/health/live")).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET, HEAD")));
}

#[actix_web::test]
async fn bodies_that_a_browser_sends_unasked_are_415() {
    let forms = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
    for content_type in forms {
        let request = TestRequest::post().uri(GRAPHQL_PATH).set_payload(r#"{"query":"{a}"}"#);
        let answer = send(request.insert_header(("content-type", content_type))).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (415, Some("UNSUPPORTED_MEDIA_TYPE")));
    }
}

#[actix_web::test]
async fn an_answer_in_another_media_type_is_406() {
    let answer = send(post("{a}").insert_header(("accept", "text/html"))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (406, Some("NOT_ACCEPTABLE")));
}

#[actix_web::test]
async fn a_body_past_the_limit_is_413() {
    assert_eq!(send(post(&"x".repeat(900))).await.status, 200);
    let answer = send(post(&"x".repeat(1000))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (413, Some("PAYLOAD_TOO_LARGE")));
}

#[actix_web::test]
async fn a_bad_token_is_401_and_never_the_public() {
    let known = send(post("{a}").insert_header(("authorization", "Bearer good"))).await;
    assert_eq!(known.body["data"]["actor"], "known");
    for token in ["Bearer bad", "", "Basic x", "Bearer \u{e9}"] {
        let answer = send(post("{a}").insert_header(("authorization", token.as_bytes()))).await;
        assert_eq!(answer.status, 401, "{token}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer error=\"x\""));
        assert!(answer.code().is_some());
    }
    let two = post("{a}").append_header(("authorization", "Bearer good"));
    assert_eq!(send(two.append_header(("authorization", "Bearer good"))).await.status, 400);
}

#[actix_web::test]
async fn a_token_elsewhere_than_in_its_header_is_not_read() {
    let request = get("query=%7Ba%7D&access_token=good").insert_header(("cookie", "token=good"));
    assert_eq!(send(request).await.body["data"]["actor"], "public");
}

#[actix_web::test]
async fn unavailable_is_503_with_a_time_to_come_back() {
    let engine_down = send(post("down")).await;
    let issuer_down = send(post("{a}").insert_header(("authorization", "Bearer later"))).await;
    for answer in [engine_down, issuer_down] {
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("5")));
    }
}

#[actix_web::test]
async fn a_request_id_is_kept_when_plain_and_made_otherwise() {
    let kept = send(post("{a}").insert_header(("x-request-id", "Ab-1_2.c"))).await;
    assert_eq!(kept.header("x-request-id"), Some("Ab-1_2.c"));
    assert_eq!(kept.body["data"]["requestId"], "Ab-1_2.c");
    let too_long = "a".repeat(65);
    for id in ["", "a b", "a\"b", too_long.as_str()] {
        let made = send(post("{a}").insert_header(("x-request-id", id))).await;
        assert_eq!(made.header("x-request-id").map(str::len), Some(36), "{id}");
    }
}

#[actix_web::test]
async fn every_answer_has_the_security_headers() {
    let unknown = send(TestRequest::get().uri("/admin")).await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, Some("NOT_FOUND")));
    for answer in [unknown, send(post("{a}")).await, send(TestRequest::get().uri("/health/live")).await] {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.header("content-security-policy").unwrap().contains("default-src 'none'"));
        assert!(answer.header("x-request-id").is_some());
    }
}

#[actix_web::test]
async fn health_tells_readiness_without_the_reason() {
    assert_eq!(send(TestRequest::get().uri("/health/ready")).await.status, 200);
    let down = send_to(Engine::new(false), TestRequest::get().uri("/health/ready")).await;
    assert_eq!((down.status.as_u16(), down.header("retry-after")), (503, Some("5")));
    assert_eq!(down.body, json!({ "status": "unavailable" }));
    assert_eq!(send_to(Engine::new(false), TestRequest::get().uri("/health/live")).await.status, 200);
}

/// The body of a file; nothing when it was broken off.
async fn exported(path: &str) -> (StatusCode, Option<Vec<u8>>) {
    streamed(TestRequest::get().uri(path)).await
}

async fn streamed(request: TestRequest) -> (StatusCode, Option<Vec<u8>>) {
    let endpoint = Data::new(Endpoint::new(Engine::new(true), HttpSettings::default()));
    let app = App::new().configure(|app| routes(app, &endpoint));
    let response: ServiceResponse<_> = call_service(&init_service(app).await, request.to_request()).await;
    let status = response.status();
    (status, to_bytes(response.into_body()).await.ok().map(|bytes| bytes.to_vec()))
}

#[actix_web::test]
async fn a_file_without_its_end_is_broken_off() {
    assert_eq!(exported("/export/whole.csv").await, (StatusCode::OK, Some(b"ab".to_vec())));
    assert_eq!(exported("/export/broken.csv").await, (StatusCode::OK, None));
    assert_eq!(exported("/export/other.csv").await.0, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn lines_are_read_while_those_before_are_imported() {
    let body = format!("wait\n{}last", "next\n".repeat(crate::limits::IMPORT_CHUNK - 1));
    let upload =
        TestRequest::post().uri("/import/actions").insert_header(("content-type", "application/x-ndjson"));
    let answered = tokio::time::timeout(Duration::from_secs(20), streamed(upload.set_payload(body)));
    let answered = answered.await.expect("the second chunk is read before the first is imported");
    assert_eq!(answered, (StatusCode::OK, Some(b"1000\n1\n".to_vec())));
}
