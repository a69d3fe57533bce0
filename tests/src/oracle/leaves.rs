//! Fields with values, type by type.

use cites::auth::Role;
use entity::enums::{FigureSubject, Indicator};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::graph::{Leaf, RESTRICTED, Written, typed};
use super::matrix::Eyes;
use crate::world::World;

/// Fields of the rows of a list: name, how filters write it, and its value; `RESTRICTED` for those that not everybody
/// reads who reads the row.
macro_rules! leaves {
    (
        $list:ident: $($name:literal $written:ident $($restricted:ident)? |$row:ident| $value:expr;)*
    ) => {
        &[$(Leaf {
            name: $name,
            written: Written::$written,
            restricted: [$($restricted,)? false][0],
            value: |eyes, at| {
                let $row = &eyes.world.$list[at];
                json!($value)
            },
        }),*]
    };
}

/// A field of a row that is worked out for the caller.
const fn shown(name: &'static str, value: fn(&Eyes<'_>, usize) -> Value) -> Leaf {
    Leaf { name, written: Written::Shown, restricted: false, value }
}

/// Fields that are worked out for the caller.
const SITE_FOR_CALLER: &[Leaf] = &[
    shown("recordedActionCount", |eyes, at| {
        let actions = eyes.world.actions.iter().enumerate();
        let of_site = actions.filter(|(_, row)| row.site_id == eyes.world.sites[at].id);
        json!(of_site.filter(|(row, _)| eyes.reads("Action", *row)).count())
    }),
    shown("viewerCanUpdate", |eyes, at| json!(eyes.may("Site", "describe", &eyes.facts("Site", at)))),
    shown("viewerCanTransitionTo", |eyes, at| {
        let facts = eyes.facts("Site", at);
        let next: &[&str] = match facts.status.as_str() {
            "CANDIDATE" => &["SUBMITTED"],
            "SUBMITTED" => &["LABELLED", "REJECTED", "CANDIDATE"],
            "LABELLED" => &["ACTIVE", "WITHDRAWN"],
            "ACTIVE" => &["CLOSED", "WITHDRAWN"],
            _ => &[],
        };
        json!(if eyes.may("Site", "transition", &facts) { next } else { &[] })
    }),
];
const ACTION_FOR_CALLER: &[Leaf] = &[
    shown("viewerCanUpdate", |eyes, at| {
        let facts = eyes.facts("Action", at);
        json!(["update source", "update local"].iter().any(|verb| eyes.may("Action", verb, &facts)))
    }),
    shown("viewerCanTransitionTo", |eyes, at| {
        let facts = eyes.facts("Action", at);
        let (verb, next): (_, &[&str]) = match facts.status.as_str() {
            "DRAFT" => ("transition", &["PLANNED", "CANCELLED"]),
            "PLANNED" | "SUSPENDED" => ("transition", &["IN_PROGRESS", "CANCELLED"]),
            "IN_PROGRESS" => ("transition", &["COMPLETED", "SUSPENDED", "CANCELLED"]),
            "COMPLETED" => ("reopen", &["IN_PROGRESS"]),
            _ => ("transition", &[]),
        };
        json!(if ["transition", verb].iter().all(|verb| eyes.may("Action", verb, &facts)) {
            next
        } else {
            &[]
        })
    }),
];
/// Fewer than five beneficiaries of an action or a QPV are masked to whom they are not his own.
const FIGURE_FOR_CALLER: &[Leaf] = &[Leaf {
    name: "value",
    written: Written::Text,
    restricted: false,
    value: |eyes, at| {
        let row = &eyes.world.figures[at];
        let counts_people = row.indicator == Indicator::BeneficiaryCount
            && matches!(row.subject, FigureSubject::Qpv | FigureSubject::Action);
        let few = row.value.is_some_and(|value| value < Decimal::from(5));
        let own = eyes.who.role != Role::Public && eyes.owns("Figure", &eyes.facts("Figure", at));
        json!(row.value.filter(|_| own || !(counts_people && few)).map(|value| value.to_string()))
    },
}];

const REGION: &[Leaf] = leaves! { regions: "code" Text |row| row.code; "name" Shown |row| row.name; };
const DEPARTEMENT: &[Leaf] =
    leaves! { departements: "code" Text |row| row.code; "name" Shown |row| row.name; };
const EPCI: &[Leaf] = leaves! { epcis: "siren" Text |row| row.siren; "kind" Text |row| row.kind; };
const COMMUNE: &[Leaf] = leaves! { communes: "code" Text |row| row.code; "name" Shown |row| row.name; };
const CONTRAT: &[Leaf] =
    leaves! { contrats: "code" Text |row| row.code; "generation" Bare |row| row.generation; };
const SITE: &[Leaf] = leaves! {
    sites:
    "id" Text |row| typed("site", row.id);
    "code" Text |row| row.code;
    "status" Bare |row| row.status.as_str();
    "wave" Bare |row| row.wave;
    "audiences" Shown |row| row.audiences;
};
const MILESTONE: &[Leaf] = leaves! {
    milestones: "label" Text |row| row.label; "kind" Bare |row| row.kind.as_str();
};
const QPV: &[Leaf] = leaves! {
    qpvs:
    "id" Text |row| typed("qpv", row.id);
    "code" Text |row| row.code;
    "generation" Bare |row| row.generation.as_str();
};
const LINEAGE: &[Leaf] = leaves! { lineage: "kind" Bare |row| row.kind.as_str(); };
const PARTNER: &[Leaf] = leaves! {
    partners:
    "id" Text |row| typed("partner", row.id);
    "kind" Bare |row| row.kind.as_str();
    "website" Shown |row| row.website;
    "siren" Text RESTRICTED |row| row.siren;
    "siret" Text RESTRICTED |row| row.siret;
    "status" Bare RESTRICTED |row| row.status.as_str();
    "version" Shown RESTRICTED |row| row.version;
};
const SEAT: &[Leaf] = leaves! {
    seats:
    "id" Text |row| typed("seat", row.id);
    "kind" Bare |row| row.kind.as_str();
    "from" Text |row| row.starts_on;
    "to" Text |row| row.ends_on;
};
const REFERENT: &[Leaf] = leaves! {
    referents:
    "id" Text |row| typed("referent", row.id);
    "function" Shown |row| row.function;
    "lastName" Shown |row| row.last_name;
    "from" Text |row| row.starts_on;
};
const BODY: &[Leaf] = leaves! {
    bodies:
    "id" Text |row| typed("body", row.id);
    "kind" Bare |row| row.kind.as_str();
    "name" Text RESTRICTED |row| row.name;
    "status" Bare RESTRICTED |row| row.status.as_str();
    "version" Shown RESTRICTED |row| row.version;
};
const MEMBER: &[Leaf] = leaves! { members: "seat" Bare |row| row.seat.as_str(); };
const MEETING: &[Leaf] = leaves! {
    meetings:
    "id" Text |row| typed("meeting", row.id);
    "status" Bare |row| row.status.as_str();
    "summary" Shown |row| row.summary;
};
const ROADMAP: &[Leaf] = leaves! {
    roadmaps:
    "id" Text |row| typed("roadmap", row.id);
    "number" Bare |row| row.number;
    "status" Bare |row| row.status.as_str();
};
const AXIS: &[Leaf] = leaves! {
    axes:
    "id" Text |row| typed("axis", row.id);
    "label" Shown |row| row.label;
    "pillar" Bare |row| row.pillar.map(entity::enums::Pillar::as_str);
};
const ACTION: &[Leaf] = leaves! {
    actions:
    "id" Text |row| typed("action", row.id);
    "status" Bare |row| row.status.as_str();
    "published" Bare |row| row.published;
    "pillar" Bare |row| row.pillar.map(entity::enums::Pillar::as_str);
    "innovative" Bare |row| row.innovative;
    "categories" Shown |row| row.categories;
};
const FIGURE: &[Leaf] = leaves! {
    figures:
    "id" Text |row| typed("figure", row.id);
    "subject" Bare |row| row.subject.as_str();
    "indicator" Bare |row| row.indicator.as_str();
    "status" Bare |row| row.status.as_str();
};
const FUNDING: &[Leaf] = leaves! {
    funding:
    "id" Text |row| typed("funding", row.id);
    "year" Bare |row| row.year;
    "amountCents" Shown |row| row.amount_cents.to_string();
};
const GRANT: &[Leaf] = leaves! {
    grants:
    "id" Text |row| typed("grant", row.id);
    "clientId" Text |row| row.client_id;
    "status" Bare |row| row.status.as_str();
};

/// Fields of a type.
pub(super) fn of(name: &str) -> &'static [Leaf] {
    match name {
        "Region" => REGION,
        "Departement" => DEPARTEMENT,
        "Epci" => EPCI,
        "Commune" => COMMUNE,
        "ContratVille" => CONTRAT,
        "Site" => SITE,
        "Milestone" => MILESTONE,
        "Qpv" => QPV,
        "QpvPredecessor" | "QpvSuccessor" => LINEAGE,
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
        other => panic!("{other} has no leaves"),
    }
}

/// Fields of a type that are worked out for the caller.
pub(super) fn for_caller(name: &str) -> &'static [Leaf] {
    match name {
        "Site" => SITE_FOR_CALLER,
        "Action" => ACTION_FOR_CALLER,
        "Figure" => FIGURE_FOR_CALLER,
        _ => &[],
    }
}

/// How many rows a type has.
pub(super) fn count(world: &World, name: &str) -> usize {
    match name {
        "Region" => world.regions.len(),
        "Departement" => world.departements.len(),
        "Epci" => world.epcis.len(),
        "Commune" => world.communes.len(),
        "ContratVille" => world.contrats.len(),
        "Site" => world.sites.len(),
        "Milestone" => world.milestones.len(),
        "Qpv" => world.qpvs.len(),
        "QpvPredecessor" | "QpvSuccessor" => world.lineage.len(),
        "Partner" => world.partners.len(),
        "Seat" => world.seats.len(),
        "Referent" => world.referents.len(),
        "GovernanceBody" => world.bodies.len(),
        "GovernanceMember" => world.members.len(),
        "Meeting" => world.meetings.len(),
        "Roadmap" => world.roadmaps.len(),
        "Axis" => world.axes.len(),
        "Action" => world.actions.len(),
        "Figure" => world.figures.len(),
        "FundingLine" => world.funding.len(),
        "ClientGrant" => world.grants.len(),
        other => panic!("{other} has no rows"),
    }
}
