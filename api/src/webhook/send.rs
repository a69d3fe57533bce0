//! One delivery: the change as JSON, signed as Standard Webhooks says, posted within its time.

use std::error::Error;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};

use super::address::{NotAllowed, PublicNames, is_usable};
use crate::limits;

/// What every secret begins with.
const SECRET: &str = "whsec_";

/// Posts deliveries.
#[derive(Clone, Debug)]
pub(super) struct Post {
    client: Client,
    allow_loopback: bool,
}

/// Why a delivery was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untaken {
    /// The receiver answered something else than 2xx.
    Status(StatusCode),
    /// It did not answer in time.
    Timeout,
    /// It could not be reached.
    Unreachable,
    /// Its address is none that may be reached.
    NotAllowed,
}

impl Untaken {
    /// The same without the status, for metrics.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::NotAllowed => "not_allowed",
        }
    }

    /// The code that the owner sees.
    pub fn code(self) -> String {
        match self {
            Self::Status(status) => format!("HTTP_{}", status.as_u16()),
            Self::Timeout => "TIMEOUT".to_owned(),
            Self::Unreachable => "UNREACHABLE".to_owned(),
            Self::NotAllowed => "ADDRESS_NOT_ALLOWED".to_owned(),
        }
    }
}

impl Post {
    /// Without redirects or proxy: an address is what was checked, or nothing.
    pub fn new(allow_loopback: bool) -> reqwest::Result<Self> {
        let client = Client::builder()
            .dns_resolver(PublicNames { allow_loopback })
            .redirect(Policy::none())
            .no_proxy()
            .timeout(limits::WEBHOOK_TIMEOUT)
            .user_agent(concat!("cites/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, allow_loopback })
    }

    /// Posts a body under an id; what the receiver says beside its status is not read.
    pub async fn send(
        &self,
        url: &str,
        secret: &str,
        id: &str,
        at: DateTime<Utc>,
        body: String,
    ) -> Result<(), Untaken> {
        // the client takes an address in a URL without resolving it
        if !is_usable(url, self.allow_loopback) {
            return Err(Untaken::NotAllowed);
        }
        let timestamp = at.timestamp();
        let signature = sign(secret, id, timestamp, &body).ok_or(Untaken::NotAllowed)?;
        let request = self.client.post(url).header("content-type", "application/json");
        let request = request.header("webhook-id", id).header("webhook-timestamp", timestamp.to_string());
        match request.header("webhook-signature", signature).body(body).send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(Untaken::Status(answer.status())),
            Err(error) if error.is_timeout() => Err(Untaken::Timeout),
            Err(error) if is_refused(&error) => Err(Untaken::NotAllowed),
            Err(_) => Err(Untaken::Unreachable),
        }
    }
}

/// Whether our own resolver said no.
fn is_refused(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<NotAllowed>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// A new secret: 32 bytes that nobody can guess.
pub(super) fn new_secret() -> String {
    format!("{SECRET}{}", STANDARD.encode(rand::random::<[u8; 32]>()))
}

/// `v1,` and the HMAC of id, time and body.
fn sign(secret: &str, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(SECRET)?).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_signed_as_the_specification_s_example_is() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signature =
            sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[tokio::test]
    async fn no_address_of_ours_is_posted_to() {
        let post = Post::new(false).unwrap();
        for url in ["http://127.0.0.1:9/", "https://localhost/", "https://10.0.0.1/", "http://example.fr/"] {
            let sent = post.send(url, &new_secret(), "id", DateTime::UNIX_EPOCH, String::new()).await;
            assert_eq!(sent, Err(Untaken::NotAllowed), "{url}");
        }
    }
}
