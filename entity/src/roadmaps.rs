//! Roadmaps and their axes.

/// Dated version of a site's axes and actions (« feuille de route »).
pub mod roadmap {
    use sea_orm::entity::prelude::*;

    use crate::enums::RoadmapStatus;

    domain_row! {
        #[sea_orm(table_name = "roadmap")]
        pub struct Model {
            /// Site.
            pub site_id: Uuid,
            /// 1, 2, … within the site.
            pub number: i32,
            /// State.
            pub status: RoadmapStatus,
            /// Day of adoption.
            pub adopted_on: Option<Date>,
            /// Meeting that adopted it.
            pub adopted_by_meeting_id: Option<Uuid>,
        }
    }
}

/// Heading of a roadmap (« axe »), in the site's own words.
pub mod axis {
    use sea_orm::entity::prelude::*;

    use crate::enums::Pillar;

    domain_row! {
        #[sea_orm(table_name = "axis")]
        pub struct Model {
            /// Roadmap.
            pub roadmap_id: Uuid,
            /// Site of the roadmap.
            pub site_id: Uuid,
            /// Label.
            pub label: String,
            /// Label, folded for searching and for uniqueness.
            pub label_search: String,
            /// National pillar it serves.
            pub pillar: Option<Pillar>,
            /// Place in the roadmap.
            pub position: i32,
        }
    }
}
