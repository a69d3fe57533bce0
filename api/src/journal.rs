//! The journal: one row for each changed object, in the transaction of the change.
//!
//! It is read as audit trail, change feed and live changes. A row carries what decides who may see it, names of
//! changed fields, and who changed them; never a value of a personal field.

use entity::enums::JournalOp;
use entity::{StringList, journal};
use sea_orm::{ActiveModelTrait, ActiveValue::NotSet, ActiveValue::Set, DbErr};
use serde_json::Value;
use uuid::Uuid;

use crate::policy::Verb;
use crate::write::Writing;

/// What happened to one object.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Name of the noun.
    pub entity: &'static str,
    /// The object.
    pub id: Uuid,
    /// Its version after the write.
    pub version: i32,
    /// It is gone, for those who follow changes.
    pub deleted: bool,
    /// What was done.
    pub verb: Verb,
    /// Names of the fields that changed.
    pub fields: Vec<&'static str>,
    /// What decides who may see the entry: ids of site, action or QPV, source system, publication.
    pub scope: Value,
}

impl Writing<'_> {
    /// Appends an entry.
    pub async fn journal(&self, entry: Entry) -> Result<(), DbErr> {
        let actor = &self.viewer.actor;
        let row = journal::ActiveModel {
            seq: NotSet,
            xid: NotSet,
            entity: Set(entry.entity.to_owned()),
            entity_id: Set(entry.id),
            version: Set(entry.version),
            op: Set(if entry.deleted { JournalOp::Delete } else { JournalOp::Upsert }),
            verb: Set(entry.verb.name().to_owned()),
            at: Set(self.now),
            scope: Set(entry.scope),
            changed_fields: Set(StringList(entry.fields.iter().map(ToString::to_string).collect())),
            actor_sub: Set(actor.sub.clone()),
            client_id: Set(actor.client_id.clone()),
            role: Set(Some(actor.role.name().to_owned())),
            request_id: Set(Some(self.request_id.to_owned())),
            outcome: Set("OK".to_owned()),
        };
        row.insert(self.tx).await.map(|_| ())
    }
}
