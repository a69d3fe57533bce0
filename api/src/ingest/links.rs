//! Which QPV belong to which site: as the presentation says, else derived from communes.
//!
//! A pair that was ever linked is left alone, whatever ANCT has made of it.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use entity::enums::{Provenance, QpvGeneration, SiteQpvStatus};
use entity::{qpv, qpv_commune, site, site_commune, site_qpv};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::IngestError;
use super::ground;
use super::load::Load;
use super::presentation::Presentation;
use super::write::Rule;

/// A link to make: site, QPV, how sure.
type Link = (Uuid, Uuid, Provenance);

/// Links the documented sites as given, the others by the communes that they have for themselves.
pub(super) async fn site_qpvs(load: &mut Load<'_>) -> Result<(), IngestError> {
    let presentation = Presentation::read(load.data)?;
    let sites = load.ids::<site::Entity>("site", site::Column::Code, site::Column::Id).await?;
    let qpvs: HashMap<String, qpv::Model> =
        qpv::Entity::find().all(load.tx).await?.into_iter().map(|qpv| (qpv.code.clone(), qpv)).collect();
    let codes = load.ids::<qpv::Entity>("QPV", qpv::Column::Code, qpv::Column::Id).await?;
    let (mut links, mut documented) = (Vec::new(), HashSet::new());
    for site in &presentation.facts.sites {
        for (fact, code) in site.qpvs.iter().flat_map(|fact| fact.codes.iter().map(move |code| (fact, code)))
        {
            let provenance =
                if fact.source == "derived" { Provenance::Derived } else { Provenance::Confirmed };
            let link = sites.get(&site.code).and_then(|site_id| Ok((site_id, codes.get(code)?, provenance)));
            links.extend(presentation.keep(&mut load.report, &site.code, code, link));
        }
        documented.extend(sites.find(&site.code));
    }
    links.extend(derived(load, &documented).await?);
    write(load, links, qpvs.into_values()).await
}

/// QPV of each commune that one site only has. Sites known from the presentation take part in nothing here, nor do those
/// that were made by hand, or whose ground or perimeter was.
async fn derived(load: &Load<'_>, documented: &HashSet<Uuid>) -> Result<Vec<Link>, IngestError> {
    let own =
        site_commune::Entity::find().filter(site_commune::Column::Shared.eq(false)).all(load.tx).await?;
    let [communes, departements] = ground::GROUND;
    let by_hand = load.set_by_hand(&[communes, departements, "qpvs"]).await?;
    let site_of: HashMap<_, _> = own
        .into_iter()
        .filter(|link| !documented.contains(&link.site_id) && !by_hand.contains(&link.site_id))
        .map(|link| (link.commune_code, link.site_id))
        .collect();
    let pairs: BTreeSet<(Uuid, Uuid)> = qpv_commune::Entity::find()
        .all(load.tx)
        .await?
        .into_iter()
        .filter_map(|link| Some((*site_of.get(&link.commune_code)?, link.qpv_id)))
        .collect();
    Ok(pairs.into_iter().map(|(site_id, qpv_id)| (site_id, qpv_id, Provenance::Derived)).collect())
}

/// A link to the generation of 2024 starts with it; when one to that of 2015 started is not known.
async fn write(
    load: &mut Load<'_>,
    links: Vec<Link>,
    qpvs: impl Iterator<Item = qpv::Model>,
) -> Result<(), IngestError> {
    let there: HashSet<_> = site_qpv::Entity::find()
        .all(load.tx)
        .await?
        .into_iter()
        .map(|link| (link.site_id, link.qpv_id))
        .collect();
    let starts: HashMap<Uuid, NaiveDate> = qpvs
        .filter(|qpv| qpv.generation == QpvGeneration::Qpv2024)
        .map(|qpv| (qpv.id, qpv.valid_from))
        .collect();
    let given = links.len();
    let new = links.into_iter().filter(|(site_id, qpv_id, _)| !there.contains(&(*site_id, *qpv_id)));
    let row = |(site_id, qpv_id, provenance)| site_qpv::Model {
        id: load.new_id(),
        site_id,
        qpv_id,
        status: SiteQpvStatus::Labelled,
        starts_on: starts.get(&qpv_id).copied(),
        ends_on: None,
        provenance,
    };
    let rows: Vec<_> = new.map(row).collect();
    load.report.unchanged += (given - rows.len()) as u64;
    let rule = Rule { key: &[site_qpv::Column::Id], only: None, follow: &[] };
    Ok(load.write::<site_qpv::Entity>(rows, rule).await?)
}
