//! Seeded partners and their seats.

use chrono::{DateTime, Utc};
use entity::enums::{PartnerKind, PartnerStatus, SeatKind};
use entity::{partner, seat};
use uuid::Uuid;

use super::ground::{Ground, Site};
use super::words::{self, PARTNERS};
use super::{Dice, SYSTEM};
use crate::text::fold;

/// Makes partners, each with a seat in one site, a tenth of them in two. Every site gets its first partner
/// before any site gets a second; beyond that the large sites get more.
pub(super) fn make(
    dice: &mut Dice,
    ground: &mut Ground,
    count: u64,
) -> (Vec<partner::Model>, Vec<seat::Model>) {
    let (mut partners, mut seats) = (Vec::new(), Vec::new());
    for number in 0..count {
        let home = usize::try_from(number).ok().filter(|index| *index < ground.sites.len());
        let home = home.unwrap_or_else(|| ground.site(dice));
        let place = ground.sites[home].partners.len();
        let row = row(dice, &ground.sites[home], number, place);
        seats.push(take(dice, &mut ground.sites[home], row.id));
        let other = ground.site(dice);
        if other != home && dice.often(10) {
            seats.push(take(dice, &mut ground.sites[other], row.id));
        }
        partners.push(row);
    }
    (partners, seats)
}

fn row(dice: &mut Dice, site: &Site, number: u64, place: usize) -> partner::Model {
    let at = dice.instant();
    let (kind, words) = PARTNERS.get(place).copied().unwrap_or_else(|| *dice.pick(PARTNERS));
    let (code, commune) = dice.pick(&site.communes).clone();
    let name = match kind {
        PartnerKind::Prefecture | PartnerKind::Ddets => {
            format!("{words} {}", site.departement.as_deref().unwrap_or_default())
        }
        PartnerKind::Commune | PartnerKind::FranceTravail | PartnerKind::MissionLocale => {
            format!("{words} {commune}")
        }
        _ => format!("{words} {} {commune}", dice.pick(words::OWN_NAMES)),
    };
    partner::Model {
        id: dice.id(at),
        version: 1,
        created_at: at,
        updated_at: at,
        deleted_at: None,
        source_system: Some(SYSTEM.to_owned()),
        source_external_id: Some(format!("SEED-P{number:07}")),
        name_search: fold(&name),
        name,
        kind,
        siret: None,
        siren: None,
        rna: None,
        safir_code: None,
        naf_code: None,
        naf_version: None,
        commune_code: Some(code).filter(|code| !code.is_empty()),
        departement_code: site.departement.clone(),
        website: dice.often(30).then(|| format!("https://partenaire-{number}.example.org")),
        status: if dice.often(3) { PartnerStatus::Closed } else { PartnerStatus::Active },
        merged_into_id: None,
    }
}

/// The first seat of a site is its bearer's, the next two are co-pilots'.
fn take(dice: &mut Dice, site: &mut Site, partner_id: Uuid) -> seat::Model {
    const OTHERS: &[SeatKind] =
        &[SeatKind::Operateur, SeatKind::Operateur, SeatKind::Membre, SeatKind::Membre, SeatKind::Financeur];
    let kind = match site.partners.len() {
        0 => SeatKind::Porteur,
        1 | 2 => SeatKind::Copilote,
        3 => SeatKind::Animateur,
        _ => *dice.pick(OTHERS),
    };
    site.partners.push(partner_id);
    let at: DateTime<Utc> = dice.instant();
    seat::Model {
        id: dice.id(at),
        version: 1,
        created_at: at,
        updated_at: at,
        deleted_at: None,
        source_system: Some(SYSTEM.to_owned()),
        source_external_id: Some(format!("{}:{}:{partner_id}", site.key, kind.as_str())),
        site_id: site.id,
        partner_id,
        kind,
        starts_on: dice.often(50).then(|| at.date_naive()),
        ends_on: None,
    }
}
