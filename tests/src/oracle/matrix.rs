//! The matrix of the domain, and what its letters mean, over plain rows.

use cites::auth::{Role, Scope};
use entity::enums::{SeatKind, SiteStatus};
use entity::{partner, seat};
use uuid::Uuid;

use super::facts::Facts;
use super::who::Who;
use super::world::{now, public, today};
use crate::world::World;

/// What, what is done to it, what the token must be for, and who may: ANCT, a préfecture, a collectivity, a partner's
/// system, the public.
///
/// N every row, D of my départements, d of those that steer, M of sites where I sit, m where I steer, G of sites granted
/// to me, S from my source on those, P what is published; a word after the letter is a further condition.
type Line = (&'static str, &'static str, Scope, [&'static str; 5]);

use Scope::{Admin, Read, Referents, Write};

const NATIONAL: [&str; 5] = ["N", "-", "-", "-", "-"];
const STEERING: [&str; 5] = ["N", "d", "m", "-", "-"];
const STATE: [&str; 5] = ["N", "d", "-", "-", "-"];
const CANDIDATES: [&str; 5] = ["N", "d candidate", "-", "-", "-"];
const OF_SITE: [&str; 5] = ["N", "D", "M", "G", "P"];
const INSIDE: [&str; 5] = ["N", "D", "M", "-", "-"];

const MATRIX: [Line; 45] = [
    ("Site", "read", Read, OF_SITE),
    ("Site", "describe", Write, STEERING),
    ("Site", "label", Write, NATIONAL),
    ("Site", "communes", Write, CANDIDATES),
    ("Site", "transition", Write, CANDIDATES),
    ("Site", "delete", Write, ["N candidate", "-", "-", "-", "-"]),
    ("SiteQpv", "write", Write, CANDIDATES),
    ("Milestone", "read", Read, OF_SITE),
    ("Referential", "read", Read, ["N", "N", "N", "N", "P"]),
    ("Partner", "read", Read, ["N", "N", "N", "N", "P"]),
    ("Partner", "read restricted", Read, ["N", "N", "N", "N", "-"]),
    ("Partner", "create", Write, ["N", "N", "N", "S", "-"]),
    ("Partner", "update", Write, ["N", "d", "m not-state", "S", "-"]),
    ("Partner", "merge", Write, NATIONAL),
    ("Partner", "close", Write, NATIONAL),
    ("Seat", "read", Read, OF_SITE),
    ("Seat", "member", Write, STEERING),
    ("Seat", "steering", Write, STATE),
    ("Referent", "read", Referents, INSIDE),
    ("Referent", "write", Write, STEERING),
    ("GovernanceBody", "read", Read, ["N", "D", "M", "-", "P"]),
    ("GovernanceBody", "read restricted", Read, INSIDE),
    ("GovernanceBody", "write", Write, STEERING),
    ("GovernanceMember", "read", Read, INSIDE),
    ("Meeting", "read", Read, INSIDE),
    ("Meeting", "write", Write, STEERING),
    ("Roadmap", "read", Read, OF_SITE),
    ("Roadmap", "write", Write, STEERING),
    ("Roadmap", "adopt", Write, STATE),
    ("Axis", "read", Read, OF_SITE),
    ("Action", "read", Read, ["N", "D", "M", "S", "P"]),
    ("Action", "create", Write, ["N", "d", "m", "S", "-"]),
    ("Action", "update source", Write, ["N", "d by-hand", "m by-hand", "S", "-"]),
    ("Action", "update local", Write, STEERING),
    ("Action", "transition", Write, ["N", "d by-hand", "m by-hand", "S", "-"]),
    ("Action", "reopen", Write, STATE),
    ("Action", "delete", Write, ["N", "d draft", "m draft", "S", "-"]),
    ("Figure", "read", Read, ["N", "D", "M", "G+S", "P"]),
    ("Figure", "write", Write, ["N", "d", "m", "S", "-"]),
    ("Figure", "validate", Write, STATE),
    ("Figure", "withdraw", Write, NATIONAL),
    ("NationalFigure", "write", Write, NATIONAL),
    ("FundingLine", "read", Read, INSIDE),
    ("FundingLine", "write", Write, STATE),
    ("ClientGrant", "any", Admin, NATIONAL),
];

/// A caller before the rows of a world.
#[derive(Clone, Copy, Debug)]
pub struct Eyes<'w> {
    /// The rows.
    pub world: &'w World,
    /// Who looks.
    pub who: &'w Who,
}

impl Eyes<'_> {
    /// Whether he may do something to a row of which these are the facts.
    pub fn may(&self, what: &str, verb: &str, facts: &Facts) -> bool {
        let line = MATRIX.iter().find(|(known, done, ..)| *known == what && [verb, "any"].contains(done));
        let (_, _, scope, cells) = line.unwrap_or_else(|| panic!("{what} {verb} is not in the matrix"));
        let writes = !verb.starts_with("read");
        // a write of grants needs both
        let has_scopes = self.who.has(*scope) && (!writes || self.who.has(Write));
        let role = Role::ALL.iter().position(|role| *role == self.who.role).expect("a role");
        let own = if has_scopes && self.who.role != Role::Public { cells[role] } else { "-" };
        // what the public reads, everybody reads
        let shared = if writes { "-" } else { cells[4] };
        [own, shared]
            .iter()
            .flat_map(|cell| cell.split('+'))
            .any(|grant| self.holds(what, grant, writes, facts))
    }

    /// Whether the row lies on the caller's own ground; what is merely public does not.
    pub fn owns(&self, what: &str, facts: &Facts) -> bool {
        let closed = Facts { is_public: false, ..facts.clone() };
        self.may(what, "read", if self.who.role == Role::Public { facts } else { &closed })
    }

    fn holds(&self, what: &str, grant: &str, writes: bool, facts: &Facts) -> bool {
        let (letter, condition) = grant.split_once(' ').unwrap_or((grant, ""));
        let meets = match condition {
            "" => true,
            "candidate" => facts.status == "CANDIDATE",
            "draft" => facts.status == "DRAFT",
            "by-hand" => facts.source.is_none(),
            "not-state" => !["PREFECTURE", "DDETS", "DREETS", "ANCT"].contains(&facts.kind.as_str()),
            other => panic!("{other} is no condition"),
        };
        let mine = |letter: &str| {
            let mut sites = facts.sites.iter();
            sites.any(|site| self.is_mine(letter, *site) && (!writes || self.is_open(what, letter, *site)))
        };
        meets
            && match letter {
                "N" => true,
                "P" => facts.is_public,
                "S" => {
                    let from_me = facts.source.is_some() && facts.source == self.who.source;
                    // partners are of no site; a client without a grant writes none
                    from_me && if what == "Partner" { self.has_grant() } else { mine("G") }
                }
                "-" => false,
                letter => mine(letter),
            }
    }

    /// Whether a row lies on a site where the caller has a say.
    pub(super) fn stands_on(&self, facts: &Facts) -> bool {
        ["d", "m", "G"].iter().any(|letter| facts.sites.iter().any(|site| self.is_mine(letter, *site)))
    }

    /// A site that was deleted gives no right to write. A closed or withdrawn one is read-only for all but ANCT, save that
    /// its préfecture gives a closed one its late figures. Partners are of no site.
    fn is_open(&self, what: &str, letter: &str, site: Uuid) -> bool {
        let status = self.world.sites.iter().find(|row| row.id == site).map(|row| row.status);
        what == "Partner"
            || !self.is_deleted_site(site)
                && match status {
                    Some(SiteStatus::Closed) => what == "Figure" && letter == "d",
                    Some(SiteStatus::Withdrawn) => false,
                    _ => true,
                }
    }

    /// Whether a site was deleted.
    pub(super) fn is_deleted_site(&self, site: Uuid) -> bool {
        self.world.sites.iter().any(|row| row.id == site && row.deleted_at.is_some())
    }

    fn is_mine(&self, letter: &str, site: Uuid) -> bool {
        match letter {
            "D" | "d" => self.world.site_departements.iter().any(|link| {
                link.site_id == site
                    && self.who.departements.contains(&link.departement_code)
                    && (letter == "D" || link.pilot)
            }),
            "M" | "m" => self.world.seats.iter().any(|seat| {
                use SeatKind::{Animateur, Copilote, Porteur};
                let steers = matches!(seat.kind, Copilote | Porteur | Animateur);
                seat.site_id == site
                    && is_active(seat)
                    && (letter == "M" || steers)
                    && self.world.partners.iter().any(|row| {
                        row.id == seat.partner_id && row.deleted_at.is_none() && self.speaks_for(row)
                    })
            }),
            _ => self.grants(site),
        }
    }

    /// Whether the caller's own rights may come from a partner.
    pub fn speaks_for(&self, row: &partner::Model) -> bool {
        let from_siret = row.siret.as_ref().map(|siret| siret.chars().take(9).collect());
        let siren = row.siren.clone().or(from_siret);
        self.who.role == Role::Collectivite && siren.is_some_and(|siren| self.who.sirens.contains(&siren))
    }

    fn grant(&self) -> Option<&entity::client_grant::Model> {
        self.world.grants.iter().find(|row| {
            row.client_id == self.who.client
                && row.source_system == self.who.source
                && row.status.as_str() == "ACTIVE"
                && row.valid_from.is_none_or(|from| from <= now())
                && row.valid_to.is_none_or(|to| to > now())
        })
    }

    fn has_grant(&self) -> bool {
        self.grant().is_some()
    }

    fn grants(&self, site: Uuid) -> bool {
        self.grant().is_some_and(|grant| {
            let mut sites = self.world.grant_sites.iter();
            grant.all_sites || sites.any(|link| link.grant_id == grant.id && link.site_id == site)
        })
    }

    /// Whether the public sees a site.
    pub fn is_public_site(&self, id: Uuid) -> bool {
        self.world.sites.iter().any(|row| row.id == id && row.deleted_at.is_none() && public(row.status))
    }
}

/// Whether a seat is held today: its last day ends it.
fn is_active(row: &seat::Model) -> bool {
    not_ended(row) && row.starts_on.is_none_or(|from| from <= today())
}

/// Whether a seat is held today or will be.
pub(super) fn not_ended(row: &seat::Model) -> bool {
    row.deleted_at.is_none() && row.ends_on.is_none_or(|to| to > today())
}
