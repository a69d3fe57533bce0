//! Committees of a site, their members and meetings; roadmaps and their axes.

mod meetings;
mod members;
mod mutations;
mod roadmaps;

use entity::{action, axis, governance_body, governance_member, meeting, roadmap};

use crate::db::Kind;
use crate::graphql::scalars::Scalar;
use crate::policy::{Resource, Verb};
use crate::read::common::{enumeration, row_fields, viewer_can};
use crate::read::declare::{Noun, by, column, computed, group, list, many, one};
use crate::read::model::Extras;
use crate::write::Mutation;

pub(crate) use members::{committees, hand_over, leave};

/// Field group that the public does not read.
const RESTRICTED: &str = "restricted";

/// The mutations of this folder.
pub fn mutations() -> Vec<Mutation> {
    [mutations::mutations(), meetings::mutations(), roadmaps::mutations()].concat()
}

/// Input objects of the mutations.
pub fn extras() -> Extras {
    Extras { inputs: [mutations::inputs(), roadmaps::inputs()].concat(), ..Extras::default() }
}

/// The nouns of this folder.
pub fn nouns() -> Vec<Noun> {
    vec![body(), member(), meeting(), roadmap(), axis()]
}

fn body() -> Noun {
    use governance_body::Column;
    Noun::new(
        "GovernanceBody",
        governance_body::Entity,
        Resource::GovernanceBody,
        "A committee or working group of a site (« instance »). The public reads its kind, origin and cadence.",
    )
    .node("body")
    .root("governanceBodies", "Committees and working groups (« instances »).")
    .lookup("governanceBody", &["id"])
    .fields([
        column("kind", Column::Kind, enumeration!(GovernanceBodyKind), "What it is (« type d'instance »): COPIL, COTECH …").sorted(),
        column("origin", Column::Origin, enumeration!(GovernanceOrigin), "Set up for the site, or an existing body."),
        group(
            "cadence",
            "Cadence",
            Some("cadence_every"),
            vec![
                column("every", Column::CadenceEvery, Scalar::Int, "How many units lie between two meetings (« toutes les … »)."),
                column("unit", Column::CadenceUnit, enumeration!(CadenceUnit), "The unit (« unité »)."),
            ],
            "How often it meets (« périodicité »); null if not stated.",
        ),
        column("name", Column::Name, Scalar::String, "Name (« nom »).").in_group(RESTRICTED),
        column("attachedTo", Column::AttachedTo, Scalar::String, "The existing body it is attached to (« instance de rattachement »).")
            .in_group(RESTRICTED),
        column("scaleLabel", Column::ScaleLabel, Scalar::String, "Ground it covers (« échelle »), in its own words.").in_group(RESTRICTED),
        column("status", Column::Status, enumeration!(GovernanceStatus), "Where it stands in its life (« statut »).").in_group(RESTRICTED),
        one("parent", "GovernanceBody", Column::ParentId, "The body it reports to (« instance de rattachement »).").in_group(RESTRICTED),
        one("site", "Site", Column::SiteId, "The site."),
        list("members", by("GovernanceMember", governance_member::Column::BodyId), "Partners that sit on it (« membres »)."),
        many("meetings", by("Meeting", meeting::Column::BodyId), "Its meetings (« réunions »), the latest first."),
    ])
    .fields(row_fields!(governance_body).map(|field| field.in_group(RESTRICTED)))
    .fields([
        viewer_can(
            "viewerCanUpdate",
            |sql, viewer, t| {
                sql.push(t).push(".status <> 'DISSOLVED' AND ");
                viewer.authorize(Resource::GovernanceBody, Verb::Write, "").expression(sql, t);
            },
            "Whether the caller may change it, its members and its meetings.",
        ),
        computed(
            "viewerCanTransitionTo",
            Kind::Json,
            enumeration!(GovernanceStatus),
            mutations::viewer_can,
            "Statuses that the caller may move it to; what each needs is checked when he does.",
        ),
    ])
    .ordered_by(&["kind"])
}

fn member() -> Noun {
    use governance_member::Column;
    Noun::new(
        "GovernanceMember",
        governance_member::Entity,
        Resource::GovernanceMember,
        "A partner's place on a committee (« membre »).",
    )
    .fields([
        column("seat", Column::Seat, enumeration!(MemberSeat), "Its place there.").sorted(),
        one("partner", "Partner", Column::PartnerId, "The partner."),
    ])
    .ordered_by(&["seat"])
}

fn meeting() -> Noun {
    use meeting::Column;
    Noun::new("Meeting", meeting::Entity, Resource::Meeting, "A meeting of a committee (« réunion »).")
        .node("meeting")
        .root("meetings", "Meetings, the latest first.")
        .lookup("meeting", &["id"])
        .fields([
            column("date", Column::HeldOn, Scalar::Date, "The day (« date »).").sorted(),
            column(
                "status",
                Column::Status,
                enumeration!(MeetingStatus),
                "Planned, held or cancelled (« statut »).",
            )
            .sorted(),
            column("summary", Column::Summary, Scalar::String, "What was said (« compte rendu »).")
                .unfiltered(),
            column(
                "decisions",
                Column::Decisions,
                Scalar::String,
                "What was decided (« décisions »), in order.",
            )
            .unfiltered(),
            one("body", "GovernanceBody", Column::BodyId, "The committee."),
        ])
        .fields(row_fields!(meeting))
        .fields([viewer_can(
            "viewerCanUpdate",
            |sql, viewer, t| {
                sql.push(t).push(".status <> 'CANCELLED' AND ");
                viewer.authorize(Resource::Meeting, Verb::Write, "").expression(sql, t);
            },
            "Whether the caller may change it, or say that it was held.",
        )])
        .ordered_by_descending("date")
}

fn roadmap() -> Noun {
    use roadmap::Column;
    Noun::new(
        "Roadmap",
        roadmap::Entity,
        Resource::Roadmap,
        "A dated version of axes and actions (« feuille de route »).",
    )
    .node("roadmap")
    .root("roadmaps", "Roadmaps (« feuilles de route »).")
    .lookup("roadmap", &["id"])
    .fields([
        column("number", Column::Number, Scalar::Int, "1, 2, … in its site (« numéro »).").sorted(),
        column(
            "status",
            Column::Status,
            enumeration!(RoadmapStatus),
            "Draft, adopted or superseded (« statut »).",
        )
        .sorted(),
        column(
            "adoptedOn",
            Column::AdoptedOn,
            Scalar::Date,
            "Day of adoption (« date d'adoption »); null if not known.",
        )
        .sorted(),
        one("adoptedByMeeting", "Meeting", Column::AdoptedByMeetingId, "The meeting that adopted it."),
        one("site", "Site", Column::SiteId, "The site."),
        list("axes", by("Axis", axis::Column::RoadmapId), "Its axes (« axes »), in order."),
    ])
    .fields(row_fields!(roadmap))
    .fields([
        viewer_can(
            "viewerCanUpdate",
            |sql, viewer, t| {
                sql.push(t).push(".status = 'DRAFT' AND ");
                viewer.authorize(Resource::Roadmap, Verb::Write, "").expression(sql, t);
            },
            "Whether the caller may change its axes.",
        ),
        viewer_can(
            "viewerCanAdopt",
            |sql, viewer, t| {
                sql.push(t).push(".status = 'DRAFT' AND ");
                viewer.authorize(Resource::Roadmap, Verb::Adopt, "").expression(sql, t);
            },
            "Whether the caller may adopt it.",
        ),
    ])
    .ordered_by(&["number"])
}

fn axis() -> Noun {
    use axis::Column;
    Noun::new(
        "Axis",
        axis::Entity,
        Resource::Axis,
        "A heading of a roadmap in the site's own words (« axe »).",
    )
    .node("axis")
    .lookup("axis", &["id"])
    .fields([
        column("label", Column::Label, Scalar::String, "Wording (« intitulé »).")
            .searched(Column::LabelSearch),
        column("pillar", Column::Pillar, enumeration!(Pillar), "National pillar it serves (« pilier »)."),
        column("position", Column::Position, Scalar::Int, "Place in the roadmap, from 1.").sorted(),
        one("roadmap", "Roadmap", Column::RoadmapId, "The roadmap."),
        one("site", "Site", Column::SiteId, "The site."),
        many("actions", by("Action", action::Column::AxisId), "Actions under it."),
    ])
    .fields(row_fields!(axis))
    .ordered_by(&["position"])
}
