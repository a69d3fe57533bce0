//! Who is calling: an access token (RFC 9068) becomes an [`Actor`], once per request. No rule about what an
//! actor may do is here.
//!
//! In order: the header's form, the token's size and JOSE header, the issuer's own keys, the signature, and
//! only then the claims, each checked by our own code on the decoded payload. A token that was good is known
//! for its next requests. Last, each time: it must not be revoked.

mod actor;
mod claims;
mod codes;
pub mod dev;
mod error;
mod fetch;
mod jwks;
mod keys;
mod known;
mod revoked;
mod strict_json;
#[cfg(test)]
mod tests;
mod token;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::task::{JoinHandle, JoinSet};

pub use self::{
    actor::{Actor, Role, Scope},
    codes::is_source_system,
    error::{AuthError, AuthSetupError},
    revoked::{Revocations, Revoked},
};
use self::{
    claims::ClaimRules,
    dev::DevIssuer,
    jwks::IssuerKeys,
    known::{Known, KnownTokens},
    token::{Token, TokenRules},
};
use crate::{
    clock::Clock,
    config::{AuthConfig, ClaimPaths, Config},
};

/// Turns the Authorization header of a request into an [`Actor`]. One for the whole process.
pub struct Authenticator {
    token_rules: TokenRules,
    audience: String,
    leeway_seconds: u32,
    refresh_every: Duration,
    issuers: Vec<Issuer>,
    known: KnownTokens,
    revocations: Revocations,
    clock: Arc<dyn Clock>,
}

/// An issuer whose tokens are accepted, with its keys and the places of its claims.
struct Issuer {
    name: String,
    claims: ClaimPaths,
    keys: Arc<IssuerKeys>,
}

impl Authenticator {
    /// Prepares the configured issuers. Key files are read here and must hold a usable key; addresses are
    /// first asked by [`Authenticator::spawn_refresh`] or the first token, so a dead issuer does not stop
    /// the start-up. `dev` adds the development issuer; give it only when [`dev::is_accepted`] says so.
    pub fn new(
        config: &AuthConfig,
        dev: Option<&DevIssuer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AuthSetupError> {
        let mut issuers = Vec::new();
        for issuer in &config.issuers {
            let keys = IssuerKeys::configured(issuer, config.jwks_min_interval_seconds, clock.clone())?;
            issuers.push(Issuer { name: issuer.issuer.clone(), claims: issuer.claims.clone(), keys });
        }
        if let Some(dev) = dev {
            let keys = IssuerKeys::fixed(dev.key_set()?, clock.clone());
            issuers.push(Issuer { name: dev::ISSUER.to_owned(), claims: ClaimPaths::default(), keys });
        }
        Ok(Self {
            token_rules: TokenRules::new(config),
            audience: config.audience.clone(),
            leeway_seconds: config.leeway_seconds,
            refresh_every: Duration::from_secs(config.jwks_refresh_seconds),
            issuers,
            known: KnownTokens::new(),
            revocations: Revocations::default(),
            clock,
        })
    }

    /// The actor of a request, from its one Authorization header. No header is the public; anything that is
    /// there and not good is an error, never the public. A request with two such headers must be refused by
    /// the caller with [`AuthError::Unauthenticated`].
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Actor, AuthError> {
        let Some(authorization) = authorization else { return Ok(Actor::public()) };
        let text = bearer(authorization)?;
        let now = self.clock.now();
        let actor = match self.known.get(text, now) {
            Some(actor) => actor,
            None => self.check(text, now).await?,
        };
        if self.revocations.name(&actor) { Err(AuthError::Revoked) } else { Ok(actor) }
    }

    /// The revoked tokens that are refused here. Somebody else keeps the list up to date.
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    async fn check(&self, text: &str, now: DateTime<Utc>) -> Result<Actor, AuthError> {
        let token = Token::parse(text, &self.token_rules)?;
        let issuer = self.issuer_of(&token)?;
        let keys = issuer.keys.candidates(token.key_id(), token.algorithm()).await?;
        if !keys.iter().any(|key| key.verifies(token.signature(), token.signed_bytes())) {
            return Err(AuthError::Invalid("its signature is not the issuer's"));
        }
        let (audience, leeway_seconds, paths) = (&self.audience, self.leeway_seconds, &issuer.claims);
        let actor = ClaimRules { audience, leeway_seconds, now, paths }.read(token.payload())?;
        let (issuer, keys) = (Arc::clone(&issuer.keys), keys.into_set());
        self.known.put(text, Known { actor: actor.clone(), issuer, keys, at: now });
        Ok(actor)
    }

    /// Fetches the keys of every issuer now. A failure is logged, and the last good keys stay.
    pub async fn refresh_keys(&self) {
        let keys = self.issuers.iter().map(|issuer| Arc::clone(&issuer.keys));
        // Side by side: an issuer that does not answer must not hold up the others.
        let fetches: JoinSet<()> = keys.map(|keys| async move { keys.refresh().await }).collect();
        fetches.join_all().await;
    }

    /// Refreshes the keys at once and then at every period, until the handle is aborted.
    pub fn spawn_refresh(self: &Arc<Self>) -> JoinHandle<()> {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                this.refresh_keys().await;
                tokio::time::sleep(this.refresh_every).await;
            }
        })
    }

    /// The issuers without any key so far: their tokens cannot be checked yet.
    pub fn issuers_without_keys(&self) -> Vec<&str> {
        let is_empty = |issuer: &&Issuer| !issuer.keys.is_loaded();
        self.issuers.iter().filter(is_empty).map(|issuer| issuer.name.as_str()).collect()
    }

    /// The payload is not trusted here: its `iss` only chooses whose keys must have signed it.
    fn issuer_of(&self, token: &Token<'_>) -> Result<&Issuer, AuthError> {
        let name = token.payload().get("iss").and_then(serde_json::Value::as_str);
        let name = name.ok_or(AuthError::Invalid("the claim 'iss' must be a text"))?;
        let unknown = AuthError::Invalid("its issuer is not accepted here");
        self.issuers.iter().find(|issuer| issuer.name == name).ok_or(unknown)
    }
}

/// The token of `Bearer TOKEN`; the scheme is compared without case (RFC 9110).
fn bearer(authorization: &str) -> Result<&str, AuthError> {
    let (scheme, rest) = authorization.trim().split_once(' ').ok_or(AuthError::Unauthenticated)?;
    let token = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(char::is_whitespace) {
        Ok(token)
    } else {
        Err(AuthError::Unauthenticated)
    }
}

/// Prepares the authenticator that `config` describes, opening (or making) the development key where
/// development tokens are accepted.
pub fn from_config(config: &Config, clock: Arc<dyn Clock>) -> Result<Authenticator, AuthSetupError> {
    let open = || DevIssuer::open(&dev::key_path(&config.database), &config.auth.audience);
    let dev = dev::is_accepted(config).then(open).transpose()?;
    Authenticator::new(&config.auth, dev.as_ref(), clock)
}
