//! `cites schema`.

use crate::graphql;

/// Print the GraphQL schema (SDL)
///
/// Needs no database. The file schema.graphql of the repository is this output.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example:\n  cites schema > schema.graphql")]
pub struct SchemaArgs {}

/// Prints the schema.
pub(super) fn run() -> anyhow::Result<()> {
    print!("{}", graphql::sdl()?);
    Ok(())
}
