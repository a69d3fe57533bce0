//! What the columns of the file mean: adultes-relais posts as actions. For another source, change this file.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::queries::sync_actions::{
    ActionStatus, PartnerKind, PartnerRef, Pillar, SiteRef, SyncActionItem, SyncActionOnCreate,
};

/// A row of the file.
#[derive(Clone, Debug, Deserialize)]
pub struct Post {
    /// Identifier of the post.
    pub id_poste: String,
    siret: String,
    raison_sociale: String,
    annee: String,
    montant_eur: String,
    code_cv: String,
}

/// Words in the name of an employer that tell its nature; all others are associations.
const KINDS: [(&str, PartnerKind); 8] = [
    ("MISSION LOCALE", PartnerKind::MISSION_LOCALE),
    ("METROPOLE", PartnerKind::METROPOLE),
    ("COMMUNAUTE", PartnerKind::EPCI),
    ("COM AGGLO", PartnerKind::EPCI),
    ("COMMUNE", PartnerKind::COMMUNE),
    ("MAIRIE", PartnerKind::COMMUNE),
    ("DEPARTEMENT", PartnerKind::DEPARTEMENT),
    ("HABITAT", PartnerKind::BAILLEUR),
];

/// Makes items of rows.
#[derive(Debug)]
pub struct Mapping {
    /// Sites by the code of their local contract.
    sites: HashMap<String, Vec<String>>,
    /// When the file was made: its rows have no date of their own.
    as_of: String,
    seen: HashSet<String>,
}

impl Mapping {
    /// A mapping of a file made at an instant, onto sites known by the codes of their contracts.
    #[must_use]
    pub fn new(sites: HashMap<String, Vec<String>>, as_of: &str) -> Self {
        Self { sites, as_of: as_of.to_owned(), seen: HashSet::new() }
    }

    /// The item of a row, or what is wrong with the row.
    ///
    /// # Errors
    /// In words, for whoever mends the file.
    pub fn item(&mut self, row: &Post) -> Result<SyncActionItem, String> {
        if !self.seen.insert(row.id_poste.clone()) {
            return Err("id_poste est déjà plus haut dans le fichier".to_owned());
        }
        let site = self.site(&row.code_cv)?;
        let kind = KINDS.into_iter().find(|(word, _)| row.raison_sociale.contains(word));
        Ok(SyncActionItem {
            external_id: row.id_poste.clone(),
            source_updated_at: self.as_of.clone(),
            expected_version: None,
            deleted: None,
            site: Some(SiteRef::Code(site)),
            title: Some(format!("Adulte-relais : {}", row.raison_sociale)),
            description: Some(format!("Poste {}, {} € en {}.", row.id_poste, row.montant_eur, row.annee)),
            status: Some(ActionStatus::IN_PROGRESS),
            starts_on: Some(row.annee.clone()),
            ends_on: None,
            cancel_reason: None,
            lead: Some(PartnerRef {
                external_id: None,
                siret: Some(row.siret.clone()),
                rna: None,
                safir_code: None,
                name: Some(row.raison_sociale.clone()),
                kind: Some(kind.map_or(PartnerKind::ASSOCIATION, |(_, kind)| kind)),
            }),
            partners: None,
            rome_codes: None,
            on_create: Some(SyncActionOnCreate {
                pillar: Some(Pillar::ALLER_VERS_RACCROCHER),
                categories: None,
                audiences: None,
                innovative: None,
                published: Some(true),
                qpvs: None,
            }),
        })
    }

    /// The one site whose local contract the row names.
    fn site(&self, contract: &str) -> Result<String, String> {
        if contract.is_empty() {
            return Err("code_cv est vide".to_owned());
        }
        if contract.len() > "CV000".len() {
            return Err(format!("code_cv {contract} : ce n'est pas un code de contrat de ville"));
        }
        match self.sites.get(contract).map(Vec::as_slice) {
            Some([site]) => Ok(site.clone()),
            Some(several) => Err(format!("code_cv {contract} : plusieurs cités, {}", several.join(", "))),
            None => Err(format!("code_cv {contract} : aucune cité de l'emploi n'a ce contrat de ville")),
        }
    }
}
