//! Mutations with what must come of them.
//!
//! What is sent is refused by the domain wherever the caller has the right: it expects a version that no row has, or
//! says something that is never taken. So a world stays as it is, whoever writes. `planMeeting` alone has nothing to
//! refuse; the meetings it plans give no rights.

use std::collections::BTreeSet;

use cites::auth::Role;
use entity::enums::FigureSubject;
use serde_json::{Value, json};

use super::facts::Facts;
use super::graph::Type;
use super::matrix::Eyes;
use super::singles::{SINGLES, live_partner, with_identifier};
use super::who::Who;
use crate::Answer;
use crate::dice::Dice;
use crate::world::World;

/// What comes of a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The row is not there for the caller.
    NotFound,
    /// It is, but he may not do this.
    Forbidden,
    /// He may; whether the domain does is not asked.
    Allowed,
}

/// A mutation.
#[derive(Debug)]
pub struct Write {
    /// Its name.
    pub name: &'static str,
    /// What is sent.
    pub input: Value,
    /// Field of the input that names the row.
    pub subject: &'static str,
    /// What must come of it.
    pub expected: Outcome,
}

use Outcome::{Allowed, Forbidden, NotFound};

/// Mutations of a row: name, type, line and verb of the matrix, and what is sent beside the id.
const OF_ROWS: [(&str, &str, &str, &str, &str); 35] = [
    ("updateSite", "Site", "Site", "describe", r#"{"audienceNote":"Note"}"#),
    ("setSiteLabel", "Site", "Site", "label", r#"{"wave":2021}"#),
    ("setSiteLabel", "Site", "Site", "communes", r#"{"communes":["69256"]}"#),
    ("setSiteMilestone", "Site", "Site", "describe", r#"{"kind":"ACTION_PLAN","start":"2020"}"#),
    (
        "setSiteMilestone",
        "Site",
        "Site",
        "label",
        r#"{"kind":"LABEL","start":"2021","end":"2020","expectedVersion":null}"#,
    ),
    ("removeSiteMilestone", "Site", "Site", "describe", r#"{"kind":"ACTION_PLAN","start":"2020"}"#),
    (
        "removeSiteMilestone",
        "Site",
        "Site",
        "label",
        r#"{"kind":"LABEL","start":"2020","expectedVersion":null}"#,
    ),
    ("deleteSite", "Site", "Site", "delete", "{}"),
    ("transitionSite", "Site", "Site", "transition", r#"{"to":"SUBMITTED"}"#),
    ("addSiteQpv", "Site", "SiteQpv", "write", r#"{"qpv":"QP069999","expectedVersion":null}"#),
    ("endSiteQpv", "Site", "SiteQpv", "write", r#"{"qpv":"QP069999","expectedVersion":null}"#),
    ("updatePartner", "Partner", "Partner", "update", r#"{"website":"https://exemple.fr"}"#),
    ("closePartner", "Partner", "Partner", "close", "{}"),
    ("updateReferent", "Referent", "Referent", "write", r#"{"function":"Cheffe"}"#),
    ("endReferent", "Referent", "Referent", "write", r#"{"to":"2023-06-01"}"#),
    ("eraseReferent", "Referent", "Referent", "write", "{}"),
    ("updateGovernanceBody", "GovernanceBody", "GovernanceBody", "write", r#"{"name":"Instance"}"#),
    ("transitionGovernanceBody", "GovernanceBody", "GovernanceBody", "write", r#"{"to":"ACTIVE"}"#),
    ("setGovernanceMembers", "GovernanceBody", "GovernanceBody", "write", r#"{"members":[]}"#),
    ("holdMeeting", "Meeting", "Meeting", "write", "{}"),
    ("updateMeeting", "Meeting", "Meeting", "write", r#"{"summary":"Relevé"}"#),
    ("cancelMeeting", "Meeting", "Meeting", "write", "{}"),
    ("setRoadmapAxes", "Roadmap", "Roadmap", "write", r#"{"axes":[]}"#),
    ("adoptRoadmap", "Roadmap", "Roadmap", "adopt", "{}"),
    ("updateAction", "Action", "Action", "update source", r#"{"title":"Forum"}"#),
    ("updateAction", "Action", "Action", "update local", r#"{"innovative":true}"#),
    (
        "updateAction",
        "Action",
        "Action",
        "update source+update local",
        r#"{"innovative":true,"title":"x","expectedVersion":null}"#,
    ),
    ("deleteAction", "Action", "Action", "delete", "{}"),
    ("validateFigure", "Figure", "Figure", "validate", "{}"),
    ("reviseFigure", "Figure", "Figure", "validate", r#"{"value":"1"}"#),
    ("withdrawFigure", "Figure", "Figure", "withdraw", r#"{"reason":"erreur"}"#),
    ("updateFundingLine", "FundingLine", "FundingLine", "write", r#"{"year":2024}"#),
    ("deleteFundingLine", "FundingLine", "FundingLine", "write", "{}"),
    ("updateClientGrant", "ClientGrant", "ClientGrant", "write", r#"{"label":"Nom"}"#),
    ("revokeClientGrant", "ClientGrant", "ClientGrant", "write", "{}"),
];

/// Creations on a site, likewise; each is refused by the domain for what it says.
const ON_SITES: [(&str, &str, &str, &str); 6] = [
    ("createReferent", "Referent", "write", r#"{"function":"x"}"#),
    ("createGovernanceBody", "GovernanceBody", "write", r#"{"kind":"COTECH","origin":"EXISTING_BODY"}"#),
    ("createRoadmap", "Roadmap", "write", r#"{"axes":[{"label":"x"}]}"#),
    ("createAction", "Action", "create", r#"{"title":"x"}"#),
    ("reportQuarter", "Figure", "write", r#"{"quarter":"2099-Q1","values":[]}"#),
    (
        "createFundingLine",
        "FundingLine",
        "write",
        r#"{"year":2023,"programmeLabel":"x","amountCents":"5","kind":"PAID"}"#,
    ),
];

/// Names of the mutations that the oracle sends.
pub fn mutations() -> BTreeSet<&'static str> {
    let rows = OF_ROWS.iter().map(|(name, ..)| *name);
    let sites = ON_SITES.iter().map(|(name, ..)| *name);
    rows.chain(sites).chain(SINGLES.iter().map(|(name, _)| *name)).collect()
}

impl Write {
    /// A mutation of a caller over a world; none where the world has no row for it.
    pub fn random(dice: &mut Dice, world: &World, who: &Who) -> Option<Self> {
        let eyes = Eyes { world, who };
        match dice.between(0, 9) {
            0..6 => {
                let (name, of, what, verbs, rest) = dice.any(&OF_ROWS);
                of_row(dice, &eyes, name, of, (what, verbs), rest)
            }
            6..8 => {
                let (name, what, verb, rest) = dice.any(&ON_SITES);
                on_site(dice, &eyes, name, (what, verb), rest)
            }
            _ => dice.any(&SINGLES).1(dice, &eyes),
        }
    }

    /// The document that sends it as `$input`.
    pub fn document(&self) -> String {
        let kind = format!("{}{}Input", self.name[..1].to_uppercase(), &self.name[1..]);
        format!(
            "mutation ($input: {kind}!) {{ result: {}(input: $input) {{ userErrors {{ code path }} }} }}",
            self.name
        )
    }

    /// What came of it; none if the answer is not one to a mutation.
    pub fn outcome(&self, answer: &Answer) -> Option<Outcome> {
        let problems = answer.body.pointer("/data/result/userErrors")?.as_array()?;
        let has = |code: &str, at: Option<&str>| {
            problems
                .iter()
                .any(|problem| problem["code"] == code && at.is_none_or(|field| problem["path"][1] == field))
        };
        Some(if has("FORBIDDEN", None) {
            Forbidden
        } else if has("NOT_FOUND", Some(self.subject)) {
            NotFound
        } else {
            Allowed
        })
    }

    pub(super) fn new(name: &'static str, input: Value, subject: &'static str, expected: Outcome) -> Self {
        Self { name, input, subject, expected }
    }
}

pub(super) fn may(allowed: bool) -> Outcome {
    if allowed { Allowed } else { Forbidden }
}

/// A row of a type, more often than not one on the caller's own ground.
pub(super) fn target(dice: &mut Dice, eyes: &Eyes<'_>, of: &Type) -> Option<usize> {
    let own: Vec<usize> = eyes.all(of).filter(|at| eyes.stands_on(&eyes.facts(of.name, *at))).collect();
    let any: Vec<usize> = eyes.all(of).collect();
    let rows = if own.is_empty() || dice.chance(30) { any } else { own };
    dice.pick(&rows).copied()
}

fn of_row(
    dice: &mut Dice,
    eyes: &Eyes<'_>,
    name: &'static str,
    of: &str,
    (what, verbs): (&'static str, &'static str),
    rest: &str,
) -> Option<Write> {
    let of = Type::named(of);
    let at = target(dice, eyes, of)?;
    let mut input = json!({ "expectedVersion": 999, "id": eyes.key(of, at) });
    add(&mut input, rest);
    let facts = eyes.facts(of.name, at);
    let national = of.name == "Figure" && is_national(eyes.world.figures[at].subject);
    let expected = if !eyes.reads(of.name, at) {
        NotFound
    } else if national {
        may(eyes.may("NationalFigure", "write", &facts))
    } else {
        may(verbs.split('+').all(|verb| eyes.may(what, verb, &facts)))
    };
    Some(Write::new(name, input, "id", expected))
}

/// Figures of the programme or of a territory are ANCT's.
const fn is_national(subject: FigureSubject) -> bool {
    matches!(subject, FigureSubject::National | FigureSubject::Commune | FigureSubject::Epci)
}

/// Puts the fields of an object into another; null takes one away.
fn add(input: &mut Value, rest: &str) {
    let rest: Value = serde_json::from_str(rest).expect("an object");
    let (Some(input), Some(rest)) = (input.as_object_mut(), rest.as_object()) else { return };
    for (name, value) in rest {
        input.insert(name.clone(), value.clone());
    }
    input.retain(|_, value| !value.is_null());
}

/// What a partner's system creates is of its source.
pub(super) fn own_source(eyes: &Eyes<'_>) -> Option<String> {
    eyes.who.source.clone().filter(|_| eyes.who.role == Role::PartnerSystem)
}

/// A site, what must come of a creation there, and its id.
pub(super) fn place(
    dice: &mut Dice,
    eyes: &Eyes<'_>,
    what: &str,
    verb: &str,
) -> Option<(usize, Outcome, Value)> {
    let of = Type::named("Site");
    let at = target(dice, eyes, of)?;
    // the figures of a quarter's report have no identifiers: they are nobody's source
    let source = own_source(eyes).filter(|_| what == "Action");
    let facts = Facts { source, ..Facts::new_on(eyes.world.sites[at].id) };
    let expected = if eyes.reads("Site", at) { may(eyes.may(what, verb, &facts)) } else { NotFound };
    Some((at, expected, eyes.key(of, at)))
}

fn on_site(
    dice: &mut Dice,
    eyes: &Eyes<'_>,
    name: &'static str,
    (what, verb): (&'static str, &'static str),
    rest: &str,
) -> Option<Write> {
    let (_, expected, site) = place(dice, eyes, what, verb)?;
    let mut input = json!({ "site": site });
    add(&mut input, rest);
    if name == "createReferent" {
        input["partner"] = eyes.key(Type::named("Partner"), live_partner(dice, eyes)?);
    }
    if name == "createAction" {
        input = with_identifier(eyes, input);
    }
    Some(Write::new(name, input, "site", expected))
}
