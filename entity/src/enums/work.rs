//! Vocabularies of governance, roadmaps, actions, figures and money.

use sea_orm::entity::prelude::*;

text_enum! {
    /// Nature of a governance body (« instance »).
    GovernanceBodyKind {
        /// Steering committee (« comité de pilotage »).
        Copil = "COPIL",
        /// Technical committee (« comité technique »).
        Cotech = "COTECH",
        /// Operational committee (« comité opérationnel »).
        ComiteOperationnel = "COMITE_OPERATIONNEL",
        /// Working group (« groupe de travail »).
        GroupeTravail = "GROUPE_TRAVAIL",
        /// Another body (« autre »).
        Autre = "AUTRE",
    }
}

text_enum! {
    /// Where a governance body comes from (« origine »).
    GovernanceOrigin {
        /// Made for the site (« instance ad hoc »).
        AdHoc = "AD_HOC",
        /// Leans on a body that was there before (« instance existante »).
        ExistingBody = "EXISTING_BODY",
    }
}

text_enum! {
    /// Unit of a meeting interval (« périodicité »).
    CadenceUnit {
        /// Week (« semaine »).
        Week = "WEEK",
        /// Month (« mois »).
        Month = "MONTH",
        /// Year (« an »).
        Year = "YEAR",
    }
}

text_enum! {
    /// State of a governance body (« statut »).
    GovernanceStatus {
        /// Foreseen (« prévue »).
        Planned = "PLANNED",
        /// Meets (« active »).
        Active = "ACTIVE",
        /// Paused (« suspendue »).
        Suspended = "SUSPENDED",
        /// Ended for good (« dissoute »).
        Dissolved = "DISSOLVED",
    }
}

text_enum! {
    /// Place of a partner in a governance body (« membre »).
    MemberSeat {
        /// Chairs (« président »).
        President = "PRESIDENT",
        /// Chairs with another (« coprésident »).
        Copresident = "COPRESIDENT",
        /// Sits (« membre »).
        Membre = "MEMBRE",
        /// Is invited (« invité »).
        Invite = "INVITE",
    }
}

text_enum! {
    /// State of a meeting (« réunion »).
    MeetingStatus {
        /// Foreseen (« prévue »).
        Planned = "PLANNED",
        /// Took place (« tenue »).
        Held = "HELD",
        /// Did not take place (« annulée »).
        Cancelled = "CANCELLED",
    }
}

text_enum! {
    /// State of a roadmap (« feuille de route »).
    RoadmapStatus {
        /// Being written (« projet »).
        Draft = "DRAFT",
        /// In force (« adoptée »).
        Adopted = "ADOPTED",
        /// Replaced by a later one (« remplacée »).
        Superseded = "SUPERSEDED",
    }
}

text_enum! {
    /// National pillar of the programme (« pilier »).
    Pillar {
        /// Map the offer and bring its actors together (« recenser et fédérer »).
        RecenserFederer = "RECENSER_FEDERER",
        /// Reach out and bring back (« aller vers et raccrocher »).
        AllerVersRaccrocher = "ALLER_VERS_RACCROCHER",
        /// Try new ways (« innover »).
        Innover = "INNOVER",
    }
}

text_enum! {
    /// State of an action (« statut »).
    ActionStatus {
        /// Being written, not public (« brouillon »).
        Draft = "DRAFT",
        /// Decided, not started (« programmée »).
        Planned = "PLANNED",
        /// Running (« en cours »).
        InProgress = "IN_PROGRESS",
        /// Paused (« suspendue »).
        Suspended = "SUSPENDED",
        /// Done (« terminée »).
        Completed = "COMPLETED",
        /// Given up, with a reason (« annulée »).
        Cancelled = "CANCELLED",
    }
}

text_enum! {
    /// What an action works on (« thématique »).
    ActionCategory {
        /// Finding the persons concerned (« repérage »).
        Reperage = "REPERAGE",
        /// Outreach (« aller vers »).
        AllerVers = "ALLER_VERS",
        /// Remobilisation (« remobilisation »).
        Remobilisation = "REMOBILISATION",
        /// Removing obstacles to work (« levée des freins »).
        LeveeFreins = "LEVEE_FREINS",
        /// Mobility (« mobilité »).
        Mobilite = "MOBILITE",
        /// Mobility abroad (« mobilité internationale »).
        MobiliteInternationale = "MOBILITE_INTERNATIONALE",
        /// Child care (« garde d'enfants »).
        GardeEnfants = "GARDE_ENFANTS",
        /// French language (« FLE »).
        FleLangue = "FLE_LANGUE",
        /// Digital skills (« numérique »).
        Numerique = "NUMERIQUE",
        /// Health (« santé »).
        Sante = "SANTE",
        /// Housing (« logement »).
        Logement = "LOGEMENT",
        /// Training (« formation »).
        Formation = "FORMATION",
        /// Career guidance (« orientation »).
        Orientation = "ORIENTATION",
        /// Integration through work (« insertion par l'activité économique »).
        Iae = "IAE",
        /// Creating a business (« création d'activité »).
        CreationActivite = "CREATION_ACTIVITE",
        /// Meeting companies (« mise en relation avec les entreprises »).
        MiseEnRelationEntreprises = "MISE_EN_RELATION_ENTREPRISES",
        /// Job dating (« job dating »).
        JobDating = "JOB_DATING",
        /// Social clauses of public contracts (« clauses sociales »).
        ClausesSociales = "CLAUSES_SOCIALES",
        /// Coordination of the actors (« coordination »).
        Coordination = "COORDINATION",
        /// Observation of needs and results (« observation »).
        Observation = "OBSERVATION",
        /// Making the offer known and readable (« communication, lisibilité »).
        CommunicationLisibilite = "COMMUNICATION_LISIBILITE",
        /// Another matter (« autre »).
        Autre = "AUTRE",
    }
}

text_enum! {
    /// What a figure is about (« objet »).
    FigureSubject {
        /// The whole programme (« national »).
        National = "NATIONAL",
        /// A site (« cité de l'emploi »).
        Site = "SITE",
        /// A priority neighbourhood (« QPV »).
        Qpv = "QPV",
        /// A commune (« commune »).
        Commune = "COMMUNE",
        /// A group of communes (« EPCI »).
        Epci = "EPCI",
        /// An action (« action »).
        Action = "ACTION",
    }
}

text_enum! {
    /// What a figure measures (« indicateur »).
    Indicator {
        /// Sites (« nombre de cités de l'emploi »).
        SiteCount = "SITE_COUNT",
        /// Partners (« nombre de partenaires »).
        PartnerCount = "PARTNER_COUNT",
        /// Partners per site, on average (« nombre moyen de partenaires »).
        PartnerCountAvg = "PARTNER_COUNT_AVG",
        /// Named contact persons (« référents »).
        ReferentCount = "REFERENT_COUNT",
        /// Actions, as declared (« nombre d'actions »).
        ActionCount = "ACTION_COUNT",
        /// Innovative actions, as declared (« nombre d'actions innovantes »).
        InnovativeActionCount = "INNOVATIVE_ACTION_COUNT",
        /// Persons counted as beneficiaries (« bénéficiaires »).
        BeneficiaryCount = "BENEFICIARY_COUNT",
        /// Inhabitants (« population »).
        Population = "POPULATION",
        /// Inhabitants of priority neighbourhoods (« population des QPV »).
        QpvPopulation = "QPV_POPULATION",
        /// Priority neighbourhoods (« nombre de QPV »).
        QpvCount = "QPV_COUNT",
        /// Unemployment rate of the census (« au sens du recensement »).
        UnemploymentRateCensus = "UNEMPLOYMENT_RATE_CENSUS",
        /// Quarterly localised unemployment rate (« taux de chômage localisé »).
        UnemploymentRateLocalised = "UNEMPLOYMENT_RATE_LOCALISED",
        /// Unemployment rate whose definition the source does not give (« taux de chômage »).
        UnemploymentRateUnspecified = "UNEMPLOYMENT_RATE_UNSPECIFIED",
        /// Employment rate (« taux d'emploi »).
        EmploymentRate = "EMPLOYMENT_RATE",
        /// Activity rate (« taux d'activité »).
        ActivityRate = "ACTIVITY_RATE",
        /// Poverty rate (« taux de pauvreté »).
        PovertyRate = "POVERTY_RATE",
        /// Job seekers of category A at month end (« DEFM A »).
        DefmA = "DEFM_A",
        /// Job seekers of categories A, B and C at month end (« DEFM ABC »).
        DefmAbc = "DEFM_ABC",
        /// Job seekers whose category the source does not give (« demandeurs d'emploi »).
        JobSeekersUnspecified = "JOB_SEEKERS_UNSPECIFIED",
        /// Share of job seekers who live in a priority neighbourhood (« part des demandeurs d'emploi résidant en QPV »).
        JobSeekersQpvShare = "JOB_SEEKERS_QPV_SHARE",
    }
}

text_enum! {
    /// Unit of a figure (« unité »).
    FigureUnit {
        /// A number of things or persons (« nombre »).
        Count = "COUNT",
        /// A percentage, 0 to 100 (« pourcentage »).
        Percent = "PERCENT",
        /// Euro cents (« centimes d'euro »).
        Cents = "CENTS",
    }
}

text_enum! {
    /// Ground that a figure covers (« périmètre »).
    Perimeter {
        /// The site (« cité de l'emploi »).
        Site = "SITE",
        /// The commune (« commune »).
        Commune = "COMMUNE",
        /// The group of communes (« EPCI »).
        Epci = "EPCI",
        /// The priority neighbourhood (« QPV »).
        Qpv = "QPV",
        /// The priority neighbourhoods as the State counts them (« QPV selon l'État »).
        QpvState = "QPV_STATE",
        /// The priority neighbourhoods as the collectivity counts them (« QPV selon la collectivité »).
        QpvCollectivity = "QPV_COLLECTIVITY",
        /// The whole country (« national »).
        National = "NATIONAL",
    }
}

text_enum! {
    /// How far a figure may be relied on (« statut »).
    FigureStatus {
        /// Given, not yet checked (« provisoire »).
        Provisional = "PROVISIONAL",
        /// Checked (« validé »).
        Validated = "VALIDATED",
        /// Replaced by a newer value (« révisé »).
        Revised = "REVISED",
        /// Taken back (« retiré »).
        Withdrawn = "WITHDRAWN",
    }
}

text_enum! {
    /// Stage of a sum of money (« financement »).
    FundingKind {
        /// Asked for (« demandé »).
        Requested = "REQUESTED",
        /// Granted (« attribué »).
        Granted = "GRANTED",
        /// Paid (« versé »).
        Paid = "PAID",
    }
}
