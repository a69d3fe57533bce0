//! `cites errors`.

use crate::codes;

/// Print every code of an error: its HTTP status, its meaning, whether to send the request again
///
/// Needs no database. The file docs/errors.md of the repository is this output.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example:\n  cites errors > docs/errors.md")]
pub struct ErrorsArgs {}

/// Prints the codes.
pub(super) fn run() {
    print!("{}", codes::to_markdown());
}
