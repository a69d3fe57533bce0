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
use crate::write::row::{next_row, take};
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
    late::check(writing, input, about.site, "period", &period).await?;
    let mut row = declared(writing, &about, indicator, value.unwrap_or_default(), &period);
    row.source_external_id = writing.identifier(input);
    row.perimeter = input.choice("perimeter", Perimeter::parse).or(None);
    row.approximate = input.flag("approximate").or(None).unwrap_or(false);
    row.note = input.text("note", 0..=500).or(None);
    figures::name(&mut row, about.subject(), None);
    let known = standing(writing, &row.natural_key).await?;
    let former = known.as_ref().filter(|known| is_corrected_by(known, &row));
    if former.is_none() {
        if let Some(known) = &known {
            input.wrong(ProblemCode::Duplicate, "indicator", stands(known.status));
        }
        writing.check_unused(input, "figure", row.source_external_id.as_deref()).await?;
    }
    input.check()?;
    if value.is_none() {
        return Err(Problem::at(ProblemCode::Required, "value", "a value is needed").into());
    }
    match former {
        Some(known) => replace(writing, known, row, about.site).await,
        None => insert(writing, row, about.site, Verb::Create).await,
    }
}

/// Whether a figure may be put right by another from where it came: not validated yet, of the same system under the
/// same identifier, or given by hand.
fn is_corrected_by(known: &figure::Model, row: &figure::Model) -> bool {
    known.status == FigureStatus::Provisional
        && (&known.source_system, &known.source_external_id) == (&row.source_system, &row.source_external_id)
}

const fn stands(status: FigureStatus) -> &'static str {
    match status {
        FigureStatus::Validated => {
            "the figure for this subject, indicator, period and perimeter is validated; revise it"
        }
        _ => "there is a figure for this subject, indicator, period and perimeter under another identifier",
    }
}

/// Puts another value in the place of a provisional one.
pub(super) async fn replace(
    writing: Writing<'_>,
    known: &figure::Model,
    new: figure::Model,
    site: Option<Uuid>,
) -> Result<Change, Failure> {
    let mut row = next_row!(writing, figure, known);
    let mut changed = Vec::new();
    take!(changed, row, known, "value", value, new.value);
    take!(changed, row, known, "approximate", approximate, new.approximate);
    take!(changed, row, known, "note", note, new.note);
    if changed.is_empty() {
        return Ok(Change { id: known.id });
    }
    take!(changed, row, known, "asOf", as_of, new.as_of);
    let was = who_sees(writing, known, site).await?;
    let row = writing.change(known, row).await?;
    let now = who_sees(writing, &row, site).await?;
    writing.record("Figure", (row.id, row.version), Verb::Update, changed, (was, now)).await
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
