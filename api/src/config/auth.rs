//! Settings of section `auth`: whose tokens are accepted, and where their claims are.

use std::path::PathBuf;

use serde::Deserialize;

/// Whose tokens are accepted, and how strictly.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// What a token's `aud` must hold.
    pub audience: String,
    /// How far clocks may differ, in seconds; at most 60.
    pub leeway_seconds: u32,
    /// Signature algorithms accepted.
    pub algorithms: Vec<SigningAlgorithm>,
    /// Values of the header `typ` accepted, compared without case and without `application/`.
    pub accepted_typ: Vec<String>,
    /// Period of the background refresh of keys, in seconds.
    pub jwks_refresh_seconds: u64,
    /// Least time between two fetches caused by unknown key ids, in seconds.
    pub jwks_min_interval_seconds: u32,
    /// Longest token read, in bytes.
    pub max_token_bytes: usize,
    /// Who may issue tokens.
    pub issuers: Vec<IssuerConfig>,
}

/// A signature algorithm the product verifies. There is no symmetric one, and no `none`, to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA PKCS#1 v1.5 with SHA-256, 2048 bits or more.
    #[serde(rename = "RS256")]
    Rs256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl SigningAlgorithm {
    /// The algorithm that a header or key calls `name` (RFC 7518, RFC 8037).
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "RS256" => Some(Self::Rs256),
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// One issuer of tokens. Its keys come from exactly one of `jwks_file`, `jwks_url` and `discovery`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Equal to the token's `iss`, to the letter.
    pub issuer: String,
    /// A file that holds the issuer's JWK set.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
    /// The address of the issuer's JWK set: https, or http on a loopback address.
    #[serde(default)]
    pub jwks_url: Option<String>,
    /// Whether to ask the issuer where its keys are (OpenID Connect discovery, RFC 8414).
    #[serde(default)]
    pub discovery: bool,
    /// Where the product claims are.
    #[serde(default)]
    pub claims: ClaimPaths,
}

/// Where the keys of an issuer are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyLocation<'a> {
    /// A JWK set in a file.
    File(&'a std::path::Path),
    /// A JWK set at an address.
    Url(&'a str),
    /// Wherever the issuer's own metadata says.
    Discovery,
}

impl IssuerConfig {
    /// Where the keys are; `None` unless exactly one place is given.
    pub fn keys(&self) -> Option<KeyLocation<'_>> {
        match (&self.jwks_file, &self.jwks_url, self.discovery) {
            (Some(file), None, false) => Some(KeyLocation::File(file)),
            (None, Some(url), false) => Some(KeyLocation::Url(url)),
            (None, None, true) => Some(KeyLocation::Discovery),
            _ => None,
        }
    }
}

/// Where each product claim is in a token: paths of member names joined by dots
/// (`resource_access.cites.roles`), tried in order; the first that is present is read. A path that is
/// itself the name of a member (`https://cites.example/roles`) means that member.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimPaths {
    /// A list of role names; those that are not the product's are ignored.
    pub roles: Vec<String>,
    /// A list of département codes.
    pub departements: Vec<String>,
    /// A list of SIREN numbers.
    pub sirens: Vec<String>,
    /// The source system of a partner.
    pub source: Vec<String>,
    /// Scopes, in one text with spaces (RFC 9068) or a list.
    pub scope: Vec<String>,
    /// The client that asked for the token.
    pub client_id: Vec<String>,
}

impl Default for ClaimPaths {
    fn default() -> Self {
        let paths = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Self {
            roles: paths(&["roles"]),
            departements: paths(&["departements"]),
            sirens: paths(&["sirens"]),
            source: paths(&["source"]),
            scope: paths(&["scope"]),
            client_id: paths(&["client_id", "azp"]),
        }
    }
}
