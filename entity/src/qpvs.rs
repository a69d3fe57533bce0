//! Priority neighbourhoods (« QPV »), their lineage and their sites.

/// Priority neighbourhood of one generation (« quartier prioritaire »).
pub mod qpv {
    use sea_orm::entity::prelude::*;

    use crate::enums::QpvGeneration;

    domain_row! {
        #[sea_orm(table_name = "qpv")]
        pub struct Model {
            /// Official code: `QP069015`, `QN06916M`.
            #[sea_orm(unique)]
            pub code: String,
            /// Generation.
            pub generation: QpvGeneration,
            /// Name as written.
            pub name: String,
            /// Name, folded for searching.
            pub name_search: String,
            /// Département.
            pub departement_code: Option<String>,
            /// Region.
            pub region_code: Option<String>,
            /// Longitude of its middle, WGS84 degrees.
            pub centroid_lon: Option<f64>,
            /// Latitude of its middle, WGS84 degrees.
            pub centroid_lat: Option<f64>,
            /// First day in force.
            pub valid_from: Date,
            /// Last day in force.
            pub valid_to: Option<Date>,
            /// Area in hectares.
            pub area_ha: Option<f64>,
        }
    }
}

/// Communes of a neighbourhood.
pub mod qpv_commune {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "qpv_commune")]
        pub struct Model {
            /// Neighbourhood.
            #[sea_orm(primary_key, auto_increment = false)]
            pub qpv_id: Uuid,
            /// Commune.
            #[sea_orm(primary_key, auto_increment = false)]
            pub commune_code: String,
        }
    }
}

/// Outline of a neighbourhood, apart because it is large.
pub mod qpv_outline {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "qpv_outline")]
        pub struct Model {
            /// Neighbourhood.
            #[sea_orm(primary_key, auto_increment = false)]
            pub qpv_id: Uuid,
            /// Geometry as `GeoJSON`, WGS84, longitude first.
            pub geojson: String,
        }
    }
}

/// Link from a 2015 neighbourhood to a 2024 one; many to many.
pub mod qpv_lineage {
    use sea_orm::entity::prelude::*;

    use crate::enums::{LineageKind, Provenance};

    plain_table! {
        #[sea_orm(table_name = "qpv_lineage")]
        pub struct Model {
            /// Identity.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            /// Neighbourhood of 2015.
            pub from_qpv_id: Uuid,
            /// Neighbourhood of 2024.
            pub to_qpv_id: Uuid,
            /// What became of it.
            pub kind: LineageKind,
            /// How sure the link is.
            pub provenance: Provenance,
        }
    }
}

/// Neighbourhood in which a site works, for a period.
pub mod site_qpv {
    use sea_orm::entity::prelude::*;

    use crate::enums::{Provenance, SiteQpvStatus};

    plain_table! {
        #[sea_orm(table_name = "site_qpv")]
        pub struct Model {
            /// Identity.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            /// Site.
            pub site_id: Uuid,
            /// Neighbourhood.
            pub qpv_id: Uuid,
            /// How it belongs to the site.
            pub status: SiteQpvStatus,
            /// First day, if known.
            pub starts_on: Option<Date>,
            /// Last day; none while it lasts.
            pub ends_on: Option<Date>,
            /// How sure the link is.
            pub provenance: Provenance,
        }
    }
}
