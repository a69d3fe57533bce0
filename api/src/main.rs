//! The `cites` binary.

use std::{process::ExitCode, sync::Arc};

use cites::{cli, clock::SystemClock};
use clap::Parser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let record_grant = async |_: &_, grant: cli::token::DevGrant| {
        anyhow::bail!("the grant of client {} cannot be recorded by this build", grant.client_id)
    };
    cli::run(cli::Cli::parse(), Arc::new(SystemClock), record_grant).await
}
