//! The words that seeded names and titles are made of.

use entity::enums::ActionCategory::{
    self, AllerVers, Autre, ClausesSociales, CommunicationLisibilite, Coordination, CreationActivite,
    FleLangue, Formation, GardeEnfants, Iae, JobDating, LeveeFreins, MiseEnRelationEntreprises, Mobilite,
    MobiliteInternationale, Numerique, Observation, Orientation, Remobilisation, Reperage, Sante,
};
use entity::enums::{PartnerKind, Pillar};

/// Kinds of partners with the beginning of their name. The first partners of a site come in this order.
pub(super) const PARTNERS: &[(PartnerKind, &str)] = &[
    (PartnerKind::Commune, "Ville de"),
    (PartnerKind::Prefecture, "Préfecture du département"),
    (PartnerKind::FranceTravail, "France Travail"),
    (PartnerKind::MissionLocale, "Mission locale de"),
    (PartnerKind::Ddets, "DDETS"),
    (PartnerKind::Association, "Association"),
    (PartnerKind::Siae, "Chantier d'insertion"),
    (PartnerKind::MaisonEmploiPlie, "Maison de l'emploi"),
    (PartnerKind::CapEmploi, "Cap emploi"),
    (PartnerKind::Entreprise, "Entreprise"),
    (PartnerKind::Formation, "Centre de formation"),
    (PartnerKind::Bailleur, "Habitat"),
    (PartnerKind::Association, "Collectif"),
    (PartnerKind::Chambre, "Chambre consulaire"),
];

/// Own names of bodies.
pub(super) const OWN_NAMES: &[&str] = &[
    "Passerelles",
    "Tremplin",
    "Horizons",
    "Les Ateliers",
    "Nouvel Élan",
    "Trait d'union",
    "Envol",
    "Le Relais",
    "Cap Avenir",
    "La Fabrique",
    "Solidaires",
    "Rebond",
    "Les Moulins",
    "Boussole",
    "L'Escale",
    "Potentiels",
];

/// What an action does, with the pillar and the category that it belongs to.
pub(super) const DEEDS: &[(&str, Pillar, ActionCategory)] = &[
    ("Permanence emploi au pied des immeubles", Pillar::AllerVersRaccrocher, AllerVers),
    ("Repérage des jeunes sans solution", Pillar::AllerVersRaccrocher, Reperage),
    ("Ateliers de remobilisation", Pillar::AllerVersRaccrocher, Remobilisation),
    ("Préparation du permis de conduire", Pillar::AllerVersRaccrocher, Mobilite),
    ("Français à visée professionnelle", Pillar::AllerVersRaccrocher, FleLangue),
    ("Accès aux droits et levée des freins", Pillar::AllerVersRaccrocher, LeveeFreins),
    ("Découverte des métiers", Pillar::AllerVersRaccrocher, Orientation),
    ("Formation courte qualifiante", Pillar::AllerVersRaccrocher, Formation),
    ("Chantier d'insertion", Pillar::AllerVersRaccrocher, Iae),
    ("Job dating", Pillar::AllerVersRaccrocher, JobDating),
    ("Parcours santé et emploi", Pillar::AllerVersRaccrocher, Sante),
    ("Initiation au numérique", Pillar::AllerVersRaccrocher, Numerique),
    ("Solution de garde d'enfants", Pillar::Innover, GardeEnfants),
    ("Coopérative éphémère", Pillar::Innover, CreationActivite),
    ("Bus de l'emploi", Pillar::Innover, AllerVers),
    ("Volontariat international", Pillar::Innover, MobiliteInternationale),
    ("Laboratoire d'innovation sociale", Pillar::Innover, Autre),
    ("Clauses sociales de la rénovation urbaine", Pillar::Innover, ClausesSociales),
    ("Forum des entreprises", Pillar::RecenserFederer, MiseEnRelationEntreprises),
    ("Annuaire partagé des référents", Pillar::RecenserFederer, CommunicationLisibilite),
    ("Comité de suivi des parcours", Pillar::RecenserFederer, Coordination),
    ("Diagnostic des besoins", Pillar::RecenserFederer, Observation),
];

/// Whom a title may name.
pub(super) const PUBLICS: &[&str] =
    &["", "", "", " pour les femmes", " pour les jeunes", " pour les seniors", " pour les parents isolés"];

/// Occupations that actions lead to.
pub(super) const ROME: &[&str] = &[
    "A1203", "F1704", "G1703", "H2903", "I1307", "J1501", "K1304", "K2204", "M1607", "M1805", "N1103",
    "N4101",
];
