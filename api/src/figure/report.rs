//! The quarterly report of a site (« remontée trimestrielle »).

use async_graphql::Value;
use entity::enums::{FigureStatus, Indicator};
use rust_decimal::Decimal;

use super::late;
use super::subject::{rights, site_about};
use super::submit::{checked, declared, insert, replace, standing};
use crate::graphql::scalars::{Parsed, Scalar};
use crate::ingest::figures;
use crate::policy::Verb;
use crate::write::{Change, Failure, Input, Place, Problem, ProblemCode, Writing};

/// Reports the figures of a quarter.
pub(super) async fn report(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let site_id = input.subject("site", "site")?;
    let about = site_about(writing, site_id, "site").await?;
    // a partner's system names each of its figures, by `submitFigure`
    writing.place(rights(about.kind, Verb::Write), "site", Place::of_figure(site_id)).await?;
    let Some(quarter) = input.period("quarter").or(None) else {
        return Err(Problem::at(ProblemCode::Required, "quarter", "a quarter is needed").into());
    };
    if !quarter.text.contains('Q') || quarter.from > writing.today() {
        input.wrong(
            ProblemCode::OutOfBounds,
            "quarter",
            "expected a calendar quarter that has begun, such as 2023-Q2",
        );
    }
    late::check(writing, input, about.site, "quarter", &quarter).await?;
    let mut seen: Vec<Indicator> = Vec::new();
    let mut rows = Vec::new();
    let given = if let Some(Value::List(given)) = input.given("values") { given.as_slice() } else { &[] };
    for (index, item) in given.iter().enumerate() {
        let at = |code, message: String| input.problem(Problem::at(code, "values", message).then(index));
        let Some((indicator, value)) = quarter_value(item) else { continue };
        let note = match quarter_note(item) {
            Ok(note) => note,
            Err((code, message)) => {
                input.problem(Problem::at(code, "values", message).then(index).then("note"));
                None
            }
        };
        if seen.contains(&indicator) {
            at(ProblemCode::Duplicate, format!("{} stands twice", indicator.as_str()));
        }
        seen.push(indicator);
        if checked(&Input::new(&crate::read::coerce::Arguments::new()), "value", Some(value), indicator)
            .is_none()
        {
            at(ProblemCode::OutOfBounds, format!("{value} is out of bounds for {}", indicator.as_str()));
        }
        let mut row = declared(writing, &about, indicator, value, &quarter);
        row.note = note;
        figures::name(&mut row, about.subject(), None);
        match standing(writing, &row.natural_key).await? {
            Some(known) if known.status == FigureStatus::Validated => {
                let message = format!("{} of this quarter is validated; revise it", indicator.as_str());
                at(ProblemCode::Frozen, message);
            }
            known => rows.push((known, row)),
        }
    }
    input.check()?;
    for (known, row) in rows {
        match known {
            Some(known) => replace(writing, &known, row, about.site).await?,
            None => insert(writing, row, about.site, Verb::Create).await?,
        };
    }
    Ok(Change { id: site_id })
}

fn quarter_value(item: &Value) -> Option<(Indicator, Decimal)> {
    let Value::Object(item) = item else { return None };
    let Some(Value::Enum(indicator)) = item.get("indicator") else { return None };
    let Ok(Parsed::Decimal(value)) = Scalar::Decimal.parse(item.get("value")?) else { return None };
    Some((Indicator::parse(indicator)?, value))
}

fn quarter_note(item: &Value) -> Result<Option<String>, (ProblemCode, &'static str)> {
    let Value::Object(item) = item else { return Ok(None) };
    let Some(Value::String(note)) = item.get("note") else { return Ok(None) };
    let note = crate::text::normalise(note)
        .map_err(|_| (ProblemCode::InvalidText, "control characters are not taken"))?;
    if note.chars().count() > 500 {
        return Err((ProblemCode::OutOfBounds, "expected 500 characters at most"));
    }
    Ok(Some(note))
}
