//! Dated steps of a site.

use async_graphql::Value;
use entity::enums::MilestoneKind;
use entity::{site, site_milestone};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::mutations::{current, rights, save};
use crate::graphql::scalars::{Parsed, Scalar};
use crate::policy::Verb;
use crate::write::input::Patch;
use crate::write::row::next_row;
use crate::write::{Change, Failure, Input, Problem, ProblemCode, Writing};

/// Adds a step, or changes the one of that kind and start.
pub(super) async fn set(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let (current, known) = milestone(writing, input).await?;
    let (Patch::Set(kind), Patch::Set(start)) =
        (input.choice("kind", MilestoneKind::parse), input.period("start"))
    else {
        return Err(Problem::at(ProblemCode::Required, "kind", "kind and start are needed").into());
    };
    let former = known.as_ref().and_then(|known| known.ends.clone()).map(Value::String);
    let end = input.period("end").or(former.and_then(|text| match Scalar::PartialDate.parse(&text) {
        Ok(Parsed::Period(period)) => Some(period),
        _ => None,
    }));
    if end.as_ref().is_some_and(|end| end.to < start.from) {
        input.wrong(ProblemCode::Rule, "end", "the end is before the start");
    }
    let label = input.text("label", 0..=500).or(known.as_ref().and_then(|known| known.label.clone()));
    input.check()?;
    if let Some(known) = &known {
        site_milestone::Entity::delete_by_id(known.id).exec(writing.tx).await?;
    }
    let row = site_milestone::ActiveModel {
        id: Set(known.as_ref().map_or_else(Uuid::now_v7, |known| known.id)),
        site_id: Set(current.id),
        kind: Set(kind),
        starts: Set(start.text),
        starts_from: Set(start.from),
        starts_to: Set(start.to),
        ends_from: Set(end.as_ref().map(|end| end.from)),
        ends_to: Set(end.as_ref().map(|end| end.to)),
        ends: Set(end.map(|end| end.text)),
        label: Set(label),
        source: Set(known.and_then(|known| known.source)),
    };
    row.insert(writing.tx).await?;
    save(writing, &current, next_row!(writing, site, current), Verb::Update, vec!["milestones"]).await
}

/// The site of the input, and its milestone of that kind and start.
async fn milestone(
    writing: Writing<'_>,
    input: &Input<'_>,
) -> Result<(site::Model, Option<site_milestone::Model>), Failure> {
    let current = current(writing, input, Verb::Update, "descriptive").await?;
    let (Patch::Set(kind), Patch::Set(start)) =
        (input.choice("kind", MilestoneKind::parse), input.period("start"))
    else {
        return Ok((current, None));
    };
    // the label is ANCT's to date
    if kind == MilestoneKind::Label || kind == MilestoneKind::Closure {
        writing.row::<site::Entity>(rights(Verb::Update, "label"), "kind", current.id, None).await?;
    }
    let known = site_milestone::Entity::find()
        .filter(site_milestone::Column::SiteId.eq(current.id))
        .filter(site_milestone::Column::Kind.eq(kind))
        .filter(site_milestone::Column::Starts.eq(start.text))
        .one(writing.tx)
        .await?;
    Ok((current, known))
}

/// Removes a step.
pub(super) async fn remove(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let (current, known) = milestone(writing, input).await?;
    let Some(known) = known else {
        return Err(Problem::at(ProblemCode::NotFound, "start", "the site has no such milestone").into());
    };
    site_milestone::Entity::delete_by_id(known.id).exec(writing.tx).await?;
    save(writing, &current, next_row!(writing, site, current), Verb::Update, vec!["milestones"]).await
}
