//! Rounds of load, product and limit in turn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::client::{self, Latencies, Script};
use crate::process::Process;

/// What is compared: a server under its load.
#[derive(Clone)]
pub struct Side {
    /// The load.
    pub script: Arc<dyn Script>,
    /// The server.
    pub server: Process,
    /// Another server that works for this one in the background; its CPU time is counted apart.
    pub helper: Option<Process>,
    /// How long to wait before a round, so that work left in the background by others is done.
    pub pause: Duration,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds of each server.
    pub rounds: usize,
    /// Length of one.
    pub time: Duration,
}

/// What one server did in one round.
#[derive(Clone, Debug)]
pub struct Round {
    latencies: Latencies,
    time: Duration,
    cpu: Cpu,
}

/// CPU time of a server, its helper and the database.
#[derive(Clone, Copy, Debug)]
struct Cpu {
    server: Duration,
    helper: Duration,
    database: Duration,
}

impl Round {
    /// CPU time per request, of server and database.
    pub fn cost(&self) -> f64 {
        self.per_request(self.cpu.server + self.cpu.database)
    }

    /// Requests per second.
    pub fn rate(&self) -> f64 {
        self.per_request(self.time).recip()
    }

    fn per_request(&self, time: Duration) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
        let count = self.latencies.count().max(1) as f64;
        time.as_secs_f64() / count
    }
}

/// The rounds of one server.
#[derive(Clone, Debug, Default)]
pub struct Rounds(pub Vec<Round>);

impl Rounds {
    /// Requests per second.
    pub fn rate(&self) -> f64 {
        median(self.0.iter().map(Round::rate))
    }

    /// CPU seconds per request of the server.
    pub fn server(&self) -> f64 {
        median(self.0.iter().map(|round| round.per_request(round.cpu.server)))
    }

    /// CPU seconds per request of the server's helper, over all rounds: it does not work in each of them.
    pub fn helper(&self) -> f64 {
        let used: Duration = self.0.iter().map(|round| round.cpu.helper).sum();
        let count: usize = self.0.iter().map(|round| round.latencies.count()).sum();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 requests")]
        let count = count.max(1) as f64;
        used.as_secs_f64() / count
    }

    /// CPU seconds per request of the database.
    pub fn database(&self) -> f64 {
        median(self.0.iter().map(|round| round.per_request(round.cpu.database)))
    }

    /// The latencies of all rounds.
    pub fn latencies(&self) -> Latencies {
        Latencies::merged(self.0.iter().map(|round| round.latencies.clone()))
    }
}

/// The median; 0 of nothing.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Measures each side with so many callers at once; `database` is PostgreSQL's first process, parent of all its
/// others. Who goes first changes with each round.
pub async fn measure(
    sides: &[Side],
    database: Option<Process>,
    callers: usize,
    effort: Effort,
) -> anyhow::Result<Vec<Rounds>> {
    for side in sides {
        // caches of plans and documents fill before
        client::run(&side.script, callers, effort.time / 2).await?;
    }
    let mut rounds = vec![Rounds::default(); sides.len()];
    for round in 0..effort.rounds {
        for turn in 0..sides.len() {
            let place = (round + turn) % sides.len();
            rounds[place].0.push(sides[place].round(database, callers, effort.time).await?);
        }
    }
    Ok(rounds)
}

impl Side {
    async fn round(
        &self,
        database: Option<Process>,
        callers: usize,
        time: Duration,
    ) -> anyhow::Result<Round> {
        tokio::time::sleep(self.pause).await;
        let (start, before) = (Instant::now(), self.used(database)?);
        let latencies = client::run(&self.script, callers, time).await?;
        let (time, after) = (start.elapsed(), self.used(database)?);
        let cpu = Cpu {
            server: after.server.saturating_sub(before.server),
            helper: after.helper.saturating_sub(before.helper),
            database: after.database.saturating_sub(before.database),
        };
        Ok(Round { latencies, time, cpu })
    }

    fn used(&self, database: Option<Process>) -> anyhow::Result<Cpu> {
        Ok(Cpu {
            server: self.server.cpu()?,
            helper: self.helper.map(Process::cpu).transpose()?.unwrap_or_default(),
            database: database.map(Process::cpu_with_children).transpose()?.unwrap_or_default(),
        })
    }
}
