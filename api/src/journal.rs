//! The journal: one row for each changed object, in the transaction of the change.
//!
//! It is read as audit trail, change feed and live changes. A row carries what decides who may see it, names of
//! changed fields, and who changed them; never a value of a personal field.

use chrono::{DateTime, Utc};
use entity::enums::JournalOp;
use entity::{StringList, journal};
use sea_orm::{ActiveValue::NotSet, ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, QueryTrait};
use uuid::Uuid;

use crate::auth::Actor;
use crate::db::bulk;
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
    /// Who sees the row now.
    pub now: Seen,
    /// Who saw it before the write; nobody, if it was not there.
    pub was: Seen,
    /// Whose scope the write itself narrows.
    pub lost: Lost,
}

/// Those who see less than before by a write that changes a scope: its entry is the last of the trail that they see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// « Départements » that do not reach the site any more.
    pub departements: Vec<String>,
    /// SIREN numbers whose partners hold no seat in the site any more.
    pub sirens: Vec<String>,
    /// Clients that have lost a site of their grant.
    pub clients: Vec<String>,
}

/// The verb of entries that tell of a scope alone: nothing was done to their objects.
pub const RESCOPE: &str = "rescope";

/// Those whose scope of a site a write changes, whether they see more of it or less.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rescoped {
    /// « Départements ».
    pub departements: Vec<String>,
    /// SIREN numbers.
    pub sirens: Vec<String>,
    /// Clients.
    pub clients: Vec<String>,
}

/// What decides who sees a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Its site.
    pub site: Option<Uuid>,
    /// Its source system.
    pub source: Option<String>,
    /// The public sees it.
    pub public: bool,
}

impl Seen {
    /// A row of a site that the public does not see.
    pub fn in_site(site: Uuid) -> Self {
        Self { site: Some(site), ..Self::default() }
    }
}

impl Writing<'_> {
    /// Appends an entry.
    pub async fn journal(&self, entry: Entry) -> Result<(), DbErr> {
        let statement = journal::Entity::insert(self.line(entry)).build(self.tx.get_database_backend());
        self.tx.execute_later(statement).await
    }

    /// Appends entries, in their order.
    pub async fn journal_all(&self, entries: Vec<Entry>) -> Result<(), DbErr> {
        let lines = entries.into_iter().map(|entry| self.line(entry)).collect();
        bulk::write(self.tx, self.backend, lines, "").await
    }

    /// Appends entries that reach those alone whose scope has changed: noun, object with its version, and whether it
    /// leaves their sight, for a moment at least.
    pub async fn journal_rescoped(
        &self,
        who: &Rescoped,
        told: Vec<(&'static str, (Uuid, i32), bool)>,
    ) -> Result<(), DbErr> {
        let line = |(entity, (id, version), deleted): (&str, (Uuid, i32), bool)| journal::ActiveModel {
            entity: Set(entity.to_owned()),
            entity_id: Set(Some(id)),
            version: Set(version),
            op: Set(if deleted { JournalOp::Delete } else { JournalOp::Upsert }),
            verb: Set(RESCOPE.to_owned()),
            source_system: Set(None),
            lost_departements: Set(StringList(who.departements.clone())),
            lost_sirens: Set(StringList(who.sirens.clone())),
            lost_clients: Set(StringList(who.clients.clone())),
            ..by(&self.viewer.actor, self.request_id, self.now)
        };
        bulk::write(self.tx, self.backend, told.into_iter().map(line).collect(), "").await
    }

    fn line(&self, entry: Entry) -> journal::ActiveModel {
        journal::ActiveModel {
            entity: Set(entry.entity.to_owned()),
            entity_id: Set(Some(entry.id)),
            version: Set(entry.version),
            op: Set(if entry.deleted { JournalOp::Delete } else { JournalOp::Upsert }),
            verb: Set(entry.verb.name().to_owned()),
            site_id: Set(entry.now.site),
            was_site_id: Set(entry.was.site),
            source_system: Set(entry.now.source),
            public: Set(entry.now.public),
            was_public: Set(entry.was.public),
            changed_fields: Set(StringList(entry.fields.iter().map(ToString::to_string).collect())),
            lost_departements: Set(StringList(entry.lost.departements)),
            lost_sirens: Set(StringList(entry.lost.sirens)),
            lost_clients: Set(StringList(entry.lost.clients)),
            ..by(&self.viewer.actor, self.request_id, self.now)
        }
    }
}

/// An entry of what a caller did, that says nothing of an object yet: his own source is its scope, nobody else sees it.
pub(crate) fn by(actor: &Actor, request_id: &str, at: DateTime<Utc>) -> journal::ActiveModel {
    journal::ActiveModel {
        seq: NotSet,
        xid: NotSet,
        entity: NotSet,
        entity_id: Set(None),
        version: Set(0),
        op: Set(JournalOp::Upsert),
        verb: NotSet,
        at: Set(at),
        site_id: Set(None),
        was_site_id: Set(None),
        source_system: Set(actor.source.clone()),
        public: Set(false),
        was_public: Set(false),
        changed_fields: Set(StringList::default()),
        lost_departements: Set(StringList::default()),
        lost_sirens: Set(StringList::default()),
        lost_clients: Set(StringList::default()),
        actor_sub: Set(actor.sub.clone()),
        client_id: Set(actor.client_id.clone()),
        role: Set(Some(actor.role.name().to_owned())),
        request_id: Set(Some(request_id.to_owned())),
        outcome: Set("OK".to_owned()),
    }
}
