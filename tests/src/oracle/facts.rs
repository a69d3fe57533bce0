//! What the matrix looks at in a row.

use entity::enums::{ActionStatus, FigureStatus, RoadmapStatus};
use entity::{action, figure, roadmap, site_qpv};
use uuid::Uuid;

use super::matrix::{Eyes, not_ended};
use super::world::today;

/// What the matrix looks at in a row.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Sites that it hangs on.
    pub sites: Vec<Uuid>,
    /// System it comes from.
    pub source: Option<String>,
    /// The public reads it.
    pub is_public: bool,
    /// Its status.
    pub status: String,
    /// Its kind.
    pub kind: String,
    /// It was deleted.
    pub is_deleted: bool,
}

impl Facts {
    /// Facts of a row that somebody would write on a site.
    pub fn new_on(site: Uuid) -> Self {
        Self { sites: vec![site], ..Self::default() }
    }
}

/// Facts of a row of the domain that hangs on these sites.
macro_rules! facts {
    ($row:expr, $sites:expr, $public:expr) => {{
        let (row, sites, is_public) = ($row, $sites, $public);
        let is_deleted = row.deleted_at.is_some();
        Facts { sites, is_public, is_deleted, source: row.source_system.clone(), ..Facts::default() }
    }};
}

impl Eyes<'_> {
    /// The facts of the row of a type, by its place in the world's list.
    pub fn facts(&self, of: &str, at: usize) -> Facts {
        let world = self.world;
        match of {
            "Site" => {
                let row = &world.sites[at];
                let facts = facts!(row, vec![row.id], self.is_public_site(row.id));
                Facts { status: row.status.as_str().to_owned(), ..facts }
            }
            "Milestone" => self.of_site(world.milestones[at].site_id),
            "Qpv" => facts!(&world.qpvs[at], Vec::new(), true),
            "Partner" => {
                let row = &world.partners[at];
                let seats = world.seats.iter().filter(|seat| seat.partner_id == row.id && not_ended(seat));
                let facts = facts!(row, seats.map(|seat| seat.site_id).collect(), true);
                Facts { kind: row.kind.as_str().to_owned(), ..facts }
            }
            "Seat" => {
                let row = &world.seats[at];
                let is_public = row.ends_on.is_none() && self.is_public_site(row.site_id);
                Facts { kind: row.kind.as_str().to_owned(), ..facts!(row, vec![row.site_id], is_public) }
            }
            "Referent" => facts!(&world.referents[at], vec![world.referents[at].site_id], false),
            "GovernanceBody" => {
                let row = &world.bodies[at];
                facts!(row, vec![row.site_id], self.is_public_site(row.site_id))
            }
            "GovernanceMember" => self.of_body(world.members[at].body_id),
            "Meeting" => {
                let row = &world.meetings[at];
                facts!(row, self.of_body(row.body_id).sites, false)
            }
            "Roadmap" => self.of_roadmap(&world.roadmaps[at]),
            "Axis" => {
                let row = &world.axes[at];
                let of = world.roadmaps.iter().find(|roadmap| roadmap.id == row.roadmap_id);
                facts!(row, vec![row.site_id], self.of_roadmap(of.expect("a roadmap")).is_public)
            }
            "Action" => self.of_action(&world.actions[at]),
            "Figure" => self.of_figure(&world.figures[at]),
            "FundingLine" => facts!(&world.funding[at], vec![world.funding[at].site_id], false),
            "ClientGrant" => Facts::default(),
            _ => Facts { is_public: true, ..Facts::default() },
        }
    }

    /// Whether the caller reads a row.
    pub fn reads(&self, of: &str, at: usize) -> bool {
        let facts = self.facts(of, at);
        !facts.is_deleted && self.may(resource(of), "read", &facts)
    }

    /// Whether the caller reads what not everybody reads of a row.
    pub fn reads_restricted(&self, of: &str, at: usize) -> bool {
        self.may(resource(of), "read restricted", &self.facts(of, at))
    }

    fn of_site(&self, site: Uuid) -> Facts {
        Facts { is_public: self.is_public_site(site), ..Facts::new_on(site) }
    }

    fn of_body(&self, body: Uuid) -> Facts {
        let body = self.world.bodies.iter().find(|row| row.id == body).expect("a committee");
        Facts::new_on(body.site_id)
    }

    fn of_roadmap(&self, row: &roadmap::Model) -> Facts {
        let is_public = row.status == RoadmapStatus::Adopted && self.is_public_site(row.site_id);
        facts!(row, vec![row.site_id], is_public)
    }

    fn of_action(&self, row: &action::Model) -> Facts {
        let is_public =
            row.published && row.status != ActionStatus::Draft && self.is_public_site(row.site_id);
        Facts { status: row.status.as_str().to_owned(), ..facts!(row, vec![row.site_id], is_public) }
    }

    /// A figure hangs on its site, on the sites that work in its QPV, on the site of its action.
    fn of_figure(&self, row: &figure::Model) -> Facts {
        let action = self.world.actions.iter().find(|action| Some(action.id) == row.action_id);
        let is_public = row.status == FigureStatus::Validated
            && row.site_id.is_none_or(|site| self.is_public_site(site))
            && action.is_none_or(|action| action.deleted_at.is_none() && self.of_action(action).is_public);
        let mut sites: Vec<Uuid> = row.site_id.into_iter().collect();
        sites.extend(row.qpv_id.map(|qpv| self.sites_of_qpv(qpv)).unwrap_or_default());
        sites.extend(action.filter(|action| action.deleted_at.is_none()).map(|action| action.site_id));
        facts!(row, sites, is_public)
    }

    /// Sites that work in a QPV; a link counts until its last day is over, and not of a site that was deleted.
    pub(super) fn sites_of_qpv(&self, qpv: Uuid) -> Vec<Uuid> {
        let works =
            |link: &&site_qpv::Model| link.qpv_id == qpv && link.ends_on.is_none_or(|to| to > today());
        let links = self.world.site_qpvs.iter().filter(works);
        links.map(|link| link.site_id).filter(|site| !self.is_deleted_site(*site)).collect()
    }
}

/// The line of the matrix under which a type is read.
pub(super) fn resource(of: &str) -> &str {
    match of {
        "Region" | "Departement" | "Epci" | "Commune" | "ContratVille" | "Qpv" | "QpvPredecessor"
        | "QpvSuccessor" => "Referential",
        other => other,
    }
}
