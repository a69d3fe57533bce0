//! Refused and failed writes of known callers, recorded in the journal beside those that were done.

use std::collections::HashMap;
use std::sync::Mutex;

use async_graphql::Value;
use chrono::{DateTime, Utc};
use entity::journal;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnectionTrait};
use uuid::Uuid;

use super::run::{Asked, Sender};
use crate::audit;
use crate::auth::Role;
use crate::clock::Clock;
use crate::db::{Cell, Db, Kind, Sql, Transaction, cell};
use crate::error::ApiError;
use crate::ids;
use crate::journal::by;
use crate::limits;
use crate::read::coerce::Arguments;

/// Refusals of each client in the current day, so that nobody fills the journal with them.
#[derive(Debug, Default)]
pub struct Refusals {
    days: Mutex<(i64, HashMap<String, Count>)>,
}

/// Refusals of one client.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    day: u32,
    minute: i64,
    in_minute: u32,
}

impl Refusals {
    /// Whether one more refusal of a client is recorded now.
    fn is_within(&self, client: &str, now: DateTime<Utc>) -> bool {
        let (day, minute) = (now.timestamp() / 86_400, now.timestamp() / 60);
        let Ok(mut days) = self.days.lock() else { return false };
        if days.0 != day {
            *days = (day, HashMap::new());
        }
        let count = days.1.entry(client.to_owned()).or_default();
        if count.minute != minute {
            (count.minute, count.in_minute) = (minute, 0);
        }
        let within = count.in_minute < limits::REFUSALS_A_MINUTE && count.day < limits::REFUSALS_A_DAY;
        if within {
            count.in_minute += 1;
            count.day += 1;
        }
        within
    }
}

/// Records that a write was refused or failed, unless the client had too many of late. That it could not be
/// recorded is logged: what the caller is told stays true.
pub(super) async fn record(
    db: &Db,
    clock: &dyn Clock,
    asked: &Asked<'_>,
    sender: Sender<'_>,
    outcome: &'static str,
) {
    let actor = &sender.viewer.actor;
    if actor.role == Role::Public {
        return;
    }
    let now = clock.now();
    let client = actor.client_id.as_deref().or(actor.sub.as_deref()).unwrap_or_default();
    if !sender.refusals.is_within(client, now) {
        tracing::info!(client, outcome, "a refused write was not recorded: too many of late");
        return;
    }
    let appended = tokio::time::timeout(db.deadline, append(db, now, asked, sender, outcome)).await;
    if let Err(error) = appended.unwrap_or_else(|_| Err(ApiError::too_long())) {
        tracing::error!(client, outcome, %error, "a refused write could not be recorded");
    }
}

async fn append(
    db: &Db,
    now: DateTime<Utc>,
    asked: &Asked<'_>,
    sender: Sender<'_>,
    outcome: &'static str,
) -> Result<(), ApiError> {
    let noun = asked.mutation.target.noun;
    let subject = asked.input.get("id").and_then(named);
    let tx = db.begin_write().await?;
    let site = site_of(db, &tx, asked.input).await?;
    let row = journal::ActiveModel {
        entity: Set(noun.to_owned()),
        entity_id: Set(subject.filter(|(prefix, _)| audit::prefix(noun) == Some(*prefix)).map(|(_, id)| id)),
        verb: Set(asked.mutation.name.to_owned()),
        site_id: Set(site),
        outcome: Set(outcome.to_owned()),
        ..by(&sender.viewer.actor, sender.request_id, now)
    };
    row.insert(&tx).await?;
    tx.commit().await?;
    Ok(())
}

fn named(value: &Value) -> Option<(&str, Uuid)> {
    if let Value::String(id) = value { ids::decode(id).ok() } else { None }
}

/// How a site is found from the id of something that hangs on it.
const SITES: [(&str, &str); 9] = [
    ("site", "SELECT t.id FROM site t WHERE t.id = "),
    ("seat", "SELECT t.site_id FROM seat t WHERE t.id = "),
    ("referent", "SELECT t.site_id FROM referent t WHERE t.id = "),
    ("body", "SELECT t.site_id FROM governance_body t WHERE t.id = "),
    ("meeting", "SELECT b.site_id FROM meeting t JOIN governance_body b ON b.id = t.body_id WHERE t.id = "),
    ("roadmap", "SELECT t.site_id FROM roadmap t WHERE t.id = "),
    ("action", "SELECT t.site_id FROM action t WHERE t.id = "),
    ("figure", "SELECT t.site_id FROM figure t WHERE t.id = "),
    ("funding", "SELECT t.site_id FROM funding_line t WHERE t.id = "),
];

/// The site that an input is about: by its subject, else by the first other id that leads to one. Those who answer
/// for the site see the refusal; the sender learns nothing from it.
async fn site_of(db: &Db, tx: &Transaction, input: &Arguments) -> Result<Option<Uuid>, ApiError> {
    let nested = input.values().filter_map(|value| match value {
        Value::Object(fields) => Some(fields.values()),
        _ => None,
    });
    let values = input.get("id").into_iter().chain(input.values()).chain(nested.flatten());
    let ids: Vec<(&str, Uuid)> = values.filter_map(named).collect();
    for (prefix, id) in ids {
        let Some((_, text)) = SITES.iter().find(|(known, _)| *known == prefix) else { continue };
        let mut sql = Sql::new(db.backend);
        sql.push(text).bind(id.into());
        let rows = tx.query_all_raw(sql.into_statement()).await?;
        if let Some(Cell::Uuid(site)) = rows.first().map(|row| cell(row, 0, Kind::Uuid)).transpose()? {
            return Ok(Some(site));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_recorded_so_often_in_a_minute_and_in_a_day() {
        let refusals = Refusals::default();
        let mut now = DateTime::from_timestamp(86_400 * 19_000, 0).unwrap();
        let mut recorded = 0;
        for _ in 0..60 {
            recorded += (0..50).filter(|_| refusals.is_within("one", now)).count();
            now += chrono::Duration::minutes(1);
        }
        assert_eq!(recorded, 1_000, "30 in each minute until the day has its share");
        assert!(refusals.is_within("other", now), "each client has its own");
        assert!(refusals.is_within("one", now + chrono::Duration::days(1)));
    }
}
