//! Operations by name. Clients choose the names, so there is room for a fixed number of them, and callers without a token
//! take none: they are counted under a name that is known, or as `other`.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Registry, Result};

use super::{family, registered};
use crate::limits;

/// Places for names: more than there may be, so that a search ends soon.
const PLACES: usize = limits::OPERATION_NAMES * 2;

/// Seconds that tell a read from memory, a read from a disk and a long import apart.
const SECONDS: [f64; 13] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

const LABELS: [&str; 2] = ["operation", "type"];

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With data and no error.
    Well,
    /// With errors beside its data.
    WithErrors,
    /// It was not executed.
    Refused,
}

/// What operations of one name came to.
#[derive(Debug)]
pub struct Counted {
    seconds: Histogram,
    /// In the order of [`Ended`].
    ended: [IntCounter; 3],
    requested: IntCounter,
    actual: IntCounter,
    rows: IntCounter,
    statements: IntCounter,
}

impl Counted {
    /// One has ended.
    pub fn end(&self, took: Duration, ended: Ended) {
        self.seconds.observe(took.as_secs_f64());
        self.ended[ended as usize].inc();
    }

    /// It asked for points, and came to points, rows and statements.
    pub fn cost(&self, requested: u64, actual: u64, rows: u64, statements: u64) {
        self.requested.inc_by(requested);
        self.actual.inc_by(actual);
        self.rows.inc_by(rows);
        self.statements.inc_by(statements);
    }
}

/// All operations.
#[derive(Debug)]
pub struct Operations {
    families: Families,
    unread: Counted,
    /// By type, as the next.
    anonymous: [Counted; 3],
    other: [Counted; 3],
    /// Found by hash, then on from there; a place that is taken stays so, which needs no lock.
    named: Box<[OnceLock<Named>]>,
    taken: AtomicUsize,
    hasher: RandomState,
}

#[derive(Debug)]
struct Named {
    name: Box<str>,
    ty: OperationType,
    counted: Counted,
}

impl Operations {
    /// None yet.
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let families = Families::new(registry)?;
        let of_types = |name| -> Result<[Counted; 3]> {
            Ok([
                families.of(name, "query")?,
                families.of(name, "mutation")?,
                families.of(name, "subscription")?,
            ])
        };
        Ok(Self {
            unread: families.of("unread", "none")?,
            anonymous: of_types("anonymous")?,
            other: of_types("other")?,
            named: (0..PLACES).map(|_| OnceLock::new()).collect(),
            taken: AtomicUsize::new(0),
            hasher: RandomState::new(),
            families,
        })
    }

    /// What could not be read, or holds no operation to run.
    pub const fn unread(&self) -> &Counted {
        &self.unread
    }

    /// An operation, under its name if that is known, or `may_name` and there is room.
    pub fn of(&self, name: Option<&str>, ty: OperationType, may_name: bool) -> &Counted {
        let Some(name) = name else { return &self.anonymous[place(ty)] };
        let hash = self.hasher.hash_one(name);
        #[expect(clippy::cast_possible_truncation, reason = "any part of a hash will do")]
        let begin = hash as usize;
        for step in 0..PLACES {
            let Some(place) = self.named.get(begin.wrapping_add(step) % PLACES) else { break };
            if place.get().is_none() && !(may_name && self.take(place, name, ty)) {
                break;
            }
            if let Some(known) = place.get().filter(|known| known.ty == ty && *known.name == *name) {
                return &known.counted;
            }
        }
        &self.other[place(ty)]
    }

    /// Gives a place to a name, unless another was quicker; false when there is no room.
    fn take(&self, place: &OnceLock<Named>, name: &str, ty: OperationType) -> bool {
        if name.len() > limits::OPERATION_NAME_BYTES
            || self.taken.fetch_add(1, Ordering::Relaxed) >= limits::OPERATION_NAMES
        {
            return false;
        }
        let Ok(counted) = self.families.of(name, type_name(ty)) else { return false };
        place.get_or_init(|| Named { name: name.into(), ty, counted });
        true
    }
}

const fn place(ty: OperationType) -> usize {
    match ty {
        OperationType::Query => 0,
        OperationType::Mutation => 1,
        OperationType::Subscription => 2,
    }
}

/// A type of operations, as GraphQL writes it.
pub const fn type_name(ty: OperationType) -> &'static str {
    match ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

#[derive(Debug)]
struct Families {
    seconds: HistogramVec,
    ended: IntCounterVec,
    points: IntCounterVec,
    rows: IntCounterVec,
    statements: IntCounterVec,
}

impl Families {
    fn new(registry: &Registry) -> Result<Self> {
        let seconds = HistogramOpts::new(
            "cites_operation_duration_seconds",
            "Time from an operation that was received whole to its answer.",
        );
        let seconds = HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &LABELS)?;
        let ended = "Operations by how they ended: ok, errors (beside data), refused (not executed).";
        let points = "Points that operations asked for and came to (docs/limits.md).";
        let of = |name, help, label| family(registry, name, help, &[LABELS[0], LABELS[1], label]);
        Ok(Self {
            seconds: registered(registry, seconds)?,
            ended: of("operations_total", ended, "outcome")?,
            points: of("operation_points_total", points, "kind")?,
            rows: family(registry, "operation_rows_total", "Rows that operations read.", &LABELS)?,
            statements: family(
                registry,
                "operation_statements_total",
                "Statements by which operations read.",
                &LABELS,
            )?,
        })
    }

    fn of(&self, name: &str, ty: &str) -> Result<Counted> {
        let ended = |outcome| self.ended.get_metric_with_label_values(&[name, ty, outcome]);
        let points = |kind| self.points.get_metric_with_label_values(&[name, ty, kind]);
        Ok(Counted {
            seconds: self.seconds.get_metric_with_label_values(&[name, ty])?,
            ended: [ended("ok")?, ended("errors")?, ended("refused")?],
            requested: points("requested")?,
            actual: points("actual")?,
            rows: self.rows.get_metric_with_label_values(&[name, ty])?,
            statements: self.statements.get_metric_with_label_values(&[name, ty])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations() -> Operations {
        Operations::new(&Registry::new()).unwrap()
    }

    fn is(one: &Counted, other: &Counted) -> bool {
        std::ptr::eq(one, other)
    }

    #[test]
    fn a_name_is_known_once_somebody_may_name_it() {
        let operations = operations();
        let of = |name, ty, may_name| operations.of(Some(name), ty, may_name);
        let other = &operations.other;
        assert!(is(of("A", OperationType::Query, false), &other[0]));
        let known = of("A", OperationType::Query, true);
        assert!(is(of("A", OperationType::Query, false), known) && !is(known, &other[0]));
        assert!(is(of("A", OperationType::Mutation, false), &other[1]), "of another type it is another");
        assert!(is(operations.of(None, OperationType::Query, true), &operations.anonymous[0]));
        let long = "A".repeat(limits::OPERATION_NAME_BYTES + 1);
        assert!(is(of(&long, OperationType::Query, true), &other[0]));
    }

    #[test]
    fn there_is_room_for_so_many_names_and_those_that_are_known_stay() {
        let operations = operations();
        let of = |number: usize| operations.of(Some(&format!("N{number}")), OperationType::Query, true);
        let known: Vec<&Counted> = (0..limits::OPERATION_NAMES).map(of).collect();
        assert!(known.iter().all(|known| !is(known, &operations.other[0])));
        for number in limits::OPERATION_NAMES..3 * PLACES {
            assert!(is(of(number), &operations.other[0]), "{number}");
        }
        assert!(known.iter().enumerate().all(|(number, known)| is(of(number), known)));
    }
}
