//! Webhooks, with a receiver that verifies what it gets: signed, in order, again when it must be, to nobody else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use cites::auth::Scope;
use cites::clock::{Clock, SystemClock};
use cites::db::{Bounds, Db};
use entity::enums::JournalOp;
use entity::{StringList, journal};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{
    Backend, Caller, GrantedSites, Persona, Process, Template, TestApp, TestDatabase, block_on,
    block_on_postgres, on_both,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::tokens::revoke_client;
use crate::writes::{Written, known, write, write_and};

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

on_both!(changes_arrive_signed_and_in_their_order, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    // a receiver looks at the time of a signature
    app.clock.set(SystemClock.now());
    let (id, secret) = made(&partner, json!({ "url": receiver.url, "entities": ["ACTION"] })).await;
    let action = action(&partner, "A").await.id();
    for title in ["Forum un", "Forum deux", "Forum trois"] {
        retitled(&partner, &action, title).await;
    }
    let mut ids = Vec::new();
    for version in 1..=4 {
        let delivery = receiver.next().await;
        assert!(delivery.is_signed(&secret), "{delivery:?}");
        let mut headers = reqwest::header::HeaderMap::new();
        let parts = [
            ("webhook-id", &delivery.id),
            ("webhook-timestamp", &delivery.timestamp),
            ("webhook-signature", &delivery.signature),
        ];
        for (name, value) in parts {
            headers.insert(name, value.parse().expect("a header"));
        }
        let verifier = standardwebhooks::Webhook::new(&secret).expect("a secret");
        verifier.verify(delivery.body.as_bytes(), &headers).expect("a good signature, and fresh");
        assert_eq!(delivery.version(), version);
        assert_eq!(
            (&delivery.data()["entityId"], &delivery.data()["operation"]),
            (&json!(action), &json!("UPSERT"))
        );
        ids.push(delivery.id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 4, "each has an id of its own");
    let feed =
        partner.ask("{ changes(last: 1, filter: { entity: { eq: ACTION } }) { nodes { cursor } } }").await;
    let cursor = feed.data("/changes/nodes/0/cursor");
    until(&partner, &id, |hook| &hook["after"] == cursor && !hook["deliveredAt"].is_null()).await;
    receiver.server.stop(false).await;
});

on_both!(each_owner_gets_what_he_may_read, Small, async |app| {
    let (mut of_anct, mut of_partner) = (Receiver::start(), Receiver::start());
    let partner = partner(app).await;
    made(&app.anct(), json!({ "url": of_anct.url })).await;
    made(&partner, json!({ "url": of_partner.url })).await;
    let draft = json!({ "site": known(Kind::Site, 1), "title": "À la main" });
    let draft = write(&app.anct(), "createAction", draft).await.id();
    let synced = action(&partner, "A").await.id();
    assert_eq!(of_anct.next().await.data()["entityId"], draft.as_str());
    assert_eq!(of_anct.next().await.data()["entityId"], synced.as_str());
    assert_eq!(of_partner.next().await.data()["entityId"], synced.as_str(), "and not the draft of others");
    write(&app.anct(), "deleteAction", json!({ "id": synced })).await.done();
    let gone = of_partner.next().await.data();
    assert_eq!((&gone["entityId"], &gone["operation"]), (&json!(synced), &json!("DELETE")));
});

on_both!(a_delivery_is_tried_again_later_and_later, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    receiver.answers(&[500, 302]);
    let (id, secret) = made(&partner, json!({ "url": receiver.url })).await;
    let begin = app.clock.now();
    action(&partner, "A").await.done();
    let first = receiver.next().await;
    let failed = until(&partner, &id, |hook| hook["attempts"] == 1).await;
    assert_eq!(failed["lastError"], "HTTP_500");
    assert_eq!(failed["failingSince"], json!(begin.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)));
    assert_eq!(failed["nextAttemptAt"], "2023-06-12T10:00:05Z");
    app.clock.advance(5);
    let second = receiver.next().await;
    let failed = until(&partner, &id, |hook| hook["attempts"] == 2).await;
    assert_eq!(
        (&failed["lastError"], &failed["nextAttemptAt"]),
        (&json!("HTTP_302"), &json!("2023-06-12T10:00:20Z"))
    );
    app.clock.advance(15);
    let third = receiver.next().await;
    let taken = until(&partner, &id, |hook| hook["attempts"] == 0).await;
    assert_eq!((&taken["lastError"], &taken["failingSince"]), (&Value::Null, &Value::Null));
    assert!([&second.id, &third.id].iter().all(|id| **id == first.id), "one message, three times");
    assert!(third.is_signed(&secret) && third.timestamp != first.timestamp);
});

on_both!(what_fails_for_three_days_is_paused_and_can_be_taken_up, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    receiver.answers(&[503, 503, 503]);
    let (id, _) = made(&partner, json!({ "url": receiver.url })).await;
    action(&partner, "A").await.done();
    let first = receiver.next().await;
    until(&partner, &id, |hook| hook["attempts"] == 1).await;
    app.clock.advance(3 * 86_400 - 1);
    receiver.next().await;
    let still = until(&partner, &id, |hook| hook["attempts"] == 2).await;
    assert_eq!(still["state"], "ACTIVE");
    app.clock.advance(6 * 3_600);
    receiver.next().await;
    let paused = until(&partner, &id, |hook| hook["state"] == "PAUSED").await;
    assert_eq!((&paused["pauseReason"], &paused["lastError"]), (&json!("FAILING"), &json!("HTTP_503")));
    write(&partner, "updateWebhook", json!({ "id": id, "state": "ACTIVE" })).await.done();
    assert_eq!(receiver.next().await.id, first.id, "nothing was lost meanwhile");
    let active = until(&partner, &id, |hook| hook["attempts"] == 0 && hook["state"] == "ACTIVE").await;
    assert_eq!(active["pauseReason"], Value::Null);
});

on_both!(what_is_not_for_a_webhook_does_not_hold_it_up, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    let (id, _) = made(&partner, json!({ "url": receiver.url })).await;
    action(&partner, "A").await.done();
    let first = receiver.next().await.data()["cursor"].clone();
    until(&partner, &id, |hook| hook["after"] == first).await;
    // persons are in no feed
    let of_a_person = || journal::ActiveModel {
        seq: NotSet,
        xid: NotSet,
        entity: Set("Referent".to_owned()),
        entity_id: Set(Some(uuid::Uuid::now_v7())),
        version: Set(1),
        op: Set(JournalOp::Upsert),
        verb: Set("update".to_owned()),
        at: Set(app.clock.now()),
        outcome: Set("OK".to_owned()),
        public: Set(false),
        was_public: Set(false),
        changed_fields: Set(StringList::default()),
        lost_departements: Set(StringList::default()),
        lost_sirens: Set(StringList::default()),
        lost_clients: Set(StringList::default()),
        ..Default::default()
    };
    app.insert((0..1_100).map(|_| of_a_person())).await;
    let past = until(&partner, &id, |hook| hook["after"] != first).await;
    assert_eq!((&past["state"], &past["attempts"]), (&json!("ACTIVE"), &json!(0)));
    let second = action(&partner, "B").await.id();
    assert_eq!(receiver.next().await.data()["entityId"], second.as_str());
    assert!(receiver.arrived.try_recv().is_err());
});

on_both!(each_change_is_tried_for_itself, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    let (id, _) = made(&partner, json!({ "url": receiver.url })).await;
    write(&partner, "updateWebhook", json!({ "id": id, "state": "PAUSED" })).await.done();
    let first = action(&partner, "A").await.id();
    let second = action(&partner, "B").await.id();
    receiver.answers(&[500, 200, 500]);
    write(&partner, "updateWebhook", json!({ "id": id, "state": "ACTIVE" })).await.done();
    assert_eq!(receiver.next().await.data()["entityId"], first.as_str());
    until(&partner, &id, |hook| hook["attempts"] == 1).await;
    app.clock.advance(4 * 86_400);
    assert_eq!(receiver.next().await.data()["entityId"], first.as_str());
    assert_eq!(receiver.next().await.data()["entityId"], second.as_str());
    let failed =
        until(&partner, &id, |hook| hook["lastError"] == "HTTP_500" && !hook["deliveredAt"].is_null()).await;
    assert_eq!(
        (&failed["state"], &failed["attempts"]),
        (&json!("ACTIVE"), &json!(1)),
        "its three days begin now"
    );
});

on_both!(a_receiver_that_is_gone_is_believed_and_a_pause_holds, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    receiver.answers(&[410]);
    let (id, _) = made(&partner, json!({ "url": receiver.url })).await;
    action(&partner, "A").await.done();
    receiver.next().await;
    let gone = until(&partner, &id, |hook| hook["state"] == "PAUSED").await;
    assert_eq!((&gone["pauseReason"], &gone["lastError"]), (&json!("GONE"), &json!("HTTP_410")));
    write(&partner, "updateWebhook", json!({ "id": id, "state": "ACTIVE" })).await.done();
    receiver.next().await;
    let pause =
        write_and(&partner, "updateWebhook", json!({ "id": id, "state": "PAUSED" }), "pauseReason").await;
    assert_eq!(pause.done()["pauseReason"], "OWNER");
    let other = Receiver::start();
    let (_, _) = made(&partner, json!({ "url": other.url, "after": null })).await;
    action(&partner, "B").await.done();
    let mut other = other;
    let versions =
        [other.next().await.data()["entityId"].clone(), other.next().await.data()["entityId"].clone()];
    assert_ne!(versions[0], versions[1], "from the oldest change kept");
    assert!(receiver.arrived.try_recv().is_err(), "the paused one heard nothing of the second");
});

on_both!(changes_are_posted_again_from_a_cursor, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    let (id, _) = made(&partner, json!({ "url": receiver.url })).await;
    for external_id in ["A", "B", "C"] {
        action(&partner, external_id).await.done();
    }
    let first = [receiver.next().await, receiver.next().await, receiver.next().await];
    let cursor = first[0].data()["cursor"].clone();
    write(&partner, "updateWebhook", json!({ "id": id, "after": cursor })).await.done();
    for known in &first[1..] {
        let again = receiver.next().await;
        assert_eq!((&again.id, &again.body), (&known.id, &known.body));
    }
    let unknown = json!({ "id": id, "after": "WzEsMiwzXQ" });
    assert_eq!(write(&partner, "updateWebhook", unknown).await.problems(), ["UNKNOWN_CODE after"]);
});

on_both!(a_secret_is_shown_once_and_to_nobody_else, Small, async |app| {
    let partner = partner(app).await;
    let document = "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { secret replayed webhook { id } } }";
    let input = json!({ "input": { "url": "https://example.fr/hook", "idempotencyKey": "un" } });
    let made = partner.query(document, input.clone()).await;
    let secret = made.data("/createWebhook/secret").as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_") && secret.len() > 40);
    let again = partner.query(document, input).await;
    assert_eq!(again.data("/createWebhook/webhook"), made.data("/createWebhook/webhook"));
    assert_eq!(
        (again.data("/createWebhook/secret"), again.data("/createWebhook/replayed")),
        (&Value::Null, &json!(true))
    );
    let listed = "{ webhooks { totalCount nodes { url clientId } } }";
    let own = json!([{ "url": "https://example.fr/hook", "clientId": "client-FRANCE_TRAVAIL" }]);
    assert_eq!(partner.ask(listed).await.data("/webhooks/nodes"), &own);
    assert_eq!(app.anct().ask(listed).await.data("/webhooks/nodes"), &own);
    let other = app.partner("OTHER", GrantedSites::All).await;
    for nobody in [other, app.prefecture(&["69"]), app.collectivite(&["200046977"]), app.public()] {
        assert_eq!(nobody.ask(listed).await.number("/webhooks/totalCount"), 0);
    }
    let own = made.data("/createWebhook/webhook/id");
    let other = app.partner("ANOTHER", GrantedSites::All).await;
    for name in ["updateWebhook", "deleteWebhook"] {
        let refused = write(&other, name, json!({ "id": own })).await;
        assert_eq!(refused.problems(), ["NOT_FOUND id"], "{name} of another client's");
    }
    app.clock.advance(60);
    write(&partner, "updateWebhook", json!({ "id": own, "entities": ["ACTION"] })).await.done();
    let events = app.anct().ask("{ auditEvents { nodes { entity entityId verb } } }").await;
    assert_eq!(events.data("/auditEvents/nodes/0/entity"), "Webhook");
    assert_eq!(events.data("/auditEvents/nodes/0/entityId"), made.data("/createWebhook/webhook/id"));
    let id = made.data("/createWebhook/webhook/id");
    write(&partner, "deleteWebhook", json!({ "id": id })).await.0.data("/result/userErrors");
    assert_eq!(partner.ask(listed).await.number("/webhooks/totalCount"), 0);
});

on_both!(only_addresses_that_everybody_reaches_are_taken, Small, async |app| {
    let partner = partner(app).await;
    for url in [
        "http://example.fr/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/",
        "https://user:pw@example.fr/",
        "https://167772161/",
        "gopher://example.fr/",
        "example.fr",
    ] {
        let refused = write(&partner, "createWebhook", json!({ "url": url })).await;
        assert_eq!(refused.problems(), ["INVALID_FORMAT url"], "{url}");
    }
    for _ in 0..10 {
        made(&partner, json!({ "url": "https://example.fr/" })).await;
    }
    let more = write(&partner, "createWebhook", json!({ "url": "https://example.fr/" })).await;
    assert_eq!(more.problems(), ["RULE url"]);
    let read_only = partner.scopes(&[Scope::Read]);
    assert_eq!(
        write(&read_only, "createWebhook", json!({ "url": "https://example.fr/" })).await.outcome(),
        "FORBIDDEN"
    );
});

const CREATE: &str = "mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { secret } }";
const RENAME: &str = "mutation ($input: UpdateSiteInput!) { updateSite(input: $input) { site { id } } }";

/// A server is killed while a delivery waits for its answer: the next one sends it again, under the same id.
async fn killed(backend: Backend) {
    let home = tempfile::tempdir().expect("a folder");
    let database = TestDatabase::of(backend, Template::Small, home.path()).await;
    let mut process = Process::of(env!("CARGO_BIN_EXE_cites-tested"), &database, home.path());
    let caller = Caller::of(&process);
    let address = process.serve();
    let mut receiver = Receiver::start();
    receiver.answers(&[0]);
    let made = caller.ask(&address, CREATE, json!({ "url": receiver.url })).await;
    let secret =
        made.pointer("/data/createWebhook/secret").and_then(Value::as_str).expect("a secret").to_owned();
    caller.ask(&address, RENAME, json!({ "id": known(Kind::Site, 1), "name": "Autre nom" })).await;
    let before = receiver.next().await;
    process.kill();
    // as if the time of its lease had passed
    let db = Db::open(database.url(), Bounds::default()).await.expect("it opens");
    let freed = db
        .writer
        .execute_unprepared("UPDATE webhook SET lease = NULL, leased_until = NULL WHERE lease IS NOT NULL");
    assert_eq!(freed.await.expect("it is written").rows_affected(), 1, "it was in the middle");
    db.close().await;
    process.serve();
    let after = receiver.next().await;
    assert_eq!((&after.id, &after.body), (&before.id, &before.body));
    assert!(before.is_signed(&secret) && after.is_signed(&secret));
    process.kill();
}

#[test]
fn two_instances_deliver_each_change_once() {
    block_on_postgres(async || {
        let home = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::of(Backend::Postgres, Template::Small, home.path()).await;
        let process = || Process::of(env!("CARGO_BIN_EXE_cites-tested"), &database, home.path());
        let (mut one, mut other) = (process(), process());
        let caller = Caller::of(&one);
        let addresses = [one.serve(), other.serve()];
        let mut receiver = Receiver::start();
        caller.ask(&addresses[0], CREATE, json!({ "url": receiver.url })).await;
        for n in 0..20_usize {
            let input = json!({ "id": known(Kind::Site, 1), "name": format!("Nom {n}") });
            caller.ask(&addresses[n % 2], RENAME, input).await;
        }
        let mut versions = Vec::new();
        for _ in 0..20 {
            versions.push(receiver.next().await.version());
        }
        assert_eq!(versions, (versions[0]..versions[0] + 20).collect::<Vec<_>>());
        one.kill();
        other.kill();
    });
}

mod a_delivery_cut_short_is_sent_again_by_the_next_server {
    use super::*;

    #[test]
    fn sqlite() {
        block_on(async || killed(Backend::Sqlite).await);
    }

    #[test]
    fn postgres() {
        block_on_postgres(async || killed(Backend::Postgres).await);
    }
}

/// An owner who may run nothing but documents of a manifest, and has spent his points.
async fn whose_owner_may_ask_nothing(backend: Backend) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("manifest.json");
    std::fs::write(&path, json!({ "create": MADE }).to_string()).expect("written");
    let settings = [
        ("CITES_DOCUMENTS__MANIFEST", path.to_str().expect("a path")),
        ("CITES_DOCUMENTS__ONLY_TRUSTED_FOR", "partner_system"),
        ("CITES_LIMITS__PARTNER_SYSTEM", "{ operation = 20, bucket = 20, restore_rate = 1 }"),
    ];
    let app = TestApp::start_with(backend, Template::Small, &settings).await;
    let (mut receiver, partner) = (Receiver::start(), partner(&app).await);
    let (_, secret) = made(&partner, json!({ "url": receiver.url, "entities": ["SITE"] })).await;
    let input = json!({ "input": { "url": receiver.url } });
    assert_eq!(partner.query(MADE, input).await.code(), "RATE_LIMITED");
    assert_eq!(partner.ask("{ changes { nodes { version } } }").await.code(), "DOCUMENT_NOT_TRUSTED");
    write(&app.anct(), "updateSite", json!({ "id": known(Kind::Site, 1), "name": "Autre nom" })).await.done();
    let delivery = receiver.next().await;
    assert!(delivery.is_signed(&secret));
    assert_eq!(delivery.data()["entityId"], json!(known(Kind::Site, 1)));
    receiver.server.stop(true).await;
    app.stop().await;
}

#[test]
fn a_webhook_costs_no_points_and_needs_no_trusted_document_sqlite() {
    block_on(async || whose_owner_may_ask_nothing(Backend::Sqlite).await);
}

#[test]
fn a_webhook_costs_no_points_and_needs_no_trusted_document_postgres() {
    block_on_postgres(async || whose_owner_may_ask_nothing(Backend::Postgres).await);
}

on_both!(a_webhook_of_a_client_whose_tokens_were_revoked_is_paused, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    let (id, _) = made(&partner, json!({ "url": receiver.url, "entities": ["SITE"] })).await;
    app.clock.advance(60);
    revoke_client(app, "client-FRANCE_TRAVAIL").await;
    app.clock.advance(60);
    let rename = |name: &str| json!({ "id": known(Kind::Site, 1), "name": name });
    write(&app.anct(), "updateSite", rename("Autre nom")).await.done();
    let hook = until(&partner, &id, |hook| hook["state"] == "PAUSED").await;
    assert_eq!(hook["pauseReason"], "TOKEN_REVOKED");
    // with a newer token it goes on where it was
    write(&partner, "updateWebhook", json!({ "id": id, "state": "ACTIVE" })).await.done();
    let delivery = receiver.next().await;
    assert_eq!(delivery.data()["entityId"], json!(known(Kind::Site, 1)));
});
