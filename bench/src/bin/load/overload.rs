//! More than can be served: an expensive document is asked at multiples of the rate that can be answered, whether the
//! answers come or not, while a cheap one and the health check are asked now and then.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::Args;
use crate::client::{self, Connection, Request};
use crate::scenario::{self, Servers};

/// Who waits longer has gone.
const IN_TIME: Duration = Duration::from_secs(5);

/// Connections that are kept, at most; a request that finds none free is not sent.
const CONNECTIONS: usize = 1_024;

/// Multiples of what can be served that are asked for.
const MULTIPLES: [f64; 4] = [0.8, 1.0, 2.0, 4.0];

/// Cheap requests each second, beside.
const BESIDE: f64 = 50.0;

/// Share of the best rate that must still be answered at the highest multiple.
const GOODPUT: f64 = 0.8;

/// Measures, and prints what was answered.
pub async fn print(args: &Args, servers: &Servers) -> anyhow::Result<()> {
    let mut scenarios = scenario::all(servers, args.depth).await?.into_iter();
    let mut named = |name: &str| {
        let found = scenarios.by_ref().find(|scenario| scenario.name == name);
        found.map(|scenario| scenario.product).with_context(|| format!("no document {name}"))
    };
    let (expensive, cheap) = (named("SiteCards")?, named("action by id")?);
    let health = Request::get(servers.product, "/health/ready");
    let time = Duration::from_secs_f64(args.seconds);
    let script: Arc<dyn client::Script> = Arc::new(client::Repeated::new(expensive.clone()));
    let full = per_second(client::run(&script, 32, time).await?.count(), time);
    println!("SiteCards, {full:.0} a second with 32 callers who wait for their answers.\n");
    println!(
        "| Asked a second | Answered in time | Turned away | Late or not sent | p50 / p99 ms | Beside: by id answered, p99 ms | Health answered, p99 ms |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut rates = Vec::new();
    for multiple in MULTIPLES {
        let (main, by_id, ready) = tokio::try_join!(
            ask(&expensive, full * multiple, time),
            ask(&cheap, BESIDE, time),
            ask(&health, BESIDE / 5.0, time),
        )?;
        let rate = per_second(main.answered.len(), time);
        println!(
            "| {:.0} ({multiple} ×) | {rate:.0} | {:.0} | {:.0} | {:.0} / {:.0} | {} | {} |",
            per_second(main.asked, time),
            per_second(main.refused, time),
            per_second(main.asked - main.refused - main.answered.len(), time),
            millis(main.percentile(0.5)),
            millis(main.percentile(0.99)),
            beside(&by_id),
            beside(&ready),
        );
        rates.push(rate);
    }
    let best = rates.iter().copied().fold(full, f64::max);
    let share = rates.last().copied().unwrap_or_default() / best;
    let verdict = if share >= GOODPUT { "met" } else { "**missed**" };
    println!("\nAt {} times as much: {share:.2} of the best rate, ≥ {GOODPUT}: {verdict}.", MULTIPLES[3]);
    Ok(())
}

/// What became of requests.
#[derive(Debug, Default)]
struct Told {
    asked: usize,
    /// Turned away by 503.
    refused: usize,
    /// How long those took that were answered in time.
    answered: Vec<Duration>,
}

impl Told {
    fn percentile(&self, share: f64) -> Duration {
        let mut sorted = self.answered.clone();
        sorted.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a position in a list in memory"
        )]
        let position = (sorted.len() as f64 * share) as usize;
        sorted.get(position.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

fn beside(told: &Told) -> String {
    format!("{} of {}, {:.0}", told.answered.len(), told.asked, millis(told.percentile(0.99)))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "a number of requests")]
fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// Sends a request so many times a second, whatever becomes of those before.
async fn ask(request: &Request, rate: f64, time: Duration) -> anyhow::Result<Told> {
    let free: Arc<Mutex<Vec<Connection>>> = Arc::default();
    let told: Arc<Mutex<Told>> = Arc::default();
    let mut under_way = JoinSet::new();
    let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let end = Instant::now() + time;
    while Instant::now() < end {
        ticks.tick().await;
        told.lock().await.asked += 1;
        while under_way.try_join_next().is_some() {}
        if under_way.len() >= CONNECTIONS {
            continue;
        }
        let (request, free, told) = (request.clone(), Arc::clone(&free), Arc::clone(&told));
        under_way.spawn(async move {
            let begun = Instant::now();
            let kept = free.lock().await.pop();
            let exchange = async {
                let mut connection = match kept {
                    Some(connection) => connection,
                    None => Connection::open(request.address).await?,
                };
                connection.answered(&request).await?;
                anyhow::Ok(connection)
            };
            // one that is late is broken off, as its caller would do
            let Ok(Ok(connection)) = timeout(IN_TIME, exchange).await else { return };
            let mut told = told.lock().await;
            if connection.is_ok() {
                told.answered.push(begun.elapsed());
            } else {
                told.refused += 1;
            }
            free.lock().await.push(connection);
        });
    }
    while under_way.join_next().await.is_some() {}
    let told = std::mem::take(&mut *told.lock().await);
    Ok(told)
}
