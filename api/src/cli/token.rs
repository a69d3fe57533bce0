//! `cites token`: a development token, signed with the key that the local server trusts.

use std::{path::Path, time::Duration};

use async_graphql::Value;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::UsageError;
use crate::{
    auth::{
        Role, Scope,
        dev::{self, DevClaims, DevIssuer},
        is_source_system,
    },
    clock::Clock,
    config::Config,
    graphql::scalars::{Parsed, Scalar},
    limits,
};

/// Print an access token for development
///
/// The local server accepts it as long as it listens on a loopback address and no issuer is configured. The
/// key is made at first use, beside the database. The token alone goes to standard output.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  cites token --role anct\n  cites token --role prefecture --departements 69 38\n  \
                        cites token --role collectivite --sirens 200046977\n  \
                        cites token --role partner_system --source FRANCE_TRAVAIL --sites cde-024,cde-026\n\n\
                        Use it:\n  curl -H \"Authorization: Bearer $(cites token --role anct)\" \
                        -H 'Content-Type: application/json' \\\n    \
                        -d '{\"query\":\"{ viewer { role } }\"}' http://127.0.0.1:8080/graphql"
)]
pub struct TokenArgs {
    /// Whose token: anct sees all, the others what the flags below give them
    #[arg(long, value_parser = role_parser())]
    pub role: Role,
    /// Département codes of a prefecture
    #[arg(long, value_name = "CODE", value_delimiter = ',', num_args = 1.., value_parser = departement)]
    pub departements: Vec<String>,
    /// SIREN numbers of a collectivite
    #[arg(long, value_name = "SIREN", value_delimiter = ',', num_args = 1.., value_parser = siren)]
    pub sirens: Vec<String>,
    /// The source system of a `partner_system` (or of another client that syncs), such as `FRANCE_TRAVAIL`
    #[arg(long, value_name = "SYSTEM", value_parser = source_system)]
    pub source: Option<String>,
    /// The sites granted to a `partner_system`: codes, or all
    #[arg(long, value_name = "CODE", value_delimiter = ',', num_args = 1.., value_parser = site)]
    pub sites: Vec<String>,
    /// What the token is for: read, write, referents, import, admin [default: all that the role can use]
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', num_args = 1.., value_parser = scope)]
    pub scopes: Vec<Scope>,
    /// How long it lives: a number and s, m, h or d, up to 30d
    #[arg(long, default_value = "12h", value_parser = ttl)]
    pub ttl: Duration,
    /// The person or service it stands for [default: dev-ROLE]
    #[arg(long, value_parser = name)]
    pub sub: Option<String>,
    /// The program it was issued to [default: dev-ROLE, or dev-SOURCE for a `partner_system`]
    #[arg(long, value_parser = name)]
    pub client_id: Option<String>,
}

/// The grant that a development client needs beside its token: without it a partner system sees no site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevGrant {
    /// The client of the token.
    pub client_id: String,
    /// Its source system.
    pub source: String,
    /// The sites granted.
    pub sites: GrantedSites,
}

/// Sites of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantedSites {
    /// Every site.
    All,
    /// The sites of these codes (`cde-NNN`), sorted.
    Codes(Vec<String>),
}

/// Prints a token on standard output, after `record_grant` has written the grant that a partner system
/// needs. The settings must be such that the server would accept it.
pub(super) async fn run(
    args: &TokenArgs,
    config: &Config,
    clock: &dyn Clock,
    record_grant: impl AsyncFnOnce(&Config, DevGrant) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if !dev::is_accepted(config) {
        let why = "the server would refuse a development token: it accepts them only when server.listen is a \
                   loopback address and auth.issuers is empty";
        return Err(UsageError(why.to_owned()).into());
    }
    let claims = args.claims()?;
    let grant = args.grant(&claims)?;
    let key_path = dev::key_path(&config.database);
    let token = DevIssuer::open(&key_path, &config.auth.audience)?.mint(&claims, clock.now())?;
    if let Some(grant) = grant {
        record_grant(config, grant).await?;
    }
    explain(&claims, &key_path);
    println!("{token}");
    Ok(())
}

/// Said on standard error, so that `$(cites token …)` is the token alone.
fn explain(claims: &DevClaims, key_path: &Path) {
    let scopes: Vec<_> = claims.scopes.iter().map(|scope| scope.name()).collect();
    eprintln!(
        "Development token: role {}, client {}, scopes {}, {} minutes, key {}",
        claims.role.name(),
        claims.client_id,
        scopes.join(" "),
        claims.ttl.as_secs() / 60,
        key_path.display()
    );
}

impl TokenArgs {
    /// The claims asked for. A flag that the role needs must be there, and one that it would ignore must not.
    fn claims(&self) -> Result<DevClaims, UsageError> {
        self.check_list("--departements", &self.departements, Role::Prefecture)?;
        self.check_list("--sirens", &self.sirens, Role::Collectivite)?;
        self.check_list("--sites", &self.sites, Role::PartnerSystem)?;
        let role = self.role.name();
        let default_client = match (self.role, &self.source) {
            (Role::PartnerSystem, None) => {
                return Err(UsageError("--role partner_system needs --source".to_owned()));
            }
            (Role::PartnerSystem, Some(source)) => format!("dev-{}", source.to_lowercase().replace('_', "-")),
            _ => format!("dev-{role}"),
        };
        Ok(DevClaims {
            role: self.role,
            sub: self.sub.clone().unwrap_or_else(|| format!("dev-{role}")),
            client_id: self.client_id.clone().unwrap_or(default_client),
            departements: self.departements.clone(),
            sirens: self.sirens.clone(),
            source: self.source.clone(),
            scopes: if self.scopes.is_empty() { default_scopes(self.role) } else { self.scopes.clone() },
            ttl: self.ttl,
        })
    }

    fn check_list(&self, flag: &str, list: &[String], of: Role) -> Result<(), UsageError> {
        let role = of.name();
        match (self.role == of, list.is_empty()) {
            (true, true) => Err(UsageError(format!("--role {role} needs {flag}"))),
            (false, false) => Err(UsageError(format!("{flag} is for --role {role} only"))),
            _ => Ok(()),
        }
    }

    fn grant(&self, claims: &DevClaims) -> Result<Option<DevGrant>, UsageError> {
        let Some(source) = claims.source.clone().filter(|_| claims.role == Role::PartnerSystem) else {
            return Ok(None);
        };
        let has_all = self.sites.iter().any(|site| site == "all");
        let sites = match (has_all, self.sites.len()) {
            (true, 1) => GrantedSites::All,
            (true, _) => return Err(UsageError("--sites expects codes or all, not both".to_owned())),
            (false, _) => {
                let mut codes = self.sites.clone();
                codes.sort();
                codes.dedup();
                GrantedSites::Codes(codes)
            }
        };
        Ok(Some(DevGrant { client_id: claims.client_id.clone(), source, sites }))
    }
}

/// The scopes without which some right of the role could not be used.
fn default_scopes(role: Role) -> Vec<Scope> {
    match role {
        Role::Anct => Scope::ALL.to_vec(),
        Role::Prefecture | Role::Collectivite => {
            vec![Scope::Read, Scope::Write, Scope::Referents, Scope::Import]
        }
        Role::PartnerSystem => vec![Scope::Read, Scope::Write, Scope::Import],
        Role::Public => vec![Scope::Read],
    }
}

fn role_parser() -> impl TypedValueParser<Value = Role> {
    // Not `public`: that is a caller without a token.
    let names = Role::ALL.into_iter().filter(|role| *role != Role::Public).map(Role::name);
    PossibleValuesParser::new(names)
        .try_map(|name| Role::from_name(&name).ok_or_else(|| UsageError("unknown role".to_owned())))
}

/// A code in its canonical form.
fn code(scalar: Scalar, text: &str) -> Result<String, String> {
    match scalar.parse(&Value::from(text)) {
        Ok(Parsed::Text(code)) => Ok(code),
        _ => Err(format!("expected {}", scalar.expected())),
    }
}

fn departement(text: &str) -> Result<String, String> {
    code(Scalar::DepartementCode, text)
}

fn siren(text: &str) -> Result<String, String> {
    code(Scalar::Siren, text)
}

fn source_system(text: &str) -> Result<String, String> {
    let expected = "expected 2 to 64 of A-Z, 0-9 and _, such as FRANCE_TRAVAIL";
    if is_source_system(text) { Ok(text.to_owned()) } else { Err(expected.to_owned()) }
}

fn site(text: &str) -> Result<String, String> {
    if text.trim().eq_ignore_ascii_case("all") {
        return Ok("all".to_owned());
    }
    code(Scalar::SiteCode, text).map_err(|expected| format!("{expected}; or all"))
}

fn scope(text: &str) -> Result<Scope, String> {
    let name = text.trim().trim_start_matches("cde:");
    Scope::from_name(&format!("cde:{name}"))
        .ok_or_else(|| "expected read, write, referents, import or admin".to_owned())
}

pub(super) fn name(text: &str) -> Result<String, String> {
    let fits = (1..=255).contains(&text.len()) && !text.contains(char::is_control);
    if fits {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 255 bytes without control characters".to_owned())
    }
}

fn ttl(text: &str) -> Result<Duration, String> {
    let seconds = text.char_indices().next_back().and_then(|(at, unit)| {
        let unit = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        text[..at].parse::<u64>().ok()?.checked_mul(unit)
    });
    let ttl = seconds.map(Duration::from_secs);
    let fits = |ttl: &Duration| !ttl.is_zero() && *ttl <= limits::DEV_TOKEN_TTL;
    ttl.filter(fits).ok_or_else(|| "expected a number and s, m, h or d, up to 30d, such as 12h".to_owned())
}
