//! The command line: parse, read the settings, call. One file per command.

pub mod doctor;
pub mod ingest;
pub mod migrate;
pub mod rights;
pub mod schema;
pub mod seed;
pub mod serve;
#[cfg(test)]
mod tests;
pub mod token;

use std::{process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};

use crate::{
    auth::AuthSetupError,
    cli::token::{DevGrant, TokenArgs},
    clock::Clock,
    config::{Config, ConfigError, Overrides},
    telemetry,
};

/// The API of the « Cités de l'emploi »: the programme's data over GraphQL
#[derive(Parser)]
#[command(
    name = "cites",
    version,
    after_help = "Settings come from config.default.toml (built in), cites.toml in the working directory, the \
                  environment (CITES_SECTION__KEY) and flags, each over the one before.\n\n\
                  Examples:\n  cites token --role anct\n  \
                  CITES_DATABASE__URL=postgres://cites@localhost/cites cites doctor"
)]
pub struct Cli {
    /// Settings given as flags.
    #[command(flatten)]
    settings: Overrides,
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

/// The commands.
#[derive(Subcommand)]
enum Command {
    Token(TokenArgs),
}

/// A command line that parses but makes no sense as a whole.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Runs the command. Exit codes: 0 done, 2 the command line, a setting or a key file is wrong (nothing was
/// opened), 1 anything else. `record_grant` writes a development client's grant into the database.
pub async fn run(
    cli: Cli,
    clock: Arc<dyn Clock>,
    record_grant: impl AsyncFnOnce(&Config, DevGrant) -> anyhow::Result<()>,
) -> ExitCode {
    match dispatch(cli, clock, record_grant).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cites: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

async fn dispatch(
    cli: Cli,
    clock: Arc<dyn Clock>,
    record_grant: impl AsyncFnOnce(&Config, DevGrant) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let config = Config::load(&cli.settings)?;
    telemetry::init(&config.log)?;
    match cli.command {
        Command::Token(args) => token::run(&args, &config, clock.as_ref(), record_grant).await,
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    let is_setting = error.is::<ConfigError>() || error.is::<UsageError>() || error.is::<AuthSetupError>();
    if is_setting { 2 } else { 1 }
}
