//! Fetching an issuer's JWK set: from its address, or where its metadata says.

use std::path::Path;

use reqwest::{Client, Url, redirect::Policy};
use serde::Deserialize;

use super::error::AuthSetupError;
use crate::{
    config::{is_fetchable, is_loopback},
    limits,
};

/// Why keys could not be fetched; for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    File(#[from] std::io::Error),
    #[error("answered status {0}")]
    Status(u16),
    #[error("answered more than {} bytes", limits::JWKS_BYTES)]
    TooLong,
    #[error("the answer is not a JWK set")]
    NoKeySet,
    #[error("the issuer's metadata is not for this issuer, or names no usable jwks_uri")]
    Metadata,
}

/// The address of an issuer's keys, known or to be discovered, and the client that asks it.
pub(super) struct KeyUrl {
    client: Client,
    place: Place,
}

enum Place {
    Keys(Url),
    Metadata { issuer: String, candidates: Vec<Url> },
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl KeyUrl {
    /// Keys at a given address.
    pub(super) fn direct(url: &str) -> Result<Self, AuthSetupError> {
        let url = parse(url)?;
        Ok(Self { client: client(&url)?, place: Place::Keys(url) })
    }

    /// Keys where the metadata of `issuer` says: OpenID Connect discovery first, then RFC 8414.
    pub(super) fn discovered(issuer: &str) -> Result<Self, AuthSetupError> {
        let url = parse(issuer)?;
        let path = url.path().trim_end_matches('/').to_owned();
        let at = |path: &str| {
            let mut at = url.clone();
            at.set_path(path);
            at
        };
        let candidates = vec![
            at(&format!("{path}/.well-known/openid-configuration")),
            at(&format!("/.well-known/oauth-authorization-server{path}")),
        ];
        Ok(Self { client: client(&url)?, place: Place::Metadata { issuer: issuer.to_owned(), candidates } })
    }

    /// The text of the JWK set.
    pub(super) async fn fetch(&self) -> Result<Vec<u8>, FetchError> {
        match &self.place {
            Place::Keys(url) => self.get(url).await,
            Place::Metadata { issuer, candidates } => {
                let url = self.discover(issuer, candidates).await?;
                self.get(&url).await
            }
        }
    }

    /// The first metadata document that is there; it must be the issuer's own (RFC 8414 section 3.3). An
    /// issuer that does not answer at one place is not asked at the next: callers wait for this.
    async fn discover(&self, issuer: &str, candidates: &[Url]) -> Result<Url, FetchError> {
        let mut refusal = FetchError::Metadata;
        for candidate in candidates {
            match self.get(candidate).await {
                Ok(text) => return jwks_uri(&text, issuer).ok_or(FetchError::Metadata),
                Err(error @ FetchError::Status(_)) => refusal = error,
                Err(error) => return Err(error),
            }
        }
        Err(refusal)
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, FetchError> {
        let mut answer = self.client.get(url.clone()).header("accept", "application/json").send().await?;
        if !answer.status().is_success() {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if text.len() + chunk.len() > limits::JWKS_BYTES {
                return Err(FetchError::TooLong);
            }
            text.extend_from_slice(&chunk);
        }
        Ok(text)
    }
}

/// The issuer is compared to the letter, so that one issuer's metadata cannot stand for another's.
fn jwks_uri(text: &[u8], issuer: &str) -> Option<Url> {
    let metadata: Metadata = serde_json::from_slice(text).ok()?;
    let is_usable = metadata.issuer == issuer && is_fetchable(&metadata.jwks_uri);
    is_usable.then(|| Url::parse(&metadata.jwks_uri).ok()).flatten()
}

fn parse(url: &str) -> Result<Url, AuthSetupError> {
    let usable = Some(url).filter(|url| is_fetchable(url)).and_then(|url| Url::parse(url).ok());
    usable.ok_or_else(|| AuthSetupError::Address(format!("{url}: expected https, or http on loopback")))
}

/// No redirects: keys come from the configured place or not at all. No proxy for a loopback address.
fn client(url: &Url) -> Result<Client, AuthSetupError> {
    let builder = Client::builder()
        .timeout(limits::JWKS_TIMEOUT)
        .redirect(Policy::none())
        .user_agent(concat!("cites/", env!("CARGO_PKG_VERSION")));
    let builder = if is_loopback(url) { builder.no_proxy() } else { builder };
    Ok(builder.build()?)
}

/// Reads a JWK set again from its file.
pub(super) async fn read_key_file(path: &Path) -> Result<Vec<u8>, FetchError> {
    Ok(tokio::fs::read(path).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_asks_where_both_standards_say() {
        let keys = KeyUrl::discovered("http://localhost:9/realms/cites").unwrap();
        let Place::Metadata { candidates, .. } = keys.place else { panic!("expected metadata") };
        let urls: Vec<_> = candidates.iter().map(Url::as_str).collect();
        assert_eq!(
            urls,
            [
                "http://localhost:9/realms/cites/.well-known/openid-configuration",
                "http://localhost:9/.well-known/oauth-authorization-server/realms/cites"
            ]
        );
    }

    #[test]
    fn metadata_of_another_issuer_or_with_a_plain_address_is_refused() {
        let metadata = |issuer: &str, uri: &str| format!(r#"{{"issuer":"{issuer}","jwks_uri":"{uri}"}}"#);
        let read = |text: String| jwks_uri(text.as_bytes(), "https://a.example").is_some();
        assert!(read(metadata("https://a.example", "https://keys.example/jwks")));
        assert!(!read(metadata("https://a.example/", "https://keys.example/jwks")));
        assert!(!read(metadata("https://a.example", "http://keys.example/jwks")));
    }
}
