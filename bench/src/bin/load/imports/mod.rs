//! Imports: batches of items that are new, changed in one of five, or unchanged, by the product's two ways and by the
//! limit; and one upload of many lines.

mod check;
mod items;
mod script;
mod table;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use crate::Args;
use crate::client::Script;
use crate::measure::{self, Side};
use crate::process::{self, Process};
use crate::scenario::Servers;
use items::Ground;
use script::{Batches, Importer, Kind};

/// Items of a batch.
pub const ITEMS: usize = 1_000;

/// Measures imports, and prints what they cost.
pub async fn print(args: &Args, servers: &Servers) -> anyhow::Result<()> {
    let ground = Arc::new(Ground::find(servers).await?);
    let token = args.import_token.clone().context("imports need a partner system's token")?;
    let mut importers = vec![Importer::product(servers, &token), Importer::lines(servers, &token)];
    importers.extend(servers.limit.map(Importer::limit));
    ground.seat(&importers[0]).await?;
    check::same(servers, &ground, &importers).await?;
    println!(
        "All write the same. syncActions / import/actions / limit, batches of {ITEMS}, load average {}:\n\n{}",
        process::load_average()?,
        table::HEAD
    );
    for kind in Kind::ALL {
        for &callers in args.concurrency.iter().filter(|_| kind.name().contains(&args.only)) {
            let mut sides = Vec::new();
            for importer in &importers {
                let batches = Batches::of(importer, &ground, kind, callers).await?;
                sides.push(side(args, importer, Arc::new(batches))?);
            }
            let rounds = measure::measure(&sides, args.database(), callers, args.effort()).await?;
            println!("{}", table::line(kind.name(), callers, &rounds, args.targets));
        }
    }
    Ok(())
}

fn side(args: &Args, importer: &Importer, script: Arc<dyn Script>) -> anyhow::Result<Side> {
    let product = Process(args.product_pid);
    let (server, helper) = if importer.is_product() {
        (product, None)
    } else {
        (Process(args.limit_pid.context("no process of the limit")?), Some(product))
    };
    Ok(Side { script, server, helper, pause: Duration::ZERO })
}

/// Uploads so many lines to a product that has done nothing before, and prints what memory that took.
pub async fn upload(args: &Args, servers: &Servers, lines: usize) -> anyhow::Result<()> {
    let ground = Ground::find(servers).await?;
    let token = args.import_token.as_ref().context("imports need a partner system's token")?;
    let product = Process(args.product_pid);
    let before = product.memory()?;
    let time = upload::send(servers.product, token, &ground, lines).await?;
    println!("{}", table::upload(lines, time, before, product.memory()?, args.targets));
    Ok(())
}
