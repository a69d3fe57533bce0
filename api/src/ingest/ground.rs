//! The ground of each site: communes, EPCI, départements, as ANCT's list of 5 March 2024 attaches them.
//!
//! Links are only ever added, and none to a site whose ground somebody has set by hand: it would bring back what was
//! taken away, and a right with it.

use std::collections::BTreeMap;

use entity::{commune, departement, epci, site, site_commune, site_departement, site_epci};
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::IngestError;
use super::lines::Lines;
use super::load::{Codes, Ids, Load};
use super::write::Rule;
use crate::graphql::scalars::Scalar;

/// Fields of a site that are its ground.
pub(super) const GROUND: [&str; 2] = ["communes", "pilotDepartements"];

/// The list of communes by site.
pub(super) fn links(load: &Load<'_>) -> Result<Lines, IngestError> {
    Lines::open(load.data, "cites_emploi_communes.csv", &["id_cde", "insee_com", "commune_partagee"], 2)
}

/// Communes of the sites, and their départements with them.
pub(super) async fn communes(load: &mut Load<'_>) -> Result<(), IngestError> {
    let sites = sites(load).await?;
    let known = load.codes::<commune::Entity>("commune", commune::Column::Code).await?;
    let mut lines = links(load)?;
    let mut rows = Vec::new();
    while let Some(batch) = lines.batch(&mut load.report, |line| {
        Ok(Some(site_commune::Model {
            site_id: sites.get(&line.key("id_cde", Scalar::SiteCode)?)?,
            commune_code: known.check(line.key("insee_com", Scalar::CommuneCode)?)?,
            shared: line.yes("commune_partagee")?,
        }))
    })? {
        rows.extend(batch);
    }
    let by_hand = load.set_by_hand(&GROUND).await?;
    rows.retain(|row| !by_hand.contains(&row.site_id));
    let departements = departements(load, &rows).await?;
    let rule = {
        use site_commune::Column;
        Rule { key: &[Column::SiteId, Column::CommuneCode], only: None, follow: &[Column::Shared] }
    };
    load.write::<site_commune::Entity>(rows, rule).await?;
    let key = &[site_departement::Column::SiteId, site_departement::Column::DepartementCode];
    Ok(load.write::<site_departement::Entity>(departements, Rule { key, only: None, follow: &[] }).await?)
}

async fn sites(load: &Load<'_>) -> Result<Ids, IngestError> {
    Ok(load.ids::<site::Entity>("site", site::Column::Code, site::Column::Id).await?)
}

/// Départements of the communes. The only one of a site steers it; among several nothing says which.
async fn departements(
    load: &Load<'_>,
    communes: &[site_commune::Model],
) -> Result<Vec<site_departement::Model>, IngestError> {
    let regions: BTreeMap<_, _> = departement::Entity::find()
        .all(load.tx)
        .await?
        .into_iter()
        .map(|departement| (departement.code, departement.region_code))
        .collect();
    let all = commune::Entity::find().all(load.tx).await?;
    let departement_of: BTreeMap<_, _> =
        all.into_iter().filter_map(|commune| Some((commune.code, commune.departement_code?))).collect();
    let mut found: BTreeMap<Uuid, BTreeMap<String, String>> = BTreeMap::new();
    for link in communes {
        let departement = departement_of.get(&link.commune_code);
        if let Some((departement, region)) = departement.and_then(|code| regions.get_key_value(code)) {
            found.entry(link.site_id).or_default().insert(departement.clone(), region.clone());
        }
    }
    let rows = found.into_iter().flat_map(|(site_id, departements)| {
        let pilot = departements.len() == 1;
        departements.into_iter().map(move |(departement_code, region_code)| site_departement::Model {
            site_id,
            departement_code,
            region_code,
            pilot,
        })
    });
    Ok(rows.collect())
}

/// Groups of communes of the sites.
pub(super) async fn epcis(load: &mut Load<'_>) -> Result<(), IngestError> {
    use site_epci::{Column, Entity, Model};
    let sites = sites(load).await?;
    let known: Codes = load.codes::<epci::Entity>("EPCI", epci::Column::Siren).await?;
    let mut lines = Lines::open(load.data, "cites_emploi.csv", &["id_cde", "siren_epci"], 1)?;
    let mut rows = Vec::new();
    while let Some(batch) = lines.batch(&mut load.report, |line| {
        let site_id = sites.get(&line.key("id_cde", Scalar::SiteCode)?)?;
        let link = |siren: &str| Ok(Model { site_id, epci_siren: known.check(siren.to_owned())? });
        Ok(Some(line.list("siren_epci").map(link).collect::<Result<Vec<_>, _>>()?))
    })? {
        rows.extend(batch.into_iter().flatten());
    }
    let by_hand = load.set_by_hand(&GROUND).await?;
    rows.retain(|row| !by_hand.contains(&row.site_id));
    let rule = Rule { key: &[Column::SiteId, Column::EpciSiren], only: None, follow: &[] };
    Ok(load.write::<Entity>(rows, rule).await?)
}
