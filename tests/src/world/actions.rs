//! Actions: one for each site, status, publication and source, their other columns in turn.

use chrono::NaiveDate;
use cites::text::fold;
use entity::enums::{ActionStatus, Pillar};
use entity::{action, action_partner, action_qpv};

use super::{Kind, World, day, id, row};

const STATUSES: [ActionStatus; 6] = [
    ActionStatus::Draft,
    ActionStatus::Planned,
    ActionStatus::InProgress,
    ActionStatus::Suspended,
    ActionStatus::Completed,
    ActionStatus::Cancelled,
];
const SOURCES: [Option<&str>; 3] = [None, Some("FRANCE_TRAVAIL"), Some("OTHER")];
const PILLARS: [Option<Pillar>; 4] =
    [Some(Pillar::RecenserFederer), Some(Pillar::AllerVersRaccrocher), Some(Pillar::Innover), None];
/// As written, first day, last day.
const STARTS: [Option<(&str, &str, &str)>; 5] = [
    Some(("2022", "2022-01-01", "2022-12-31")),
    Some(("2022-Q2", "2022-04-01", "2022-06-30")),
    Some(("2022-11", "2022-11-01", "2022-11-30")),
    Some(("2023-03-14", "2023-03-14", "2023-03-14")),
    None,
];
const TITLES: [&str; 5] =
    ["Atelier d'été", "Atelier 100 %", "Café_emploi", "Job dating", "Œuvre \\ chantier"];
const CATEGORIES: [&[&str]; 4] = [&[], &["JOB_DATING"], &["REPERAGE", "ALLER_VERS"], &["ALLER_VERS"]];

pub(super) fn add(world: &mut World) {
    let mut n = 0;
    for site in 1..=4 {
        for status in STATUSES {
            for published in [true, false] {
                for source in SOURCES {
                    n += 1;
                    add_one(world, action_row(n, site, status, published, source));
                }
            }
        }
    }
    let mut deleted = action_row(n + 1, 1, ActionStatus::InProgress, true, None);
    deleted.deleted_at = Some(deleted.updated_at);
    add_one(world, deleted);
}

fn add_one(world: &mut World, row: action::Model) {
    let number = usize::try_from(row.id.as_u128() & 0xffff).unwrap_or_default();
    let of_site: Vec<_> = world.site_qpvs.iter().filter(|link| link.site_id == row.site_id).collect();
    // none, one or two of the site's
    let links = of_site.iter().take(number % 3);
    world.action_qpvs.extend(links.map(|link| action_qpv::Model { action_id: row.id, qpv_id: link.qpv_id }));
    if number % 2 == 0 {
        world
            .action_partners
            .push(action_partner::Model { action_id: row.id, partner_id: id(Kind::Partner, 3) });
    }
    world.actions.push(row);
}

fn action_row(
    n: u16,
    site: u16,
    status: ActionStatus,
    published: bool,
    source: Option<&str>,
) -> action::Model {
    let turn = usize::from(n);
    let title = format!("{} {n}", TITLES[turn % 5]);
    let start = STARTS[turn % 5];
    let end: Option<NaiveDate> = (turn % 3 == 0).then(|| day("2023-12-31"));
    let mut row = row!(action, id(Kind::Action, n), {
        source_updated_at: None,
        site_id: id(Kind::Site, site),
        title_search: fold(&title),
        title: title,
        description: (turn % 2 == 0).then(|| format!("Description {n}")),
        pillar: PILLARS[turn % 4],
        axis_id: (site == 1 && turn % 2 == 0).then(|| id(Kind::Axis, 1 + n % 4 / 2)),
        categories: CATEGORIES[turn % 4].iter().copied().collect(),
        audiences: ["FEMMES"].iter().copied().take(turn % 2).collect(),
        rome_codes: ["M1502"].iter().copied().take(turn % 2).collect(),
        innovative: turn % 3 == 0,
        status: status,
        starts_on: start.map(|(text, ..)| text.to_owned()),
        starts_from: start.map(|(_, from, _)| day(from)),
        starts_to: start.map(|(.., to)| day(to)),
        ends_on: end.map(|end| end.to_string()),
        ends_from: end,
        ends_to: end,
        lead_partner_id: [None, Some(1), Some(3), Some(6)][turn % 4].map(|partner| id(Kind::Partner, partner)),
        published: published,
        cancel_reason: (status == ActionStatus::Cancelled).then(|| "Faute de public".to_owned()),
        reopen_reason: None,
    });
    row.source_system = source.map(str::to_owned);
    row.source_external_id = source.map(|system| format!("{system}-{n}"));
    row
}
