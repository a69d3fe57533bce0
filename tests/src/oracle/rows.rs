//! What hangs on the sites of a random world.

use cites::text::fold;
use entity::enums::{
    ActionStatus, FigureStatus, FigureSubject, GovernanceBodyKind, GovernanceStatus, Indicator,
    MeetingStatus, Pillar, RoadmapStatus,
};
use entity::{
    action, action_partner, action_qpv, axis, figure, funding_line, governance_body, governance_member,
    meeting, referent, roadmap,
};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::world::{Builder, like};
use crate::world::{Kind, World, day, id};

const ACTIONS: [ActionStatus; 7] = [
    ActionStatus::Draft,
    ActionStatus::Draft,
    ActionStatus::Planned,
    ActionStatus::InProgress,
    ActionStatus::Suspended,
    ActionStatus::Completed,
    ActionStatus::Cancelled,
];
const PILLARS: [Option<Pillar>; 3] = [None, Some(Pillar::Innover), Some(Pillar::AllerVersRaccrocher)];
/// As written, first day, last day.
const STARTS: [Option<(&str, &str, &str)>; 4] = [
    Some(("2022", "2022-01-01", "2022-12-31")),
    Some(("2022-Q2", "2022-04-01", "2022-06-30")),
    Some(("2023-03-14", "2023-03-14", "2023-03-14")),
    None,
];
const FIGURES: [FigureStatus; 5] = [
    FigureStatus::Provisional,
    FigureStatus::Validated,
    FigureStatus::Validated,
    FigureStatus::Revised,
    FigureStatus::Withdrawn,
];
const SUBJECTS: [FigureSubject; 9] = [
    FigureSubject::National,
    FigureSubject::Commune,
    FigureSubject::Epci,
    FigureSubject::Site,
    FigureSubject::Site,
    FigureSubject::Qpv,
    FigureSubject::Qpv,
    FigureSubject::Action,
    FigureSubject::Action,
];

/// Adds all of them.
pub(super) fn add(builder: &mut Builder) {
    let sites: Vec<Uuid> = builder.world.sites.iter().map(|site| site.id).collect();
    for site in &sites {
        builder.people(*site);
        builder.committees(*site);
        builder.roadmaps(*site);
        builder.actions(*site);
    }
    for n in 1..=builder.dice.small(25, 60) {
        builder.figure(n);
    }
    for n in 1..=builder.dice.small(4, 16) {
        builder.funding(n);
    }
}

/// The number of the next row of a list.
fn next<T>(rows: &[T]) -> u16 {
    u16::try_from(rows.len() + 1).unwrap_or(u16::MAX)
}

impl Builder {
    fn people(&mut self, site_id: Uuid) {
        for _ in 0..self.dice.small(0, 2) {
            let n = next(&self.world.referents);
            let row: referent::Model = like!(self.referents, id(Kind::Referent, n), {
                site_id: site_id,
                partner_id: self.dice.any(&self.world.partners).id,
                function: format!("Fonction {n}"),
                deleted_at: self.grave(12),
            });
            self.world.referents.push(row);
        }
    }

    fn committees(&mut self, site_id: Uuid) {
        use GovernanceStatus::{Active, Dissolved, Planned, Suspended};
        let mut parent = None;
        for kind in
            [GovernanceBodyKind::Copil, GovernanceBodyKind::Cotech].into_iter().take(self.dice.between(0, 2))
        {
            let n = next(&self.world.bodies);
            let row: governance_body::Model = like!(self.bodies, id(Kind::Body, n), {
                site_id: site_id,
                kind: kind,
                name: Some(format!("Instance {n}")),
                status: self.dice.any(&[Planned, Active, Suspended, Dissolved]),
                parent_id: parent.filter(|_| self.dice.chance(60)),
                deleted_at: self.grave(12),
            });
            parent = Some(row.id);
            self.members(row.id);
            self.world.bodies.push(row);
        }
    }

    fn members(&mut self, body_id: Uuid) {
        use MeetingStatus::{Cancelled, Held, Planned};
        for of in self.dice.some(&self.world.partners, 0, 2) {
            let row: governance_member::Model =
                like!(self.members, self.link(), { body_id: body_id, partner_id: of.id });
            self.world.members.push(row);
        }
        for _ in 0..self.dice.small(0, 2) {
            let n = next(&self.world.meetings);
            let row: meeting::Model = like!(self.meetings, id(Kind::Meeting, n), {
                body_id: body_id,
                status: self.dice.any(&[Planned, Held, Cancelled]),
                summary: Some(format!("Compte rendu {n}")),
                deleted_at: self.grave(12),
            });
            self.world.meetings.push(row);
        }
    }

    fn roadmaps(&mut self, site_id: Uuid) {
        use RoadmapStatus::{Adopted, Draft, Superseded};
        let mut in_force = false;
        for number in 1..=i32::from(self.dice.small(0, 2)) {
            let n = next(&self.world.roadmaps);
            let adopts = !in_force && self.dice.chance(50);
            let row: roadmap::Model = like!(self.roadmaps, id(Kind::Roadmap, n), {
                site_id: site_id,
                number: number,
                status: if adopts { Adopted } else { self.dice.any(&[Draft, Draft, Superseded]) },
                adopted_by_meeting_id: self.meeting_of(site_id).filter(|_| adopts),
                deleted_at: self.grave(12),
            });
            in_force |= adopts;
            self.axes(&row);
            self.world.roadmaps.push(row);
        }
    }

    fn meeting_of(&mut self, site: Uuid) -> Option<Uuid> {
        let bodies = self.world.bodies.iter().filter(|body| body.site_id == site);
        let bodies: Vec<Uuid> = bodies.map(|body| body.id).collect();
        let found = self.world.meetings.iter().find(|row| bodies.contains(&row.body_id));
        found.map(|row| row.id)
    }

    fn axes(&mut self, of: &roadmap::Model) {
        for position in 1..=i32::from(self.dice.small(0, 2)) {
            let n = next(&self.world.axes);
            let label = format!("Axe {n}");
            let grave = self.grave(10);
            let row: axis::Model = like!(self.axes, id(Kind::Axis, n), {
                roadmap_id: of.id,
                site_id: of.site_id,
                label_search: fold(&label),
                label: label,
                pillar: self.dice.any(&PILLARS),
                position: position,
                deleted_at: of.deleted_at.or(grave),
            });
            self.world.axes.push(row);
        }
    }

    fn actions(&mut self, site_id: Uuid) {
        for _ in 0..self.dice.small(2, 6) {
            let n = next(&self.world.actions);
            let title = format!("Action {n}");
            let start = self.dice.any(&STARTS);
            let (source_system, source_external_id) = self.source("action", n);
            let axes: Vec<Uuid> =
                self.world.axes.iter().filter(|axis| axis.site_id == site_id).map(|axis| axis.id).collect();
            let row: action::Model = like!(self.actions, id(Kind::Action, n), {
                site_id: site_id,
                title_search: fold(&title),
                title: title,
                status: self.dice.any(&ACTIONS),
                published: self.dice.chance(60),
                pillar: self.dice.any(&PILLARS),
                axis_id: self.dice.pick(&axes).copied().filter(|_| self.dice.chance(60)),
                categories: self.dice.some(&["ALLER_VERS", "REPERAGE"], 0, 2).into_iter().collect(),
                innovative: self.dice.chance(40),
                starts_on: start.map(|(text, ..)| text.to_owned()),
                starts_from: start.map(|(_, from, _)| day(from)),
                starts_to: start.map(|(.., to)| day(to)),
                ends_on: None,
                ends_from: None,
                ends_to: None,
                lead_partner_id: self.dice.some(&self.world.partners, 0, 1).first().map(|row| row.id),
                source_system: source_system,
                source_external_id: source_external_id,
                deleted_at: self.grave(10),
            });
            self.links(&row);
            self.world.actions.push(row);
        }
    }

    fn links(&mut self, of: &action::Model) {
        let links = self.world.site_qpvs.iter().filter(|link| link.site_id == of.site_id);
        let qpvs: Vec<Uuid> = links.map(|link| link.qpv_id).collect();
        for qpv_id in self.dice.some(&qpvs, 0, 2) {
            self.world.action_qpvs.push(action_qpv::Model { action_id: of.id, qpv_id });
        }
        for partner in self.dice.some(&self.world.partners, 0, 2) {
            let link = action_partner::Model { action_id: of.id, partner_id: partner.id };
            self.world.action_partners.push(link);
        }
    }

    fn figure(&mut self, n: u16) {
        use Indicator::{ActionCount, BeneficiaryCount};
        let subject = self.dice.any(&SUBJECTS);
        let World { sites, qpvs, actions, communes, epcis, .. } = &self.world;
        let (site, qpv, action) = (self.dice.any(sites), self.dice.any(qpvs), self.dice.any(actions));
        let (commune, epci) = (self.dice.any(communes), self.dice.any(epcis));
        let few = self.dice.chance(50);
        let (source_system, source_external_id) = self.source("figure", n);
        let row: figure::Model = like!(self.figures, id(Kind::Figure, n), {
            subject: subject,
            site_id: (subject == FigureSubject::Site).then_some(site.id),
            qpv_id: (subject == FigureSubject::Qpv).then_some(qpv.id),
            action_id: (subject == FigureSubject::Action).then_some(action.id),
            commune_code: (subject == FigureSubject::Commune).then_some(commune.code),
            epci_siren: (subject == FigureSubject::Epci).then_some(epci.siren),
            indicator: self.dice.any(&[ActionCount, BeneficiaryCount]),
            value: Some(Decimal::from(if few { n % 5 } else { n + 5 })),
            status: self.dice.any(&FIGURES),
            natural_key: format!("figure {n}"),
            source_system: source_system,
            source_external_id: source_external_id,
            deleted_at: self.grave(10),
        });
        self.world.figures.push(row);
    }

    fn funding(&mut self, n: u16) {
        let site = self.dice.any(&self.world.sites).id;
        let actions = self.world.actions.iter().filter(|action| action.site_id == site);
        let actions: Vec<Uuid> = actions.map(|action| action.id).collect();
        let row: funding_line::Model = like!(self.funding, id(Kind::Funding, n), {
            site_id: site,
            action_id: self.dice.pick(&actions).copied().filter(|_| self.dice.chance(60)),
            year: 2020 + i32::from(n % 3),
            funder_partner_id: self.dice.some(&self.world.partners, 0, 1).first().map(|row| row.id),
            deleted_at: self.grave(12),
        });
        self.world.funding.push(row);
    }
}
