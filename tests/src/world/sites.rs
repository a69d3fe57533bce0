//! Sites, with their ground and their history.

use cites::text::fold;
use entity::enums::{AudiencePolicy, MilestoneKind, Provenance, SiteScale, SiteStatus};
use entity::{StringList, site, site_commune, site_departement, site_epci, site_milestone};

use super::{Kind, World, day, id, row};

struct About {
    code: Option<&'static str>,
    name: &'static str,
    status: SiteStatus,
    scale: Option<SiteScale>,
    wave: Option<i32>,
    audiences: &'static [&'static str],
    /// Code, region, and whether its préfecture steers.
    departements: &'static [(&'static str, &'static str, bool)],
    commune: &'static str,
    epci: Option<&'static str>,
}

const SITES: [About; 5] = [
    About {
        code: Some("cde-901"),
        name: "Échirolles d'en haut 100 %",
        status: SiteStatus::Active,
        scale: Some(SiteScale::Commune),
        wave: Some(2020),
        audiences: &["FEMMES", "JEUNES"],
        departements: &[("69", "84", true)],
        commune: "69256",
        epci: Some("200046977"),
    },
    About {
        code: Some("cde-902"),
        name: "Deux Rives",
        status: SiteStatus::Active,
        scale: None,
        wave: None,
        audiences: &[],
        departements: &[("02", "32", false), ("59", "32", true)],
        commune: "59350",
        epci: None,
    },
    About {
        code: Some("cde-903"),
        name: "Grenoble",
        status: SiteStatus::Closed,
        scale: Some(SiteScale::Epci),
        wave: Some(2021),
        audiences: &["JEUNES"],
        departements: &[("38", "84", true)],
        commune: "38151",
        epci: Some("200040715"),
    },
    About {
        code: None,
        name: "Bobigny",
        status: SiteStatus::Candidate,
        scale: None,
        wave: None,
        audiences: &[],
        departements: &[("93", "11", true)],
        commune: "93008",
        epci: None,
    },
    About {
        code: Some("cde-905"),
        name: "Effacée",
        status: SiteStatus::Labelled,
        scale: Some(SiteScale::Commune),
        wave: Some(2021),
        audiences: &[],
        departements: &[("69", "84", true)],
        commune: "69256",
        epci: Some("200046977"),
    },
];

pub(super) fn add(world: &mut World) {
    for (n, about) in (1..).zip(SITES) {
        let mut row = site_row(n, &about);
        row.deleted_at = (n == 5).then_some(row.updated_at);
        let site_id = row.id;
        world.sites.push(row);
        world.site_departements.extend(about.departements.iter().map(|(code, region, pilot)| {
            site_departement::Model {
                site_id,
                departement_code: (*code).to_owned(),
                region_code: (*region).to_owned(),
                pilot: *pilot,
            }
        }));
        let commune_code = about.commune.to_owned();
        world.site_communes.push(site_commune::Model { site_id, commune_code, shared: false });
        let epci = about.epci.map(|siren| site_epci::Model { site_id, epci_siren: siren.to_owned() });
        world.site_epcis.extend(epci);
        world.milestones.push(milestone(n));
    }
}

fn site_row(n: u16, about: &About) -> site::Model {
    row!(site, id(Kind::Site, n), {
        code: about.code.map(str::to_owned),
        name: about.name.to_owned(),
        name_search: fold(about.name),
        scale: about.scale,
        wave: about.wave,
        wave_status: about.wave.map(|_| Provenance::Derived),
        wave_source: None,
        status: about.status,
        audience_policy: if about.audiences.is_empty() { AudiencePolicy::Unknown } else { AudiencePolicy::Targeted },
        audiences: about.audiences.iter().copied().collect(),
        audience_note: None,
        contrat_ville_codes: StringList::default(),
        programme: "CITES_EMPLOI".to_owned(),
        successor_note: None,
        status_reason: None,
    })
}

fn milestone(n: u16) -> site_milestone::Model {
    site_milestone::Model {
        id: id(Kind::Link, 200 + n),
        site_id: id(Kind::Site, n),
        kind: MilestoneKind::Label,
        starts: "2021-Q3".to_owned(),
        starts_from: day("2021-07-01"),
        starts_to: day("2021-09-30"),
        ends: None,
        ends_from: None,
        ends_to: None,
        label: Some("été 2021".to_owned()),
        source: Some("deck".to_owned()),
    }
}
