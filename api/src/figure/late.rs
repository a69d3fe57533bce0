//! Late figures: a closed site still receives those of its own periods.

use chrono::NaiveDate;
use entity::enums::{MilestoneKind, SiteStatus};
use entity::{site, site_milestone};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::auth::Role;
use crate::graphql::scalars::PartialDate;
use crate::write::{Failure, Input, ProblemCode, Writing};

/// When the programme's experiment closed, which ends a site whose closure nobody dated.
const EXPERIMENT_ENDED: Option<NaiveDate> = NaiveDate::from_ymd_opt(2024, 12, 31);

/// Notes a period that begins after the closure of its site; the national team may write it.
pub(super) async fn check(
    writing: Writing<'_>,
    input: &Input<'_>,
    site: Option<Uuid>,
    field: &str,
    period: &PartialDate,
) -> Result<(), Failure> {
    let Some(site) = site.filter(|_| writing.viewer.actor.role != Role::Anct) else { return Ok(()) };
    let closed = site::Entity::find_by_id(site).filter(site::Column::Status.eq(SiteStatus::Closed));
    if closed.one(writing.tx).await?.is_none() {
        return Ok(());
    }
    let closure = site_milestone::Entity::find()
        .filter(site_milestone::Column::SiteId.eq(site))
        .filter(site_milestone::Column::Kind.eq(MilestoneKind::Closure))
        .one(writing.tx)
        .await?;
    let last = closure.map(|closure| closure.ends_to.unwrap_or(closure.starts_to)).or(EXPERIMENT_ENDED);
    if last.is_some_and(|last| period.from > last) {
        input.wrong(ProblemCode::Rule, field, "the site was closed before this period began");
    }
    Ok(())
}
