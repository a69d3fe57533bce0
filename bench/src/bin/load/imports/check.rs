//! Whether all import the same.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::items::{Ground, Item};
use super::script::Importer;
use crate::scenario::{Servers, content, difference};

/// Items that each imports.
const ITEMS: usize = 10;

/// Has every importer make items and change one in five; compares rows and journal as the product reads them.
pub async fn same(servers: &Servers, ground: &Ground, importers: &[Importer]) -> anyhow::Result<()> {
    let mut first: Option<Value> = None;
    for importer in importers {
        let series = format!("check-{}", importer.name);
        for pass in [0, 1] {
            let mut items = String::new();
            for number in 0..ITEMS {
                let pass = if number.is_multiple_of(5) { pass } else { 0 };
                let item = Item { series: &series, number, pass };
                ground.write(&mut items, &item, importer.separator());
            }
            importer.request(&items).send().await?;
        }
        let ids: Vec<String> = (0..ITEMS).map(|number| format!("{series}-{number}")).collect();
        let query = include_str!("../../../../documents/imported.graphql");
        let variables = json!({ "ids": ids, "entries": ITEMS + ITEMS / 5 });
        let mut read = content(&servers.asked(query, &variables)).await?;
        for list in ["/data/actions/nodes", "/data/auditEvents/nodes"] {
            let list = read.pointer_mut(list).and_then(Value::as_array_mut);
            // their own order is that of ids, which are chance
            list.context("a list is missing")?.sort_by_key(ToString::to_string);
        }
        ensure!(read.get("errors").is_none(), "{read}");
        let first = first.get_or_insert_with(|| read.clone());
        if let Some(difference) = difference(first, &read) {
            anyhow::bail!("{} imports differently {difference}", importer.name);
        }
    }
    Ok(())
}
