//! Figures of QPV from the INSEE series, and what all figures share: units, natural keys.

use std::collections::HashSet;

use entity::enums::{FigureStatus, FigureSubject, FigureUnit, Indicator, Perimeter};
use entity::figure;
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::IngestError;
use super::lines::{Line, Lines};
use super::load::{Ids, Load, partial};
use super::qpvs::ids;
use super::report::Wrong;
use super::write::{Rule, Writer};
use crate::graphql::scalars::{PartialDate, Scalar};

/// A figure in force with this key is the same one. Its status is not read again from the source: it may have
/// been reviewed since.
pub(super) const RULE: Rule<figure::Column> = {
    use figure::Column;
    Rule {
        key: &[Column::NaturalKey],
        only: Some("status NOT IN ('REVISED', 'WITHDRAWN')"),
        follow: &[
            Column::Value,
            Column::Unit,
            Column::PeriodFrom,
            Column::PeriodTo,
            Column::Pillar,
            Column::AsOf,
            Column::Approximate,
            Column::Note,
        ],
    }
};

/// Natural keys of figures that were withdrawn: a file does not tell them again.
pub(super) async fn withdrawn(load: &Load<'_>) -> Result<HashSet<String>, IngestError> {
    let keys = figure::Entity::find().select_only().column(figure::Column::NaturalKey);
    let keys = keys.filter(figure::Column::Status.eq(FigureStatus::Withdrawn)).into_tuple();
    Ok(keys.all(load.tx).await?.into_iter().collect())
}

/// What a figure is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// The whole programme.
    National,
    /// A commune, by its code.
    Commune(&'a str),
    /// An EPCI, by its SIREN.
    Epci(&'a str),
    /// A site, with its code.
    Site(Uuid, &'a str),
    /// A QPV, with its code.
    Qpv(Uuid, &'a str),
    /// An action, with the identity that its source gives it.
    Action(Uuid, &'a str),
}

/// The unit of an indicator.
pub(crate) fn unit(indicator: Indicator) -> FigureUnit {
    let name = indicator.as_str();
    let percent =
        name.ends_with("_RATE") || name.ends_with("_SHARE") || name.starts_with("UNEMPLOYMENT_RATE");
    if percent { FigureUnit::Percent } else { FigureUnit::Count }
}

/// A validated figure of a subject; the caller completes it before it asks for [`name`].
pub(crate) fn figure(
    id: Uuid,
    now: chrono::DateTime<chrono::Utc>,
    subject: Subject<'_>,
    indicator: Indicator,
    value: Decimal,
) -> figure::Model {
    let mut row = figure::Model {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
        source_system: None,
        source_external_id: None,
        subject: FigureSubject::National,
        site_id: None,
        qpv_id: None,
        commune_code: None,
        epci_siren: None,
        action_id: None,
        indicator,
        value: Some(value),
        unit: unit(indicator),
        period: None,
        period_from: None,
        period_to: None,
        perimeter: None,
        pillar: None,
        origin: String::new(),
        as_of: None,
        status: FigureStatus::Validated,
        approximate: false,
        note: None,
        natural_key: String::new(),
    };
    match subject {
        Subject::National => {}
        Subject::Commune(code) => {
            (row.subject, row.commune_code) = (FigureSubject::Commune, Some(code.to_owned()));
        }
        Subject::Epci(siren) => (row.subject, row.epci_siren) = (FigureSubject::Epci, Some(siren.to_owned())),
        Subject::Site(id, _) => (row.subject, row.site_id) = (FigureSubject::Site, Some(id)),
        Subject::Qpv(id, _) => (row.subject, row.qpv_id) = (FigureSubject::Qpv, Some(id)),
        Subject::Action(id, _) => (row.subject, row.action_id) = (FigureSubject::Action, Some(id)),
    }
    row
}

/// Dates a figure.
pub(crate) fn date(row: &mut figure::Model, period: &str) -> Result<(), Wrong> {
    date_by(row, partial(period)?);
    Ok(())
}

/// Dates a figure by a period that was read.
pub(super) fn date_by(row: &mut figure::Model, period: PartialDate) {
    (row.period_from, row.period_to, row.period) = (Some(period.from), Some(period.to), Some(period.text));
}

/// Gives the natural key: subject, its code, indicator, period, perimeter, origin, and the generation of QPV
/// where the figure counts one of them.
pub(crate) fn name(row: &mut figure::Model, subject: Subject<'_>, generation: Option<&str>) {
    let code = match subject {
        Subject::National => "",
        Subject::Commune(code)
        | Subject::Epci(code)
        | Subject::Site(_, code)
        | Subject::Qpv(_, code)
        | Subject::Action(_, code) => code,
    };
    let period = row.period.as_deref().unwrap_or_default();
    let perimeter = row.perimeter.map(Perimeter::as_str).unwrap_or_default();
    let parts = [
        row.subject.as_str(),
        code,
        row.indicator.as_str(),
        period,
        perimeter,
        row.origin.as_str(),
        generation.unwrap_or_default(),
    ];
    parts.join("|").trim_end_matches('|').clone_into(&mut row.natural_key);
}

/// Population of each QPV of 2015, of the years 2013 and 2018 (« population municipale »).
pub(super) async fn populations(load: &mut Load<'_>) -> Result<(), IngestError> {
    const COLUMNS: &[&str] = &["code_qp", "population_2013", "population_2018"];
    let lines = Lines::open(load.data, "qpv2015_liste.csv", COLUMNS, 1)?;
    series(load, lines, |line| {
        let year = |year| Ok((year, line.number(COLUMNS[if year == "2013" { 1 } else { 2 }])?));
        Ok((Indicator::Population, "INSEE_RP", vec![year("2013")?, year("2018")?]))
    })
    .await
}

/// Poverty rate of each QPV of 2015, by year. Rates under statistical secrecy are empty, and left out.
pub(super) async fn poverty(load: &mut Load<'_>) -> Result<(), IngestError> {
    const COLUMNS: &[&str] = &["code_qp", "annee", "taux_pauvrete_60_pct"];
    let lines = Lines::open(load.data, "qpv2015_taux_pauvrete_2012_2021.csv.gz", COLUMNS, 2)?;
    series(load, lines, |line| {
        Ok((Indicator::PovertyRate, "INSEE_FILOSOFI", vec![(line.raw("annee"), line.number(COLUMNS[2])?)]))
    })
    .await
}

/// Values of one QPV by year, with their indicator and origin.
type Values<'a> = (Indicator, &'static str, Vec<(&'a str, Option<Decimal>)>);

async fn series(
    load: &mut Load<'_>,
    mut lines: Lines,
    read: impl for<'a> Fn(&Line<'a>) -> Result<Values<'a>, Wrong>,
) -> Result<(), IngestError> {
    let (ids, now) = (ids(load).await?, load.now);
    let withdrawn = withdrawn(load).await?;
    let mut writer = Writer::<figure::Entity>::new(load.tx, RULE).await?;
    while let Some(batch) = lines.batch(&mut load.report, |line| {
        let rows = of_line(line, &ids, now, read(line)?)?;
        Ok((!rows.is_empty()).then_some(rows))
    })? {
        let rows = batch.into_iter().flatten().map(|mut row: figure::Model| {
            row.id = load.new_id();
            row
        });
        let rows = rows.filter(|row| !withdrawn.contains(&row.natural_key)).collect();
        writer.write(load.tx, rows).await?;
    }
    Ok(writer.finish(load).await?)
}

/// The figures of a line; missing values are left out, never 0.
fn of_line(
    line: &Line<'_>,
    ids: &Ids,
    now: chrono::DateTime<chrono::Utc>,
    (indicator, origin, values): Values<'_>,
) -> Result<Vec<figure::Model>, Wrong> {
    let code = line.key("code_qp", Scalar::QpvCode)?;
    let subject = Subject::Qpv(ids.get(&code)?, &code);
    let known = values.into_iter().filter_map(|(year, value)| Some((year, value?)));
    known
        .map(|(year, value)| {
            let mut row = figure(Uuid::nil(), now, subject, indicator, value);
            date(&mut row, year)?;
            row.perimeter = Some(Perimeter::Qpv);
            origin.clone_into(&mut row.origin);
            name(&mut row, subject, None);
            Ok(row)
        })
        .collect()
}
