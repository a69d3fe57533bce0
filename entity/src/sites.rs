//! Sites: the labelled territories, their ground and their history.

/// Territory labelled by ANCT (« cité de l'emploi »).
pub mod site {
    use sea_orm::entity::prelude::*;

    use crate::StringList;
    use crate::enums::{AudiencePolicy, Provenance, SiteScale, SiteStatus};

    domain_row! {
        #[sea_orm(table_name = "site")]
        pub struct Model {
            /// Official code `cde-NNN`, once given.
            #[sea_orm(unique)]
            pub code: Option<String>,
            /// Name as written.
            pub name: String,
            /// Name, folded for searching.
            pub name_search: String,
            /// Extent.
            pub scale: Option<SiteScale>,
            /// Year of the wave of labels: 2020 or 2021.
            pub wave: Option<i32>,
            /// How sure the wave is.
            pub wave_status: Option<Provenance>,
            /// Who says so.
            pub wave_source: Option<String>,
            /// Stage of life.
            pub status: SiteStatus,
            /// Whether it addresses particular audiences.
            pub audience_policy: AudiencePolicy,
            /// Names of `Audience`; empty unless targeted.
            pub audiences: StringList,
            /// Audience in the site's own words.
            pub audience_note: Option<String>,
            /// Codes of its local contracts.
            pub contrat_ville_codes: StringList,
            /// Programme it belongs to.
            pub programme: String,
            /// What came after it.
            pub successor_note: Option<String>,
            /// Why it was refused or withdrawn.
            pub status_reason: Option<String>,
        }
    }
}

/// Communes of a site.
pub mod site_commune {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "site_commune")]
        pub struct Model {
            /// Site.
            #[sea_orm(primary_key, auto_increment = false)]
            pub site_id: Uuid,
            /// Commune.
            #[sea_orm(primary_key, auto_increment = false)]
            pub commune_code: String,
            /// Whether another site has the same commune.
            pub shared: bool,
        }
    }
}

/// Groups of communes of a site.
pub mod site_epci {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "site_epci")]
        pub struct Model {
            /// Site.
            #[sea_orm(primary_key, auto_increment = false)]
            pub site_id: Uuid,
            /// Group of communes.
            #[sea_orm(primary_key, auto_increment = false)]
            pub epci_siren: String,
        }
    }
}

/// Départements of a site; rights of préfectures are read here.
pub mod site_departement {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "site_departement")]
        pub struct Model {
            /// Site.
            #[sea_orm(primary_key, auto_increment = false)]
            pub site_id: Uuid,
            /// Département.
            #[sea_orm(primary_key, auto_increment = false)]
            pub departement_code: String,
            /// Region of the département.
            pub region_code: String,
            /// Whether its préfecture steers the site.
            pub pilot: bool,
        }
    }
}

/// Dated step in the life of a site.
pub mod site_milestone {
    use sea_orm::entity::prelude::*;

    use crate::enums::MilestoneKind;

    plain_table! {
        #[sea_orm(table_name = "site_milestone")]
        pub struct Model {
            /// Identity.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            /// Site.
            pub site_id: Uuid,
            /// Which step.
            pub kind: MilestoneKind,
            /// Start, a partial date as written: `2021`, `2021-Q3`, `2021-07`, `2021-07-01`.
            pub starts: String,
            /// First day of the start.
            pub starts_from: Date,
            /// Last day of the start.
            pub starts_to: Date,
            /// End, a partial date as written.
            pub ends: Option<String>,
            /// First day of the end.
            pub ends_from: Option<Date>,
            /// Last day of the end.
            pub ends_to: Option<Date>,
            /// Original wording.
            pub label: Option<String>,
            /// Who says so.
            pub source: Option<String>,
        }
    }
}
