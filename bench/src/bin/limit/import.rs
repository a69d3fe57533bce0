//! An import: `UNNEST`, an upsert that skips what is unchanged, with the journal entries that the product writes for
//! the same items; then the links of new actions.

use std::collections::HashMap;

use actix_web::{HttpResponse, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::form::ActionId;
use crate::write::now;
use crate::{Database, Failure, json};

/// The upsert; the load's items change their title alone.
pub const IMPORT: &str = "
    WITH item AS MATERIALIZED (
        SELECT u.*, s.id AS site_id, p.id AS partner_id
        FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
                    $8::text[], $9::text[], $10::date[], $11::text[], $12::text[], $13::jsonb[], $14::jsonb[])
             AS u(id, external_id, source_updated_at, site, title, title_search, description, status, starts_on,
                  starts_from, partner, pillar, rome_codes, categories)
        JOIN site s ON s.code = u.site AND s.deleted_at IS NULL
        JOIN partner p ON p.rna = u.partner AND p.deleted_at IS NULL
    ), written AS (
        INSERT INTO action AS a (
            id, version, created_at, updated_at, source_system, source_external_id, source_updated_at, site_id, title,
            title_search, description, pillar, categories, audiences, rome_codes, innovative, status, starts_on,
            starts_from, starts_to, lead_partner_id, published)
        SELECT id, 1, $15, $15, 'FRANCE_TRAVAIL', external_id, source_updated_at, site_id, title, title_search,
               description, pillar, categories, '[]', rome_codes, FALSE, status, starts_on, starts_from, starts_from,
               partner_id, TRUE
        FROM item ORDER BY external_id
        ON CONFLICT (source_system, source_external_id) DO UPDATE SET
            version = a.version + 1, updated_at = excluded.updated_at, source_updated_at = excluded.source_updated_at,
            title = excluded.title, title_search = excluded.title_search, description = excluded.description,
            status = excluded.status, starts_on = excluded.starts_on, starts_from = excluded.starts_from,
            starts_to = excluded.starts_to, lead_partner_id = excluded.lead_partner_id,
            rome_codes = excluded.rome_codes
        WHERE (a.title, a.description, a.status, a.starts_on, a.lead_partner_id, a.rome_codes) IS DISTINCT FROM
              (excluded.title, excluded.description, excluded.status, excluded.starts_on, excluded.lead_partner_id,
               excluded.rome_codes)
        RETURNING id, version, site_id, source_external_id
    ), journaled AS (
        INSERT INTO journal (
            entity_id, version, verb, at, site_id, was_site_id, source_system, public, was_public, changed_fields,
            request_id, entity, op, actor_sub, client_id, role, outcome)
        SELECT id, version, CASE version WHEN 1 THEN 'create' ELSE 'update' END, $15, site_id,
               CASE version WHEN 1 THEN NULL ELSE site_id END, 'FRANCE_TRAVAIL', TRUE, version > 1,
               CASE version WHEN 1 THEN $16::jsonb ELSE $17::jsonb END, $18, 'Action', 'UPSERT',
               'dev-partner_system', 'dev-france-travail', 'partner_system', 'OK'
        FROM written
    )
    SELECT source_external_id, id, version FROM written";

/// The links of new actions.
pub const LINKS: &str = "
    WITH u AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u(id, partner, qpv)),
    qpvs AS (INSERT INTO action_qpv (action_id, qpv_id) SELECT u.id, q.id FROM u JOIN qpv q ON q.code = u.qpv)
    INSERT INTO action_partner (action_id, partner_id) SELECT u.id, p.id FROM u JOIN partner p ON p.rna = u.partner";

/// Names of the fields that a new action sets, as the product journals them.
const CREATED: [&str; 10] = [
    "title",
    "description",
    "status",
    "startsOn",
    "romeCodes",
    "lead",
    "partners",
    "pillar",
    "categories",
    "published",
];

/// Items, as the product takes them.
#[derive(Debug, Deserialize)]
pub struct Items<'i> {
    #[serde(borrow)]
    items: Vec<Item<'i>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item<'i> {
    external_id: &'i str,
    source_updated_at: DateTime<Utc>,
    site: Site<'i>,
    title: &'i str,
    description: &'i str,
    status: &'i str,
    starts_on: &'i str,
    lead: Partner<'i>,
    rome_codes: Vec<&'i str>,
    on_create: OnCreate<'i>,
}

#[derive(Debug, Deserialize)]
struct Site<'i> {
    code: &'i str,
}

#[derive(Debug, Deserialize)]
struct Partner<'i> {
    rna: &'i str,
}

#[derive(Debug, Deserialize)]
struct OnCreate<'i> {
    pillar: &'i str,
    categories: Vec<&'i str>,
    qpvs: [&'i str; 1],
}

#[derive(Serialize)]
struct Answer {
    results: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    outcome: &'static str,
    action: Option<Action>,
}

#[derive(Serialize)]
struct Action {
    id: ActionId,
    version: i32,
}

/// Imports items.
pub async fn post(database: Database, body: web::Bytes) -> Result<HttpResponse, Failure> {
    let Items { items } = serde_json::from_slice(&body)?;
    let at = now();
    let column = |of: fn(&Item<'_>) -> String| items.iter().map(of).collect::<Vec<String>>();
    let texts = |of: for<'i> fn(&Item<'i>) -> &'i str| items.iter().map(of).collect::<Vec<&str>>();
    let ids: Vec<Uuid> = items.iter().map(|_| Uuid::now_v7()).collect();
    let updated: Vec<DateTime<Utc>> = items.iter().map(|item| item.source_updated_at).collect();
    let folded = column(|item| item.title.to_lowercase());
    let starts = items.iter().map(|item| item.starts_on.parse()).collect::<Result<Vec<NaiveDate>, _>>()?;
    let rome: Vec<Json<&Vec<&str>>> = items.iter().map(|item| Json(&item.rome_codes)).collect();
    let categories: Vec<Json<&Vec<&str>>> =
        items.iter().map(|item| Json(&item.on_create.categories)).collect();
    let created = [CREATED.as_slice(), &["qpvs"]].concat();
    let connection = database.lend().await?;
    connection.client.batch_execute("BEGIN").await?;
    let rows = connection
        .client
        .query(
            &connection.import,
            &[
                &ids,
                &texts(|item| item.external_id),
                &updated,
                &texts(|item| item.site.code),
                &texts(|item| item.title),
                &folded,
                &texts(|item| item.description),
                &texts(|item| item.status),
                &texts(|item| item.starts_on),
                &starts,
                &texts(|item| item.lead.rna),
                &texts(|item| item.on_create.pillar),
                &rome,
                &categories,
                &at,
                &Json(created),
                &Json(["title"]),
                &Uuid::now_v7().to_string(),
            ],
        )
        .await?;
    let mut written = HashMap::with_capacity(rows.len());
    for row in &rows {
        written.insert(row.try_get::<_, &str>(0)?, (row.try_get::<_, Uuid>(1)?, row.try_get::<_, i32>(2)?));
    }
    let is_new = |item: &&Item<'_>| written.get(item.external_id).is_some_and(|(_, version)| *version == 1);
    let new: Vec<&Item<'_>> = items.iter().filter(is_new).collect();
    if !new.is_empty() {
        let ids: Vec<Uuid> = new.iter().map(|item| written[item.external_id].0).collect();
        let partners: Vec<&str> = new.iter().map(|item| item.lead.rna).collect();
        let qpvs: Vec<&str> = new.iter().map(|item| item.on_create.qpvs[0]).collect();
        connection.client.execute(&connection.import_links, &[&ids, &partners, &qpvs]).await?;
    }
    connection.client.batch_execute("COMMIT").await?;
    let told = |item: &Item<'_>| match written.get(item.external_id) {
        None => Told { outcome: "UNCHANGED", action: None },
        Some(&(id, version)) => Told {
            outcome: if version == 1 { "CREATED" } else { "UPDATED" },
            action: Some(Action { id: ActionId(id), version }),
        },
    };
    json(Answer { results: items.iter().map(told).collect() })
}
