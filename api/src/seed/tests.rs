//! Seeding a small database.

use std::collections::HashMap;

use chrono::DateTime;
use entity::{action, action_partner, action_qpv, figure, partner, qpv, seat, site, site_qpv};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{SeedError, seed};
use crate::clock::FixedClock;
use crate::db::{Bounds, Db};
use crate::ingest::{DataSource, run};

async fn seeded(
    folder: &std::path::Path,
    name: &str,
    number: u64,
) -> Result<(Db, super::SeedReport), SeedError> {
    let clock = FixedClock::new(DateTime::from_timestamp(1_735_000_000, 0).unwrap());
    let file = folder.join(name);
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let db = Db::open(&url, Bounds::default()).await.unwrap();
    db.migrate().await.unwrap();
    assert!(matches!(seed(&db, &clock, 1, 1, 1).await, Err(SeedError::NoSite)));
    run(&db, &clock, DataSource::Embedded, false).await.unwrap();
    assert!(matches!(seed(&db, &clock, 1, 83, 1).await, Err(SeedError::TooFewPartners(84))));
    let report = seed(&db, &clock, 2_000, 300, number).await?;
    assert!(matches!(seed(&db, &clock, 1, 84, 1).await, Err(SeedError::AlreadySeeded)));
    Ok((db, report))
}

#[tokio::test]
async fn a_seeded_set_is_plausible() {
    let folder = std::env::temp_dir().join(format!("cites-seed-{}", Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let (db, report) = seeded(&folder, "cites.db", 7).await.unwrap();
    let actions =
        action::Entity::find().order_by_asc(action::Column::SourceExternalId).all(&db.readers).await.unwrap();
    assert_eq!((report.actions, report.partners, actions.len()), (2_000, 300, 2_000));
    assert!(report.seats >= 300 && report.action_qpvs > 1_000 && report.action_partners > 1_000);
    let first = &actions[0];
    assert_eq!(first.source_external_id.as_deref(), Some("SEED-00000000"));
    assert!(first.created_at <= first.updated_at);

    let mut of_site = HashMap::<Uuid, usize>::new();
    for action in &actions {
        *of_site.entry(action.site_id).or_default() += 1;
    }
    let largest = of_site.values().max().copied().unwrap_or_default();
    assert!(of_site.len() > 60 && largest > 250, "{} sites, the largest {largest}", of_site.len());

    for link in action_qpv::Entity::find().all(&db.readers).await.unwrap().into_iter().take(50) {
        let action = actions.iter().find(|action| action.id == link.action_id).unwrap();
        let of_site = site_qpv::Entity::find()
            .filter(site_qpv::Column::SiteId.eq(action.site_id))
            .filter(site_qpv::Column::QpvId.eq(link.qpv_id));
        assert_eq!(of_site.count(&db.readers).await.unwrap(), 1, "the QPV are those of the site");
    }
    let bearers =
        seat::Entity::find().filter(seat::Column::Kind.eq("PORTEUR")).count(&db.readers).await.unwrap();
    assert_eq!(bearers, site::Entity::find().count(&db.readers).await.unwrap());
    assert_eq!(
        partner::Entity::find()
            .filter(partner::Column::SourceSystem.eq("SEED"))
            .count(&db.readers)
            .await
            .unwrap(),
        300
    );
    db.close().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What was seeded, row by row. Identities of sites and QPV differ from database to database: their codes stand here.
async fn rows(db: &Db) -> Vec<String> {
    let read = &db.readers;
    let codes: HashMap<Uuid, String> = (site::Entity::find().all(read).await.unwrap().into_iter())
        .map(|site| (site.id, site.code.unwrap()))
        .chain(qpv::Entity::find().all(read).await.unwrap().into_iter().map(|qpv| (qpv.id, qpv.code)))
        .collect();
    let named = |id: &mut Uuid| codes[&std::mem::take(id)].clone();
    let mut rows = Vec::new();
    for mut row in action::Entity::find().all(read).await.unwrap() {
        rows.push(format!("{} {row:?}", named(&mut row.site_id)));
    }
    for mut row in seat::Entity::find().filter(seat::Column::SourceSystem.eq("SEED")).all(read).await.unwrap()
    {
        rows.push(format!("{} {row:?}", named(&mut row.site_id)));
    }
    for mut row in action_qpv::Entity::find().all(read).await.unwrap() {
        rows.push(format!("{} {row:?}", named(&mut row.qpv_id)));
    }
    let partners = partner::Entity::find().filter(partner::Column::SourceSystem.eq("SEED"));
    rows.extend(partners.all(read).await.unwrap().iter().map(|row| format!("{row:?}")));
    rows.extend(action_partner::Entity::find().all(read).await.unwrap().iter().map(|row| format!("{row:?}")));
    let figures = figure::Entity::find().filter(figure::Column::ActionId.is_not_null());
    rows.extend(figures.all(read).await.unwrap().iter().map(|row| format!("{row:?}")));
    rows.sort();
    rows
}

#[tokio::test]
async fn one_seed_gives_one_set() {
    let folder = tempfile::tempdir().unwrap();
    let (one, report) = seeded(folder.path(), "one.db", 7).await.unwrap();
    let (other, _) = seeded(folder.path(), "other.db", 7).await.unwrap();
    let (ours, theirs) = (rows(&one).await, rows(&other).await);
    let all = report.actions
        + report.action_qpvs
        + report.action_partners
        + report.figures
        + report.partners
        + report.seats;
    assert_eq!(ours.len() as u64, all);
    let differing = ours.iter().zip(&theirs).find(|(a, b)| a != b);
    assert!(differing.is_none() && ours.len() == theirs.len(), "{differing:?}");
    one.close().await;
    other.close().await;
}

#[test]
fn another_seed_gives_another_set() {
    use super::{Dice, words};
    use rand::SeedableRng;
    let roll = |seed| {
        let rng = rand::rngs::StdRng::seed_from_u64(seed);
        let mut dice = Dice { rng, now: DateTime::from_timestamp(1_735_000_000, 0).unwrap() };
        let at = dice.instant();
        (at, dice.id(at), dice.pick(words::DEEDS).0, dice.some(words::ROME, 3))
    };
    assert_ne!(roll(7), roll(8));
    assert_eq!(roll(7).1.get_version_num(), 7);
}
