//! `cites backup`.

use std::path::PathBuf;

use anyhow::{Context, ensure};

use super::UsageError;
use crate::config::Config;
use crate::db::{Bounds, Db};

/// Copy the embedded SQLite database into a file, while the server goes on
///
/// The copy is one state of the data, whole and compact. It holds personal data: only its owner may read it. On
/// PostgreSQL use `pg_basebackup` or `pg_dump` (docs/operations-postgresql.md).
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Example:\n  cites backup /var/backups/cites-$(date +%F).db\n\nTo restore: stop the server, put the \
                        copy in the place of the database, remove the files that end in -wal and -shm beside it, and \
                        run `cites doctor --audit` before the server starts."
)]
pub struct BackupArgs {
    /// File to write; it must not be there yet
    pub file: PathBuf,
}

/// Copies, and reads the copy through before it says so.
pub(super) async fn run(args: &BackupArgs, config: &Config) -> anyhow::Result<()> {
    let Some(database) = config.database.sqlite_file() else {
        let text = "cites backup copies an embedded database; for PostgreSQL use pg_basebackup or pg_dump \
                    (docs/operations-postgresql.md)";
        return Err(UsageError(text.to_owned()).into());
    };
    ensure!(database.exists(), "there is no database at {}", database.display());
    let file = &args.file;
    make(file).with_context(|| format!("cannot write {}", file.display()))?;
    let copied = copy(config, file).await;
    if copied.is_err() {
        // what is not whole must not be taken for a backup
        std::fs::remove_file(file).ok();
    }
    let bytes = copied.with_context(|| format!("cannot copy into {}", file.display()))?;
    println!("Wrote {}: {bytes} bytes, read through without error.", file.display());
    Ok(())
}

/// Makes the file, for its owner alone; one that is there is left as it is.
fn make(file: &PathBuf) -> std::io::Result<()> {
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop)
}

async fn copy(config: &Config, file: &PathBuf) -> anyhow::Result<u64> {
    let db = Db::open(config.database.url.expose(), Bounds::default()).await?;
    db.copy_into(file).await?;
    db.close().await;
    let written = std::fs::File::open(file)?;
    // SQLite leaves that to the system
    written.sync_all()?;
    Ok(written.metadata()?.len())
}
