//! Documents that clients name instead of sending them, and answers that caches may keep.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use tests::{Answer, Backend, Template, TestApp, block_on, block_on_postgres, on_both};

const SITES: &str = "{ sites(first: 1) { totalCount } }";
/// Of [`SITES`].
const HASH: &str = "sha256:43d28a9259967c55757f32426fc193ead9cbfac9b45811525351f11b2c2fb5de";
const MUTATION: &str = "mutation { deleteSite(input: { id: \"site_01h455vb4pex5vsknk084sn02q\", expectedVersion: 1 }) { replayed } }";

/// Gets a query string as the public, or with a token, with one more header.
async fn get(app: &TestApp, query: &[(&str, &str)], token: Option<String>, header: (&str, &str)) -> Answer {
    let url = reqwest::Url::parse_with_params(&app.url(), query).expect("a URL");
    let mut request = app.http().get(url).header(header.0, header.1);
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    app.receive(request).await
}

const NO_HEADER: (&str, &str) = ("x-request-id", "a");

fn automatic(hash: &str, query: Option<&str>) -> Value {
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    match query {
        Some(query) => json!({ "query": query, "extensions": extensions }),
        None => json!({ "extensions": extensions }),
    }
}

on_both!(a_document_sent_once_is_known_by_its_hash, Small, async |app| {
    let hash = HASH.trim_start_matches("sha256:");
    let unknown = app.post(None, &automatic(hash, None)).await;
    assert_eq!((unknown.status, unknown.code()), (400, "PERSISTED_QUERY_NOT_FOUND"));
    assert_eq!(unknown.errors()[0]["message"], "PersistedQueryNotFound");
    // another document does not get that name
    let other = app.post(None, &automatic(hash, Some("{ __typename }"))).await;
    assert_eq!(other.code(), "BAD_USER_INPUT");
    // nor does one that is wrong, under its own
    let wrong = app.post(None, &json!({ "query": "{ nothing }", "documentId": WRONG })).await;
    assert_eq!(wrong.code(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(app.post(None, &json!({ "documentId": WRONG })).await.code(), "PERSISTED_QUERY_NOT_FOUND");
    let sent = app.post(None, &automatic(hash, Some(SITES))).await;
    let expected = sent.number("/sites/totalCount");
    for named in [automatic(hash, None), json!({ "documentId": HASH }), json!({ "documentId": hash })] {
        assert_eq!(app.post(None, &named).await.number("/sites/totalCount"), expected, "{named}");
    }
    let got = get(app, &[("documentId", HASH)], None, NO_HEADER).await;
    assert_eq!(got.number("/sites/totalCount"), expected);
});

/// Of `{ nothing }`.
const WRONG: &str = "sha256:919c0b7aa452b0b2fb42688461501bb8b0c3ef3b9d05ce7b9afd4f28bbe96ceb";

on_both!(what_the_public_gets_may_be_kept_and_asked_for_again, Small, async |app| {
    let query = [("query", SITES)];
    let first = get(app, &query, None, NO_HEADER).await;
    assert_eq!((first.status, first.header("cache-control")), (200, "public, max-age=60"));
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    assert!(first.header("vary").contains("Accept") && first.header("vary").contains("Authorization"));
    let again = get(app, &query, None, ("if-none-match", &format!("W/\"x\", {tag}"))).await;
    assert_eq!((again.status, again.header("etag"), &again.body), (304, tag.as_str(), &json!("")));
    // another answer has another tag
    let other = get(app, &[("query", "{ qpvs { totalCount } }")], None, ("if-none-match", &tag)).await;
    assert_eq!(other.status, 200);
});

on_both!(what_is_somebody_s_own_is_kept_by_nobody, Small, async |app| {
    let token = app.anct().authorization();
    let own = [
        get(app, &[("query", SITES)], token, NO_HEADER).await,
        get(app, &[("query", "{ viewer { limits { cost { remaining } } } }")], None, NO_HEADER).await,
        get(app, &[("query", "{ nothing }")], None, NO_HEADER).await,
        get(app, &[("query", MUTATION)], None, NO_HEADER).await,
        app.public().ask(SITES).await,
    ];
    for answer in own {
        assert_eq!((answer.header("cache-control"), answer.header("etag")), ("no-store", ""), "{answer}");
    }
});

/// A server whose public runs nothing but the documents of a manifest.
async fn trusting(backend: Backend) {
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join("manifest.json");
    let manifest = json!({ "operations": [
        { "id": "x-1", "name": "Sites", "type": "query", "body": SITES },
        { "id": "x-2", "name": "Delete", "type": "mutation", "body": MUTATION },
    ] });
    let mut file = std::fs::File::create(&path).expect("a file");
    write!(file, "{manifest}").expect("written");
    let settings = [
        ("CITES_DOCUMENTS__MANIFEST", path.to_str().expect("a path")),
        ("CITES_DOCUMENTS__ONLY_TRUSTED_FOR", "public,collectivite"),
    ];
    let app = TestApp::start_with(backend, Template::Small, &settings).await;
    for id in ["x-1", "Sites", HASH] {
        let answer = get(&app, &[("documentId", id)], None, NO_HEADER).await;
        answer.number("/sites/totalCount");
        assert_eq!(answer.header("cache-control"), "public, max-age=60");
    }
    assert_eq!(get(&app, &[("documentId", "Delete")], None, NO_HEADER).await.status, 405);
    assert!(app.public().ask(SITES).await.errors().is_empty(), "the same text sent whole");
    let other = "{ sites { totalCount } }";
    assert_eq!(app.public().ask(other).await.code(), "DOCUMENT_NOT_TRUSTED");
    assert_eq!(app.collectivite(&["200040715"]).ask(other).await.code(), "DOCUMENT_NOT_TRUSTED");
    assert_eq!(app.post(None, &json!({ "documentId": "x-3" })).await.code(), "DOCUMENT_NOT_TRUSTED");
    // the server's own page asks what it needs
    let page = app.get("/").await;
    assert!(
        page.body.as_str().is_some_and(|html| html.contains("<dd>4</dd>") && !html.contains("<dd>—</dd>")),
        "{page}"
    );
    // what others have sent is not trusted for that
    let anct = app.anct().authorization();
    let body = json!({ "query": "{ __typename }", "documentId": TYPENAME });
    assert!(app.post(anct.as_deref(), &body).await.errors().is_empty());
    assert!(app.post(anct.as_deref(), &json!({ "documentId": TYPENAME })).await.errors().is_empty());
    assert_eq!(app.post(None, &json!({ "documentId": TYPENAME })).await.code(), "DOCUMENT_NOT_TRUSTED");
    app.stop().await;
}

/// Of `{ __typename }`.
const TYPENAME: &str = "sha256:7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b";

mod some_roles_run_nothing_but_trusted_documents {
    use super::*;

    #[test]
    fn sqlite() {
        block_on(async || trusting(Backend::Sqlite).await);
    }

    #[test]
    fn postgres() {
        block_on_postgres(async || trusting(Backend::Postgres).await);
    }
}
