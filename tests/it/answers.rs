//! How long an answer may become, what it costs then, and what one statement may join.

use std::fmt::Write as _;

use cites::ids;
use cites::limits;
use entity::partner;
use serde_json::{Value, json};
use tests::world::{Kind, small};
use tests::{Answer, on_both};
use uuid::Uuid;

use crate::sync::{france_travail, item};
use crate::writes::{known, write};

/// A bound that is easily met.
const SHORT: [(&str, &str); 2] =
    [("CITES_LIMITS__PUBLIC", "{ answer = 20000 }"), ("CITES_LIMITS__ANCT", "{ answer = 20000 }")];

/// The same field under as many names.
fn many(count: usize, field: &str) -> String {
    (0..count).fold(String::new(), |mut text, index| {
        let _ = write!(text, "a{index}:{field} ");
        text
    })
}

fn cost(answer: &Answer, name: &str) -> u64 {
    answer.body["extensions"]["cost"][name].as_u64().unwrap_or_else(|| panic!("no cost: {answer}"))
}

on_both!(an_answer_is_refused_when_it_becomes_too_long, Small with SHORT, async |app| {
    let ask = |sites: usize| format!("{{ sites(first: {sites}) {{ nodes {{ {} }} }} }}", many(400, "name"));
    let within = app.public().ask(&ask(1)).await;
    let length = within.data("").to_string().len();
    assert!((7_000..20_000).contains(&length), "{length}");
    let remaining = async || {
        let ask = "{ viewer { limits { cost { remaining } } } }";
        app.public().ask(ask).await.number("/viewer/limits/cost/remaining")
    };
    let before = remaining().await;
    let beyond = app.public().ask(&ask(4)).await;
    assert_eq!((beyond.status, beyond.code()), (400, "LIMIT_EXCEEDED"));
    assert!(beyond.errors()[0]["message"].as_str().is_some_and(|text| text.contains("20000")), "{beyond}");
    let bytes = i64::try_from(20_000 / limits::ANSWER_BYTES_A_POINT).expect("few");
    assert!(before - remaining().await > bytes, "what was written in vain is paid");
});

on_both!(a_long_answer_costs_points_by_its_length, Small, async |app| {
    let ask = format!("{{ sites(first: 3) {{ nodes {{ {} }} }} }}", many(500, "name"));
    let answer = app.public().ask(&ask).await;
    let bytes = answer.data("").to_string().len() / limits::ANSWER_BYTES_A_POINT;
    assert_eq!(cost(&answer, "requested"), 4);
    assert!(
        bytes > 5 && cost(&answer, "actual").abs_diff(bytes as u64) < 2,
        "{bytes}: {:?}",
        answer.body["extensions"]
    );
});

on_both!(a_payload_that_is_too_long_says_that_the_write_is_done, Small with SHORT, async |app| {
    let anct = app.anct();
    let input = |title: &str| {
        format!(
            "{{ site: \"{}\", title: \"{title}\", pillar: INNOVER, startsOn: \"2023\" }}",
            known(Kind::Site, 1)
        )
    };
    let (long, short) = ("x".repeat(90), "y".repeat(90));
    // either is within, both are not
    let fields = format!("action {{ {} }} userErrors {{ code }}", many(120, "title"));
    let document = format!(
        "mutation {{ one: createAction(input: {}) {{ {fields} }} two: createAction(input: {}) {{ {fields} }} }}",
        input(&long),
        input(&short)
    );
    let answer = anct.ask(&document).await;
    assert_eq!((answer.status, answer.errors().len()), (200, 1), "{answer}");
    assert_eq!((answer.code(), &answer.errors()[0]["path"]), ("LIMIT_EXCEEDED", &json!(["two"])));
    assert!(answer.errors()[0]["message"].as_str().is_some_and(|text| text.contains("the write is done")));
    assert_eq!(answer.partial("/one/action/a119"), &json!(long));
    assert_eq!(answer.partial("/two"), &Value::Null);
    let count = "{ actions(filter: { title: { contains: \"yyy\" } }) { totalCount } }";
    assert_eq!(anct.ask(count).await.number("/actions/totalCount"), 1);
});

on_both!(an_event_that_is_too_long_ends_its_stream, Small with SHORT, async |app| {
    let document = format!(
        "subscription {{ changes {{ cursor node {{ ... on Site {{ {} }} }} }} }}",
        many(300, "name")
    );
    let mut events = app.anct().stream(&document, json!({})).await;
    let rename = async |name: &str| {
        write(&app.anct(), "updateSite", json!({ "id": known(Kind::Site, 1), "name": name })).await.done();
    };
    rename("Court").await;
    assert_eq!(events.change().await["node"]["a299"], "Court");
    rename(&"long".repeat(30)).await;
    let (_, response) = events.event().await.expect("an event");
    assert_eq!(response["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED", "{response}");
});

on_both!(a_row_costs_a_point_for_each_place_where_it_is_written, Small, async |app| {
    let points = vec!["{lon:3,lat:45.5}"; 300].join(",");
    let answer = app.public().ask(&format!("{{ qpvsAt(points: [{points}]) {{ qpv {{ code }} }} }}")).await;
    assert_eq!(answer.data("/qpvsAt/299/qpv/code"), "QN06916M");
    assert_eq!(cost(&answer, "requested"), 301);
    let under = "qpv { communes { code } }";
    let answer = app.public().ask(&format!("{{ qpvsAt(points: [{points}]) {{ {under} }} }}")).await;
    assert_eq!(cost(&answer, "requested"), 301 + 900);
});

on_both!(lists_that_are_made_in_memory_are_bounded, Small, async |app| {
    let fields = limits::ITEM_FIELDS / limits::POINTS_MAX;
    let points = vec!["{lon:3,lat:45.5}"; limits::POINTS_MAX].join(",");
    let ask = async |fields: usize| {
        let fields = many(fields, "__typename");
        app.public().ask(&format!("{{ qpvsAt(points: [{points}]) {{ {fields} }} }}")).await
    };
    let within = ask(fields).await;
    assert_eq!(within.list("/qpvsAt").len(), limits::POINTS_MAX);
    assert!(cost(&within, "actual") > 500, "a long answer, of which no row is read");
    assert_eq!(ask(fields + 1).await.code(), "LIMIT_EXCEEDED");
});

on_both!(an_error_does_not_repeat_a_large_input, Small, async |app| {
    let id = "é".repeat(100_000);
    let nodes = many(20, "node(id: $id) { id }");
    let answer = app.public().query(&format!("query ($id: ID!) {{ {nodes} }}"), json!({ "id": id })).await;
    let invalid = |error: &Value| error["extensions"]["code"] == "INVALID_ID";
    assert!(answer.errors().len() == 20 && answer.errors().iter().all(invalid));
    assert!(answer.body.to_string().len() < 20_000);
});

/// Partners that all may be one.
fn doubles(count: usize) -> Vec<partner::Model> {
    let one = small().partners.into_iter().nth(2).expect("a partner");
    let double = |_| partner::Model {
        id: Uuid::now_v7(),
        name: "Doublon".to_owned(),
        name_search: "doublon".to_owned(),
        ..one.clone()
    };
    (0..count).map(double).collect()
}

on_both!(lists_are_read_under_so_many_rows_of_a_table_and_no_more, Small, async |app| {
    let anct = app.anct();
    let alone = "{ partnerDuplicates { reason first { name } } }";
    let with_lists = "{ partnerDuplicates { first { seats(first: 1) { nodes { kind } } } } }";
    app.insert(doubles(20)).await;
    let answer = anct.ask(with_lists).await;
    assert_eq!(answer.list("/partnerDuplicates").len(), 190);
    assert_eq!(cost(&answer, "requested"), 1 + 200 + 200);
    app.insert(doubles(1)).await;
    let answer = anct.ask(alone).await;
    assert_eq!((answer.list("/partnerDuplicates").len(), cost(&answer, "actual")), (210, 211));
    let answer = anct.ask(with_lists).await;
    assert_eq!((answer.status, answer.code()), (400, "LIMIT_EXCEEDED"), "{answer}");
    assert!(answer.errors()[0]["message"].as_str().is_some_and(|text| text.contains("200")), "{answer}");
});

on_both!(what_a_call_tells_of_its_items_is_paid_before_it_writes, Small, async |app| {
    let partner = france_travail(app).await;
    let call = async |items: usize, fields: &str| {
        let items: Vec<Value> = (0..items).map(|n| item(&format!("P-{n}"), 0, json!({}))).collect();
        let document =
            format!("mutation ($input: SyncActionsInput!) {{ syncActions(input: $input) {{ {fields} }} }}");
        partner.query(&document, json!({ "input": { "items": items, "dryRun": true } })).await
    };
    assert_eq!(cost(&call(3, "results { outcome }").await, "requested"), 1 + 13);
    assert_eq!(cost(&call(3, "results { action { title } }").await, "requested"), 1 + 13 + 3);
    let nested = "results { action { qpvs(first: 7) { nodes { code } } } }";
    assert_eq!(cost(&call(3, nested).await, "requested"), 1 + 13 + 3 + 21);
    // one item with as many fields is told of, many are not
    let fields =
        format!("results {{ {} errors {{ code }} }}", many(limits::ITEM_FIELDS / 1_000 - 1, "index"));
    assert!(call(1, &fields).await.errors().is_empty());
    let beyond = call(1_000, &fields).await;
    assert_eq!((beyond.status, beyond.code()), (200, "LIMIT_EXCEEDED"), "{:?}", beyond.errors());
    assert_eq!(beyond.errors()[0]["path"], json!(["syncActions", "results"]));
});

/// Fields of a commune by which so many objects are joined to it.
fn joined(count: usize) -> String {
    match count {
        0 => "name".to_owned(),
        1 => "region { name }".to_owned(),
        2 | 3 => format!("departement {{ region {{ name }} }} {}", joined(count - 2)),
        4 | 5 => format!("epci {{ departement {{ name }} }} {}", joined(count - 2)),
        _ => format!("{} parent {{ {} }}", joined(5), joined(count - 6)),
    }
}

on_both!(objects_beside_a_row_are_joined_once_and_not_too_often, Small, async |app| {
    // one of the partner, the others of its commune
    let ask = async |count: usize| {
        app.anct()
            .ask(&format!("{{ partners(first: 1) {{ nodes {{ commune {{ {} }} }} }} }}", joined(count - 1)))
            .await
    };
    let answer = ask(limits::JOINS).await;
    assert_eq!(answer.data("/partners/nodes/0/commune/departement/region/name"), "Auvergne-Rhône-Alpes");
    assert_eq!(ask(limits::JOINS + 1).await.code(), "LIMIT_EXCEEDED");
    let id = |n: u16| ids::encode("partner", tests::world::id(Kind::Partner, n));
    let lead = json!({ "site": known(Kind::Site, 1), "title": "Menée", "lead": id(2) });
    let action = write(&app.anct(), "createAction", lead).await.id();
    let aliases = many(150, "lead { name departement { name } }");
    let document =
        format!("{{ node(id: \"{action}\") {{ ... on Action {{ {aliases} b: lead {{ kind }} }} }} }}");
    let answer = app.anct().ask(&document).await;
    assert_eq!(
        answer.data("/node/a0"),
        &json!({ "name": "Métropole de Lyon", "departement": { "name": "Rhône" } })
    );
    assert_eq!(answer.data("/node/a0"), answer.data("/node/a149"));
    assert_eq!(answer.data("/node/b"), &json!({ "kind": "METROPOLE" }));
});

on_both!(a_condition_that_says_nothing_is_a_condition, Small, async |app| {
    let conditions = limits::FILTER_CONDITIONS;
    for (empty, list) in [("{}", "or"), ("{}", "and"), ("{site:{}}", "or"), ("{qpvs:{some:{}}}", "or")] {
        let ask = async |count: usize| {
            let filter = format!("{{ {list}: [{}] }}", vec![empty; count].join(","));
            app.public().ask(&format!("{{ actions(first: 1, filter: {filter}) {{ totalCount }} }}")).await
        };
        assert!(ask(conditions).await.errors().is_empty(), "{empty}");
        let beyond = ask(conditions + 1).await;
        assert_eq!(beyond.code(), "LIMIT_EXCEEDED", "{empty}: {beyond}");
    }
});

on_both!(values_are_counted_over_all_lists_of_a_filter, Small, async |app| {
    let ask = async |lists: usize| {
        let filter = vec!["{ name: { in: $names } }"; lists].join(",");
        let document =
            format!("query ($names: [String!]) {{ sites(filter: {{ or: [{filter}] }}) {{ totalCount }} }}");
        app.public().query(&document, json!({ "names": vec!["x"; limits::FILTER_IN_MAX] })).await
    };
    let within = limits::FILTER_VALUES / limits::FILTER_IN_MAX;
    assert_eq!(ask(within).await.number("/sites/totalCount"), 0);
    assert_eq!(ask(within + 1).await.code(), "LIMIT_EXCEEDED");
    assert_eq!(ask(limits::FILTER_CONDITIONS).await.code(), "LIMIT_EXCEEDED");
});
