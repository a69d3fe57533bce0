//! Seeded actions, what links them, and the persons they reached.

use std::ops::Range;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use entity::enums::{ActionCategory, ActionStatus, Audience, Indicator};
use entity::{StringList, action, action_partner, action_qpv, figure};
use rand::Rng;
use uuid::Uuid;

use super::ground::{Ground, Site};
use super::words::{DEEDS, PUBLICS, ROME};
use super::{Dice, SYSTEM};
use crate::graphql::scalars::PartialDate;
use crate::ingest::figures::{self, Subject};
use crate::text::fold;

/// Rows made together.
#[derive(Default)]
pub(super) struct Made {
    pub actions: Vec<action::Model>,
    pub qpvs: Vec<action_qpv::Model>,
    pub partners: Vec<action_partner::Model>,
    pub figures: Vec<figure::Model>,
}

/// Makes the actions of these numbers.
pub(super) fn make(dice: &mut Dice, ground: &Ground, numbers: Range<u64>) -> Made {
    let mut made = Made::default();
    for number in numbers {
        let site = &ground.sites[ground.site(dice)];
        // What started before 2024 was planned on the QPV of 2015.
        let (start, generation) = start(dice);
        let qpvs = dice.some(&site.qpvs[generation], 3);
        let place =
            qpvs.first().map_or_else(|| dice.pick(&site.communes).1.clone(), |(_, name)| name.clone());
        let row = row(dice, site, number, (start, &place));
        made.qpvs
            .extend(qpvs.iter().map(|(qpv_id, _)| action_qpv::Model { action_id: row.id, qpv_id: *qpv_id }));
        let helpers = dice.some(&site.partners, 3).into_iter().filter(|id| Some(*id) != row.lead_partner_id);
        made.partners
            .extend(helpers.map(|partner_id| action_partner::Model { action_id: row.id, partner_id }));
        if dice.often(25) {
            made.figures.extend(beneficiaries(dice, &row));
        }
        made.actions.push(row);
    }
    made
}

/// A first day, and the generation of QPV then in force.
fn start(dice: &mut Dice) -> (NaiveDate, usize) {
    let day = dice.instant().date_naive();
    (day, usize::from(day.year() >= 2024))
}

fn row(dice: &mut Dice, site: &Site, number: u64, (first_day, place): (NaiveDate, &str)) -> action::Model {
    let at = dice.instant();
    let updated_at = dice.instant().max(at);
    let (deed, pillar, category) = *dice.pick(DEEDS);
    let title = format!("{deed}{} – {place}", dice.pick(PUBLICS));
    let status = status(dice, first_day);
    let start = partial(dice, first_day);
    let days = Days::new(dice.rng.random_range(1..400));
    let ended = matches!(status, ActionStatus::Completed) || dice.often(60);
    // Past a start that is known to the year only, no end may lie before it for certain.
    let end = first_day.checked_add_days(days).filter(|_| ended).and_then(|day| partial(dice, day));
    let end = end.filter(|end| start.as_ref().is_none_or(|start| start.from <= end.to));
    action::Model {
        id: dice.id(at),
        version: dice.rng.random_range(1..6),
        created_at: at,
        updated_at,
        deleted_at: None,
        source_system: Some(SYSTEM.to_owned()),
        source_external_id: Some(format!("SEED-{number:08}")),
        source_updated_at: Some(updated_at),
        site_id: site.id,
        title_search: fold(&title),
        description: dice.often(70).then(|| format!("{deed} à {place}. Jeu d'essai, sans projet réel.")),
        title,
        pillar: (!dice.often(5)).then_some(pillar),
        axis_id: None,
        categories: categories(dice, category),
        audiences: names(dice.some(Audience::ALL, 2)),
        rome_codes: dice.some(ROME, 2).into_iter().collect(),
        innovative: dice.often(if pillar == entity::enums::Pillar::Innover { 60 } else { 10 }),
        status,
        starts_from: start.as_ref().map(|date| date.from),
        starts_to: start.as_ref().map(|date| date.to),
        starts_on: start.map(|date| date.text),
        ends_from: end.as_ref().map(|date| date.from),
        ends_to: end.as_ref().map(|date| date.to),
        ends_on: end.map(|date| date.text),
        lead_partner_id: (!site.partners.is_empty() && !dice.often(4)).then(|| *dice.pick(&site.partners)),
        published: status != ActionStatus::Draft && dice.often(88),
        cancel_reason: (status == ActionStatus::Cancelled).then(|| "Financement non obtenu".to_owned()),
        reopen_reason: None,
    }
}

/// What began long ago is mostly over, what began late mostly not.
fn status(dice: &mut Dice, first_day: NaiveDate) -> ActionStatus {
    let among: &[ActionStatus] = match first_day.year() {
        ..=2021 => &[ActionStatus::Completed; 5],
        2022 => &[ActionStatus::Completed, ActionStatus::Completed, ActionStatus::InProgress],
        2023 => &[ActionStatus::InProgress, ActionStatus::InProgress, ActionStatus::Completed],
        _ => &[ActionStatus::Planned, ActionStatus::Planned, ActionStatus::InProgress, ActionStatus::Draft],
    };
    match dice.rng.random_range(0..100) {
        0..6 => ActionStatus::Cancelled,
        6..9 => ActionStatus::Suspended,
        _ => *dice.pick(among),
    }
}

/// A day as people write it: to the day, the month, the quarter or the year.
fn partial(dice: &mut Dice, day: NaiveDate) -> Option<PartialDate> {
    let text = match dice.rng.random_range(0..10) {
        0..5 => day.to_string(),
        5..8 => day.format("%Y-%m").to_string(),
        8 => format!("{}-Q{}", day.year(), day.month0() / 3 + 1),
        _ => day.year().to_string(),
    };
    text.parse().ok()
}

fn categories(dice: &mut Dice, first: ActionCategory) -> StringList {
    let others = dice.some(ActionCategory::ALL, 2).into_iter().map(|(name, _)| name);
    std::iter::once(first.as_str()).chain(others.filter(|name| *name != first.as_str())).collect()
}

fn names(values: Vec<(&'static str, &'static str)>) -> StringList {
    values.into_iter().map(|(name, _)| name).collect()
}

/// Persons reached in the quarter of the start.
fn beneficiaries(dice: &mut Dice, action: &action::Model) -> Option<figure::Model> {
    let day = action.starts_from?;
    let quarter = format!("{}-Q{}", day.year(), day.month0() / 3 + 1);
    let (id, at): (Uuid, DateTime<Utc>) = (dice.id(action.updated_at), action.updated_at);
    let external_id = action.source_external_id.as_deref().unwrap_or_default();
    let subject = Subject::Action(action.id, external_id);
    let value = dice.rng.random_range(1..120_u32);
    let mut row = figures::figure(id, at, subject, Indicator::BeneficiaryCount, value.into());
    figures::date(&mut row, &quarter).ok()?;
    SYSTEM.clone_into(&mut row.origin);
    figures::name(&mut row, subject, None);
    Some(row)
}
