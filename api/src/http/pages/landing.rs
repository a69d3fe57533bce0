//! `/`: what this is, where to go on, and how much it holds.

use std::fmt::Write;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, Responder};
use async_graphql::Variables;
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::PAGE_POLICY;
use super::file::{Content, DAY, File, MINUTE};
use crate::http::Endpoint;
use crate::http::envelope::request_id;
use crate::http::executor::{Executor, GraphqlRequest};

/// What is counted: as anybody counts it, by a query without a token.
const QUERY: &str = "{ sites { totalCount } qpvs { totalCount } actions { totalCount } }";
const COUNTED: [&str; 3] = ["sites", "qpvs", "actions"];

/// How long counts are shown before they are asked for again, and how long it is left after a failure.
const KEPT: Duration = Duration::from_mins(1);
const KEPT_FAILURE: Duration = Duration::from_secs(5);

/// The last counts, in the order of `COUNTED`; none if they could not be had.
#[derive(Default)]
pub(in crate::http) struct Counts(Mutex<Option<(Instant, Option<[u64; 3]>)>>);

/// The page.
pub(super) async fn page<E: Executor>(http: HttpRequest, endpoint: Data<Endpoint<E>>) -> impl Responder {
    let counts = counts(&endpoint, request_id(&http)).await;
    let mut html = include_str!("landing.html").to_owned();
    for (index, name) in COUNTED.into_iter().enumerate() {
        let text = counts.map_or_else(|| "—".to_owned(), |counts| grouped(counts[index]));
        html = html.replace(&format!("{{{name}}}"), &text);
    }
    File::of("text/html; charset=utf-8", &Content::text(html)).keep(MINUTE).policy(PAGE_POLICY).answer(&http)
}

/// Its style.
pub(super) async fn style(http: HttpRequest) -> impl Responder {
    File::of("text/css; charset=utf-8", &Content::text(include_str!("style.css"))).keep(DAY).answer(&http)
}

/// Asked once for all who wait for them.
async fn counts<E: Executor>(endpoint: &Endpoint<E>, request_id: String) -> Option<[u64; 3]> {
    let mut kept = endpoint.counts.0.lock().await;
    if let Some((until, counts)) = *kept
        && Instant::now() < until
    {
        return counts;
    }
    let counts = ask(&endpoint.executor, request_id).await;
    let lasts = if counts.is_some() { KEPT } else { KEPT_FAILURE };
    *kept = Some((Instant::now() + lasts, counts));
    counts
}

async fn ask<E: Executor>(executor: &E, request_id: String) -> Option<[u64; 3]> {
    let public = executor.authenticate(None).await.ok()?;
    let request = GraphqlRequest {
        query: Some(QUERY.to_owned()),
        document_id: None,
        operation_name: None,
        variables: Variables::default(),
        extensions: Map::new(),
        read_only: true,
        bytes: 0,
        request_id,
        address: None,
        is_ours: true,
    };
    let answer = executor.execute(request, public).await;
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let count = |name: &str| body["data"][name]["totalCount"].as_u64();
    Some([count(COUNTED[0])?, count(COUNTED[1])?, count(COUNTED[2])?])
}

/// As French groups digits: by three, with narrow spaces that do not break.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let gap = if index > 0 && (digits.len() - index).is_multiple_of(3) { "\u{202f}" } else { "" };
        let _ = write!(text, "{gap}{digit}");
    }
    text
}
