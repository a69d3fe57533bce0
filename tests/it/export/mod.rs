//! Lists taken out as files, read back by the libraries that users read them with.

mod caching;
mod csv_files;
mod formats;
mod records;
mod refusals;
mod streams;

use reqwest::header::HeaderMap;
use serde_json::Value;
use tests::{Persona, TestApp};

/// A file that was downloaded whole.
pub struct Download {
    /// HTTP status.
    pub status: u16,
    /// HTTP headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: bytes::Bytes,
}

impl Download {
    /// The body as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("UTF-8")
    }

    /// The body of a refusal.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    /// A header as text; absent is empty.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Asks for a file; the answer is on its way.
pub async fn ask(
    app: &TestApp,
    persona: &Persona<'_>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> reqwest::Response {
    let url = format!("http://{}/export/{path}", app.address);
    let method = method.parse().expect("a method");
    let mut request = reqwest::Client::new().request(method, url);
    if let Some(authorization) = persona.authorization() {
        request = request.header("authorization", authorization);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

/// Downloads a file.
pub async fn get(app: &TestApp, persona: &Persona<'_>, path: &str, headers: &[(&str, &str)]) -> Download {
    let response = ask(app, persona, "GET", path, headers).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Download { status, headers, bytes: response.bytes().await.expect("it is whole") }
}

/// Downloads a file that must be there.
pub async fn file(app: &TestApp, persona: &Persona<'_>, path: &str) -> Download {
    let download = get(app, persona, path, &[]).await;
    assert_eq!(download.status, 200, "{path}: {}", String::from_utf8_lossy(&download.bytes));
    download
}

/// A filter in a path.
pub fn filtered(name: &str, filter: &Value) -> String {
    let query = [("filter", filter.to_string())];
    let url = reqwest::Url::parse_with_params(&format!("http://files/{name}"), query).expect("a path");
    format!("{name}?{}", url.query().expect("a filter"))
}
