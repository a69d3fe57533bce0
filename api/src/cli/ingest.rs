//! `cites ingest`.

use crate::{clock::Clock, config::Config, ingest, startup};
use std::path::PathBuf;

/// Load the open data into the database
///
/// Loading twice changes nothing: rows are known by their official code and vintage, an unchanged file is
/// skipped, and another vintage is never deleted. A wrong line is reported as `file:line: what is wrong`, and
/// the rest goes on.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  cites ingest\n  cites ingest --data /srv/cites/data")]
pub struct IngestArgs {
    /// The folder that holds the files [default: those built into the program]
    #[arg(long, value_name = "DIRECTORY")]
    pub data: Option<PathBuf>,
}

/// Loads the data and prints what was found.
pub(super) async fn run(args: &IngestArgs, config: &Config, clock: &dyn Clock) -> anyhow::Result<()> {
    let db = startup::open(config).await?;
    startup::migrate(config, &db).await?;
    let source = match &args.data {
        Some(directory) => ingest::DataSource::Dir(directory.clone()),
        None => ingest::DataSource::Embedded,
    };
    let demo = config.data.demo.or(config.database.is_sqlite());
    print!("{}", ingest::run(&db, clock, source, demo).await?);
    Ok(())
}
