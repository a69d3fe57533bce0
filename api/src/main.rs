//! The `cites` binary.

use std::{process::ExitCode, sync::Arc};

use cites::{cli, clock::SystemClock};
use clap::Parser;

// The allocator of the C library costs about a third more CPU on answers made of many small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    cli::run(cli::Cli::parse(), Arc::new(SystemClock)).await
}
