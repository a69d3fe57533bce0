//! An item drawn over the row that it is about: what changes, and what is wrong with that.

use std::collections::HashSet;

use chrono::NaiveDate;
use entity::action;
use entity::enums::ActionStatus::{self, Cancelled, Completed, Draft};
use uuid::Uuid;

use super::decide::{Moment, may};
use super::ground::{Ground, Qpv, at, not_yours};
use super::input::{Item, SiteRef};
use crate::action::next_statuses;
use crate::graphql::scalars::PartialDate;
use crate::text;
use crate::write::input::Patch;
use crate::write::{Problem, ProblemCode};

/// An item on its way into a row.
pub(super) struct Draw<'d> {
    item: &'d Item,
    ground: &'d Ground,
    moment: Moment<'d>,
    pub problems: Vec<Problem>,
    pub notices: Vec<Problem>,
    pub changed: Vec<&'static str>,
}

impl<'d> Draw<'d> {
    /// An item that is looked at.
    pub const fn new(item: &'d Item, ground: &'d Ground, moment: Moment<'d>) -> Self {
        Self { item, ground, moment, problems: Vec::new(), notices: Vec::new(), changed: Vec::new() }
    }

    fn wrong(&mut self, code: ProblemCode, field: &str, text: impl Into<String>) {
        self.problems.push(at(code, &[field], text));
    }

    /// The site it goes to: its own, unless the item names another; both must be the caller's.
    pub fn site(&mut self, known: Option<&action::Model>) -> Option<Uuid> {
        if let Some(row) = known
            && !may(self.ground, row.site_id)
        {
            self.problems.push(not_yours(&["externalId"]));
        }
        match (&self.item.site, known) {
            (Some(named), _) => match self.ground.site(named) {
                Ok(id) => {
                    if known.is_none_or(|row| row.site_id != id) {
                        self.tell_of_successors(named);
                    }
                    Some(id)
                }
                Err(problem) => {
                    self.problems.push(problem);
                    None
                }
            },
            (None, Some(row)) => Some(row.site_id),
            (None, None) => {
                self.wrong(ProblemCode::Required, "site", "a new action needs a site");
                None
            }
        }
    }

    /// A site may be named by QPV that others followed.
    fn tell_of_successors(&mut self, site: &SiteRef) {
        let SiteRef::Qpvs(codes) = site else { return };
        let ground = self.ground;
        for (index, code) in codes.iter().enumerate() {
            if let Ok(qpv) = ground.qpv(code, &[]) {
                self.tell_of_successor(code, qpv, &["site", "qpvs", &index.to_string()]);
            }
        }
    }

    fn tell_of_successor(&mut self, code: &str, qpv: &Qpv, path: &[&str]) {
        if !qpv.successors.is_empty() {
            let text = format!("{code} was followed by {}", qpv.successors.join(", "));
            self.notices.push(at(ProblemCode::Successor, path, text));
        }
    }

    /// Takes over what the source system owns, and names what differs.
    pub fn apply(&mut self, known: Option<&action::Model>, after: &mut action::Model) {
        let item = self.item;
        match &item.title {
            Some(title) if *title != after.title => {
                after.title_search = text::fold(title);
                after.title.clone_from(title);
                self.changed.push("title");
            }
            None if known.is_none() => {
                self.wrong(ProblemCode::Required, "title", "a new action needs a title");
            }
            _ => {}
        }
        let mut take = |name, changed: bool| {
            if changed {
                self.changed.push(name);
            }
        };
        take("description", patch(&mut after.description, &item.description));
        take("cancelReason", patch(&mut after.cancel_reason, &item.cancel_reason));
        take(
            "status",
            item.status.is_some_and(|status| std::mem::replace(&mut after.status, status) != status),
        );
        take(
            "startsOn",
            period(&item.starts, (&mut after.starts_on, &mut after.starts_from, &mut after.starts_to)),
        );
        take("endsOn", period(&item.ends, (&mut after.ends_on, &mut after.ends_from, &mut after.ends_to)));
        if let Some(codes) = &item.rome_codes
            && *codes != after.rome_codes
        {
            after.rome_codes.clone_from(codes);
            self.changed.push("romeCodes");
        }
        let leads_already = |id| after.lead_partner_id == Some(id);
        let lead = match &item.lead {
            Patch::Keep => after.lead_partner_id,
            Patch::Clear => None,
            Patch::Set(named) => match self.ground.partners.resolve(named, &["lead"], leads_already) {
                Ok(id) => Some(id),
                Err(problem) => {
                    self.problems.push(problem);
                    return;
                }
            },
        };
        if std::mem::replace(&mut after.lead_partner_id, lead) != lead {
            self.changed.push("lead");
        }
    }

    /// Its partners, when the item names others than it has.
    pub fn partners(&mut self, known: Option<&action::Model>, site: Option<Uuid>) -> Option<Vec<Uuid>> {
        let ground = self.ground;
        let has = known.and_then(|row| ground.links.get(&row.id));
        let mut found: Vec<Uuid> = Vec::new();
        for (index, named) in self.item.partners.as_ref()?.iter().enumerate() {
            let index = index.to_string();
            let path = ["partners", index.as_str()];
            let is_already = |id| has.is_some_and(|has| has.contains(&id));
            match ground.partners.resolve(named, &path, is_already) {
                Ok(id) if site.is_some_and(|site| ground.partners.seats_itself(site, id)) => {
                    let text = "your own rights come from the seats of this partner; another gives it one";
                    self.problems.push(at(ProblemCode::Forbidden, &path, text));
                }
                Ok(id) if !found.contains(&id) => found.push(id),
                Ok(_) => {}
                Err(problem) => self.problems.push(problem),
            }
        }
        let wanted: HashSet<Uuid> = found.iter().copied().collect();
        if has.map_or_else(|| wanted.is_empty(), |has| *has == wanted) {
            return None;
        }
        self.changed.push("partners");
        Some(found)
    }

    /// Those of its partners that have seats: one that is closed has none.
    pub fn active(&self, partners: &[Uuid]) -> Vec<Uuid> {
        partners.iter().copied().filter(|id| self.ground.partners.is_active(*id)).collect()
    }

    /// The partners that an action takes along to another site.
    pub fn followers(&mut self, known: Option<&action::Model>, site: Option<Uuid>) -> Vec<Uuid> {
        let Some((row, site)) = known.zip(site).filter(|(row, site)| row.site_id != *site) else {
            return Vec::new();
        };
        let ground = self.ground;
        let links: Vec<Uuid> = ground.links.get(&row.id).into_iter().flatten().copied().collect();
        let followers = self.active(&links);
        let itself = followers.iter().any(|id| ground.partners.seats_itself(site, *id));
        if itself && self.item.partners.is_none() {
            let text =
                "your own rights come from the seats of a partner of the action; another gives it one there";
            self.problems.push(at(ProblemCode::Forbidden, &["site"], text));
        }
        followers
    }

    /// What the site's steerers own afterwards.
    pub fn first_values(&mut self, after: &mut action::Model) -> Option<Vec<Uuid>> {
        let first = &self.item.on_create;
        after.pillar = first.pillar;
        after.categories.clone_from(&first.categories);
        after.audiences.clone_from(&first.audiences);
        after.innovative = first.innovative;
        after.published = first.published;
        let given = [
            ("pillar", first.pillar.is_some()),
            ("categories", !first.categories.0.is_empty()),
            ("audiences", !first.audiences.0.is_empty()),
            ("innovative", first.innovative),
            ("published", first.published),
            ("qpvs", !first.qpvs.is_empty()),
        ];
        self.changed.extend(given.iter().filter(|(_, given)| *given).map(|(name, _)| *name));
        let ground = self.ground;
        let mut found = Vec::new();
        for (index, code) in first.qpvs.iter().enumerate() {
            let index = index.to_string();
            let path = ["onCreate", "qpvs", index.as_str()];
            match ground.qpv(code, &path) {
                Err(problem) => self.problems.push(problem),
                Ok(qpv) => {
                    self.tell_of_successor(code, qpv, &path);
                    let perimeter = ground.perimeters.get(&after.site_id);
                    if perimeter.is_some_and(|perimeter| perimeter.contains(&qpv.id)) {
                        found.push(qpv.id);
                    } else {
                        let text = format!("{code} is not in the perimeter of the site");
                        self.problems.push(at(ProblemCode::Rule, &path, text));
                    }
                }
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// An action that goes to another site leaves the axis and the QPV of its former one.
    pub fn moved(&mut self, site: Option<Uuid>, after: &mut action::Model) -> Option<Vec<Uuid>> {
        let site = site.filter(|site| *site != after.site_id)?;
        after.site_id = site;
        self.changed.push("site");
        if after.axis_id.take().is_some() {
            self.changed.push("axis");
        }
        Some(Vec::new())
    }

    /// The rules of its life. The source is ahead of us: it may skip steps, but not go back. What was frozen comes back
    /// from its deletion as it was.
    pub fn check(&mut self, known: Option<&action::Model>, after: &action::Model) {
        if let Some(row) = known
            && matches!(row.status, Completed | Cancelled)
            && let Some(field) = self.changed.first().copied()
        {
            let text = format!("the action is {}, which freezes what its source owns", row.status.as_str());
            self.wrong(ProblemCode::Frozen, field, text);
            return;
        }
        if let Some(row) = known.filter(|row| row.deleted_at.is_none())
            && row.status != after.status
            && !leads_to(row.status, after.status)
        {
            let allowed = reached(row.status).into_iter().map(ActionStatus::as_str);
            let problem = Problem::transition(row.status.as_str(), after.status.as_str(), allowed);
            self.problems.push(at(problem.code, &["status"], problem.message));
        }
        let planned = !matches!(after.status, Draft | Cancelled);
        let status = after.status.as_str();
        let named = !matches!(self.item.lead, Patch::Set(_));
        let needs = [
            ("lead", planned && named && after.lead_partner_id.is_none()),
            ("startsOn", planned && after.starts_from.is_none()),
            ("endsOn", after.status == Completed && after.ends_from.is_none()),
            ("cancelReason", after.status == Cancelled && after.cancel_reason.is_none()),
        ];
        for (field, _) in needs.into_iter().filter(|(_, missing)| *missing) {
            self.wrong(ProblemCode::Rule, field, format!("{status} needs {field}"));
        }
        if after.status == Completed && after.ends_from.is_some_and(|day| day > self.moment.today) {
            self.wrong(ProblemCode::Rule, "endsOn", "an action cannot be COMPLETED before its end");
        }
        let dates = (after.starts_from, after.ends_to);
        if let (Some(from), Some(to)) = dates
            && to < from
        {
            self.wrong(ProblemCode::Rule, "endsOn", "the end is before the start");
        }
    }
}

/// Statuses that a status leads to, step by step, without reopening.
fn reached(from: ActionStatus) -> Vec<ActionStatus> {
    let mut found = Vec::new();
    let mut open = vec![from];
    while let Some(status) = open.pop() {
        for next in next_statuses(status) {
            if status != Completed && !found.contains(next) {
                found.push(*next);
                open.push(*next);
            }
        }
    }
    found.retain(|status| *status != from);
    found
}

fn leads_to(from: ActionStatus, to: ActionStatus) -> bool {
    reached(from).contains(&to)
}

/// Takes a value over; says whether it differs.
fn patch(current: &mut Option<String>, patch: &Patch<String>) -> bool {
    let wanted = match patch {
        Patch::Keep => return false,
        Patch::Clear => None,
        // nothing written and nothing said are the same
        Patch::Set(text) => Some(text.clone()).filter(|text| !text.is_empty()),
    };
    std::mem::replace(current, wanted.clone()) != wanted
}

type Dates<'a> = (&'a mut Option<String>, &'a mut Option<NaiveDate>, &'a mut Option<NaiveDate>);

/// Takes a period over; says whether it differs.
fn period(patch: &Patch<PartialDate>, (written, from, to): Dates<'_>) -> bool {
    let wanted = match patch {
        Patch::Keep => return false,
        Patch::Clear => None,
        Patch::Set(period) => Some(period),
    };
    *from = wanted.map(|period| period.from);
    *to = wanted.map(|period| period.to);
    let wanted = wanted.map(|period| period.text.clone());
    std::mem::replace(written, wanted.clone()) != wanted
}
