//! Seeding a small database.

use std::time::Duration;

use chrono::DateTime;
use entity::{action, action_qpv, partner, seat, site, site_qpv};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{SeedError, seed};
use crate::clock::FixedClock;
use crate::db::Db;
use crate::ingest::{DataSource, run};

async fn seeded(folder: &std::path::Path, name: &str) -> Result<(Db, super::SeedReport), SeedError> {
    let clock = FixedClock::new(DateTime::from_timestamp(1_735_000_000, 0).unwrap());
    let file = folder.join(name);
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let db = Db::open(&url, 2, Duration::from_secs(5)).await.unwrap();
    db.migrate().await.unwrap();
    assert!(matches!(seed(&db, &clock, 1, 1, 1).await, Err(SeedError::NoSite)));
    run(&db, &clock, DataSource::Embedded, false).await.unwrap();
    assert!(matches!(seed(&db, &clock, 1, 83, 1).await, Err(SeedError::TooFewPartners(84))));
    let report = seed(&db, &clock, 2_000, 300, 7).await?;
    assert!(matches!(seed(&db, &clock, 1, 84, 1).await, Err(SeedError::AlreadySeeded)));
    Ok((db, report))
}

#[tokio::test]
async fn a_seeded_set_is_plausible() {
    let folder = std::env::temp_dir().join(format!("cites-seed-{}", Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let (db, report) = seeded(&folder, "cites.db").await.unwrap();
    let actions =
        action::Entity::find().order_by_asc(action::Column::SourceExternalId).all(&db.readers).await.unwrap();
    assert_eq!((report.actions, report.partners, actions.len()), (2_000, 300, 2_000));
    assert!(report.seats >= 300 && report.action_qpvs > 1_000 && report.action_partners > 1_000);
    let first = &actions[0];
    assert_eq!(first.source_external_id.as_deref(), Some("SEED-00000000"));
    assert!(first.created_at <= first.updated_at);

    let mut of_site = std::collections::HashMap::<Uuid, usize>::new();
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
    db.close().await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Identities of sites differ from database to database, so what is compared is what depends on the seed.
#[test]
fn one_seed_gives_one_set() {
    use super::{Dice, words};
    use rand::SeedableRng;
    let roll = |seed| {
        let rng = rand::rngs::StdRng::seed_from_u64(seed);
        let mut dice = Dice { rng, now: DateTime::from_timestamp(1_735_000_000, 0).unwrap() };
        let at = dice.instant();
        (at, dice.id(at), dice.pick(words::DEEDS).0, dice.some(words::ROME, 3))
    };
    assert_eq!(roll(7), roll(7));
    assert_ne!(roll(7), roll(8));
    assert_eq!(roll(7).1.get_version_num(), 7);
}
