//! Demonstration actions: invented, of the source system `DEMO`, so that every screen shows something.
//!
//! A demonstration row is made once; changed or deleted, it stays so.

use std::collections::HashMap;

use entity::enums::{ActionCategory, ActionStatus, Audience, Indicator, Pillar, SeatKind};
use entity::{action, action_partner, action_qpv, axis, figure, partner, seat, site};
use rust_decimal::Decimal;
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::IngestError;
use super::facts::{self, by_source, partner_row, partners_of, seat_row};
use super::figures::{self, Subject};
use super::lines::{Line, Lines};
use super::load::{Ids, Load, code, partial};
use super::presentation::PartnerFact;
use super::qpvs;
use super::report::Wrong;
use super::write::Rule;
use crate::graphql::scalars::{PartialDate, Scalar};
use crate::text::fold;

/// Source system of the demonstration.
const SYSTEM: &str = "DEMO";

/// File of the partners.
const PARTNERS: &str = "demonstration_partenaires.csv";

const DESCRIPTION: &str = "Action de démonstration, inventée : elle ne décrit aucun projet réel.";

const COLUMNS: &[&str] = &[
    "id",
    "site",
    "title",
    "pillar",
    "categories",
    "audiences",
    "innovative",
    "status",
    "starts_on",
    "ends_on",
    "lead",
    "partners",
    "qpvs",
    "axis",
    "published",
    "rome_codes",
    "beneficiaries",
    "cancel_reason",
];

/// Partners, actions, their links, the seats of those who carry them out, and the persons they reached.
pub(super) async fn demonstration(load: &mut Load<'_>) -> Result<(), IngestError> {
    partners(load).await?;
    let known = Known::read(load).await?;
    let mut lines = Lines::open(load.data, "demonstration_actions.csv", COLUMNS, 1)?;
    let mut read = Vec::new();
    let now = load.now;
    while let Some(batch) = lines.batch(&mut load.report, |line| Demo::read(line, &known, now).map(Some))? {
        read.extend(batch);
    }
    for demo in &mut read {
        demo.row.id = load.new_id();
    }
    load.write::<action::Entity>(read.iter().map(|demo| demo.row.clone()).collect(), by_source!(action))
        .await?;
    links(load, &read, &known).await
}

async fn partners(load: &mut Load<'_>) -> Result<(), IngestError> {
    const COLUMNS: &[&str] = &["id", "name", "kind", "departement", "commune", "website"];
    let mut lines = Lines::open(load.data, PARTNERS, COLUMNS, 1)?;
    let mut facts = Vec::new();
    while let Some(batch) = lines.batch(&mut load.report, |line| {
        let fact = PartnerFact {
            id: line.text("id")?,
            name: line.text("name")?,
            kind: line.text("kind")?,
            departement: line.optional("departement")?,
            commune: line.optional("commune")?,
            siren: None,
        };
        Ok(Some((line.at, fact, line.optional("website")?)))
    })? {
        facts.extend(batch);
    }
    let mut rows = Vec::new();
    for (at, fact, website) in facts {
        match partner_row(load, SYSTEM, &fact) {
            Ok(row) => rows.push(partner::Model { website, ..row }),
            Err(wrong) => load.report.reject(PARTNERS, at, &wrong),
        }
    }
    Ok(load.write::<partner::Entity>(rows, by_source!(partner)).await?)
}

/// What actions refer to.
struct Known {
    sites: Ids,
    qpvs: Ids,
    partners: HashMap<String, Uuid>,
    axes: HashMap<(Uuid, String), Uuid>,
}

impl Known {
    async fn read(load: &Load<'_>) -> Result<Self, IngestError> {
        let mut partners = partners_of(load, facts::SYSTEM).await?;
        partners.extend(partners_of(load, SYSTEM).await?);
        let axes = axis::Entity::find().all(load.tx).await?;
        Ok(Self {
            sites: load.ids::<site::Entity>("site", site::Column::Code, site::Column::Id).await?,
            qpvs: qpvs::ids(load).await?,
            partners,
            axes: axes.into_iter().map(|axis| ((axis.site_id, axis.label_search), axis.id)).collect(),
        })
    }

    fn partner(&self, id: &str) -> Result<Uuid, Wrong> {
        let unknown =
            || Wrong::new(format!("unknown partner {id}"), "an id of the partners of the demonstration");
        self.partners.get(id).copied().ok_or_else(unknown)
    }

    fn axis(&self, site_id: Uuid, label: &str) -> Result<Uuid, Wrong> {
        let unknown = || Wrong::new(format!("unknown axis {label}"), "an axis of the site");
        self.axes.get(&(site_id, fold(label))).copied().ok_or_else(unknown)
    }
}

/// An action of the demonstration with what hangs on it.
struct Demo {
    row: action::Model,
    site: String,
    partners: Vec<Uuid>,
    operators: Vec<(String, Uuid)>,
    qpvs: Vec<Uuid>,
    beneficiaries: Vec<(PartialDate, Decimal)>,
}

impl Demo {
    fn read(line: &Line<'_>, known: &Known, now: chrono::DateTime<chrono::Utc>) -> Result<Self, Wrong> {
        let site = line.key("site", Scalar::SiteCode)?;
        let row = action_row(line, known, known.sites.get(&site)?, now)?;
        let lead = line.raw("lead");
        let partners: Result<_, _> = line.list("partners").map(|id| known.partner(id)).collect();
        let operators = std::iter::once(lead).chain(line.list("partners"));
        let operators: Result<_, _> = operators.map(|id| Ok((id.to_owned(), known.partner(id)?))).collect();
        let qpvs: Result<_, _> =
            line.list("qpvs").map(|raw| known.qpvs.get(&code(Scalar::QpvCode, raw)?)).collect();
        let beneficiaries: Result<_, _> = line.list("beneficiaries").map(reached).collect();
        Ok(Self {
            row,
            site,
            partners: partners?,
            operators: operators?,
            qpvs: qpvs?,
            beneficiaries: beneficiaries?,
        })
    }
}

/// Reads `2022-Q3=42`.
fn reached(text: &str) -> Result<(PartialDate, Decimal), Wrong> {
    let read =
        text.split_once('=').and_then(|(period, value)| Some((partial(period).ok()?, value.parse().ok()?)));
    read.ok_or_else(|| Wrong::new(format!("beneficiaries {text}"), "a period, = and a number"))
}

fn action_row(
    line: &Line<'_>,
    known: &Known,
    site_id: Uuid,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<action::Model, Wrong> {
    let title = line.text("title")?;
    let date = |column| line.optional(column)?.as_deref().map(partial).transpose();
    let (start, end) = (date("starts_on")?, date("ends_on")?);
    let names = |column: &str, is_known: &dyn Fn(&str) -> bool| {
        let unknown = line.list(column).find(|name| !is_known(name));
        unknown.map_or_else(
            || Ok(line.list(column).collect()),
            |name| Err(Wrong::new(format!("{column} {name}"), "values of its list")),
        )
    };
    Ok(action::Model {
        id: Uuid::nil(),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
        source_system: Some(SYSTEM.to_owned()),
        source_external_id: Some(line.text("id")?),
        source_updated_at: None,
        site_id,
        title_search: fold(&title),
        title,
        description: Some(DESCRIPTION.to_owned()),
        pillar: Some(line.one_of("pillar", Pillar::parse)?),
        axis_id: line.optional("axis")?.map(|label| known.axis(site_id, &label)).transpose()?,
        categories: names("categories", &|name| ActionCategory::parse(name).is_some())?,
        audiences: names("audiences", &|name| Audience::parse(name).is_some())?,
        rome_codes: names("rome_codes", &|name| code(Scalar::RomeCode, name).is_ok())?,
        innovative: line.yes("innovative")?,
        status: line.one_of("status", ActionStatus::parse)?,
        starts_from: start.as_ref().map(|date| date.from),
        starts_to: start.as_ref().map(|date| date.to),
        starts_on: start.map(|date| date.text),
        ends_from: end.as_ref().map(|date| date.from),
        ends_to: end.as_ref().map(|date| date.to),
        ends_on: end.map(|date| date.text),
        lead_partner_id: Some(known.partner(line.raw("lead"))?),
        published: line.yes("published")?,
        cancel_reason: line.optional("cancel_reason")?,
        reopen_reason: None,
    })
}

/// Links, seats and figures of the actions that this loading made; the others are people's by now.
async fn links(load: &mut Load<'_>, read: &[Demo], known: &Known) -> Result<(), IngestError> {
    let there =
        load.ids::<action::Entity>("action", action::Column::SourceExternalId, action::Column::Id).await?;
    let is_new = |demo: &&Demo| {
        demo.row.source_external_id.as_ref().and_then(|id| there.find(id)) == Some(demo.row.id)
    };
    let (mut qpvs, mut partners, mut reached) = (Vec::new(), Vec::new(), Vec::new());
    for demo in read.iter().filter(is_new) {
        let action_id = demo.row.id;
        qpvs.extend(demo.qpvs.iter().map(|&qpv_id| action_qpv::Model { action_id, qpv_id }));
        partners
            .extend(demo.partners.iter().map(|&partner_id| action_partner::Model { action_id, partner_id }));
        reached.extend(beneficiaries(load, demo));
    }
    let operators = operators(load, read.iter().filter(is_new), known).await?;
    load.write::<seat::Entity>(operators, by_source!(seat)).await?;
    let key = &[action_qpv::Column::ActionId, action_qpv::Column::QpvId];
    load.write::<action_qpv::Entity>(qpvs, Rule { key, only: None, follow: &[] }).await?;
    let key = &[action_partner::Column::ActionId, action_partner::Column::PartnerId];
    load.write::<action_partner::Entity>(partners, Rule { key, only: None, follow: &[] }).await?;
    Ok(load.write::<figure::Entity>(reached, figures::RULE).await?)
}

/// Whoever leads or helps an action has a seat in its site: an operator's, if it has none yet.
async fn operators<'a>(
    load: &Load<'_>,
    demos: impl Iterator<Item = &'a Demo>,
    known: &Known,
) -> Result<Vec<seat::Model>, IngestError> {
    let seats = seat::Entity::find().all(load.tx).await?;
    let mut seated: std::collections::HashSet<_> =
        seats.into_iter().map(|seat| (seat.site_id, seat.partner_id)).collect();
    let mut rows = Vec::new();
    for (demo, (id, partner_id)) in demos.flat_map(|demo| demo.operators.iter().map(move |o| (demo, o))) {
        let Some(site_id) = known.sites.find(&demo.site) else { continue };
        if seated.insert((site_id, *partner_id)) {
            let kind = SeatKind::Operateur;
            let external_id = format!("{}:{}:{id}", demo.site, kind.as_str());
            rows.push(seat_row(load, SYSTEM, external_id, (site_id, *partner_id, kind)));
        }
    }
    Ok(rows)
}

fn beneficiaries(load: &Load<'_>, demo: &Demo) -> Vec<figure::Model> {
    let external_id = demo.row.source_external_id.as_deref().unwrap_or_default();
    let subject = Subject::Action(demo.row.id, external_id);
    let row = |(period, value): &(PartialDate, Decimal)| {
        let mut row = figures::figure(load.new_id(), load.now, subject, Indicator::BeneficiaryCount, *value);
        figures::date_by(&mut row, period.clone());
        SYSTEM.clone_into(&mut row.origin);
        figures::name(&mut row, subject, None);
        row
    };
    demo.beneficiaries.iter().map(row).collect()
}
