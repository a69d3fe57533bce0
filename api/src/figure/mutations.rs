//! Mutations of figures: submit, validate, revise, withdraw, and the report of a quarter.

use async_graphql::dynamic::TypeRef;

use super::{report, review, submit};
use crate::read::model::{Argument, InputObject};
use crate::write::declare::{expected_version, id_of, optional, required};
use crate::write::source::external_id;
use crate::write::{Mutation, Target};

const TARGET: Target = Target { field: "figure", noun: "Figure" };
/// What a value may be.
const VALUE: &str = "Exact value, zero or more: a count is whole, a percentage is 0 to 100, and it or an average has 2 \
                     decimals at most.";

/// Input objects of these mutations.
pub fn inputs() -> Vec<InputObject> {
    vec![
        InputObject {
            name: "FigureSubjectInput".to_owned(),
            description: "What a figure is about.".to_owned(),
            fields: vec![
                optional("site", "ID", "A site."),
                optional("action", "ID", "An action."),
                optional("qpv", "QpvCode", "A « QPV »."),
                optional("national", "Boolean", "True for the whole programme; ANCT's to give."),
                optional("commune", "CommuneCode", "A commune; ANCT's to give."),
                optional("epci", "EpciSiren", "An EPCI; ANCT's to give."),
            ],
            one_of: true,
        },
        InputObject {
            name: "QuarterValueInput".to_owned(),
            description: "One value of a quarterly report (« remontée trimestrielle »).".to_owned(),
            fields: vec![
                required("indicator", "Indicator", "What it measures."),
                required("value", "Decimal", "Exact value, zero or more."),
                optional("note", "String", "What must be known to read it, up to 500 characters."),
            ],
            one_of: false,
        },
    ]
}

/// The mutations of this file.
pub fn mutations() -> Vec<Mutation> {
    let note = || optional("note", "String", "What must be known to read it, up to 500 characters.");
    vec![
        Mutation::new(
            "submitFigure",
            TARGET,
            "Submits a figure, as PROVISIONAL. One per subject, indicator, period, perimeter and source: DECLARED, or a \
             partner's system. Sent again, it puts right the one that is still PROVISIONAL.",
            [
                required("subject", "FigureSubjectInput", "What it is about."),
                required("indicator", "Indicator", "What it measures."),
                required("value", "Decimal", VALUE),
                required("period", "PartialDate", "Period it covers."),
                optional("perimeter", "Perimeter", "Ground it covers (« périmètre »)."),
                optional("approximate", "Boolean", "The value is rounded or estimated."),
                note(),
                external_id(),
            ],
            |writing, input| Box::pin(submit::submit(writing, input)),
        ),
        Mutation::new(
            "validateFigure",
            TARGET,
            "Validates a provisional figure; the public reads validated ones.",
            [id_of("figure"), expected_version()],
            |writing, input| Box::pin(review::validate(writing, input)),
        ),
        Mutation::new(
            "reviseFigure",
            TARGET,
            "Replaces a validated figure by another value, validated at once and DECLARED, whatever the source of the \
             former, which is kept as REVISED.",
            [id_of("figure"), expected_version(), optional("value", "Decimal", VALUE), note()],
            |writing, input| Box::pin(review::revise(writing, input)),
        ),
        Mutation::new(
            "withdrawFigure",
            TARGET,
            "Withdraws a figure; it is kept as WITHDRAWN.",
            [id_of("figure"), expected_version(), required("reason", "String", "Why, 3 to 500 characters.")],
            |writing, input| Box::pin(review::withdraw(writing, input)),
        ),
        Mutation::new(
            "reportQuarter",
            Target { field: "site", noun: "Site" },
            "Reports the figures of a site for one calendar quarter; a value reported before and not yet validated is replaced.",
            [
                required("site", "ID", "The site."),
                required("quarter", "PartialDate", "The quarter, such as 2023-Q2; not in the future."),
                Argument::new(
                    "values",
                    TypeRef::named_nn_list_nn("QuarterValueInput"),
                    "The values, each indicator once.",
                ),
            ],
            |writing, input| Box::pin(report::report(writing, input)),
        ),
    ]
}
