//! A snapshot holds every action of a site and a source system: what it does not name is gone.

use std::collections::HashSet;

use entity::action;
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::decide::{self, Moment, Written};
use super::ground::{Ground, at};
use super::input::Item;
use crate::db::Sql;
use crate::limits;
use crate::write::{Failure, Input, Problem, ProblemCode, Writing};

/// A snapshot of one site does not speak of another. Told before anything is decided: such an item stands for nothing.
pub(super) fn refuse_strangers(items: &mut [Item], ground: &Ground, site: Uuid) {
    for item in items {
        let named = item.site.as_ref().and_then(|named| ground.site(named).ok());
        if named.is_some_and(|named| named != site) {
            item.problems.push(at(ProblemCode::Rule, &["site"], "the snapshot is of another site"));
        }
    }
}

/// What the snapshot of a site does not hold.
#[derive(Debug)]
pub(super) struct Missing {
    /// Its actions, as they are to be deleted.
    pub gone: Vec<Written>,
    /// Why they may not be: they are many, and the caller has not said that he means it.
    pub problem: Option<Problem>,
}

/// The actions that the snapshot of a site does not name. An item that was rejected names its action too. More than a
/// fifth of the site's needs the word of the caller.
pub(super) async fn absent(
    writing: Writing<'_>,
    input: &Input<'_>,
    moment: Moment<'_>,
    site: Uuid,
    items: &[Item],
) -> Result<Missing, Failure> {
    let mut sql = Sql::new(writing.backend);
    sql.push("SELECT t.* FROM action t WHERE t.deleted_at IS NULL AND t.site_id = ").bind(site.into());
    sql.push(" AND t.source_system = ").bind(moment.source.into());
    sql.push(" ORDER BY t.source_external_id").lock_rows("t");
    let rows = action::Entity::find().from_raw_sql(sql.into_statement()).all(writing.tx).await?;
    let named: HashSet<&str> = items.iter().map(|item| item.external_id.as_str()).collect();
    let all = rows.len();
    let gone: Vec<Written> = rows
        .iter()
        .filter(|row| row.source_external_id.as_deref().is_none_or(|id| !named.contains(id)))
        .map(|row| decide::gone(row, None, moment))
        .collect();
    let confirmed = matches!(input.given("confirmDeletions"), Some(async_graphql::Value::Boolean(true)));
    let too_many = !confirmed && gone.len() * 100 > all * limits::SNAPSHOT_PERCENT;
    let problem = too_many.then(|| {
        let text = format!(
            "{} of the {all} actions of the site are not in the snapshot and would be deleted; send it again with \
             confirmDeletions if that is meant",
            gone.len()
        );
        Problem::at(ProblemCode::Unconfirmed, "confirmDeletions", text)
    });
    Ok(Missing { gone, problem })
}
