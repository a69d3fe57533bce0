//! Rounds of load, product and limit in turn.

use std::time::{Duration, Instant};

use crate::client::{self, Latencies, Request};
use crate::process::Process;
use crate::scenario::Scenario;

/// The processes whose CPU time is counted.
#[derive(Clone, Copy, Debug)]
pub struct Processes {
    /// The product.
    pub product: Process,
    /// The limit, where there is one.
    pub limit: Option<Process>,
    /// PostgreSQL's first process, parent of all its others; none on SQLite.
    pub database: Option<Process>,
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
    server: Duration,
    database: Duration,
}

impl Round {
    /// CPU time per request, of server and database.
    pub fn cost(&self) -> f64 {
        self.per_request(self.server + self.database)
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
        median(self.0.iter().map(|round| round.per_request(round.time).recip()))
    }

    /// CPU seconds per request of the server.
    pub fn server(&self) -> f64 {
        median(self.0.iter().map(|round| round.per_request(round.server)))
    }

    /// CPU seconds per request of the database.
    pub fn database(&self) -> f64 {
        median(self.0.iter().map(|round| round.per_request(round.database)))
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

/// What a scenario costs at one concurrency.
#[derive(Clone, Debug)]
pub struct Result {
    /// The product's rounds.
    pub product: Rounds,
    /// The limit's, empty where there is none.
    pub limit: Rounds,
}

impl Processes {
    /// Measures a scenario over so many connections at once. Who goes first changes with each round.
    pub async fn measure(
        self,
        scenario: &Scenario,
        connections: usize,
        effort: Effort,
    ) -> anyhow::Result<Result> {
        let mut result = Result { product: Rounds::default(), limit: Rounds::default() };
        let limit = scenario.limit.as_ref().zip(self.limit);
        // caches of plans and documents fill before
        let warm_up = effort.time / 2;
        client::run(&scenario.product, connections, warm_up).await?;
        if let Some((request, _)) = limit {
            client::run(request, connections, warm_up).await?;
        }
        for round in 0..effort.rounds {
            for turn in 0..2 {
                if (round + turn) % 2 == 0 {
                    result
                        .product
                        .0
                        .push(self.round(&scenario.product, self.product, connections, effort.time).await?);
                } else if let Some((request, process)) = limit {
                    result.limit.0.push(self.round(request, process, connections, effort.time).await?);
                }
            }
        }
        Ok(result)
    }

    async fn round(
        self,
        request: &Request,
        server: Process,
        connections: usize,
        time: Duration,
    ) -> anyhow::Result<Round> {
        let used = || -> anyhow::Result<(Duration, Duration)> {
            let database = self.database.map(Process::cpu_with_children).transpose()?;
            Ok((server.cpu()?, database.unwrap_or_default()))
        };
        let (start, before) = (Instant::now(), used()?);
        let latencies = client::run(request, connections, time).await?;
        let (time, after) = (start.elapsed(), used()?);
        let server = after.0.saturating_sub(before.0);
        Ok(Round { latencies, time, server, database: after.1.saturating_sub(before.1) })
    }
}
