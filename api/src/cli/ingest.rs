//! `cites ingest`.

use std::path::PathBuf;

/// Load the open data of data/ into the database
///
/// Loading twice changes nothing: rows are known by their official code and vintage, an unchanged file is
/// skipped, and another vintage is never deleted. A wrong line is reported as `file:line: what is wrong`, and
/// the rest goes on.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  cites ingest\n  cites ingest --data /srv/cites/data --force")]
pub struct IngestArgs {
    /// The folder that holds the files
    #[arg(long, value_name = "DIRECTORY", default_value = "data")]
    pub data: PathBuf,
    /// Read files again even if they are unchanged
    #[arg(long)]
    pub force: bool,
}
