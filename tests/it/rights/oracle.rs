//! The matrix of reads, written a second time: plainly, over the rows of the small world, without SQL.

use cites::auth::Scope;
use entity::enums::{ActionStatus, FigureStatus, RoadmapStatus, SiteStatus};
use entity::{action, axis, figure, funding_line, governance_body, meeting, referent, roadmap, seat, site};
use tests::world::{self, World};
use tests::{GrantedSites, Persona, TestApp};
use uuid::Uuid;

/// Whose eyes.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    Public,
    Anct,
    Prefecture(&'static [&'static str]),
    Collectivite(&'static [&'static str]),
    Partner(&'static str, &'static [&'static str]),
}

/// Everybody that the tests look through.
pub const EVERYBODY: [Who; 12] = [
    Who::Public,
    Who::Anct,
    Who::Prefecture(&["69"]),
    Who::Prefecture(&["02"]),
    Who::Prefecture(&["38", "93"]),
    Who::Prefecture(&[]),
    Who::Collectivite(&["200046977"]),
    Who::Collectivite(&["200040715"]),
    // a seat that ended, and one that begins next year beside a deleted one
    Who::Collectivite(&["356000000"]),
    Who::Collectivite(&["732829320"]),
    Who::Partner("FRANCE_TRAVAIL", &["cde-901", "cde-903"]),
    Who::Partner("OTHER", &["cde-902"]),
];

/// What somebody should see of the small world.
pub struct Oracle {
    pub world: World,
    pub who: Who,
    /// The token is for personal data too.
    pub referents: bool,
}

impl Who {
    pub async fn of(self, app: &TestApp) -> Persona<'_> {
        match self {
            Self::Public => app.public(),
            Self::Anct => app.anct(),
            Self::Prefecture(departements) => app.prefecture(departements),
            Self::Collectivite(sirens) => app.collectivite(sirens),
            Self::Partner(source, codes) => app.partner(source, GrantedSites::Codes(codes)).await,
        }
    }
}

impl Oracle {
    pub fn new(who: Who, persona: &Persona<'_>) -> Self {
        let scopes = persona.claims.as_ref().map(|claims| claims.scopes.clone()).unwrap_or_default();
        Self { world: world::small(), who, referents: scopes.contains(&Scope::Referents) }
    }

    /// The caller's own ground; what is granted to a partner counts only where `granted` does.
    fn is_mine(&self, site: Uuid, granted: bool) -> bool {
        match self.who {
            Who::Public => false,
            Who::Anct => true,
            Who::Prefecture(mine) => self
                .world
                .site_departements
                .iter()
                .any(|link| link.site_id == site && mine.contains(&link.departement_code.as_str())),
            Who::Collectivite(mine) => self.world.seats.iter().any(|seat| {
                let partner = self.world.partners.iter().find(|partner| partner.id == seat.partner_id);
                let siren = partner.and_then(|partner| partner.siren.as_deref());
                let today = "2023-06-12".parse().expect("a day");
                seat.site_id == site
                    && seat.deleted_at.is_none()
                    && seat.starts_on.is_none_or(|from| from <= today)
                    && seat.ends_on.is_none_or(|to| to >= today)
                    && siren.is_some_and(|siren| mine.contains(&siren))
            }),
            Who::Partner(_, codes) => {
                let code =
                    self.world.sites.iter().find(|row| row.id == site).and_then(|row| row.code.as_deref());
                granted && code.is_some_and(|code| codes.contains(&code))
            }
        }
    }

    fn is_public_site(&self, id: Uuid) -> bool {
        use SiteStatus::{Active, Closed, Labelled, Withdrawn};
        self.world.sites.iter().any(|site| {
            site.id == id
                && site.deleted_at.is_none()
                && matches!(site.status, Labelled | Active | Closed | Withdrawn)
        })
    }

    pub fn site(&self, row: &site::Model) -> bool {
        row.deleted_at.is_none() && (self.is_mine(row.id, true) || self.is_public_site(row.id))
    }

    pub fn seat(&self, row: &seat::Model) -> bool {
        let public = row.ends_on.is_none() && self.is_public_site(row.site_id);
        row.deleted_at.is_none() && (self.is_mine(row.site_id, true) || public)
    }

    pub fn referent(&self, row: &referent::Model) -> bool {
        row.deleted_at.is_none() && self.referents && self.is_mine(row.site_id, false)
    }

    pub fn body(&self, row: &governance_body::Model) -> bool {
        row.deleted_at.is_none() && (self.is_mine(row.site_id, false) || self.is_public_site(row.site_id))
    }

    /// Whether the fields of a committee that the public does not read are readable.
    pub fn body_restricted(&self, row: &governance_body::Model) -> bool {
        self.is_mine(row.site_id, false)
    }

    pub fn meeting(&self, row: &meeting::Model) -> bool {
        let body = self.world.bodies.iter().find(|body| body.id == row.body_id).expect("a body");
        row.deleted_at.is_none() && self.is_mine(body.site_id, false)
    }

    pub fn roadmap(&self, row: &roadmap::Model) -> bool {
        let public = row.status == RoadmapStatus::Adopted && self.is_public_site(row.site_id);
        row.deleted_at.is_none() && (self.is_mine(row.site_id, true) || public)
    }

    pub fn axis(&self, row: &axis::Model) -> bool {
        let roadmap =
            self.world.roadmaps.iter().find(|roadmap| roadmap.id == row.roadmap_id).expect("a roadmap");
        row.deleted_at.is_none() && self.roadmap(roadmap)
    }

    pub fn action(&self, row: &action::Model) -> bool {
        let mine = match self.who {
            Who::Partner(source, _) => {
                row.source_system.as_deref() == Some(source) && self.is_mine(row.site_id, true)
            }
            _ => self.is_mine(row.site_id, false),
        };
        row.deleted_at.is_none() && (mine || self.is_public_action(row))
    }

    fn is_public_action(&self, row: &action::Model) -> bool {
        row.deleted_at.is_none()
            && row.published
            && row.status != ActionStatus::Draft
            && self.is_public_site(row.site_id)
    }

    /// Whether a figure lies on the caller's own ground, where nothing is masked.
    pub fn figure_is_mine(&self, row: &figure::Model) -> bool {
        let action = self.world.actions.iter().find(|action| Some(action.id) == row.action_id);
        let action = action.filter(|action| action.deleted_at.is_none());
        matches!(self.who, Who::Anct)
            || row.site_id.is_some_and(|site| self.is_mine(site, true))
            || action.is_some_and(|action| self.is_mine(action.site_id, true))
            || self.world.site_qpvs.iter().any(|link| {
                let today = "2023-06-12".parse().expect("a day");
                Some(link.qpv_id) == row.qpv_id
                    && link.ends_on.is_none_or(|to| to >= today)
                    && self.is_mine(link.site_id, true)
            })
    }

    pub fn figure(&self, row: &figure::Model) -> bool {
        let action = self.world.actions.iter().find(|action| Some(action.id) == row.action_id);
        let public = row.status == FigureStatus::Validated
            && row.site_id.is_none_or(|site| self.is_public_site(site))
            && action.is_none_or(|action| self.is_public_action(action));
        row.deleted_at.is_none() && (self.figure_is_mine(row) || public)
    }

    pub fn funding(&self, row: &funding_line::Model) -> bool {
        row.deleted_at.is_none() && self.is_mine(row.site_id, false)
    }
}
