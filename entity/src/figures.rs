//! Figures: values of indicators.

/// Value of an indicator for one subject (« valeur d'indicateur »).
pub mod figure {
    use sea_orm::entity::prelude::*;

    use crate::enums::{FigureStatus, FigureSubject, FigureUnit, Indicator, Perimeter, Pillar};

    domain_row! {
        #[sea_orm(table_name = "figure")]
        pub struct Model {
            /// What it is about; the one column below that it names is filled.
            pub subject: FigureSubject,
            /// Site.
            pub site_id: Option<Uuid>,
            /// Neighbourhood.
            pub qpv_id: Option<Uuid>,
            /// Commune.
            pub commune_code: Option<String>,
            /// Group of communes.
            pub epci_siren: Option<String>,
            /// Action.
            pub action_id: Option<Uuid>,
            /// What it measures.
            pub indicator: Indicator,
            /// Exact value, below 10^11 with 4 decimals; missing is never 0.
            #[sea_orm(column_type = "Decimal(Some((20, 4)))")]
            pub value: Option<Decimal>,
            /// Unit.
            pub unit: FigureUnit,
            /// Period as written: `2023`, `2023-Q1`, `2023-03`, or a date.
            pub period: Option<String>,
            /// First day of the period.
            pub period_from: Option<Date>,
            /// Last day of the period.
            pub period_to: Option<Date>,
            /// Ground it covers.
            pub perimeter: Option<Perimeter>,
            /// Pillar it is counted for.
            pub pillar: Option<Pillar>,
            /// Who produced it (« source »).
            pub origin: String,
            /// Day on which it was true or published.
            pub as_of: Option<Date>,
            /// How far it may be relied on.
            pub status: FigureStatus,
            /// Whether the source rounds it.
            pub approximate: bool,
            /// Remark.
            pub note: Option<String>,
            /// Subject, indicator, period, perimeter, origin in one text: unique among figures in force.
            pub natural_key: String,
        }
    }
}
