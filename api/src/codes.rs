//! Every code of an error, with what a client makes of it: the text of `docs/errors.md`.

use std::fmt::{self, Display, Formatter};

use crate::auth::AuthError;
use crate::error::Code;
use crate::http::REFUSALS;
use crate::write::USER_ERROR_CODE;

/// Whether the same request may succeed when it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Not as it is.
    Never,
    /// After a while.
    Later,
    /// With a token that is good.
    WithToken,
    /// With the same idempotency key, which makes sure that it is done once.
    WithKey,
}

impl Display for Again {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Never => "no, it must be changed",
            Self::Later => "yes, later",
            Self::WithToken => "with another token",
            Self::WithKey => "yes, with the same idempotency key",
        })
    }
}

/// The documentation of all codes, in Markdown.
pub fn to_markdown() -> String {
    let engine =
        Code::ALL.iter().map(|(code, status, again, meaning)| row(code.name(), status, *again, meaning));
    let tokens = AuthError::LISTED.iter().map(|(error, again, meaning)| {
        let status = error.status().to_string();
        row(error.code(), &status, *again, meaning)
    });
    let front = REFUSALS.iter().map(|code| row(code.name, code.status.as_str(), code.again, code.meaning));
    let user = USER_ERROR_CODE.values.iter().map(|(name, meaning)| format!("| `{name}` | {meaning} |\n"));
    let engine: String = engine.collect();
    let edge: String = tokens.chain(front).collect();
    let user: String = user.collect();
    [HEAD, ENGINE, &engine, EDGE, &edge, USER, &user].concat()
}

fn row(name: &str, status: &str, again: Again, meaning: &str) -> String {
    format!("| `{name}` | {status} | {again} | {meaning} |\n")
}

const HEAD: &str = "# Codes of errors

Printed by `cites errors`; a test compares. A code stays as it is and keeps its meaning; new ones may be added, and a
client takes one that it does not know for a failure. Texts are for people and may change. Every answer has the header
`x-request-id`: it finds the error in the server's log, where its cause is. A 503 has `Retry-After`.
";

const ENGINE: &str = "
## In `errors`, when the operation was looked at

`extensions.code`; `extensions.expected` says what would be right, `extensions.input` where in the arguments. The status
is that of `application/graphql-response+json`; under `application/json` a 400 is a 200. An error with a `path` belongs
to one field, and the rest of the answer stands. `extensions.retryAfter`, in seconds, stands beside `UNAVAILABLE` and
`OUTCOME_UNKNOWN`.

| Code | Status | Again? | Meaning |
|---|---|---|---|
";

const EDGE: &str = "
## In `errors`, when the request did not get that far

| Code | Status | Again? | Meaning |
|---|---|---|---|
";

const USER: &str = "
## In `userErrors` of a mutation

Status 200; nothing was written, and the same input is refused again. `path` says where in the input.

| Code | Meaning |
|---|---|
";
