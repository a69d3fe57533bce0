//! Partners, their seats and the persons they name.

use cites::text::fold;
use entity::enums::{PartnerKind, PartnerStatus, SeatKind};
use entity::{partner, referent, seat};

use super::{Kind, World, day, id, row};

/// Name, kind, SIREN. The fifth is merged into the third, the sixth comes from France Travail, the eighth is a
/// tombstone.
const PARTNERS: [(&str, PartnerKind, Option<&str>); 8] = [
    ("Préfecture du Rhône", PartnerKind::Prefecture, None),
    ("Métropole de Lyon", PartnerKind::Metropole, Some("200046977")),
    ("Mission locale", PartnerKind::MissionLocale, None),
    ("Grenoble-Alpes Métropole", PartnerKind::Metropole, Some("200040715")),
    ("Mission locale (ancienne)", PartnerKind::MissionLocale, None),
    ("Agence de Vaulx", PartnerKind::FranceTravail, Some("356000000")),
    ("Association à venir", PartnerKind::Association, Some("732829320")),
    ("Association effacée", PartnerKind::Association, Some("732829320")),
];

/// Site, partner, kind, first day, last day.
type Place = (u16, u16, SeatKind, Option<&'static str>, Option<&'static str>);

const SEATS: [Place; 11] = [
    (1, 1, SeatKind::Copilote, None, None),
    (1, 2, SeatKind::Copilote, Some("2020-07-01"), None),
    (1, 3, SeatKind::Operateur, None, None),
    (2, 3, SeatKind::Membre, None, None),
    (2, 4, SeatKind::Membre, None, None),
    (3, 4, SeatKind::Copilote, None, None),
    (4, 2, SeatKind::Membre, None, None),
    // ended, to come, deleted
    (2, 6, SeatKind::Copilote, Some("2021-01-01"), Some("2023-01-01")),
    (1, 7, SeatKind::Animateur, Some("2024-01-01"), None),
    (2, 7, SeatKind::Copilote, None, None),
    // ended today
    (3, 7, SeatKind::Copilote, None, Some("2023-06-12")),
];

pub(super) fn add(world: &mut World) {
    for (n, (name, kind, siren)) in (1..).zip(PARTNERS) {
        world.partners.push(partner_row(n, name, kind, siren));
    }
    for (n, (site, partner, kind, from, to)) in (1..).zip(SEATS) {
        let mut row = row!(seat, id(Kind::Seat, n), {
            site_id: id(Kind::Site, site),
            partner_id: id(Kind::Partner, partner),
            kind: kind,
            starts_on: from.map(day),
            ends_on: to.map(day),
        });
        row.deleted_at = (n == 10).then_some(row.updated_at);
        world.seats.push(row);
    }
    for n in 1..=5 {
        world.referents.push(referent_row(n));
    }
}

fn partner_row(n: u16, name: &str, kind: PartnerKind, siren: Option<&str>) -> partner::Model {
    let mut row = row!(partner, id(Kind::Partner, n), {
        name: name.to_owned(),
        name_search: fold(name),
        kind: kind,
        siret: (siren == Some("732829320")).then(|| "73282932000074".to_owned()),
        siren: siren.map(str::to_owned),
        rna: (kind == PartnerKind::Association).then(|| "W691234567".to_owned()),
        safir_code: (n == 6).then(|| "69050".to_owned()),
        naf_code: None,
        naf_version: None,
        commune_code: Some("69256".to_owned()),
        departement_code: Some("69".to_owned()),
        website: Some(format!("https://partenaire-{n}.example.fr")),
        status: if n == 5 { PartnerStatus::Merged } else { PartnerStatus::Active },
        merged_into_id: (n == 5).then(|| id(Kind::Partner, 3)),
    });
    if n == 6 {
        row.source_system = Some("FRANCE_TRAVAIL".to_owned());
        row.source_external_id = Some("agence-69050".to_owned());
    }
    row.deleted_at = (n == 8).then_some(row.updated_at);
    row
}

/// One on each site; the fifth, on the first, is a tombstone.
fn referent_row(n: u16) -> referent::Model {
    let mut row = row!(referent, id(Kind::Referent, n), {
        site_id: id(Kind::Site, if n == 5 { 1 } else { n }),
        partner_id: id(Kind::Partner, 3),
        function: "Cheffe de projet".to_owned(),
        first_name: Some(format!("Prénom {n}")),
        last_name: Some(format!("Nom {n}")),
        email: Some(format!("personne{n}@example.fr")),
        phone: Some(format!("+3319900000{n}")),
        starts_on: Some(day("2022-01-01")),
        ends_on: None,
        erase_after: None,
        erased_at: None,
    });
    row.deleted_at = (n == 5).then_some(row.updated_at);
    row
}
