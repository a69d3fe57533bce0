//! `cites schema`.

/// Print the GraphQL schema (SDL)
///
/// Needs no database. The file schema.graphql of the repository is this output.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Example:\n  cites schema > schema.graphql")]
pub struct SchemaArgs {}
