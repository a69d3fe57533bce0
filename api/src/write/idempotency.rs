//! Answers kept for clients that ask the same thing twice: written in the transaction of the change itself, so that
//! a retry after a lost answer finds either both or neither.

use chrono::Duration;
use entity::enums::IdempotencyState;
use entity::idempotency_key::{self, Column};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, Iterable, QueryFilter, QueryTrait,
    Update,
};
use sha2::{Digest, Sha256};

use super::Writing;
use super::problem::{Failure, Problem, ProblemCode};
use crate::clock::Clock;
use crate::db::{Db, Sql};
use crate::limits;

/// Answers that one transaction forgets: writers wait for no more than that.
const BATCH: u64 = 500;

/// Forgets the answers that are kept no longer; says how many. Those who do it at once take turns.
pub async fn prune(db: &Db, clock: &dyn Clock) -> Result<u64, DbErr> {
    let mut forgotten = 0;
    while is_due(db, clock).await? {
        let tx = db.begin_write().await?;
        db.lock_within(&tx, "prune").await?;
        let mut sql = Sql::new(db.backend);
        sql.push("DELETE FROM idempotency_key WHERE (client_id, key) IN (SELECT t.client_id, t.key ");
        sql.push("FROM idempotency_key t WHERE t.expires_at <= ").bind(clock.now().into());
        sql.push(" ORDER BY t.expires_at LIMIT ").push(&BATCH.to_string()).push(")");
        forgotten += tx.execute_raw(sql.into_statement()).await?.rows_affected();
        tx.commit().await?;
    }
    Ok(forgotten)
}

/// Asked of the readers, so that who finds nothing to do keeps no writer waiting.
async fn is_due(db: &Db, clock: &dyn Clock) -> Result<bool, DbErr> {
    let due = idempotency_key::Entity::find().filter(idempotency_key::Column::ExpiresAt.lte(clock.now()));
    Ok(due.one(&db.readers).await?.is_some())
}

/// A key under which a client sends one change.
#[derive(Debug)]
pub(super) struct Key<'k> {
    /// Chosen by the client.
    pub chosen: &'k str,
    /// Mutation.
    pub operation: &'k str,
    /// SHA-256 of the person and the coerced input.
    pub input_hash: String,
}

impl<'k> Key<'k> {
    /// A key of one person: another one of the same client who sends it gets no answer of his.
    pub(super) fn new(chosen: &'k str, operation: &'k str, sub: Option<&str>, input: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(sub.unwrap_or_default());
        hasher.update([0]);
        hasher.update(input);
        Self { chosen, operation, input_hash: hex::encode(hasher.finalize()) }
    }
}

impl Writing<'_> {
    /// The answer kept under a key, if there is one; another input under it is refused. Otherwise the key is taken
    /// until the transaction ends, and a second request with it waits for that.
    pub(super) async fn kept(&self, key: &Key<'_>) -> Result<Option<String>, Failure> {
        let client = self.client();
        let taken = idempotency_key::ActiveModel {
            client_id: Set(client.clone()),
            key: Set(key.chosen.to_owned()),
            operation: Set(key.operation.to_owned()),
            input_hash: Set(key.input_hash.clone()),
            answer: Set(None),
            state: Set(IdempotencyState::Running),
            created_at: Set(self.now),
            expires_at: Set(self.now + Duration::days(limits::IDEMPOTENCY_DAYS)),
        };
        let is_key = |column: &Column| matches!(column, Column::ClientId | Column::Key);
        // one that is past its time makes room
        let on_conflict = OnConflict::columns([Column::ClientId, Column::Key])
            .update_columns(Column::iter().filter(|column| !is_key(column)))
            .action_and_where(Column::ExpiresAt.lte(self.now))
            .to_owned();
        let is_taken = idempotency_key::Entity::insert(taken)
            .on_conflict(on_conflict)
            .exec_without_returning(self.tx)
            .await?;
        if is_taken > 0 {
            return Ok(None);
        }
        let known = idempotency_key::Entity::find_by_id((client, key.chosen.to_owned())).one(self.tx).await?;
        match known {
            Some(known) if known.input_hash == key.input_hash && known.operation == key.operation => {
                Ok(Some(known.answer.unwrap_or_default()))
            }
            _ => {
                let message = "this key was used with another input; choose a new key for a new change";
                Err(Problem::at(ProblemCode::IdempotencyMismatch, "idempotencyKey", message).into())
            }
        }
    }

    /// Keeps the answer under its key.
    pub(super) async fn keep(&self, key: &Key<'_>, answer: String) -> Result<(), Failure> {
        let kept = idempotency_key::ActiveModel {
            client_id: Set(self.client()),
            key: Set(key.chosen.to_owned()),
            answer: Set(Some(answer)),
            state: Set(IdempotencyState::Done),
            ..Default::default()
        };
        let statement = Update::one(kept).validate()?.build(self.tx.get_database_backend());
        self.tx.execute_later(statement).await?;
        Ok(())
    }

    /// Gives a key back under which nothing was written.
    pub(super) async fn release(&self, key: &Key<'_>) -> Result<(), Failure> {
        let id = (self.client(), key.chosen.to_owned());
        idempotency_key::Entity::delete_by_id(id).exec(self.tx).await?;
        Ok(())
    }
}
