//! Pages of actions, the latest written first.

use actix_web::{HttpResponse, web};
use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::form::{ActionId, Instant};
use crate::{Database, Failure, PageInfo, json};

/// Rows that come after another in the order.
pub const AFTER: &str = "(a.updated_at, a.id) < ($1, $2)";

/// Actions on a page. A constant, since a plan that must fit every limit fits none.
const FIRST: usize = 50;

/// A page of all actions; `after` says where it begins.
pub fn all(after: &str) -> String {
    format!(
        "SELECT a.id, a.title, a.status, a.starts_on, a.updated_at, p.name
         FROM action a LEFT JOIN partner p ON p.id = a.lead_partner_id AND p.deleted_at IS NULL
         WHERE a.deleted_at IS NULL AND {after} ORDER BY a.updated_at DESC, a.id DESC LIMIT 51"
    )
}

/// A page of the actions that meet conditions.
pub const FILTERED: &str = "
    SELECT a.id, a.title, a.status, a.starts_on, a.updated_at, p.name
    FROM action a LEFT JOIN partner p ON p.id = a.lead_partner_id AND p.deleted_at IS NULL
    WHERE a.deleted_at IS NULL AND a.status = ANY($1) AND a.starts_from >= $2 AND a.pillar = $3
    ORDER BY a.updated_at DESC, a.id DESC LIMIT 51";

#[derive(Serialize)]
struct Data<'r> {
    actions: Actions<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Actions<'r> {
    page_info: PageInfo,
    nodes: Vec<Action<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Action<'r> {
    id: ActionId,
    title: &'r str,
    status: &'r str,
    starts_on: Option<&'r str>,
    updated_at: Instant,
    lead: Option<Lead<'r>>,
}

#[derive(Serialize)]
struct Lead<'r> {
    name: &'r str,
}

/// Which page is asked.
#[derive(Deserialize)]
pub struct Asked {
    after: Option<String>,
}

/// What the actions of a page must meet.
#[derive(Deserialize)]
pub struct Conditions {
    status: String,
    from: NaiveDate,
    pillar: String,
}

/// A page of all actions.
pub async fn get(database: Database, asked: web::Query<Asked>) -> Result<HttpResponse, Failure> {
    let connection = database.lend().await?;
    let rows = match &asked.after {
        None => connection.client.query(&connection.first_page, &[]).await?,
        Some(cursor) => {
            let (at, id) = read_cursor(cursor).context("not a cursor")?;
            connection.client.query(&connection.next_page, &[&at, &id]).await?
        }
    };
    page(&rows)
}

/// A page of the actions that meet conditions.
pub async fn get_filtered(
    database: Database,
    asked: web::Query<Conditions>,
) -> Result<HttpResponse, Failure> {
    let connection = database.lend().await?;
    let status: Vec<&str> = asked.status.split(',').collect();
    let rows =
        connection.client.query(&connection.filtered_page, &[&status, &asked.from, &asked.pillar]).await?;
    page(&rows)
}

fn page(rows: &[Row]) -> Result<HttpResponse, Failure> {
    let shown = &rows[..rows.len().min(FIRST)];
    let nodes = shown.iter().map(action).collect::<Result<Vec<_>, _>>()?;
    let end_cursor = nodes.last().map(write_cursor);
    let page_info = PageInfo { has_next_page: rows.len() > shown.len(), end_cursor };
    json(Data { actions: Actions { page_info, nodes } })
}

fn action(row: &Row) -> Result<Action<'_>, tokio_postgres::Error> {
    Ok(Action {
        id: ActionId(row.try_get(0)?),
        title: row.try_get(1)?,
        status: row.try_get(2)?,
        starts_on: row.try_get(3)?,
        updated_at: Instant(row.try_get::<_, DateTime<Utc>>(4)?),
        lead: row.try_get::<_, Option<&str>>(5)?.map(|name| Lead { name }),
    })
}

fn write_cursor(action: &Action<'_>) -> String {
    let mut place = [0; 24];
    let (at, id) = place.split_at_mut(8);
    at.copy_from_slice(&action.updated_at.0.timestamp_micros().to_be_bytes());
    id.copy_from_slice(action.id.0.as_bytes());
    URL_SAFE_NO_PAD.encode(place)
}

fn read_cursor(text: &str) -> Option<(DateTime<Utc>, Uuid)> {
    let place: [u8; 24] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (at, id) = place.split_at(8);
    let at = DateTime::from_timestamp_micros(i64::from_be_bytes(at.try_into().ok()?))?;
    Some((at, Uuid::from_slice(id).ok()?))
}
