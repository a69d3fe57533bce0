//! Sends a file of actions, then follows the changes into a mirror; see the README.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use france_travail_sync::client::{Client, Token};
use france_travail_sync::follow::follow;
use france_travail_sync::mirror::Mirror;
use france_travail_sync::push::{Sending, push};

/// Send a file of actions, then follow the changes into a mirror
#[derive(Debug, Parser)]
struct Args {
    /// Where the API is, such as `http://127.0.0.1:8080/graphql`
    #[arg(long)]
    url: String,
    /// A file that holds the access token; without it, the variable `CITES_TOKEN`
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// The file to send; without it, changes are followed alone
    #[arg(long, requires = "as_of")]
    csv: Option<PathBuf>,
    /// When the file was made: older than what the API has, it changes nothing
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<String>,
    /// The mirror, a file of `SQLite`
    #[arg(long, default_value = "mirror.db")]
    mirror: PathBuf,
    /// Rows of a call
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=5_000))]
    items: u16,
    /// Go on following, and ask so many seconds after the last answer
    #[arg(long, value_name = "SECONDS")]
    watch: Option<u64>,
    /// How long a request is tried again, in seconds
    #[arg(long, default_value_t = 600)]
    patience: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let token = match &args.token_file {
        Some(path) => Token::File(path.clone()),
        None => Token::Text(std::env::var("CITES_TOKEN").context("ni --token-file, ni CITES_TOKEN")?),
    };
    let client = Client::new(&args.url, token, Duration::from_secs(args.patience));
    let mut mirror = Mirror::open(&args.mirror)?;
    if let (Some(csv), Some(as_of)) = (&args.csv, &args.as_of) {
        let sending = Sending { csv, as_of, items: args.items.into() };
        let (counts, bad) = push(&client, &mut mirror, sending).await?;
        for row in &bad {
            println!("ligne {} ({}) : {}", row.line, row.id, row.reason);
        }
        let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        println!("{} ; {} lignes non prises", counts.join(", "), bad.len());
    }
    loop {
        let changes = follow(&client, &mut mirror).await?;
        println!("{changes} changements, {} actions dans le miroir", mirror.rows()?.len());
        let Some(seconds) = args.watch else { return Ok(()) };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }
}
