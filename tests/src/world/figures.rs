//! Figures of every subject in every status, and lines of funding.

use entity::enums::{FigureStatus, FigureSubject, FigureUnit, FundingKind, Indicator};
use entity::{figure, funding_line};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Kind, World, day, id, row};

const STATUSES: [FigureStatus; 4] =
    [FigureStatus::Provisional, FigureStatus::Validated, FigureStatus::Revised, FigureStatus::Withdrawn];

/// Writes figures and numbers them.
struct Figures<'w> {
    world: &'w mut World,
    number: u16,
}

impl Figures<'_> {
    fn add(
        &mut self,
        about: About,
        indicator: Indicator,
        value: i64,
        status: FigureStatus,
    ) -> &mut figure::Model {
        self.number += 1;
        let number = self.number;
        let row = row!(figure, id(Kind::Figure, number), {
            subject: about.subject,
            site_id: about.site,
            qpv_id: about.qpv,
            commune_code: about.commune.map(str::to_owned),
            epci_siren: about.epci.map(str::to_owned),
            action_id: about.action,
            indicator: indicator,
            value: Some(Decimal::from(value)),
            unit: FigureUnit::Count,
            period: Some("2023-Q1".to_owned()),
            period_from: Some(day("2023-01-01")),
            period_to: Some(day("2023-03-31")),
            perimeter: None,
            pillar: None,
            origin: "deck".to_owned(),
            as_of: None,
            status: status,
            approximate: false,
            note: None,
            natural_key: format!("figure {number}"),
        });
        let at = self.world.figures.len();
        self.world.figures.push(row);
        &mut self.world.figures[at]
    }
}

/// What a figure is about.
#[derive(Clone, Copy)]
struct About {
    subject: FigureSubject,
    site: Option<Uuid>,
    qpv: Option<Uuid>,
    commune: Option<&'static str>,
    epci: Option<&'static str>,
    action: Option<Uuid>,
}

impl About {
    const fn of(subject: FigureSubject) -> Self {
        Self { subject, site: None, qpv: None, commune: None, epci: None, action: None }
    }
}

pub(super) fn add(world: &mut World) {
    let mut figures = Figures { world, number: 0 };
    let mut subjects: Vec<About> = vec![
        About::of(FigureSubject::National),
        About { commune: Some("69256"), ..About::of(FigureSubject::Commune) },
        About { epci: Some("200046977"), ..About::of(FigureSubject::Epci) },
    ];
    subjects
        .extend((1..=4).map(|n| About { site: Some(id(Kind::Site, n)), ..About::of(FigureSubject::Site) }));
    subjects.extend((1..=4).map(|n| About { qpv: Some(id(Kind::Qpv, n)), ..About::of(FigureSubject::Qpv) }));
    for about in subjects {
        for status in STATUSES {
            figures.add(about, Indicator::ActionCount, 40, status);
        }
    }
    // few enough to tell who they are, and not
    for (qpv, value) in [(3, 3), (4, 30)] {
        let about = About { qpv: Some(id(Kind::Qpv, qpv)), ..About::of(FigureSubject::Qpv) };
        figures.add(about, Indicator::BeneficiaryCount, value, FigureStatus::Validated);
    }
    of_actions(&mut figures);
    never_summed(&mut figures);
    let deleted =
        figures.add(About::of(FigureSubject::National), Indicator::SiteCount, 1, FigureStatus::Validated);
    deleted.deleted_at = Some(deleted.updated_at);
    for n in 1..=5 {
        world.funding.push(funding(n));
    }
}

/// Beneficiaries of every second action, in one of two statuses; of some, too few to show.
fn of_actions(figures: &mut Figures<'_>) {
    let actions: Vec<Uuid> = figures.world.actions.iter().map(|action| action.id).collect();
    for (n, action) in (1..).zip(actions).step_by(2) {
        let about = About { action: Some(action), ..About::of(FigureSubject::Action) };
        let status = if n % 4 == 1 { FigureStatus::Validated } else { FigureStatus::Provisional };
        figures.add(about, Indicator::BeneficiaryCount, if n % 6 == 1 { 3 } else { 10 + n }, status);
    }
}

/// Beneficiaries of three more actions, on the candidate: of a month, of another source, and of both a quarter and a
/// month. They are never added to the others, nor to each other.
fn never_summed(figures: &mut Figures<'_>) {
    let figures_of: [(u16, bool, &str); 4] =
        [(144, true, "deck"), (142, false, "page"), (140, false, "deck"), (140, true, "deck")];
    for (n, is_month, origin) in figures_of {
        let about = About { action: Some(id(Kind::Action, n)), ..About::of(FigureSubject::Action) };
        let row = figures.add(about, Indicator::BeneficiaryCount, 20, FigureStatus::Validated);
        origin.clone_into(&mut row.origin);
        if is_month {
            row.period = Some("2023-03".to_owned());
            row.period_from = Some(day("2023-03-01"));
        }
    }
}

/// One on each site; the fifth, on the first, is a tombstone.
fn funding(n: u16) -> funding_line::Model {
    let mut row = row!(funding_line, id(Kind::Funding, n), {
        site_id: id(Kind::Site, if n == 5 { 1 } else { n }),
        action_id: None,
        year: 2022,
        funder_partner_id: Some(id(Kind::Partner, 1)),
        programme_label: "BOP 147".to_owned(),
        amount_cents: 1_000_000_000_000 + i64::from(n),
        kind: FundingKind::Granted,
    });
    row.deleted_at = (n == 5).then_some(row.updated_at);
    row
}
