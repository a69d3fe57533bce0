//! Rows of the domain as writes make and change them.

use sea_orm::{
    ActiveModelTrait, ActiveValue, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, Iterable,
    QueryTrait, TryIntoModel, Update,
};
use uuid::Uuid;

use super::{Change, Failure, Writing};
use crate::journal::{Entry, Lost, Seen};
use crate::policy::Verb;

/// A new row: identity, version 1, times; the rest as given.
macro_rules! new_row {
    ($writing:expr, $module:ident { $($column:ident: $value:expr),* $(,)? }) => {
        $module::ActiveModel {
            id: sea_orm::ActiveValue::Set(uuid::Uuid::now_v7()),
            version: sea_orm::ActiveValue::Set(1),
            created_at: sea_orm::ActiveValue::Set($writing.now),
            updated_at: sea_orm::ActiveValue::Set($writing.now),
            deleted_at: sea_orm::ActiveValue::Set(None),
            source_system: sea_orm::ActiveValue::Set(None),
            source_external_id: sea_orm::ActiveValue::Set(None),
            $($column: sea_orm::ActiveValue::Set($value),)*
        }
    };
}

/// The next version of a row, with nothing else changed yet.
macro_rules! next_row {
    ($writing:expr, $module:ident, $current:expr) => {
        $module::ActiveModel {
            id: sea_orm::ActiveValue::Unchanged($current.id),
            version: sea_orm::ActiveValue::Set($current.version + 1),
            updated_at: sea_orm::ActiveValue::Set($writing.now),
            ..Default::default()
        }
    };
}

/// Takes a value over if it differs from the current one, and names its field.
macro_rules! take {
    ($changed:ident, $row:ident, $current:ident, $field:literal, $column:ident, $value:expr) => {{
        let value = $value;
        if value != $current.$column {
            $changed.push($field);
            $row.$column = sea_orm::ActiveValue::Set(value);
        }
    }};
}

pub(crate) use {new_row, next_row, take};

type ModelOf<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Model;
type ColumnOf<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Column;

impl Writing<'_> {
    /// Writes what changes in a row that is locked, and gives the row as it is then.
    pub async fn change<A>(&self, current: &ModelOf<A>, change: A) -> Result<ModelOf<A>, DbErr>
    where
        A: ActiveModelTrait + TryIntoModel<ModelOf<A>>,
        ModelOf<A>: IntoActiveModel<A>,
    {
        let mut row = current.clone().into_active_model();
        for column in ColumnOf::<A>::iter() {
            if let ActiveValue::Set(value) = change.get(column) {
                row.set(column, value);
            }
        }
        let statement = Update::one(change).validate()?.build(self.tx.get_database_backend());
        self.tx.execute_later(statement).await?;
        row.try_into_model()
    }

    /// Journals a row, with who saw it before and who sees it now, and gives it as the outcome.
    pub async fn record(
        &self,
        entity: &'static str,
        row: (Uuid, i32),
        verb: Verb,
        fields: Vec<&'static str>,
        seen: (Seen, Seen),
    ) -> Result<Change, Failure> {
        self.record_losing(entity, row, verb, fields, seen, Lost::default()).await
    }

    /// The same, with those whose scope the write narrows.
    pub async fn record_losing(
        &self,
        entity: &'static str,
        (id, version): (Uuid, i32),
        verb: Verb,
        fields: Vec<&'static str>,
        (was, now): (Seen, Seen),
        lost: Lost,
    ) -> Result<Change, Failure> {
        let deleted = verb == Verb::Delete;
        self.journal(Entry { entity, id, version, deleted, verb, fields, now, was, lost }).await?;
        Ok(Change { id })
    }
}

/// Before and now of a row that stays in its site.
pub fn in_site(site: Uuid) -> (Seen, Seen) {
    (Seen::in_site(site), Seen::in_site(site))
}

/// Before and now of a row that every role reads.
pub fn shared() -> (Seen, Seen) {
    let seen = || Seen { public: true, ..Seen::default() };
    (seen(), seen())
}
