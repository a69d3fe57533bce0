//! The product in this process, and what it must never do.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::MessageBody as _;
use actix_web::dev::{Payload, Service as _};
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::rt::{System, SystemRunner};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpResponse, middleware};
use cites::auth::dev::{DevClaims, DevIssuer};
use cites::auth::{Authenticator, Role, Scope};
use cites::clock::Clock;
use cites::{http, startup};
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, LocalBoxStream};
use futures_util::{FutureExt as _, StreamExt as _};
use jsonwebtoken::{Algorithm, EncodingKey};
use rustix::time::{ClockId, clock_gettime};
use serde::de::IgnoredAny;
use serde_json::Value;
use tempfile::TempDir;
use tests::{Backend, Template, TestDatabase, config, fixed_clock, world};
use tokio::time::timeout;

use crate::values::Values;

/// CPU time that one request may take, of all threads, with the instruments of the fuzzer in them.
const CPU: Duration = Duration::from_secs(2);

/// How long a stream of events is waited for: all that it depends on is in this process.
const QUIET: Duration = Duration::from_millis(20);

/// How long a client of a socket waits for answers.
const LINGER: Duration = Duration::from_millis(3);

/// Limits of a client that asks again and again at one instant; one operation is bounded as usual.
const LIMITS: (&str, &str) = ("CITES_LIMITS__ENABLED", "false");

/// Codes of faults that no request brings about.
const FAULTS: [&str; 4] = ["INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "OUTCOME_UNKNOWN"];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody.
    Public,
    /// The national team.
    Anct,
    /// A préfecture.
    Prefecture,
    /// A partner's system.
    Partner,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
    is_json: bool,
}

type Handle = Box<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>>;

/// The product.
pub struct Server {
    runner: SystemRunner,
    handle: Handle,
    tokens: Vec<(Who, String)>,
    key: EncodingKey,
    /// What documents are made of.
    pub values: Values,
    _database: TestDatabase,
    _home: TempDir,
}

impl Server {
    /// Starts it on a new database: of `TEST_POSTGRES_URL` if that is set, else embedded.
    pub(crate) fn start() -> Self {
        let is_postgres = std::env::var_os("TEST_POSTGRES_URL").is_some();
        let backend = if is_postgres { Backend::Postgres } else { Backend::Sqlite };
        let runner = System::new();
        let home = tempfile::tempdir().expect("a folder");
        let key_file = home.path().join("key.pem");
        let (database, handle, issuer) = runner.block_on(async {
            let database = TestDatabase::of(backend, Template::Small, home.path()).await;
            let config = config(database.url(), home.path(), &[LIMITS]);
            let clock: Arc<dyn Clock> = Arc::new(fixed_clock());
            let db = startup::open(&config).await.expect("the copy opens");
            let mut grant =
                world::grant(world::id(world::Kind::Link, 999), "fuzz", "FRANCE_TRAVAIL", clock.now());
            grant.all_sites = true;
            world::insert(&db, [grant]).await;
            let issuer = DevIssuer::open(&key_file, &config.auth.audience).expect("a key");
            let auth = Authenticator::new(&config.auth, Some(&issuer), Arc::clone(&clock));
            let auth = Arc::new(auth.expect("an authenticator"));
            let budget = startup::budget(&config);
            let (_, endpoint) = startup::endpoint(&config, db, &clock, auth, budget).expect("an endpoint");
            let app = App::new()
                .wrap(http::cors(&config.server.cors_origins))
                .wrap(middleware::from_fn(http::envelope))
                .configure(|app| http::routes(app, &endpoint));
            let service = Rc::new(init_service(app).await);
            let handle: Handle = Box::new(move |request| {
                let service = Rc::clone(&service);
                async move {
                    match service.call(lingering(request.to_request())).await {
                        Ok(response) => answer(response.into_parts().1.map_into_boxed_body()).await,
                        Err(error) => answer(error.error_response()).await,
                    }
                }
                .boxed_local()
            });
            (database, handle, issuer)
        });
        let pem = std::fs::read(&key_file).expect("the key is read");
        let mut it = Self {
            runner,
            handle,
            tokens: tokens(&issuer),
            key: EncodingKey::from_ec_pem(&pem).expect("the key is one"),
            values: Values::default(),
            _database: database,
            _home: home,
        };
        it.begin_journal();
        it.values = Values::collect(&it);
        it
    }

    /// The `Authorization` header of somebody; none of the public.
    pub fn authorization(&self, who: Who) -> Option<&str> {
        self.tokens.iter().find(|(of, _)| *of == who).map(|(_, token)| token.as_str())
    }

    /// A token of these parts, rightly signed.
    pub fn signed(&self, header: &[u8], payload: &[u8]) -> String {
        use base64::Engine as _;
        let encode = |part: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(part);
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, Algorithm::ES256);
        format!("{message}.{}", signature.expect("the key signs"))
    }

    /// Sends a request as somebody, and looks that the answer is none that must not be.
    pub fn ask_as(&self, who: Who, request: TestRequest) -> Answer {
        self.ask(match self.authorization(who) {
            Some(authorization) => request.insert_header(("authorization", authorization)),
            None => request,
        })
    }

    /// Sends a request, and looks that the answer is none that must not be.
    pub fn ask(&self, request: TestRequest) -> Answer {
        let (before, began) = (cpu(), Instant::now());
        let answer = self.runner.block_on((self.handle)(request));
        let (taken, waited) = (cpu().saturating_sub(before), began.elapsed());
        let text = String::from_utf8_lossy(&answer.body);
        assert!(taken < CPU, "{taken:?} of CPU in {waited:?} for {text:.200}");
        assert!(answer.status < 500, "status {}: {text:.2000}", answer.status);
        for fault in FAULTS {
            assert!(!text.contains(&format!("\"code\":\"{fault}\"")), "{fault}: {text:.2000}");
        }
        if answer.is_json {
            assert!(serde_json::from_slice::<IgnoredAny>(&answer.body).is_ok(), "no JSON: {text:.2000}");
        }
        answer
    }

    /// Writes what the small world has none of: an import, a webhook, and their entries in the journal.
    fn begin_journal(&self) {
        let line = r#"{"externalId":"A","sourceUpdatedAt":"2023-06-01T00:00:00Z","site":{"code":"cde-901"},"title":"Permanence"}"#;
        let request = TestRequest::post().uri("/import/actions").set_payload(line);
        let answer =
            self.ask_as(Who::Partner, request.insert_header(("content-type", "application/x-ndjson")));
        assert!(
            answer.body.windows(9).any(|part| part == b"\"CREATED\""),
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        let webhook =
            r#"mutation { createWebhook(input: { url: "https://example.org/" }) { webhook { id } } }"#;
        let made = self.data(webhook);
        assert!(made["createWebhook"]["webhook"].is_object(), "{made}");
    }

    /// The data that ANCT gets.
    pub(crate) fn data(&self, query: &str) -> Value {
        let answer = self.ask_as(Who::Anct, crate::post(query, &Value::Null));
        let mut body: Value = serde_json::from_slice(&answer.body).expect("the answer is JSON");
        assert!(body.get("errors").is_none(), "{query}: {body}");
        body["data"].take()
    }
}

/// A client waits a moment after what it sent, so that a socket does not close before it has begun.
fn lingering(mut request: actix_http::Request) -> actix_http::Request {
    if request.path() != "/graphql/ws" {
        return request;
    }
    let sent = request.take_payload();
    let end = stream::once(tokio::time::sleep(LINGER)).filter_map(async |()| None);
    let payload: LocalBoxStream<'static, _> = sent.chain(end).boxed_local();
    let (request, _sent) = request.replace_payload(Payload::from(payload));
    request
}

/// Reads an answer to its end, or to where nothing more comes: streams of events have no end.
async fn answer(response: HttpResponse) -> Answer {
    let status = response.status().as_u16();
    let headers = response.headers();
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = media_type.contains("json") && !media_type.contains("ndjson");
    let is_coded = headers.contains_key(CONTENT_ENCODING);
    let wait = if status == 101 || media_type == "text/event-stream" { QUIET } else { Duration::MAX };
    let mut rest = response.into_body();
    let mut body = Vec::new();
    let mut more = async || poll_fn(|context| Pin::new(&mut rest).poll_next(context)).await;
    while let Ok(Some(Ok(bytes))) = timeout(wait, more()).await {
        body.extend_from_slice(&bytes);
    }
    Answer { status, is_json: is_json && !is_coded && !body.is_empty(), body }
}

/// CPU time of this process.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn tokens(issuer: &DevIssuer) -> Vec<(Who, String)> {
    let everybody =
        [(Who::Anct, Role::Anct), (Who::Prefecture, Role::Prefecture), (Who::Partner, Role::PartnerSystem)];
    let token = |(who, role)| {
        let claims = DevClaims {
            role,
            sub: "fuzz".to_owned(),
            client_id: "fuzz".to_owned(),
            departements: if role == Role::Prefecture { vec!["69".to_owned()] } else { Vec::new() },
            sirens: Vec::new(),
            source: (role == Role::PartnerSystem).then(|| "FRANCE_TRAVAIL".to_owned()),
            scopes: if role == Role::PartnerSystem {
                vec![Scope::Read, Scope::Write, Scope::Import]
            } else {
                Scope::ALL.to_vec()
            },
            ttl: Duration::from_hours(1),
        };
        (who, format!("Bearer {}", issuer.mint(&claims, fixed_clock().now()).expect("a token")))
    };
    everybody.map(token).into()
}
