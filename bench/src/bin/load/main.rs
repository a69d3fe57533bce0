//! Puts load on the product and on the bare limit in turn, after checking that they answer or write the same, and
//! prints what each request costs.

mod client;
mod imports;
mod measure;
mod overload;
mod process;
mod scenario;
mod table;
mod writes;

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use measure::{Effort, Rounds, Side};
use process::Process;
use scenario::{Scenario, Servers, Target};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Reads.
    Documents,
    /// Single writes.
    Writes,
    /// Imports.
    Imports,
    /// What is answered when more is asked than can be served.
    Overload,
}

/// Compare the product with the bare limit
#[derive(Debug, Parser)]
struct Args {
    /// Address of the product
    #[arg(long)]
    product: SocketAddr,
    /// Its process
    #[arg(long)]
    product_pid: u32,
    /// Address of the limit; without it the product is measured alone
    #[arg(long, requires = "limit_pid")]
    limit: Option<SocketAddr>,
    /// Its process
    #[arg(long)]
    limit_pid: Option<u32>,
    /// First process of PostgreSQL; without it the database is taken as part of the server
    #[arg(long)]
    postgres_pid: Option<u32>,
    /// An access token that reads every row
    #[arg(long)]
    token: String,
    /// Seconds of a round
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Rounds of each server, for each document and concurrency
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// What to measure
    #[arg(long, value_enum, default_value_t = Part::Documents)]
    part: Part,
    /// Upload so many lines to the product, and measure its memory
    #[arg(long, requires = "import_token")]
    lines: Option<usize>,
    /// An access token of a partner's system, for imports
    #[arg(long)]
    import_token: Option<String>,
    /// Seconds after which the journal is sealed, before writes without journal are measured
    #[arg(long, default_value_t = 6.0)]
    settle: f64,
    /// Requests under way at once
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32])]
    concurrency: Vec<usize>,
    /// Actions before the deep page
    #[arg(long, default_value_t = 200_000)]
    depth: usize,
    /// Say which targets are met
    #[arg(long)]
    targets: bool,
    /// Measure only documents or writes whose name holds this text
    #[arg(long, default_value = "")]
    only: String,
}

impl Args {
    fn effort(&self) -> Effort {
        Effort { rounds: self.rounds, time: Duration::from_secs_f64(self.seconds) }
    }

    fn database(&self) -> Option<Process> {
        self.postgres_pid.map(Process)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let servers = Servers { product: args.product, limit: args.limit, token: args.token.clone() };
    if let Some(lines) = args.lines {
        return imports::upload(&args, &servers, lines).await;
    }
    match args.part {
        Part::Documents => print_documents(&args, &servers).await?,
        Part::Writes => writes::print(&args, &servers).await?,
        Part::Imports => imports::print(&args, &servers).await?,
        Part::Overload => return overload::print(&args, &servers).await,
    }
    println!("\nLoad average {}.", process::load_average()?);
    println!(
        "{}",
        table::memory(
            "product",
            Process(args.product_pid).memory()?,
            args.targets && args.part == Part::Documents
        )
    );
    if let Some(pid) = args.limit_pid {
        println!("{}", table::memory("limit", Process(pid).memory()?, false));
    }
    Ok(())
}

async fn print_documents(args: &Args, servers: &Servers) -> anyhow::Result<()> {
    let mut scenarios = scenario::all(servers, args.depth).await?;
    for scenario in &scenarios {
        scenario.check().await?;
    }
    if servers.limit.is_some() {
        println!(
            "Product and limit answer the same. Product / limit, load average {}:\n",
            process::load_average()?
        );
    }
    scenarios.retain(|scenario| scenario.name.contains(&args.only));
    print_results(args, &scenarios).await
}

async fn print_results(args: &Args, scenarios: &[Scenario]) -> anyhow::Result<()> {
    println!("{}", table::HEAD);
    for &connections in &args.concurrency {
        let mut done: Vec<(&str, Rounds)> = Vec::new();
        for scenario in scenarios {
            let connections = connections.min(scenario.at_most);
            let target = if args.targets { scenario.target } else { Target::None };
            let mut rounds =
                measure::measure(&sides(args, scenario), args.database(), connections, args.effort())
                    .await?
                    .into_iter();
            let (product, limit) = (rounds.next().unwrap_or_default(), rounds.next().unwrap_or_default());
            let compared = match target {
                Target::Of(other, _) => {
                    done.iter().find(|(name, _)| *name == other).map(|(_, rounds)| rounds)
                }
                _ => None,
            };
            println!("{}", table::line(scenario.name, connections, (&product, &limit), compared, target));
            done.push((scenario.name, product));
        }
    }
    Ok(())
}

/// The product, and the limit where there is one.
fn sides(args: &Args, scenario: &Scenario) -> Vec<Side> {
    let side = |script, pid| Side { script, server: Process(pid), helper: None, pause: Duration::ZERO };
    let (product, limit) = scenario.scripts();
    let limit = limit.zip(args.limit_pid);
    std::iter::once((product, args.product_pid)).chain(limit).map(|(script, pid)| side(script, pid)).collect()
}
