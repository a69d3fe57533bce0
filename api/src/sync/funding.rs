//! Money follows its action to another site.

use std::collections::HashMap;

use entity::funding_line;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::decide::Written;
use crate::db::{Sql, bulk};
use crate::journal::{Entry, Lost, Seen};
use crate::policy::Verb;
use crate::write::{Failure, Writing};

/// A line of funding is of the site of its action.
pub(super) async fn follow(writing: Writing<'_>, written: &[Written]) -> Result<Vec<Entry>, Failure> {
    let moved: HashMap<Uuid, Uuid> = written
        .iter()
        .filter(|one| one.before.as_ref().is_some_and(|before| before.site_id != one.after.site_id))
        .map(|one| (one.after.id, one.after.site_id))
        .collect();
    if moved.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(writing.backend);
    sql.push("SELECT t.* FROM funding_line t WHERE t.deleted_at IS NULL AND ");
    sql.is_in("t.action_id", moved.keys().map(|id| (*id).into()).collect());
    sql.push(" ORDER BY t.id").lock_rows("t");
    let lines = funding_line::Entity::find().from_raw_sql(sql.into_statement()).all(writing.tx).await?;
    let (mut rows, mut entries) = (Vec::new(), Vec::new());
    for line in lines {
        let Some(site) = line.action_id.and_then(|id| moved.get(&id)).copied() else { continue };
        rows.push(funding_line::ActiveModel {
            id: Set(line.id),
            version: Set(line.version + 1),
            updated_at: Set(writing.now),
            site_id: Set(site),
            ..Default::default()
        });
        entries.push(Entry {
            entity: "FundingLine",
            id: line.id,
            version: line.version + 1,
            deleted: false,
            verb: Verb::Update,
            fields: vec!["site"],
            now: Seen::in_site(site),
            was: Seen::in_site(line.site_id),
            lost: Lost::default(),
        });
    }
    bulk::update(writing.tx, writing.backend, rows).await?;
    Ok(entries)
}
