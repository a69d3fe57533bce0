//! Why a caller is not known, and how HTTP says it.

use std::path::PathBuf;

use crate::codes::Again;

/// Why a request's credentials are refused. The text goes to the caller: it says which rule is broken, in
/// ASCII, and never repeats what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The header is not one bearer token.
    #[error("the Authorization header must be: Bearer TOKEN")]
    Unauthenticated,
    /// The token was good and has ended.
    #[error("the token has expired")]
    Expired,
    /// The token was good and is revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The token breaks a rule.
    #[error("the token is refused: {0}")]
    Invalid(&'static str),
    /// The token may be good, but its issuer's keys could not be fetched so far.
    #[error("the keys of the token's issuer cannot be reached now, try again later")]
    KeysUnavailable,
}

impl AuthError {
    /// One error of each code, with whether to send the request again and what it means; for the documentation.
    pub const LISTED: [(Self, Again, &'static str); 5] = [
        (Self::Unauthenticated, Again::WithToken, "The `Authorization` header is not one bearer token."),
        (Self::Expired, Again::WithToken, "The token was good and has ended."),
        (
            Self::Revoked,
            Again::WithToken,
            "The token was good and is revoked, it alone or all that its client had.",
        ),
        (Self::Invalid(""), Again::WithToken, "The token breaks a rule; the text says which."),
        (Self::KeysUnavailable, Again::Later, "The keys of the token's issuer could not be fetched so far."),
    ];

    /// The stable code of `extensions.code`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Expired => "TOKEN_EXPIRED",
            Self::Revoked => "TOKEN_REVOKED",
            Self::Invalid(_) => "TOKEN_INVALID",
            Self::KeysUnavailable => "UNAVAILABLE",
        }
    }

    /// The HTTP status: 401, or 503 when only our side lacks the keys.
    pub const fn status(self) -> u16 {
        match self {
            Self::KeysUnavailable => 503,
            _ => 401,
        }
    }

    /// The value of the WWW-Authenticate header (RFC 6750) of a 401. Credentials that are not a bearer token
    /// get the bare challenge, without an error attribute, as the RFC asks.
    pub fn www_authenticate(self) -> Option<String> {
        match self {
            Self::Unauthenticated => Some("Bearer realm=\"cites\"".to_owned()),
            Self::Expired | Self::Revoked | Self::Invalid(_) => {
                Some(format!("Bearer realm=\"cites\", error=\"invalid_token\", error_description=\"{self}\""))
            }
            Self::KeysUnavailable => None,
        }
    }
}

/// Why the authenticator cannot be prepared; for the operator, at start-up.
#[derive(Debug, thiserror::Error)]
pub enum AuthSetupError {
    /// A key file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A key file holds no key that can be used.
    #[error("{}: {problem}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// The machine cannot make HTTPS requests, for instance for want of root certificates.
    #[error("no HTTP client for the issuer's keys: {0}")]
    Client(#[from] reqwest::Error),
    /// An address that configuration has checked cannot be read.
    #[error("issuer address: {0}")]
    Address(String),
    /// A cryptographic operation failed.
    #[error("development key: {0}")]
    Crypto(String),
}
