//! What an operation costs, what a client has left, and what happens when it has nothing left.

use cites::limits;
use serde_json::{Value, json};
use tests::{Answer, GrantedSites, TestApp, on_both};

use crate::export::get;

/// Few points for everybody.
const FEW: [(&str, &str); 3] = [
    ("CITES_LIMITS__PUBLIC", "{ operation = 250, bucket = 250, restore_rate = 2 }"),
    ("CITES_LIMITS__ANCT", "{ operation = 250, bucket = 250, restore_rate = 2 }"),
    ("CITES_LIMITS__PARTNER_SYSTEM", "{ operation = 1500, bucket = 1500, restore_rate = 10 }"),
];

/// The same behind a proxy on this machine.
const BEHIND_A_PROXY: [(&str, &str); 2] = [FEW[0], ("CITES_SERVER__TRUSTED_PROXIES", "127.0.0.0/8")];

/// Costs 201 points, whatever there is to read.
const ASK: &str = "{ actionStatistics(groupBy: [PILLAR]) { actionCount } }";

fn cost(answer: &Answer, name: &str) -> u64 {
    let found = answer.body["extensions"]["cost"][name].as_u64();
    found.unwrap_or_else(|| panic!("no cost {name}: {answer}"))
}

fn requested(answer: &Answer) -> (u64, u64) {
    (cost(answer, "requested"), cost(answer, "actual"))
}

/// Asks as the public, with a header that names an address.
async fn from(app: &TestApp, name: &str, value: &str, document: &str) -> Answer {
    let body = json!({ "query": document }).to_string();
    let request = app.http().post(app.url()).header("content-type", "application/json").body(body);
    app.receive(request.header(name, value)).await
}

on_both!(every_answer_tells_what_it_cost, Small, async |app| {
    let public = app.public();
    let answer = public.ask("{ __typename }").await;
    assert_eq!(requested(&answer), (1, 1));
    assert_eq!((cost(&answer, "limit"), cost(&answer, "restoreRate")), (100_000, 1_000));
    assert_eq!(cost(&answer, "remaining"), 99_999);

    let answer = public.ask("{ sites(first: 50) { totalCount nodes { name } } }").await;
    let sites = answer.list("/sites/nodes").len() as u64;
    assert_eq!(requested(&answer), (1 + 50 + 5, 1 + sites + 5));
    assert_eq!(cost(&answer, "remaining"), 99_998 - sites - 5);

    let nested =
        "{ sites(first: 10) { nodes { actions(first: 7) { totalCount nodes { lead { name } } } } } }";
    let answer = public.ask(nested).await;
    let sites = answer.list("/sites/nodes");
    let actions: usize =
        sites.iter().filter_map(|site| site["actions"]["nodes"].as_array()).map(Vec::len).sum();
    assert!(actions > 0, "{answer}");
    assert_eq!(requested(&answer), (1 + 10 + 70 + 50, 1 + (6 * sites.len() + actions) as u64));

    assert_eq!(requested(&public.ask(ASK).await), (201, 201));
    assert_eq!(requested(&public.ask("{ __schema { queryType { name } } }").await), (201, 201));
    let refused = public.ask("{ nothing }").await;
    assert!(refused.body.get("extensions").is_none(), "{refused}");
});

on_both!(a_viewer_sees_what_is_left, Small, async |app| {
    let ask = "{ viewer { limits { cost { operation limit remaining restoreRate resetAt } } } }";
    let anct = app.anct();
    let first = anct.ask(ask).await;
    let expected = json!({ "operation": 100_000, "limit": 1_000_000, "remaining": 999_999, "restoreRate": 10_000,
        "resetAt": "2023-06-12T10:00:00.000100Z" });
    assert_eq!(first.data("/viewer/limits/cost"), &expected);
    assert_eq!(anct.ask(ask).await.number("/viewer/limits/cost/remaining"), 999_998);
    app.clock.advance(1);
    assert_eq!(anct.ask(ask).await.number("/viewer/limits/cost/remaining"), 999_999, "restored");
});

on_both!(an_operation_that_asks_for_too_much_is_refused_before_it_runs, Small with FEW, async |app| {
    let ask = async |seats: u32| {
        let nested = format!("{{ sites(first: 10) {{ nodes {{ seats(first: {seats}) {{ nodes {{ kind }} }} }} }} }}");
        app.public().ask(&nested).await
    };
    let before = app.statements();
    let refused = ask(24).await;
    assert_eq!((refused.status, refused.code()), (400, "LIMIT_EXCEEDED"));
    let message = refused.errors()[0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("251") && message.contains("250"), "{message}");
    assert_eq!(app.statements(), before);
    assert_eq!(cost(&ask(23).await, "requested"), 241);
});

on_both!(a_client_without_points_comes_back_later, Small with FEW, async |app| {
    assert_eq!(cost(&app.public().ask(ASK).await, "remaining"), 49);
    let again = app.public().ask(ASK).await;
    assert_eq!((again.status, again.code()), (429, "RATE_LIMITED"));
    // a point of this request was taken too, and two come back each second
    assert_eq!(again.errors()[0]["extensions"]["retryAfter"], (200 - 48) / 2);
    assert_eq!(again.header("retry-after"), "76");
    let older = from(app, "accept", "application/json", ASK).await;
    assert_eq!((older.status, older.code(), older.header("retry-after")), (429, "RATE_LIMITED", "77"));
    assert!(app.public().ask("{ __typename }").await.errors().is_empty(), "what is cheap still runs");
    assert!(app.anct().ask(ASK).await.errors().is_empty(), "each client has points of its own");
    app.clock.advance(78);
    assert!(app.public().ask(ASK).await.errors().is_empty());
});

/// Sends a body that is no request to a path, as the public.
async fn send(app: &TestApp, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    let url = format!("http://{}{path}", app.address);
    app.receive(app.http().post(url).header("content-type", "application/json").body(body.into())).await
}

on_both!(whoever_has_no_points_has_nothing_read, Small with FEW, async |app| {
    assert_eq!(send(app, "/graphql", "{").await.code(), "BAD_REQUEST");
    assert_eq!(cost(&app.public().ask(ASK).await, "remaining"), 49, "what was no request cost nothing");
    for _ in 0..49 {
        assert!(app.public().ask("{ __typename }").await.errors().is_empty());
    }
    let refused = send(app, "/graphql", "{").await;
    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (429, "RATE_LIMITED", "1"));
    let told = send(app, "/graphql/stream", "{").await;
    let text = told.body.as_str().map_or_else(|| told.body.to_string(), str::to_owned);
    assert!(told.status == 200 && text.contains("RATE_LIMITED"), "{told}");
    app.clock.advance(1);
    assert_eq!(send(app, "/graphql", "{").await.code(), "BAD_REQUEST");
});

on_both!(a_request_costs_what_it_is_long, Small with FEW, async |app| {
    let sized = async |path: &str, bytes: usize| {
        let body = json!({ "query": "{ __typename }" }).to_string();
        let padded = body.clone() + &" ".repeat(bytes - body.len());
        send(app, path, padded).await
    };
    assert_eq!(requested(&sized("/graphql", limits::REQUEST_BYTES).await), (1, 1));
    let more = limits::REQUEST_BYTES + 10 * limits::REQUEST_BYTES_A_POINT;
    assert_eq!(requested(&sized("/graphql", more - 1).await), (10, 10));
    assert_eq!(requested(&sized("/graphql", more).await), (11, 11));
    // what is refused was read as well: of 250 points 229 are left, and then 218
    let wrong = json!({ "query": "{ nothing }" }).to_string();
    let wrong = send(app, "/graphql", wrong.clone() + &" ".repeat(more - wrong.len())).await;
    assert_eq!(wrong.code(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(cost(&app.public().ask("{ __typename }").await, "remaining"), 250 - 1 - 10 - 11 - 11 - 1);
    let told = sized("/graphql/stream", more).await;
    let text = told.body.as_str().map_or_else(|| told.body.to_string(), str::to_owned);
    assert!(text.contains("\"requested\":11,\"actual\":11"), "{text}");
});

on_both!(two_persons_of_one_client_have_each_their_own_points, Small with FEW, async |app| {
    let one = app.anct().with(|claims| "one".clone_into(&mut claims.sub));
    let other = app.anct().with(|claims| "other".clone_into(&mut claims.sub));
    assert!(one.ask(ASK).await.errors().is_empty());
    assert_eq!(one.ask(ASK).await.status, 429);
    assert!(other.ask(ASK).await.errors().is_empty());
});

on_both!(nothing_is_written_without_points, Small with FEW, async |app| {
    let anct = app.anct();
    let site = anct.ask("{ sites(first: 1) { nodes { id } } }").await;
    let site = site.data("/sites/nodes/0/id").as_str().expect("an id").to_owned();
    let create = |count: usize| {
        let field = |n: usize| {
            let input = format!(
                "{{ site: \"{site}\", title: \"Sans points\", pillar: INNOVER, startsOn: \"2023\" }}"
            );
            format!("a{n}: createAction(input: {input}) {{ action {{ id }} userErrors {{ code }} }} ")
        };
        format!("mutation {{ {} }}", (0..count).map(field).collect::<String>())
    };
    let done = anct.ask(&create(1)).await;
    assert_eq!(requested(&done), (12, 12), "{done}");
    assert_eq!(cost(&anct.ask(ASK).await, "remaining"), 250 - 2 - 12 - 201);
    assert_eq!(anct.ask(&create(4)).await.code(), "RATE_LIMITED");
    app.clock.advance(120);
    let count = "{ actions(filter: { title: { eq: \"Sans points\" } }) { totalCount } }";
    assert_eq!(anct.ask(count).await.number("/actions/totalCount"), 1);
});

on_both!(an_export_costs_points_as_well, Small with FEW, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let first = get(app, &partner, "actions.csv", &[]).await;
    assert_eq!(first.status, 200);
    let refused = get(app, &partner, "actions.csv", &[]).await;
    // 500 of 1 000 are left, and ten come back each second
    assert_eq!((refused.status, refused.header("retry-after")), (429, "50"));
    assert_eq!(refused.json()["errors"][0]["extensions"]["code"], "RATE_LIMITED");
    app.clock.advance(50);
    assert_eq!(get(app, &partner, "actions.csv", &[]).await.status, 200);
});

on_both!(the_filter_of_an_export_costs_points_as_well, Small, async |app| {
    let left = async || cost(&app.public().ask("{ __typename }").await, "remaining");
    let before = left().await;
    let (filter, lists) = ("%7B%22communes%22:%7B%22some%22:%7B%7D%7D%7D", limits::FILTER_LIST_POINTS);
    assert_eq!(get(app, &app.public(), &format!("qpvs.csv?filter={filter}"), &[]).await.status, 200);
    assert_eq!(left().await, before - 1 - limits::EXPORT_POINTS - lists);
    // statistics as well
    let filter = "filter: { partners: { some: {} } }";
    let ask = format!("{{ actionStatistics(groupBy: [PILLAR], {filter}) {{ actionCount }} }}");
    assert_eq!(requested(&app.public().ask(&ask).await), (201 + lists, 201 + lists));
});

/// As many points as an export costs, and fewer than its filter.
const JUST_ENOUGH: [(&str, &str); 1] =
    [("CITES_LIMITS__PUBLIC", "{ operation = 1009, bucket = 5000, restore_rate = 2 }")];

on_both!(an_export_costs_no_more_than_one_operation_may, Small with JUST_ENOUGH, async |app| {
    let filtered = "qpvs.csv?filter=%7B%22communes%22:%7B%22some%22:%7B%7D%7D%7D";
    let refused = get(app, &app.public(), filtered, &[]).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED");
    assert_eq!(cost(&app.public().ask("{ __typename }").await, "remaining"), 4_999, "it cost nothing");
    assert_eq!(get(app, &app.public(), "qpvs.csv", &[]).await.status, 200);
});

on_both!(an_import_stops_where_its_points_end_and_says_where_to_go_on, Small with FEW, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let line = |n: usize| format!("{{ \"externalId\": \"L-{n}\" }}\n");
    let upload = async |range: std::ops::Range<usize>| {
        let url = format!("http://{}/import/actions", app.address);
        let request = app.http().post(url).header("content-type", "application/x-ndjson");
        let request = request.header("authorization", partner.authorization().unwrap_or_default());
        let answer = app.receive(request.body(range.map(line).collect::<String>())).await;
        let text = answer.body.as_str().map_or_else(|| answer.body.to_string(), str::to_owned);
        let last = text.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
        (answer, last.unwrap_or_default())
    };
    let (answer, last) = upload(0..1_600).await;
    assert_eq!(answer.status, 200);
    assert_eq!(last["error"]["code"], "RATE_LIMITED", "{last}");
    assert_eq!((&last["error"]["continueFrom"], &last["error"]["retryAfter"]), (&json!(1_000), &json!(12)));
    let (answer, _) = upload(1_000..1_600).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "12"));
});

on_both!(strangers_cannot_choose_their_address, Small with FEW, async |app| {
    assert_eq!(from(app, "x-forwarded-for", "192.0.2.1", ASK).await.status, 200);
    assert_eq!(from(app, "x-forwarded-for", "192.0.2.2", ASK).await.status, 429);
});

on_both!(a_trusted_proxy_tells_clients_apart, Small with BEHIND_A_PROXY, async |app| {
    let name = "x-forwarded-for";
    assert_eq!(from(app, name, "192.0.2.1", ASK).await.status, 200);
    assert_eq!(from(app, name, "192.0.2.1", ASK).await.status, 429);
    assert_eq!(from(app, name, "192.0.2.1, 192.0.2.2", ASK).await.status, 200);
    assert_eq!(from(app, name, "192.0.2.3, 192.0.2.2", ASK).await.status, 429, "the client's own claim");
    assert_eq!(from(app, "forwarded", "for=192.0.2.9", ASK).await.status, 200, "the proxy itself");
    assert_eq!(from(app, "forwarded", "for=192.0.2.8", ASK).await.status, 429, "a header not configured");
});
