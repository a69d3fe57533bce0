//! Measures live changes: how long one takes from its commit to a client, beside a client that listens to PostgreSQL
//! itself; and what thousands of quiet subscribers cost beside some that are told of every change.

mod crowd;
mod delay;
mod listener;
mod socket;

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;

/// Measure live changes of a server on PostgreSQL
#[derive(Debug, Parser)]
pub struct Args {
    /// Address of the product
    #[arg(long)]
    pub product: SocketAddr,
    /// Its process
    #[arg(long)]
    pub product_pid: u32,
    /// The database it works on
    #[arg(long)]
    pub database_url: String,
    /// An access token that reads and writes every row
    #[arg(long)]
    pub token: String,
    /// Access tokens of the subscribers, who take turns: one client may have only so many streams
    #[arg(long, required = true, num_args = 1..)]
    pub crowd: Vec<String>,
    /// Changes that are made in each part
    #[arg(long, default_value_t = 500)]
    pub changes: usize,
    /// Subscribers to whom nothing happens
    #[arg(long, default_value_t = 5_000)]
    pub idle: usize,
    /// Subscribers who are told of each change
    #[arg(long, default_value_t = 200)]
    pub active: usize,
    /// Say which targets are met
    #[arg(long)]
    pub targets: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    delay::measure(&args).await?;
    println!();
    crowd::measure(&args).await
}

/// The time below which half of them stayed.
pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Milliseconds, to the hundredth.
pub fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

/// Whether a target is met, if targets are to be said.
pub fn verdict(args: &Args, target: &str, is_met: bool) -> String {
    match (args.targets, is_met) {
        (false, _) => String::new(),
        (true, true) => format!(", target {target}: met"),
        (true, false) => format!(", target {target}: **missed**"),
    }
}
