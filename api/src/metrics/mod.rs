//! What the operator watches: how much is asked, how long it takes, what goes wrong, what waits.
//!
//! `operations` counts by operation, `gauges` looks at what stands when it is asked. What is counted on the way of every
//! request is found before and costs a few atomic additions; the library takes a lock for the rest, which is rare.

mod gauges;
mod operations;

use std::sync::OnceLock;

use prometheus::core::Collector;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry, Result, TextEncoder};

pub use self::operations::{Counted, Ended, Operations, type_name};
use crate::db::replica::Source;
use crate::error::Code;
use crate::http::Route;

/// The metrics of one server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// By operation.
    pub operations: Operations,
    requests: IntCounterVec,
    /// Those answered 200, by route.
    good: Vec<IntCounter>,
    errors: IntCounterVec,
    mutations: IntCounterVec,
    import_items: IntCounterVec,
    exports: IntCounterVec,
    deliveries: IntCounterVec,
    reads: IntCounterVec,
    /// The same by [`Source`], once there is a replica.
    reads_of: OnceLock<Vec<IntCounter>>,
    /// Changes told to those who follow them live.
    pub changes: IntCounter,
    gauges: gauges::Gauges,
}

/// What becomes of a delivery.
const DELIVERIES: [&str; 5] = ["taken", "status", "timeout", "unreachable", "not_allowed"];

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Result<Self> {
        let registry = Registry::new();
        let operations = Operations::new(&registry)?;
        let requests = family(&registry, "http_requests_total", "Requests answered.", &["route", "status"])?;
        let good = Route::ALL.map(|route| requests.get_metric_with_label_values(&[route.pattern(), "200"]));
        let errors = family(&registry, "errors_total", "Errors in answers to operations.", &["code"])?;
        for (code, ..) in Code::ALL {
            errors.get_metric_with_label_values(&[code.name()])?;
        }
        let deliveries = "Attempts to deliver to webhooks: taken, status, timeout, unreachable, not_allowed.";
        let deliveries = family(&registry, "webhook_deliveries_total", deliveries, &["outcome"])?;
        // an alert compares them: it would say nothing where none was ever taken
        for outcome in DELIVERIES {
            deliveries.get_metric_with_label_values(&[outcome])?;
        }
        let build = family(&registry, "build_info", "1, with the version that runs.", &["version"])?;
        build.get_metric_with_label_values(&[env!("CARGO_PKG_VERSION")])?.inc();
        let mutations = "Mutations by what became of them: written, tried, replayed, refused, failed.";
        let items = "Items of imports that were written, by outcome.";
        let exports = "Exports by how they ended: finished, left, stalled, failed, revoked, late.";
        let reads = "Reads of queries where there is a replica, by the server they came from, and why.";
        let changes = IntCounter::new("cites_live_changes_total", "Changes told to live streams.")?;
        Ok(Self {
            requests,
            good: good.into_iter().collect::<Result<_>>()?,
            errors,
            mutations: family(&registry, "mutations_total", mutations, &["mutation", "outcome"])?,
            import_items: family(&registry, "import_items_total", items, &["outcome"])?,
            exports: family(&registry, "exports_total", exports, &["outcome"])?,
            deliveries,
            reads: family(&registry, "reads_total", reads, &["server", "why"])?,
            reads_of: OnceLock::new(),
            changes: registered(&registry, changes)?,
            gauges: gauges::Gauges::new(&registry)?,
            operations,
            registry,
        })
    }

    /// A request was answered.
    pub fn request(&self, route: Route, status: &str) {
        match self.good.get(route as usize).filter(|_| status == "200") {
            Some(good) => good.inc(),
            None => add(&self.requests, &[route.pattern(), status], 1),
        }
    }

    /// An answer holds an error.
    pub fn error(&self, code: Code) {
        add(&self.errors, &[code.name()], 1);
    }

    /// A mutation has ended.
    pub fn mutation(&self, name: &str, outcome: &str) {
        add(&self.mutations, &[name, outcome], 1);
    }

    /// An import was written.
    pub fn import_items(&self, outcome: &str, items: u64) {
        add(&self.import_items, &[outcome], items);
    }

    /// An export has ended.
    pub fn export(&self, outcome: &str) {
        add(&self.exports, &[outcome], 1);
    }

    /// A delivery to a webhook was tried.
    pub fn delivery(&self, outcome: &str) {
        add(&self.deliveries, &[outcome], 1);
    }

    /// A query was read, where there is a replica.
    pub fn read(&self, source: Source) {
        if let Some(reads) = self.reads_of().get(source as usize) {
            reads.inc();
        }
    }

    fn reads_of(&self) -> &[IntCounter] {
        self.reads_of.get_or_init(|| {
            let of = |(server, why)| self.reads.get_metric_with_label_values(&[server, why]).ok();
            Source::ALL.into_iter().filter_map(of).collect()
        })
    }

    /// All of them as text.
    fn text(&self) -> Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// A family of counters. Labels hold what is bounded: routes, codes, outcomes, never what a client makes up.
fn family(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec> {
    registered(registry, IntCounterVec::new(named(name, help), labels)?)
}

fn named(name: &str, help: &str) -> Opts {
    Opts::new(format!("cites_{name}"), help)
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> Result<C> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

/// As many labels are given as were declared: there is no other error.
fn add(family: &IntCounterVec, labels: &[&str], count: u64) {
    if let Ok(counter) = family.get_metric_with_label_values(labels) {
        counter.inc_by(count);
    }
}
