//! The keys of one issuer, kept up to date: cached, refreshed in the background, and fetched again at most
//! once per interval when a token names a key that is not among them. A fetch that fails leaves the last
//! good keys in place; a key that is not among them may then be a new one.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{
    error::{AuthError, AuthSetupError},
    fetch::{FetchError, KeyUrl, read_key_file},
    keys::{Found, KeySet, VerifyKey},
};
use crate::{
    clock::Clock,
    config::{IssuerConfig, KeyLocation, SigningAlgorithm},
};

/// Where the keys of an issuer come from.
enum KeySource {
    /// The program itself: the development issuer.
    Fixed,
    File(std::path::PathBuf),
    Url(KeyUrl),
}

/// The keys of one issuer. Tokens whose key is known never wait.
pub(super) struct IssuerKeys {
    issuer: String,
    source: KeySource,
    current: RwLock<Option<Arc<KeySet>>>,
    /// The last fetch failed: there may be keys that are not known here.
    is_behind: AtomicBool,
    /// When keys were last asked for. Whoever holds the lock fetches; others wait for the result.
    last_fetch: Arc<Mutex<Option<DateTime<Utc>>>>,
    min_interval: TimeDelta,
    clock: Arc<dyn Clock>,
}

impl IssuerKeys {
    /// Keys that never change.
    pub(super) fn fixed(keys: KeySet, clock: Arc<dyn Clock>) -> Arc<Self> {
        Self::new("development", KeySource::Fixed, Some(keys), TimeDelta::zero(), clock)
    }

    /// The keys of a configured issuer; those of a file are read now.
    pub(super) fn configured(
        issuer: &IssuerConfig,
        min_interval_seconds: u32,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, AuthSetupError> {
        let interval = TimeDelta::seconds(i64::from(min_interval_seconds));
        let (source, keys) = match issuer.keys() {
            Some(KeyLocation::File(path)) => {
                (KeySource::File(path.to_owned()), Some(first_keys_of_file(path)?))
            }
            Some(KeyLocation::Url(url)) => (KeySource::Url(KeyUrl::direct(url)?), None),
            Some(KeyLocation::Discovery) => (KeySource::Url(KeyUrl::discovered(&issuer.issuer)?), None),
            None => return Err(AuthSetupError::Address("exactly one place of keys is expected".to_owned())),
        };
        Ok(Self::new(&issuer.issuer, source, keys, interval, clock))
    }

    fn new(
        issuer: &str,
        source: KeySource,
        keys: Option<KeySet>,
        min_interval: TimeDelta,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            issuer: issuer.to_owned(),
            source,
            current: RwLock::new(keys.map(Arc::new)),
            is_behind: AtomicBool::new(false),
            last_fetch: Arc::default(),
            min_interval,
            clock,
        })
    }

    /// Whether a key set was read, now or before.
    pub(super) fn is_loaded(&self) -> bool {
        self.current().is_some()
    }

    /// Whether these are the keys read last. Keys read anew are others, even if nothing changed.
    pub(super) fn are_current(&self, keys: &Arc<KeySet>) -> bool {
        self.current().is_some_and(|current| Arc::ptr_eq(&current, keys))
    }

    /// The keys that may have signed a token with this key id and algorithm; one or more.
    pub(super) async fn candidates(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: SigningAlgorithm,
    ) -> Result<Candidates, AuthError> {
        let known = self.current();
        let is_missing = known.as_ref().is_none_or(|set| matches!(set.find(id, algorithm), Found::Unknown));
        let set = if is_missing { self.fetch_if_due(known).await } else { known };
        let set = set.ok_or(AuthError::KeysUnavailable)?;
        match set.find(id, algorithm) {
            Found::Keys(_) => {}
            Found::OtherAlgorithm => return Err(AuthError::Invalid("its key is not for its algorithm")),
            Found::IdNeeded => return Err(AuthError::Invalid("the header 'kid' must name a key")),
            Found::Unknown if self.is_behind.load(Ordering::Relaxed) => {
                return Err(AuthError::KeysUnavailable);
            }
            Found::Unknown => return Err(AuthError::Invalid("its key is not one of its issuer")),
        }
        Ok(Candidates { set, id: id.map(str::to_owned), algorithm })
    }

    /// Fetches now, as the background task does.
    pub(super) async fn refresh(self: &Arc<Self>) {
        let mut last_fetch = self.last_fetch.lock().await;
        *last_fetch = Some(self.clock.now());
        self.fetch().await;
    }

    /// Fetches unless somebody just did, and returns the keys then known. Concurrent callers share one
    /// fetch; it runs as its own task, so a caller who hangs up does not waste the interval.
    async fn fetch_if_due(self: &Arc<Self>, seen: Option<Arc<KeySet>>) -> Option<Arc<KeySet>> {
        let last_fetch = Arc::clone(&self.last_fetch).lock_owned().await;
        let now = self.current();
        let is_same = now.as_ref().map(Arc::as_ptr) == seen.as_ref().map(Arc::as_ptr);
        if is_same && self.is_due(*last_fetch) {
            let task = tokio::spawn(Arc::clone(self).fetch_holding(last_fetch));
            if task.await.is_err() {
                tracing::error!(issuer = self.issuer, "the task that fetches keys ended early");
            }
        }
        self.current()
    }

    async fn fetch_holding(self: Arc<Self>, mut last_fetch: OwnedMutexGuard<Option<DateTime<Utc>>>) {
        *last_fetch = Some(self.clock.now());
        self.fetch().await;
    }

    /// A clock that was set back must not stop fetches: a last fetch in the future counts as none.
    fn is_due(&self, last_fetch: Option<DateTime<Utc>>) -> bool {
        let now = self.clock.now();
        last_fetch.is_none_or(|last| now - last >= self.min_interval || last > now)
    }

    async fn fetch(&self) {
        let fetched = self.fetch_set().await;
        self.is_behind.store(fetched.is_err(), Ordering::Relaxed);
        match fetched {
            Ok(None) => {}
            Ok(Some(set)) => {
                if set.is_empty() {
                    tracing::warn!(issuer = self.issuer, "the issuer publishes no key that can be used here");
                }
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(set));
            }
            Err(error) => tracing::warn!(
                issuer = self.issuer,
                error = &error as &(dyn std::error::Error + 'static),
                "the issuer's keys cannot be fetched, the last good ones stay"
            ),
        }
    }

    async fn fetch_set(&self) -> Result<Option<KeySet>, FetchError> {
        let text = match &self.source {
            KeySource::Fixed => return Ok(None),
            KeySource::File(path) => read_key_file(path).await?,
            KeySource::Url(url) => url.fetch().await?,
        };
        KeySet::parse(&text).map(Some).ok_or(FetchError::NoKeySet)
    }

    fn current(&self) -> Option<Arc<KeySet>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Keys of one set that fit a token's key id and algorithm.
pub(super) struct Candidates {
    set: Arc<KeySet>,
    id: Option<String>,
    algorithm: SigningAlgorithm,
}

impl Candidates {
    /// The keys to try.
    pub(super) fn iter(&self) -> impl Iterator<Item = &VerifyKey> {
        match self.set.find(self.id.as_deref(), self.algorithm) {
            Found::Keys(keys) => keys.into_iter(),
            _ => Vec::new().into_iter(),
        }
    }

    /// The set they are of.
    pub(super) fn into_set(self) -> Arc<KeySet> {
        self.set
    }
}

/// A file given by the operator must be right from the start.
fn first_keys_of_file(path: &std::path::Path) -> Result<KeySet, AuthSetupError> {
    let text =
        std::fs::read(path).map_err(|source| AuthSetupError::File { path: path.to_owned(), source })?;
    KeySet::parse(&text).filter(|set| !set.is_empty()).ok_or_else(|| AuthSetupError::KeyFile {
        path: path.to_owned(),
        problem:
            "expected a JWK set {\"keys\": […]} with an ES256 (P-256), RS256 (2048 bits or more) or Ed25519 \
                  public key"
                .to_owned(),
    })
}
