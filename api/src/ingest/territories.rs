//! The official geographic code (COG 2024) and the contrats de ville.

use entity::{commune, contrat_ville, departement, epci, region};

use super::IngestError;
use super::lines::{Line, Lines};
use super::load::{Codes, Load};
use super::report::Wrong;
use super::write::{Rule, Writer};
use crate::graphql::scalars::Scalar;
use crate::text::fold;

/// The 18 regions. Collectivities overseas, which the file lists beside them, are none and are left out.
pub(super) async fn regions(load: &mut Load<'_>) -> Result<(), IngestError> {
    let mut lines = Lines::open(load.data, "cog2024_regions.csv", &["code", "nom", "zone"], 1)?;
    let mut rows = Vec::new();
    while let Some(batch) = lines.batch(&mut load.report, |line| {
        if line.raw("zone") == "com" {
            return Ok(None);
        }
        let name = line.text("nom")?;
        Ok(Some(region::Model {
            code: line.key("code", Scalar::RegionCode)?,
            name_search: fold(&name),
            name,
        }))
    })? {
        rows.extend(batch);
    }
    let follow = &[region::Column::Name, region::Column::NameSearch];
    Ok(load.write::<region::Entity>(rows, Rule { key: &[region::Column::Code], only: None, follow }).await?)
}

/// The 101 départements. Collectivities overseas belong to no region and are left out.
pub(super) async fn departements(load: &mut Load<'_>) -> Result<(), IngestError> {
    use departement::{Column, Entity, Model};
    let regions = load.codes::<region::Entity>("region", region::Column::Code).await?;
    let mut lines =
        Lines::open(load.data, "cog2024_departements.csv", &["code", "nom", "region", "zone"], 1)?;
    let mut rows = Vec::new();
    while let Some(batch) = lines.batch(&mut load.report, |line| {
        if line.raw("zone") == "com" {
            return Ok(None);
        }
        let name = line.text("nom")?;
        Ok(Some(Model {
            code: line.key("code", Scalar::DepartementCode)?,
            name_search: fold(&name),
            name,
            region_code: regions.check(line.text("region")?)?,
        }))
    })? {
        rows.extend(batch);
    }
    let follow = &[Column::Name, Column::NameSearch, Column::RegionCode];
    Ok(load.write::<Entity>(rows, Rule { key: &[Column::Code], only: None, follow }).await?)
}

/// Groups of communes, with the « établissements publics territoriaux » of Greater Paris.
pub(super) async fn epcis(load: &mut Load<'_>) -> Result<(), IngestError> {
    use epci::{Column, Entity, Model};
    const COLUMNS: &[&str] = &["code", "nom", "type", "departement_principal", "population_municipale"];
    let departements = load.codes::<departement::Entity>("departement", departement::Column::Code).await?;
    let mut lines = Lines::open(load.data, "cog2024_epci_ept.csv", COLUMNS, 1)?;
    let mut rows = Vec::new();
    while let Some(batch) = lines.batch(&mut load.report, |line| {
        let name = line.text("nom")?;
        Ok(Some(Model {
            siren: line.key("code", Scalar::EpciSiren)?,
            name_search: fold(&name),
            name,
            kind: line.text("type")?,
            departement_code: line.optional("departement_principal")?.filter(|code| departements.has(code)),
            population: line.number("population_municipale")?,
        }))
    })? {
        rows.extend(batch);
    }
    let follow =
        &[Column::Name, Column::NameSearch, Column::Kind, Column::DepartementCode, Column::Population];
    Ok(load.write::<Entity>(rows, Rule { key: &[Column::Siren], only: None, follow }).await?)
}

/// Communes, and the arrondissements of Paris, Lyon and Marseille.
pub(super) async fn communes(load: &mut Load<'_>) -> Result<(), IngestError> {
    use commune::{Column, Entity};
    const COLUMNS: &[&str] =
        &["code", "nom", "type", "commune_parente", "departement", "region", "epci", "population"];
    const FOLLOW: &[Column] = &[
        Column::Name,
        Column::NameSearch,
        Column::Kind,
        Column::ParentCode,
        Column::DepartementCode,
        Column::RegionCode,
        Column::EpciSiren,
        Column::Population,
    ];
    let known = Known {
        regions: load.codes::<region::Entity>("region", region::Column::Code).await?,
        departements: load.codes::<departement::Entity>("departement", departement::Column::Code).await?,
        epcis: load.codes::<epci::Entity>("EPCI", epci::Column::Siren).await?,
    };
    let mut lines = Lines::open(load.data, "cog2024_communes.csv.gz", COLUMNS, 1)?;
    let rule = Rule { key: &[Column::Code], only: None, follow: FOLLOW };
    let mut writer = Writer::<Entity>::new(load.tx, rule).await?;
    while let Some(rows) = lines.batch(&mut load.report, |line| commune(line, &known).map(Some))? {
        writer.write(load.tx, rows).await?;
    }
    Ok(writer.finish(load).await?)
}

struct Known {
    regions: Codes,
    departements: Codes,
    epcis: Codes,
}

/// Communes of a collectivity overseas have neither region nor département in the referential.
fn commune(line: &Line<'_>, known: &Known) -> Result<commune::Model, Wrong> {
    let name = line.text("nom")?;
    let kind = line.one_of("type", |kind| match kind {
        "commune-actuelle" => Some("COM"),
        "arrondissement-municipal" => Some("ARM"),
        _ => None,
    })?;
    let code = match kind {
        "ARM" => line.text("code")?,
        _ => line.key("code", Scalar::CommuneCode)?,
    };
    let overseas = code.starts_with("975") || code.starts_with("977") || code.starts_with("978");
    let in_region = !overseas && !code.starts_with("98");
    let (departement, region) = (line.text("departement")?, line.text("region")?);
    Ok(commune::Model {
        code,
        name_search: fold(&name),
        name,
        kind: kind.to_owned(),
        parent_code: line.code("commune_parente", Scalar::CommuneCode)?,
        departement_code: in_region.then(|| known.departements.check(departement)).transpose()?,
        region_code: in_region.then(|| known.regions.check(region)).transpose()?,
        epci_siren: line.optional("epci")?.map(|siren| known.epcis.check(siren)).transpose()?,
        population: line.number("population")?,
        successor_code: None,
        valid_to: None,
    })
}

/// Contrats de ville of the generation of 2015.
pub(super) async fn contracts_2015(load: &mut Load<'_>) -> Result<(), IngestError> {
    let rows = contracts(load, "contrats_ville_2015_2023.csv").await?;
    Ok(load.write::<contrat_ville::Entity>(rows, FOLLOW_CONTRACT).await?)
}

/// Contrats de ville of the generation of 2024. Those that keep a code of 2015 overseas stay as they were.
pub(super) async fn contracts_2024(load: &mut Load<'_>) -> Result<(), IngestError> {
    let (kept, new) =
        contracts(load, "contrats_ville_2024.csv").await?.into_iter().partition(|row| row.generation == 2015);
    load.write::<contrat_ville::Entity>(kept, Rule { follow: &[], ..FOLLOW_CONTRACT }).await?;
    Ok(load.write::<contrat_ville::Entity>(new, FOLLOW_CONTRACT).await?)
}

const FOLLOW_CONTRACT: Rule<contrat_ville::Column> = {
    use contrat_ville::Column;
    Rule {
        key: &[Column::Code],
        only: None,
        follow: &[Column::Name, Column::NameSearch, Column::TerritoryCode, Column::DepartementCode],
    }
};

async fn contracts(
    load: &mut Load<'_>,
    file: &'static str,
) -> Result<Vec<contrat_ville::Model>, IngestError> {
    let departements = load.codes::<departement::Entity>("departement", departement::Column::Code).await?;
    let mut lines = Lines::open(load.data, file, &["code_cv", "lib_cv", "code_territoire", "insee_dep"], 1)?;
    let mut rows = Vec::new();
    while let Some(batch) = lines.batch(&mut load.report, |line| {
        let code = line.key("code_cv", Scalar::ContratVilleCode)?;
        let name = line.optional("lib_cv")?.filter(|name| name != "NA").unwrap_or_else(|| code.clone());
        Ok(Some(contrat_ville::Model {
            generation: if code.starts_with("CV") { 2015 } else { 2024 },
            code,
            name_search: fold(&name),
            name,
            territory_code: line.optional("code_territoire")?,
            departement_code: line
                .code("insee_dep", Scalar::DepartementCode)?
                .filter(|code| departements.has(code)),
        }))
    })? {
        rows.extend(batch);
    }
    Ok(rows)
}
