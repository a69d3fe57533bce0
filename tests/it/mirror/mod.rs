//! Who keeps a mirror by the rules of docs/sync.md has in the end what he may read, and nothing else, whatever was
//! written meanwhile and whoever lost or gained a right.
//!
//! `MIRROR_SEED=17` begins with that seed; `MIRROR_WRITES=5000` runs about as many writes on each database.

mod chance;
mod follower;
pub(crate) mod scopes;

use std::collections::BTreeMap;

use tests::{Dice, GrantedSites, Persona, Template, TestApp, UNLIMITED, on_both};

use self::chance::Chance;
use self::follower::Follower;
use crate::feed::settled;

/// Writes on each database, and of one world.
const WRITES: usize = 450;
const OF_WORLD: usize = 150;

/// Between two comparisons.
const STRETCH: usize = 50;

on_both!(a_mirror_has_what_its_owner_may_read, Empty, async |app| {
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse().expect("a number"));
    let first: usize = number("MIRROR_SEED").unwrap_or(1);
    let writes: usize = number("MIRROR_WRITES").unwrap_or(WRITES);
    let (mut done, mut seed): (BTreeMap<&str, usize>, _) = (BTreeMap::new(), first);
    while seed == first || (seed - first) * OF_WORLD < writes {
        let app = TestApp::start_with(app.database.backend, Template::Small, &UNLIMITED).await;
        println!("MIRROR_SEED={seed}");
        run(&app, seed as u64, &mut done).await;
        app.stop().await;
        seed += 1;
    }
    println!("{done:?}");
    let missed: Vec<_> = chance::WRITES.iter().filter(|name| !done.contains_key(**name)).collect();
    assert!(writes < WRITES || missed.is_empty(), "never done: {missed:?}");
});

async fn run(app: &TestApp, seed: u64, done: &mut BTreeMap<&'static str, usize>) {
    let mut dice = Dice::new(seed);
    let systems = [
        app.partner("FRANCE_TRAVAIL", GrantedSites::Codes(&["cde-901"])).await,
        app.partner("OTHER", GrantedSites::All).await,
    ];
    let mut followers = Vec::new();
    for persona in everybody(app, &systems) {
        followers.push(Follower::new(persona).await);
    }
    let mut chance = Chance::new(app, &systems);
    for n in 1..=OF_WORLD {
        if let Some(name) = chance.write(&mut dice).await {
            *done.entry(name).or_default() += 1;
        }
        for follower in &mut followers {
            if dice.chance(10) {
                let first = dice.small(1, 40);
                follower.page(first).await;
            }
        }
        if n % STRETCH == 0 {
            chance.restore_grants().await;
            settled(app).await;
            for follower in &mut followers {
                let difference = follower.difference().await;
                assert!(
                    difference.is_empty(),
                    "MIRROR_SEED={seed}, after {n} writes: {difference:#?}\n{:#?}",
                    chance.log
                );
            }
        }
    }
}

fn everybody<'a>(app: &'a TestApp, systems: &[Persona<'a>]) -> Vec<Persona<'a>> {
    let mut all = vec![app.anct()];
    all.extend([&["69"][..], &["59", "02"], &["38"], &["93"]].map(|codes| app.prefecture(codes)));
    let sirens = ["200046977", "200040715", "732829320", "356000000"];
    all.extend(sirens.map(|siren| app.collectivite(&[siren])));
    all.extend(systems.iter().cloned());
    all
}
