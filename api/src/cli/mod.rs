//! The command line: parse, read the settings, call. One file per command.

pub mod backup;
pub mod doctor;
pub mod errors;
pub mod ingest;
pub mod migrate;
pub mod retention;
pub mod revoke;
pub mod rights;
pub mod schema;
pub mod seed;
pub mod serve;
#[cfg(test)]
mod tests;
pub mod token;
mod token_grant;

use std::{process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};

use crate::{
    auth::AuthSetupError,
    cli::token::TokenArgs,
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
    /// What to do; serve when left out.
    #[command(subcommand)]
    command: Option<Command>,
}

/// The commands.
#[derive(Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Migrate(migrate::MigrateArgs),
    Ingest(ingest::IngestArgs),
    Token(TokenArgs),
    Schema(schema::SchemaArgs),
    Rights(rights::RightsArgs),
    Errors(errors::ErrorsArgs),
    Seed(seed::SeedArgs),
    Doctor(doctor::DoctorArgs),
    Retention(retention::RetentionArgs),
    Revoke(revoke::RevokeArgs),
    Backup(backup::BackupArgs),
}

/// A command line that parses but makes no sense as a whole.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Runs the command. Exit codes: 0 done, 2 the command line, a setting or a key file is wrong (nothing was
/// opened), 1 anything else.
pub async fn run(cli: Cli, clock: Arc<dyn Clock>) -> ExitCode {
    match dispatch(cli, clock).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cites: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

async fn dispatch(cli: Cli, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
    let command = cli.command.unwrap_or(Command::Serve(serve::ServeArgs {}));
    match &command {
        Command::Schema(_) => return schema::run(),
        Command::Rights(args) => return rights::run(args),
        Command::Errors(_) => {
            errors::run();
            return Ok(());
        }
        _ => {}
    }
    let config = Config::load(&cli.settings)?;
    telemetry::init(&config.log)?;
    match command {
        Command::Serve(_) => serve::run(&config, clock).await,
        Command::Migrate(args) => migrate::run(&args, &config).await,
        Command::Ingest(args) => ingest::run(&args, &config, clock.as_ref()).await,
        Command::Token(args) => {
            let record =
                async |config: &Config, grant| token_grant::record(config, clock.as_ref(), grant).await;
            token::run(&args, &config, clock.as_ref(), record).await
        }
        Command::Seed(args) => seed::run(&args, &config, clock.as_ref()).await,
        Command::Doctor(args) => doctor::run(&args, &config, clock).await,
        Command::Retention(_) => retention::run(&config, clock.as_ref()).await,
        Command::Revoke(args) => revoke::run(&args, &config, clock.as_ref()).await,
        Command::Backup(args) => backup::run(&args, &config).await,
        Command::Schema(_) | Command::Rights(_) | Command::Errors(_) => Ok(()),
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    let is_setting = error.is::<ConfigError>() || error.is::<UsageError>() || error.is::<AuthSetupError>();
    if is_setting { 2 } else { 1 }
}
