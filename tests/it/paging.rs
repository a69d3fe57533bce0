//! Pages: whole, in order, without gap or repeat, in both directions, whatever is written meanwhile.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cites::text::fold;
use entity::action;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::world::{self, Kind, id};
use tests::{Persona, on_both};

/// A node of a page, with what it is ordered by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Null is the largest.
    is_null: bool,
    key: String,
    id: String,
}

impl Place {
    fn read(node: &Value) -> Self {
        let key = &node["key"];
        let text = match key {
            Value::Number(number) => format!("{number:0>20}"),
            Value::String(text) => first_day(text),
            other => other.to_string(),
        };
        Self { is_null: key.is_null(), key: text, id: node["id"].as_str().expect("an id").to_owned() }
    }
}

/// The first day of a partial date; any other text, folded.
fn first_day(text: &str) -> String {
    let is_year = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    match (text.get(..4), text.get(4..)) {
        (Some(year), Some("")) if is_year(year) => format!("{year}-01-01"),
        (Some(year), Some(rest)) if is_year(year) && rest.starts_with("-Q") => {
            let quarter: u32 = rest[2..].parse().expect("a quarter");
            format!("{year}-{:02}-01", 3 * quarter - 2)
        }
        (Some(year), Some(rest)) if is_year(year) && rest.len() == 3 => format!("{year}{rest}-01"),
        (Some(year), Some(_)) if is_year(year) => text.to_owned(),
        // names are ordered as they are searched, codes and enum values as they are
        _ if text.bytes().any(|byte| byte.is_ascii_lowercase()) => fold(text),
        _ => text.to_owned(),
    }
}

/// Walks a whole list by pages of a size, forward or from its end.
async fn walk(
    persona: &Persona<'_>,
    list: &str,
    field: &str,
    direction: &str,
    (size, backward): (u32, bool),
) -> Vec<Place> {
    let key = camel(field);
    let (count, cursor) = if backward { ("last", "before") } else { ("first", "after") };
    let document = format!(
        "query ($at: String) {{ list: {list}({count}: {size}, {cursor}: $at, orderBy: [{{ field: {field}, direction: \
         {direction} }}]) {{ nodes {{ id key: {key} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor \
         }} }} }}"
    );
    let (mut found, mut at): (Vec<Place>, Value) = (Vec::new(), json!(null));
    loop {
        let answer = persona.query(&document, json!({ "at": at })).await;
        let page: Vec<Place> = answer.list("/list/nodes").iter().map(Place::read).collect();
        let (more, edge) =
            if backward { ("hasPreviousPage", "startCursor") } else { ("hasNextPage", "endCursor") };
        assert!(page.len() <= size as usize && !(page.is_empty() && at.is_null()), "{answer}");
        at = answer.data(&format!("/list/pageInfo/{edge}")).clone();
        let at_place = if backward { 0 } else { found.len() };
        found.splice(at_place..at_place, page);
        if answer.data(&format!("/list/pageInfo/{more}")) == false {
            return found;
        }
    }
}

/// `UPDATED_AT` → `updatedAt`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_lowercase();
    for word in words {
        camel.push_str(&word[..1]);
        camel.push_str(&word[1..].to_lowercase());
    }
    camel
}

async fn order_fields(persona: &Persona<'_>, name: &str) -> Vec<String> {
    let document = format!("{{ __type(name: \"{name}\") {{ enumValues {{ name }} }} }}");
    persona.ask(&document).await.column("/__type/enumValues", "name")
}

on_both!(every_order_gives_the_whole_list_in_both_directions, Small, async |app| {
    let persona = app.anct();
    for (list, name, total, size) in [
        ("sites", "Site", 4, 1),
        ("actions", "Action", 144, 13),
        ("partners", "Partner", 7, 2),
        ("figures", "Figure", 123, 17),
    ] {
        for field in order_fields(&persona, &format!("{name}OrderField")).await {
            for direction in ["ASC", "DESC"] {
                let forward = walk(&persona, list, &field, direction, (size, false)).await;
                let mut sorted = forward.clone();
                sorted.sort();
                if direction == "DESC" {
                    sorted.reverse();
                }
                assert_eq!(forward, sorted, "{list} by {field} {direction}");
                sorted.dedup();
                assert_eq!(sorted.len(), total, "{list} by {field} {direction}");
                let backward = walk(&persona, list, &field, direction, (size, true)).await;
                assert_eq!(backward, forward, "{list} by {field} {direction}, from its end");
            }
        }
    }
});

on_both!(an_order_of_several_keys_in_mixed_directions_is_whole_too, Small, async |app| {
    let document = |page: &str| {
        format!(
            "query ($at: String) {{ list: actions({page}, orderBy: [{{ field: PILLAR, direction: DESC }}, {{ field: \
             STARTS_ON }}, {{ field: TITLE, direction: DESC }}]) {{ nodes {{ id }} pageInfo {{ hasNextPage \
             hasPreviousPage startCursor endCursor }} }} }}"
        )
    };
    let (mut forward, mut at) = (Vec::new(), json!(null));
    loop {
        let answer = app.anct().query(&document("first: 11, after: $at"), json!({ "at": at })).await;
        forward.extend(answer.column("/list/nodes", "id"));
        at = answer.data("/list/pageInfo/endCursor").clone();
        if answer.data("/list/pageInfo/hasNextPage") == false {
            break;
        }
    }
    let (mut backward, mut at) = (Vec::new(), json!(null));
    loop {
        let answer = app.anct().query(&document("last: 7, before: $at"), json!({ "at": at })).await;
        backward.splice(0..0, answer.column("/list/nodes", "id"));
        at = answer.data("/list/pageInfo/startCursor").clone();
        if answer.data("/list/pageInfo/hasPreviousPage") == false {
            break;
        }
    }
    assert_eq!(forward, backward);
    forward.sort();
    forward.dedup();
    assert_eq!(forward.len(), 144);
});

on_both!(rows_that_stay_are_met_once_while_others_come_and_go, Small, async |app| {
    let template = world::small().actions.remove(0);
    let document = "query ($at: String) { actions(first: 10, after: $at, orderBy: [{ field: UPDATED_AT, direction: DESC }]) { \
                    nodes { id } pageInfo { hasNextPage endCursor } } }";
    let (mut met, mut gone, mut at, mut round) = (Vec::new(), Vec::new(), json!(null), 0u16);
    loop {
        let answer = app.anct().query(document, json!({ "at": at })).await;
        met.extend(answer.column("/actions/nodes", "id"));
        at = answer.data("/actions/pageInfo/endCursor").clone();
        if answer.data("/actions/pageInfo/hasNextPage") == false {
            break;
        }
        // one newer than all, one older than all, one gone that was met or will be
        let new = |n: u16, days: i64| action::Model {
            id: id(Kind::Action, 1000 + 2 * round + n),
            updated_at: template.updated_at + chrono::Duration::days(days),
            ..template.clone()
        };
        app.insert([new(0, 10), new(1, -10)]).await;
        let victim = id(Kind::Action, 1 + round * 9 % 144);
        let delete = action::Entity::update_many()
            .col_expr(action::Column::DeletedAt, sea_orm::sea_query::Expr::value(template.updated_at))
            .filter(action::Column::Id.eq(victim));
        delete.exec(&app.db.writer).await.expect("an action is deleted");
        gone.push(cites::ids::encode("action", victim));
        round += 1;
    }
    let mut once = met.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), met.len(), "a row was met twice");
    for n in 1..=144 {
        let id = cites::ids::encode("action", id(Kind::Action, n));
        assert!(gone.contains(&id) || met.contains(&id), "{id} was skipped");
    }
});

on_both!(pages_below_several_parents_are_each_their_own, Small, async |app| {
    let order = "orderBy: [{ field: STARTS_ON, direction: DESC }]";
    let document = format!(
        "{{ sites {{ nodes {{ all: actions(first: 100, {order}) {{ nodes {{ id }} edges {{ cursor }} }} head: actions(first: 3, \
         {order}) {{ nodes {{ id }} pageInfo {{ hasNextPage hasPreviousPage }} }} tail: actions(last: 4, {order}) {{ nodes \
         {{ id }} pageInfo {{ hasNextPage hasPreviousPage }} }} none: actions(first: 0) {{ totalCount nodes {{ id }} \
         pageInfo {{ hasNextPage endCursor }} }} }} }} }}"
    );
    let answer = app.anct().ask(&document).await;
    for site in answer.list("/sites/nodes") {
        let ids = |name: &str| -> Vec<Value> { site[name]["nodes"].as_array().expect("nodes").clone() };
        let all = ids("all");
        assert_eq!(all.len(), 36);
        assert_eq!(ids("head"), all[..3]);
        assert_eq!(ids("tail"), all[32..]);
        assert_eq!(site["head"]["pageInfo"], json!({ "hasNextPage": true, "hasPreviousPage": false }));
        assert_eq!(site["tail"]["pageInfo"], json!({ "hasNextPage": false, "hasPreviousPage": true }));
        assert_eq!((&site["none"]["totalCount"], ids("none").len()), (&json!(36), 0));
        let cursor = &site["all"]["edges"][9]["cursor"];
        let document = format!(
            "query ($at: String) {{ sites {{ nodes {{ actions(first: 5, after: $at, {order}) {{ nodes {{ id }} }} }} }} }}"
        );
        let after = app.anct().query(&document, json!({ "at": cursor })).await;
        let pages: Vec<&Value> =
            after.list("/sites/nodes").iter().map(|site| &site["actions"]["nodes"]).collect();
        assert!(pages.contains(&&json!(all[10..15])), "{after}");
    }
});

on_both!(bounds_and_cursors_are_checked, Small, async |app| {
    let first = app.public().ask("{ actions(first: 1) { pageInfo { endCursor } } }").await;
    let cursor = first.data("/actions/pageInfo/endCursor").as_str().expect("a cursor").to_owned();
    for (arguments, code) in [
        ("first: -1".to_owned(), "BAD_USER_INPUT"),
        ("first: 101".to_owned(), "BAD_USER_INPUT"),
        ("first: 1000".to_owned(), "BAD_USER_INPUT"),
        ("last: -1".to_owned(), "BAD_USER_INPUT"),
        ("last: 101".to_owned(), "BAD_USER_INPUT"),
        ("first: 1, last: 1".to_owned(), "BAD_USER_INPUT"),
        ("after: \"\"".to_owned(), "INVALID_CURSOR"),
        ("after: \"abc\"".to_owned(), "INVALID_CURSOR"),
        ("before: \"WzFd\"".to_owned(), "INVALID_CURSOR"),
        (format!("after: \"{cursor}\", orderBy: [{{ field: TITLE }}]"), "INVALID_CURSOR"),
        (
            format!("after: \"{cursor}\", orderBy: [{{ field: UPDATED_AT, direction: ASC }}]"),
            "INVALID_CURSOR",
        ),
        (format!("after: \"{}\"", "A".repeat(5000)), "INVALID_CURSOR"),
    ] {
        let answer = app.public().ask(&format!("{{ actions({arguments}) {{ nodes {{ id }} }} }}")).await;
        assert_eq!(answer.code(), code, "{arguments}: {answer}");
    }
    let foreign = app.public().ask(&format!("{{ figures(after: \"{cursor}\") {{ nodes {{ id }} }} }}")).await;
    assert_eq!(foreign.code(), "INVALID_CURSOR");
    let bounds = app
        .public()
        .ask("{ a: actions(first: 0) { nodes { id } } b: actions(first: 100) { totalCount } }")
        .await;
    assert_eq!(bounds.list("/a/nodes").len(), 0);
});

on_both!(values_in_a_cursor_that_no_row_has_are_refused, Small, async |app| {
    // long before the calendar of PostgreSQL, long after that of either database, and a text that it does not take
    for (field, values) in [
        ("UPDATED_AT", [json!(-8_000_000_000_000_000_000_i64), json!(8_000_000_000_000_000_000_i64)]),
        ("STARTS_ON", [json!("-200000-01-01"), json!("+200000-01-01")]),
        ("TITLE", [json!("a\0"), json!(1)]),
    ] {
        let list = format!("actions(first: 1, orderBy: [{{ field: {field} }}]");
        let first = app.anct().ask(&format!("{{ {list}) {{ pageInfo {{ endCursor }} }} }}")).await;
        let cursor = first.data("/actions/pageInfo/endCursor").as_str().expect("a cursor").to_owned();
        let parts: Vec<Value> =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).expect("base64")).expect("a list");
        for value in values {
            let mut forged = parts.clone();
            forged[1] = value;
            let forged = URL_SAFE_NO_PAD.encode(Value::from(forged).to_string());
            let document = format!("{{ {list}, after: \"{forged}\") {{ nodes {{ id }} }} }}");
            let answer = app.anct().ask(&document).await;
            assert_eq!(answer.code(), "INVALID_CURSOR", "{field}: {answer}");
        }
    }
});
