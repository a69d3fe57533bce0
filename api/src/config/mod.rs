//! The settings of the program: `config.default.toml` < `cites.toml` < environment < flags.
//!
//! Everything is read and checked here, before a file, a socket or a database is opened; the first mistake
//! is a [`ConfigError`] that names the key, the place and what is expected.

mod address;
mod auth;
mod check;
mod error;
mod layers;
mod limits;
mod secret;
#[cfg(test)]
mod tests;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, de};

use self::layers::{Layers, read_file};
pub use self::{
    address::{is_fetchable, is_loopback, is_origin},
    auth::{AuthConfig, ClaimPaths, IssuerConfig, KeyLocation, SigningAlgorithm},
    error::{ConfigError, Place},
    limits::{LimitsConfig, RoleLimits},
    secret::Secret,
};
use crate::http::{ForwardedHeader, IpNet};

/// The text of `config.default.toml`: every key with its default and a comment.
pub const DEFAULTS: &str = include_str!("../../../config.default.toml");

/// The file read from the working directory when `--config` is not given.
const FILE_NAME: &str = "cites.toml";

/// What every environment variable of the product starts with.
const VARIABLE_PREFIX: &str = "CITES_";

/// The variable of OpenTelemetry that names a collector.
const COLLECTOR_VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Under which the flags of [`Overrides`] are listed in every command's help.
const SETTINGS: &str = "Settings";

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How the server listens.
    pub server: ServerConfig,
    /// How much is followed live.
    pub live: LiveConfig,
    /// Where the data is.
    pub database: DatabaseConfig,
    /// What is loaded at start.
    pub data: DataConfig,
    /// Whose tokens are accepted.
    pub auth: AuthConfig,
    /// Documents that have names.
    pub documents: DocumentsConfig,
    /// What callers may ask.
    pub limits: LimitsConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// What is traced.
    pub telemetry: TelemetryConfig,
}

/// How the server listens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Worker threads; 0 = one per processor core.
    pub workers: usize,
    /// Address and port where metrics are read; none for nowhere.
    #[serde(deserialize_with = "address_or_nothing")]
    pub metrics_listen: Option<SocketAddr>,
    /// How long an instance that is told to stop still takes requests, not ready any more, in milliseconds.
    pub drain_ms: u64,
    /// How long requests under way may take until it stops, in seconds.
    pub stop_timeout_s: u64,
    /// Networks of the proxies that are believed about whom they send for.
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they say so.
    pub forwarded_header: ForwardedHeader,
    /// Origins whose pages may read answers; `*` for any.
    pub cors_origins: Vec<String>,
    /// Where flaws are reported, as a URI; empty when nobody is named.
    pub security_contact: String,
}

/// An address and port, or an empty text.
fn address_or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |_| de::Error::invalid_value(de::Unexpected::Str(&text), &"an address and port, or nothing");
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(wrong) }
}

/// How much is followed live.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveConfig {
    /// Most streams open at once, over WebSocket and Server-Sent Events together.
    pub max_streams: usize,
    /// How long a WebSocket may be open before its client begins, in milliseconds.
    pub init_timeout_ms: u64,
    /// How long a client may take to read what it is sent, in milliseconds.
    pub stall_timeout_ms: u64,
}

/// Where the data is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite://FILE` or `postgres://…`; may hold a password.
    pub url: Secret<String>,
    /// Most connections of the pool.
    pub max_connections: u32,
    /// How long to wait for a free connection, in milliseconds.
    pub acquire_timeout_ms: u64,
    /// How long the database may work for one request, in milliseconds.
    pub request_timeout_ms: u64,
    /// A standby of the server, from which reads may come; empty for none; may hold a password.
    pub replica_url: Secret<String>,
    /// How far it may be behind, in milliseconds.
    pub replica_max_lag_ms: u64,
    /// Whether the server brings the tables to its version when it starts.
    pub migrate_at_start: bool,
}

impl DatabaseConfig {
    /// Whether the database is an embedded SQLite file (else PostgreSQL).
    pub fn is_sqlite(&self) -> bool {
        self.url.expose().starts_with("sqlite:")
    }

    /// The SQLite file; `None` on PostgreSQL and for a database in memory.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let rest = self.url.expose().strip_prefix("sqlite:")?;
        let file = rest.strip_prefix("//").unwrap_or(rest).split('?').next().unwrap_or_default();
        (!file.is_empty() && file != ":memory:").then(|| PathBuf::from(file))
    }
}

/// What is loaded at start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Whether the server loads `data/` when it starts.
    pub ingest_at_start: bool,
    /// Whether demonstration actions are loaded.
    pub demo: Switch,
}

/// On, off, or left to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// The program chooses.
    Auto,
    /// On.
    On,
    /// Off.
    Off,
}

impl Switch {
    /// The choice made, or `auto` where none was.
    pub fn or(self, auto: bool) -> bool {
        match self {
            Self::Auto => auto,
            Self::On => true,
            Self::Off => false,
        }
    }
}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected true, false or \"auto\"")]
        enum Written {
            Truth(bool),
            Word(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Truth(true) => Ok(Self::On),
            Written::Truth(false) => Ok(Self::Off),
            Written::Word(word) => match word.as_str() {
                "auto" => Ok(Self::Auto),
                "true" => Ok(Self::On),
                "false" => Ok(Self::Off),
                other => {
                    Err(de::Error::invalid_value(de::Unexpected::Str(other), &"true, false or \"auto\""))
                }
            },
        }
    }
}

/// Documents that have names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentsConfig {
    /// The file of trusted documents; empty for none.
    pub manifest: String,
    /// Names of the roles that run nothing else.
    pub only_trusted_for: Vec<String>,
}

/// What is logged, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// A level, or directives such as `info,cites=debug`.
    pub level: String,
    /// The form of a line.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// What is traced.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// Base address of the collector of traces, by OTLP over HTTP; empty for none.
    pub otlp_endpoint: String,
    /// Share of requests that are traced, of those whose caller does not trace them.
    pub trace_ratio: f64,
}

/// The settings given on the command line, above every other source.
#[derive(Clone, Default, clap::Args)]
pub struct Overrides {
    /// Read the settings of this file instead of cites.toml in the working directory
    #[arg(long, global = true, help_heading = SETTINGS, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Listen on this address and port [setting: server.listen]
    #[arg(long, global = true, help_heading = SETTINGS, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Use this database (a password is better given in `CITES_DATABASE__URL`) [setting: database.url]
    #[arg(long, global = true, help_heading = SETTINGS, value_name = "URL")]
    pub database_url: Option<String>,
    /// Set any key, for instance `--set log.level=debug`; may be repeated
    #[arg(long, global = true, help_heading = SETTINGS, value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,
}

impl Config {
    /// Reads all sources of this process: the working directory, the environment, the flags.
    pub fn load(flags: &Overrides) -> Result<Self, ConfigError> {
        let variables = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
        Self::from_sources(Path::new(""), variables, flags)
    }

    /// Reads the settings as [`Config::load`] does, from a given directory and given variables.
    pub fn from_sources(
        directory: &Path,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: &Overrides,
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::new();
        layers.add_text(DEFAULTS, |_| Place::Defaults)?;
        add_file(&mut layers, directory, flags)?;
        add_variables(&mut layers, variables)?;
        add_flags(&mut layers, flags)?;
        let config: Self = layers.read()?;
        config.check().map_err(|broken| layers.error(&broken.key, broken.expected))?;
        Ok(config)
    }
}

/// A file that `--config` names must be there; `cites.toml` may be absent.
fn add_file(layers: &mut Layers, directory: &Path, flags: &Overrides) -> Result<(), ConfigError> {
    let path = flags.config.clone().unwrap_or_else(|| directory.join(FILE_NAME));
    match read_file(&path)? {
        Some(text) => layers.add_text(&text, |line| Place::File { path: path.clone(), line: Some(line) }),
        None if flags.config.is_some() => {
            let place = Place::File { path, line: None };
            Err(ConfigError::at(place, "does not exist; --config expects a TOML file"))
        }
        None => Ok(()),
    }
}

/// Whether a variable is meant for us. Kubernetes gives every container `CITES_SERVICE_HOST`, `CITES_PORT_…`
/// when a service is called `cites`; those are nobody's mistake.
fn is_ours(name: &str) -> bool {
    let service = ["SERVICE_HOST", "SERVICE_PORT", "PORT"];
    name.strip_prefix(VARIABLE_PREFIX)
        .is_some_and(|rest| rest.contains("__") || !service.iter().any(|service| rest.starts_with(service)))
}

fn add_variables(
    layers: &mut Layers,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(), ConfigError> {
    let variables: Vec<_> = variables.into_iter().collect();
    // it tells every program of a machine; our own variable says otherwise
    if let Some((name, value)) = variables.iter().find(|(name, _)| name == COLLECTOR_VARIABLE) {
        layers.add_value("telemetry", "otlp_endpoint", value, Place::Variable(name.clone()));
    }
    let mut ours: Vec<_> = variables.into_iter().filter(|(name, _)| is_ours(name)).collect();
    ours.sort();
    for (name, value) in ours {
        let path = name[VARIABLE_PREFIX.len()..].to_ascii_lowercase();
        let place = Place::Variable(name);
        match path.split_once("__") {
            Some((section, key)) if !section.is_empty() && !key.is_empty() && !key.contains("__") => {
                layers.add_value(section, key, &value, place);
            }
            _ => return Err(ConfigError::at(place, "unknown variable, expected CITES_SECTION__KEY")),
        }
    }
    Ok(())
}

fn add_flags(layers: &mut Layers, flags: &Overrides) -> Result<(), ConfigError> {
    for setting in &flags.set {
        let parts = setting.split_once('=').and_then(|(path, value)| Some((path.split_once('.')?, value)));
        let Some(((section, key), value)) = parts else {
            let place = Place::Flag("--set".to_owned());
            return Err(ConfigError::at(place, "expected section.key=value, as in --set log.level=debug"));
        };
        layers.add_value(section.trim(), key.trim(), value.trim(), Place::Flag("--set".to_owned()));
    }
    if let Some(listen) = &flags.listen {
        layers.add_value("server", "listen", listen, Place::Flag("--listen".to_owned()));
    }
    if let Some(url) = &flags.database_url {
        layers.add_value("database", "url", url, Place::Flag("--database-url".to_owned()));
    }
    Ok(())
}
