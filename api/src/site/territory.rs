//! The communes of a site as an input gives them, and the départements and EPCI that follow from them.

use async_graphql::Value;
use entity::{commune, departement, epci, site_commune, site_departement, site_epci};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::graphql::scalars::Scalar;
use crate::write::{Failure, Input, Problem, ProblemCode, Writing};

/// The communes of an input, with what follows from them.
#[derive(Debug, Default)]
pub(super) struct Territory {
    pub given: bool,
    /// A code that no commune has was given, or none that could be read.
    pub is_vague: bool,
    pub communes: Vec<commune::Model>,
    pub departements: Vec<(String, String)>,
    pub epcis: Vec<String>,
}

impl Territory {
    /// Whether an empty list or null was given; codes that no commune has are told one by one.
    pub fn is_emptied(input: &Input<'_>) -> bool {
        match input.given("communes") {
            Some(Value::List(codes)) => codes.is_empty(),
            given => given.is_some(),
        }
    }

    pub async fn read(writing: Writing<'_>, input: &Input<'_>) -> Result<Self, Failure> {
        let Some(Value::List(_)) = input.given("communes") else { return Ok(Self::default()) };
        let codes = input.list("communes", Some(Scalar::CommuneCode)).or(None).unwrap_or_default().0;
        let communes = commune::Entity::find()
            .filter(commune::Column::Code.is_in(codes.clone()))
            .all(writing.tx)
            .await?;
        for (index, code) in codes.iter().enumerate() {
            if !communes.iter().any(|commune| commune.code == *code) {
                let message = format!("no commune has the code {code}");
                input.problem(Problem::at(ProblemCode::UnknownCode, "communes", message).then(index));
            }
        }
        let is_vague = communes.is_empty() || communes.len() < codes.len();
        let mut departements: Vec<String> =
            communes.iter().filter_map(|row| row.departement_code.clone()).collect();
        departements.sort();
        departements.dedup();
        let known =
            departement::Entity::find().filter(departement::Column::Code.is_in(departements)).all(writing.tx);
        let departements = known.await?.into_iter().map(|row| (row.code, row.region_code)).collect();
        let mut epcis: Vec<String> = communes.iter().filter_map(|row| row.epci_siren.clone()).collect();
        epcis.sort();
        epcis.dedup();
        let known = epci::Entity::find().filter(epci::Column::Siren.is_in(epcis)).all(writing.tx).await?;
        let epcis = known.into_iter().map(|row| row.siren).collect();
        Ok(Self { given: true, is_vague, communes, departements, epcis })
    }

    /// Replaces the communes of a site, its départements and its EPCI.
    pub async fn replace(self, writing: Writing<'_>, site: Uuid, pilots: &[String]) -> Result<(), Failure> {
        let tx = writing.tx;
        site_commune::Entity::delete_many().filter(site_commune::Column::SiteId.eq(site)).exec(tx).await?;
        site_departement::Entity::delete_many()
            .filter(site_departement::Column::SiteId.eq(site))
            .exec(tx)
            .await?;
        site_epci::Entity::delete_many().filter(site_epci::Column::SiteId.eq(site)).exec(tx).await?;
        for commune in self.communes {
            let others = site_commune::Entity::find()
                .filter(site_commune::Column::CommuneCode.eq(commune.code.as_str()));
            let shared = others.one(tx).await?.is_some();
            let link = site_commune::ActiveModel {
                site_id: Set(site),
                commune_code: Set(commune.code),
                shared: Set(shared),
            };
            link.insert(tx).await?;
        }
        for (code, region) in self.departements {
            let link = site_departement::ActiveModel {
                site_id: Set(site),
                pilot: Set(pilots.contains(&code)),
                departement_code: Set(code),
                region_code: Set(region),
            };
            link.insert(tx).await?;
        }
        for siren in self.epcis {
            site_epci::ActiveModel { site_id: Set(site), epci_siren: Set(siren) }.insert(tx).await?;
        }
        Ok(())
    }
}
