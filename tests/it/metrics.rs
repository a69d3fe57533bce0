//! What the operator's Prometheus reads: numbers that agree with what was asked, bounded, and nothing about anybody.

use std::time::Duration;

use cites::limits::{NAME_BYTES, OPERATION_NAMES};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{
    Answer, Backend, GrantedSites, Persona, Template, TestApp, UNLIMITED, block_on_postgres, on_both, run,
};

use crate::export;
use crate::writes::{known, write};

pub(crate) const METRICS: &[(&str, &str)] = &[("CITES_SERVER__METRICS_LISTEN", "127.0.0.1:0")];

/// What was read at one moment.
pub(crate) struct Scrape(String);

impl Scrape {
    pub(crate) async fn of(app: &TestApp) -> Self {
        let answer = get(app, "/metrics").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        Self(answer.body.as_str().expect("a text").to_owned())
    }

    /// The value of a series, written as Prometheus does; 0 when it is not there.
    #[track_caller]
    pub(crate) fn value(&self, series: &str) -> f64 {
        let line = self.0.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }

    #[track_caller]
    pub(crate) fn is(&self, series: &str, value: u32) {
        assert!((self.value(series) - f64::from(value)).abs() < 1e-9, "{series} {value}: {}", self.0);
    }

    /// All that was read.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The different values of a label of a family.
    fn labels(&self, family: &str, label: &str) -> Vec<&str> {
        let lines = self.0.lines().filter(|line| line.starts_with(&format!("{family}{{")));
        let mut values: Vec<&str> =
            lines.filter_map(|line| line.split_once(&format!("{label}=\""))?.1.split('"').next()).collect();
        values.sort_unstable();
        values.dedup();
        values
    }
}

on_both!(what_alerts_compare_is_told_before_it_happens, Small with METRICS, async |app| {
    let scrape = Scrape::of(app).await;
    let outcomes = scrape.labels("cites_webhook_deliveries_total", "outcome");
    assert_eq!(outcomes, ["not_allowed", "status", "taken", "timeout", "unreachable"]);
});

async fn get(app: &TestApp, path: &str) -> Answer {
    let address = app.metrics.expect("metrics are served");
    app.receive(app.http().get(format!("http://{address}{path}"))).await
}

on_both!(operations_are_counted_by_name_with_what_they_cost, Small with METRICS, async |app| {
    let document = "query Sites { sites(first: 2) { totalCount nodes { name actions(first: 3) { nodes { id } } } } }";
    let mut cost = (0, 0);
    // the public's own name is not known before somebody with a token has used it
    for persona in [app.public(), app.anct(), app.public(), app.prefecture(&["69"])] {
        let answer = persona.ask(document).await;
        assert!(answer.errors().is_empty(), "{answer}");
        if persona.claims.is_some() || cost.0 > 0 {
            let points = |name: &str| answer.body["extensions"]["cost"][name].as_u64().expect("points");
            cost = (cost.0 + points("requested"), cost.1 + points("actual"));
        }
    }
    app.public().ask("{ sites(first: 1) { nodes { name } } }").await;
    let scrape = Scrape::of(app).await;
    let sites = "operation=\"Sites\",type=\"query\"";
    scrape.is("cites_operations_total{operation=\"Sites\",outcome=\"ok\",type=\"query\"}", 3);
    scrape.is(&format!("cites_operation_duration_seconds_count{{{sites}}}"), 3);
    scrape.is("cites_operations_total{operation=\"other\",outcome=\"ok\",type=\"query\"}", 1);
    scrape.is("cites_operations_total{operation=\"anonymous\",outcome=\"ok\",type=\"query\"}", 1);
    let points = |kind: &str| scrape.value(&format!("cites_operation_points_total{{kind=\"{kind}\",{sites}}}"));
    assert_eq!(format!("{} {}", cost.0, cost.1), format!("{} {}", points("requested"), points("actual")));
    // sites, their count, their actions, whatever the rows
    scrape.is(&format!("cites_operation_statements_total{{{sites}}}"), 9);
    assert!(scrape.value(&format!("cites_operation_rows_total{{{sites}}}")) >= 6.0, "{}", scrape.0);
    scrape.is("cites_http_requests_total{route=\"/graphql\",status=\"200\"}", 5);
});

on_both!(what_goes_wrong_is_counted_by_its_code, Small with METRICS, async |app| {
    let anct = app.anct();
    assert_eq!(anct.ask("query Wrong { nothing }").await.code(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(anct.ask("query Partial { site(by: { id: \"x\" }) { name } }").await.code(), "INVALID_ID");
    assert_eq!(anct.query("query Given($n: Int!) { sites(first: $n) { nodes { id } } }", json!({})).await.code(), "BAD_USER_INPUT");
    assert_eq!(app.post(Some("Bearer no.token.here"), &json!({ "query": "{ __typename }" })).await.status, 401);
    let scrape = Scrape::of(app).await;
    scrape.is("cites_operations_total{operation=\"unread\",outcome=\"refused\",type=\"none\"}", 1);
    scrape.is("cites_operations_total{operation=\"Partial\",outcome=\"errors\",type=\"query\"}", 1);
    scrape.is("cites_operations_total{operation=\"Given\",outcome=\"refused\",type=\"query\"}", 1);
    for code in ["GRAPHQL_VALIDATION_FAILED", "INVALID_ID", "BAD_USER_INPUT"] {
        scrape.is(&format!("cites_errors_total{{code=\"{code}\"}}"), 1);
    }
    scrape.is("cites_errors_total{code=\"INTERNAL\"}", 0);
    scrape.is("cites_http_requests_total{route=\"/graphql\",status=\"400\"}", 2);
    scrape.is("cites_http_requests_total{route=\"/graphql\",status=\"401\"}", 1);
});

#[test]
fn names_that_clients_make_up_do_not_pile_up() {
    run(Backend::Sqlite, Template::Small, &[METRICS, &UNLIMITED], async |app| {
        let (public, anct) = (app.public(), app.anct());
        let ask = async |persona: &Persona<'_>, name: &str| {
            persona.ask(&format!("query {name} {{ viewer {{ role }} }}")).await.data("/viewer/role");
        };
        for number in 0..20 {
            ask(&public, &format!("Public{number}")).await;
        }
        ask(&anct, &"A".repeat(NAME_BYTES)).await;
        for number in 0..OPERATION_NAMES + 9 {
            ask(&anct, &format!("Known{number}")).await;
        }
        ask(&public, "Known0").await;
        let scrape = Scrape::of(app).await;
        let names = scrape.labels("cites_operation_duration_seconds_count", "operation");
        // and those without a name, others, and what was not read
        assert_eq!(names.len(), OPERATION_NAMES + 3);
        assert!(names.iter().all(|name| !name.starts_with("Public") && name.len() < 100), "{names:?}");
        scrape.is("cites_operations_total{operation=\"other\",outcome=\"ok\",type=\"query\"}", 30);
        scrape.is("cites_operations_total{operation=\"Known0\",outcome=\"ok\",type=\"query\"}", 2);
    });
}

on_both!(nothing_about_anybody_is_in_them, Small with METRICS, async |app| {
    let anct = app.anct();
    let secret = "confidentiel@example.fr";
    let find = "query Find($name: String) { sites(filter: { name: { contains: $name } }) { nodes { name } } }";
    anct.query(find, json!({ "name": secret })).await;
    anct.query(find, json!({ "name": { "not a text": secret } })).await;
    anct.ask(&format!("query Literal {{ sites(filter: {{ name: {{ eq: \"{secret}\" }} }}) {{ nodes {{ name }} }} }}")).await;
    app.public().ask("query JeanneDupont { viewer { role } }").await;
    write(&anct, "updateSite", json!({ "id": known(Kind::Site, 1), "name": secret })).await.done();
    app.get(&format!("/{secret}?token={secret}")).await;
    let scrape = Scrape::of(app).await;
    let token = anct.authorization().expect("a token");
    let token = token.trim_start_matches("Bearer ");
    for word in [secret, "example.fr", "JeanneDupont", "test-anct", token, &token[..20], "127.0.0.1"] {
        assert!(!scrape.0.contains(word), "{word} in {}", scrape.0);
    }
    scrape.is("cites_http_requests_total{route=\"other\",status=\"404\"}", 1);
});

on_both!(writes_imports_exports_and_streams_are_seen, Small with METRICS, async |app| {
    let anct = app.anct();
    let mut events = anct.stream("subscription Live { changes { cursor } }", json!({})).await;
    let named = json!({ "id": known(Kind::Site, 1), "name": "Vaulx" });
    write(&anct, "updateSite", named).await.done();
    assert!(!write(&anct, "updateSite", json!({ "id": known(Kind::Site, 1), "name": "" })).await.problems().is_empty());
    events.change().await;
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let item = |id: &str, title: &str| {
        json!({ "externalId": id, "sourceUpdatedAt": "2023-06-12T09:00:00Z", "site": { "code": "cde-901" }, "title": title })
    };
    let sync = "mutation Sync($input: SyncActionsInput!) { syncActions(input: $input) { results { outcome } } }";
    for more in [json!({ "dryRun": true }), json!({ "idempotencyKey": "un" }), json!({ "idempotencyKey": "un" })] {
        let mut input = json!({ "items": [item("A", "Permanence"), item("B", "Forum"), item("C", "")] });
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        assert!(partner.query(sync, json!({ "input": input })).await.errors().is_empty());
    }
    let file = export::ask(app, &anct, "GET", "sites.csv", &[]).await;
    assert!(!file.bytes().await.expect("a file").is_empty());
    let scrape = until(app, |scrape| scrape.value("cites_exports_total{outcome=\"finished\"}") > 0.5).await;
    for (outcome, count) in [("CREATED", 2), ("REJECTED", 1), ("UPDATED", 0)] {
        scrape.is(&format!("cites_import_items_total{{outcome=\"{outcome}\"}}"), count);
    }
    for outcome in ["written", "replayed", "tried"] {
        scrape.is(&format!("cites_mutations_total{{mutation=\"syncActions\",outcome=\"{outcome}\"}}"), 1);
    }
    for outcome in ["written", "refused"] {
        scrape.is(&format!("cites_mutations_total{{mutation=\"updateSite\",outcome=\"{outcome}\"}}"), 1);
    }
    scrape.is("cites_operations_total{operation=\"Live\",outcome=\"ok\",type=\"subscription\"}", 1);
    scrape.is("cites_http_requests_total{route=\"/graphql/stream\",status=\"200\"}", 1);
    scrape.is("cites_live_streams", 1);
    scrape.is("cites_live_subscriptions", 1);
    assert!(scrape.value("cites_live_changes_total") >= 1.0);
    scrape.is("cites_database_reachable", 1);
    for pool in ["readers", "writer"] {
        assert!(scrape.value(&format!("cites_db_connections{{pool=\"{pool}\",state=\"idle\"}}")) >= 1.0, "{}", scrape.0);
        assert!(scrape.value(&format!("cites_db_connections_max{{pool=\"{pool}\"}}")) >= 1.0);
        scrape.is(&format!("cites_db_waiting{{pool=\"{pool}\"}}"), 0);
        scrape.is("cites_operations_waiting{class=\"heavy\"}", 0);
    }
    drop(events);
    until(app, |scrape| scrape.value("cites_live_streams") < 0.5 && scrape.value("cites_live_subscriptions") < 0.5).await;
});

#[test]
fn a_transaction_that_holds_the_feed_up_shows() {
    block_on_postgres(async || {
        let app = TestApp::start_with(Backend::Postgres, Template::Small, METRICS).await;
        let open = app.db.begin_write().await.expect("a transaction");
        open.execute_unprepared("SELECT pg_current_xact_id()").await.expect("it has a number");
        write(&app.anct(), "updateSite", json!({ "id": known(Kind::Site, 1), "name": "Vaulx" })).await.done();
        app.clock.advance(90);
        Scrape::of(&app).await.is("cites_feed_lag_seconds", 90);
        open.rollback().await.expect("it ends");
        until(&app, |scrape| scrape.value("cites_feed_lag_seconds") < 0.5).await;
        app.stop().await;
    });
}

/// Scrapes until something shows; what ends in the background, or other tests' transactions, take a moment.
pub(crate) async fn until(app: &TestApp, shows: impl Fn(&Scrape) -> bool) -> Scrape {
    for _ in 0..300 {
        let scrape = Scrape::of(app).await;
        if shows(&scrape) {
            return scrape;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it never shows: {}", Scrape::of(app).await.0);
}

on_both!(the_public_s_listener_serves_no_metrics, Small, async |app| {
    assert_eq!(app.metrics, None, "off unless it is asked for");
    assert_eq!(app.get("/metrics").await.status, 404);
});

on_both!(the_operator_s_listener_serves_nothing_else, Small with METRICS, async |app| {
    assert_eq!(app.get("/metrics").await.status, 404);
    for path in ["/", "/graphql?query=%7B__typename%7D", "/health/ready", "/export/sites.csv"] {
        let answer = get(app, path).await;
        assert_eq!((answer.status, &answer.body), (404, &Value::from("")), "{path}");
    }
});
