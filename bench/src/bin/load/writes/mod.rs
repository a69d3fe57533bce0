//! Writes: the product, the limit, and the limit without journal, each caller on rows of its own.
//!
//! The product seals the journal in the background, entries of the limit too: the CPU that it uses while the limit
//! is measured is what the chain costs.

mod check;
mod script;
mod table;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use crate::Args;
use crate::client::Script;
use crate::measure::{self, Side};
use crate::process::{self, Process};
use crate::scenario::Servers;
use script::{Creations, Updates, Writer, Written};

/// Measures writes, and prints what they cost.
pub async fn print(args: &Args, servers: &Servers) -> anyhow::Result<()> {
    let address = servers.limit.context("writes are compared with the limit's")?;
    let writers = [
        Writer::Product(servers.clone()),
        Writer::Limit { address, journal: true },
        Writer::Limit { address, journal: false },
    ];
    check::same(servers, &writers).await?;
    println!(
        "Product and limit write the same. Product / limit / limit without journal, load average {}:\n\n{}",
        process::load_average()?,
        table::HEAD
    );
    let (before, written) = (check::totals(servers).await?, Arc::new(Written::default()));
    let callers = args.concurrency.iter().copied().max().unwrap_or(1);
    let updates = Updates::of(&writers, servers, callers, &written).await?;
    let creations = Creations::of(&writers, servers, &written).await?;
    for (name, scripts) in [("updateAction", updates), ("createAction", creations)] {
        for &callers in args.concurrency.iter().filter(|_| name.contains(&args.only)) {
            let sides = sides(args, &writers, &scripts)?;
            let rounds = measure::measure(&sides, args.database(), callers, args.effort()).await?;
            println!("{}", table::line(name, callers, &rounds, args.targets));
        }
    }
    check::kept(&before, &check::totals(servers).await?, &written)
}

fn sides(args: &Args, writers: &[Writer], scripts: &[Arc<dyn Script>]) -> anyhow::Result<Vec<Side>> {
    let product = Process(args.product_pid);
    let limit = Process(args.limit_pid.context("no process of the limit")?);
    let side = |(writer, script): (&Writer, &Arc<dyn Script>)| {
        let (server, helper) = match writer {
            Writer::Product(_) => (product, None),
            Writer::Limit { .. } => (limit, Some(product)),
        };
        // what others journaled is sealed before
        let pause = if writer.journals() { Duration::ZERO } else { Duration::from_secs_f64(args.settle) };
        Side { script: Arc::clone(script), server, helper, pause }
    };
    Ok(writers.iter().zip(scripts).map(side).collect())
}
