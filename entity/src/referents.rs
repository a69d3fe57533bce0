//! Contact persons: the only personal data.

/// Named person of a partner for a site (« référent »); erasure empties the four personal columns.
pub mod referent {
    use sea_orm::entity::prelude::*;

    domain_row! {
        #[sea_orm(table_name = "referent")]
        pub struct Model {
            /// Site.
            pub site_id: Uuid,
            /// Partner.
            pub partner_id: Uuid,
            /// Function; not personal.
            pub function: String,
            /// First name; personal.
            pub first_name: Option<String>,
            /// Last name; personal.
            pub last_name: Option<String>,
            /// Address; personal.
            pub email: Option<String>,
            /// Telephone; personal.
            pub phone: Option<String>,
            /// First day, if known.
            pub starts_on: Option<Date>,
            /// Last day; none while it lasts.
            pub ends_on: Option<Date>,
            /// Day after which the person is erased.
            pub erase_after: Option<Date>,
            /// When the person was erased.
            pub erased_at: Option<ChronoDateTimeUtc>,
        }
    }
}
