//! Whether product and limit write the same, and whether what they acknowledged is there.

use std::sync::atomic::Ordering;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::script::{Writer, Written, sites};
use crate::scenario::{Servers, content, difference};

/// Has every writer make an action and change it; compares their answers, then the rows and the journal as the
/// product reads them.
pub async fn same(servers: &Servers, writers: &[Writer]) -> anyhow::Result<()> {
    let site = sites(servers).await?.into_iter().next().context("there is no site")?;
    let mut first: Option<Value> = None;
    for writer in writers {
        let before = totals(servers).await?;
        let mut created = content(&writer.create(&site, "Un atelier")).await?;
        let id = created.pointer("/data/written/action/id").and_then(Value::as_str);
        let id = id.with_context(|| format!("{writer:?} created nothing: {created}"))?.to_owned();
        let mut updated = content(&writer.update(&id, true)).await?;
        for answer in [&mut created, &mut updated] {
            forget(answer)?;
        }
        let query = include_str!("../../../../documents/written.graphql");
        let read = content(&servers.asked(query, &json!({ "id": id }))).await?;
        // the limit without journal leaves the entries of the one before, which are the same
        let outcome = json!({ "created": created, "updated": updated, "read": read });
        let first = first.get_or_insert_with(|| outcome.clone());
        if let Some(difference) = difference(first, &outcome) {
            anyhow::bail!("product and limit write differently {difference}");
        }
        let entries = if writer.journals() { 2 } else { 0 };
        let after = totals(servers).await?;
        ensure!(after == Totals { actions: before.actions + 1, entries: before.entries + entries });
    }
    Ok(())
}

/// Takes what is each answer's own out of it.
fn forget(answer: &mut Value) -> anyhow::Result<()> {
    let action = answer.pointer_mut("/data/written/action").and_then(Value::as_object_mut);
    let action = action.context("an action is missing in the answer")?;
    ensure!(action.remove("id").is_some() && action.remove("updatedAt").is_some(), "an incomplete answer");
    Ok(())
}

/// How many rows there are.
#[derive(Debug, PartialEq, Eq)]
pub struct Totals {
    actions: u64,
    entries: u64,
}

/// Counts actions and journal entries.
pub async fn totals(servers: &Servers) -> anyhow::Result<Totals> {
    let query = include_str!("../../../../documents/totals.graphql");
    let answer = content(&servers.asked(query, &json!({}))).await?;
    let count = |name: &str| {
        let count = answer.pointer(&format!("/data/{name}/totalCount")).and_then(Value::as_u64);
        count.with_context(|| format!("no count of {name} in {answer}"))
    };
    Ok(Totals { actions: count("actions")?, entries: count("auditEvents")? })
}

/// Every acknowledged write is there once, and so is its journal entry.
pub fn kept(before: &Totals, after: &Totals, written: &Written) -> anyhow::Result<()> {
    let count = |count: &std::sync::atomic::AtomicUsize| count.load(Ordering::Relaxed) as u64;
    let (created, journaled) = (count(&written.created), count(&written.journaled));
    ensure!(after.actions == before.actions + created, "{created} actions were made: {before:?}, {after:?}");
    ensure!(after.entries == before.entries + journaled, "{journaled} entries: {before:?}, {after:?}");
    println!("\n{created} new actions and {journaled} journal entries were acknowledged, and are there.");
    Ok(())
}
