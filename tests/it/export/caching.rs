//! Entity tags: the same as long as the file is, another as soon as it is not. Compression.

use std::io::Read;

use cites::clock::Clock;
use entity::client_grant;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use tests::world::Kind;
use tests::{GrantedSites, Persona, TestApp, on_both};

use super::{ask, file, filtered, get};
use crate::feed::settled;
use crate::sync::{france_travail, item, send};
use crate::writes::{known, write};

async fn tag(app: &TestApp, persona: &Persona<'_>, path: &str) -> String {
    settled(app).await;
    let head = ask(app, persona, "HEAD", path, &[]).await;
    assert_eq!(head.status(), 200);
    head.headers()["etag"].to_str().expect("a tag").to_owned()
}

async fn status(app: &TestApp, persona: &Persona<'_>, path: &str, tag: &str) -> u16 {
    settled(app).await;
    let download = get(app, persona, path, &[("if-none-match", tag)]).await;
    if download.status == 304 {
        assert!(tag.contains(download.header("etag")) && download.bytes.is_empty());
    }
    download.status
}

on_both!(an_unchanged_file_is_not_sent_again, Small, async |app| {
    let anct = app.anct();
    let first = tag(app, &anct, "actions.csv").await;
    assert_eq!(file(app, &anct, "actions.csv").await.header("etag"), first);
    assert_eq!(status(app, &anct, "actions.csv", &first).await, 304, "to export is no change");
    assert_eq!(status(app, &anct, "actions.csv", &format!("W/\"other\", {first}")).await, 304);
    assert_eq!(status(app, &anct, "actions.csv", "W/\"other\"").await, 200);
    let rename = json!({ "id": known(Kind::Site, 1), "name": "Autre nom" });
    write(&anct, "updateSite", rename).await.done();
    assert_eq!(status(app, &anct, "actions.csv", &first).await, 200, "the name of the site is in it");
    assert_ne!(tag(app, &anct, "actions.csv").await, first);
});

on_both!(an_import_that_moves_nothing_but_instants_makes_another_file, Small, async |app| {
    let partner = france_travail(app).await;
    assert_eq!(send(&partner, json!([item("A", 1, json!({}))])).await.only(), ["CREATED"]);
    let moved = json!({ "actions": { "some": { "sourceUpdatedAt": { "gt": "2023-06-12T10:02:00Z" } } } });
    let of_moved = filtered("sites.csv", &moved);
    let anct = app.anct();
    let (actions, sites) = (tag(app, &anct, "actions.csv").await, tag(app, &anct, &of_moved).await);
    let qpvs = tag(app, &anct, "qpvs.csv").await;
    assert_eq!(status(app, &anct, "actions.csv", &actions).await, 304);
    let mut seen = vec![actions];
    // the second begins before the first, and is done after it
    for (minute, seconds) in [(3, 60), (4, -30)] {
        app.clock.advance(seconds);
        assert_eq!(send(&partner, json!([item("A", minute, json!({}))])).await.only(), ["UNCHANGED"]);
        let instant = format!("2023-06-12T10:0{minute}:00Z");
        assert!(file(app, &anct, "actions.csv").await.text().contains(&instant));
        let now = tag(app, &anct, "actions.csv").await;
        assert!(!seen.contains(&now), "{instant}");
        seen.push(now);
    }
    assert_eq!(status(app, &anct, &of_moved, &sites).await, 200);
    assert_eq!(status(app, &anct, "qpvs.csv", &qpvs).await, 304, "no instant of an action is in it");
});

on_both!(a_tag_is_of_one_file_of_one_caller_on_one_day, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let other = partner.clone().scopes(&[cites::auth::Scope::Import]);
    let mut tags = vec![
        tag(app, &app.public(), "actions.csv").await,
        tag(app, &app.anct(), "actions.csv").await,
        tag(app, &app.prefecture(&["69"]), "actions.csv").await,
        tag(app, &app.prefecture(&["59"]), "actions.csv").await,
        tag(app, &app.collectivite(&["200046977"]), "actions.csv").await,
        tag(app, &partner, "actions.csv").await,
        tag(app, &other, "actions.csv").await,
        tag(app, &app.public(), "actions.csv?bom=true").await,
        tag(app, &app.public(), "actions.csv?separator=;").await,
        tag(app, &app.public(), "actions.ndjson").await,
        tag(app, &app.public(), "actions.csv?filter=%7B%7D").await,
    ];
    // a grant ends with an instant, a seat with a day
    let end = client_grant::Entity::update_many()
        .col_expr(client_grant::Column::ValidTo, Expr::value(app.clock.now() + chrono::Duration::minutes(1)))
        .filter(client_grant::Column::ClientId.eq("client-FRANCE_TRAVAIL"));
    end.exec(&app.db.writer).await.expect("it is written");
    assert_eq!(tag(app, &partner, "actions.csv").await, tags[5]);
    app.clock.advance(120);
    tags.push(tag(app, &partner, "actions.csv").await);
    app.clock.advance(86_400);
    tags.push(tag(app, &app.public(), "actions.csv").await);
    let all = tags.len();
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), all, "{tags:?}");
});

on_both!(a_head_is_that_of_the_file, Small, async |app| {
    let head = ask(app, &app.anct(), "HEAD", "actions.parquet", &[]).await;
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-type"], "application/vnd.apache.parquet");
    assert!(head.bytes().await.expect("an end").is_empty());
    let events = "{ auditEvents(filter: { entity: { eq: \"Export\" } }) { totalCount } }";
    assert_eq!(app.anct().ask(events).await.number("/auditEvents/totalCount"), 0, "nothing was taken");
});

on_both!(files_are_compressed_for_those_who_take_it, Small, async |app| {
    let plain = file(app, &app.anct(), "actions.csv").await;
    assert_eq!(plain.header("content-encoding"), "");
    let gzip = get(app, &app.anct(), "actions.csv", &[("accept-encoding", "gzip")]).await;
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(gzip.bytes.as_ref()).read_to_string(&mut text).expect("gzip");
    assert_eq!(text, plain.text());
    assert!(gzip.bytes.len() * 3 < plain.bytes.len());
    let zstd = get(app, &app.anct(), "actions.csv", &[("accept-encoding", "zstd")]).await;
    assert_eq!((zstd.header("content-encoding"), &zstd.bytes[..4]), ("zstd", &[0x28, 0xb5, 0x2f, 0xfd][..]));
    let vary: Vec<_> = gzip.headers.get_all("vary").iter().collect();
    assert!(format!("{vary:?}").to_lowercase().contains("accept-encoding"), "{vary:?}");
});
