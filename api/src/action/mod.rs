//! Actions of the sites, and their statistics.

mod lifecycle;
mod links;
mod mutations;
mod statistics;
mod store;

use entity::{action, action_partner, action_qpv, figure, funding_line};

use crate::db::Kind;
use crate::graphql::scalars::Scalar;
use crate::policy::{Resource, Verb};
use crate::read::common::{enumeration, row_fields};
use crate::read::declare::{
    EnumType, Expression, Field, Filter, Noun, by, column, computed, many, one, through,
};

pub(crate) use lifecycle::next as next_statuses;
pub use mutations::mutations;
pub use statistics::extras;
pub(crate) use store::{blank_model, journal_scope, operator};

/// The nouns of this folder.
pub fn nouns() -> Vec<Noun> {
    vec![noun(), statistics::noun()]
}

fn noun() -> Noun {
    Noun::new(
        "Action",
        action::Entity,
        Resource::Action,
        "Something a site does for people or firms (« action »).",
    )
    .node("action")
    .root("actions", "Actions, the latest written first.")
    .lookup("action", &["id"])
    .fields(own_fields())
    .fields(row_fields!(action).map(|field| if field.name == "createdAt" { field.unsorted() } else { field }))
    .fields(related_fields())
    .fields(viewer_fields())
    .filters([
        Filter {
            name: "region",
            description: "One of the regions of its site.",
            leaf: Scalar::RegionCode.into(),
            exists: ("SELECT 1 FROM site_departement x WHERE x.site_id = {t}.site_id", "x.region_code"),
        },
        Filter {
            name: "departement",
            description: "One of the « départements » of its site.",
            leaf: Scalar::DepartementCode.into(),
            exists: ("SELECT 1 FROM site_departement x WHERE x.site_id = {t}.site_id", "x.departement_code"),
        },
    ])
    .ordered_by_descending("updatedAt")
}

fn own_fields() -> Vec<Field> {
    use action::Column;
    vec![
        column("title", Column::Title, Scalar::String, "Title (« intitulé »).").searched(Column::TitleSearch),
        column("description", Column::Description, Scalar::String, "What it is, in words (« description »).")
            .unfiltered(),
        column(
            "pillar",
            Column::Pillar,
            enumeration!(Pillar),
            "National pillar (« pilier »); null if not classified.",
        )
        .sorted(),
        column(
            "categories",
            Column::Categories,
            enumeration!(ActionCategory),
            "What it is about (« thématiques »).",
        ),
        column(
            "innovative",
            Column::Innovative,
            Scalar::Boolean,
            "Innovative (« innovante »); not implied by the pillar.",
        ),
        column(
            "status",
            Column::Status,
            enumeration!(ActionStatus),
            "Where it stands in its life (« statut »).",
        )
        .sorted(),
        column(
            "startsOn",
            Column::StartsOn,
            Scalar::PartialDate,
            "Start (« début »), as precisely as is known.",
        )
        .compared(Column::StartsFrom, Column::StartsTo)
        .sorted(),
        column("endsOn", Column::EndsOn, Scalar::PartialDate, "End (« fin »), as precisely as is known.")
            .compared(Column::EndsFrom, Column::EndsTo)
            .sorted(),
        column("audiences", Column::Audiences, enumeration!(Audience), "Whom it is for (« public cible »)."),
        column("romeCodes", Column::RomeCodes, Scalar::RomeCode, "Occupations it concerns (« codes ROME »)."),
        column("published", Column::Published, Scalar::Boolean, "Shown to the public (« publiée »)."),
        column(
            "cancelReason",
            Column::CancelReason,
            Scalar::String,
            "Why it was cancelled (« motif d'annulation »).",
        )
        .unfiltered(),
        column(
            "reopenReason",
            Column::ReopenReason,
            Scalar::String,
            "Why it was last taken up again, once COMPLETED.",
        )
        .unfiltered(),
        column(
            "sourceUpdatedAt",
            Column::SourceUpdatedAt,
            Scalar::DateTime,
            "When its source system last changed it.",
        ),
        computed(
            "classification",
            Kind::Text,
            CLASSIFICATION,
            |sql, _, alias| {
                sql.push("CASE WHEN ").push(alias).push(".pillar IS NULL THEN 'PENDING' ELSE 'DONE' END");
            },
            "Whether it has been placed under a pillar (« classement »).",
        ),
    ]
}

const CLASSIFICATION: EnumType = EnumType {
    name: "ActionClassification",
    description: "Whether an action has been placed under a national pillar (« classement »).",
    values: &[
        ("PENDING", "Without pillar yet; the site's steerers classify it."),
        ("DONE", "Under a pillar."),
    ],
};

fn related_fields() -> Vec<Field> {
    use action::Column;
    vec![
        one("site", "Site", Column::SiteId, "The site."),
        one("axis", "Axis", Column::AxisId, "The axis (« axe ») of the site's roadmap it stands under."),
        one("lead", "Partner", Column::LeadPartnerId, "The partner that leads it (« porteur de l'action »)."),
        many(
            "partners",
            through("Partner", action_partner::Column::ActionId, action_partner::Column::PartnerId, true),
            "Partners that take part (« partenaires »).",
        ),
        many(
            "qpvs",
            through("Qpv", action_qpv::Column::ActionId, action_qpv::Column::QpvId, true),
            "« QPV » it names; none means all of its site's.",
        ),
        many("figures", by("Figure", figure::Column::ActionId), "Figures about it."),
        many("fundingLines", by("FundingLine", funding_line::Column::ActionId), "Lines of funding."),
    ]
}

/// What the caller may do with it.
fn viewer_fields() -> Vec<Field> {
    let may = |name, expression: Expression, description| {
        computed(name, Kind::Bool, Scalar::Boolean, expression, description)
    };
    vec![
        may(
            "viewerCanUpdate",
            |sql, viewer, alias| {
                sql.push("(").push(alias).push(".status NOT IN ('COMPLETED', 'CANCELLED') AND ");
                viewer.authorize(Resource::Action, Verb::Update, "source").expression(sql, alias);
                sql.push(" OR ");
                viewer.authorize(Resource::Action, Verb::Update, "local").expression(sql, alias);
                sql.push(")");
            },
            "Whether the caller may update at least some of its fields.",
        ),
        may(
            "viewerCanUpdateSourceFields",
            |sql, viewer, alias| {
                sql.push("(").push(alias).push(".status NOT IN ('COMPLETED', 'CANCELLED') AND ");
                viewer.authorize(Resource::Action, Verb::Update, "source").expression(sql, alias);
                sql.push(")");
            },
            "Whether the caller may update its title, description, dates, lead, partners and occupations: on a synced \
             action they are its source system's, and frozen once it is COMPLETED or CANCELLED.",
        ),
        may(
            "viewerCanUpdateLocalFields",
            |sql, viewer, alias| {
                viewer.authorize(Resource::Action, Verb::Update, "local").expression(sql, alias);
            },
            "Whether the caller may update its axis, pillar, categories, audiences, QPV, innovation and publication.",
        ),
        may(
            "viewerCanDelete",
            |sql, viewer, alias| viewer.authorize(Resource::Action, Verb::Delete, "").expression(sql, alias),
            "Whether the caller may delete it.",
        ),
        computed(
            "viewerCanTransitionTo",
            Kind::Json,
            enumeration!(ActionStatus),
            lifecycle::viewer_can,
            "Statuses that the caller may move it to; what each needs is checked when he does.",
        ),
    ]
}
