//! A figure is submitted.

use entity::enums::{FigureStatus, FigureUnit, Indicator, Perimeter};
use entity::figure;
use rust_decimal::Decimal;
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::late;
use super::seen::who_sees;
use super::subject::{About, about, allow};
use crate::graphql::scalars::PartialDate;
use crate::ingest::figures;
use crate::journal::Seen;
use crate::policy::Verb;
use crate::write::input::Patch;
use crate::write::{Change, Failure, Input, Problem, ProblemCode, Writing};

/// Origin of figures that people submit here.
pub(super) const DECLARED: &str = "DECLARED";

pub(super) async fn submit(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let mut about = about(writing, input).await?;
    about.site = allow(writing, Verb::Write, &about).await?;
    let (Patch::Set(indicator), Patch::Set(period)) =
        (input.choice("indicator", Indicator::parse), input.period("period"))
    else {
        return Err(Problem::at(ProblemCode::Required, "indicator", "indicator and period are needed").into());
    };
    about.allow_indicator(writing, indicator).await?;
    let value = checked(input, "value", input.decimal("value").or(None), indicator);
    if period.from > writing.today() {
        input.wrong(ProblemCode::OutOfBounds, "period", "the period has not begun");
    }
    late::check(writing, input, about.own_site(), "period", &period).await?;
    let external = writing.external_id(input, "figure").await?;
    let Some(value) = value else {
        input.check()?;
        return Err(Problem::at(ProblemCode::Required, "value", "a value is needed").into());
    };
    let mut row = declared(writing, &about, indicator, value, &period);
    row.source_external_id = external;
    row.perimeter = input.choice("perimeter", Perimeter::parse).or(None);
    row.approximate = input.flag("approximate").or(None).unwrap_or(false);
    row.note = input.text("note", 0..=500).or(None);
    figures::name(&mut row, about.subject(), None);
    if standing(writing, &row.natural_key).await?.is_some() {
        let message =
            "there is a figure for this subject, indicator, period and perimeter; revise or withdraw it";
        input.wrong(ProblemCode::Duplicate, "indicator", message);
    }
    input.check()?;
    insert(writing, row, about.site, Verb::Create).await
}

/// A provisional figure that the caller gives: of his system, or declared.
pub(super) fn declared(
    writing: Writing<'_>,
    about: &About,
    indicator: Indicator,
    value: Decimal,
    period: &PartialDate,
) -> figure::Model {
    let mut row = figures::figure(Uuid::now_v7(), writing.now, about.subject(), indicator, value);
    row.status = FigureStatus::Provisional;
    row.source_system = writing.source_system();
    row.origin = row.source_system.clone().unwrap_or_else(|| DECLARED.to_owned());
    row.period = Some(period.text.clone());
    row.period_from = Some(period.from);
    row.period_to = Some(period.to);
    row.as_of = Some(writing.today());
    row
}

/// A value within the bounds of its unit.
pub(super) fn checked(
    input: &Input<'_>,
    field: &str,
    value: Option<Decimal>,
    indicator: Indicator,
) -> Option<Decimal> {
    let value = value?;
    let percent = figures::unit(indicator) == FigureUnit::Percent;
    let decimals = if percent || indicator == Indicator::PartnerCountAvg { 2 } else { 0 };
    let most = if percent { Decimal::ONE_HUNDRED } else { Decimal::from(99_999_999_999_i64) };
    if value < Decimal::ZERO || value > most || value.normalize().scale() > decimals {
        let message = format!("{value}; expected 0 to {most} with {decimals} decimals at most");
        input.wrong(ProblemCode::OutOfBounds, field, message);
        return None;
    }
    Some(value)
}

/// The figure that holds a natural key, neither revised nor withdrawn; locked, so that its status stays what it is.
pub(super) async fn standing(writing: Writing<'_>, key: &str) -> Result<Option<figure::Model>, Failure> {
    let found = figure::Entity::find()
        .filter(figure::Column::NaturalKey.eq(key))
        .filter(figure::Column::Status.is_in([FigureStatus::Provisional, FigureStatus::Validated]))
        .filter(figure::Column::DeletedAt.is_null())
        .lock(LockType::Update)
        .one(writing.tx)
        .await?;
    Ok(found)
}

pub(super) async fn insert(
    writing: Writing<'_>,
    row: figure::Model,
    site: Option<Uuid>,
    verb: Verb,
) -> Result<Change, Failure> {
    let mut new: figure::ActiveModel = row.into();
    new = new.reset_all();
    let row = new.insert(writing.tx).await?;
    let fields = vec!["indicator", "value", "period", "perimeter", "status"];
    let now = who_sees(writing, &row, site).await?;
    writing.record("Figure", (row.id, row.version), verb, fields, (Seen::default(), now)).await
}
