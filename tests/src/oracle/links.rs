//! Fields that lead to rows, type by type.

use entity::enums::RoadmapStatus;
use uuid::Uuid;

use super::graph::{Link, RESTRICTED, Shape};

use Shape::{List, Many, One, OneByCode};

/// Fields of the rows of a list: name, shape, type, and the rows behind the row; `RESTRICTED` for those that not
/// everybody reads who reads the row.
macro_rules! links {
    (
        $list:ident: $($name:literal $shape:ident $to:literal $($restricted:ident)?
        |$world:ident, $row:ident| $rows:expr;)*
    ) => {
        &[$(Link {
            name: $name,
            to: $to,
            shape: $shape,
            restricted: [$($restricted,)? false][0],
            rows: |eyes, at| {
                let $world = eyes.world;
                let $row = &$world.$list[at];
                $rows
            },
        }),*]
    };
}

/// The places of the rows that meet a condition.
fn all<T>(rows: &[T], meets: impl Fn(&T) -> bool) -> Vec<usize> {
    (0..rows.len()).filter(|at| meets(&rows[*at])).collect()
}

/// Keys on one side of those links that meet a condition.
fn keys<T, K: Clone>(links: &[T], meets: impl Fn(&T) -> bool, key: impl Fn(&T) -> &K) -> Vec<K> {
    links.iter().filter(|link| meets(link)).map(|link| key(link).clone()).collect()
}

const REGION: &[Link] = links! {
    regions: "departements" Many "Departement" |world, row| all(&world.departements, |to| to.region_code == row.code);
};
const DEPARTEMENT: &[Link] = links! {
    departements:
    "region" OneByCode "Region" |world, row| all(&world.regions, |to| to.code == row.region_code);
    "communes" Many "Commune" |world, row| all(&world.communes, |to| to.departement_code.as_ref() == Some(&row.code));
    "qpvs" Many "Qpv" |world, row| all(&world.qpvs, |to| to.departement_code.as_ref() == Some(&row.code));
    "sites" Many "Site" |world, row| {
        let sites = keys(&world.site_departements, |link| link.departement_code == row.code, |link| &link.site_id);
        all(&world.sites, |to| sites.contains(&to.id))
    };
};
const EPCI: &[Link] = links! {
    epcis:
    "departement" OneByCode "Departement" |world, row| {
        all(&world.departements, |to| Some(&to.code) == row.departement_code.as_ref())
    };
    "communes" Many "Commune" |world, row| all(&world.communes, |to| to.epci_siren.as_ref() == Some(&row.siren));
    "sites" Many "Site" |world, row| {
        let sites = keys(&world.site_epcis, |link| link.epci_siren == row.siren, |link| &link.site_id);
        all(&world.sites, |to| sites.contains(&to.id))
    };
};
const COMMUNE: &[Link] = links! {
    communes:
    "departement" OneByCode "Departement" |world, row| {
        all(&world.departements, |to| Some(&to.code) == row.departement_code.as_ref())
    };
    "region" OneByCode "Region" |world, row| all(&world.regions, |to| Some(&to.code) == row.region_code.as_ref());
    "epci" OneByCode "Epci" |world, row| all(&world.epcis, |to| Some(&to.siren) == row.epci_siren.as_ref());
    "parent" OneByCode "Commune" |world, row| all(&world.communes, |to| Some(&to.code) == row.parent_code.as_ref());
    "qpvs" Many "Qpv" |world, row| {
        let qpvs = keys(&world.qpv_communes, |link| link.commune_code == row.code, |link| &link.qpv_id);
        all(&world.qpvs, |to| qpvs.contains(&to.id))
    };
    "sites" Many "Site" |world, row| {
        let sites = keys(&world.site_communes, |link| link.commune_code == row.code, |link| &link.site_id);
        all(&world.sites, |to| sites.contains(&to.id))
    };
};
const CONTRAT: &[Link] = links! {
    contrats: "departement" OneByCode "Departement" |world, row| {
        all(&world.departements, |to| Some(&to.code) == row.departement_code.as_ref())
    };
};
const SITE: &[Link] = links! {
    sites:
    "milestones" List "Milestone" |world, row| all(&world.milestones, |to| to.site_id == row.id);
    "communes" List "Commune" |world, row| {
        let codes = keys(&world.site_communes, |link| link.site_id == row.id, |link| &link.commune_code);
        all(&world.communes, |to| codes.contains(&to.code))
    };
    "epcis" List "Epci" |world, row| {
        let sirens = keys(&world.site_epcis, |link| link.site_id == row.id, |link| &link.epci_siren);
        all(&world.epcis, |to| sirens.contains(&to.siren))
    };
    "departements" List "Departement" |world, row| {
        let codes = keys(&world.site_departements, |link| link.site_id == row.id, |link| &link.departement_code);
        all(&world.departements, |to| codes.contains(&to.code))
    };
    "pilotDepartements" List "Departement" |world, row| {
        let is_pilot = |link: &entity::site_departement::Model| link.site_id == row.id && link.pilot;
        let codes = keys(&world.site_departements, is_pilot, |link| &link.departement_code);
        all(&world.departements, |to| codes.contains(&to.code))
    };
    "qpvs" Many "Qpv" |world, row| {
        let is_live = |link: &entity::site_qpv::Model| link.site_id == row.id && link.ends_on.is_none();
        let qpvs = keys(&world.site_qpvs, is_live, |link| &link.qpv_id);
        all(&world.qpvs, |to| qpvs.contains(&to.id))
    };
    "seats" Many "Seat" |world, row| all(&world.seats, |to| to.site_id == row.id);
    "governanceBodies" Many "GovernanceBody" |world, row| all(&world.bodies, |to| to.site_id == row.id);
    "roadmap" One "Roadmap" |world, row| {
        all(&world.roadmaps, |to| to.site_id == row.id && to.status == RoadmapStatus::Adopted)
    };
    "roadmaps" Many "Roadmap" |world, row| all(&world.roadmaps, |to| to.site_id == row.id);
    "actions" Many "Action" |world, row| all(&world.actions, |to| to.site_id == row.id);
    "figures" Many "Figure" |world, row| all(&world.figures, |to| to.site_id == Some(row.id));
    "fundingLines" Many "FundingLine" |world, row| all(&world.funding, |to| to.site_id == row.id);
    "referents" Many "Referent" |world, row| all(&world.referents, |to| to.site_id == row.id);
};
const QPV: &[Link] = links! {
    qpvs:
    "departement" OneByCode "Departement" |world, row| {
        all(&world.departements, |to| Some(&to.code) == row.departement_code.as_ref())
    };
    "region" OneByCode "Region" |world, row| all(&world.regions, |to| Some(&to.code) == row.region_code.as_ref());
    "communes" List "Commune" |world, row| {
        let codes = keys(&world.qpv_communes, |link| link.qpv_id == row.id, |link| &link.commune_code);
        all(&world.communes, |to| codes.contains(&to.code))
    };
    "predecessors" List "QpvPredecessor" |world, row| all(&world.lineage, |to| to.to_qpv_id == row.id);
    "successors" List "QpvSuccessor" |world, row| all(&world.lineage, |to| to.from_qpv_id == row.id);
    "sites" Many "Site" |world, row| {
        let sites = sites_in(world, row.id);
        all(&world.sites, |to| sites.contains(&to.id))
    };
    "actions" Many "Action" |world, row| {
        // an action that names no QPV is for all of its site's
        let named = |action: Uuid| keys(&world.action_qpvs, |link| link.action_id == action, |link| &link.qpv_id);
        let sites = sites_in(world, row.id);
        all(&world.actions, |to| {
            let named = named(to.id);
            named.contains(&row.id) || (named.is_empty() && sites.contains(&to.site_id))
        })
    };
    "figures" Many "Figure" |world, row| all(&world.figures, |to| to.qpv_id == Some(row.id));
};
const PREDECESSOR: &[Link] = links! {
    lineage: "qpv" One "Qpv" |world, row| all(&world.qpvs, |to| to.id == row.from_qpv_id);
};
const SUCCESSOR: &[Link] = links! {
    lineage: "qpv" One "Qpv" |world, row| all(&world.qpvs, |to| to.id == row.to_qpv_id);
};
const PARTNER: &[Link] = links! {
    partners:
    "commune" OneByCode "Commune" |world, row| {
        all(&world.communes, |to| Some(&to.code) == row.commune_code.as_ref())
    };
    "departement" OneByCode "Departement" RESTRICTED |world, row| {
        all(&world.departements, |to| Some(&to.code) == row.departement_code.as_ref())
    };
    "mergedInto" One "Partner" RESTRICTED |world, row| all(&world.partners, |to| Some(to.id) == row.merged_into_id);
    "seats" Many "Seat" |world, row| all(&world.seats, |to| to.partner_id == row.id);
    "leads" Many "Action" |world, row| all(&world.actions, |to| to.lead_partner_id == Some(row.id));
    "actions" Many "Action" |world, row| {
        let actions = keys(&world.action_partners, |link| link.partner_id == row.id, |link| &link.action_id);
        all(&world.actions, |to| actions.contains(&to.id))
    };
};
const SEAT: &[Link] = links! {
    seats:
    "site" One "Site" |world, row| all(&world.sites, |to| to.id == row.site_id);
    "partner" One "Partner" |world, row| all(&world.partners, |to| to.id == row.partner_id);
};
const REFERENT: &[Link] = links! {
    referents:
    "site" One "Site" |world, row| all(&world.sites, |to| to.id == row.site_id);
    "partner" One "Partner" |world, row| all(&world.partners, |to| to.id == row.partner_id);
};
const BODY: &[Link] = links! {
    bodies:
    "parent" One "GovernanceBody" RESTRICTED |world, row| all(&world.bodies, |to| Some(to.id) == row.parent_id);
    "site" One "Site" |world, row| all(&world.sites, |to| to.id == row.site_id);
    "members" List "GovernanceMember" |world, row| all(&world.members, |to| to.body_id == row.id);
    "meetings" Many "Meeting" |world, row| all(&world.meetings, |to| to.body_id == row.id);
};
const MEMBER: &[Link] = links! {
    members: "partner" One "Partner" |world, row| all(&world.partners, |to| to.id == row.partner_id);
};
const MEETING: &[Link] = links! {
    meetings: "body" One "GovernanceBody" |world, row| all(&world.bodies, |to| to.id == row.body_id);
};
const ROADMAP: &[Link] = links! {
    roadmaps:
    "adoptedByMeeting" One "Meeting" |world, row| all(&world.meetings, |to| Some(to.id) == row.adopted_by_meeting_id);
    "site" One "Site" |world, row| all(&world.sites, |to| to.id == row.site_id);
    "axes" List "Axis" |world, row| all(&world.axes, |to| to.roadmap_id == row.id);
};
const AXIS: &[Link] = links! {
    axes:
    "roadmap" One "Roadmap" |world, row| all(&world.roadmaps, |to| to.id == row.roadmap_id);
    "site" One "Site" |world, row| all(&world.sites, |to| to.id == row.site_id);
    "actions" Many "Action" |world, row| all(&world.actions, |to| to.axis_id == Some(row.id));
};
const ACTION: &[Link] = links! {
    actions:
    "site" One "Site" |world, row| all(&world.sites, |to| to.id == row.site_id);
    "axis" One "Axis" |world, row| all(&world.axes, |to| Some(to.id) == row.axis_id);
    "lead" One "Partner" |world, row| all(&world.partners, |to| Some(to.id) == row.lead_partner_id);
    "partners" Many "Partner" |world, row| {
        let partners = keys(&world.action_partners, |link| link.action_id == row.id, |link| &link.partner_id);
        all(&world.partners, |to| partners.contains(&to.id))
    };
    "qpvs" Many "Qpv" |world, row| {
        let qpvs = keys(&world.action_qpvs, |link| link.action_id == row.id, |link| &link.qpv_id);
        all(&world.qpvs, |to| qpvs.contains(&to.id))
    };
    "figures" Many "Figure" |world, row| all(&world.figures, |to| to.action_id == Some(row.id));
    "fundingLines" Many "FundingLine" |world, row| all(&world.funding, |to| to.action_id == Some(row.id));
};
const FIGURE: &[Link] = links! {
    figures:
    "site" One "Site" |world, row| all(&world.sites, |to| Some(to.id) == row.site_id);
    "qpv" One "Qpv" |world, row| all(&world.qpvs, |to| Some(to.id) == row.qpv_id);
    "commune" OneByCode "Commune" |world, row| {
        all(&world.communes, |to| Some(&to.code) == row.commune_code.as_ref())
    };
    "epci" OneByCode "Epci" |world, row| all(&world.epcis, |to| Some(&to.siren) == row.epci_siren.as_ref());
    "action" One "Action" |world, row| all(&world.actions, |to| Some(to.id) == row.action_id);
};
const FUNDING: &[Link] = links! {
    funding:
    "funder" One "Partner" |world, row| all(&world.partners, |to| Some(to.id) == row.funder_partner_id);
    "site" One "Site" |world, row| all(&world.sites, |to| to.id == row.site_id);
    "action" One "Action" |world, row| all(&world.actions, |to| Some(to.id) == row.action_id);
};
const GRANT: &[Link] = links! {
    grants: "sites" Many "Site" |world, row| {
        let sites = keys(&world.grant_sites, |link| link.grant_id == row.id, |link| &link.site_id);
        all(&world.sites, |to| sites.contains(&to.id))
    };
};

/// Sites that work in a QPV.
fn sites_in(world: &crate::world::World, qpv: Uuid) -> Vec<Uuid> {
    keys(&world.site_qpvs, |link| link.qpv_id == qpv && link.ends_on.is_none(), |link| &link.site_id)
}

/// Fields of a type.
pub(super) fn of(name: &str) -> &'static [Link] {
    match name {
        "Region" => REGION,
        "Departement" => DEPARTEMENT,
        "Epci" => EPCI,
        "Commune" => COMMUNE,
        "ContratVille" => CONTRAT,
        "Site" => SITE,
        "Qpv" => QPV,
        "QpvPredecessor" => PREDECESSOR,
        "QpvSuccessor" => SUCCESSOR,
        "Partner" => PARTNER,
        "Seat" => SEAT,
        "Referent" => REFERENT,
        "GovernanceBody" => BODY,
        "GovernanceMember" => MEMBER,
        "Meeting" => MEETING,
        "Roadmap" => ROADMAP,
        "Axis" => AXIS,
        "Action" => ACTION,
        "Figure" => FIGURE,
        "FundingLine" => FUNDING,
        "ClientGrant" => GRANT,
        _ => &[],
    }
}
