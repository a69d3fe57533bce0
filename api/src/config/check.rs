//! Rules on values that a type alone does not express: ranges, forms, choices that exclude each other.

use std::{collections::BTreeSet, ops::RangeInclusive};

use tracing_subscriber::EnvFilter;

use super::{AuthConfig, Config, IssuerConfig, KeyLocation, is_fetchable, is_origin};
use crate::auth::Role;
use crate::limits;

/// A rule that a value breaks: the key, and what is expected of it.
pub(super) struct Broken {
    pub(super) key: String,
    pub(super) expected: String,
}

fn ensure(holds: bool, key: &str, expected: &str) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken { key: key.to_owned(), expected: format!("expected {expected}") }) }
}

fn in_range(value: u64, range: &RangeInclusive<u64>, key: &str) -> Result<(), Broken> {
    let expected = format!("a number from {} to {}", range.start(), range.end());
    ensure(range.contains(&value), key, &expected)
}

fn is_collector(address: &str) -> bool {
    let url = reqwest::Url::parse(address);
    url.is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
    })
}

impl Config {
    pub(super) fn check(&self) -> Result<(), Broken> {
        in_range(self.server.workers as u64, &(0..=1024), "server.workers")?;
        in_range(self.server.drain_ms, &(0..=300_000), "server.drain_ms")?;
        in_range(self.server.stop_timeout_s, &(1..=600), "server.stop_timeout_s")?;
        in_range(self.live.max_streams as u64, &(0..=1_000_000), "live.max_streams")?;
        in_range(self.live.init_timeout_ms, &(1..=600_000), "live.init_timeout_ms")?;
        in_range(self.live.stall_timeout_ms, &(1..=600_000), "live.stall_timeout_ms")?;
        for (index, origin) in self.server.cors_origins.iter().enumerate() {
            let expected = "an origin such as https://carte.example.fr, without path, or *";
            ensure(origin == "*" || is_origin(origin), &format!("server.cors_origins[{index}]"), expected)?;
        }
        let contact = &self.server.security_contact;
        let is_uri = ["mailto:", "https://", "tel:"].iter().any(|scheme| contact.starts_with(scheme));
        let expected = "mailto:…, https://… or tel:…, or nothing";
        ensure(
            contact.is_empty() || (is_uri && !contact.contains(char::is_whitespace)),
            "server.security_contact",
            expected,
        )?;
        self.check_database()?;
        self.auth.check()?;
        self.check_documents()?;
        self.check_limits()?;
        let collector = &self.telemetry.otlp_endpoint;
        let expected = "an address such as http://collector:4318, without credentials, or nothing";
        ensure(collector.is_empty() || is_collector(collector), "telemetry.otlp_endpoint", expected)?;
        let ratio = "a number from 0 to 1";
        ensure((0.0..=1.0).contains(&self.telemetry.trace_ratio), "telemetry.trace_ratio", ratio)?;
        let level = EnvFilter::builder().parse(&self.log.level);
        let expected = "error, warn, info, debug, trace, or directives such as info,cites=debug";
        ensure(level.is_ok() && !self.log.level.trim().is_empty(), "log.level", expected)
    }

    fn check_documents(&self) -> Result<(), Broken> {
        let key = "documents.only_trusted_for";
        let (roles, manifest) = (&self.documents.only_trusted_for, &self.documents.manifest);
        let names = Role::ALL.map(Role::name).join(", ");
        for (index, role) in roles.iter().enumerate() {
            ensure(Role::from_name(role).is_some(), &format!("{key}[{index}]"), &format!("one of {names}"))?;
        }
        ensure(roles.is_empty() || !manifest.is_empty(), key, "a documents.manifest that holds what they run")
    }

    fn check_limits(&self) -> Result<(), Broken> {
        let needed = "false, or a database.url of PostgreSQL: an embedded database has one instance";
        ensure(!(self.limits.shared && self.database.is_sqlite()), "limits.shared", needed)?;
        for role in Role::ALL {
            let (key, allowance) = (format!("limits.{}", role.name()), self.limits.allowance(role));
            in_range(allowance.operation, &(1..=1_000_000_000), &format!("{key}.operation"))?;
            in_range(allowance.restore_rate, &(1..=1_000_000_000), &format!("{key}.restore_rate"))?;
            let holds_one = (allowance.operation..=1_000_000_000).contains(&allowance.bucket);
            ensure(holds_one, &key, "a bucket that holds one operation, 1000000000 points at most")?;
            in_range(allowance.answer as u64, &(1_024..=1_073_741_824), &format!("{key}.answer"))?;
            let deepest = limits::NESTING as u64 / 2;
            in_range(allowance.document.depth as u64, &(1..=deepest), &format!("{key}.depth"))?;
        }
        Ok(())
    }

    fn check_database(&self) -> Result<(), Broken> {
        let database = &self.database;
        let known = ["sqlite:", "postgres://", "postgresql://"];
        let is_known = known.iter().any(|scheme| database.url.expose().starts_with(scheme));
        ensure(is_known, "database.url", "sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE")?;
        in_range(u64::from(database.max_connections), &(1..=1000), "database.max_connections")?;
        in_range(database.acquire_timeout_ms, &(1..=60_000), "database.acquire_timeout_ms")?;
        in_range(database.request_timeout_ms, &(100..=600_000), "database.request_timeout_ms")?;
        let replica = database.replica_url.expose();
        let is_server = known[1..].iter().any(|scheme| replica.starts_with(scheme));
        let expected =
            "postgres://USER:PASSWORD@HOST/DATABASE of a standby of the server of database.url, or nothing";
        ensure(replica.is_empty() || (is_server && !database.is_sqlite()), "database.replica_url", expected)?;
        in_range(database.replica_max_lag_ms, &(500..=600_000), "database.replica_max_lag_ms")
    }
}

impl AuthConfig {
    fn check(&self) -> Result<(), Broken> {
        ensure(!self.audience.trim().is_empty(), "auth.audience", "a text that is not empty")?;
        in_range(u64::from(self.leeway_seconds), &(0..=60), "auth.leeway_seconds")?;
        ensure(!self.algorithms.is_empty(), "auth.algorithms", "one or more of ES256, RS256, EdDSA")?;
        ensure(!self.accepted_typ.is_empty(), "auth.accepted_typ", "one or more values, such as at+jwt")?;
        in_range(self.jwks_refresh_seconds, &(10..=86_400), "auth.jwks_refresh_seconds")?;
        in_range(u64::from(self.jwks_min_interval_seconds), &(1..=3_600), "auth.jwks_min_interval_seconds")?;
        let token = 256..=limits::TOKEN_BYTES as u64;
        in_range(self.max_token_bytes as u64, &token, "auth.max_token_bytes")?;
        let mut seen = BTreeSet::new();
        for (index, issuer) in self.issuers.iter().enumerate() {
            let key = format!("auth.issuers[{index}]");
            issuer.check(&key)?;
            ensure(seen.insert(&issuer.issuer), &format!("{key}.issuer"), "an issuer not named before")?;
        }
        Ok(())
    }
}

impl IssuerConfig {
    fn check(&self, key: &str) -> Result<(), Broken> {
        ensure(!self.issuer.is_empty(), &format!("{key}.issuer"), "a text that is not empty")?;
        let reachable = "an https address, or http on a loopback address";
        match self.keys() {
            None => ensure(false, key, "exactly one of jwks_file, jwks_url and discovery = true"),
            Some(KeyLocation::File(_)) => Ok(()),
            Some(KeyLocation::Url(url)) => ensure(is_fetchable(url), &format!("{key}.jwks_url"), reachable),
            Some(KeyLocation::Discovery) => {
                ensure(is_fetchable(&self.issuer), &format!("{key}.issuer"), reachable)
            }
        }
    }
}
