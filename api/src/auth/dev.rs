//! The development issuer: a key made at the first start, with which `cites token` signs. The server accepts
//! it only where [`is_accepted`] says so.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};
use serde_json::json;

use super::{
    actor::{Role, Scope},
    error::AuthSetupError,
    keys::KeySet,
};
use crate::config::{Config, DatabaseConfig};

/// The `iss` of development tokens.
pub const ISSUER: &str = "urn:cites:development";

/// The key's file beside a database that is no file.
const KEY_FILE: &str = "cites-dev-key.pem";

/// Whether development tokens are accepted: only when the server listens on a loopback address, so that
/// nobody elsewhere can use one, and no other issuer is configured, so that no production ever does.
pub fn is_accepted(config: &Config) -> bool {
    config.server.listen.ip().is_loopback() && config.auth.issuers.is_empty()
}

/// Where the key is: beside the SQLite file (`cites.db.dev-key.pem`), else in the working directory.
pub fn key_path(database: &DatabaseConfig) -> PathBuf {
    match database.sqlite_file() {
        Some(mut file) => {
            file.as_mut_os_string().push(".dev-key.pem");
            file
        }
        None => PathBuf::from(KEY_FILE),
    }
}

/// What a development token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevClaims {
    /// The role.
    pub role: Role,
    /// The subject.
    pub sub: String,
    /// The client.
    pub client_id: String,
    /// Département codes.
    pub departements: Vec<String>,
    /// SIREN numbers.
    pub sirens: Vec<String>,
    /// The source system.
    pub source: Option<String>,
    /// What the token is for.
    pub scopes: Vec<Scope>,
    /// How long it lives.
    pub ttl: Duration,
}

/// Signs development tokens.
pub struct DevIssuer {
    key: EncodingKey,
    jwk: Jwk,
    audience: String,
}

impl DevIssuer {
    /// Opens the key at `path`, made now (file mode 0600) if there is none. A key that others may read is
    /// refused. Several processes may start at once: the first one's key is everybody's.
    pub fn open(path: &Path, audience: &str) -> Result<Self, AuthSetupError> {
        let with_path = |source| AuthSetupError::File { path: path.to_owned(), source };
        if !path.try_exists().map_err(with_path)? {
            create_private(path, &new_key()?).map_err(with_path)?;
        }
        check_private(path)?;
        let pem = fs::read(path).map_err(with_path)?;
        let unusable = |error: jsonwebtoken::errors::Error| AuthSetupError::KeyFile {
            path: path.to_owned(),
            problem: format!(
                "expected a P-256 private key in PEM ({error}); remove the file to make a new one"
            ),
        };
        let key = EncodingKey::from_ec_pem(&pem).map_err(unusable)?;
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).map_err(unusable)?;
        jwk.common.key_id = Some(jwk.thumbprint(ThumbprintHash::SHA256).map_err(unusable)?);
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { key, jwk, audience: audience.to_owned() })
    }

    /// The public half, as every issuer publishes it.
    pub(super) fn key_set(&self) -> Result<KeySet, AuthSetupError> {
        let set = serde_json::to_vec(&json!({ "keys": [self.jwk] })).ok();
        let set = set.and_then(|text| KeySet::parse(&text)).filter(|set| !set.is_empty());
        set.ok_or_else(|| AuthSetupError::Crypto("its public half cannot be used".to_owned()))
    }

    /// A signed access token with these claims, valid from `now`.
    pub fn mint(&self, claims: &DevClaims, now: DateTime<Utc>) -> Result<String, AuthSetupError> {
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: self.jwk.common.key_id.clone(),
            ..Header::new(Algorithm::ES256)
        };
        let scope: Vec<_> = claims.scopes.iter().map(|scope| scope.name()).collect();
        let mut payload = json!({
            "iss": ISSUER,
            "aud": self.audience,
            "sub": claims.sub,
            "client_id": claims.client_id,
            "jti": uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string(),
            "iat": now.timestamp(),
            "exp": now.timestamp().saturating_add_unsigned(claims.ttl.as_secs()),
            "roles": [claims.role.name()],
            "departements": claims.departements,
            "sirens": claims.sirens,
            "scope": scope.join(" "),
        });
        if let Some(source) = &claims.source {
            payload["source"] = json!(source);
        }
        jsonwebtoken::encode(&header, &payload, &self.key)
            .map_err(|error| AuthSetupError::Crypto(error.to_string()))
    }
}

/// A new P-256 private key, PKCS#8 in PEM.
fn new_key() -> Result<String, AuthSetupError> {
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    let made = made.map_err(|_| AuthSetupError::Crypto("it cannot be generated".to_owned()))?;
    let body = STANDARD.encode(made.as_ref());
    let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")))
}

/// Writes a file that only its owner may read, whole or not at all, and leaves one that is there already.
fn create_private(path: &Path, text: &str) -> io::Result<()> {
    let mut temporary = path.to_owned();
    temporary.as_mut_os_string().push(format!(".{:016x}.new", rand::random::<u64>()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    // Linking fails where the name is taken: unlike a rename, it cannot replace another process's key.
    let linked = written.and_then(|()| fs::hard_link(&temporary, path));
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), AuthSetupError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata =
        fs::metadata(path).map_err(|source| AuthSetupError::File { path: path.to_owned(), source })?;
    let others = metadata.permissions().mode() & 0o077;
    if others == 0 {
        return Ok(());
    }
    let problem = "others may read this private key; run chmod 600 on it, or remove it to make a new one";
    Err(AuthSetupError::KeyFile { path: path.to_owned(), problem: problem.to_owned() })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "same signature as on Unix, where modes exist")]
fn check_private(_: &Path) -> Result<(), AuthSetupError> {
    Ok(())
}
