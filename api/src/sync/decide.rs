//! What becomes of an item, given what there is. Nothing is read or written here.

use chrono::{DateTime, NaiveDate, Utc};
use entity::action;
use uuid::Uuid;

use super::deletions::Deletion;
use super::draw::Draw;
use super::ground::{Ground, at, not_yours};
use super::input::Item;
use crate::action::blank_model;
use crate::policy::Verb;
use crate::write::{Problem, ProblemCode};

/// What becomes of an item.
#[derive(Debug)]
pub(super) enum Decision {
    /// The action stays as it is, but for the instant it may have taken; what is to be said of it.
    Nothing { action: Option<Uuid>, notices: Vec<Problem>, newer: Option<Newer> },
    /// There is no such action, and none is to be made from what is older.
    Absent(Deletion),
    /// It is not at the expected version.
    Conflict(Option<Uuid>, Problem),
    /// It is wrong.
    Rejected(Vec<Problem>),
    /// An action is written.
    Written(Box<Written>),
}

/// An action that is the same in its source at a later instant. Kept, so that what is older still than that comes late and
/// is passed over.
#[derive(Debug)]
pub(super) struct Newer {
    pub action: Uuid,
    pub at: DateTime<Utc>,
}

/// An action to be written.
#[derive(Debug)]
pub(super) struct Written {
    /// Its row before; none when it is new.
    pub before: Option<action::Model>,
    pub after: action::Model,
    /// Names of the fields that change.
    pub changed: Vec<&'static str>,
    pub verb: Verb,
    /// Its partners, when they change.
    pub partners: Option<Vec<Uuid>>,
    /// Those that need a seat in its site.
    pub seated: Vec<Uuid>,
    /// Its QPV, when they change.
    pub qpvs: Option<Vec<Uuid>>,
    pub notices: Vec<Problem>,
}

/// The instant and the day of the call, and whose rows it writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'m> {
    pub now: DateTime<Utc>,
    pub today: NaiveDate,
    pub source: &'m str,
}

/// Decides on one item.
pub(super) fn decide(item: &Item, ground: &Ground, moment: Moment<'_>) -> Decision {
    if !item.problems.is_empty() {
        return Decision::Rejected(item.problems.clone());
    }
    let known = ground.actions.get(&item.external_id);
    let (stored, text) = match known {
        Some(row) => {
            (row.source_updated_at, "the action was changed later than this item; it stays as it is")
        }
        None => (
            ground.deletions.get(&item.external_id).copied(),
            "the action was deleted later than this item; it is not made",
        ),
    };
    if stored.is_some_and(|stored| item.source_updated_at < stored) {
        let notices = vec![at(ProblemCode::Stale, &["sourceUpdatedAt"], text)];
        return Decision::Nothing { action: known.map(|row| row.id), notices, newer: None };
    }
    let decision = against(known, stored, item, ground, moment);
    match conflict(item, known) {
        // the same item once more: what it asked for is there, and the version is the one that it led to
        Some(_) if stored == Some(item.source_updated_at) && matches!(decision, Decision::Nothing { .. }) => {
            decision
        }
        Some(conflict) => Decision::Conflict(known.map(|row| row.id), conflict),
        None => decision,
    }
}

/// What an item comes to beside its action, at whatever version that is.
fn against(
    known: Option<&action::Model>,
    stored: Option<DateTime<Utc>>,
    item: &Item,
    ground: &Ground,
    moment: Moment<'_>,
) -> Decision {
    match known {
        Some(row) if item.deleted => delete(row, item, ground, moment),
        None if item.deleted && stored == Some(item.source_updated_at) => {
            Decision::Nothing { action: None, notices: Vec::new(), newer: None }
        }
        None if item.deleted => {
            Decision::Absent(Deletion { external_id: item.external_id.clone(), at: item.source_updated_at })
        }
        Some(row) => write(Some(row), item, ground, moment),
        None => write(None, item, ground, moment),
    }
}

fn conflict(item: &Item, known: Option<&action::Model>) -> Option<Problem> {
    let expected = item.expected_version?;
    let text = match known {
        Some(row) if row.version == expected => return None,
        Some(row) => format!("the current version is {}, not {expected}; read it again", row.version),
        None => "there is no such action yet".to_owned(),
    };
    Some(at(ProblemCode::Conflict, &["expectedVersion"], text))
}

/// The instant that an action takes from an item that changes nothing else, when it is later than its own.
fn newer(row: &action::Model, item: &Item) -> Option<Newer> {
    let later = row.source_updated_at.is_none_or(|stored| stored < item.source_updated_at);
    later.then_some(Newer { action: row.id, at: item.source_updated_at })
}

/// Whether the caller may import into a site.
pub(super) fn may(ground: &Ground, site: Uuid) -> bool {
    ground.sites.get(&site).is_some_and(|site| site.may)
}

fn delete(row: &action::Model, item: &Item, ground: &Ground, moment: Moment<'_>) -> Decision {
    if row.deleted_at.is_some() {
        let newer = newer(row, item).filter(|_| may(ground, row.site_id));
        return Decision::Nothing { action: Some(row.id), notices: Vec::new(), newer };
    }
    if !may(ground, row.site_id) {
        return Decision::Rejected(vec![not_yours(&["externalId"])]);
    }
    Decision::Written(Box::new(gone(row, Some(item.source_updated_at), moment)))
}

/// An action that becomes a tombstone.
pub(super) fn gone(row: &action::Model, at: Option<DateTime<Utc>>, moment: Moment<'_>) -> Written {
    let mut after = row.clone();
    after.version += 1;
    after.updated_at = moment.now;
    after.deleted_at = Some(moment.now);
    after.source_updated_at = at.or(row.source_updated_at);
    Written {
        before: Some(row.clone()),
        after,
        changed: vec!["deletedAt"],
        verb: Verb::Delete,
        partners: None,
        seated: Vec::new(),
        qpvs: None,
        notices: Vec::new(),
    }
}

fn write(known: Option<&action::Model>, item: &Item, ground: &Ground, moment: Moment<'_>) -> Decision {
    let mut draft = Draw::new(item, ground, moment);
    let site = draft.site(known);
    let new = || action::Model {
        source_system: Some(moment.source.to_owned()),
        source_external_id: Some(item.external_id.clone()),
        ..blank_model(Uuid::now_v7(), site.unwrap_or_default(), moment.now)
    };
    let mut after = known.cloned().unwrap_or_else(new);
    draft.apply(known, &mut after);
    let partners = draft.partners(known, site);
    let seated = match &partners {
        Some(partners) => draft.active(partners),
        None => draft.followers(known, site),
    };
    let qpvs = match known {
        None => draft.first_values(&mut after),
        Some(_) => draft.moved(site, &mut after),
    };
    draft.check(known, &after);
    let Draw { problems, notices, changed, .. } = draft;
    if !problems.is_empty() {
        return Decision::Rejected(problems);
    }
    let mut changed = changed;
    if after.deleted_at.take().is_some() {
        changed.push("deletedAt");
    }
    if changed.is_empty() {
        let newer = known.and_then(|row| newer(row, item));
        return Decision::Nothing { action: Some(after.id), notices, newer };
    }
    if known.is_some() {
        after.version += 1;
        after.updated_at = moment.now;
    }
    after.source_updated_at = Some(item.source_updated_at);
    let verb = if known.is_none() { Verb::Create } else { Verb::Update };
    let before = known.cloned();
    Decision::Written(Box::new(Written { before, after, changed, verb, partners, seated, qpvs, notices }))
}
