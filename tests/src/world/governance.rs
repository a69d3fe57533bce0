//! Committees, meetings and roadmaps.

use cites::text::fold;
use entity::enums::{
    CadenceUnit, GovernanceBodyKind, GovernanceOrigin, GovernanceStatus, MeetingStatus, MemberSeat, Pillar,
    RoadmapStatus,
};
use entity::{StringList, axis, governance_body, governance_member, meeting, roadmap};

use super::{Kind, World, day, id, row};

/// The site and status of each roadmap; the last is a tombstone.
const ROADMAPS: [(u16, i32, RoadmapStatus); 6] = [
    (1, 1, RoadmapStatus::Adopted),
    (1, 2, RoadmapStatus::Draft),
    (2, 1, RoadmapStatus::Draft),
    (3, 1, RoadmapStatus::Adopted),
    (4, 1, RoadmapStatus::Adopted),
    (2, 2, RoadmapStatus::Adopted),
];

pub(super) fn add(world: &mut World) {
    for n in 1..=5 {
        let body = body(n);
        world.members.push(governance_member::Model {
            id: id(Kind::Link, 300 + n),
            body_id: body.id,
            partner_id: id(Kind::Partner, 3),
            seat: MemberSeat::Membre,
        });
        world.meetings.push(meeting_row(n));
        world.bodies.push(body);
    }
    for (n, (site, number, status)) in (1..).zip(ROADMAPS) {
        let is_adopted = status == RoadmapStatus::Adopted;
        let mut row = row!(roadmap, id(Kind::Roadmap, n), {
            site_id: id(Kind::Site, site),
            number: number,
            status: status,
            adopted_on: is_adopted.then(|| day("2022-03-01")),
            adopted_by_meeting_id: is_adopted.then(|| id(Kind::Meeting, site)),
        });
        row.deleted_at = (n == 6).then_some(row.updated_at);
        world.axes.push(axis_row(n, &row));
        world.roadmaps.push(row);
    }
}

/// One on each site; the fifth, on the first, is a tombstone.
fn body(n: u16) -> governance_body::Model {
    let mut row = row!(governance_body, id(Kind::Body, n), {
        site_id: id(Kind::Site, if n == 5 { 1 } else { n }),
        kind: if n == 5 { GovernanceBodyKind::Cotech } else { GovernanceBodyKind::Copil },
        name: Some(format!("Instance secrète {n}")),
        origin: Some(GovernanceOrigin::ExistingBody),
        attached_to: Some("COPIL du contrat de ville".to_owned()),
        cadence_every: Some(i32::from(n)),
        cadence_unit: Some(CadenceUnit::Month),
        scale_label: Some("par quartier".to_owned()),
        parent_id: None,
        status: GovernanceStatus::Active,
    });
    row.deleted_at = (n == 5).then_some(row.updated_at);
    row
}

/// One of each committee; the fifth, of the first's, is a tombstone.
fn meeting_row(n: u16) -> meeting::Model {
    let mut row = row!(meeting, id(Kind::Meeting, n), {
        body_id: id(Kind::Body, if n == 5 { 1 } else { n }),
        held_on: day("2023-03-01"),
        status: MeetingStatus::Held,
        summary: Some(format!("Compte rendu {n}")),
        decisions: StringList(vec!["Poursuivre".to_owned()]),
    });
    row.deleted_at = (n == 5).then_some(row.updated_at);
    row
}

fn axis_row(n: u16, roadmap: &roadmap::Model) -> axis::Model {
    let label = format!("Axe {n}");
    let mut row = row!(axis, id(Kind::Axis, n), {
        roadmap_id: roadmap.id,
        site_id: roadmap.site_id,
        label_search: fold(&label),
        label: label,
        pillar: Some(Pillar::Innover),
        position: 1,
    });
    row.deleted_at = roadmap.deleted_at;
    row
}
