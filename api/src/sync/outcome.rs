//! What becomes of the items of a call together: of several with one external id, one stands.

use std::collections::HashMap;

use entity::enums::ImportOutcome;

use super::decide::{Decision, Moment, Newer, Written, decide};
use super::deletions::Deletion;
use super::ground::{Ground, at};
use super::input::Item;
use super::report::Told;
use crate::write::ProblemCode;

/// What is told of each item, and what is to be written.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    pub told: Vec<Told>,
    pub written: Vec<Written>,
    pub newer: Vec<Newer>,
    pub deletions: Vec<Deletion>,
}

impl Outcomes {
    /// Of several items with one external id, the one changed last in its source stands; one that is wrong, or not at
    /// the version it expects, does not keep an older one from standing.
    pub fn of(items: &[Item], ground: &Ground, moment: Moment<'_>) -> Self {
        let decisions: Vec<Decision> = items.iter().map(|item| decide(item, ground, moment)).collect();
        let standing = standing(items, &decisions);
        let mut outcomes = Self::default();
        for (index, (item, decision)) in items.iter().zip(decisions).enumerate() {
            match standing.get(item.external_id.as_str()) {
                // whether it would be right beside what is there no longer matters
                Some(winner) if item.problems.is_empty() && order(items, index) < order(items, *winner) => {
                    outcomes.told.push(passed_over(*winner));
                }
                _ => outcomes.take(item, ground, decision),
            }
        }
        outcomes
    }

    fn take(&mut self, item: &Item, ground: &Ground, decision: Decision) {
        self.told.push(match decision {
            Decision::Nothing { action, notices, newer } => {
                self.newer.extend(newer);
                Told { notices, ..Told::of(ImportOutcome::Unchanged, action) }
            }
            Decision::Absent(deletion) => {
                self.deletions.push(deletion);
                Told::of(ImportOutcome::Unchanged, None)
            }
            Decision::Conflict(id, problem) => {
                Told { errors: vec![problem], ..Told::of(ImportOutcome::Conflict, id) }
            }
            Decision::Rejected(errors) => {
                let id = ground.actions.get(&item.external_id).map(|row| row.id);
                Told { errors, ..Told::of(ImportOutcome::Rejected, id) }
            }
            Decision::Written(one) => {
                let outcome = match &one.before {
                    Some(row) if row.deleted_at.is_none() => ImportOutcome::Updated,
                    _ => ImportOutcome::Created,
                };
                let about = Told { notices: one.notices.clone(), ..Told::of(outcome, Some(one.after.id)) };
                self.written.push(*one);
                about
            }
        });
    }
}

/// Which item of a call stands for each external id: of those that may, the one its source changed last; of equals, the
/// last.
fn standing<'i>(items: &'i [Item], decisions: &[Decision]) -> HashMap<&'i str, usize> {
    let mut standing: HashMap<&str, usize> = HashMap::with_capacity(items.len());
    for (index, (item, decision)) in items.iter().zip(decisions).enumerate() {
        if matches!(decision, Decision::Rejected(_) | Decision::Conflict(..)) {
            continue;
        }
        let best = standing.entry(&item.external_id).or_insert(index);
        if order(items, index) > order(items, *best) {
            *best = index;
        }
    }
    standing
}

/// By what items with one external id are compared.
fn order(items: &[Item], index: usize) -> impl Ord {
    (items[index].source_updated_at, index)
}

fn passed_over(winner: usize) -> Told {
    let text = format!("item {winner} has the same externalId and was changed later; that one stands");
    let mut one = Told::of(ImportOutcome::Unchanged, None);
    one.notices.push(at(ProblemCode::Stale, &["externalId"], text));
    one
}
