//! `cites doctor`.

/// Check that the server can run: settings, database, migrations, keys, data
///
/// Prints each check, what is wrong and how to mend it. Changes nothing. The exit code is 1 if a check fails.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:\n  cites doctor\n  cites doctor --config /etc/cites.toml")]
pub struct DoctorArgs {}
