//! What is wrong with a setting, and where it was written.

use std::{fmt, path::PathBuf};

/// Where a setting was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The defaults built into the program.
    Defaults,
    /// A line (from 1) of a configuration file; no line when the file as a whole is meant.
    File { path: PathBuf, line: Option<usize> },
    /// An environment variable.
    Variable(String),
    /// A command-line flag.
    Flag(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("config.default.toml"),
            Self::File { path, line: Some(line) } => write!(f, "{} line {line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A setting that cannot be used. Prints the key (when one is known), the place and what is expected,
/// never the value of a secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("configuration: {}{place}: {problem}", key.as_ref().map(|key| format!("`{key}` in ")).unwrap_or_default())]
pub struct ConfigError {
    /// The dotted key, for instance `server.listen`; none when a whole file or variable is meant.
    pub key: Option<String>,
    /// Where it was written.
    pub place: Place,
    /// What is wrong and what is expected.
    pub problem: String,
}

impl ConfigError {
    /// An error about a place as a whole: a file that cannot be read, a variable that names no key.
    pub(super) fn at(place: Place, problem: impl Into<String>) -> Self {
        Self { key: None, place, problem: problem.into() }
    }
}
