//! What the national presentation says of its sites.

use chrono::NaiveDate;
use entity::enums::{
    FigureSubject, GovernanceBodyKind, Indicator, MilestoneKind, Provenance, QpvGeneration, SeatKind,
    SiteStatus,
};
use entity::{
    axis, figure, governance_body, partner, qpv, qpv_commune, qpv_lineage, roadmap, seat, site,
    site_departement, site_milestone, site_qpv,
};
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use super::{Scratch, count, site_by_code};
use crate::db::Db;

/// Codes of the QPV of a site, with how sure each link is.
async fn qpvs(db: &Db, site_id: Uuid) -> Vec<(String, Provenance)> {
    let links =
        site_qpv::Entity::find().filter(site_qpv::Column::SiteId.eq(site_id)).all(&db.readers).await.unwrap();
    let mut codes = Vec::new();
    for link in links {
        let row = qpv::Entity::find_by_id(link.qpv_id).one(&db.readers).await.unwrap().unwrap();
        assert_eq!(link.starts_on.is_some(), row.generation == QpvGeneration::Qpv2024);
        codes.push((row.code, link.provenance));
    }
    codes.sort_by(|a, b| a.0.cmp(&b.0));
    codes
}

async fn seats(db: &Db, site_id: Uuid) -> Vec<(SeatKind, String)> {
    let rows = seat::Entity::find().filter(seat::Column::SiteId.eq(site_id)).all(&db.readers).await.unwrap();
    let mut seats = Vec::new();
    for row in rows.into_iter().filter(|row| row.source_system.as_deref() != Some("DEMO")) {
        let partner = partner::Entity::find_by_id(row.partner_id).one(&db.readers).await.unwrap().unwrap();
        seats.push((row.kind, partner.name));
    }
    seats
}

async fn figures(db: &Db, site_id: Uuid) -> Vec<(Indicator, Decimal, Option<String>, String)> {
    let rows =
        figure::Entity::find().filter(figure::Column::SiteId.eq(site_id)).all(&db.readers).await.unwrap();
    rows.into_iter().map(|row| (row.indicator, row.value.unwrap(), row.period, row.origin)).collect()
}

#[tokio::test]
async fn the_documented_sites_have_their_facts() {
    let scratch = Scratch::new();
    let db = scratch.loaded().await;
    vaulx_en_velin(&db).await;
    grenoble(&db).await;
    saint_etienne_and_villeurbanne(&db).await;
    venissieux(&db).await;
    national(&db).await;
}

async fn vaulx_en_velin(db: &Db) {
    let row = site_by_code(db, "cde-024").await;
    assert_eq!((row.name.as_str(), row.wave, row.status), ("Vaulx-en-Velin", Some(2020), SiteStatus::Active));
    assert_eq!(row.contrat_ville_codes.0, ["CV246", "CN06904M"]);
    assert_eq!(row.audience_note.as_deref(), Some("mostly young people under 30"));
    let qpvs = qpvs(db, row.id).await;
    let codes: Vec<_> = qpvs.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["QN06909M", "QN06916M", "QN06917I", "QP069011", "QP069018", "QP069019"]);
    assert_eq!((qpvs[0].1, qpvs[5].1), (Provenance::Derived, Provenance::Confirmed));
    assert_eq!(seats(db, row.id).await.len(), 4);
    let figures = figures(db, row.id).await;
    assert_eq!(figures.len(), 4);
    let unemployment = Decimal::new(223, 1);
    assert!(figures.contains(&(
        Indicator::UnemploymentRateCensus,
        unemployment,
        Some("2019".into()),
        "deck".into()
    )));
    assert!(figures.contains(&(
        Indicator::Population,
        52_795.into(),
        Some("2019".into()),
        "INSEE_RP".into()
    )));
    let roadmap = roadmap::Entity::find().one(&db.readers).await.unwrap().unwrap();
    assert_eq!((roadmap.site_id, roadmap.number, roadmap.adopted_on), (row.id, 1, None));
    assert_eq!(count::<axis::Entity>(&db.readers).await, 6);
    let departements =
        site_departement::Entity::find().filter(site_departement::Column::SiteId.eq(row.id)).all(&db.readers);
    let departements = departements.await.unwrap();
    assert_eq!((departements[0].departement_code.as_str(), departements[0].pilot), ("69", true));
}

async fn grenoble(db: &Db) {
    let row = site_by_code(db, "cde-026").await;
    assert_eq!(row.name, "Grenoble-Alpes Métropole");
    assert_eq!((row.wave, row.wave_status), (Some(2021), Some(Provenance::Confirmed)));
    assert_eq!(row.contrat_ville_codes.0, ["CV125", "CN03805M"]);
    let seats = seats(db, row.id).await;
    assert_eq!(seats.iter().filter(|(kind, _)| *kind == SeatKind::Copilote).count(), 4);
    assert!(seats.contains(&(SeatKind::Copilote, "Pôle emploi".into())));
    let bodies = governance_body::Entity::find().filter(governance_body::Column::SiteId.eq(row.id));
    let bodies = bodies.all(&db.readers).await.unwrap();
    let technical = bodies.iter().find(|body| body.kind == GovernanceBodyKind::Cotech).unwrap();
    assert_eq!(technical.cadence_every, Some(6));
    assert_eq!(bodies.len(), 3);
    assert_eq!(qpvs(db, row.id).await.len(), 8);
    let counts: Vec<_> =
        figures(db, row.id).await.into_iter().filter(|f| f.0 == Indicator::QpvCount).collect();
    assert_eq!(counts.len(), 2);
}

async fn saint_etienne_and_villeurbanne(db: &Db) {
    let row = site_by_code(db, "cde-025").await;
    assert_eq!((row.name.as_str(), row.status), ("Saint-Étienne Métropole", SiteStatus::Active));
    assert_eq!(row.audiences.0, ["HABITANTS_QPV"]);
    assert_eq!(row.contrat_ville_codes.0, ["CV137", "CN04203M"]);
    assert_eq!(qpvs(db, row.id).await.len(), 30);
    let row = site_by_code(db, "cde-082").await;
    assert_eq!(qpvs(db, row.id).await.len(), 11);
    assert_eq!(figures(db, row.id).await.len(), 9);
    let milestones = site_milestone::Entity::find().filter(site_milestone::Column::SiteId.eq(row.id));
    let milestones = milestones.all(&db.readers).await.unwrap();
    assert_eq!(milestones.len(), 6);
    let label = milestones.iter().find(|step| step.kind == MilestoneKind::Label).unwrap();
    assert_eq!((label.starts.as_str(), label.label.as_deref()), ("2021-Q3", Some("été 2021")));
    assert_eq!(label.starts_to, NaiveDate::from_ymd_opt(2021, 9, 30).unwrap());
    let closure = milestones.iter().find(|step| step.kind == MilestoneKind::Closure).unwrap();
    assert_eq!((closure.starts.as_str(), closure.source.as_deref()), ("2024-12-31", Some("press")));
    let merged =
        qpv::Entity::find().filter(qpv::Column::Code.eq("QN06921M")).one(&db.readers).await.unwrap().unwrap();
    let into = qpv_lineage::Entity::find().filter(qpv_lineage::Column::ToQpvId.eq(merged.id));
    assert_eq!(into.count(&db.readers).await.unwrap(), 2);
}

async fn venissieux(db: &Db) {
    let row = site_by_code(db, "cde-081").await;
    assert_eq!((row.status, row.wave_status), (SiteStatus::Labelled, Some(Provenance::Derived)));
    assert_eq!(qpvs(db, row.id).await.len(), 9, "none of the others of Lyon");
    assert!(seats(db, row.id).await.is_empty());
    let shared =
        qpv::Entity::find().filter(qpv::Column::Code.eq("QN06913M")).one(&db.readers).await.unwrap().unwrap();
    let communes = qpv_commune::Entity::find().filter(qpv_commune::Column::QpvId.eq(shared.id));
    assert_eq!(communes.count(&db.readers).await.unwrap(), 2);
}

async fn national(db: &Db) {
    let rows = figure::Entity::find().filter(figure::Column::Subject.eq(FigureSubject::National));
    let mut values: Vec<_> =
        rows.all(&db.readers).await.unwrap().into_iter().map(|row| row.value.unwrap().normalize()).collect();
    values.sort();
    assert_eq!(values, [14, 24, 84, 803, 1_493, 2_588, 31_915].map(Decimal::from));
    let active = site::Entity::find().filter(site::Column::Status.eq(SiteStatus::Active));
    assert_eq!(active.count(&db.readers).await.unwrap(), 4);
    let without = [("cde-002", 0), ("cde-031", 2)];
    for (code, departements) in without {
        let row = site_by_code(db, code).await;
        let found = site_departement::Entity::find().filter(site_departement::Column::SiteId.eq(row.id));
        let found = found.all(&db.readers).await.unwrap();
        assert!(departements == 0 || (found.len() == departements && found.iter().all(|link| !link.pilot)));
        assert_eq!(qpvs(db, row.id).await.is_empty(), departements == 0, "{code}");
    }
}
