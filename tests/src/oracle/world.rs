//! A random world: the territories of the small one, and on them sites, partners and their seats, and what hangs on
//! them, each in any state. Rows are copies of those of the small world with other values.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use cites::text::fold;
use entity::enums::{AudiencePolicy, GrantStatus, PartnerKind, PartnerStatus, SeatKind, SiteStatus};
use entity::{StringList, client_grant_site, partner, seat, site};
use entity::{site_commune, site_departement, site_epci, site_milestone, site_qpv};
use uuid::Uuid;

use crate::app::NOW;
use crate::dice::Dice;
use crate::world::{self, Kind, World, day, id};

/// Companies that partners are, and for which collectivities speak.
pub(super) const SIRENS: [&str; 5] = ["200046977", "200040715", "356000000", "732829320", "244200770"];
/// Systems that rows come from.
pub(super) const SOURCES: [&str; 2] = ["FRANCE_TRAVAIL", "OTHER"];
/// Clients that may have a grant; the last has none.
pub(super) const CLIENTS: [&str; 4] = ["client-1", "client-2", "client-3", "client-without"];

const STATUSES: [SiteStatus; 9] = [
    SiteStatus::Candidate,
    SiteStatus::Candidate,
    SiteStatus::Submitted,
    SiteStatus::Labelled,
    SiteStatus::Active,
    SiteStatus::Active,
    SiteStatus::Closed,
    SiteStatus::Rejected,
    SiteStatus::Withdrawn,
];
const PARTNERS: [PartnerKind; 8] = [
    PartnerKind::Prefecture,
    PartnerKind::Ddets,
    PartnerKind::Metropole,
    PartnerKind::Commune,
    PartnerKind::Commune,
    PartnerKind::Association,
    PartnerKind::FranceTravail,
    PartnerKind::MissionLocale,
];
const SEATS: [SeatKind; 6] = [
    SeatKind::Copilote,
    SeatKind::Porteur,
    SeatKind::Animateur,
    SeatKind::Membre,
    SeatKind::Financeur,
    SeatKind::Operateur,
];

/// Now, in the tests.
pub(super) fn now() -> DateTime<Utc> {
    NOW.parse().expect("an instant")
}

/// Today, in the tests.
pub(super) fn today() -> NaiveDate {
    now().date_naive()
}

/// A row like the first of its list in the small world, but for its identity and these values.
macro_rules! like {
    ($builder:ident.$list:ident, $id:expr, { $($field:ident: $value:expr),* $(,)? }) => {{
        let mut row = $builder.like.$list[0].clone();
        row.id = $id;
        $(row.$field = $value;)*
        row
    }};
}
pub(super) use like;

/// Makes a world with dice.
pub(super) struct Builder {
    pub dice: Dice,
    pub like: World,
    pub world: World,
}

/// The world of a seed.
pub fn random(seed: u64) -> World {
    let like = world::small();
    let world = World {
        regions: like.regions.clone(),
        departements: like.departements.clone(),
        epcis: like.epcis.clone(),
        communes: like.communes.clone(),
        contrats: like.contrats.clone(),
        qpvs: like.qpvs.clone(),
        qpv_communes: like.qpv_communes.clone(),
        outlines: like.outlines.clone(),
        lineage: like.lineage.clone(),
        ..World::default()
    };
    let mut builder = Builder { dice: Dice::new(seed), like, world };
    for n in 1..=builder.dice.small(6, 12) {
        builder.site(n);
    }
    for n in 1..=builder.dice.small(5, 9) {
        builder.partner(n);
    }
    builder.merge();
    builder.seats();
    builder.grants();
    super::rows::add(&mut builder);
    builder.world
}

impl Builder {
    /// The instant of a tombstone, in so many cases of a hundred.
    pub fn grave(&mut self, percent: u32) -> Option<DateTime<Utc>> {
        self.dice.chance(percent).then(now)
    }

    /// A source system with an identity there, or none.
    pub fn source(&mut self, of: &str, n: u16) -> (Option<String>, Option<String>) {
        let source = self.dice.chance(50).then(|| (*self.dice.pick(&SOURCES).expect("a source")).to_owned());
        let external = source.as_ref().map(|_| format!("{of}-{n}"));
        (source, external)
    }

    /// The next number for a row without a type of its own at the root.
    pub fn link(&mut self) -> Uuid {
        let world = &self.world;
        let used = world.milestones.len() + world.site_qpvs.len() + world.members.len() + world.grants.len();
        id(Kind::Link, 1_000 + u16::try_from(used).unwrap_or_default())
    }

    fn site(&mut self, n: u16) {
        let status = self.dice.any(&STATUSES);
        let is_public = public(status);
        let has_code = is_public || self.dice.chance(20);
        let targeted = self.dice.chance(40);
        let name = format!("Site {n}");
        let row: site::Model = like!(self.sites, id(Kind::Site, n), {
            code: has_code.then(|| format!("cde-9{n:02}")),
            name_search: fold(&name),
            name: name,
            status: status,
            wave: self.dice.chance(60).then_some(2021),
            audience_policy: if targeted { AudiencePolicy::Targeted } else { AudiencePolicy::Unknown },
            audiences: ["FEMMES"].into_iter().take(usize::from(targeted)).collect(),
            deleted_at: self.grave(12),
        });
        self.ground(row.id);
        self.milestones(row.id, n);
        self.world.sites.push(row);
    }

    fn ground(&mut self, site_id: Uuid) {
        let departements = self.dice.some(&self.like.departements, 1, 2);
        for of in departements {
            let (departement_code, region_code) = (of.code, of.region_code);
            let pilot = self.dice.chance(60);
            let link = site_departement::Model { site_id, departement_code, region_code, pilot };
            self.world.site_departements.push(link);
        }
        for of in self.dice.some(&self.like.communes, 1, 2) {
            let link = site_commune::Model { site_id, commune_code: of.code, shared: false };
            self.world.site_communes.push(link);
        }
        for of in self.dice.some(&self.like.epcis, 0, 1) {
            self.world.site_epcis.push(site_epci::Model { site_id, epci_siren: of.siren });
        }
        for of in self.dice.some(&self.like.qpvs, 0, 3) {
            let row: site_qpv::Model = like!(self.site_qpvs, self.link(), {
                site_id: site_id,
                qpv_id: of.id,
                ends_on: self.dice.chance(25).then(|| day("2022-12-31")),
            });
            self.world.site_qpvs.push(row);
        }
    }

    fn milestones(&mut self, site_id: Uuid, n: u16) {
        use entity::enums::MilestoneKind::{ActionPlan, FirstCopil, Label};
        for kind in self.dice.some(&[Label, FirstCopil, ActionPlan], 0, 2) {
            let row: site_milestone::Model = like!(self.milestones, self.link(), {
                site_id: site_id,
                kind: kind,
                label: Some(format!("{} {n}", kind.as_str())),
            });
            self.world.milestones.push(row);
        }
    }

    fn partner(&mut self, n: u16) {
        let name = format!("Partenaire {n}");
        let company = self.dice.chance(80).then(|| self.dice.any(&SIRENS).to_owned());
        let siret = company.as_deref().filter(|_| self.dice.chance(40)).map(establishment);
        // of some the SIREN is known by the SIRET alone
        let known = company.filter(|_| siret.is_none() || self.dice.chance(50));
        let (source_system, source_external_id) = self.source("partner", n);
        let row: partner::Model = like!(self.partners, id(Kind::Partner, n), {
            name_search: fold(&name),
            name: name,
            kind: self.dice.any(&PARTNERS),
            siret: siret,
            siren: known,
            source_system: source_system,
            source_external_id: source_external_id,
            departement_code: self.dice.chance(70).then(|| "69".to_owned()),
            status: if self.dice.chance(15) { PartnerStatus::Closed } else { PartnerStatus::Active },
            deleted_at: self.grave(10),
        });
        self.world.partners.push(row);
    }

    /// Merges the last partner into the first, sometimes.
    fn merge(&mut self) {
        let into = self.world.partners.first().map(|row| row.id);
        if let Some(last) = self.world.partners.last_mut().filter(|_| self.dice.chance(40)) {
            (last.status, last.merged_into_id) = (PartnerStatus::Merged, into);
        }
    }

    fn seats(&mut self) {
        for n in 1..=self.dice.small(20, 60) {
            let starts = [None, None, Some("2021-01-01"), Some("2023-06-12"), Some("2023-06-13")];
            let ends = [None, None, None, Some("2023-06-11"), Some("2023-06-12"), Some("2023-06-13")];
            let (starts_on, ends_on) = (self.dice.any(&starts).map(day), self.dice.any(&ends).map(day));
            let row: seat::Model = like!(self.seats, id(Kind::Seat, n), {
                site_id: self.dice.any(&self.world.sites).id,
                partner_id: self.dice.any(&self.world.partners).id,
                kind: self.dice.any(&SEATS),
                starts_on: starts_on.filter(|from| ends_on.is_none_or(|to| *from <= to)),
                ends_on: ends_on,
                deleted_at: self.grave(10),
            });
            // one seat of a kind for a partner, one PORTEUR for a site
            let taken = self.world.seats.iter().any(|other| {
                (other.site_id, other.kind) == (row.site_id, row.kind)
                    && (other.partner_id == row.partner_id || row.kind == SeatKind::Porteur)
            });
            if !taken {
                self.world.seats.push(row);
            }
        }
    }

    fn grants(&mut self) {
        for (n, client) in CLIENTS.iter().take(3).enumerate() {
            let source = SOURCES[n % 2];
            let mut row = world::grant(self.link(), client, source, now());
            row.all_sites = self.dice.chance(25);
            let minute = TimeDelta::minutes(1);
            let times = [None, None, None, Some(now() - minute), Some(now() + minute)];
            (row.valid_from, row.valid_to) = (self.dice.any(&times), self.dice.any(&times));
            if row.valid_from.zip(row.valid_to).is_some_and(|(from, to)| from >= to) {
                row.valid_to = None;
            }
            row.status = if self.dice.chance(85) { GrantStatus::Active } else { GrantStatus::Revoked };
            let sites = self.dice.some(&self.world.sites, 1, 6);
            row.site_codes = StringList(sites.iter().filter_map(|site| site.code.clone()).collect());
            for site in sites {
                self.world.grant_sites.push(client_grant_site::Model { grant_id: row.id, site_id: site.id });
            }
            self.world.grants.push(row);
        }
    }
}

/// A SIRET of a company, the last digit of which checks it.
fn establishment(company: &str) -> String {
    let sum = |text: &str| -> u32 {
        let digits = text.chars().rev().filter_map(|digit| digit.to_digit(10)).enumerate();
        digits.map(|(at, digit)| if at % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit }).sum()
    };
    let all = (0..10).map(|last| format!("{company}0001{last}"));
    all.into_iter().find(|text| sum(text) % 10 == 0).expect("a last digit")
}

/// Whether the public sees sites in a status.
pub(super) const fn public(status: SiteStatus) -> bool {
    use SiteStatus::{Active, Closed, Labelled, Withdrawn};
    matches!(status, Labelled | Active | Closed | Withdrawn)
}
