//! Deletions told of actions that we do not have. Their instants are kept, so that a creation which is older and comes
//! late is passed over, as one is of an action that was there.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{action, import_deletion};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, EntityTrait};

use super::input::Item;
use crate::db::{Sql, bulk};
use crate::error::ApiError;
use crate::write::{Failure, Writing};

/// When its source deleted each action that items name and that we do not have.
pub(super) type Deletions = HashMap<String, DateTime<Utc>>;

/// An action that we do not have is deleted in its source.
#[derive(Debug)]
pub(super) struct Deletion {
    pub external_id: String,
    pub at: DateTime<Utc>,
}

/// Looks up what was told of the actions that are not there. Neither a creation nor a deletion misses one that is under
/// way: calls that create wait for those that tell of a deletion, and the reverse.
pub(super) async fn load(
    writing: Writing<'_>,
    source: &str,
    items: &[Item],
    actions: &HashMap<String, action::Model>,
) -> Result<Deletions, Failure> {
    let is_unknown = |item: &&Item| item.problems.is_empty() && !actions.contains_key(&item.external_id);
    let unknown = || items.iter().filter(is_unknown);
    let ids: HashSet<&str> = unknown().map(|item| item.external_id.as_str()).collect();
    if ids.is_empty() {
        return Ok(Deletions::new());
    }
    if unknown().any(|item| item.deleted) {
        let told = told(writing, source, &ids).await?;
        let is_news = |item: &Item| told.get(&item.external_id).is_none_or(|at| *at < item.source_updated_at);
        if unknown().any(|item| item.deleted && is_news(item)) {
            writing.alone(&turn(source)).await?;
            still_unknown(writing, source, &ids).await?;
            return self::told(writing, source, &ids).await;
        }
        if unknown().all(|item| item.deleted) {
            return Ok(told);
        }
    }
    writing.beside(&turn(source)).await?;
    told(writing, source, &ids).await
}

fn turn(source: &str) -> String {
    format!("deletions {source}")
}

async fn told(writing: Writing<'_>, source: &str, ids: &HashSet<&str>) -> Result<Deletions, Failure> {
    let mut sql = Sql::new(writing.backend);
    sql.push("SELECT t.* FROM import_deletion t WHERE t.source_system = ").bind(source.into()).push(" AND ");
    sql.is_in("t.external_id", values(ids));
    let found = import_deletion::Entity::find().from_raw_sql(sql.into_statement()).all(writing.tx).await?;
    Ok(found.into_iter().map(|row| (row.external_id, row.source_updated_at)).collect())
}

/// One that was created in the meantime is found by the next attempt.
async fn still_unknown(writing: Writing<'_>, source: &str, ids: &HashSet<&str>) -> Result<(), Failure> {
    let mut sql = Sql::new(writing.backend);
    sql.push("SELECT 1 FROM action t WHERE t.source_system = ").bind(source.into()).push(" AND ");
    sql.is_in("t.source_external_id", values(ids));
    sql.push(" LIMIT 1");
    match writing.tx.query_one_raw(sql.into_statement()).await? {
        Some(_) => Err(Failure::Fault(ApiError::transient())),
        None => Ok(()),
    }
}

fn values(ids: &HashSet<&str>) -> Vec<Value> {
    ids.iter().map(|id| (*id).into()).collect()
}

/// Keeps what was told.
pub(super) async fn keep(writing: Writing<'_>, source: &str, told: Vec<Deletion>) -> Result<(), Failure> {
    let row = |one: Deletion| import_deletion::ActiveModel {
        source_system: Set(source.to_owned()),
        external_id: Set(one.external_id),
        source_updated_at: Set(one.at),
        told_at: Set(writing.now),
    };
    let rows = told.into_iter().map(row).collect();
    let later = "ON CONFLICT (source_system, external_id) DO UPDATE SET \
                 source_updated_at = excluded.source_updated_at, told_at = excluded.told_at";
    bulk::write(writing.tx, writing.backend, rows, later).await.map_err(Into::into)
}
