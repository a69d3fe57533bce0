//! Actions, with the neighbourhoods and partners they involve.

/// What a site does for its residents (« action »).
pub mod action {
    use sea_orm::entity::prelude::*;

    use crate::StringList;
    use crate::enums::{ActionStatus, Pillar};

    domain_row! {
        #[sea_orm(table_name = "action")]
        pub struct Model {
            /// When the source system last wrote it.
            pub source_updated_at: Option<ChronoDateTimeUtc>,
            /// Site.
            pub site_id: Uuid,
            /// Title.
            pub title: String,
            /// Title, folded for searching.
            pub title_search: String,
            /// Description.
            pub description: Option<String>,
            /// National pillar; none while unclassified.
            pub pillar: Option<Pillar>,
            /// Axis, of the same site.
            pub axis_id: Option<Uuid>,
            /// Names of `ActionCategory`.
            pub categories: StringList,
            /// Names of `Audience`.
            pub audiences: StringList,
            /// Occupations (« codes ROME »).
            pub rome_codes: StringList,
            /// Whether it is innovative.
            pub innovative: bool,
            /// State.
            pub status: ActionStatus,
            /// Start, a partial date as written: `2022`, `2022-Q1`, `2022-03`, `2022-03-14`.
            pub starts_on: Option<String>,
            /// First day of the start.
            pub starts_from: Option<Date>,
            /// Last day of the start.
            pub starts_to: Option<Date>,
            /// End, a partial date as written.
            pub ends_on: Option<String>,
            /// First day of the end.
            pub ends_from: Option<Date>,
            /// Last day of the end.
            pub ends_to: Option<Date>,
            /// Partner that leads it.
            pub lead_partner_id: Option<Uuid>,
            /// Whether the public sees it.
            pub published: bool,
            /// Why it was cancelled.
            pub cancel_reason: Option<String>,
            /// Why it was last taken up again.
            pub reopen_reason: Option<String>,
        }
    }
}

/// Neighbourhoods of an action; none means all those of its site.
pub mod action_qpv {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "action_qpv")]
        pub struct Model {
            /// Action.
            #[sea_orm(primary_key, auto_increment = false)]
            pub action_id: Uuid,
            /// Neighbourhood.
            #[sea_orm(primary_key, auto_increment = false)]
            pub qpv_id: Uuid,
        }
    }
}

/// Partners of an action, besides its lead.
pub mod action_partner {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "action_partner")]
        pub struct Model {
            /// Action.
            #[sea_orm(primary_key, auto_increment = false)]
            pub action_id: Uuid,
            /// Partner.
            #[sea_orm(primary_key, auto_increment = false)]
            pub partner_id: Uuid,
        }
    }
}
