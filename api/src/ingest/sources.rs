//! The sources in the order of loading: parents before children.

use super::IngestError;
use super::load::Load;
use super::{demo, facts, figures, ground, links, outlines, qpvs, sites, territories};

/// One step of a loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Regions,
    Departements,
    Epcis,
    Communes,
    Contracts2015,
    Contracts2024,
    Sites,
    SiteCommunes,
    SiteEpcis,
    Qpvs2015,
    Qpvs2024,
    Outlines,
    Lineage,
    Populations,
    Poverty,
    Facts,
    SiteQpvs,
    Demonstration,
}

/// How a source is known in run rows and reports.
pub(super) struct About {
    /// Name of the source.
    pub name: &'static str,
    /// Edition of its data.
    pub vintage: &'static str,
    /// Every file that it reads, the main one first: a change in any of them loads it again.
    pub files: &'static [&'static str],
}

const COMMUNES: &str = "cog2024_communes.csv.gz";
const CONTRACTS_2015: &str = "contrats_ville_2015_2023.csv";
const CONTRACTS_2024: &str = "contrats_ville_2024.csv";
const SITES: &str = "cites_emploi.csv";
const SITE_COMMUNES: &str = "cites_emploi_communes.csv";
const PRESENTATION: &str = "cites_presentation_2023.json";
const QPVS_2015: &str = "qpv2015_liste.csv";
const QPVS_2024: &str = "qpv2024_liste.csv";

/// Day of ANCT's list of sites.
const LIST: &str = "2024-03-05";

impl Source {
    /// All of them, parents first.
    pub const ALL: [Self; 18] = [
        Self::Regions,
        Self::Departements,
        Self::Epcis,
        Self::Communes,
        Self::Contracts2015,
        Self::Contracts2024,
        Self::Sites,
        Self::SiteCommunes,
        Self::SiteEpcis,
        Self::Qpvs2015,
        Self::Qpvs2024,
        Self::Outlines,
        Self::Lineage,
        Self::Populations,
        Self::Poverty,
        Self::Facts,
        Self::SiteQpvs,
        Self::Demonstration,
    ];

    /// Name, vintage and files.
    pub const fn about(self) -> About {
        let (name, vintage, files): (_, _, &[_]) = match self {
            Self::Regions => ("cog-regions", "2024", &["cog2024_regions.csv"]),
            Self::Departements => ("cog-departements", "2024", &["cog2024_departements.csv"]),
            Self::Epcis => ("cog-epci", "2024", &["cog2024_epci_ept.csv"]),
            Self::Communes => ("cog-communes", "2024", &[COMMUNES]),
            Self::Contracts2015 => ("contrats-ville", "2015", &[CONTRACTS_2015]),
            Self::Contracts2024 => ("contrats-ville", "2024", &[CONTRACTS_2024]),
            Self::Sites => {
                let files = &[SITES, SITE_COMMUNES, PRESENTATION, COMMUNES, CONTRACTS_2015, CONTRACTS_2024];
                ("sites", LIST, files)
            }
            Self::SiteCommunes => ("sites-communes", LIST, &[SITE_COMMUNES, COMMUNES]),
            Self::SiteEpcis => ("sites-epci", LIST, &[SITES]),
            Self::Qpvs2015 => ("qpv", "2015", &[QPVS_2015]),
            Self::Qpvs2024 => ("qpv", "2024", &[QPVS_2024]),
            Self::Outlines => ("qpv-outlines", "2024", &["qpv2024_contours.geojson.gz"]),
            Self::Lineage => ("qpv-lineage", "2024", &["qpv_correspondance_2024_2015_deduite.csv"]),
            Self::Populations => ("qpv-populations", "2013-2018", &[QPVS_2015]),
            Self::Poverty => ("qpv-poverty", "2012-2021", &["qpv2015_taux_pauvrete_2012_2021.csv.gz"]),
            Self::Facts => ("presentation", "2023-06-12", &[PRESENTATION]),
            Self::SiteQpvs => ("sites-qpv", LIST, &[PRESENTATION, SITE_COMMUNES, QPVS_2015, QPVS_2024]),
            Self::Demonstration => {
                ("demonstration", "1", &["demonstration_actions.csv", "demonstration_partenaires.csv"])
            }
        };
        About { name, vintage, files }
    }

    /// Reads its files and writes its rows.
    pub async fn load(self, load: &mut Load<'_>) -> Result<(), IngestError> {
        match self {
            Self::Regions => territories::regions(load).await,
            Self::Departements => territories::departements(load).await,
            Self::Epcis => territories::epcis(load).await,
            Self::Communes => territories::communes(load).await,
            Self::Contracts2015 => territories::contracts_2015(load).await,
            Self::Contracts2024 => territories::contracts_2024(load).await,
            Self::Sites => sites::sites(load).await,
            Self::SiteCommunes => ground::communes(load).await,
            Self::SiteEpcis => ground::epcis(load).await,
            Self::Qpvs2015 => qpvs::of_2015(load).await,
            Self::Qpvs2024 => qpvs::of_2024(load).await,
            Self::Outlines => outlines::outlines(load).await,
            Self::Lineage => outlines::lineage(load).await,
            Self::Populations => figures::populations(load).await,
            Self::Poverty => figures::poverty(load).await,
            Self::Facts => facts::facts(load).await,
            Self::SiteQpvs => links::site_qpvs(load).await,
            Self::Demonstration => demo::demonstration(load).await,
        }
    }
}
