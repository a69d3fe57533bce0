//! What is no file, and who asks for too much.

use serde_json::json;
use tests::on_both;

use super::{ask, filtered, get};

on_both!(a_wrong_filter_is_told_as_the_list_tells_it, Small, async |app| {
    let public = app.public();
    for (list, filter) in [
        ("actions", json!({ "nope": 1 })),
        ("actions", json!({ "status": { "eq": "NOPE" } })),
        ("qpvs", json!({ "code": { "eq": "QP1" } })),
        ("sites", json!({ "id": { "eq": "x" } })),
        ("actions", json!({ "title": { "contains": "x".repeat(201) } })),
        ("figures", json!([1])),
    ] {
        let noun = format!("{}{}", list[..1].to_uppercase(), &list[1..list.len() - 1]);
        let document =
            format!("query ($filter: {noun}Filter) {{ {list}(filter: $filter) {{ totalCount }} }}");
        let answer = public.query(&document, json!({ "filter": filter })).await;
        let download = get(app, &public, &filtered(&format!("{list}.csv"), &filter), &[]).await;
        assert_eq!(download.status, 400, "{list} {filter}");
        let (told, listed) = (&download.json()["errors"][0], &answer.errors()[0]);
        assert_eq!(told["extensions"], listed["extensions"], "{list} {filter}");
        let head = ask(app, &public, "HEAD", &filtered(&format!("{list}.csv"), &filter), &[]).await;
        assert_eq!(head.status(), 400);
    }
});

on_both!(what_is_asked_wrongly_is_refused_with_what_is_expected, Small, async |app| {
    let public = app.public();
    for (path, input) in [
        ("actions.csv?filter=nope", "filter"),
        ("actions.csv?filtre=%7B%7D", "filtre"),
        ("actions.csv?bom=oui", "bom"),
        ("actions.csv?separator=x", "separator"),
        ("actions.ndjson?bom=true", "bom"),
        ("actions.csv?bom=true&bom=true", "bom"),
    ] {
        let download = get(app, &public, path, &[]).await;
        assert_eq!(download.status, 400, "{path}");
        let error = download.json()["errors"][0]["extensions"].clone();
        assert_eq!((&error["code"], &error["input"]), (&json!("BAD_USER_INPUT"), &json!([input])), "{path}");
        assert!(error["expected"].is_string(), "{path}");
    }
    for path in ["actions.geojson", "referents.csv", "auditEvents.csv", "actions", "actions.xlsx"] {
        let download = get(app, &app.anct(), path, &[]).await;
        assert_eq!(download.status, 404, "{path}");
        assert_eq!(download.json()["errors"][0]["extensions"]["code"], "NOT_FOUND");
    }
    let posted = ask(app, &public, "POST", "actions.csv", &[]).await;
    assert_eq!(
        (posted.status().as_u16(), posted.headers()["allow"].to_str().expect("a text")),
        (405, "GET, HEAD")
    );
    let bad = get(app, &public, "actions.csv", &[("authorization", "Bearer x")]).await;
    assert_eq!(bad.status, 401, "a bad token is not the public");
});
