//! Actions in the database: the row, its links, its journal entry.

use async_graphql::Value;
use chrono::{DateTime, Utc};
use entity::enums::{ActionStatus, SeatKind};
use entity::{StringList, action, action_partner, action_qpv, axis, roadmap, seat};
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::links::{Links, active_partner};
use crate::journal::Seen;
use crate::policy::Verb;
use crate::write::input::Patch;
use crate::write::{Change, Failure, Input, ProblemCode, Writing};

/// The partner that a field names.
pub(super) async fn partner(
    writing: Writing<'_>,
    input: &Input<'_>,
    field: &str,
) -> Result<Patch<Uuid>, Failure> {
    Ok(match input.given(field) {
        None => Patch::Keep,
        Some(Value::Null) => Patch::Clear,
        Some(value) => {
            let found = active_partner(writing, value).await?;
            found.map_or_else(
                |why| {
                    input.wrong(ProblemCode::NotFound, field, why);
                    Patch::Keep
                },
                Patch::Set,
            )
        }
    })
}

/// The axis that the input names; it must be of the same site.
pub(super) async fn axis(
    writing: Writing<'_>,
    input: &Input<'_>,
    site: Uuid,
) -> Result<Patch<Uuid>, Failure> {
    let Patch::Set(id) = input.id("axis", "axis") else {
        return Ok(if input.given("axis").is_some() { Patch::Clear } else { Patch::Keep });
    };
    let live = || axis::Entity::find_by_id(id).filter(axis::Column::DeletedAt.is_null());
    let mut found = live().filter(axis::Column::SiteId.eq(site)).one(writing.tx).await?;
    if let Some(axis) = found {
        // `setRoadmapAxes` holds the roadmap while it looks for actions under the axes that it drops: either it sees
        // this one, or the axis is gone by now
        let roadmap = roadmap::Entity::find_by_id(axis.roadmap_id).lock(LockType::KeyShare);
        roadmap.one(writing.tx).await?;
        found = live().one(writing.tx).await?;
    }
    if found.is_none() {
        input.wrong(ProblemCode::NotFound, "axis", "the site has no such axis");
    }
    Ok(Patch::Set(id))
}

/// Takes `startsOn` and `endsOn` over; the end is not before the start.
pub(super) fn apply_dates(
    input: &Input<'_>,
    current: &action::Model,
    row: &mut action::ActiveModel,
    changed: &mut Vec<&'static str>,
) {
    let (mut from, mut to) = (current.starts_from, current.ends_to);
    let starts = input.period("startsOn");
    if starts.is_given() {
        let value = starts.or(None);
        from = value.as_ref().map(|period| period.from);
        if value.as_ref().map(|period| &period.text) != current.starts_on.as_ref() {
            changed.push("startsOn");
        }
        row.starts_from = Set(from);
        row.starts_to = Set(value.as_ref().map(|period| period.to));
        row.starts_on = Set(value.map(|period| period.text));
    }
    let ends = input.period("endsOn");
    if ends.is_given() {
        let value = ends.or(None);
        to = value.as_ref().map(|period| period.to);
        if value.as_ref().map(|period| &period.text) != current.ends_on.as_ref() {
            changed.push("endsOn");
        }
        row.ends_from = Set(value.as_ref().map(|period| period.from));
        row.ends_to = Set(to);
        row.ends_on = Set(value.map(|period| period.text));
    }
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        let field = if ends_given(input) { "endsOn" } else { "startsOn" };
        input.wrong(ProblemCode::Rule, field, "the end is before the start");
    }
}

fn ends_given(input: &Input<'_>) -> bool {
    input.given("endsOn").is_some()
}

/// A new action with nothing in it.
pub(super) fn empty(writing: Writing<'_>, id: Uuid, site: Uuid) -> action::Model {
    blank_model(id, site, writing.now)
}

/// The same, without a transaction to write it in.
pub(crate) fn blank_model(id: Uuid, site: Uuid, now: DateTime<Utc>) -> action::Model {
    action::Model {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
        source_system: None,
        source_external_id: None,
        source_updated_at: None,
        site_id: site,
        title: String::new(),
        title_search: String::new(),
        description: None,
        pillar: None,
        axis_id: None,
        categories: StringList::default(),
        audiences: StringList::default(),
        rome_codes: StringList::default(),
        innovative: false,
        status: ActionStatus::Draft,
        starts_on: None,
        starts_from: None,
        starts_to: None,
        ends_on: None,
        ends_from: None,
        ends_to: None,
        lead_partner_id: None,
        published: false,
        cancel_reason: None,
        reopen_reason: None,
    }
}

/// The same, ready to be filled and inserted.
pub(super) fn blank(writing: Writing<'_>, id: Uuid, site: Uuid) -> action::ActiveModel {
    let mut row: action::ActiveModel = empty(writing, id, site).into();
    row = row.reset_all();
    row
}

/// A change of a row: its next version, its time, nothing else yet.
pub(super) fn change_of(writing: Writing<'_>, current: &action::Model) -> action::ActiveModel {
    action::ActiveModel {
        id: Unchanged(current.id),
        version: Set(current.version + 1),
        updated_at: Set(writing.now),
        title: NotSet,
        ..Default::default()
    }
}

/// Inserts an action with its links and its journal entry.
pub(super) async fn insert(
    writing: Writing<'_>,
    row: action::ActiveModel,
    links: Links,
    mut changed: Vec<&'static str>,
) -> Result<Change, Failure> {
    changed.insert(0, "site");
    changed.extend(links.names());
    let row = row.insert(writing.tx).await?;
    link(writing, &row, links).await?;
    record(writing, None, &row, changed, Verb::Create).await?;
    Ok(Change { id: row.id })
}

/// Writes a change with its links and its journal entry; a change of nothing writes nothing.
pub(super) async fn update(
    writing: Writing<'_>,
    current: &action::Model,
    change: action::ActiveModel,
    links: Links,
    mut changed: Vec<&'static str>,
    verb: Verb,
) -> Result<Change, Failure> {
    changed.extend(links.that_differ(writing, current.id).await?);
    if changed.is_empty() {
        return Ok(Change { id: current.id });
    }
    let row = writing.change(current, change).await?;
    link(writing, &row, links).await?;
    record(writing, Some(current), &row, changed, verb).await?;
    let figures = crate::figure::told_with_actions(writing, [(current, &row)]).await?;
    writing.journal_all(figures).await?;
    Ok(Change { id: row.id })
}

async fn link(writing: Writing<'_>, row: &action::Model, links: Links) -> Result<(), Failure> {
    if let Some(qpvs) = links.qpvs {
        let old = action_qpv::Entity::delete_many().filter(action_qpv::Column::ActionId.eq(row.id));
        old.exec(writing.tx).await?;
        for qpv_id in qpvs {
            let link = action_qpv::ActiveModel { action_id: Set(row.id), qpv_id: Set(qpv_id) };
            link.insert(writing.tx).await?;
        }
    }
    if let Some(partners) = links.partners {
        let old = action_partner::Entity::delete_many().filter(action_partner::Column::ActionId.eq(row.id));
        old.exec(writing.tx).await?;
        for partner_id in partners {
            // it may have lost its seat since it was looked at
            if let Some(problem) = crate::partner::own_seat(writing, row.site_id, partner_id).await? {
                return Err(problem.into());
            }
            seat_as_operator(writing, row.site_id, partner_id).await?;
            let link = action_partner::ActiveModel { action_id: Set(row.id), partner_id: Set(partner_id) };
            link.insert(writing.tx).await?;
        }
    }
    Ok(())
}

/// A partner of an action has a seat in its site; one without gets that of an operator.
async fn seat_as_operator(writing: Writing<'_>, site: Uuid, partner: Uuid) -> Result<(), Failure> {
    let seated = seat::Entity::find()
        .filter(seat::Column::SiteId.eq(site))
        .filter(seat::Column::PartnerId.eq(partner))
        .filter(seat::Column::EndsOn.is_null())
        .filter(seat::Column::DeletedAt.is_null())
        .one(writing.tx)
        .await?;
    if seated.is_some() {
        return Ok(());
    }
    let before = writing.seated([site]).await?;
    let row = operator(writing, site, partner);
    // another action of the site may seat the same partner at this moment
    let seated_meanwhile = seat::Entity::insert(row.clone().into_active_model().reset_all())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(writing.tx)
        .await?
        == 0;
    if !seated_meanwhile {
        writing.rescope_seats(before).await?;
        let (fields, scope) = (vec!["kind", "partner", "site"], crate::partner::seat_scope(None, &row));
        writing.record("Seat", (row.id, 1), Verb::Create, fields, scope).await?;
    }
    Ok(())
}

/// The seat of an operator.
pub(crate) fn operator(writing: Writing<'_>, site_id: Uuid, partner_id: Uuid) -> seat::Model {
    seat::Model {
        id: Uuid::now_v7(),
        version: 1,
        created_at: writing.now,
        updated_at: writing.now,
        deleted_at: None,
        source_system: None,
        source_external_id: None,
        site_id,
        partner_id,
        kind: SeatKind::Operateur,
        starts_on: Some(writing.today()),
        ends_on: None,
    }
}

async fn record(
    writing: Writing<'_>,
    before: Option<&action::Model>,
    after: &action::Model,
    fields: Vec<&'static str>,
    verb: Verb,
) -> Result<(), Failure> {
    writing
        .record("Action", (after.id, after.version), verb, fields, journal_scope(before, after))
        .await
        .map(|_| ())
}

/// Who saw an action before, and sees it now.
pub(crate) fn journal_scope(before: Option<&action::Model>, after: &action::Model) -> (Seen, Seen) {
    (before.map(seen).unwrap_or_default(), seen(after))
}

fn seen(row: &action::Model) -> Seen {
    Seen {
        site: Some(row.site_id),
        source: row.source_system.clone(),
        public: row.published && row.status != ActionStatus::Draft && row.deleted_at.is_none(),
    }
}
