//! Regions, départements, EPCI, communes and local contracts, from the official geographic code.

use entity::{
    commune, contrat_ville, departement, epci, qpv_commune, region, site_commune, site_departement, site_epci,
};

use crate::graphql::scalars::Scalar;
use crate::policy::Resource::Referential;
use crate::read::declare::{Noun, by, column, many, one, one_by, through};

/// The nouns of this folder.
pub fn nouns() -> Vec<Noun> {
    vec![region(), departement(), epci(), commune(), contrat_ville()]
}

fn region() -> Noun {
    use region::Column;
    Noun::new("Region", region::Entity, Referential, "A region (« région »), code of the COG.")
        .keyed_by(Column::Code)
        .root("regions", "Regions (« régions »), by code.")
        .lookup("region", &["code"])
        .fields([
            column("code", Column::Code, Scalar::RegionCode, "Official code, 2 digits.").sorted(),
            column("name", Column::Name, Scalar::String, "Official name.").searched(Column::NameSearch),
            many(
                "departements",
                by("Departement", departement::Column::RegionCode).from_key(Column::Code),
                "Its départements.",
            ),
        ])
        .ordered_by(&["code"])
}

fn departement() -> Noun {
    use departement::Column;
    Noun::new("Departement", departement::Entity, Referential, "A « département », code of the COG.")
        .keyed_by(Column::Code)
        .root("departements", "« Départements », by code.")
        .lookup("departement", &["code"])
        .fields([
            column("code", Column::Code, Scalar::DepartementCode, "Official code: 2 characters, 3 overseas.")
                .sorted(),
            column("name", Column::Name, Scalar::String, "Official name.").searched(Column::NameSearch),
            one("region", "Region", Column::RegionCode, "Its region (« région »)."),
            many(
                "communes",
                by("Commune", commune::Column::DepartementCode).from_key(Column::Code),
                "Its communes.",
            ),
            many(
                "qpvs",
                by("Qpv", entity::qpv::Column::DepartementCode).from_key(Column::Code),
                "Its « QPV », of both generations.",
            ),
            many(
                "sites",
                through(
                    "Site",
                    site_departement::Column::DepartementCode,
                    site_departement::Column::SiteId,
                    true,
                )
                .from_key(Column::Code),
                "Sites (« cités de l'emploi ») that work there.",
            ),
        ])
        .ordered_by(&["code"])
}

fn epci() -> Noun {
    use epci::Column;
    Noun::new(
        "Epci",
        epci::Entity,
        Referential,
        "A group of communes (« EPCI », métropole), known by its SIREN.",
    )
    .keyed_by(Column::Siren)
    .root("epcis", "Groups of communes (« EPCI »), by name.")
    .lookup("epci", &["siren"])
    .fields([
        column("siren", Column::Siren, Scalar::EpciSiren, "SIREN of the group.").sorted(),
        column("name", Column::Name, Scalar::String, "Official name.").searched(Column::NameSearch),
        column(
            "kind",
            Column::Kind,
            Scalar::String,
            "Legal kind, as the COG writes it (CA, CC, CU, MET69, EPT …).",
        ),
        column(
            "population",
            Column::Population,
            Scalar::Int,
            "Municipal population (« population municipale »).",
        )
        .sorted(),
        one("departement", "Departement", Column::DepartementCode, "Main « département »."),
        many("communes", by("Commune", commune::Column::EpciSiren).from_key(Column::Siren), "Its communes."),
        many(
            "sites",
            through("Site", site_epci::Column::EpciSiren, site_epci::Column::SiteId, true)
                .from_key(Column::Siren),
            "Sites (« cités de l'emploi ») that it carries.",
        ),
    ])
    .ordered_by(&["name"])
}

fn commune() -> Noun {
    use commune::Column;
    Noun::new("Commune", commune::Entity, Referential, "A commune (« commune ») of the COG of 2024.")
        .keyed_by(Column::Code)
        .root("communes", "Communes, by name.")
        .lookup("commune", &["code"])
        .fields([
            column(
                "code",
                Column::Code,
                Scalar::CommuneCode,
                "INSEE code (« code Insee »), never a postal code.",
            )
            .sorted(),
            column("name", Column::Name, Scalar::String, "Official name.").searched(Column::NameSearch),
            column("kind", Column::Kind, Scalar::String, "Kind, as the COG writes it (commune-actuelle …)."),
            column(
                "population",
                Column::Population,
                Scalar::Int,
                "Municipal population (« population municipale »); null where not published.",
            )
            .sorted(),
            one(
                "departement",
                "Departement",
                Column::DepartementCode,
                "Its « département »; null in some overseas collectivities.",
            ),
            one("region", "Region", Column::RegionCode, "Its region (« région »)."),
            one_by(
                "epci",
                by("Epci", epci::Column::Siren).from_key(Column::EpciSiren),
                "Its group of communes (« EPCI »); null where there is none.",
            ),
            one(
                "parent",
                "Commune",
                Column::ParentCode,
                "The commune that a municipal « arrondissement » belongs to.",
            ),
            many(
                "qpvs",
                through("Qpv", qpv_commune::Column::CommuneCode, qpv_commune::Column::QpvId, true)
                    .from_key(Column::Code),
                "« QPV » that lie in it, at least in part.",
            ),
            many(
                "sites",
                through("Site", site_commune::Column::CommuneCode, site_commune::Column::SiteId, true)
                    .from_key(Column::Code),
                "Sites (« cités de l'emploi ») that work there.",
            ),
        ])
        .ordered_by(&["name"])
}

fn contrat_ville() -> Noun {
    use contrat_ville::Column;
    Noun::new("ContratVille", contrat_ville::Entity, Referential, "A local contract (« contrat de ville »).")
        .keyed_by(Column::Code)
        .root("contratsVille", "Local contracts (« contrats de ville »), by code.")
        .lookup("contratVille", &["code"])
        .fields([
            column("code", Column::Code, Scalar::ContratVilleCode, "Code: CVnnn (2015) or CN… (2024).")
                .sorted(),
            column("name", Column::Name, Scalar::String, "Name.").searched(Column::NameSearch),
            column(
                "generation",
                Column::Generation,
                Scalar::Int,
                "First year of its generation: 2015 or 2024.",
            )
            .sorted(),
            column(
                "territoryCode",
                Column::TerritoryCode,
                Scalar::String,
                "SIREN of its EPCI, or code of its commune.",
            ),
            one("departement", "Departement", Column::DepartementCode, "Its « département »."),
        ])
        .ordered_by(&["code"])
}
