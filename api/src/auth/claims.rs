//! The claims of a token whose signature is verified, read into an [`Actor`]. Each must be there and be of
//! its JSON type: a wrong type is refused, never converted.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::{
    actor::{Actor, Role, Scope},
    codes::{is_departement, is_siren, is_source_system},
    error::AuthError,
};
use crate::config::ClaimPaths;

/// Longest `sub`, `client_id` and `jti`: they are stored in the audit trail.
const NAME_BYTES: usize = 255;

/// What claims are checked against.
pub(super) struct ClaimRules<'a> {
    pub(super) audience: &'a str,
    pub(super) leeway_seconds: u32,
    pub(super) now: DateTime<Utc>,
    pub(super) paths: &'a ClaimPaths,
}

type Claims = Map<String, Value>;

impl ClaimRules<'_> {
    /// The actor that these claims describe.
    pub(super) fn read(&self, claims: &Claims) -> Result<Actor, AuthError> {
        self.check_audience(claims)?;
        let expires_at = self.check_dates(claims)?;
        let paths = self.paths;
        let client_id = at(claims, &paths.client_id);
        let role = self.role(claims)?;
        let source = self.source(claims, role)?;
        Ok(Actor {
            role,
            sub: Some(name(claims.get("sub"), "the claim 'sub' must be a text of 1 to 255 bytes")?),
            client_id: Some(name(
                client_id,
                "the claim 'client_id' or 'azp' must be a text of 1 to 255 bytes",
            )?),
            jti: Some(name(claims.get("jti"), "the claim 'jti' must be a text of 1 to 255 bytes")?),
            departements: codes(
                at(claims, &paths.departements),
                is_departement,
                "the claim 'departements' must be a list of departement codes",
            )?,
            sirens: codes(
                at(claims, &paths.sirens),
                is_siren,
                "the claim 'sirens' must be a list of SIREN numbers",
            )?,
            source,
            scopes: scopes(at(claims, &paths.scope))?,
            // as the dates were checked, it is none or an instant
            issued_at: claims.get("iat").and_then(instant),
            expires_at: Some(expires_at),
        })
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), AuthError> {
        let is_us = match claims.get("aud") {
            Some(Value::String(one)) => one == self.audience,
            Some(Value::Array(all)) => {
                all.iter().all(Value::is_string) && all.iter().any(|one| one == self.audience)
            }
            _ => false,
        };
        if is_us { Ok(()) } else { Err(AuthError::Invalid("the claim 'aud' must name this API")) }
    }

    /// Checks `exp`, and `nbf` and `iat` where they are given; says until when the token is taken.
    fn check_dates(&self, claims: &Claims) -> Result<DateTime<Utc>, AuthError> {
        let leeway = TimeDelta::seconds(i64::from(self.leeway_seconds));
        let exp = claims.get("exp").and_then(instant);
        let exp = exp.ok_or(AuthError::Invalid("the claim 'exp' must be a number of seconds"))?;
        let starts = [
            (
                "nbf",
                AuthError::Invalid("the claim 'nbf' must be a number of seconds that is not in the future"),
            ),
            (
                "iat",
                AuthError::Invalid("the claim 'iat' must be a number of seconds that is not in the future"),
            ),
        ];
        for (name, refusal) in starts {
            if let Some(start) = claims.get(name) {
                let is_past = instant(start).is_some_and(|start| start - leeway <= self.now);
                is_past.then_some(()).ok_or(refusal)?;
            }
        }
        // RFC 7519: not accepted on or after `exp`.
        if self.now < exp + leeway { Ok(exp + leeway) } else { Err(AuthError::Expired) }
    }

    /// Exactly one product role; the names of other products are ignored, as is `public`, which is what a
    /// caller without a token is.
    fn role(&self, claims: &Claims) -> Result<Role, AuthError> {
        let names = texts(at(claims, &self.paths.roles))
            .ok_or(AuthError::Invalid("the claim 'roles' must be a list of texts"))?;
        let mut roles: Vec<_> = names.into_iter().filter_map(Role::from_name).collect();
        roles.retain(|role| *role != Role::Public);
        roles.sort();
        roles.dedup();
        match roles[..] {
            [role] => Ok(role),
            _ => Err(AuthError::Invalid("it must hold exactly one role of this API")),
        }
    }

    fn source(&self, claims: &Claims, role: Role) -> Result<Option<String>, AuthError> {
        match at(claims, &self.paths.source) {
            None if role == Role::PartnerSystem => {
                Err(AuthError::Invalid("a partner system's token must name its 'source'"))
            }
            None => Ok(None),
            Some(Value::String(source)) if is_source_system(source) => Ok(Some(source.clone())),
            Some(_) => Err(AuthError::Invalid("the claim 'source' must be the name of a source system")),
        }
    }
}

/// The claim at the first of `paths` that is present.
fn at<'a>(claims: &'a Claims, paths: &[String]) -> Option<&'a Value> {
    paths.iter().find_map(|path| {
        claims.get(path.as_str()).or_else(|| {
            let (first, rest) = path.split_once('.')?;
            rest.split('.').try_fold(claims.get(first)?, |value, member| value.get(member))
        })
    })
}

fn name(claim: Option<&Value>, refusal: &'static str) -> Result<String, AuthError> {
    match claim {
        Some(Value::String(text))
            if (1..=NAME_BYTES).contains(&text.len()) && !text.contains(char::is_control) =>
        {
            Ok(text.clone())
        }
        _ => Err(AuthError::Invalid(refusal)),
    }
}

/// A list of texts; no claim is an empty list.
fn texts(claim: Option<&Value>) -> Option<Vec<&str>> {
    match claim {
        None => Some(Vec::new()),
        Some(Value::Array(items)) => items.iter().map(Value::as_str).collect(),
        Some(_) => None,
    }
}

fn codes(
    claim: Option<&Value>,
    is_code: fn(&str) -> bool,
    refusal: &'static str,
) -> Result<Vec<String>, AuthError> {
    let texts = texts(claim).filter(|texts| texts.iter().all(|text| is_code(text)));
    let texts = texts.ok_or(AuthError::Invalid(refusal))?;
    let mut codes: Vec<_> = texts.into_iter().map(str::to_owned).collect();
    codes.sort();
    codes.dedup();
    Ok(codes)
}

/// Scopes of other products are ignored.
fn scopes(claim: Option<&Value>) -> Result<Vec<Scope>, AuthError> {
    let names = match claim {
        Some(Value::String(text)) => Some(text.split_ascii_whitespace().collect()),
        other => texts(other),
    };
    let names = names.ok_or(AuthError::Invalid("the claim 'scope' must be a text or a list of texts"))?;
    let mut scopes: Vec<_> = names.into_iter().filter_map(Scope::from_name).collect();
    scopes.sort();
    scopes.dedup();
    Ok(scopes)
}

/// A `NumericDate`: seconds since 1970, whole or not (RFC 7519). Out of the calendar's range is no date.
fn instant(claim: &Value) -> Option<DateTime<Utc>> {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked, and a fraction is dropped")]
    let from_float = |seconds: f64| (seconds.abs() < 1e12).then_some(seconds.floor() as i64);
    let seconds = claim.as_i64().or_else(|| claim.as_f64().and_then(from_float))?;
    // Years after 9999 or long before 1970 are mistakes, and would overflow when the leeway is added.
    (0..=253_402_300_799).contains(&seconds).then(|| DateTime::from_timestamp(seconds, 0)).flatten()
}
