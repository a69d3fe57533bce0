//! Actions counted by region and pillar.

use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;

use crate::{Database, Failure, json};

/// Actions are counted by site and pillar first: 84 sites stand for all actions when regions are joined.
pub const STATISTICS: &str = "
    SELECT r.code, r.name, c.pillar, sum(c.actions)::bigint, sum(c.innovative)::bigint, count(DISTINCT c.site_id),
           trim_scale(CASE WHEN min(c.first_kind) = max(c.last_kind) THEN sum(c.beneficiaries) END)::text
    FROM (
        SELECT a.site_id, a.pillar, count(*) AS actions, count(*) FILTER (WHERE a.innovative) AS innovative,
               sum(b.total) AS beneficiaries, min(b.first_kind) AS first_kind, max(b.last_kind) AS last_kind
        FROM action a
        LEFT JOIN (
            SELECT f.action_id, sum(f.value) AS total, min(f.origin || '/' || coalesce(length(f.period), 0)) AS first_kind,
                   max(f.origin || '/' || coalesce(length(f.period), 0)) AS last_kind
            FROM figure f
            WHERE f.subject = 'ACTION' AND f.indicator = 'BENEFICIARY_COUNT' AND f.deleted_at IS NULL
              AND f.status IN ('PROVISIONAL', 'VALIDATED')
            GROUP BY f.action_id
        ) b ON b.action_id = a.id
        WHERE a.deleted_at IS NULL AND a.starts_from >= $1
        GROUP BY a.site_id, a.pillar
    ) c
    LEFT JOIN (SELECT DISTINCT site_id, region_code FROM site_departement) d ON d.site_id = c.site_id
    LEFT JOIN region r ON r.code = d.region_code
    GROUP BY r.code, r.name, c.pillar
    ORDER BY r.code, c.pillar";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'r> {
    action_statistics: Vec<Statistic<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statistic<'r> {
    group: Group<'r>,
    action_count: i64,
    innovative_count: i64,
    site_count: i64,
    beneficiary_count: Option<&'r str>,
}

#[derive(Serialize)]
struct Group<'r> {
    region: Option<Region<'r>>,
    pillar: Option<&'r str>,
}

#[derive(Serialize)]
struct Region<'r> {
    code: &'r str,
    name: &'r str,
}

/// Which actions are counted.
#[derive(Deserialize)]
pub struct Conditions {
    from: NaiveDate,
}

/// Actions counted by region and pillar.
pub async fn get(database: Database, asked: web::Query<Conditions>) -> Result<HttpResponse, Failure> {
    let connection = database.lend().await?;
    let rows = connection.client.query(&connection.statistics, &[&asked.from]).await?;
    let statistics: Result<Vec<_>, _> = rows.iter().map(statistic).collect();
    json(Data { action_statistics: statistics? })
}

fn statistic(row: &Row) -> Result<Statistic<'_>, tokio_postgres::Error> {
    let region = match row.try_get(0)? {
        Some(code) => Some(Region { code, name: row.try_get(1)? }),
        None => None,
    };
    Ok(Statistic {
        group: Group { region, pillar: row.try_get(2)? },
        action_count: row.try_get(3)?,
        innovative_count: row.try_get(4)?,
        site_count: row.try_get(5)?,
        beneficiary_count: row.try_get(6)?,
    })
}
