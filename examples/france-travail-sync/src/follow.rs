//! Follows the feed of changes into the mirror.

use crate::client::{Client, Refused};
use crate::mirror::{Mirror, Row, Step};
use crate::queries::{Actions, ActionsOfSite, Changes, Now, actions, actions_of_site, changes, name, now};

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
        let mut steps = Vec::new();
        for change in page.nodes {
            steps.extend(step(client, change).await?);
        }
        mirror.apply(&steps, page.page_info.end_cursor.as_deref())?;
        if !page.page_info.has_next_page {
            return Ok(taken);
        }
    }
}

/// Reads everything. The cursor is taken first: what changes meanwhile comes again with the feed, and what was written
/// before must be in what is read.
async fn start_over(client: &Client, mirror: &mut Mirror) -> anyhow::Result<()> {
    let cursor = client.ask::<Now>(now::Variables {}).await?.changes.page_info.end_cursor;
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = client.ask_latest::<Actions>(actions::Variables { after }).await?.actions;
        rows.extend(page.nodes.into_iter().map(listed));
        after = page.page_info.end_cursor;
        if !page.page_info.has_next_page {
            return Ok(mirror.replace(&rows, cursor.as_deref())?);
        }
    }
}

/// `DELETE` also says that we do not see an object any more; one that is gone again since has no node. A site takes its
/// actions along when it goes. One that comes is read with them, if it was not there: what we see of it may have
/// changed, and nothing else tells so.
async fn step(client: &Client, change: changes::ChangesChangesNodes) -> anyhow::Result<Vec<Step>> {
    use changes::{ChangeEntity, ChangesChangesNodesNode as Node, JournalOp};
    let is_site = matches!(change.entity, ChangeEntity::SITE);
    Ok(match (change.operation, change.node) {
        (JournalOp::UPSERT, Some(Node::Action(row))) => vec![Step::Put(changed(row))],
        (JournalOp::UPSERT, Some(_)) if is_site => of_site(client, change.entity_id).await?,
        _ if is_site => vec![Step::RemoveSite(change.entity_id)],
        _ => vec![Step::Remove(change.entity_id)],
    })
}

/// Every action of a site. The mirror keeps no sites, and so reads them whenever one has changed, which is rare.
async fn of_site(client: &Client, site: String) -> anyhow::Result<Vec<Step>> {
    let (mut steps, mut after) = (Vec::new(), None);
    loop {
        let variables = actions_of_site::Variables { site: site.clone(), after };
        let page = client.ask_latest::<ActionsOfSite>(variables).await?.actions;
        steps.extend(page.nodes.into_iter().map(|row| Step::Put(of_one_site(row))));
        after = page.page_info.end_cursor;
        if !page.page_info.has_next_page {
            return Ok(steps);
        }
    }
}

/// All documents ask for the same fragment, and get types of their own.
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
                site_id: row.site.as_ref().map(|site| site.id.clone()),
                site: row.site.and_then(|site| site.code),
                source,
            }
        }
    };
}
row!(listed, actions::Row);
row!(of_one_site, actions_of_site::Row);
row!(changed, changes::Row);
