//! One action by its id, alone and with its QPV.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::try_join;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::form::{ActionId, Instant};
use crate::{Database, Failure, Nodes, json};

/// The action with what it refers to.
pub const ACTION: &str = "
    SELECT a.id, a.title, a.description, a.pillar, a.innovative, a.status, a.starts_on, a.ends_on, a.published,
           a.updated_at, s.code, s.name, p.name, p.kind
    FROM action a
    JOIN site s ON s.id = a.site_id AND s.deleted_at IS NULL
    LEFT JOIN partner p ON p.id = a.lead_partner_id AND p.deleted_at IS NULL
    WHERE a.id = $1 AND a.deleted_at IS NULL";

/// The QPV it names.
pub const QPVS: &str = "
    SELECT q.code, q.name FROM action_qpv l JOIN qpv q ON q.id = l.qpv_id
    WHERE l.action_id = $1 AND q.deleted_at IS NULL ORDER BY q.code LIMIT 20";

#[derive(Serialize)]
struct Data<'r> {
    action: Option<Action<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Action<'r> {
    id: ActionId,
    title: &'r str,
    description: Option<&'r str>,
    pillar: Option<&'r str>,
    innovative: bool,
    status: &'r str,
    starts_on: Option<&'r str>,
    ends_on: Option<&'r str>,
    published: bool,
    updated_at: Instant,
    site: Site<'r>,
    lead: Option<Lead<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qpvs: Option<Nodes<Vec<Qpv<'r>>>>,
}

#[derive(Serialize)]
struct Site<'r> {
    code: Option<&'r str>,
    name: &'r str,
}

#[derive(Serialize)]
struct Lead<'r> {
    name: &'r str,
    kind: &'r str,
}

#[derive(Serialize)]
struct Qpv<'r> {
    code: &'r str,
    name: &'r str,
}

/// An action by its id.
pub async fn get(database: Database, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let id = parse(&id)?;
    let connection = database.lend().await?;
    let row = connection.client.query_opt(&connection.action, &[&id.0]).await?;
    json(Data { action: row.as_ref().map(|row| action(row, None)).transpose()? })
}

/// An action by its id with its QPV, both from one state of the data.
pub async fn get_with_qpvs(database: Database, id: web::Path<String>) -> Result<HttpResponse, Failure> {
    let id = parse(&id)?;
    let connection = database.lend().await?;
    let client = &connection.client;
    let by_id: [&(dyn ToSql + Sync); 1] = [&id.0];
    let ((), row, qpvs, ()) = try_join!(
        biased;
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        client.query_opt(&connection.action, &by_id),
        client.query(&connection.action_qpvs, &by_id),
        client.batch_execute("COMMIT"),
    )?;
    let qpvs: Result<Vec<Qpv<'_>>, tokio_postgres::Error> =
        qpvs.iter().map(|row| Ok(Qpv { code: row.try_get(0)?, name: row.try_get(1)? })).collect();
    let qpvs = Some(Nodes { nodes: qpvs? });
    json(Data { action: row.as_ref().map(|row| action(row, qpvs)).transpose()? })
}

/// Reads the id in a path.
pub fn parse(id: &str) -> anyhow::Result<ActionId> {
    ActionId::parse(id).ok_or_else(|| anyhow::anyhow!("{id} is not the id of an action"))
}

fn action<'r>(row: &'r Row, qpvs: Option<Nodes<Vec<Qpv<'r>>>>) -> Result<Action<'r>, tokio_postgres::Error> {
    let lead = match row.try_get(12)? {
        Some(name) => Some(Lead { name, kind: row.try_get(13)? }),
        None => None,
    };
    Ok(Action {
        id: ActionId(row.try_get(0)?),
        title: row.try_get(1)?,
        description: row.try_get(2)?,
        pillar: row.try_get(3)?,
        innovative: row.try_get(4)?,
        status: row.try_get(5)?,
        starts_on: row.try_get(6)?,
        ends_on: row.try_get(7)?,
        published: row.try_get(8)?,
        updated_at: Instant(row.try_get::<_, DateTime<Utc>>(9)?),
        site: Site { code: row.try_get(10)?, name: row.try_get(11)? },
        lead,
        qpvs,
    })
}
