//! Writes: the statements of the product for one update and one new action, in its order, in one transaction with
//! the journal entry; then what was written is read.

pub mod postgres;
pub mod sqlite;

use actix_web::HttpResponse;
use anyhow::Context;
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::form::{self, ActionId, Instant};
use crate::{Failure, json};

/// The row of an action before the write; on PostgreSQL locked.
const ACTION: &str = "
    SELECT version, site_id, source_system, published AND status <> 'DRAFT', id, created_at, updated_at, deleted_at,
           source_external_id, source_updated_at, title, title_search, description, pillar, axis_id, categories,
           audiences, rome_codes, innovative, status, starts_on, starts_from, starts_to, ends_on, ends_from, ends_to,
           lead_partner_id, cancel_reason
    FROM action t WHERE t.id = $1 AND t.deleted_at IS NULL";

/// The site of a new action; on PostgreSQL locked.
const SITE: &str = "SELECT * FROM site t WHERE t.id = $1 AND t.deleted_at IS NULL";

const UPDATE: &str = "
    UPDATE action SET version = $1, updated_at = $2, innovative = $3 WHERE id = $4 RETURNING *";

const INSERT: &str = "
    INSERT INTO action (id, created_at, updated_at, site_id, title, title_search, version, categories, audiences,
                        rome_codes, innovative, status, published)
    VALUES ($1, $2, $3, $4, $5, $6, 1, '[]', '[]', '[]', FALSE, 'DRAFT', FALSE) RETURNING *";

const JOURNAL: &str = "
    INSERT INTO journal (entity_id, version, verb, at, site_id, was_site_id, source_system, public, was_public,
                         changed_fields, request_id, entity, op, actor_sub, client_id, role, outcome)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'Action', 'UPSERT', 'dev-anct', 'dev-anct', 'anct', 'OK')";

const SHOWN: &str = "
    SELECT t.version, t.title, t.innovative, t.updated_at FROM action t WHERE t.deleted_at IS NULL AND t.id = $1";

/// What an update gives.
#[derive(Debug, Deserialize)]
pub struct Update {
    innovative: bool,
}

/// What a new action is made of.
#[derive(Debug, Deserialize)]
pub struct Create {
    site: String,
    title: String,
}

impl Create {
    fn site(&self) -> anyhow::Result<Uuid> {
        form::parse(b"site_", &self.site).context("not the id of a site")
    }
}

/// What a write leaves out.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Options {
    /// Whether there is a journal entry.
    journal: bool,
}

/// A journal entry of an action.
#[derive(Debug)]
struct Entry {
    id: Uuid,
    version: i32,
    verb: &'static str,
    at: DateTime<Utc>,
    site: Uuid,
    was_site: Option<Uuid>,
    source: Option<String>,
    public: bool,
    fields: &'static [&'static str],
}

impl Entry {
    /// Of a new action.
    fn created(id: Uuid, at: DateTime<Utc>, site: Uuid) -> Self {
        let (verb, fields) = ("create", ["site", "title"].as_slice());
        Self { id, version: 1, verb, at, site, was_site: None, source: None, public: false, fields }
    }

    /// Names of the changed fields.
    fn fields(&self) -> serde_json::Value {
        serde_json::json!(self.fields)
    }

    fn request_id() -> String {
        Uuid::now_v7().to_string()
    }
}

#[derive(Serialize)]
struct Data<'r> {
    written: Written<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'r> {
    action: Action<'r>,
    user_errors: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Action<'r> {
    id: ActionId,
    version: i32,
    title: &'r str,
    innovative: bool,
    updated_at: Instant,
}

fn answer(action: Action<'_>) -> Result<HttpResponse, Failure> {
    json(Data { written: Written { action, user_errors: [] } })
}

/// Now, as precisely as the databases keep it.
#[expect(clippy::disallowed_methods, reason = "nothing here is tested against another time")]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}
