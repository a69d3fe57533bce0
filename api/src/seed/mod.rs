//! A large invented set for benches: the same rows for the same seed, of the source system `SEED`.

mod actions;
mod ground;
mod partners;
mod words;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{action, action_partner, action_qpv, figure, partner, seat};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use uuid::{Builder, Uuid};

use crate::clock::Clock;
use crate::db::Db;
use crate::ingest::insert;
use ground::Ground;

/// Source system of every seeded row.
const SYSTEM: &str = "SEED";

/// Actions made before they are written: bounds the memory.
const BATCH: usize = 5_000;

/// First instant at which a seeded row may have been written, 1 September 2020.
const OPENING: i64 = 1_598_918_400;

/// Days in which seeded rows were written: until 31 December 2024.
const DAYS: i64 = 1_582;

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeedReport {
    /// Actions.
    pub actions: u64,
    /// Links of actions and QPV.
    pub action_qpvs: u64,
    /// Links of actions and partners, leads apart.
    pub action_partners: u64,
    /// Counts of beneficiaries.
    pub figures: u64,
    /// Partners.
    pub partners: u64,
    /// Seats of these partners.
    pub seats: u64,
}

impl fmt::Display for SeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} actions ({} QPV, {} partners, {} counts of beneficiaries), {} partners with {} seats",
            self.actions, self.action_qpvs, self.action_partners, self.figures, self.partners, self.seats
        )
    }
}

/// Why nothing was seeded.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Rows of an earlier seeding are there.
    #[error("the database has seeded rows already; seed a new one")]
    AlreadySeeded,
    /// There is no site to give actions to.
    #[error("the database has no site; load the data first (cites ingest)")]
    NoSite,
    /// There are actions to make and nobody to lead them.
    #[error("actions need partners: ask for at least one per site, {0} here")]
    TooFewPartners(usize),
    /// The database refused.
    #[error("the seeded rows could not be written: {0}")]
    Database(#[from] DbErr),
}

/// Makes partners with seats, and actions, spread over all sites with a few much larger than the others.
///
/// The rows depend on the counts, the seed and the sites only; the clock keeps their times out of the future.
/// Everything is written in one transaction.
///
/// # Errors
/// A database without sites or with seeded rows, fewer partners than sites, or a failing database.
pub async fn seed(
    db: &Db,
    clock: &dyn Clock,
    actions: u64,
    partners: u64,
    seed: u64,
) -> Result<SeedReport, SeedError> {
    let tx = db.begin_write().await?;
    let seeded = partner::Entity::find().filter(partner::Column::SourceSystem.eq(SYSTEM)).one(&tx).await?;
    if seeded.is_some() {
        return Err(SeedError::AlreadySeeded);
    }
    let mut dice = Dice { rng: StdRng::seed_from_u64(seed), now: clock.now() };
    let mut ground = Ground::read(&tx, &mut dice).await?;
    if actions > 0 && partners < ground.sites.len() as u64 {
        return Err(SeedError::TooFewPartners(ground.sites.len()));
    }
    let mut report = SeedReport::default();
    let (rows, seats) = partners::make(&mut dice, &mut ground, partners);
    report.partners += insert::<partner::Entity, _>(&tx, rows).await?;
    report.seats += insert::<seat::Entity, _>(&tx, seats).await?;
    for first in (0..actions).step_by(BATCH) {
        let made = actions::make(&mut dice, &ground, first..actions.min(first + BATCH as u64));
        report.actions += insert::<action::Entity, _>(&tx, made.actions).await?;
        report.action_qpvs += insert::<action_qpv::Entity, _>(&tx, made.qpvs).await?;
        report.action_partners += insert::<action_partner::Entity, _>(&tx, made.partners).await?;
        report.figures += insert::<figure::Entity, _>(&tx, made.figures).await?;
    }
    tx.commit().await?;
    // Without fresh statistics the first queries on a large new table are planned blindly.
    db.writer.execute_unprepared("ANALYZE").await?;
    Ok(report)
}

/// Chance, from the seed.
struct Dice {
    rng: StdRng,
    now: DateTime<Utc>,
}

impl Dice {
    /// An instant in the life of the programme, not in the future.
    fn instant(&mut self) -> DateTime<Utc> {
        let opening = DateTime::from_timestamp(OPENING, 0).unwrap_or_default();
        let after = TimeDelta::microseconds(self.rng.random_range(0..DAYS * 86_400_000_000));
        (opening + after).min(self.now)
    }

    /// An identity that says this instant and is otherwise chance.
    fn id(&mut self, at: DateTime<Utc>) -> Uuid {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
        Builder::from_unix_timestamp_millis(millis, &self.rng.random()).into_uuid()
    }

    /// One of these.
    fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.rng.random_range(0..among.len())]
    }

    /// True this often in a hundred.
    fn often(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    /// Up to `most` different ones of these, in their order.
    fn some<T: Clone>(&mut self, among: &[T], most: usize) -> Vec<T> {
        let count = self.rng.random_range(0..=most.min(among.len()));
        let mut chosen = rand::seq::index::sample(&mut self.rng, among.len(), count).into_vec();
        chosen.sort_unstable();
        chosen.into_iter().map(|index| among[index].clone()).collect()
    }
}

#[cfg(test)]
mod tests;
