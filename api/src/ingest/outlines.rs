//! Outlines and lineage of the QPV.

use std::io::{BufRead, BufReader};

use entity::enums::{LineageKind, Provenance};
use entity::{qpv_lineage, qpv_outline};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::IngestError;
use super::lines::{BATCH, Lines};
use super::load::{Ids, Load, code};
use super::qpvs::ids;
use super::report::Wrong;
use super::write::{Rule, Writer};
use crate::graphql::scalars::Scalar;
use crate::qpv::outline;

const FILE: &str = "qpv2024_contours.geojson.gz";

/// A line of the file, a `GeoJSON` Feature.
#[derive(Deserialize)]
struct Feature<'a> {
    properties: Properties,
    #[serde(borrow)]
    geometry: &'a RawValue,
}

#[derive(Deserialize)]
struct Properties {
    code_qp: String,
}

/// The outlines of 2024, a Feature per line. They are kept as the source writes them, checked to be polygons.
pub(super) async fn outlines(load: &mut Load<'_>) -> Result<(), IngestError> {
    use qpv_outline::{Column, Entity};
    let ids = ids(load).await?;
    let rule = Rule { key: &[Column::QpvId], only: None, follow: &[Column::Geojson] };
    let (mut writer, mut rows) = (Writer::<Entity>::new(load.tx, rule).await?, Vec::new());
    for (line, number) in BufReader::new(load.data.open(FILE)?).lines().zip(1..) {
        let text = line.map_err(|error| IngestError::at(FILE, number, error.to_string(), "a whole text"))?;
        let text = text.trim().trim_end_matches(',');
        if is_frame(text) {
            continue;
        }
        load.report.lines += 1;
        match feature(text, &ids) {
            Ok(row) => rows.push(row),
            Err(wrong) => load.report.reject(FILE, number, &wrong),
        }
        if rows.len() == BATCH {
            writer.write(load.tx, std::mem::take(&mut rows)).await?;
        }
    }
    writer.write(load.tx, rows).await?;
    Ok(writer.finish(load).await?)
}

/// The lines before the first Feature and after the last.
fn is_frame(line: &str) -> bool {
    line.trim_matches([']', '}', ' ']).is_empty() || line.contains("\"FeatureCollection\"")
}

fn feature(text: &str, ids: &Ids) -> Result<qpv_outline::Model, Wrong> {
    let feature: Feature<'_> = serde_json::from_str(text)
        .map_err(|error| Wrong::new(error.to_string(), "a GeoJSON Feature on one line"))?;
    let code = code(Scalar::QpvCode, &feature.properties.code_qp)?;
    let geojson = feature.geometry.get();
    outline::check(&code, geojson).map_err(|error| Wrong::new(error.to_string(), "an outline"))?;
    Ok(qpv_outline::Model { qpv_id: ids.get(&code)?, geojson: geojson.to_owned() })
}

/// Links from 2015 to 2024, deduced from equal names in one commune: never official, so marked derived.
pub(super) async fn lineage(load: &mut Load<'_>) -> Result<(), IngestError> {
    let ids = ids(load).await?;
    let mut lines = Lines::open(
        load.data,
        "qpv_correspondance_2024_2015_deduite.csv",
        &["code_qp_2024", "code_qp_2015", "statut_2024"],
        2,
    )?;
    let mut pairs = Vec::new();
    while let Some(batch) = lines.batch(&mut load.report, |line| {
        let kind = line.one_of("statut_2024", |status| match status {
            "identique" => Some(LineageKind::Unchanged),
            "modifie" => Some(LineageKind::Modified),
            _ => None,
        })?;
        let qpv = |column| ids.get(&line.key(column, Scalar::QpvCode)?);
        Ok(Some((qpv("code_qp_2015")?, qpv("code_qp_2024")?, kind)))
    })? {
        pairs.extend(batch);
    }
    write_lineage(load, pairs).await
}

/// Writes derived links (from, to, kind). One that exists stays as it is: ANCT may have confirmed it.
pub(super) async fn write_lineage(
    load: &mut Load<'_>,
    links: Vec<(uuid::Uuid, uuid::Uuid, LineageKind)>,
) -> Result<(), IngestError> {
    use qpv_lineage::{Column, Entity, Model};
    let row = |(from_qpv_id, to_qpv_id, kind)| Model {
        id: load.new_id(),
        from_qpv_id,
        to_qpv_id,
        kind,
        provenance: Provenance::Derived,
    };
    let rows = links.into_iter().map(row).collect();
    let rule = Rule { key: &[Column::FromQpvId, Column::ToQpvId], only: None, follow: &[] };
    Ok(load.write::<Entity>(rows, rule).await?)
}
