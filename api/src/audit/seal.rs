//! Seals the journal into a chain of hashes, in the background, so that writers never wait for it.
//!
//! A seal covers every entry committed since the one before. On PostgreSQL a range ends below the oldest transaction
//! still open, so no entry can join it later; on SQLite there is one writer, and entries are numbered in the order
//! of their commits. Each hash covers the hash before, so that changing or removing one entry breaks every seal
//! from there on. Who holds the database can still rewrite the whole chain: publishing its last hash elsewhere, at
//! times, is what stops that.

use entity::{audit_seal, journal};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::db::{Backend, Db, Transaction};

/// How many entries one seal covers, about.
const ENTRIES: u64 = 5_000;

/// What is wrong with the chain.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("seal {number} of {at}: {problem}")]
pub struct Break {
    /// The first seal that does not hold.
    pub number: i64,
    /// When it was sealed.
    pub at: String,
    /// What is wrong with it.
    pub problem: String,
}

/// A database that was restored from a dump into a cluster that counts transactions from below: what is written there
/// would join ranges that are sealed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the journal ends at transaction {last}, and this cluster is at {next}: it was restored from a dump, and new \
     entries would fall into sealed ranges. Let the cluster count up first, in psql: \
     DO $$ BEGIN FOR i IN {next}..{last} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
)]
pub struct Gap {
    /// The highest transaction that was journaled or sealed.
    pub last: i64,
    /// The next that the cluster gives.
    pub next: i64,
}

/// Whether transactions are numbered below those of the journal.
pub async fn gap(db: &Db) -> Result<Option<Gap>, DbErr> {
    let Some(next) = db.next_transaction().await? else { return Ok(None) };
    let sealed = last(&db.readers).await?.map_or(0, |seal| seal.last_mark);
    let journaled = journal::Entity::find().select_only().column(journal::Column::Xid);
    let journaled = journaled.filter(journal::Column::Xid.is_not_null());
    let journaled: Option<i64> =
        journaled.order_by_desc(journal::Column::Xid).into_tuple().one(&db.readers).await?;
    let last = sealed.max(journaled.unwrap_or(0));
    Ok((next <= last).then_some(Gap { last, next }))
}

/// Seals what was committed since the last time, in as many seals as it takes; says how many.
pub async fn seal(db: &Db, clock: &dyn Clock) -> Result<u64, DbErr> {
    if !has_news(db).await? {
        return Ok(0);
    }
    let mut seals = 0;
    while seal_one(db, clock).await? {
        seals += 1;
    }
    Ok(seals)
}

async fn last(tx: &impl sea_orm::ConnectionTrait) -> Result<Option<audit_seal::Model>, DbErr> {
    audit_seal::Entity::find().order_by_desc(audit_seal::Column::Number).one(tx).await
}

/// The column by which ranges are cut.
const fn mark(backend: Backend) -> journal::Column {
    match backend {
        Backend::Postgres => journal::Column::Xid,
        Backend::Sqlite => journal::Column::Seq,
    }
}

async fn has_news(db: &Db) -> Result<bool, DbErr> {
    let after = last(&db.readers).await?.map_or(-1, |seal| seal.last_mark);
    let found = journal::Entity::find().filter(mark(db.backend).gt(after)).one(&db.readers).await?;
    Ok(found.is_some())
}

async fn seal_one(db: &Db, clock: &dyn Clock) -> Result<bool, DbErr> {
    let tx = db.begin_write().await?;
    // one instance seals at a time, on the one connection that it writes with: writers wait for those
    db.lock_within(&tx, "audit").await?;
    let before = last(&tx).await?;
    let (number, after, previous) =
        before.map_or((1, -1, String::new()), |seal| (seal.number + 1, seal.last_mark, seal.hash));
    let Some(until) = until(&tx, db, after).await? else {
        tx.rollback().await?;
        return Ok(false);
    };
    let (hash, entries) = hash(&tx, db.backend, &previous, after, until).await?;
    let seal = audit_seal::ActiveModel {
        number: Set(number),
        after_mark: Set(after),
        last_mark: Set(until),
        entries: Set(entries),
        previous_hash: Set(previous),
        hash: Set(hash),
        at: Set(clock.now()),
    };
    seal.insert(&tx).await?;
    tx.commit().await?;
    Ok(true)
}

/// Where the next range ends; none when nothing new is settled.
async fn until(tx: &Transaction, db: &Db, after: i64) -> Result<Option<i64>, DbErr> {
    let mark = mark(db.backend);
    let settled = db.settled_before(tx).await?;
    let mut marks = journal::Entity::find().select_only().column(mark).filter(mark.gt(after));
    if let Some(settled) = settled {
        marks = marks.filter(mark.lt(settled));
    }
    let marks: Vec<Option<i64>> = marks.order_by_asc(mark).limit(ENTRIES).into_tuple().all(tx).await?;
    Ok(marks.into_iter().flatten().next_back())
}

/// The hash of a range, and how many entries it has.
async fn hash(
    connection: &impl sea_orm::ConnectionTrait,
    backend: Backend,
    previous: &str,
    after: i64,
    until: i64,
) -> Result<(String, i64), DbErr> {
    let mark = mark(backend);
    let entries = journal::Entity::find()
        .filter(mark.gt(after))
        .filter(mark.lte(until))
        .order_by_asc(mark)
        .order_by_asc(journal::Column::Seq)
        .all(connection)
        .await?;
    let mut hasher = Sha256::new();
    hasher.update(previous);
    for entry in &entries {
        hasher.update(line(entry));
    }
    Ok((hex::encode(hasher.finalize()), i64::try_from(entries.len()).unwrap_or(i64::MAX)))
}

/// An entry as it is hashed: every column, in one fixed form.
fn line(entry: &journal::Model) -> String {
    let journal::Model {
        seq,
        xid,
        entity,
        entity_id,
        version,
        op,
        verb,
        at,
        site_id,
        was_site_id,
        source_system,
        public,
        was_public,
        changed_fields,
        lost_departements,
        lost_sirens,
        lost_clients,
        actor_sub,
        client_id,
        role,
        request_id,
        outcome,
    } = entry;
    let at = at.timestamp_micros();
    let op = op.as_str();
    format!(
        "{:?}\n",
        (
            (seq, xid, entity, entity_id, version, op, verb, at),
            (site_id, was_site_id, source_system, public, was_public, &changed_fields.0),
            (&lost_departements.0, &lost_sirens.0, &lost_clients.0),
            (actor_sub, client_id, role, request_id, outcome),
        )
    )
}

/// A chain that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// How many seals it has: the number of the last.
    pub seals: i64,
    /// How many entries they cover.
    pub entries: i64,
    /// The hash of the last, which proves all before it.
    pub hash: String,
}

/// Follows the chain from its beginning; gives what it proves, or the first break.
pub async fn verify(db: &Db) -> Result<Result<Chain, Break>, DbErr> {
    let seals = audit_seal::Entity::find().order_by_asc(audit_seal::Column::Number).all(&db.readers).await?;
    let (mut previous, mut after, mut total) = (String::new(), -1, 0);
    for (number, seal) in (1..).zip(&seals) {
        let broken = |problem: String| Break { number: seal.number, at: seal.at.to_rfc3339(), problem };
        if seal.number != number {
            return Ok(Err(broken(format!("seal {number} is missing before it"))));
        }
        if seal.previous_hash != previous || seal.after_mark != after {
            return Ok(Err(broken("it does not continue the seal before it".to_owned())));
        }
        let (hash, entries) = hash(&db.readers, db.backend, &previous, after, seal.last_mark).await?;
        if hash != seal.hash {
            let problem =
                format!("{entries} entries where {} were sealed, or one of them was changed", seal.entries);
            return Ok(Err(broken(problem)));
        }
        total += entries;
        (previous, after) = (hash, seal.last_mark);
    }
    let seals = i64::try_from(seals.len()).unwrap_or(i64::MAX);
    Ok(Ok(Chain { seals, entries: total, hash: previous }))
}
