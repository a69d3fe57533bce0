//! `cites seed`.

use crate::{clock::Clock, config::Config, seed, startup};

/// Fill the database with a large invented set, for benches and trials
///
/// The same numbers and seed give the same rows. Not for a database that serves people.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example:\n  cites seed --actions 250000 --partners 2000 --seed 1")]
pub struct SeedArgs {
    /// How many actions to make, spread unevenly over the sites
    #[arg(long, default_value_t = 10_000)]
    pub actions: u32,
    /// How many partners to make
    #[arg(long, default_value_t = 500)]
    pub partners: u32,
    /// Where the invention starts from: another seed gives another set
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Fills the database.
pub(super) async fn run(args: &SeedArgs, config: &Config, clock: &dyn Clock) -> anyhow::Result<()> {
    let db = startup::open(config).await?;
    startup::prepare(config, &db, clock).await?;
    println!("{}", seed::seed(&db, clock, args.actions.into(), args.partners.into(), args.seed).await?);
    Ok(())
}
