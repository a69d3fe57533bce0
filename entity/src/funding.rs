//! Money of sites and actions.

/// Sum of money for a site or an action in a year (« ligne de financement »).
pub mod funding_line {
    use sea_orm::entity::prelude::*;

    use crate::enums::FundingKind;

    domain_row! {
        #[sea_orm(table_name = "funding_line")]
        pub struct Model {
            /// Site.
            pub site_id: Uuid,
            /// Action, of the same site.
            pub action_id: Option<Uuid>,
            /// Year.
            pub year: i32,
            /// Partner that pays.
            pub funder_partner_id: Option<Uuid>,
            /// Programme that pays.
            pub programme_label: String,
            /// Euro cents, 0 or more.
            pub amount_cents: i64,
            /// Stage.
            pub kind: FundingKind,
        }
    }
}
