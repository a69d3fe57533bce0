//! Figures and funding.

mod funding;
mod late;
mod mutations;
mod report;
mod review;
mod seen;
mod subject;
mod submit;

pub(crate) use seen::{tell_of_qpv, told_with_actions};

use entity::{figure, funding_line};

use crate::db::{Kind, Sql};
use crate::graphql::scalars::Scalar;
use crate::policy::{Resource, Verb, Viewer};
use crate::read::common::{enumeration, row_fields};
use crate::read::declare::{Expression, Field, Noun, by, column, computed, one, one_by};
use crate::read::model::Extras;
use crate::write::Mutation;

pub(crate) use subject::name_by_code;

/// The mutations of this folder.
pub fn mutations() -> Vec<Mutation> {
    [mutations::mutations(), funding::mutations()].concat()
}

/// Input objects of the mutations.
pub fn extras() -> Extras {
    Extras { inputs: mutations::inputs(), ..Extras::default() }
}

/// The nouns of this folder.
pub fn nouns() -> Vec<Noun> {
    vec![noun(), funding_line()]
}

/// Appends the value of the figure at an alias as the caller may see it: null in place of fewer than 5 beneficiaries
/// of an action or a « QPV », but on the caller's own ground.
pub fn shown_value(sql: &mut Sql, viewer: &Viewer, alias: &str) {
    if viewer.reads_all(Resource::Figure) {
        sql.push(alias).push(".value");
        return;
    }
    sql.push("CASE WHEN ").push(alias).push(".indicator = 'BENEFICIARY_COUNT' AND ").push(alias);
    sql.push(".subject IN ('QPV', 'ACTION') AND ").push(alias).push(".value < 5 AND (");
    viewer.own_expression(Resource::Figure, sql, alias);
    // unknown counts as not his own: a figure has most of the columns that the reach looks at null
    sql.push(") IS NOT TRUE THEN NULL ELSE ").push(alias).push(".value END");
}

fn may(name: &'static str, expression: Expression, description: &'static str) -> Field {
    computed(name, Kind::Bool, Scalar::Boolean, expression, description)
}

fn noun() -> Noun {
    use figure::Column;
    Noun::new(
        "Figure",
        figure::Entity,
        Resource::Figure,
        "One value of an indicator for a subject and a period (« chiffre »).",
    )
    .node("figure")
    .root("figures", "Figures; of both declared and counted kind, each with its source.")
    .lookup("figure", &["id"])
    .fields([
        column("subject", Column::Subject, enumeration!(FigureSubject), "What it is about (« objet »).").sorted(),
        column("indicator", Column::Indicator, enumeration!(Indicator), "What it measures (« indicateur »).").sorted(),
        column(
            "value",
            Column::Value,
            Scalar::Decimal,
            "Exact value (« valeur »); null where missing or masked (fewer than 5 beneficiaries, to the public).",
        )
        .computed(shown_value),
        column("unit", Column::Unit, enumeration!(FigureUnit), "Unit (« unité »)."),
        column(
            "period",
            Column::Period,
            Scalar::PartialDate,
            "Period it covers (« période »): year, quarter, month or day.",
        )
        .compared(Column::PeriodFrom, Column::PeriodTo)
        .sorted(),
        column("perimeter", Column::Perimeter, enumeration!(Perimeter), "Ground it covers (« périmètre »)."),
        column("pillar", Column::Pillar, enumeration!(Pillar), "National pillar (« pilier ») it is counted under."),
        column(
            "source",
            Column::Origin,
            Scalar::String,
            "Who gives it (« source »): deck, page, press, INSEE_RP …, DECLARED by people here, or a partner's system.",
        ),
        column("asOf", Column::AsOf, Scalar::Date, "Day the value was read or fixed.").sorted(),
        column("status", Column::Status, enumeration!(FigureStatus), "How far it may be relied on (« statut »)."),
        column("approximate", Column::Approximate, Scalar::Boolean, "The source rounds or estimates it (« valeur approchée »)."),
        column("note", Column::Note, Scalar::String, "What must be known to read it.").unfiltered(),
        one("site", "Site", Column::SiteId, "The site it is about."),
        one("qpv", "Qpv", Column::QpvId, "The « QPV » it is about."),
        one("commune", "Commune", Column::CommuneCode, "The commune it is about."),
        one_by(
            "epci",
            by("Epci", entity::epci::Column::Siren).from_key(Column::EpciSiren),
            "The EPCI it is about.",
        ),
        one("action", "Action", Column::ActionId, "The action it is about."),
    ])
    .fields([
        may(
            "viewerCanValidate",
            |sql, viewer, alias| review::viewer_can(sql, viewer, alias, Verb::Validate, "'PROVISIONAL'"),
            "Whether the caller may validate it; false once it is.",
        ),
        may(
            "viewerCanRevise",
            |sql, viewer, alias| review::viewer_can(sql, viewer, alias, Verb::Validate, "'VALIDATED'"),
            "Whether the caller may replace it by another value.",
        ),
        may(
            "viewerCanWithdraw",
            |sql, viewer, alias| {
                review::viewer_can(sql, viewer, alias, Verb::Withdraw, "'PROVISIONAL', 'VALIDATED'");
            },
            "Whether the caller may withdraw it.",
        ),
    ])
    .fields(row_fields!(figure).into_iter().filter(|field| field.name != "source"))
    .ordered_by(&["indicator", "period"])
}

fn funding_line() -> Noun {
    use funding_line::Column;
    Noun::new(
        "FundingLine",
        funding_line::Entity,
        Resource::FundingLine,
        "A sum asked, granted or paid (« financement »).",
    )
    .node("funding")
    .root("fundingLines", "Lines of funding.")
    .lookup("fundingLine", &["id"])
    .fields([
        column("year", Column::Year, Scalar::Int, "Budget year (« exercice »).").sorted(),
        column(
            "programmeLabel",
            Column::ProgrammeLabel,
            Scalar::String,
            "Programme (« programme »), as written.",
        )
        .unfiltered(),
        column("amountCents", Column::AmountCents, Scalar::BigInt, "Amount (« montant ») in euro cents.")
            .sorted(),
        column(
            "kind",
            Column::Kind,
            enumeration!(FundingKind),
            "Asked, granted or paid (« demandé, attribué, versé »).",
        )
        .sorted(),
        one("funder", "Partner", Column::FunderPartnerId, "Who pays (« financeur »)."),
        one("site", "Site", Column::SiteId, "The site."),
        one("action", "Action", Column::ActionId, "The action, if it is for one."),
        may(
            "viewerCanUpdate",
            |sql, viewer, alias| {
                viewer.authorize(Resource::FundingLine, Verb::Write, "").expression(sql, alias);
            },
            "Whether the caller may change or delete it.",
        ),
    ])
    .fields(row_fields!(funding_line))
    .ordered_by(&["year"])
}
