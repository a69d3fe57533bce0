//! `cites migrate`.

use crate::{config::Config, startup};

/// Bring the database's tables to this version
///
/// `cites serve` does it by itself, unless `database.migrate_at_start` is false; use this to migrate before a new version is started, with another
/// database role, or to go back. Instances that migrate at once wait for each other.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  cites migrate\n  cites migrate status\n  cites migrate down --steps 1")]
pub struct MigrateArgs {
    /// What to do; up when left out.
    #[command(subcommand)]
    pub action: Option<MigrateAction>,
}

/// What `cites migrate` does.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
pub enum MigrateAction {
    /// Apply every migration that is not applied yet
    Up,
    /// Undo the last migrations, with the data of their tables
    Down {
        /// How many
        #[arg(long, default_value_t = 1)]
        steps: u32,
    },
    /// List the migrations and which are applied
    Status,
}

/// Applies, undoes or lists migrations.
pub(super) async fn run(args: &MigrateArgs, config: &Config) -> anyhow::Result<()> {
    let db = startup::open(config).await?;
    match args.action {
        None | Some(MigrateAction::Up) => {
            db.migrate().await?;
            println!("The database is up to date.");
        }
        Some(MigrateAction::Down { steps }) => {
            db.migrate_down(steps).await?;
            println!("Undone: {steps}.");
        }
        Some(MigrateAction::Status) => {
            for (name, applied) in db.migrations().await? {
                println!("{} {name}", if applied { "applied" } else { "pending" });
            }
        }
    }
    Ok(())
}
