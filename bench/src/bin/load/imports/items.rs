//! The items that are imported.

use std::fmt::Write as _;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::script::Importer;
use crate::scenario::{Servers, content};

/// A site and one of its QPV.
#[derive(Debug)]
struct Place {
    site: String,
    qpv: String,
}

/// Where items are: sites, each with one partner.
#[derive(Debug)]
pub struct Ground(Vec<Place>);

/// How many sites.
const SITES: usize = 20;

impl Ground {
    /// Finds sites with QPV.
    pub async fn find(servers: &Servers) -> anyhow::Result<Self> {
        let query = "{ sites(first: 100, filter: { code: { isNull: false }, status: { in: [LABELLED, ACTIVE] } }) { \
                     nodes { code qpvs(first: 1) { nodes { code } } } } }";
        let answer = content(&servers.asked(query, &json!({}))).await?;
        let nodes = answer.pointer("/data/sites/nodes").and_then(Value::as_array);
        let place = |node: &Value| {
            let qpv = node.pointer("/qpvs/nodes/0/code")?.as_str()?.to_owned();
            Some(Place { site: node["code"].as_str()?.to_owned(), qpv })
        };
        let places: Vec<Place> = nodes
            .with_context(|| format!("no sites in {answer}"))?
            .iter()
            .filter_map(place)
            .take(SITES)
            .collect();
        ensure!(places.len() == SITES, "there are fewer than {SITES} sites with QPV");
        Ok(Self(places))
    }

    /// Gives each partner its seat, so that no later import has to.
    pub async fn seat(&self, importer: &Importer) -> anyhow::Result<()> {
        let mut items = String::new();
        for number in 0..SITES {
            self.write(&mut items, &Item { series: "seat", number, pass: 0 }, importer.separator());
        }
        let answer = importer.request(&items).send().await?;
        let created = super::script::count(&answer, "CREATED") + super::script::count(&answer, "UNCHANGED");
        ensure!(created == SITES, "{}", String::from_utf8_lossy(&answer));
        Ok(())
    }

    /// Appends an item as JSON.
    pub fn write(&self, out: &mut String, item: &Item<'_>, separator: char) {
        let Item { series, number, pass } = *item;
        if !out.is_empty() {
            out.push(separator);
        }
        let place = number % self.0.len();
        let Place { site, qpv } = &self.0[place];
        let partner = format!(
            "{{\"rna\":\"W7510000{place:02}\",\"name\":\"Tremplin {place}\",\"kind\":\"ASSOCIATION\"}}"
        );
        let (day, hour, minute) = (1 + pass / 1_440, pass / 60 % 24, pass % 60);
        let written = write!(
            out,
            "{{\"externalId\":\"{series}-{number}\",\"sourceUpdatedAt\":\"2023-06-{day:02}T{hour:02}:{minute:02}:00Z\",\
             \"site\":{{\"code\":\"{site}\"}},\"title\":\"Permanence emploi {number}, {pass}\",\
             \"description\":\"Rencontre entre les habitants des quartiers et les entreprises qui recrutent.\",\
             \"status\":\"PLANNED\",\"startsOn\":\"2023-09-14\",\"lead\":{partner},\"partners\":[{partner}],\
             \"romeCodes\":[\"M1502\"],\"onCreate\":{{\"pillar\":\"ALLER_VERS_RACCROCHER\",\
             \"categories\":[\"JOB_DATING\"],\"published\":true,\"qpvs\":[\"{qpv}\"]}}}}"
        );
        debug_assert!(written.is_ok(), "a text takes everything");
    }
}

/// One item.
#[derive(Clone, Copy, Debug)]
pub struct Item<'i> {
    /// What it belongs to.
    pub series: &'i str,
    /// Its number there.
    pub number: usize,
    /// How often it changed in its source: it is so many minutes younger, and its title ends so.
    pub pass: usize,
}
