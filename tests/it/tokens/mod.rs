//! Tokens of a real provider, and tokens that are revoked.

mod provider;
mod revocation;
mod under_way;

pub use revocation::revoke_client;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tests::TestApp;

/// What a token says, unverified.
pub fn claims(authorization: &str) -> Value {
    let payload = authorization.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

/// Status and code of what a token gets.
async fn gets(app: &TestApp, authorization: &str) -> (u16, String) {
    let answer = app.post(Some(authorization), &json!({ "query": "{ viewer { role } }" })).await;
    let code = &answer.body["errors"][0]["extensions"]["code"];
    (answer.status, code.as_str().unwrap_or_default().to_owned())
}

fn good() -> (u16, String) {
    (200, String::new())
}
