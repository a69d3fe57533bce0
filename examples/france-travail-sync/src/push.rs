//! Sends the file in calls of so many rows, each under a key of its own. A call is kept until it is acknowledged: whatever
//! has changed since, in the file's settings or in the API, it is sent again as it was, under the same key.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use crate::client::{Client, body};
use crate::mapping::{Mapping, Post};
use crate::mirror::{Bad, Call, Counts, Mirror};
use crate::queries::sync_actions::{
    ImportErrorPolicy, ImportMode, ImportOutcome, SyncActionItem, SyncActionsInput, SyncActionsSyncActions,
    Variables,
};
use crate::queries::{Sites, SyncActions, name, sites};

/// How a file is sent.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'s> {
    /// The file.
    pub csv: &'s Path,
    /// When it was made, as the API writes instants.
    pub as_of: &'s str,
    /// Rows of a call, 5 000 at most.
    pub items: usize,
}

/// Sends a file; gives how often each outcome came, and the rows that were not taken. Broken off, it goes on where
/// it was when it is called again.
///
/// # Errors
/// When the file cannot be read or the API refuses for good.
pub async fn push(
    client: &Client,
    mirror: &mut Mirror,
    sending: Sending<'_>,
) -> anyhow::Result<(Counts, Vec<Bad>)> {
    let file = std::fs::read(sending.csv).with_context(|| sending.csv.display().to_string())?;
    let content = hex::encode(Sha256::new_with_prefix(sending.as_of).chain_update(&file).finalize());
    let (mut done, open) = mirror.run(&content)?;
    if let Some(call) = open {
        done = call.rows;
        send(client, mirror, &call).await?;
    }
    let mut mapping = Mapping::new(contracts(client).await?, sending.as_of);
    let mut rows = csv::Reader::from_reader(file.as_slice()).into_records().peekable();
    let headers = csv::Reader::from_reader(file.as_slice()).headers()?.clone();
    // rows that are done are read all the same, since identifiers must not come twice
    let mut passed = Rows::default();
    for _ in 0..done {
        let Some(row) = rows.next() else { break };
        passed.take(&mut mapping, row, &headers);
    }
    while rows.peek().is_some() {
        let mut call = Rows::default();
        for row in rows.by_ref().take(sending.items) {
            call.take(&mut mapping, row, &headers);
            done += 1;
        }
        let call = call.up_to(done)?;
        mirror.open_call(&call)?;
        send(client, mirror, &call).await?;
    }
    Ok(mirror.finish()?)
}

/// Rows of one call: the items, and where they stand in the file.
#[derive(Debug, Default)]
struct Rows {
    items: Vec<SyncActionItem>,
    places: Vec<(u64, String)>,
    bad: Vec<Bad>,
}

impl Rows {
    fn take(
        &mut self,
        mapping: &mut Mapping,
        row: csv::Result<csv::StringRecord>,
        headers: &csv::StringRecord,
    ) {
        let line = |position: Option<&csv::Position>| position.map_or(0, csv::Position::line);
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let bad = Bad { line: line(error.position()), id: String::new(), reason: error.to_string() };
                return self.bad.push(bad);
            }
        };
        let line = line(row.position());
        let (id, item) = match row.deserialize::<Post>(Some(headers)) {
            Ok(post) => (post.id_poste.clone(), mapping.item(&post)),
            Err(error) => (String::new(), Err(error.to_string())),
        };
        match item {
            Ok(item) => {
                self.items.push(item);
                self.places.push((line, id));
            }
            Err(reason) => self.bad.push(Bad { line, id, reason }),
        }
    }

    /// The call that sends them, the last of which is row `rows` of the file.
    fn up_to(self, rows: u64) -> anyhow::Result<Call> {
        let Self { items, places, bad } = self;
        let key = uuid::Uuid::now_v7().to_string();
        let body = (!items.is_empty()).then(|| body::<SyncActions>(variables(items, &key))).transpose()?;
        Ok(Call { rows, body, places, bad })
    }
}

/// Sends a call, and notes what became of its rows. One that is refused for good is not sent again: whoever has mended
/// what was wrong sends its rows in another.
async fn send(client: &Client, mirror: &mut Mirror, call: &Call) -> anyhow::Result<()> {
    let (mut counts, mut bad) = (BTreeMap::new(), call.bad.clone());
    if let Some(body) = &call.body {
        let answer = match client.send::<SyncActions>(body).await {
            Ok(answer) => answer.sync_actions.context("une réponse sans contenu")?,
            Err(refused) => {
                if !refused.again {
                    mirror.forget_call()?;
                }
                return Err(refused.into());
            }
        };
        if let Some(error) = answer.user_errors.first() {
            mirror.forget_call()?;
            bail!("l'appel est refusé : {} {}", name(&error.code), error.message);
        }
        read(&call.places, &answer, &mut counts, &mut bad);
    }
    Ok(mirror.done(call.rows, &counts.into_iter().collect(), &bad)?)
}

/// Reads what became of each item; the answer has them in the order in which they were sent.
fn read(
    places: &[(u64, String)],
    answer: &SyncActionsSyncActions,
    counts: &mut BTreeMap<String, u64>,
    bad: &mut Vec<Bad>,
) {
    for ((line, id), result) in places.iter().zip(&answer.results) {
        *counts.entry(name(&result.outcome)).or_default() += 1;
        if matches!(result.outcome, ImportOutcome::REJECTED | ImportOutcome::CONFLICT) {
            let reasons: Vec<String> = result
                .errors
                .iter()
                .map(|error| format!("{} {} : {}", name(&error.code), path(&error.path), error.message))
                .collect();
            bad.push(Bad { line: *line, id: id.clone(), reason: reasons.join(" ; ") });
        }
    }
}

/// `input.items.7.lead.siret` as the field of the item.
fn path(steps: &[String]) -> String {
    steps.iter().skip(3).cloned().collect::<Vec<_>>().join(".")
}

fn variables(items: Vec<SyncActionItem>, key: &str) -> Variables {
    let input = SyncActionsInput {
        mode: Some(ImportMode::UPSERT),
        on_error: Some(ImportErrorPolicy::CONTINUE),
        dry_run: None,
        site: None,
        confirm_deletions: None,
        items,
        idempotency_key: Some(key.to_owned()),
    };
    Variables { input }
}

/// Codes of sites by the codes of their local contracts.
async fn contracts(client: &Client) -> anyhow::Result<HashMap<String, Vec<String>>> {
    let (mut found, mut after) = (HashMap::<String, Vec<String>>::new(), None);
    loop {
        let page = client.ask::<Sites>(sites::Variables { after }).await?.sites;
        for site in page.nodes {
            for contract in site.contrat_ville_codes {
                found.entry(contract).or_default().extend(site.code.clone());
            }
        }
        after = page.page_info.end_cursor;
        if !page.page_info.has_next_page {
            return Ok(found);
        }
    }
}
