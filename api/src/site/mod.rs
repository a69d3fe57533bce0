//! The labelled territory (« cité de l'emploi ») and its dated steps.

mod completeness;
mod delete;
mod lifecycle;
mod milestones;
mod mutations;
mod perimeter;
mod territory;

use entity::{
    action, figure, funding_line, governance_body, referent, roadmap, seat, site, site_commune,
    site_departement, site_epci, site_milestone, site_qpv,
};

use crate::db::Kind;
use crate::graphql::scalars::Scalar;
use crate::policy::{Resource, Verb};
use crate::read::common::{enumeration, row_fields, viewer_can};
use crate::read::declare::{
    Field, Filter, Noun, by, column, computed, group, list, many, one_by, related, through,
};
use crate::write::Mutation;

/// The mutations of this folder.
pub fn mutations() -> Vec<Mutation> {
    [mutations::mutations(), lifecycle::mutations(), perimeter::mutations()].concat()
}

/// The nouns of this folder.
pub fn nouns() -> Vec<Noun> {
    vec![noun(), milestone(), perimeter::noun()]
}

fn noun() -> Noun {
    Noun::new(
        "Site",
        site::Entity,
        Resource::Site,
        "A territory labelled by ANCT and the cooperation it carries (« cité de l'emploi »).",
    )
    .node("site")
    .root("sites", "Sites (« cités de l'emploi »), by name.")
    .lookup("site", &["id", "code"])
    .fields(own_fields())
    .fields(row_fields!(site))
    .fields(ground_fields())
    .fields(work_fields())
    .fields(counted_fields())
    .fields(viewer_fields())
    .filters(filters())
    .ordered_by(&["name"])
}

fn own_fields() -> Vec<Field> {
    use site::Column;
    vec![
        column("code", Column::Code, Scalar::SiteCode, "Official code `cde-NNN`; null until ANCT gives it.")
            .sorted(),
        column("name", Column::Name, Scalar::String, "Name (« nom »).").searched(Column::NameSearch),
        column("scale", Column::Scale, enumeration!(SiteScale), "Extent of the territory (« échelle »).")
            .sorted(),
        column("wave", Column::Wave, Scalar::Int, "Year of its wave of labels (« vague »): 2020 or 2021.")
            .sorted(),
        column(
            "waveProvenance",
            Column::WaveStatus,
            enumeration!(Provenance),
            "How sure the wave is (« provenance »).",
        ),
        column(
            "status",
            Column::Status,
            enumeration!(SiteStatus),
            "Where it stands in its life (« statut »).",
        )
        .sorted(),
        column(
            "statusReason",
            Column::StatusReason,
            Scalar::String,
            "Why it was refused or withdrawn (« motif »).",
        ),
        column("programme", Column::Programme, Scalar::String, "Programme it belongs to (« programme »)."),
        column(
            "audiencePolicy",
            Column::AudiencePolicy,
            enumeration!(AudiencePolicy),
            "Whether it addresses particular audiences (« public cible »).",
        ),
        column(
            "audiences",
            Column::Audiences,
            enumeration!(Audience),
            "Its audiences (« publics cibles »), when targeted.",
        ),
        column(
            "audienceNote",
            Column::AudienceNote,
            Scalar::String,
            "Its audience in its own words (« public cible »).",
        ),
        column(
            "contratVilleCodes",
            Column::ContratVilleCodes,
            Scalar::ContratVilleCode,
            "Codes of its local contracts (« contrats de ville »).",
        ),
        column("successorNote", Column::SuccessorNote, Scalar::String, "What came after it (« suites »)."),
    ]
}

/// Where it works, and since when.
fn ground_fields() -> Vec<Field> {
    vec![
        list(
            "milestones",
            by("Milestone", site_milestone::Column::SiteId),
            "Dated steps of its life (« jalons »), by date.",
        ),
        list(
            "communes",
            through("Commune", site_commune::Column::SiteId, site_commune::Column::CommuneCode, true),
            "Communes (« communes ») it works in; two sites may share one.",
        ),
        list(
            "epcis",
            through("Epci", site_epci::Column::SiteId, site_epci::Column::EpciSiren, true)
                .refers_to(entity::epci::Column::Siren),
            "Groups of communes (« EPCI ») it belongs to.",
        ),
        list(
            "departements",
            through(
                "Departement",
                site_departement::Column::SiteId,
                site_departement::Column::DepartementCode,
                true,
            ),
            "« Départements » it reaches into.",
        ),
        list(
            "pilotDepartements",
            through(
                "Departement",
                site_departement::Column::SiteId,
                site_departement::Column::DepartementCode,
                true,
            )
            .only("{l}.pilot"),
            "« Départements » whose préfecture steers it; set by ANCT.",
        ),
        many(
            "qpvs",
            through("Qpv", site_qpv::Column::SiteId, site_qpv::Column::QpvId, false)
                .only("{l}.ends_on IS NULL"),
            "« QPV » of its perimeter, of both generations; links that were ended are left out.",
        ),
        many(
            "perimeter",
            by("SiteQpv", site_qpv::Column::SiteId),
            "Its links to « QPV » (« périmètre »), ended ones included, in the order they were made.",
        ),
    ]
}

/// Who works there, and on what.
fn work_fields() -> Vec<Field> {
    vec![
        many(
            "seats",
            by("Seat", seat::Column::SiteId),
            "Seats of its partners (« sièges »), ended ones included.",
        ),
        many(
            "governanceBodies",
            by("GovernanceBody", governance_body::Column::SiteId),
            "Its committees (« instances »).",
        ),
        one_by(
            "roadmap",
            related("Roadmap", |sql, target, key| {
                sql.push(target)
                    .push(".site_id = ")
                    .push(key)
                    .push(" AND ")
                    .push(target)
                    .push(".status = 'ADOPTED'");
            }),
            "The roadmap in force (« feuille de route »); null if none is adopted.",
        ),
        many("roadmaps", by("Roadmap", roadmap::Column::SiteId), "All its roadmaps (« feuilles de route »)."),
        many("actions", by("Action", action::Column::SiteId), "Its actions (« actions »)."),
        many("figures", by("Figure", figure::Column::SiteId), "Figures about it (« chiffres »)."),
        many(
            "fundingLines",
            by("FundingLine", funding_line::Column::SiteId),
            "Lines of funding (« financements »).",
        ),
        many(
            "referents",
            by("Referent", referent::Column::SiteId),
            "Named persons (« référents »); only for those who may know them.",
        ),
    ]
}

fn counted_fields() -> Vec<Field> {
    vec![
        computed(
            "recordedActionCount",
            Kind::BigInt,
            Scalar::Int,
            |sql, viewer, alias| {
                sql.push("(SELECT count(*) FROM action ca WHERE ca.deleted_at IS NULL AND ca.site_id = ").push(alias);
                sql.push(".id AND ");
                viewer.authorize(Resource::Action, Verb::Read, "").expression(sql, "ca");
                sql.push(")");
            },
            "Actions recorded here (« actions recensées ») that the caller may read.",
        ),
        computed(
            "declaredActionCount",
            Kind::Decimal,
            Scalar::Decimal,
            |sql, viewer, alias| {
                sql.push("(SELECT cf.value FROM figure cf WHERE cf.deleted_at IS NULL AND cf.indicator = 'ACTION_COUNT'");
                sql.push(" AND cf.status IN ('PROVISIONAL', 'VALIDATED') AND cf.site_id = ").push(alias).push(".id AND ");
                viewer.authorize(Resource::Figure, Verb::Read, "").expression(sql, "cf");
                sql.push(" ORDER BY cf.period_to DESC NULLS LAST, cf.id DESC LIMIT 1)");
            },
            "Actions the site declares (« actions déclarées ») in its latest figure; may differ from those recorded here.",
        )
        .nullable(),
        group(
            "completeness",
            "SiteCompleteness",
            None,
            vec![computed(
                "missing",
                Kind::Json,
                completeness::REQUIREMENT,
                |sql, _, alias| completeness::missing(sql, alias),
                "What is not there yet (« éléments manquants »).",
            )
            .filtered()],
            "What the site still lacks for a full description (« complétude »).",
        ),
    ]
}

fn viewer_fields() -> Vec<Field> {
    vec![
        viewer_can(
            "viewerCanUpdate",
            |sql, viewer, t| viewer.authorize(Resource::Site, Verb::Update, "descriptive").expression(sql, t),
            "Whether the caller may update its descriptive fields.",
        ),
        viewer_can(
            "viewerCanSetLabel",
            |sql, viewer, t| viewer.authorize(Resource::Site, Verb::Update, "label").expression(sql, t),
            "Whether the caller may set its code, its wave and who steers it.",
        ),
        viewer_can(
            "viewerCanSetPerimeter",
            |sql, viewer, t| viewer.authorize(Resource::Site, Verb::Update, "communes").expression(sql, t),
            "Whether the caller may set its communes and its « QPV ».",
        ),
        computed(
            "viewerCanTransitionTo",
            Kind::Json,
            enumeration!(SiteStatus),
            lifecycle::viewer_can,
            "Statuses that the caller may move it to; what each needs is checked when he does.",
        ),
        viewer_can("viewerCanDelete", delete::viewer_can, "Whether the caller may delete it."),
    ]
}

fn filters() -> Vec<Filter> {
    const IN_DEPARTEMENT: &str = "SELECT 1 FROM site_departement x WHERE x.site_id = {t}.id";
    vec![
        Filter {
            name: "departement",
            description: "One of its « départements ».",
            leaf: Scalar::DepartementCode.into(),
            exists: (IN_DEPARTEMENT, "x.departement_code"),
        },
        Filter {
            name: "pilotDepartement",
            description: "One of the « départements » that steer it.",
            leaf: Scalar::DepartementCode.into(),
            exists: (
                "SELECT 1 FROM site_departement x WHERE x.site_id = {t}.id AND x.pilot",
                "x.departement_code",
            ),
        },
        Filter {
            name: "region",
            description: "One of its regions (« régions »).",
            leaf: Scalar::RegionCode.into(),
            exists: (IN_DEPARTEMENT, "x.region_code"),
        },
        Filter {
            name: "commune",
            description: "One of its communes (« communes »).",
            leaf: Scalar::CommuneCode.into(),
            exists: ("SELECT 1 FROM site_commune x WHERE x.site_id = {t}.id", "x.commune_code"),
        },
        Filter {
            name: "epci",
            description: "One of its groups of communes (« EPCI »).",
            leaf: Scalar::EpciSiren.into(),
            exists: ("SELECT 1 FROM site_epci x WHERE x.site_id = {t}.id", "x.epci_siren"),
        },
    ]
}

fn milestone() -> Noun {
    use site_milestone::Column;
    Noun::new(
        "Milestone",
        site_milestone::Entity,
        Resource::Milestone,
        "A dated step in the life of a site (« jalon »).",
    )
    .fields([
        column("kind", Column::Kind, enumeration!(MilestoneKind), "Which step (« jalon »)."),
        column(
            "start",
            Column::Starts,
            Scalar::PartialDate,
            "When it was, or began (« début »), as precisely as is known.",
        )
        .compared(Column::StartsFrom, Column::StartsTo)
        .sorted(),
        column("end", Column::Ends, Scalar::PartialDate, "When it ended (« fin »).")
            .compared(Column::EndsFrom, Column::EndsTo),
        column("label", Column::Label, Scalar::String, "Wording of the source (« libellé »)."),
        column("source", Column::Source, Scalar::String, "Who says so: deck, page, open, press or derived."),
    ])
    .ordered_by(&["start"])
}
