//! `cites rights`.

use crate::policy::Policy;

/// Print who may do what: a line per resource and verb, a column per role
///
/// Needs no database. The file docs/rights.md of the repository is the Markdown form.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  cites rights\n  cites rights --format markdown > docs/rights.md")]
pub struct RightsArgs {
    /// The form of the table
    #[arg(long, value_enum, default_value_t = RightsFormat::Text)]
    pub format: RightsFormat,
}

/// The form in which `cites rights` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RightsFormat {
    /// Aligned columns for a terminal
    Text,
    /// A Markdown document
    Markdown,
}

/// Prints the table.
pub(super) fn run(args: &RightsArgs) -> anyhow::Result<()> {
    let policy = Policy::load()?;
    match args.format {
        RightsFormat::Text => print!("{}", policy.to_text()),
        RightsFormat::Markdown => print!("{}", policy.to_markdown()),
    }
    Ok(())
}
