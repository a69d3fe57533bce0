//! `/graphiql`: the explorer, as the build script bundled it.

use std::sync::LazyLock;

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, Responder};

use super::PAGE_POLICY;
use super::file::{Content, FOR_EVER, File};
use crate::http::refusal::no_such_path;

/// Each file by its name, compressed; none where the explorer was left out of the build.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/explorer.rs"));

/// The same with their tags.
static CONTENTS: LazyLock<Vec<(&str, Content)>> =
    LazyLock::new(|| FILES.iter().map(|(name, bytes)| (*name, Content::gzip(bytes))).collect());

/// Looser than anywhere else: the editor writes its own styles and carries its fonts. Still nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      font-src 'self' data:; worker-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page, or how to get it.
pub(super) async fn page(http: HttpRequest) -> impl Responder {
    if let Some(content) = find("index.html") {
        return File::of("text/html; charset=utf-8", content).policy(POLICY).answer(&http);
    }
    let text = Content::text(include_str!("unbuilt.html"));
    File::of("text/html; charset=utf-8", &text).policy(PAGE_POLICY).answer(&http)
}

/// A file that the page loads.
pub(super) async fn asset(http: HttpRequest, name: Path<String>) -> HttpResponse {
    match (media_type(&name), find(&name)) {
        // a worker is under the policy it is sent with
        (Some(media_type), Some(content)) => {
            File::of(media_type, content).keep(FOR_EVER).policy(POLICY).answer(&http)
        }
        _ => no_such_path().await,
    }
}

fn find(name: &str) -> Option<&'static Content> {
    CONTENTS.iter().find(|(known, _)| *known == name).map(|(_, content)| content)
}

/// Of the files with hashed names; the page itself has its own address.
fn media_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "ttf" => Some("font/ttf"),
        "woff2" => Some("font/woff2"),
        _ => None,
    }
}
