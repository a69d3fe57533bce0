//! A server on a database of its own, with the clock and the issuer of the tests.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::dev::ServerHandle;
use chrono::{DateTime, Utc};
use cites::auth::dev::{DevClaims, DevIssuer};
use cites::auth::{Authenticator, Role};
use cites::clock::{Clock, FixedClock};
use cites::config::{Config, Overrides};
use cites::db::Db;
use cites::http::Stopping;
use cites::startup;
use entity::{StringList, client_grant_site, site};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::{Answer, Backend, GrantedSites, Persona, Template, TestDatabase, world};

/// Settings for tests that ask for more than a client would: all there is, again and again at one instant.
pub const UNLIMITED: [(&str, &str); 6] = [
    ("CITES_LIMITS__ENABLED", "false"),
    ("CITES_LIMITS__ANCT", HUGE),
    ("CITES_LIMITS__PREFECTURE", HUGE),
    ("CITES_LIMITS__COLLECTIVITE", HUGE),
    ("CITES_LIMITS__PARTNER_SYSTEM", HUGE),
    ("CITES_LIMITS__PUBLIC", HUGE),
];

const HUGE: &str = "{ operation = 1000000000, bucket = 1000000000 }";

/// When every test takes place: the day of the national presentation.
pub(crate) const NOW: &str = "2023-06-12T10:00:00Z";

/// A server that runs for one test.
pub struct TestApp {
    /// The server's own connections, for what tests write behind its back.
    pub db: Db,
    /// The server's clock; it stands still until it is set.
    pub clock: Arc<FixedClock>,
    /// Its database; dropped with the app.
    pub database: TestDatabase,
    /// What it knows of tokens; nothing asks issuers for their keys in the background.
    pub auth: Arc<Authenticator>,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its metrics are read.
    pub metrics: Option<SocketAddr>,
    http: reqwest::Client,
    issuer: DevIssuer,
    server: ServerHandle,
    serving: JoinHandle<()>,
    stopping: Stopping,
    _home: TempDir,
}

impl TestApp {
    /// Starts a server on a copy of a template.
    pub async fn start(backend: Backend, template: Template) -> Self {
        Self::start_with(backend, template, &[]).await
    }

    /// The same under other settings, given as variables.
    pub async fn start_with(backend: Backend, template: Template, settings: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(backend, template, home.path()).await;
        let config = config(database.url(), home.path(), settings);
        Self::serve_as(config, database, home).await
    }

    /// Starts another instance on the same database of a server.
    pub async fn beside(&self) -> Self {
        self.beside_by(|url| url).await
    }

    /// Starts another instance that reaches the same database by another address.
    pub async fn beside_by(&self, address: impl FnOnce(String) -> String) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        Self::serve(self.database.again(), home, address).await
    }

    /// Starts another instance on the same database under other settings.
    pub async fn beside_with(&self, settings: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        Self::serve_with(self.database.again(), home, settings, |url| url).await
    }

    /// Starts a server that reaches its database by another address, such as that of a proxy.
    pub async fn serve(
        database: TestDatabase,
        home: TempDir,
        address: impl FnOnce(String) -> String,
    ) -> Self {
        Self::serve_with(database, home, &[], address).await
    }

    /// The same under other settings.
    pub async fn serve_with(
        database: TestDatabase,
        home: TempDir,
        settings: &[(&str, &str)],
        address: impl FnOnce(String) -> String,
    ) -> Self {
        let config = config(&address(database.url().to_owned()), home.path(), settings);
        Self::serve_as(config, database, home).await
    }

    async fn serve_as(config: Config, database: TestDatabase, home: TempDir) -> Self {
        let clock = Arc::new(fixed_clock());
        let db = startup::open(&config).await.expect("the copy opens");
        let issuer = DevIssuer::open(&home.path().join("key.pem"), &config.auth.audience).expect("a key");
        let time: Arc<dyn Clock> = clock.clone();
        let auth = Authenticator::new(&config.auth, Some(&issuer), time.clone()).expect("an authenticator");
        let auth = Arc::new(auth);
        let lock = db.serve_lock().expect("nobody else serves it");
        let running = startup::serve(&config, db.clone(), lock, &time, Arc::clone(&auth)).await;
        let running = running.expect("the server starts");
        let (address, server) = (running.address, running.server.handle());
        let (stopping, metrics) = (running.stopping.clone(), running.metrics);
        let serving = tokio::spawn(async move {
            let running = running; // whole, with the lock it holds
            running.server.await.expect("the server ends well");
        });
        Self {
            db,
            clock,
            database,
            auth,
            address,
            metrics,
            http: reqwest::Client::new(),
            issuer,
            server,
            serving,
            stopping,
            _home: home,
        }
    }

    /// Ends the streams of live changes, as a server does that is told to stop.
    pub fn end_streams(&self) {
        self.stopping.end_streams();
    }

    /// Stops the server and closes its connections; the database goes with the app.
    pub async fn stop(self) {
        self.end_streams();
        self.server.stop(false).await;
        self.serving.await.expect("the server ends");
        self.db.close().await;
    }

    /// Anybody, without a token.
    pub fn public(&self) -> Persona<'_> {
        Persona::public(self)
    }

    /// The national team.
    pub fn anct(&self) -> Persona<'_> {
        Persona::of(self, Role::Anct)
    }

    /// A préfecture of these départements.
    pub fn prefecture(&self, departements: &[&str]) -> Persona<'_> {
        Persona::of(self, Role::Prefecture).with(|claims| claims.departements = owned(departements))
    }

    /// A collectivity of these SIREN numbers.
    pub fn collectivite(&self, sirens: &[&str]) -> Persona<'_> {
        Persona::of(self, Role::Collectivite).with(|claims| claims.sirens = owned(sirens))
    }

    /// A partner's system; records the grant of its client, `client-SOURCE`.
    pub async fn partner(&self, source: &str, sites: GrantedSites<'_>) -> Persona<'_> {
        let client = format!("client-{source}");
        self.grant(&client, source, sites).await;
        Persona::of(self, Role::PartnerSystem).with(|claims| {
            claims.client_id = client;
            claims.source = Some(source.to_owned());
        })
    }

    /// Records the grant of a client.
    async fn grant(&self, client: &str, source: &str, granted: GrantedSites<'_>) {
        let codes = match granted {
            GrantedSites::All => Vec::new(),
            GrantedSites::Codes(codes) => owned(codes),
        };
        let mut grant = world::grant(uuid::Uuid::now_v7(), client, source, self.clock.now());
        grant.site_codes = StringList(codes.clone());
        grant.all_sites = matches!(granted, GrantedSites::All);
        let id = grant.id;
        self.insert([grant]).await;
        let sites = site::Entity::find().filter(site::Column::Code.is_in(codes));
        let sites = sites.all(&self.db.writer).await.expect("sites are read");
        self.insert(
            sites.into_iter().map(|site| client_grant_site::Model { grant_id: id, site_id: site.id }),
        )
        .await;
    }

    /// Writes rows into the database.
    pub async fn insert<M, A>(&self, rows: impl IntoIterator<Item = M>)
    where
        M: IntoActiveModel<A>,
        A: ActiveModelTrait + Send,
    {
        world::insert(&self.db, rows).await;
    }

    /// A token with these claims, valid from the clock's now.
    pub fn mint(&self, claims: &DevClaims) -> String {
        self.issuer.mint(claims, self.clock.now()).expect("a token")
    }

    /// Where GraphQL is served.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, cites::http::GRAPHQL_PATH)
    }

    /// Posts a GraphQL request.
    pub async fn post(&self, authorization: Option<&str>, body: &Value) -> Answer {
        self.send(authorization, body.to_string()).await
    }

    /// Posts any text as a GraphQL request.
    pub async fn send(&self, authorization: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.http.post(self.url()).header("content-type", "application/json").body(body);
        let request = request.header("accept", "application/graphql-response+json");
        self.receive(match authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        })
        .await
    }

    /// Posts a request for events.
    pub async fn stream(&self, authorization: Option<&str>, body: &Value) -> reqwest::Response {
        let request = self.http.post(format!("{}/stream", self.url())).header("accept", "text/event-stream");
        let request = request.header("content-type", "application/json").body(body.to_string());
        let request = match authorization {
            Some(value) => request.header("authorization", value),
            None => request,
        };
        request.send().await.expect("the server answers")
    }

    /// Gets a path of the server.
    pub async fn get(&self, path: &str) -> Answer {
        self.receive(self.http.get(format!("http://{}{path}", self.address))).await
    }

    /// A client for requests of one's own making.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Sends such a request.
    pub async fn receive(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("the answer is whole");
        let body = serde_json::from_str(&text).unwrap_or_else(|_| json!(text));
        Answer { status, headers, body }
    }

    /// Statements that reads have run so far.
    pub fn statements(&self) -> u64 {
        self.db.statements.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for TestApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestApp")
            .field("address", &self.address)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// The settings of a test's server: a free port, one worker, few connections, nothing loaded at start, and the
/// variables of the test.
pub fn config(url: &str, home: &Path, settings: &[(&str, &str)]) -> Config {
    let usual = [
        ("CITES_DATABASE__URL", url),
        ("CITES_DATABASE__MAX_CONNECTIONS", "8"),
        ("CITES_DATABASE__ACQUIRE_TIMEOUT_MS", "2000"),
        ("CITES_DATA__INGEST_AT_START", "false"),
        ("CITES_SERVER__LISTEN", "127.0.0.1:0"),
        ("CITES_SERVER__WORKERS", "1"),
    ];
    let given = |name: &str| settings.iter().any(|(known, _)| *known == name);
    let variables = usual.iter().filter(|(name, _)| !given(name)).chain(settings);
    let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::from_sources(home, variables, &Overrides::default()).expect("the settings are right")
}

/// A clock that stands at the instant of the tests.
pub fn fixed_clock() -> FixedClock {
    FixedClock::new(NOW.parse::<DateTime<Utc>>().expect("an instant"))
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
