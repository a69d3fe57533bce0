//! Governance bodies, their members and meetings.

/// Committee or working group of a site (« instance »).
pub mod governance_body {
    use sea_orm::entity::prelude::*;

    use crate::enums::{CadenceUnit, GovernanceBodyKind, GovernanceOrigin, GovernanceStatus};

    domain_row! {
        #[sea_orm(table_name = "governance_body")]
        pub struct Model {
            /// Site.
            pub site_id: Uuid,
            /// Nature.
            pub kind: GovernanceBodyKind,
            /// Own name.
            pub name: Option<String>,
            /// Where it comes from.
            pub origin: Option<GovernanceOrigin>,
            /// Body it leans on.
            pub attached_to: Option<String>,
            /// Interval between meetings, in `cadence_unit`.
            pub cadence_every: Option<i32>,
            /// Unit of the interval.
            pub cadence_unit: Option<CadenceUnit>,
            /// Ground it covers, in the site's words.
            pub scale_label: Option<String>,
            /// Body above it, of the same site.
            pub parent_id: Option<Uuid>,
            /// State.
            pub status: GovernanceStatus,
        }
    }
}

/// Partner that sits in a governance body.
pub mod governance_member {
    use sea_orm::entity::prelude::*;

    use crate::enums::MemberSeat;

    plain_table! {
        #[sea_orm(table_name = "governance_member")]
        pub struct Model {
            /// Identity.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            /// Governance body.
            pub body_id: Uuid,
            /// Partner.
            pub partner_id: Uuid,
            /// Place.
            pub seat: MemberSeat,
        }
    }
}

/// Meeting of a governance body.
pub mod meeting {
    use sea_orm::entity::prelude::*;

    use crate::StringList;
    use crate::enums::MeetingStatus;

    domain_row! {
        #[sea_orm(table_name = "meeting")]
        pub struct Model {
            /// Governance body.
            pub body_id: Uuid,
            /// Day.
            pub held_on: Date,
            /// State.
            pub status: MeetingStatus,
            /// Summary.
            pub summary: Option<String>,
            /// Decisions, in order.
            pub decisions: StringList,
        }
    }
}
