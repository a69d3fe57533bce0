//! Mutations that are made one by one, each with a rule of its own.

use cites::auth::{Role, Scope};
use entity::enums::{ActionStatus, PartnerStatus, SeatKind};
use serde_json::{Value, json};

use super::facts::Facts;
use super::graph::Type;
use super::matrix::{Eyes, not_ended};
use super::world::SIRENS;
use super::writes::{Outcome, Write, may, own_source, place, target};
use crate::dice::Dice;

use Outcome::{Allowed, Forbidden, NotFound};

/// Makes a mutation of a caller; none where the world has no row for it.
type Single = fn(&mut Dice, &Eyes<'_>) -> Option<Write>;

/// Mutations that are made one by one.
pub(super) const SINGLES: [(&str, Single); 10] = [
    ("createSite", |dice, eyes| Some(create_site(dice, eyes))),
    ("createPartner", |_, eyes| Some(create_partner(eyes))),
    ("updatePartner", change_identity),
    ("mergePartner", merge_partner),
    ("giveSeat", give_seat),
    ("endSeat", end_seat),
    ("planMeeting", plan_meeting),
    ("transitionAction", transition_action),
    ("submitFigure", submit_figure),
    ("createClientGrant", |_, eyes| Some(create_grant(eyes))),
];

/// A partner that is there.
pub(super) fn live_partner(dice: &mut Dice, eyes: &Eyes<'_>) -> Option<usize> {
    let of = Type::named("Partner");
    let rows: Vec<usize> = eyes.all(of).filter(|at| eyes.reads("Partner", *at)).collect();
    dice.pick(&rows).copied()
}

/// A préfecture files candidates in its own départements.
fn create_site(dice: &mut Dice, eyes: &Eyes<'_>) -> Write {
    let commune = dice.any(&eyes.world.communes);
    let inside = commune.departement_code.is_some_and(|code| eyes.who.departements.contains(&code));
    let allowed = match eyes.who.role {
        Role::Anct => true,
        Role::Prefecture => inside,
        _ => false,
    };
    let input = json!({ "name": "x", "communes": [commune.code] });
    Write::new("createSite", input, "", may(allowed && eyes.who.has(Scope::Write)))
}

fn create_partner(eyes: &Eyes<'_>) -> Write {
    let facts = Facts { source: own_source(eyes), ..Facts::default() };
    let expected = may(eyes.may("Partner", "create", &facts));
    let input = json!({ "name": "x", "kind": "ASSOCIATION" });
    Write::new("createPartner", with_identifier(eyes, input), "", expected)
}

/// SIREN and SIRET of a partner from which rights come are ANCT's.
fn change_identity(dice: &mut Dice, eyes: &Eyes<'_>) -> Option<Write> {
    let of = Type::named("Partner");
    let at = target(dice, eyes, of)?;
    let row = &eyes.world.partners[at];
    let other = SIRENS.into_iter().find(|siren| row.siren.as_deref() != Some(siren))?;
    let input = json!({ "id": eyes.key(of, at), "siren": other, "name": "x" });
    let seats: Vec<_> =
        eyes.world.seats.iter().filter(|seat| seat.partner_id == row.id && not_ended(seat)).collect();
    let guarded = row.status == PartnerStatus::Active && eyes.who.role != Role::Anct && !seats.is_empty();
    let expected = if eyes.reads("Partner", at) {
        may(eyes.may("Partner", "update", &eyes.facts("Partner", at)) && !guarded)
    } else {
        NotFound
    };
    Some(Write::new("updatePartner", input, "id", expected))
}

/// Both partners are looked for in the order of their ids; here the one that stays is there.
fn merge_partner(dice: &mut Dice, eyes: &Eyes<'_>) -> Option<Write> {
    let of = Type::named("Partner");
    let at = target(dice, eyes, of)?;
    let later: Vec<usize> = eyes.all(of).filter(|into| *into >= at && eyes.reads("Partner", *into)).collect();
    let into = *dice.pick(&later)?;
    let allowed = eyes.may("Partner", "merge", &eyes.facts("Partner", at));
    let expected = if eyes.reads("Partner", at) { may(allowed) } else { NotFound };
    let input = json!({ "id": eyes.key(of, at), "into": eyes.key(of, into), "expectedVersion": 999 });
    Some(Write::new("mergePartner", input, "id", expected))
}

const fn is_steering(kind: SeatKind) -> bool {
    matches!(kind, SeatKind::Copilote | SeatKind::Porteur | SeatKind::Animateur)
}

const fn seat_verb(kind: SeatKind) -> &'static str {
    if is_steering(kind) { "steering" } else { "member" }
}

/// Nobody gives or ends a seat from which his own right comes.
fn give_seat(dice: &mut Dice, eyes: &Eyes<'_>) -> Option<Write> {
    use SeatKind::{Animateur, Copilote, Financeur, Membre, Operateur, Porteur};
    let kind = dice.any(&[Copilote, Porteur, Animateur, Membre, Membre, Financeur, Operateur]);
    let (_, mut expected, site) = place(dice, eyes, "Seat", seat_verb(kind))?;
    let partner = live_partner(dice, eyes)?;
    if expected == Allowed && eyes.speaks_for(&eyes.world.partners[partner]) {
        expected = Forbidden;
    }
    let partner = eyes.key(Type::named("Partner"), partner);
    let input = json!({ "site": site, "partner": partner, "kind": kind.as_str(), "from": "2099-01-01" });
    Some(Write::new("giveSeat", input, "site", expected))
}

fn end_seat(dice: &mut Dice, eyes: &Eyes<'_>) -> Option<Write> {
    let of = Type::named("Seat");
    let at = target(dice, eyes, of)?;
    let row = &eyes.world.seats[at];
    let own =
        eyes.world.partners.iter().any(|partner| partner.id == row.partner_id && eyes.speaks_for(partner));
    // one that ended stays as it is
    let own = own && row.ends_on.is_none();
    let expected = if eyes.reads("Seat", at) {
        may(eyes.may("Seat", seat_verb(row.kind), &eyes.facts("Seat", at)) && !own)
    } else {
        NotFound
    };
    let input = json!({ "id": eyes.key(of, at), "to": "2099-01-01" });
    Some(Write::new("endSeat", input, "id", expected))
}

fn plan_meeting(dice: &mut Dice, eyes: &Eyes<'_>) -> Option<Write> {
    let of = Type::named("GovernanceBody");
    let at = target(dice, eyes, of)?;
    let allowed = eyes.may("Meeting", "write", &eyes.facts("GovernanceBody", at));
    let expected = if eyes.reads("GovernanceBody", at) { may(allowed) } else { NotFound };
    let input = json!({ "body": eyes.key(of, at), "date": "2023-07-01" });
    Some(Write::new("planMeeting", input, "body", expected))
}

/// To reopen is a right of its own, beside that to move an action at all.
fn transition_action(dice: &mut Dice, eyes: &Eyes<'_>) -> Option<Write> {
    let of = Type::named("Action");
    let at = target(dice, eyes, of)?;
    let row = &eyes.world.actions[at];
    let reopens = row.status == ActionStatus::Completed;
    let mut input = json!({ "id": eyes.key(of, at), "to": "IN_PROGRESS" });
    if !reopens {
        input["expectedVersion"] = json!(999);
    }
    let facts = eyes.facts("Action", at);
    let allowed =
        eyes.may("Action", "transition", &facts) && (!reopens || eyes.may("Action", "reopen", &facts));
    let expected = if eyes.reads("Action", at) { may(allowed) } else { NotFound };
    Some(Write::new("transitionAction", input, "id", expected))
}

fn submit_figure(dice: &mut Dice, eyes: &Eyes<'_>) -> Option<Write> {
    let (subject, sites, seen) = match dice.between(0, 2) {
        0 => {
            let (at, _, id) = place(dice, eyes, "Figure", "write")?;
            (json!({ "site": id }), vec![eyes.world.sites[at].id], eyes.reads("Site", at))
        }
        1 => {
            let of = Type::named("Action");
            let at = target(dice, eyes, of)?;
            let site = eyes.world.actions[at].site_id;
            (json!({ "action": eyes.key(of, at) }), vec![site], eyes.reads("Action", at))
        }
        _ => {
            let live: Vec<_> = eyes.world.qpvs.iter().filter(|row| row.deleted_at.is_none()).collect();
            let row = dice.any(&live);
            (json!({ "qpv": row.code }), eyes.sites_of_qpv(row.id), true)
        }
    };
    let facts = Facts { sites, ..Facts::default() };
    let expected = if seen { may(eyes.may("Figure", "write", &facts)) } else { NotFound };
    let input = json!({ "subject": subject, "indicator": "POPULATION", "value": "-1", "period": "2022" });
    Some(Write::new("submitFigure", with_identifier(eyes, input), "subject", expected))
}

/// A partner's system names what it creates.
pub(super) fn with_identifier(eyes: &Eyes<'_>, mut input: Value) -> Value {
    if eyes.who.role == Role::PartnerSystem {
        input["externalId"] = json!("new");
    }
    input
}

fn create_grant(eyes: &Eyes<'_>) -> Write {
    let input = json!({ "clientId": "somebody", "label": "x", "sourceSystem": "AUTRE" });
    let expected = may(eyes.may("ClientGrant", "write", &Facts::default()));
    Write::new("createClientGrant", input, "", expected)
}
