//! Partners, their seats in the sites, and the persons they name.

mod duplicates;
mod export;
mod merge;
mod mutations;
mod referents;
mod seats;

use entity::enums::PartnerStatus;
use entity::{action, action_partner, partner, referent, seat};

use crate::graphql::scalars::Scalar;
use crate::ids;
use crate::policy::{Resource, Verb};
use crate::read::common::{enumeration, row_fields, viewer_can};
use crate::read::declare::{Noun, by, column, many, one, through};
use crate::read::model::Extras;
use crate::write::Mutation;

/// Field group that the public does not read.
const RESTRICTED: &str = "restricted";

/// The mutations of this folder.
pub fn mutations() -> Vec<Mutation> {
    [mutations::mutations(), seats::mutations(), referents::mutations()].concat()
}

pub(crate) use referents::{PERSONAL, delete_in_site, erase_due};
pub(crate) use seats::{journal_scope as seat_scope, own_seat};

/// The nouns of this folder.
pub fn nouns() -> Vec<Noun> {
    let [export, event] = export::nouns();
    vec![noun(), seat(), referent(), duplicates::noun(), export, event]
}

/// Root fields of their own kind.
pub fn extras() -> Extras {
    let mut extras = duplicates::extras();
    extras.add(export::extras());
    extras
}

/// Why a partner takes no part in anything new, if it does not: it is closed, or merged into another, which is named.
pub(crate) fn gone(partner: &partner::Model) -> Option<String> {
    match (partner.status, partner.merged_into_id) {
        (PartnerStatus::Active, _) => None,
        (_, Some(into)) => {
            Some(format!("the partner was merged into {}; name that one", ids::encode("partner", into)))
        }
        (_, None) => Some("the partner is closed".to_owned()),
    }
}

fn noun() -> Noun {
    use partner::Column;
    Noun::new(
        "Partner",
        partner::Entity,
        Resource::Partner,
        "A body that takes part in sites (« partenaire »).",
    )
    .node("partner")
    .root("partners", "Partners (« partenaires »), by name.")
    .lookup("partner", &["id"])
    .fields([
        column("name", Column::Name, Scalar::String, "Name (« nom »).").searched(Column::NameSearch),
        column("kind", Column::Kind, enumeration!(PartnerKind), "Its nature (« type de partenaire »).")
            .sorted(),
        column("website", Column::Website, Scalar::String, "Web site (« site internet »).").unfiltered(),
        one("commune", "Commune", Column::CommuneCode, "Commune of its seat."),
        one("departement", "Departement", Column::DepartementCode, "« Département » it works in.")
            .in_group(RESTRICTED),
        column(
            "siret",
            Column::Siret,
            Scalar::Siret,
            "SIRET of the establishment; several partners may share one.",
        )
        .in_group(RESTRICTED),
        column("siren", Column::Siren, Scalar::Siren, "SIREN of the legal unit.").in_group(RESTRICTED),
        column("rna", Column::Rna, Scalar::Rna, "Number in the register of associations (« RNA »).")
            .in_group(RESTRICTED),
        column("safirCode", Column::SafirCode, Scalar::SafirCode, "France Travail agency (« code SAFIR »).")
            .in_group(RESTRICTED),
        column("nafCode", Column::NafCode, Scalar::NafCode, "Main activity (« code NAF »).")
            .in_group(RESTRICTED),
        column(
            "status",
            Column::Status,
            enumeration!(PartnerStatus),
            "Whether it still exists (« statut »).",
        )
        .in_group(RESTRICTED),
        one(
            "mergedInto",
            "Partner",
            Column::MergedIntoId,
            "The partner it was merged into; of a chain, the last.",
        )
        .in_group(RESTRICTED),
        many("seats", by("Seat", seat::Column::PartnerId), "Its seats (« sièges ») in sites."),
        many("leads", by("Action", action::Column::LeadPartnerId), "Actions it leads."),
        many(
            "actions",
            through("Action", action_partner::Column::PartnerId, action_partner::Column::ActionId, true),
            "Actions it takes part in.",
        ),
    ])
    .fields(row_fields!(partner).map(|field| field.in_group(RESTRICTED)))
    .fields([
        viewer_can(
            "viewerCanUpdate",
            |sql, viewer, t| {
                sql.push(t).push(".status = 'ACTIVE' AND ");
                viewer.authorize(Resource::Partner, Verb::Update, "").expression(sql, t);
            },
            "Whether the caller may change it; its SIREN and SIRET may be ANCT's all the same.",
        ),
        viewer_can(
            "viewerCanMerge",
            |sql, viewer, t| {
                sql.push(t).push(".status = 'ACTIVE' AND ");
                viewer.authorize(Resource::Partner, Verb::Merge, "").expression(sql, t);
            },
            "Whether the caller may merge it into another.",
        ),
        viewer_can(
            "viewerCanClose",
            |sql, viewer, t| {
                sql.push(t).push(".status = 'ACTIVE' AND ");
                viewer.authorize(Resource::Partner, Verb::Close, "").expression(sql, t);
            },
            "Whether the caller may close it, once its seats are ended.",
        ),
    ])
    .ordered_by(&["name"])
}

fn seat() -> Noun {
    use seat::Column;
    Noun::new("Seat", seat::Entity, Resource::Seat, "The place of a partner in a site (« siège »).")
        .node("seat")
        .root("seats", "Seats of partners in sites (« sièges »).")
        .lookup("seat", &["id"])
        .fields([
            column("kind", Column::Kind, enumeration!(SeatKind), "What the partner does there (« rôle »).")
                .sorted(),
            column("from", Column::StartsOn, Scalar::Date, "First day (« début »); null if not known.")
                .sorted(),
            column("to", Column::EndsOn, Scalar::Date, "Last day (« fin »); null while it lasts.").sorted(),
            one("site", "Site", Column::SiteId, "The site."),
            one("partner", "Partner", Column::PartnerId, "The partner."),
        ])
        .fields(row_fields!(seat))
        .fields([viewer_can("viewerCanEnd", seats::viewer_can_end, "Whether the caller may end it.")])
        .ordered_by(&["kind"])
}

fn referent() -> Noun {
    use referent::Column;
    Noun::new(
        "Referent",
        referent::Entity,
        Resource::Referent,
        "A person that a partner names for a site (« référent »). Personal data: only with scope `cde:referents`.",
    )
    .node("referent")
    .root("referents", "Named persons (« référents »); none for those who may not know them.")
    .lookup("referent", &["id"])
    .fields([
        column("function", Column::Function, Scalar::String, "Function (« fonction »); not personal.").unfiltered(),
        column("firstName", Column::FirstName, Scalar::String, "First name (« prénom »); null once erased.").unfiltered(),
        column("lastName", Column::LastName, Scalar::String, "Last name (« nom »); null once erased.").unfiltered(),
        column("email", Column::Email, Scalar::String, "Electronic mail (« courriel »); null once erased.").unfiltered(),
        column("phone", Column::Phone, Scalar::Phone, "Telephone (« téléphone »); null once erased.").unfiltered(),
        column("from", Column::StartsOn, Scalar::Date, "First day.").sorted(),
        column("to", Column::EndsOn, Scalar::Date, "Last day (« fin »); null while it lasts.").sorted(),
        column("eraseAfter", Column::EraseAfter, Scalar::Date, "Day after which personal data is erased."),
        column("erasedAt", Column::ErasedAt, Scalar::DateTime, "When personal data was erased."),
        one("site", "Site", Column::SiteId, "The site."),
        one("partner", "Partner", Column::PartnerId, "The partner."),
    ])
    .fields(row_fields!(referent))
    .fields([
        viewer_can(
            "viewerCanUpdate",
            |sql, viewer, t| {
                sql.push(t).push(".erased_at IS NULL AND ");
                viewer.authorize(Resource::Referent, Verb::Write, "").expression(sql, t);
            },
            "Whether the caller may change or end it.",
        ),
        viewer_can(
            "viewerCanErase",
            |sql, viewer, t| {
                sql.push(t).push(".erased_at IS NULL AND ");
                viewer.authorize(Resource::Referent, Verb::Erase, "").expression(sql, t);
            },
            "Whether the caller may erase the person's data.",
        ),
    ])
}
