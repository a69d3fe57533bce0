//! Revoked tokens in the database: written by `cites revoke`, read by every instance every few seconds.

use chrono::{DateTime, Utc};
use entity::{StringList, journal, revocation};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder,
};
use uuid::Uuid;

use crate::auth::{Actor, Revocations, Revoked, Role};
use crate::clock::Clock;
use crate::db::{Db, Transaction};
use crate::{journal as trail, limits};

/// Under which entity revocations stand in the journal.
const ENTITY: &str = "Revocation";

/// What is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// The token of this `jti`.
    Token(String),
    /// The tokens that this client was given so far.
    Client(String),
}

impl Named {
    fn condition(&self) -> sea_orm::sea_query::SimpleExpr {
        match self {
            Self::Token(jti) => revocation::Column::Jti.eq(jti.as_str()),
            Self::Client(client) => revocation::Column::ClientId.eq(client.as_str()),
        }
    }

    const fn column(&self) -> (revocation::Column, &'static str) {
        match self {
            Self::Token(_) => (revocation::Column::Jti, "jti"),
            Self::Client(_) => (revocation::Column::ClientId, "clientId"),
        }
    }
}

/// Why nothing was revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// Every instance holds the whole list in memory.
    #[error(
        "{} revocations are kept, and no more can be; undo some, or revoke clients instead of tokens",
        limits::REVOCATIONS
    )]
    Full,
    /// The database.
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Revokes now. What was revoked before is revoked anew: a client's later tokens too.
pub async fn revoke(
    db: &Db,
    clock: &dyn Clock,
    named: &Named,
    kept_until: DateTime<Utc>,
    reason: Option<String>,
) -> Result<(), RevokeError> {
    prune(db, clock).await?;
    let (now, tx) = (clock.now(), db.begin_write().await?);
    let known = revocation::Entity::find().filter(named.condition()).one(&tx).await?;
    if known.is_none() && revocation::Entity::find().count(&tx).await? >= limits::REVOCATIONS {
        return Err(RevokeError::Full);
    }
    let (jti, client_id) = match named.clone() {
        Named::Token(jti) => (Some(jti), None),
        Named::Client(client) => (None, Some(client)),
    };
    let id = known.map_or_else(Uuid::now_v7, |known| known.id);
    let row = revocation::Model { id, jti, client_id, revoked_at: now, kept_until, reason };
    let (column, _) = named.column();
    let again = OnConflict::column(column)
        .update_columns([
            revocation::Column::RevokedAt,
            revocation::Column::KeptUntil,
            revocation::Column::Reason,
        ])
        .to_owned();
    let row: revocation::ActiveModel = row.into();
    revocation::Entity::insert(row).on_conflict(again).exec_without_returning(&tx).await?;
    record(&tx, id, named, "revoke", now).await?;
    Ok(tx.commit().await?)
}

/// Takes a revocation back; says whether there was one.
pub async fn undo(db: &Db, clock: &dyn Clock, named: &Named) -> Result<bool, DbErr> {
    let tx = db.begin_write().await?;
    let Some(known) = revocation::Entity::find().filter(named.condition()).one(&tx).await? else {
        return Ok(false);
    };
    revocation::Entity::delete_by_id(known.id).exec(&tx).await?;
    record(&tx, known.id, named, "undo", clock.now()).await?;
    tx.commit().await?;
    Ok(true)
}

/// An operator did it, with the rights of the installation: no caller is known.
async fn record(
    tx: &Transaction,
    id: Uuid,
    named: &Named,
    verb: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let operator = Actor { role: Role::Anct, sub: Some("cites-revoke".to_owned()), ..Actor::public() };
    let entry = journal::ActiveModel {
        entity: Set(ENTITY.to_owned()),
        entity_id: Set(Some(id)),
        verb: Set(verb.to_owned()),
        changed_fields: Set(StringList(vec![named.column().1.to_owned()])),
        ..trail::by(&operator, "revoke", now)
    };
    entry.insert(tx).await.map(|_| ())
}

/// What is revoked now, the latest first.
pub async fn list(db: &Db, now: DateTime<Utc>) -> Result<Vec<revocation::Model>, DbErr> {
    revocation::Entity::find()
        .filter(revocation::Column::KeptUntil.gt(now))
        .order_by_desc(revocation::Column::RevokedAt)
        .order_by_desc(revocation::Column::Id)
        .all(&db.readers)
        .await
}

/// Forgets what is kept no longer; says how much.
pub async fn prune(db: &Db, clock: &dyn Clock) -> Result<u64, DbErr> {
    let due = revocation::Column::KeptUntil.lte(clock.now());
    // asked of the readers, so that who finds nothing to do keeps no writer waiting
    if revocation::Entity::find().filter(due.clone()).one(&db.readers).await?.is_none() {
        return Ok(0);
    }
    let tx = db.begin_write().await?;
    let forgotten = revocation::Entity::delete_many().filter(due).exec(&tx).await?.rows_affected;
    tx.commit().await?;
    Ok(forgotten)
}

/// Reads the list for an instance; if it cannot be read, the last one stays.
pub async fn refresh(db: &Db, clock: &dyn Clock, revocations: &Revocations) -> Result<(), DbErr> {
    let mut revoked = Revoked::default();
    for row in list(db, clock.now()).await? {
        revoked.tokens.extend(row.jti);
        revoked.clients.extend(row.client_id.map(|client| (client, row.revoked_at)));
    }
    revocations.set(revoked);
    Ok(())
}

/// Reads it again and again, as long as it is polled.
pub async fn follow(db: &Db, clock: &dyn Clock, revocations: &Revocations) {
    loop {
        tokio::time::sleep(limits::REVOCATIONS_FRESH).await;
        if let Err(error) = refresh(db, clock, revocations).await {
            tracing::warn!(%error, "revoked tokens could not be read; the last known stay refused");
        }
    }
}
