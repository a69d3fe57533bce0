//! The facts of the presentation: partners, seats, governance, roadmaps, figures of the documented sites.
//!
//! A row is recognised by its identity in the presentation, and once made it is the site's: it is not
//! written again.

use std::collections::HashMap;

use entity::enums::{
    CadenceUnit, FigureStatus, GovernanceBodyKind, GovernanceOrigin, GovernanceStatus, Indicator,
    LineageKind, MemberSeat, PartnerKind, PartnerStatus, Perimeter, Pillar, RoadmapStatus, SeatKind,
};
use entity::{axis, figure, governance_body, governance_member, partner, roadmap, seat, site};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::IngestError;
use super::figures::{self, Subject};
use super::load::{Ids, Load, code};
use super::outlines::write_lineage;
use super::presentation::{
    BodyFact, DECK, FigureFact, PartnerFact, Presentation, RoadmapFact, SiteFact, maybe_one_of, one_of,
};
use super::qpvs;
use super::report::Wrong;
use super::write::Rule;
use crate::graphql::scalars::Scalar;
use crate::text::fold;

/// Source system of the rows made from the presentation.
pub(super) const SYSTEM: &str = "PRESENTATION_2023";

/// A row of a source: one that exists stays as it is.
macro_rules! by_source {
    ($entity:ident) => {
        Rule {
            key: &[$entity::Column::SourceSystem, $entity::Column::SourceExternalId],
            only: None,
            follow: &[],
        }
    };
}
pub(super) use by_source;

/// Loads the facts, parents first.
pub(super) async fn facts(load: &mut Load<'_>) -> Result<(), IngestError> {
    let presentation = Presentation::read(load.data)?;
    partners(load, &presentation).await?;
    let sites = load.ids::<site::Entity>("site", site::Column::Code, site::Column::Id).await?;
    let partners = partners_of(load, SYSTEM).await?;
    seats(load, &presentation, &sites, &partners).await?;
    governance(load, &presentation, &sites, &partners).await?;
    roadmaps(load, &presentation, &sites).await?;
    national_and_site_figures(load, &presentation, &sites).await?;
    lineage(load, &presentation).await
}

/// Ids of the partners of a source system, by their identity there.
pub(super) async fn partners_of(load: &Load<'_>, system: &str) -> Result<HashMap<String, Uuid>, IngestError> {
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    let rows = partner::Entity::find().filter(partner::Column::SourceSystem.eq(system)).all(load.tx).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.source_external_id?, row.id))).collect())
}

fn of<'a>(partners: &HashMap<String, Uuid>, id: &'a str) -> Result<Uuid, Wrong> {
    let unknown = |id: &'a str| Wrong::new(format!("unknown partner {id}"), "an id of partners above");
    partners.get(id).copied().ok_or_else(|| unknown(id))
}

async fn partners(load: &mut Load<'_>, presentation: &Presentation) -> Result<(), IngestError> {
    let mut rows = Vec::new();
    for fact in &presentation.facts.partners {
        let row = partner_row(load, SYSTEM, fact);
        rows.extend(presentation.keep(&mut load.report, &fact.id, &fact.id, row));
    }
    Ok(load.write::<partner::Entity>(rows, by_source!(partner)).await?)
}

/// An active partner. What the source does not say stays null.
pub(super) fn partner_row(
    load: &Load<'_>,
    system: &str,
    fact: &PartnerFact,
) -> Result<partner::Model, Wrong> {
    let checked = |scalar, raw: &Option<String>| raw.as_deref().map(|raw| code(scalar, raw)).transpose();
    Ok(partner::Model {
        id: load.new_id(),
        version: 1,
        created_at: load.now,
        updated_at: load.now,
        deleted_at: None,
        source_system: Some(system.to_owned()),
        source_external_id: Some(fact.id.clone()),
        name: fact.name.clone(),
        name_search: fold(&fact.name),
        kind: one_of("kind", &fact.kind, PartnerKind::parse)?,
        siret: None,
        siren: checked(Scalar::Siren, &fact.siren)?,
        rna: None,
        safir_code: None,
        naf_code: None,
        naf_version: None,
        commune_code: checked(Scalar::CommuneCode, &fact.commune)?,
        departement_code: checked(Scalar::DepartementCode, &fact.departement)?,
        website: None,
        status: PartnerStatus::Active,
        merged_into_id: None,
    })
}

/// A seat without end, from a source.
pub(super) fn seat_row(
    load: &Load<'_>,
    system: &str,
    external_id: String,
    (site_id, partner_id, kind): (Uuid, Uuid, SeatKind),
) -> seat::Model {
    seat::Model {
        id: load.new_id(),
        version: 1,
        created_at: load.now,
        updated_at: load.now,
        deleted_at: None,
        source_system: Some(system.to_owned()),
        source_external_id: Some(external_id),
        site_id,
        partner_id,
        kind,
        starts_on: None,
        ends_on: None,
    }
}

async fn seats(
    load: &mut Load<'_>,
    presentation: &Presentation,
    sites: &Ids,
    partners: &HashMap<String, Uuid>,
) -> Result<(), IngestError> {
    let mut rows = Vec::new();
    for (site, fact) in
        presentation.facts.sites.iter().flat_map(|site| site.seats.iter().map(move |s| (site, s)))
    {
        let row = || {
            let kind = one_of("seat", &fact.kind, SeatKind::parse)?;
            let external_id = format!("{}:{}:{}", site.code, fact.kind, fact.partner);
            Ok(seat_row(
                load,
                SYSTEM,
                external_id,
                (sites.get(&site.code)?, of(partners, &fact.partner)?, kind),
            ))
        };
        let row = row();
        rows.extend(presentation.keep(&mut load.report, &site.code, &fact.partner, row));
    }
    Ok(load.write::<seat::Entity>(rows, by_source!(seat)).await?)
}

async fn governance(
    load: &mut Load<'_>,
    presentation: &Presentation,
    sites: &Ids,
    partners: &HashMap<String, Uuid>,
) -> Result<(), IngestError> {
    let mut rows = Vec::new();
    for site in &presentation.facts.sites {
        for fact in &site.governance {
            let row = sites.get(&site.code).and_then(|site_id| body_row(load, site, site_id, fact));
            rows.extend(presentation.keep(&mut load.report, &site.code, &fact.kind, row));
        }
    }
    load.write::<governance_body::Entity>(rows, by_source!(governance_body)).await?;
    members(load, presentation, partners).await
}

fn body_key(site: &SiteFact, fact: &BodyFact) -> String {
    format!("{}:{}", site.code, fact.kind)
}

fn body_row(
    load: &Load<'_>,
    site: &SiteFact,
    site_id: Uuid,
    fact: &BodyFact,
) -> Result<governance_body::Model, Wrong> {
    let cadence = fact.cadence.as_ref();
    Ok(governance_body::Model {
        id: load.new_id(),
        version: 1,
        created_at: load.now,
        updated_at: load.now,
        deleted_at: None,
        source_system: Some(SYSTEM.to_owned()),
        source_external_id: Some(body_key(site, fact)),
        site_id,
        kind: one_of("body", &fact.kind, GovernanceBodyKind::parse)?,
        name: fact.name.clone(),
        origin: maybe_one_of("origin", fact.origin.as_deref(), GovernanceOrigin::parse)?,
        attached_to: fact.attached_to.clone(),
        cadence_every: cadence.map(|cadence| cadence.every),
        cadence_unit: maybe_one_of("unit", cadence.map(|cadence| cadence.unit.as_str()), CadenceUnit::parse)?,
        scale_label: fact.scale_label.clone(),
        parent_id: None,
        status: GovernanceStatus::Active,
    })
}

async fn members(
    load: &mut Load<'_>,
    presentation: &Presentation,
    partners: &HashMap<String, Uuid>,
) -> Result<(), IngestError> {
    use governance_body::Column;
    let bodies = load.ids::<governance_body::Entity>("body", Column::SourceExternalId, Column::Id).await?;
    let mut rows = Vec::new();
    for site in &presentation.facts.sites {
        for (fact, member) in
            site.governance.iter().flat_map(|fact| fact.members.iter().map(move |m| (fact, m)))
        {
            let row = bodies.get(&body_key(site, fact)).and_then(|body_id| {
                let partner_id = of(partners, member)?;
                Ok(governance_member::Model {
                    id: load.new_id(),
                    body_id,
                    partner_id,
                    seat: MemberSeat::Membre,
                })
            });
            rows.extend(presentation.keep(&mut load.report, &site.code, member, row));
        }
    }
    let key = &[governance_member::Column::BodyId, governance_member::Column::PartnerId];
    Ok(load.write::<governance_member::Entity>(rows, Rule { key, only: None, follow: &[] }).await?)
}

async fn roadmaps(load: &mut Load<'_>, presentation: &Presentation, sites: &Ids) -> Result<(), IngestError> {
    let mut rows = Vec::new();
    let facts = || presentation.facts.sites.iter().filter_map(|site| Some((site, site.roadmap.as_ref()?)));
    for (site, fact) in facts() {
        let row = sites.get(&site.code).and_then(|site_id| roadmap_row(load, site, site_id, fact));
        rows.extend(presentation.keep(&mut load.report, &site.code, "roadmap", row));
    }
    load.write::<roadmap::Entity>(rows, by_source!(roadmap)).await?;
    let key = roadmap::Column::SourceExternalId;
    let ids = load.ids::<roadmap::Entity>("roadmap", key, roadmap::Column::Id).await?;
    let mut axes = Vec::new();
    for (site, fact) in facts() {
        for (label, position) in fact.axes.iter().zip(1..) {
            let row = sites.get(&site.code).and_then(|site_id| {
                Ok(axis_row(load, site_id, ids.get(&roadmap_key(site))?, (site, label, position)))
            });
            axes.extend(presentation.keep(&mut load.report, &site.code, label, row));
        }
    }
    Ok(load.write::<axis::Entity>(axes, by_source!(axis)).await?)
}

fn roadmap_key(site: &SiteFact) -> String {
    format!("{}:1", site.code)
}

fn roadmap_row(
    load: &Load<'_>,
    site: &SiteFact,
    site_id: Uuid,
    fact: &RoadmapFact,
) -> Result<roadmap::Model, Wrong> {
    Ok(roadmap::Model {
        id: load.new_id(),
        version: 1,
        created_at: load.now,
        updated_at: load.now,
        deleted_at: None,
        source_system: Some(SYSTEM.to_owned()),
        source_external_id: Some(roadmap_key(site)),
        site_id,
        number: 1,
        status: one_of("status", &fact.status, RoadmapStatus::parse)?,
        adopted_on: None,
        adopted_by_meeting_id: None,
    })
}

fn axis_row(
    load: &Load<'_>,
    site_id: Uuid,
    roadmap_id: Uuid,
    (site, label, position): (&SiteFact, &str, i32),
) -> axis::Model {
    axis::Model {
        id: load.new_id(),
        version: 1,
        created_at: load.now,
        updated_at: load.now,
        deleted_at: None,
        source_system: Some(SYSTEM.to_owned()),
        source_external_id: Some(format!("{}:1:{position}", site.code)),
        roadmap_id,
        site_id,
        label: label.to_owned(),
        label_search: fold(label),
        pillar: None,
        position,
    }
}

async fn national_and_site_figures(
    load: &mut Load<'_>,
    presentation: &Presentation,
    sites: &Ids,
) -> Result<(), IngestError> {
    let mut rows = Vec::new();
    for fact in &presentation.facts.national {
        let row = figure_row(load, presentation, Subject::National, fact);
        rows.extend(presentation.keep(&mut load.report, "national", &fact.indicator, row));
    }
    for site in &presentation.facts.sites {
        for fact in &site.figures {
            let row = sites
                .get(&site.code)
                .and_then(|id| figure_row(load, presentation, Subject::Site(id, &site.code), fact));
            rows.extend(presentation.keep(&mut load.report, &site.code, &fact.indicator, row));
        }
    }
    let withdrawn = figures::withdrawn(load).await?;
    rows.retain(|row: &figure::Model| !withdrawn.contains(&row.natural_key));
    Ok(load.write::<figure::Entity>(rows, figures::RULE).await?)
}

/// A figure of the deck is of the deck's day; another source does not tell its own.
fn figure_row(
    load: &Load<'_>,
    presentation: &Presentation,
    subject: Subject<'_>,
    fact: &FigureFact,
) -> Result<figure::Model, Wrong> {
    let number = fact.value.to_string();
    let value: Decimal =
        number.parse().map_err(|_| Wrong::new(format!("value {number}"), "a decimal number"))?;
    let indicator = one_of("indicator", &fact.indicator, Indicator::parse)?;
    let mut row = figures::figure(load.new_id(), load.now, subject, indicator, value);
    if let Some(period) = &fact.period {
        figures::date(&mut row, period)?;
    }
    row.perimeter = maybe_one_of("perimeter", fact.perimeter.as_deref(), Perimeter::parse)?;
    row.pillar = maybe_one_of("pillar", fact.pillar.as_deref(), Pillar::parse)?;
    row.origin = fact.source.clone().unwrap_or_else(|| DECK.to_owned());
    row.as_of = fact.source.is_none().then_some(presentation.facts.about.date);
    row.status = FigureStatus::Validated;
    row.approximate = fact.approximate;
    row.note = fact.note.clone().or_else(|| fact.generation.as_ref().map(|g| format!("generation {g}")));
    figures::name(&mut row, subject, fact.generation.as_deref());
    Ok(row)
}

async fn lineage(load: &mut Load<'_>, presentation: &Presentation) -> Result<(), IngestError> {
    let ids = qpvs::ids(load).await?;
    let mut links = Vec::new();
    for fact in &presentation.facts.lineage {
        let link = one_of("kind", &fact.kind, LineageKind::parse)
            .and_then(|kind| Ok((ids.get(&fact.from)?, ids.get(&fact.to)?, kind)));
        links.extend(presentation.keep(&mut load.report, "lineage", &fact.from, link));
    }
    write_lineage(load, links).await
}
