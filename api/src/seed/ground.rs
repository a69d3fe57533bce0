//! What seeded rows stand on: the sites, their QPV and communes, and how large each site is.

use std::collections::HashMap;

use entity::enums::QpvGeneration;
use entity::{commune, qpv, site, site_commune, site_departement, site_qpv};
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::seq::SliceRandom;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{Dice, SeedError};
use crate::db::Transaction;

/// A site as the seeding sees it.
pub(super) struct Site {
    pub id: Uuid,
    /// What names it in every database: its code, else its name.
    pub key: String,
    /// QPV of 2015 and of 2024: id and name.
    pub qpvs: [Vec<(Uuid, String)>; 2],
    /// Communes: code and name.
    pub communes: Vec<(String, String)>,
    pub departement: Option<String>,
    /// Seeded partners that have a seat here.
    pub partners: Vec<Uuid>,
}

/// All sites in the order of their codes, and their weights.
pub(super) struct Ground {
    pub sites: Vec<Site>,
    weights: WeightedIndex<f64>,
}

impl Ground {
    pub async fn read(tx: &Transaction, dice: &mut Dice) -> Result<Self, SeedError> {
        let order = [site::Column::Code, site::Column::Name];
        let rows = site::Entity::find().order_by_asc(order[0]).order_by_asc(order[1]).all(tx).await?;
        let mut qpvs = qpvs(tx).await?;
        let mut communes = communes(tx).await?;
        let departements: HashMap<_, _> = site_departement::Entity::find()
            .order_by_desc(site_departement::Column::DepartementCode)
            .all(tx)
            .await?
            .into_iter()
            .map(|link| (link.site_id, link.departement_code))
            .collect();
        let sites: Vec<_> = rows
            .into_iter()
            .map(|row| Site {
                id: row.id,
                key: row.code.unwrap_or_else(|| row.name.clone()),
                qpvs: qpvs.remove(&row.id).unwrap_or_default(),
                communes: communes.remove(&row.id).unwrap_or_else(|| vec![(String::new(), row.name)]),
                departement: departements.get(&row.id).cloned(),
                partners: Vec::new(),
            })
            .collect();
        let weights = weights(sites.len(), dice).ok_or(SeedError::NoSite)?;
        Ok(Self { sites, weights })
    }

    /// A site, the large ones more often.
    pub fn site(&self, dice: &mut Dice) -> usize {
        self.weights.sample(&mut dice.rng)
    }
}

/// Zipf's law: the site of rank n weighs 1/n.
fn weights(count: usize, dice: &mut Dice) -> Option<WeightedIndex<f64>> {
    let mut weights: Vec<f64> = (1..).take(count).map(|rank: u32| 1.0 / f64::from(rank)).collect();
    weights.shuffle(&mut dice.rng);
    WeightedIndex::new(weights).ok()
}

type OfSites<T> = HashMap<Uuid, T>;

async fn qpvs(tx: &Transaction) -> Result<OfSites<[Vec<(Uuid, String)>; 2]>, SeedError> {
    let all: HashMap<_, _> =
        qpv::Entity::find().all(tx).await?.into_iter().map(|qpv| (qpv.id, qpv)).collect();
    let links = site_qpv::Entity::find().filter(site_qpv::Column::EndsOn.is_null()).all(tx).await?;
    let mut linked: Vec<_> =
        links.into_iter().filter_map(|link| Some((link.site_id, all.get(&link.qpv_id)?))).collect();
    linked.sort_by(|(_, a), (_, b)| a.code.cmp(&b.code));
    let mut found: OfSites<[Vec<(Uuid, String)>; 2]> = HashMap::new();
    for (site_id, qpv) in linked {
        let generation = usize::from(qpv.generation == QpvGeneration::Qpv2024);
        found.entry(site_id).or_default()[generation].push((qpv.id, qpv.name.clone()));
    }
    Ok(found)
}

async fn communes(tx: &Transaction) -> Result<OfSites<Vec<(String, String)>>, SeedError> {
    let all = commune::Entity::find().all(tx).await?;
    let names: HashMap<_, _> = all.into_iter().map(|commune| (commune.code, commune.name)).collect();
    let links = site_commune::Entity::find().order_by_asc(site_commune::Column::CommuneCode).all(tx).await?;
    let mut found: OfSites<Vec<(String, String)>> = HashMap::new();
    for link in links {
        let name = names.get(&link.commune_code).cloned().unwrap_or_default();
        found.entry(link.site_id).or_default().push((link.commune_code, name));
    }
    Ok(found)
}
