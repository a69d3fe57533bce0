//! Vocabularies of sites, neighbourhoods and partners.

use sea_orm::entity::prelude::*;

text_enum! {
    /// Extent of a site (« échelle »).
    SiteScale {
        /// One neighbourhood or a few (« quartier »).
        Quartier = "QUARTIER",
        /// One commune (« commune »).
        Commune = "COMMUNE",
        /// Several communes (« plusieurs communes »).
        MultiCommune = "MULTI_COMMUNE",
        /// A whole group of communes (« EPCI », « métropole »).
        Epci = "EPCI",
        /// A whole département (« département »).
        Departement = "DEPARTEMENT",
    }
}

text_enum! {
    /// Where a site stands between application and closure (« statut »).
    SiteStatus {
        /// In preparation by a préfecture or ANCT (« candidature »).
        Candidate = "CANDIDATE",
        /// Application handed to ANCT, awaiting its decision (« déposée »).
        Submitted = "SUBMITTED",
        /// Label granted (« labellisée »), work not yet started.
        Labelled = "LABELLED",
        /// At work: actions started or committees meet (« en activité »).
        Active = "ACTIVE",
        /// Ended; stays readable (« close »).
        Closed = "CLOSED",
        /// Application refused (« refusée »).
        Rejected = "REJECTED",
        /// Label taken back, with a reason (« label retiré »).
        Withdrawn = "WITHDRAWN",
    }
}

text_enum! {
    /// How sure a statement is (« provenance »).
    Provenance {
        /// Stated by an authority (« confirmé »).
        Confirmed = "CONFIRMED",
        /// Computed from other data, to be confirmed (« déduit »).
        Derived = "DERIVED",
    }
}

text_enum! {
    /// Whether a site addresses particular audiences (« publics cibles »).
    AudiencePolicy {
        /// Named audiences (« publics ciblés »).
        Targeted = "TARGETED",
        /// Explicitly everybody (« pas de public cible »).
        NoneSpecific = "NONE_SPECIFIC",
        /// Not stated (« non renseigné »).
        Unknown = "UNKNOWN",
    }
}

text_enum! {
    /// Whom an action or a site is for (« public cible »).
    Audience {
        /// Residents of priority neighbourhoods (« habitants des QPV »).
        HabitantsQpv = "HABITANTS_QPV",
        /// Young people (« jeunes »).
        Jeunes = "JEUNES",
        /// Women (« femmes »).
        Femmes = "FEMMES",
        /// Older workers (« seniors »).
        Seniors = "SENIORS",
        /// Job seekers (« demandeurs d'emploi »).
        DemandeursEmploi = "DEMANDEURS_EMPLOI",
        /// Long-term job seekers (« demandeurs d'emploi de longue durée »).
        Deld = "DELD",
        /// Recipients of the RSA (« bénéficiaires du RSA »).
        Brsa = "BRSA",
        /// Single-parent families (« familles monoparentales »).
        FamillesMonoparentales = "FAMILLES_MONOPARENTALES",
        /// Persons with disabilities (« personnes en situation de handicap »).
        PersonnesHandicap = "PERSONNES_HANDICAP",
        /// Persons in exile (« personnes exilées »).
        PersonnesExilees = "PERSONNES_EXILEES",
        /// Companies (« entreprises »).
        Entreprises = "ENTREPRISES",
        /// Professionals of employment and integration (« professionnels »).
        Professionnels = "PROFESSIONNELS",
        /// Another audience (« autre »).
        Autre = "AUTRE",
    }
}

text_enum! {
    /// Step in the life of a site (« jalon »).
    MilestoneKind {
        /// Application (« candidature »).
        Application = "APPLICATION",
        /// Label granted (« labellisation »).
        Label = "LABEL",
        /// First steering committee (« premier COPIL »).
        FirstCopil = "FIRST_COPIL",
        /// Inauguration (« inauguration »).
        Inauguration = "INAUGURATION",
        /// Roadmap being written (« rédaction de la feuille de route »).
        RoadmapWriting = "ROADMAP_WRITING",
        /// Action plan (« plan d'actions »).
        ActionPlan = "ACTION_PLAN",
        /// Governance set up (« mise en place de la gouvernance »).
        GovernanceSetup = "GOVERNANCE_SETUP",
        /// First actions (« démarrage des actions »).
        ActionsStart = "ACTIONS_START",
        /// End of the site or of its programme (« clôture »).
        Closure = "CLOSURE",
    }
}

text_enum! {
    /// Generation of the priority geography (« géographie prioritaire »).
    QpvGeneration {
        /// Perimeters of 2015, in force until the end of 2023, of 2024 overseas (« géographie prioritaire de 2015 »).
        Qpv2015 = "QPV_2015",
        /// Perimeters of 2024, of 2025 overseas (« géographie prioritaire de 2024 »).
        Qpv2024 = "QPV_2024",
    }
}

text_enum! {
    /// What became of a 2015 neighbourhood in 2024 (« filiation »).
    LineageKind {
        /// Same perimeter (« inchangé »).
        Unchanged = "UNCHANGED",
        /// Same neighbourhood, other perimeter (« modifié »).
        Modified = "MODIFIED",
        /// One neighbourhood became several (« scindé »).
        Split = "SPLIT",
        /// Several neighbourhoods became one (« fusionné »).
        Merged = "MERGED",
    }
}

text_enum! {
    /// How a neighbourhood belongs to a site (« périmètre »).
    SiteQpvStatus {
        /// Named by the label (« labellisé »).
        Labelled = "LABELLED",
        /// Joined without being named by the label (« associé »).
        Associated = "ASSOCIATED",
    }
}

text_enum! {
    /// Nature of a partner (« partenaire »).
    PartnerKind {
        /// Prefect's services (« préfecture »).
        Prefecture = "PREFECTURE",
        /// State service for employment in the département (« DDETS »).
        Ddets = "DDETS",
        /// State service for employment in the region (« DREETS »).
        Dreets = "DREETS",
        /// National agency for territorial cohesion (« ANCT »).
        Anct = "ANCT",
        /// Commune (« commune »).
        Commune = "COMMUNE",
        /// Group of communes (« EPCI »).
        Epci = "EPCI",
        /// Métropole (« métropole »).
        Metropole = "METROPOLE",
        /// Council of the département (« conseil départemental »).
        Departement = "DEPARTEMENT",
        /// Council of the region (« conseil régional »).
        Region = "REGION",
        /// Public employment service (« France Travail »).
        FranceTravail = "FRANCE_TRAVAIL",
        /// Service for the young (« mission locale »).
        MissionLocale = "MISSION_LOCALE",
        /// Service for persons with disabilities (« Cap emploi »).
        CapEmploi = "CAP_EMPLOI",
        /// Local employment house or plan (« maison de l'emploi », « PLIE »).
        MaisonEmploiPlie = "MAISON_EMPLOI_PLIE",
        /// Work integration enterprise (« SIAE »).
        Siae = "SIAE",
        /// Association (« association »).
        Association = "ASSOCIATION",
        /// Company (« entreprise »).
        Entreprise = "ENTREPRISE",
        /// Family allowance fund (« CAF »).
        Caf = "CAF",
        /// Training body (« organisme de formation »).
        Formation = "FORMATION",
        /// Social landlord (« bailleur social »).
        Bailleur = "BAILLEUR",
        /// Consular chamber (« chambre consulaire »).
        Chambre = "CHAMBRE",
        /// Another body (« autre »).
        Autre = "AUTRE",
    }
}

text_enum! {
    /// Whether a partner still exists (« statut »).
    PartnerStatus {
        /// In being (« actif »).
        Active = "ACTIVE",
        /// Ended (« fermé »).
        Closed = "CLOSED",
        /// Replaced by another record (« fusionné »).
        Merged = "MERGED",
    }
}

text_enum! {
    /// What a partner does in a site (« siège »).
    SeatKind {
        /// Steers with the others (« copilote »).
        Copilote = "COPILOTE",
        /// Receives the programme's money (« porteur », « chef de file »).
        Porteur = "PORTEUR",
        /// Runs the daily coordination (« animateur »).
        Animateur = "ANIMATEUR",
        /// Takes part (« membre »).
        Membre = "MEMBRE",
        /// Pays (« financeur »).
        Financeur = "FINANCEUR",
        /// Carries out actions (« opérateur »).
        Operateur = "OPERATEUR",
    }
}
