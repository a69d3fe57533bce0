//! Follows the feed of changes into the mirror.

use crate::client::{Client, Refused};
use crate::mirror::{Mirror, Row, Step};
use crate::queries::{Actions, Changes, Now, actions, changes, name, now};

/// Brings the mirror up to date; gives how many changes it took.
///
/// # Errors
/// When the API refuses for good, or the mirror cannot be written.
pub async fn follow(client: &Client, mirror: &mut Mirror) -> anyhow::Result<usize> {
    let mut taken = 0;
    loop {
        let Some(after) = mirror.cursor()? else {
            start_over(client, mirror).await?;
            continue;
        };
        let page = match client.ask::<Changes>(changes::Variables { after }).await {
            Ok(data) => data.changes,
            // the database was restored, or we were away for more than a year
            Err(Refused { code, .. }) if code == "CURSOR_EXPIRED" => {
                start_over(client, mirror).await?;
                continue;
            }
            Err(refused) => return Err(refused.into()),
        };
        taken += page.nodes.len();
        let steps: Vec<Step> = page.nodes.into_iter().map(step).collect();
        mirror.apply(&steps, page.page_info.end_cursor.as_deref())?;
        if !page.page_info.has_next_page {
            return Ok(taken);
        }
    }
}

/// Reads everything. The cursor is taken first: what changes meanwhile comes again with the feed.
async fn start_over(client: &Client, mirror: &mut Mirror) -> anyhow::Result<()> {
    let cursor = client.ask::<Now>(now::Variables {}).await?.changes.page_info.end_cursor;
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = client.ask::<Actions>(actions::Variables { after }).await?.actions;
        rows.extend(page.nodes.into_iter().map(listed));
        after = page.page_info.end_cursor;
        if !page.page_info.has_next_page {
            return Ok(mirror.replace(&rows, cursor.as_deref())?);
        }
    }
}

/// `DELETE` also says that we do not see an action any more; one that is gone again since has no node.
fn step(change: changes::ChangesChangesNodes) -> Step {
    match (change.operation, change.node) {
        (changes::JournalOp::UPSERT, Some(changes::ChangesChangesNodesNode::Action(row))) => {
            Step::Put(changed(row))
        }
        _ => Step::Remove(change.entity_id),
    }
}

/// Both documents ask for the same fragment, and get types of their own.
macro_rules! row {
    ($name:ident, $row:ty) => {
        fn $name(row: $row) -> Row {
            let source = row.source.map_or((None, None), |source| (source.system, source.external_id));
            Row {
                id: row.id,
                version: row.version,
                title: row.title,
                status: name(&row.status),
                period: (row.starts_on, row.ends_on),
                site: row.site.and_then(|site| site.code),
                source,
            }
        }
    };
}
row!(listed, actions::Row);
row!(changed, changes::Row);
