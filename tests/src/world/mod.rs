//! The small world: a few sites, and around them each kind of row in each state that rights, filters and pages
//! tell apart. Its rows are plain values, so that a test can compute what an answer should be from them.
//!
//! | site | status | départements (pilot) | whose |
//! |---|---|---|---|
//! | `cde-901` Échirolles | ACTIVE | 69 (69) | SIREN 200046977 co-pilot, 732829320 from 2024 on |
//! | `cde-902` Deux Rives | ACTIVE | 02, 59 (59) | SIREN 200040715 member, 356000000 co-pilot until 2022 |
//! | `cde-903` Grenoble | CLOSED | 38 (38) | SIREN 200040715 co-pilot |
//! | no code, Bobigny | CANDIDATE | 93 (93) | SIREN 200046977 member |
//! | `cde-905` Effacée | LABELLED, tombstone | 69 (69) | |

mod actions;
mod figures;
mod governance;
mod ground;
mod partners;
mod sites;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use cites::auth::Role;
use cites::db::Db;
use entity::enums::GrantStatus;
use entity::{
    StringList, action, action_partner, action_qpv, axis, client_grant, client_grant_site, commune,
    contrat_ville, departement, epci, figure, funding_line, governance_body, governance_member, meeting,
    partner, qpv, qpv_commune, qpv_lineage, qpv_outline, referent, region, roadmap, seat, site, site_commune,
    site_departement, site_epci, site_milestone, site_qpv,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use uuid::Uuid;

/// Writes a row of the domain: what all rows share, then its own columns. The number orders `updated_at`, two
/// rows at each instant so that ties are met.
macro_rules! row {
    ($entity:ident, $id:expr, { $($field:ident: $value:expr),* $(,)? }) => {{
        let id: uuid::Uuid = $id;
        $entity::Model {
            id,
            version: 1,
            created_at: crate::world::instant(id, 1),
            updated_at: crate::world::instant(id, 2),
            deleted_at: None,
            source_system: None,
            source_external_id: None,
            $($field: $value),*
        }
    }};
}
use row;

/// What an identity names.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A site: 1 to 5, in the order of the table above.
    Site = 1,
    /// A QPV: 1 and 2 of 2015, 3 and 4 of 2024, 5 a tombstone.
    Qpv,
    /// A partner.
    Partner,
    /// A seat.
    Seat,
    /// A referent.
    Referent,
    /// A governance body.
    Body,
    /// A meeting.
    Meeting,
    /// A roadmap.
    Roadmap,
    /// An axis.
    Axis,
    /// An action.
    Action,
    /// A figure.
    Figure,
    /// A line of funding.
    Funding,
    /// A row without a type of its own at the root.
    Link,
}

/// The identity of the n-th row of a kind.
pub const fn id(kind: Kind, n: u16) -> Uuid {
    Uuid::from_u128(0x0188_a000_0000_7000_8000_0000_0000_0000 | ((kind as u128) << 32) | n as u128)
}

/// An instant of May 2023 that follows the number in an identity, `per` numbers to a minute.
fn instant(id: Uuid, per: i64) -> DateTime<Utc> {
    let number = i64::try_from(id.as_u128() & 0xffff).unwrap_or_default();
    DateTime::UNIX_EPOCH + TimeDelta::days(19_478) + TimeDelta::minutes(number / per)
}

/// A day.
pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Every row of the small world.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each list holds the rows of the table it is named for")]
pub struct World {
    pub regions: Vec<region::Model>,
    pub departements: Vec<departement::Model>,
    pub epcis: Vec<epci::Model>,
    pub communes: Vec<commune::Model>,
    pub contrats: Vec<contrat_ville::Model>,
    pub sites: Vec<site::Model>,
    pub site_communes: Vec<site_commune::Model>,
    pub site_epcis: Vec<site_epci::Model>,
    pub site_departements: Vec<site_departement::Model>,
    pub milestones: Vec<site_milestone::Model>,
    pub qpvs: Vec<qpv::Model>,
    pub qpv_communes: Vec<qpv_commune::Model>,
    pub outlines: Vec<qpv_outline::Model>,
    pub lineage: Vec<qpv_lineage::Model>,
    pub site_qpvs: Vec<site_qpv::Model>,
    pub partners: Vec<partner::Model>,
    pub seats: Vec<seat::Model>,
    pub referents: Vec<referent::Model>,
    pub bodies: Vec<governance_body::Model>,
    pub members: Vec<governance_member::Model>,
    pub meetings: Vec<meeting::Model>,
    pub roadmaps: Vec<roadmap::Model>,
    pub axes: Vec<axis::Model>,
    pub actions: Vec<action::Model>,
    pub action_qpvs: Vec<action_qpv::Model>,
    pub action_partners: Vec<action_partner::Model>,
    pub figures: Vec<figure::Model>,
    pub funding: Vec<funding_line::Model>,
    pub grants: Vec<client_grant::Model>,
    pub grant_sites: Vec<client_grant_site::Model>,
}

/// The grant of a partner's client, without sites yet.
pub fn grant(id: Uuid, client: &str, source: &str, now: DateTime<Utc>) -> client_grant::Model {
    client_grant::Model {
        id,
        client_id: client.to_owned(),
        label: client.to_owned(),
        role: Role::PartnerSystem.name().to_owned(),
        source_system: Some(source.to_owned()),
        site_codes: StringList::default(),
        all_sites: false,
        indicators: StringList::default(),
        departements: StringList::default(),
        sirens: StringList::default(),
        scopes: StringList::default(),
        rate_class: None,
        valid_from: None,
        valid_to: None,
        status: GrantStatus::Active,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// The small world, the same at each call.
pub fn small() -> World {
    let mut world = World::default();
    ground::add(&mut world);
    sites::add(&mut world);
    partners::add(&mut world);
    governance::add(&mut world);
    actions::add(&mut world);
    figures::add(&mut world);
    world
}

impl World {
    /// Writes every row, parents first.
    pub async fn write(self, db: &Db) {
        insert(db, self.regions).await;
        insert(db, self.departements).await;
        insert(db, self.epcis).await;
        insert(db, self.communes).await;
        insert(db, self.contrats).await;
        insert(db, self.sites).await;
        insert(db, self.site_communes).await;
        insert(db, self.site_epcis).await;
        insert(db, self.site_departements).await;
        insert(db, self.milestones).await;
        insert(db, self.qpvs).await;
        insert(db, self.qpv_communes).await;
        insert(db, self.outlines).await;
        insert(db, self.lineage).await;
        insert(db, self.site_qpvs).await;
        insert(db, self.partners).await;
        insert(db, self.seats).await;
        insert(db, self.referents).await;
        insert(db, self.bodies).await;
        insert(db, self.members).await;
        insert(db, self.meetings).await;
        insert(db, self.roadmaps).await;
        insert(db, self.axes).await;
        insert(db, self.actions).await;
        insert(db, self.action_qpvs).await;
        insert(db, self.action_partners).await;
        insert(db, self.figures).await;
        insert(db, self.funding).await;
        insert(db, self.grants).await;
        insert(db, self.grant_sites).await;
    }
}

/// Writes rows of one table, in batches that both databases take.
pub async fn insert<M, A>(db: &Db, rows: impl IntoIterator<Item = M>)
where
    M: IntoActiveModel<A>,
    A: ActiveModelTrait + Send,
{
    let rows: Vec<A> = rows.into_iter().map(IntoActiveModel::into_active_model).collect();
    for batch in rows.chunks(100) {
        let written = A::Entity::insert_many(batch.iter().cloned()).exec_without_returning(&db.writer).await;
        written.expect("rows are written");
    }
}
