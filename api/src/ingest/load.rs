//! What every step of a loading works with.

use std::collections::{HashMap, HashSet};

use async_graphql::Value;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QuerySelect};
use uuid::{NoContext, Timestamp, Uuid};

use super::DataSource;
use super::report::{FileReport, Wrong};
use super::write::{Rule, Writer};
use crate::db::{Cell, Kind, Sql, Transaction, cell};
use crate::graphql::scalars::{Parsed, PartialDate, Scalar};

/// One step under way: its transaction, its files, its time and its report.
pub(super) struct Load<'a> {
    pub tx: &'a Transaction,
    pub data: &'a DataSource,
    pub now: DateTime<Utc>,
    /// The database was filled before: somebody may follow what changes.
    pub is_followed: bool,
    pub report: FileReport,
}

impl Load<'_> {
    /// A new row's identity.
    pub fn new_id(&self) -> Uuid {
        new_id(self.now)
    }

    /// Writes rows at once; those of large files go through a [`Writer`] batch by batch.
    pub async fn write<E>(&mut self, rows: Vec<E::Model>, rule: Rule<E::Column>) -> Result<(), DbErr>
    where
        E: EntityTrait,
        E::Model: IntoActiveModel<E::ActiveModel> + Sync,
        E::ActiveModel: Send,
    {
        let mut writer = Writer::<E>::new(self.tx, rule).await?;
        writer.write(self.tx, rows).await?;
        writer.finish(self).await
    }

    /// Every code of a table, to check references before the database does.
    pub async fn codes<E: EntityTrait>(&self, what: &'static str, code: E::Column) -> Result<Codes, DbErr> {
        let codes: Vec<String> = E::find().select_only().column(code).into_tuple().all(self.tx).await?;
        Ok(Codes { what, codes: codes.into_iter().collect() })
    }

    /// Sites of which somebody has set one of these fields by the API: they follow no file in that any more.
    pub async fn set_by_hand(&self, fields: &[&str]) -> Result<HashSet<Uuid>, DbErr> {
        let mut sql = Sql::on(self.tx);
        sql.push("SELECT DISTINCT t.entity_id FROM journal t WHERE t.entity = 'Site' AND t.outcome = 'OK' AND (FALSE");
        for field in fields {
            sql.push(" OR ").list_has("t.changed_fields", (*field).to_owned());
        }
        sql.push(")");
        let rows = self.tx.query_all_raw(sql.into_statement()).await?;
        let ids = rows.iter().map(|row| cell(row, 0, Kind::Uuid)).collect::<Result<Vec<_>, _>>()?;
        Ok(ids.into_iter().filter_map(|id| if let Cell::Uuid(id) = id { Some(id) } else { None }).collect())
    }

    /// Every natural key of a table with the row's id.
    pub async fn ids<E: EntityTrait>(
        &self,
        what: &'static str,
        key: E::Column,
        id: E::Column,
    ) -> Result<Ids, DbErr> {
        let pairs: Vec<(Option<String>, Uuid)> =
            E::find().select_only().columns([key, id]).into_tuple().all(self.tx).await?;
        Ok(Ids { what, ids: pairs.into_iter().filter_map(|(key, id)| Some((key?, id))).collect() })
    }
}

/// A new identity: a `UUIDv7` of this time.
pub(super) fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}

/// Codes that exist.
pub(super) struct Codes {
    what: &'static str,
    codes: HashSet<String>,
}

impl Codes {
    pub fn has(&self, code: &str) -> bool {
        self.codes.contains(code)
    }

    /// The code, if it exists.
    pub fn check(&self, code: String) -> Result<String, Wrong> {
        if self.has(&code) { Ok(code) } else { Err(unknown(self.what, &code)) }
    }
}

/// Ids by natural key.
pub(super) struct Ids {
    what: &'static str,
    ids: HashMap<String, Uuid>,
}

impl Ids {
    /// The id of the row of this key.
    pub fn get(&self, key: &str) -> Result<Uuid, Wrong> {
        self.find(key).ok_or_else(|| unknown(self.what, key))
    }

    pub fn find(&self, key: &str) -> Option<Uuid> {
        self.ids.get(key).copied()
    }
}

fn unknown(what: &str, code: &str) -> Wrong {
    Wrong::new(format!("unknown {what} {code}"), format!("a {what} loaded before"))
}

/// A code in canonical form.
pub(super) fn code(scalar: Scalar, raw: &str) -> Result<String, Wrong> {
    match scalar.parse(&Value::from(raw)) {
        Ok(Parsed::Text(code)) => Ok(code),
        _ => Err(Wrong::new(format!("{} {raw:?}", scalar.name()), scalar.expected())),
    }
}

/// A year, quarter, month or day, as an interval.
pub(super) fn partial(raw: &str) -> Result<PartialDate, Wrong> {
    raw.parse().map_err(|_| Wrong::new(format!("date {raw:?}"), Scalar::PartialDate.expected()))
}
