//! The life of a site: candidate, label, closure, and what each step needs.

use entity::enums::SiteStatus::{self, Active, Candidate, Closed, Labelled, Rejected, Submitted, Withdrawn};
use entity::enums::{GovernanceBodyKind, MeetingStatus, MilestoneKind, PartnerKind, RoadmapStatus, SeatKind};
use entity::{governance_body, meeting, partner, roadmap, seat, site, site_milestone, site_qpv};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::mutations::{TARGET, current, save};
use crate::db::Sql;
use crate::journal::{Rescoped, Seen};
use crate::policy::{Resource, Verb, Viewer};
use crate::write::declare::{expected_version, id_of, optional, required};
use crate::write::input::Patch;
use crate::write::row::next_row;
use crate::write::{Change, Failure, Input, Mutation, Problem, ProblemCode, Writing};

/// The mutation of this file.
pub fn mutations() -> Vec<Mutation> {
    vec![Mutation::new(
        "transitionSite",
        TARGET,
        "Moves a site along its life: CANDIDATE → SUBMITTED → LABELLED → ACTIVE → CLOSED; SUBMITTED → REJECTED or back; \
         LABELLED or ACTIVE → WITHDRAWN. A préfecture submits; the rest is ANCT's.",
        [
            id_of("site"),
            expected_version(),
            required("to", "SiteStatus", "The status to move to."),
            optional("reason", "String", "Why, 3 to 1 000 characters; needed to reject and to withdraw."),
        ],
        |writing, input| Box::pin(transition(writing, input)),
    )]
}

/// Statuses that a status leads to.
pub const fn next(status: SiteStatus) -> &'static [SiteStatus] {
    match status {
        Candidate => &[Submitted],
        Submitted => &[Labelled, Rejected, Candidate],
        Labelled => &[Active, Withdrawn],
        Active => &[Closed, Withdrawn],
        Rejected | Closed | Withdrawn => &[],
    }
}

/// Appends a JSON list of the statuses that a viewer may move a site to.
pub(super) fn viewer_can(sql: &mut Sql, viewer: &Viewer, alias: &str) {
    sql.push("CASE WHEN NOT ");
    viewer.authorize(Resource::Site, Verb::Transition, "").expression(sql, alias);
    sql.push(" THEN '[]' ELSE CASE ").push(alias).push(".status");
    for status in [Candidate, Submitted, Labelled, Active] {
        let names: Vec<String> =
            next(status).iter().map(|status| format!("\"{}\"", status.as_str())).collect();
        sql.push(" WHEN '").push(status.as_str()).push("' THEN '[").push(&names.join(",")).push("]'");
    }
    sql.push(" ELSE '[]' END END");
}

/// Who saw a site before, and sees it now.
pub(super) fn scope(before: Option<&site::Model>, after: &site::Model) -> (Seen, Seen) {
    let one = |row: &site::Model| {
        let public = matches!(row.status, Labelled | Active | Closed | Withdrawn) && row.deleted_at.is_none();
        Seen { site: Some(row.id), source: row.source_system.clone(), public }
    };
    (before.map(one).unwrap_or_default(), one(after))
}

async fn transition(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = current(writing, input, Verb::Transition, "").await?;
    let Patch::Set(to) = input.choice("to", SiteStatus::parse) else {
        return Err(Problem::at(ProblemCode::Required, "to", "a status is needed").into());
    };
    if to == current.status {
        return Ok(Change { id: current.id });
    }
    if !next(current.status).contains(&to) {
        let allowed = next(current.status).iter().map(|status| status.as_str());
        return Err(Problem::transition(current.status.as_str(), to.as_str(), allowed).into());
    }
    let mut row = next_row!(writing, site, current);
    let mut changed = vec!["status"];
    row.status = Set(to);
    let reason = input.text("reason", 3..=1_000);
    if matches!(to, Rejected | Withdrawn) && !matches!(reason, Patch::Set(_)) {
        input.wrong(ProblemCode::Required, "reason", "a reason is needed to reject and to withdraw");
    }
    if let Patch::Set(reason) = reason {
        row.status_reason = Set(Some(reason));
        changed.push("statusReason");
    }
    match to {
        Labelled => check_label(writing, input, &current).await?,
        Active => check_active(writing, input, current.id).await?,
        _ => {}
    }
    input.check()?;
    if to == Labelled {
        // a client sees what others write there once it is public, and saw the site before
        let clients = crate::client::granted(writing, current.id).await?;
        writing.rescope([(current.id, Rescoped { clients, ..Rescoped::default() })]).await?;
    }
    save(writing, &current, row, Verb::Transition, changed).await
}

/// What a labelled site has. The site is locked, so that none of its seats and QPV ends meanwhile.
async fn check_label(writing: Writing<'_>, input: &Input<'_>, current: &site::Model) -> Result<(), Failure> {
    let tx = writing.tx;
    let needs = |missing: bool, what: &str| {
        if missing {
            input.wrong(ProblemCode::Rule, "to", format!("LABELLED needs {what}"));
        }
    };
    needs(current.code.is_none(), "a code (`setSiteLabel`)");
    needs(
        !has_milestone(writing, current.id, MilestoneKind::Label).await?,
        "a LABEL milestone (`setSiteMilestone`)",
    );
    let qpvs = site_qpv::Entity::find()
        .filter(site_qpv::Column::SiteId.eq(current.id))
        .filter(site_qpv::Column::EndsOn.is_null());
    needs(qpvs.count(tx).await? == 0, "at least one QPV (`addSiteQpv`)");
    let seats = seat::Entity::find()
        .filter(seat::Column::SiteId.eq(current.id))
        .filter(seat::Column::Kind.eq(SeatKind::Copilote))
        .filter(seat::Column::EndsOn.is_null())
        .filter(seat::Column::DeletedAt.is_null())
        .all(tx)
        .await?;
    let ids = seats.into_iter().map(|seat| seat.partner_id);
    let kinds: Vec<PartnerKind> = partner::Entity::find()
        .filter(partner::Column::Id.is_in(ids))
        .order_by_asc(partner::Column::Id)
        .lock(LockType::KeyShare)
        .all(tx)
        .await?
        .into_iter()
        .map(|partner| partner.kind)
        .collect();
    needs(!kinds.iter().any(|kind| is_state(*kind)), "a COPILOTE that is a State body (`giveSeat`)");
    needs(
        !kinds.iter().any(|kind| is_collectivity(*kind)),
        "a COPILOTE that is a local authority (`giveSeat`)",
    );
    Ok(())
}

const fn is_state(kind: PartnerKind) -> bool {
    matches!(kind, PartnerKind::Prefecture | PartnerKind::Ddets | PartnerKind::Dreets | PartnerKind::Anct)
}

const fn is_collectivity(kind: PartnerKind) -> bool {
    matches!(
        kind,
        PartnerKind::Commune
            | PartnerKind::Epci
            | PartnerKind::Metropole
            | PartnerKind::Departement
            | PartnerKind::Region
    )
}

async fn has_milestone(writing: Writing<'_>, site: Uuid, kind: MilestoneKind) -> Result<bool, Failure> {
    let found = milestones(site, kind).one(writing.tx).await?;
    Ok(found.is_some())
}

fn milestones(site: Uuid, kind: MilestoneKind) -> Select<site_milestone::Entity> {
    site_milestone::Entity::find()
        .filter(site_milestone::Column::SiteId.eq(site))
        .filter(site_milestone::Column::Kind.eq(kind))
}

/// An active site has an adopted roadmap, or its steering committee has met.
async fn check_active(writing: Writing<'_>, input: &Input<'_>, site: Uuid) -> Result<(), Failure> {
    let roadmap = roadmap::Entity::find()
        .filter(roadmap::Column::SiteId.eq(site))
        .filter(roadmap::Column::Status.eq(RoadmapStatus::Adopted))
        .filter(roadmap::Column::DeletedAt.is_null())
        .one(writing.tx)
        .await?;
    // one that is only planned has decided nothing
    let met = milestones(site, MilestoneKind::FirstCopil)
        .filter(site_milestone::Column::StartsFrom.lte(writing.today()))
        .one(writing.tx)
        .await?;
    if roadmap.is_some() || met.is_some() {
        return Ok(());
    }
    let copils = governance_body::Entity::find()
        .filter(governance_body::Column::SiteId.eq(site))
        .filter(governance_body::Column::Kind.eq(GovernanceBodyKind::Copil))
        .all(writing.tx)
        .await?;
    let held = meeting::Entity::find()
        .filter(meeting::Column::BodyId.is_in(copils.into_iter().map(|body| body.id)))
        .filter(meeting::Column::Status.eq(MeetingStatus::Held))
        .filter(meeting::Column::DeletedAt.is_null())
        .one(writing.tx)
        .await?;
    if held.is_none() {
        input.wrong(ProblemCode::Rule, "to", "ACTIVE needs an adopted roadmap, or a COPIL that was held");
    }
    Ok(())
}
