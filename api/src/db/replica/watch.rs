//! Looks at the standby, a few times a second: whether it is one of this database, and how far it has come.

use std::fmt;
use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use entity::database_identity;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, EntityTrait, Statement};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::history::{History, Seen};
use super::{Position, Replica, Standing};
use crate::clock::Clock;
use crate::limits;

/// Whether it is a standby, how far it has come, and whether it can hold this database at all.
const STANDBY: &str = "SELECT pg_is_in_recovery(), coalesce((pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint, 0), \
     to_regclass('database_identity') IS NOT NULL";

/// The number of the database in its cluster: a copy within it has another, a standby the same.
const NUMBER: &str = "SELECT oid::bigint FROM pg_database WHERE datname = current_database()";

/// What names the cluster of a server; a dump that was restored elsewhere has another.
const CLUSTER: &str = "SELECT system_identifier FROM pg_control_system()";

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is read from.
    Fresh,
    /// It is too far behind.
    Behind,
    /// It has not come to an end of the primary's log that is known: soon it will have, or it is behind.
    Unknown,
    /// It is not read from.
    Unfit(Unfit),
}

/// Why a server is not read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It does not answer.
    Silent,
    /// It is no standby.
    Primary,
    /// It holds another database.
    Other,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "it does not answer",
            Self::Primary => "it is no standby: it takes writes",
            Self::Other => "it is no copy of this database",
        })
    }
}

/// What names a database, and the cluster that it is in if its role may know that.
#[derive(Debug)]
struct Name {
    database: Option<Uuid>,
    number: Option<i64>,
    cluster: Option<i64>,
}

impl Name {
    async fn of(connection: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let database = database_identity::Entity::find().one(connection).await?.map(|row| row.uuid);
        let one = async |sql: &str| {
            let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
            row.map(|row| row.try_get_by_index::<i64>(0)).transpose()
        };
        Ok(Self { database, number: one(NUMBER).await?, cluster: one(CLUSTER).await.unwrap_or_default() })
    }

    fn is_same(&self, other: &Self) -> bool {
        let may_differ = self.cluster.is_none() || other.cluster.is_none();
        self.database.is_some()
            && self.database == other.database
            && self.number == other.number
            && (may_differ || self.cluster == other.cluster)
    }
}

/// Looks that go on from each other.
#[derive(Debug, Default)]
struct Looks {
    history: History,
    /// The primary's name, once it was read.
    name: Option<Name>,
}

impl Replica {
    /// Looks at it as long as this is polled. Says once what has become of it.
    pub async fn watch(&self, clock: &dyn Clock) {
        let (mut looks, mut said) = (Looks::default(), Found::Unknown);
        loop {
            let found = self.look(&mut looks, clock).await;
            if found != said && found != Found::Unknown {
                said = found;
                match found {
                    Found::Unfit(unfit) => {
                        tracing::warn!(
                            "database.replica_url is not read from: {unfit}; reads go to the primary"
                        );
                    }
                    Found::Behind => tracing::warn!(
                        "the replica is behind by more than database.replica_max_lag_ms; reads go to the primary"
                    ),
                    _ => tracing::info!("reads go to the replica"),
                }
            }
            sleep(limits::REPLICA_LOOK).await;
        }
    }

    /// Looks until it is known what the standby is worth; gives how far it is behind, or why it is not read from.
    pub async fn examine(&self, clock: &dyn Clock) -> Result<TimeDelta, String> {
        let (mut looks, begun) = (Looks::default(), Instant::now());
        loop {
            let found = self.look(&mut looks, clock).await;
            if let Found::Unfit(unfit) = found {
                return Err(unfit.to_string());
            }
            if let Some(lag) = self.lag(clock.now()) {
                return Ok(lag);
            }
            if begun.elapsed() > self.max_lag.to_std().unwrap_or_default() {
                let most = self.max_lag.num_milliseconds();
                return Err(format!("it is behind by more than {most} ms, or the primary does not say"));
            }
            sleep(limits::REPLICA_LOOK).await;
        }
    }

    async fn look(&self, looks: &mut Looks, clock: &dyn Clock) -> Found {
        let doubts = self.state().doubts;
        match self.replayed(looks, clock).await {
            Err(unfit) => {
                self.stand(None, doubts);
                self.lost.notify_waiters();
                Found::Unfit(unfit)
            }
            Ok(replayed) => {
                let reached = looks.history.reached(replayed);
                self.stand(reached.map(|reached| Standing { replayed, reached }), doubts);
                let since = reached.map(|reached| reached.at).or(looks.history.since());
                match since {
                    Some(since) if clock.now() - since > self.max_lag => Found::Behind,
                    _ if reached.is_some() => Found::Fresh,
                    _ => Found::Unknown,
                }
            }
        }
    }

    /// How far it has come, if it is a standby of this database. The primary is looked at after it, so that a standby of
    /// another, which has come further, is found out.
    async fn replayed(&self, looks: &mut Looks, clock: &dyn Clock) -> Result<Position, Unfit> {
        let standby = async {
            match self.standby().await {
                // a connection that was ended says nothing about the next one
                Err(_) => self.standby().await,
                found => found,
            }
        };
        let (is_standby, replayed, has_name) = within(standby).await.map_err(|why| silent(&why))?;
        if !is_standby {
            return Err(Unfit::Primary);
        }
        let look = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let at = clock.now();
        // of a primary that does not answer nothing new is known: what the standby has becomes old
        if let Ok(position) = within(Position::of_primary(&self.primary)).await {
            looks.history.add(Seen { look, at, position });
            if replayed > position {
                return Err(Unfit::Other);
            }
        }
        if self.standing().is_none() {
            if !has_name {
                return Err(Unfit::Other);
            }
            self.is_copy(looks).await?;
        }
        Ok(replayed)
    }

    async fn standby(&self) -> Result<(bool, Position, bool), DbErr> {
        let row = self.looks.query_one_raw(Statement::from_string(DbBackend::Postgres, STANDBY)).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("a standby".to_owned()))?;
        let replayed = Position::new(row.try_get_by_index(1)?);
        Ok((row.try_get_by_index(0)?, replayed, row.try_get_by_index(2)?))
    }

    /// Makes sure that it holds this database.
    async fn is_copy(&self, looks: &mut Looks) -> Result<(), Unfit> {
        if looks.name.is_none() {
            looks.name = within(Name::of(&self.primary)).await.ok();
        }
        let name = within(Name::of(&self.looks)).await.map_err(|why| silent(&why))?;
        match &looks.name {
            Some(known) if !known.is_same(&name) => Err(Unfit::Other),
            Some(_) => Ok(()),
            // it cannot be told without the primary, which does not answer
            None => Err(Unfit::Silent),
        }
    }
}

/// A look takes no longer than a read from the standby may wait.
async fn within<T>(look: impl Future<Output = Result<T, DbErr>>) -> Result<T, String> {
    let elapsed = |_| "no answer in time".to_owned();
    timeout(limits::REPLICA_WAIT, look).await.map_err(elapsed)?.map_err(|error| error.to_string())
}

fn silent(why: &str) -> Unfit {
    tracing::debug!(why, "the replica does not answer");
    Unfit::Silent
}
