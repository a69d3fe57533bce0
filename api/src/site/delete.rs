//! `deleteSite`: a candidate goes with everything that hangs on it, each object journaled.

use entity::enums::{MilestoneKind, SiteStatus};
use entity::{
    action, axis, figure, funding_line, governance_body, governance_member, meeting, roadmap, seat, site,
    site_milestone, site_qpv,
};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{LockType, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::mutations::{current, save};
use crate::db::Sql;
use crate::policy::{Resource, Verb, Viewer};
use crate::write::row::{in_site, next_row};
use crate::write::{Change, Failure, Input, Problem, ProblemCode, Writing};

/// Appends whether a viewer may delete a site.
pub(super) fn viewer_can(sql: &mut Sql, viewer: &Viewer, alias: &str) {
    sql.push(alias)
        .push(".status = 'CANDIDATE' AND NOT EXISTS (SELECT 1 FROM site_milestone vm WHERE vm.site_id = ");
    sql.push(alias).push(".id AND vm.kind = 'LABEL') AND ");
    viewer.authorize(Resource::Site, Verb::Delete, "").expression(sql, alias);
}

pub(super) async fn delete(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = current(writing, input, Verb::Delete, "").await?;
    let labelled = site_milestone::Entity::find()
        .filter(site_milestone::Column::SiteId.eq(current.id))
        .filter(site_milestone::Column::Kind.eq(MilestoneKind::Label))
        .one(writing.tx)
        .await?;
    if labelled.is_some() || current.status != SiteStatus::Candidate {
        let text = "only a candidate that was never labelled is deleted; others are kept for ever";
        return Err(Problem::at(ProblemCode::Rule, "id", text).into());
    }
    let seated = writing.seated([current.id]).await?;
    tell_of_qpvs(writing, current.id).await?;
    bury_work(writing, current.id).await?;
    bury_committees(writing, current.id).await?;
    crate::partner::delete_in_site(writing, current.id).await?;
    // with its seats goes the right by which those who hold them would see it go
    writing.rescope_seats(seated).await?;
    let mut row = next_row!(writing, site, current);
    row.deleted_at = Set(Some(writing.now));
    save(writing, &current, row, Verb::Delete, vec!["deletedAt"]).await
}

/// Those who see figures of its QPV by this site alone do not any more.
async fn tell_of_qpvs(writing: Writing<'_>, site: Uuid) -> Result<(), Failure> {
    let links = site_qpv::Entity::find().filter(site_qpv::Column::SiteId.eq(site)).all(writing.tx).await?;
    for link in links {
        crate::figure::tell_of_qpv(writing, site, link.qpv_id).await?;
    }
    let links = site_qpv::Entity::delete_many().filter(site_qpv::Column::SiteId.eq(site));
    links.exec(writing.tx).await?;
    Ok(())
}

/// Leaves tombstones of the rows that meet a condition.
macro_rules! bury {
    ($writing:ident, $site:ident, $module:ident, $noun:literal, $condition:expr) => {
        bury!($writing, $module, $noun, $condition, |_: &_, _: &_| in_site($site))
    };
    ($writing:ident, $module:ident, $noun:literal, $condition:expr, $seen:expr) => {
        let all = $module::Entity::find()
            .filter($condition)
            .filter($module::Column::DeletedAt.is_null())
            .order_by_asc($module::Column::Id)
            .lock(LockType::Update)
            .all($writing.tx)
            .await?;
        for current in all {
            let mut row = next_row!($writing, $module, current);
            row.deleted_at = Set(Some($writing.now));
            let row = $writing.change(&current, row).await?;
            let seen = $seen(&current, &row);
            $writing.record($noun, (row.id, row.version), Verb::Delete, vec!["deletedAt"], seen).await?;
        }
    };
}

/// Actions, with what is counted and paid for them.
async fn bury_work(writing: Writing<'_>, site: Uuid) -> Result<(), Failure> {
    let actions = Query::select()
        .column(action::Column::Id)
        .from(action::Entity)
        .and_where(action::Column::SiteId.eq(site))
        .to_owned();
    let figures = Condition::any()
        .add(figure::Column::SiteId.eq(site))
        .add(figure::Column::ActionId.in_subquery(actions));
    // what others write under an action or a roadmap, they write while they hold it: it comes first
    bury!(
        writing,
        action,
        "Action",
        action::Column::SiteId.eq(site),
        |before: &action::Model, after: &action::Model| crate::action::journal_scope(Some(before), after)
    );
    bury!(writing, site, figure, "Figure", figures);
    bury!(writing, site, funding_line, "FundingLine", funding_line::Column::SiteId.eq(site));
    bury!(writing, site, roadmap, "Roadmap", roadmap::Column::SiteId.eq(site));
    bury!(writing, site, axis, "Axis", axis::Column::SiteId.eq(site));
    Ok(())
}

/// Seats, and committees with their meetings.
async fn bury_committees(writing: Writing<'_>, site: Uuid) -> Result<(), Failure> {
    bury!(writing, site, meeting, "Meeting", meeting::Column::BodyId.in_subquery(bodies(site)));
    bury!(writing, site, governance_body, "GovernanceBody", governance_body::Column::SiteId.eq(site));
    bury!(writing, site, seat, "Seat", seat::Column::SiteId.eq(site));
    governance_member::Entity::delete_many()
        .filter(governance_member::Column::BodyId.in_subquery(bodies(site)))
        .exec(writing.tx)
        .await?;
    Ok(())
}

fn bodies(site: Uuid) -> SelectStatement {
    Query::select()
        .column(governance_body::Column::Id)
        .from(governance_body::Entity)
        .and_where(governance_body::Column::SiteId.eq(site))
        .to_owned()
}
