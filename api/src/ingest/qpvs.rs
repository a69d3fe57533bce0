//! Priority neighbourhoods of both generations: rows and communes.

use std::collections::{BTreeSet, HashSet};

use chrono::NaiveDate;
use entity::enums::QpvGeneration;
use entity::{commune, departement, qpv, qpv_commune};
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::IngestError;
use super::lines::{Line, Lines};
use super::load::{Codes, Ids, Load};
use super::report::Wrong;
use super::write::{Rule, Writer};
use crate::graphql::scalars::Scalar;
use crate::text::fold;

const RULE: Rule<qpv::Column> = {
    use qpv::Column;
    Rule {
        key: &[Column::Code],
        only: None,
        follow: &[
            Column::Generation,
            Column::Name,
            Column::NameSearch,
            Column::DepartementCode,
            Column::RegionCode,
            Column::CentroidLon,
            Column::CentroidLat,
            Column::ValidFrom,
            Column::ValidTo,
            Column::AreaHa,
        ],
    }
};

/// Ids of the QPV of both generations, by code.
pub(super) async fn ids(load: &Load<'_>) -> Result<Ids, IngestError> {
    Ok(load.ids::<qpv::Entity>("QPV", qpv::Column::Code, qpv::Column::Id).await?)
}

/// A line of either list: the row, and its communes.
type Read = (qpv::Model, Vec<String>);

/// The generation of 2015. Lines of Saint-Martin and Polynesia have neither name nor commune: the code stands
/// for the name.
pub(super) async fn of_2015(load: &mut Load<'_>) -> Result<(), IngestError> {
    const COLUMNS: &[&str] = &["code_qp", "lib_qp", "insee_com_principale", "insee_dep"];
    let lines = Lines::open(load.data, "qpv2015_liste.csv", COLUMNS, 1)?;
    generation(load, lines, QpvGeneration::Qpv2015, |line, row| {
        row.name = line.optional("lib_qp")?.unwrap_or_else(|| row.code.clone());
        Ok(line.list("insee_com_principale").map(str::to_owned).collect())
    })
    .await
}

/// The generation of 2024, with the point inside and the area that were computed from its outlines.
pub(super) async fn of_2024(load: &mut Load<'_>) -> Result<(), IngestError> {
    const COLUMNS: &[&str] =
        &["code_qp", "lib_qp", "insee_com", "insee_dep", "longitude", "latitude", "surface_ha_approx"];
    let lines = Lines::open(load.data, "qpv2024_liste.csv", COLUMNS, 1)?;
    generation(load, lines, QpvGeneration::Qpv2024, |line, row| {
        row.name = line.text("lib_qp")?;
        row.centroid_lon = line.number("longitude")?;
        row.centroid_lat = line.number("latitude")?;
        row.area_ha = line.number("surface_ha_approx")?;
        Ok(line.list("insee_com").map(str::to_owned).collect())
    })
    .await
}

async fn generation(
    load: &mut Load<'_>,
    mut lines: Lines,
    generation: QpvGeneration,
    complete: impl Fn(&Line<'_>, &mut qpv::Model) -> Result<Vec<String>, Wrong>,
) -> Result<(), IngestError> {
    let communes = load.codes::<commune::Entity>("commune", commune::Column::Code).await?;
    let departements = departement::Entity::find().all(load.tx).await?;
    let (mut writer, mut grounds) = (Writer::<qpv::Entity>::new(load.tx, RULE).await?, Vec::new());
    let blank = blank(load, generation);
    while let Some(batch) = lines.batch(&mut load.report, |line| {
        let mut row = identify(line, blank.clone(), &departements)?;
        let codes = known(complete(line, &mut row)?, &communes)?;
        row.name_search = fold(&row.name);
        Ok(Some((row, codes)))
    })? {
        let rows = batch.into_iter().map(|(mut row, codes): Read| {
            row.id = load.new_id();
            grounds.push((row.code.clone(), codes));
            row
        });
        let rows = rows.collect();
        writer.write(load.tx, rows).await?;
    }
    writer.finish(load).await?;
    write_communes(load, grounds).await
}

fn blank(load: &Load<'_>, generation: QpvGeneration) -> qpv::Model {
    qpv::Model {
        id: Uuid::nil(),
        version: 1,
        created_at: load.now,
        updated_at: load.now,
        deleted_at: None,
        source_system: None,
        source_external_id: None,
        code: String::new(),
        generation,
        name: String::new(),
        name_search: String::new(),
        departement_code: None,
        region_code: None,
        centroid_lon: None,
        centroid_lat: None,
        valid_from: NaiveDate::default(),
        valid_to: None,
        area_ha: None,
    }
}

/// Code, territory and period. The new perimeters came a year later overseas.
fn identify(line: &Line<'_>, row: qpv::Model, known: &[departement::Model]) -> Result<qpv::Model, Wrong> {
    let departement = line.key("insee_dep", Scalar::DepartementCode)?;
    let of_region = known.iter().find(|known| known.code == departement);
    let last_year = if departement.len() == 3 { 2024 } else { 2023 };
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day);
    let (valid_from, valid_to) = match row.generation {
        QpvGeneration::Qpv2015 => (day(2015, 1, 1), day(last_year, 12, 31)),
        QpvGeneration::Qpv2024 => (day(last_year + 1, 1, 1), None),
    };
    Ok(qpv::Model {
        code: line.key("code_qp", Scalar::QpvCode)?,
        departement_code: of_region.map(|known| known.code.clone()),
        region_code: of_region.map(|known| known.region_code.clone()),
        valid_from: valid_from.unwrap_or_default(),
        valid_to,
        ..row
    })
}

fn known(codes: Vec<String>, communes: &Codes) -> Result<Vec<String>, Wrong> {
    codes.into_iter().map(|code| communes.check(code)).collect()
}

/// Communes of the QPV of a file. A link that the file no longer has goes; other generations are not touched.
async fn write_communes(load: &mut Load<'_>, grounds: Vec<(String, Vec<String>)>) -> Result<(), IngestError> {
    use qpv_commune::{Column, Entity, Model};
    let ids = ids(load).await?;
    let wanted: BTreeSet<(Uuid, String)> = grounds
        .into_iter()
        .filter_map(|(code, communes)| Some((ids.find(&code)?, communes)))
        .flat_map(|(id, communes)| communes.into_iter().map(move |commune| (id, commune)))
        .collect();
    let read: HashSet<Uuid> = wanted.iter().map(|(id, _)| *id).collect();
    for row in Entity::find().all(load.tx).await?.into_iter().filter(|row| read.contains(&row.qpv_id)) {
        let link = (row.qpv_id, row.commune_code);
        if !wanted.contains(&link) {
            Entity::delete_by_id(link).exec(load.tx).await?;
            load.report.updated += 1;
        }
    }
    let rows = wanted.into_iter().map(|(qpv_id, commune_code)| Model { qpv_id, commune_code }).collect();
    let rule = Rule { key: &[Column::QpvId, Column::CommuneCode], only: None, follow: &[] };
    Ok(load.write::<Entity>(rows, rule).await?)
}
