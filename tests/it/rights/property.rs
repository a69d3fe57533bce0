//! Random worlds, read and written by random callers, against the matrix of the domain.
//!
//! `ORACLE_CASES=100000` runs about as many cases on each database; `ORACLE_SEED=17` begins with the world of that
//! seed, so that `ORACLE_SEED=17 ORACLE_CASES=1` runs it alone.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::json;
use tests::oracle::{Reads, Who, Write, mutations, paths, random_world};
use tests::world::World;
use tests::{Dice, Template, TestApp, UNLIMITED, on_both};

/// Cases on each database.
const CASES: usize = 2_400;
/// Documents over one world, and mutations after them.
const READS: usize = 60;
const WRITES: usize = 90;

/// After so many differences a run ends.
const DIFFERENCES: usize = 5;

/// What ran.
#[derive(Default)]
struct Ran {
    worlds: u64,
    reads: usize,
    writes: usize,
    asked: BTreeSet<(&'static str, &'static str)>,
    sent: BTreeSet<&'static str>,
    differences: Vec<String>,
}

on_both!(random_worlds_are_as_the_matrix_says, Empty, async |app| {
    let cases = number("ORACLE_CASES").unwrap_or(CASES);
    let first = number("ORACLE_SEED").unwrap_or(1) as u64;
    let (began, mut ran) = (Instant::now(), Ran::default());
    while ran.reads + ran.writes < cases && ran.differences.len() < DIFFERENCES {
        let seed = first + ran.worlds;
        let app = TestApp::start_with(app.database.backend, Template::Empty, &UNLIMITED).await;
        let world = random_world(seed);
        world.clone().write(&app.db).await;
        let mut dice = Dice::new(seed);
        ran.read(&app, &mut dice, seed, &world).await;
        ran.write(&app, &mut dice, seed, &world).await;
        ran.worlds += 1;
        app.stop().await;
    }
    let seconds = began.elapsed().as_secs_f32();
    let Ran { worlds, reads, writes, .. } = ran;
    println!(
        "{reads} documents and {writes} mutations over {worlds} worlds, seeds from {first}, in {seconds:.1} s"
    );
    assert!(ran.differences.is_empty(), "{}", ran.differences.join("\n\n"));
    if cases >= CASES {
        let answer = app.public().ask("{ __schema { mutationType { fields { name } } } }").await;
        let declared = answer.column("/__schema/mutationType/fields", "name");
        let mut declared: BTreeSet<&str> = declared.iter().map(String::as_str).collect();
        // each item of an import is answered for itself: `sync::rights` asks
        declared.remove("syncActions");
        // a webhook hangs on its client and on no row of a world: `webhooks` and `writes::rights` ask
        declared.retain(|name| !name.ends_with("Webhook"));
        assert_eq!(mutations(), declared, "mutations that the oracle does not know, or that are gone");
        assert_eq!(ran.sent, declared, "mutations that were not sent");
        let missed: Vec<_> = paths().difference(&ran.asked).copied().collect();
        assert!(missed.is_empty(), "fields that were not asked for: {missed:?}");
    }
});

impl Ran {
    async fn read(&mut self, app: &TestApp, dice: &mut Dice, seed: u64, world: &World) {
        // of this world alone, so that a seed gives the same documents whatever ran before
        let mut reads = Reads::default();
        for _ in 0..READS {
            let who = Who::random(dice);
            let read = reads.random(dice, world, &who);
            let answer = who.persona(app).ask(&read.document).await;
            if let Some(difference) = read.difference(&answer) {
                self.differences.push(format!("ORACLE_SEED={seed}: {who:?}\n{difference}"));
            }
        }
        self.reads += READS;
        self.asked.extend(reads.asked.into_keys());
    }

    async fn write(&mut self, app: &TestApp, dice: &mut Dice, seed: u64, world: &World) {
        for _ in 0..WRITES {
            let who = Who::random(dice);
            let write = Write::random(dice, world, &who);
            let Some(write) = write else { continue };
            let answer = who.persona(app).query(&write.document(), json!({ "input": write.input })).await;
            let (expected, got) = (write.expected, write.outcome(&answer));
            if got != Some(expected) {
                let difference =
                    format!("{} {}\nexpected {expected:?}\ngot {answer}", write.name, write.input);
                self.differences.push(format!("ORACLE_SEED={seed}: {who:?}\n{difference}"));
            }
            self.writes += 1;
            self.sent.insert(write.name);
        }
    }
}

fn number(variable: &str) -> Option<usize> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}
