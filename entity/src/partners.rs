//! Partners and their seats in sites.

/// Body that takes part in sites (« partenaire »).
pub mod partner {
    use sea_orm::entity::prelude::*;

    use crate::enums::{PartnerKind, PartnerStatus};

    domain_row! {
        #[sea_orm(table_name = "partner")]
        pub struct Model {
            /// Name as written.
            pub name: String,
            /// Name, folded for searching.
            pub name_search: String,
            /// Nature.
            pub kind: PartnerKind,
            /// SIRET of the establishment; several partners may share one.
            pub siret: Option<String>,
            /// SIREN of the legal unit.
            pub siren: Option<String>,
            /// Number in the register of associations.
            pub rna: Option<String>,
            /// France Travail agency code (« code SAFIR »).
            pub safir_code: Option<String>,
            /// Activity code (« code NAF »).
            pub naf_code: Option<String>,
            /// Edition of the activity code.
            pub naf_version: Option<String>,
            /// Commune.
            pub commune_code: Option<String>,
            /// Département.
            pub departement_code: Option<String>,
            /// Web site.
            pub website: Option<String>,
            /// Whether it still exists.
            pub status: PartnerStatus,
            /// Partner that replaces it, once merged.
            pub merged_into_id: Option<Uuid>,
        }
    }
}

/// Part that a partner plays in a site, for a period; rights of collectivities are read here.
pub mod seat {
    use sea_orm::entity::prelude::*;

    use crate::enums::SeatKind;

    domain_row! {
        #[sea_orm(table_name = "seat")]
        pub struct Model {
            /// Site.
            pub site_id: Uuid,
            /// Partner.
            pub partner_id: Uuid,
            /// Which part.
            pub kind: SeatKind,
            /// First day, if known.
            pub starts_on: Option<Date>,
            /// Last day; none while it lasts.
            pub ends_on: Option<Date>,
        }
    }
}
