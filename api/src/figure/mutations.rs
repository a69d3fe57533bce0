//! Mutations of figures: submit, validate, revise, withdraw, and the report of a quarter.

use async_graphql::dynamic::TypeRef;
use entity::enums::{FigureStatus, FigureSubject, FigureUnit, Indicator, Perimeter};
use entity::{figure, site_qpv};
use rust_decimal::Decimal;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::subject::{About, about};
use super::{late, report};
use crate::graphql::scalars::PartialDate;
use crate::ingest::figures;
use crate::journal::Seen;
use crate::policy::{Resource, Verb};
use crate::read::model::{Argument, InputObject};
use crate::write::declare::{expected_version, id_of, optional, required};
use crate::write::input::Patch;
use crate::write::row::next_row;
use crate::write::{
    Change, Failure, Input, Mutation, Place, Problem, ProblemCode, Resources, Target, Writing,
};

const TARGET: Target = Target { field: "figure", noun: "Figure" };
/// Origin of figures that people submit here.
const DECLARED: &str = "DECLARED";

/// Input objects of these mutations.
pub fn inputs() -> Vec<InputObject> {
    vec![
        InputObject {
            name: "FigureSubjectInput".to_owned(),
            description: "What a figure is about.".to_owned(),
            fields: vec![
                optional("site", "ID", "A site."),
                optional("action", "ID", "An action."),
                optional("qpv", "QpvCode", "A « QPV »."),
            ],
            one_of: true,
        },
        InputObject {
            name: "QuarterValueInput".to_owned(),
            description: "One value of a quarterly report (« remontée trimestrielle »).".to_owned(),
            fields: vec![
                required("indicator", "Indicator", "What it measures."),
                required("value", "Decimal", "Exact value, zero or more."),
                optional("note", "String", "What must be known to read it, up to 500 characters."),
            ],
            one_of: false,
        },
    ]
}

/// The mutations of this file.
pub fn mutations() -> Vec<Mutation> {
    let value = || {
        optional(
            "value",
            "Decimal",
            "Exact value, zero or more; a percentage is 0 to 100 with 2 decimals at most.",
        )
    };
    let note = || optional("note", "String", "What must be known to read it, up to 500 characters.");
    vec![
        Mutation::new(
            "submitFigure",
            TARGET,
            "Submits a figure of a site, a QPV or an action, as PROVISIONAL. One per subject, indicator, period and perimeter.",
            [
                required("subject", "FigureSubjectInput", "What it is about."),
                required("indicator", "Indicator", "What it measures."),
                required(
                    "value",
                    "Decimal",
                    "Exact value, zero or more; a percentage is 0 to 100 with 2 decimals at most.",
                ),
                required("period", "PartialDate", "Period it covers."),
                optional("perimeter", "Perimeter", "Ground it covers (« périmètre »)."),
                optional("approximate", "Boolean", "The value is rounded or estimated."),
                note(),
            ],
            |writing, input| Box::pin(submit(writing, input)),
        ),
        Mutation::new(
            "validateFigure",
            TARGET,
            "Validates a provisional figure; the public reads validated ones.",
            [id_of("figure"), expected_version()],
            |writing, input| Box::pin(validate(writing, input)),
        ),
        Mutation::new(
            "reviseFigure",
            TARGET,
            "Replaces a validated figure by another value, validated at once; the former is kept as REVISED.",
            [id_of("figure"), expected_version(), value(), note()],
            |writing, input| Box::pin(revise(writing, input)),
        ),
        Mutation::new(
            "withdrawFigure",
            TARGET,
            "Withdraws a figure; it is kept as WITHDRAWN.",
            [id_of("figure"), expected_version(), required("reason", "String", "Why, 3 to 500 characters.")],
            |writing, input| Box::pin(withdraw(writing, input)),
        ),
        Mutation::new(
            "reportQuarter",
            Target { field: "site", noun: "Site" },
            "Reports the figures of a site for one calendar quarter; a value reported before and not yet validated is replaced.",
            [
                required("site", "ID", "The site."),
                required("quarter", "PartialDate", "The quarter, such as 2023-Q2; not in the future."),
                Argument::new(
                    "values",
                    TypeRef::named_nn_list_nn("QuarterValueInput"),
                    "The values, each indicator once.",
                ),
            ],
            |writing, input| Box::pin(report::report(writing, input)),
        ),
    ]
}

pub(super) fn rights(verb: Verb) -> Resources {
    Resources { table: "figure", resource: Resource::Figure, verb, group: "" }
}

async fn submit(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let about = about(writing, input).await?;
    let right = writing.place(rights(Verb::Write), "subject", about.place()).await;
    // a QPV is no row of a site: the right comes from the sites that work there
    right_or_qpv(writing, &about, right).await?;
    let (Patch::Set(indicator), Patch::Set(period)) =
        (input.choice("indicator", Indicator::parse), input.period("period"))
    else {
        return Err(Problem::at(ProblemCode::Required, "indicator", "indicator and period are needed").into());
    };
    let value = checked(input, "value", input.decimal("value").or(None), indicator);
    if period.from > writing.today() {
        input.wrong(ProblemCode::OutOfBounds, "period", "the period has not begun");
    }
    late::check(writing, input, about.site, "period", &period).await?;
    let Some(value) = value else {
        input.check()?;
        return Err(Problem::at(ProblemCode::Required, "value", "a value is needed").into());
    };
    let mut row = declared(writing, &about, indicator, value, &period);
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
    insert(writing, row, &about, Verb::Create).await
}

/// A figure about a QPV may be written by those who steer a site that works there.
async fn right_or_qpv(
    writing: Writing<'_>,
    about: &About,
    right: Result<(), Failure>,
) -> Result<(), Failure> {
    if right.is_ok() || about.kind != FigureSubject::Qpv {
        return right;
    }
    let links = site_qpv::Entity::find().filter(site_qpv::Column::QpvId.eq(about.id)).all(writing.tx).await?;
    for link in links {
        if writing.place(rights(Verb::Write), "subject", Place::of_figure(link.site_id)).await.is_ok() {
            return Ok(());
        }
    }
    right
}

pub(super) fn declared(
    writing: Writing<'_>,
    about: &About,
    indicator: Indicator,
    value: Decimal,
    period: &PartialDate,
) -> figure::Model {
    let mut row = figures::figure(Uuid::now_v7(), writing.now, about.subject(), indicator, value);
    row.status = FigureStatus::Provisional;
    DECLARED.clone_into(&mut row.origin);
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
    let decimals = if percent { 2 } else { 4 };
    let most = if percent { Decimal::ONE_HUNDRED } else { Decimal::from(99_999_999_999_i64) };
    if value < Decimal::ZERO || value > most || value.normalize().scale() > decimals {
        let message = format!("{value}; expected 0 to {most} with {decimals} decimals at most");
        input.wrong(ProblemCode::OutOfBounds, field, message);
        return None;
    }
    Some(value)
}

/// The figure that holds a natural key, neither revised nor withdrawn.
pub(super) async fn standing(writing: Writing<'_>, key: &str) -> Result<Option<figure::Model>, Failure> {
    let found = figure::Entity::find()
        .filter(figure::Column::NaturalKey.eq(key))
        .filter(figure::Column::Status.is_in([FigureStatus::Provisional, FigureStatus::Validated]))
        .filter(figure::Column::DeletedAt.is_null())
        .one(writing.tx)
        .await?;
    Ok(found)
}

pub(super) async fn insert(
    writing: Writing<'_>,
    row: figure::Model,
    about: &About,
    verb: Verb,
) -> Result<Change, Failure> {
    let mut new: figure::ActiveModel = row.into();
    new = new.reset_all();
    let row = new.insert(writing.tx).await?;
    let fields = vec!["indicator", "value", "period", "perimeter", "status"];
    writing.record("Figure", (row.id, row.version), verb, fields, about.scope(row.status)).await
}

async fn current(writing: Writing<'_>, input: &Input<'_>, verb: Verb) -> Result<figure::Model, Failure> {
    let id = input.subject("id", "figure")?;
    let found = writing.readable::<figure::Entity>("figure", Resource::Figure, "id", id).await?;
    let rights = match found.subject {
        // figures of the whole programme or of a territory are ANCT's
        FigureSubject::National | FigureSubject::Commune | FigureSubject::Epci => {
            Resources { table: "figure", resource: Resource::NationalFigure, verb: Verb::Write, group: "" }
        }
        _ => rights(verb),
    };
    writing.row::<figure::Entity>(rights, "id", id, input.expected_version()).await
}

pub(super) fn scope(was: FigureStatus, row: &figure::Model) -> (Seen, Seen) {
    let seen = |status: FigureStatus| Seen {
        site: row.site_id,
        source: row.source_system.clone(),
        public: status == FigureStatus::Validated,
    };
    (seen(was), seen(row.status))
}

async fn move_to(
    writing: Writing<'_>,
    current: &figure::Model,
    to: FigureStatus,
    verb: Verb,
    note: Option<String>,
) -> Result<Change, Failure> {
    let mut row = next_row!(writing, figure, current);
    let mut fields = vec!["status"];
    row.status = Set(to);
    if let Some(note) = note {
        row.note = Set(Some(note));
        fields.push("note");
    }
    let row = row.update(writing.tx).await?;
    writing.record("Figure", (row.id, row.version), verb, fields, scope(current.status, &row)).await
}

async fn validate(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = current(writing, input, Verb::Validate).await?;
    match current.status {
        FigureStatus::Validated => Ok(Change { id: current.id }),
        FigureStatus::Provisional => {
            move_to(writing, &current, FigureStatus::Validated, Verb::Validate, None).await
        }
        other => Err(Problem::transition(other.as_str(), "VALIDATED", [].into_iter()).on("id").into()),
    }
}

async fn revise(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = current(writing, input, Verb::Validate).await?;
    if current.status != FigureStatus::Validated {
        let allowed =
            if current.status == FigureStatus::Provisional { vec!["VALIDATED", "WITHDRAWN"] } else { vec![] };
        return Err(Problem::transition(current.status.as_str(), "REVISED", allowed.into_iter())
            .on("id")
            .into());
    }
    let value = checked(input, "value", input.decimal("value").or(None), current.indicator);
    input.check()?;
    let Some(value) = value else {
        return Err(Problem::at(ProblemCode::Required, "value", "a value is needed").into());
    };
    let note = input.text("note", 0..=500).or(current.note.clone());
    input.check()?;
    move_to(writing, &current, FigureStatus::Revised, Verb::Validate, None).await?;
    let mut row = figure::Model {
        id: Uuid::now_v7(),
        version: 1,
        created_at: writing.now,
        updated_at: writing.now,
        source_system: None,
        source_external_id: None,
        value: Some(value),
        status: FigureStatus::Validated,
        as_of: Some(writing.today()),
        note,
        ..current.clone()
    };
    row.deleted_at = None;
    let about = About {
        kind: current.subject,
        id: current.site_id.or(current.qpv_id).or(current.action_id).unwrap_or_default(),
        key: String::new(),
        site: current.site_id,
    };
    insert(writing, row, &about, Verb::Validate).await
}

async fn withdraw(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let current = current(writing, input, Verb::Withdraw).await?;
    let reason = input.text("reason", 3..=500).or(None);
    input.check()?;
    match current.status {
        FigureStatus::Withdrawn => Ok(Change { id: current.id }),
        FigureStatus::Revised => {
            Err(Problem::transition("REVISED", "WITHDRAWN", [].into_iter()).on("id").into())
        }
        _ => move_to(writing, &current, FigureStatus::Withdrawn, Verb::Withdraw, reason).await,
    }
}
