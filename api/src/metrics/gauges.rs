//! What stands at the moment of a scrape: connections, streams, exports, how far the feed is behind.

use chrono::TimeDelta;
use prometheus::{Gauge, GaugeVec, IntGauge, IntGaugeVec, Registry, Result};

use super::{named, registered};
use crate::db::Load;
use crate::graphql::Engine;
use crate::limits;

#[derive(Debug)]
pub(super) struct Gauges {
    connections: IntGaugeVec,
    most: IntGaugeVec,
    waiting: IntGaugeVec,
    in_turn: IntGaugeVec,
    streams: IntGauge,
    subscriptions: IntGauge,
    exports: IntGauge,
    lag: Gauge,
    /// Of a replica, if there is one.
    replica_lag: GaugeVec,
    replica_serves: IntGaugeVec,
    reachable: IntGauge,
}

impl Gauges {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let of_pool =
            |name, help, labels: &[&str]| registered(registry, IntGaugeVec::new(named(name, help), labels)?);
        let one = |name, help| registered(registry, IntGauge::with_opts(named(name, help))?);
        let lag = "Age of the oldest change that those who follow could not be told of yet; NaN when the database \
                   does not say.";
        let behind = "How far the replica is behind at most; NaN while that is not known.";
        Ok(Self {
            connections: of_pool("db_connections", "Connections that are open.", &["pool", "state"])?,
            most: of_pool("db_connections_max", "Connections that may be open.", &["pool"])?,
            waiting: of_pool("db_waiting", "Requests that wait for a connection.", &["pool"])?,
            in_turn: of_pool("operations_waiting", "Operations that wait for their turn.", &["class"])?,
            streams: one("live_streams", "WebSockets and event streams that are open.")?,
            subscriptions: one("live_subscriptions", "Subscriptions under way.")?,
            exports: one("exports_under_way", "Exports under way.")?,
            lag: registered(registry, Gauge::with_opts(named("feed_lag_seconds", lag))?)?,
            replica_lag: registered(registry, GaugeVec::new(named("replica_lag_seconds", behind), &[])?)?,
            replica_serves: of_pool(
                "replica_serves",
                "1 while reads may come from the replica, else 0.",
                &[],
            )?,
            reachable: one("database_reachable", "1 when the database answered this scrape, else 0.")?,
        })
    }

    fn pool(&self, pool: &str, load: Load) -> Result<()> {
        let set = |gauges: &IntGaugeVec, labels: &[&str], count: usize| {
            gauges.get_metric_with_label_values(labels).map(|gauge| gauge.set(whole(count)))
        };
        set(&self.connections, &[pool, "idle"], load.idle)?;
        set(&self.connections, &[pool, "used"], load.open.saturating_sub(load.idle))?;
        set(&self.most, &[pool], load.most)?;
        set(&self.waiting, &[pool], load.waiting)
    }

    fn replica(&self, engine: &Engine) -> Result<()> {
        let Some(replica) = &engine.db.replica else { return Ok(()) };
        // those that have not been are told as 0
        engine.metrics.reads_of();
        let now = engine.now();
        let lag = replica.lag(now).map_or(f64::NAN, TimeDelta::as_seconds_f64);
        self.replica_lag.get_metric_with_label_values::<&str>(&[])?.set(lag);
        let serves = self.replica_serves.get_metric_with_label_values::<&str>(&[])?;
        serves.set(replica.serves(now).into());
        Ok(())
    }

    async fn look(&self, engine: &Engine, streams: usize) -> Result<()> {
        for (pool, load) in engine.db.loads() {
            self.pool(pool, load)?;
        }
        for (class, waiting) in engine.admission.waiting() {
            self.in_turn.get_metric_with_label_values(&[class])?.set(waiting.into());
        }
        self.streams.set(whole(streams));
        self.subscriptions.set(whole(engine.hub.subscribers()));
        self.exports.set(whole(engine.exports.under_way()));
        let oldest = tokio::time::timeout(limits::SCRAPE_WAIT, engine.hub.oldest_untold(&engine.db)).await;
        let lag = match &oldest {
            Ok(Ok(Some(at))) => (engine.now() - *at).as_seconds_f64().max(0.0),
            Ok(Ok(None)) => 0.0,
            Ok(Err(_)) | Err(_) => f64::NAN,
        };
        self.lag.set(lag);
        self.replica(engine)?;
        self.reachable.set(i64::from(matches!(oldest, Ok(Ok(_)))));
        Ok(())
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Engine {
    /// The metrics of this server as text, in the format of Prometheus. How many streams are open, HTTP knows.
    pub async fn scrape(&self, streams: usize) -> Result<String> {
        self.metrics.gauges.look(self, streams).await?;
        self.metrics.text()
    }
}
