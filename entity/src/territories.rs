//! Territories of the official geographic code (« COG ») and the local contracts.

/// Region (« région »).
pub mod region {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "region")]
        pub struct Model {
            /// Official code, two digits.
            #[sea_orm(primary_key, auto_increment = false)]
            pub code: String,
            /// Name as written.
            pub name: String,
            /// Name, folded for searching.
            pub name_search: String,
        }
    }
}

/// Département.
pub mod departement {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "departement")]
        pub struct Model {
            /// Official code: `69`, `2A`, `974`.
            #[sea_orm(primary_key, auto_increment = false)]
            pub code: String,
            /// Name as written.
            pub name: String,
            /// Name, folded for searching.
            pub name_search: String,
            /// Region it belongs to.
            pub region_code: String,
        }
    }
}

/// Group of communes with its own taxes (« EPCI », « métropole »).
pub mod epci {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "epci")]
        pub struct Model {
            /// SIREN number.
            #[sea_orm(primary_key, auto_increment = false)]
            pub siren: String,
            /// Name as written.
            pub name: String,
            /// Name, folded for searching.
            pub name_search: String,
            /// Legal form as the official list writes it: `CC`, `CA`, `CU`, `ME`, `EPT`.
            pub kind: String,
            /// Département of its seat.
            pub departement_code: Option<String>,
            /// Inhabitants.
            pub population: Option<i32>,
        }
    }
}

/// Commune, or arrondissement of Paris, Lyon or Marseille.
pub mod commune {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "commune")]
        pub struct Model {
            /// Official code, five characters.
            #[sea_orm(primary_key, auto_increment = false)]
            pub code: String,
            /// Name as written.
            pub name: String,
            /// Name, folded for searching.
            pub name_search: String,
            /// Nature as the official list writes it: `COM`, `ARM`, …
            pub kind: String,
            /// Commune of an arrondissement.
            pub parent_code: Option<String>,
            /// Département; none in the overseas collectivities.
            pub departement_code: Option<String>,
            /// Region; none in the overseas collectivities.
            pub region_code: Option<String>,
            /// Group it belongs to.
            pub epci_siren: Option<String>,
            /// Inhabitants.
            pub population: Option<i32>,
            /// Commune that took over, when this one ended.
            pub successor_code: Option<String>,
            /// Last day of existence, when it ended.
            pub valid_to: Option<Date>,
        }
    }
}

/// Local contract for priority neighbourhoods (« contrat de ville »).
pub mod contrat_ville {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "contrat_ville")]
        pub struct Model {
            /// `CVnnn` until 2023, `CN…` since 2024.
            #[sea_orm(primary_key, auto_increment = false)]
            pub code: String,
            /// Name as written.
            pub name: String,
            /// Name, folded for searching.
            pub name_search: String,
            /// SIREN or commune code of the body that holds it.
            pub territory_code: Option<String>,
            /// Département.
            pub departement_code: Option<String>,
            /// First year of its generation: 2015 or 2024.
            pub generation: i32,
        }
    }
}
