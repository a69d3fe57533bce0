//! `cites serve`.

/// Serve the API (what `cites` does without a command)
///
/// Makes the SQLite database if none is there, migrates it, loads the open data of data/, and listens on
/// `server.listen` (127.0.0.1:8080). Prints its address, a first query to paste, and how to get a token.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  cites serve\n  cites serve --listen 127.0.0.1:9000\n  \
                        CITES_DATABASE__URL=postgres://cites@localhost/cites cites serve")]
pub struct ServeArgs {}
