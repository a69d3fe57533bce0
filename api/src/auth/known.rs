//! Tokens that were found good, so that a client's next requests with the same token skip the signature, which
//! costs more than the rest of a small request. Refused tokens are not kept: they are checked each time.

use std::sync::Arc;

use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;

use super::{actor::Actor, jwks::IssuerKeys, keys::KeySet};
use crate::limits;

/// SHA-256 of a token: the cache holds nothing that could be sent as one.
type Digest = [u8; digest::SHA256_OUTPUT_LEN];

/// A bounded number of good tokens.
pub(super) struct KnownTokens(Cache<Digest, Known>);

/// What a token was found to say, and what that rested on.
#[derive(Clone)]
pub(super) struct Known {
    /// Whom it stands for.
    pub(super) actor: Actor,
    /// The keys of its issuer.
    pub(super) issuer: Arc<IssuerKeys>,
    /// Those of them that were current when its signature was checked.
    pub(super) keys: Arc<KeySet>,
    /// When it was checked.
    pub(super) at: DateTime<Utc>,
}

impl KnownTokens {
    pub(super) fn new() -> Self {
        Self(Cache::new(limits::KNOWN_TOKENS))
    }

    /// The actor of a token that was found good and still is: its issuer's keys have not been read anew, it has
    /// not ended, and the clock was not set back before what was checked.
    pub(super) fn get(&self, token: &str, now: DateTime<Utc>) -> Option<Actor> {
        let known = self.0.get(&digest_of(token))?;
        let is_alive = known.actor.expires_at.is_some_and(|end| now < end) && known.at <= now;
        (is_alive && known.issuer.are_current(&known.keys)).then_some(known.actor)
    }

    /// Keeps a token that was found good.
    pub(super) fn put(&self, token: &str, known: Known) {
        self.0.insert(digest_of(token), known);
    }
}

fn digest_of(token: &str) -> Digest {
    let mut bytes = Digest::default();
    bytes.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    bytes
}
