//! Runs a plan: its statements in one snapshot, parents first, the rows sorted out by parent.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use uuid::Uuid;

use super::level::{Level, Parent, Required};
use crate::db::{Cell, Db, Keys, Kind, Pool, Replica, Sql, cell};
use crate::error::{ApiError, Code};

/// The rows of a level.
#[derive(Debug, Default)]
pub struct Fetched {
    /// All rows.
    pub rows: Vec<QueryResult>,
    /// Rows of each distinct parent key, in order; one group at the root.
    pub groups: Vec<Group>,
    /// Statements that it took.
    pub statements: u64,
    /// Group of each parent row; `None` where the parent's key is null.
    pub group_of: Vec<Option<u32>>,
}

/// The rows of one parent.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Positions among the rows.
    pub rows: Vec<u32>,
    /// There are more than were asked.
    pub more: bool,
    /// How many there are in all, when asked.
    pub count: i64,
}

impl Fetched {
    /// The group that belongs to a row of the parent's level.
    pub fn group(&self, parent_row: Option<usize>) -> Option<&Group> {
        match parent_row {
            None => self.groups.first(),
            Some(row) => {
                self.group_of.get(row).copied().flatten().and_then(|group| self.groups.get(group as usize))
            }
        }
    }
}

/// Runs the statements of a plan, in the time that a request has. A connection that was lost says nothing about the
/// next one: then they are run once more.
pub async fn run(db: &Db, levels: &[Level<'_>]) -> Result<Vec<Fetched>, ApiError> {
    let attempts = async {
        match attempt(db, &db.readers, levels).await {
            Err(error) if error.is_transient => attempt(db, &db.readers, levels).await,
            done => done,
        }
    };
    tokio::time::timeout(db.deadline, attempts).await.unwrap_or_else(|_| Err(ApiError::too_long()))
}

/// Runs them on a replica. None when it failed: the primary may do better, whatever the reason, unless the plan itself
/// asks for too much.
pub async fn run_on_replica(
    db: &Db,
    replica: &Replica,
    levels: &[Level<'_>],
) -> Option<Result<Vec<Fetched>, ApiError>> {
    let done = replica.while_there(attempt(db, &replica.readers, levels)).await?;
    if let Err(error) = &done
        && !matches!(error.code, Code::LimitExceeded | Code::DeadlineExceeded)
    {
        // one that waited in vain for a connection says nothing about the others
        if error.is_transient {
            replica.doubt();
        }
        return None;
    }
    Some(done)
}

/// A plan with one statement needs no transaction to see one snapshot.
async fn attempt(db: &Db, readers: &Pool, levels: &[Level<'_>]) -> Result<Vec<Fetched>, ApiError> {
    let statements: usize = levels
        .iter()
        .map(|level| {
            level.requires.len() + usize::from(level.wants_rows) + usize::from(level.count.is_some())
        })
        .sum();
    match statements {
        0 => Ok(levels.iter().map(|_| Fetched::default()).collect()),
        1 => run_on(readers, db, levels).await,
        _ => {
            let snapshot = Db::begin_read_on(readers).await?;
            let fetched = run_on(&snapshot, db, levels).await;
            let ended = snapshot.rollback().await;
            let fetched = fetched?;
            ended?;
            Ok(fetched)
        }
    }
}

/// The same on a connection, whose transaction is the snapshot.
pub async fn run_on<C: ConnectionTrait>(
    connection: &C,
    db: &Db,
    levels: &[Level<'_>],
) -> Result<Vec<Fetched>, ApiError> {
    let mut done: Vec<Fetched> = Vec::with_capacity(levels.len());
    for level in levels {
        let mut fetched = Fetched::default();
        let keys = match &level.parent {
            None => {
                fetched.groups.push(Group::default());
                None
            }
            Some(parent) => {
                let kind = levels[parent.level].kind(parent.column);
                let keys = keys(parent, kind, &done[parent.level], &mut fetched)?;
                if keys.is_empty() {
                    done.push(fetched);
                    continue;
                }
                Some(keys)
            }
        };
        for required in &level.requires {
            require(connection, db, required).await?;
            fetched.statements += 1;
        }
        if level.wants_rows {
            let several = keys.as_ref().is_some_and(|keys| keys.len() > 1);
            fetched.rows = query(connection, db, level.rows_sql(keys.clone())).await?;
            fetched.statements += 1;
            sort_out(level, several, &mut fetched)?;
        }
        if let Some(count) = &level.count {
            let rows = query(connection, db, level.count_sql(keys, count)).await?;
            fetched.statements += 1;
            read_counts(&rows, &mut fetched)?;
        }
        done.push(fetched);
    }
    Ok(done)
}

/// Makes sure that what is needed is there.
pub async fn require<C: ConnectionTrait>(
    connection: &C,
    db: &Db,
    required: &Required,
) -> Result<(), ApiError> {
    if query(connection, db, required.sql.clone()).await?.is_empty() {
        return Err(required.otherwise.clone());
    }
    Ok(())
}

async fn query<C: ConnectionTrait>(connection: &C, db: &Db, sql: Sql) -> Result<Vec<QueryResult>, DbErr> {
    db.statements.fetch_add(1, Ordering::Relaxed);
    connection.query_all_raw(sql.into_statement()).await
}

/// The distinct keys of the parent's rows; notes which group each row belongs to. The row that only tells that there
/// are more has none.
fn keys(parent: &Parent<'_>, kind: Kind, rows: &Fetched, fetched: &mut Fetched) -> Result<Keys, ApiError> {
    let keys = if kind == Kind::Uuid {
        let mut known: HashMap<Uuid, u32> = HashMap::with_capacity(rows.rows.len());
        Keys::Uuid(distinct(parent.column, kind, rows, fetched, &mut known, |cell| match cell {
            Cell::Uuid(key) => Some(key),
            _ => None,
        })?)
    } else {
        let mut known: HashMap<String, u32> = HashMap::with_capacity(rows.rows.len());
        Keys::Text(distinct(parent.column, kind, rows, fetched, &mut known, |cell| match cell {
            Cell::Text(key) => Some(key.to_owned()),
            _ => None,
        })?)
    };
    fetched.groups = vec![Group::default(); keys.len()];
    Ok(keys)
}

fn distinct<K: Clone + Eq + std::hash::Hash>(
    column: usize,
    kind: Kind,
    rows: &Fetched,
    fetched: &mut Fetched,
    known: &mut HashMap<K, u32>,
    key_of: impl Fn(Cell<'_>) -> Option<K>,
) -> Result<Vec<K>, ApiError> {
    let mut keys = Vec::with_capacity(rows.rows.len());
    fetched.group_of = vec![None; rows.rows.len()];
    for index in rows.groups.iter().flat_map(|group| &group.rows) {
        let index = *index as usize;
        fetched.group_of[index] = key_of(cell(&rows.rows[index], column, kind)?).map(|key| {
            *known.entry(key).or_insert_with_key(|key| {
                keys.push(key.clone());
                u32::try_from(keys.len() - 1).unwrap_or(u32::MAX)
            })
        });
    }
    Ok(keys)
}

fn sort_out(level: &Level<'_>, several: bool, fetched: &mut Fetched) -> Result<(), ApiError> {
    let ordinal = level.ordinal();
    for (index, row) in fetched.rows.iter().enumerate() {
        let group = if several { number(row, ordinal)? } else { 0 };
        if let Some(group) = usize::try_from(group).ok().and_then(|group| fetched.groups.get_mut(group)) {
            group.rows.push(u32::try_from(index).unwrap_or(u32::MAX));
        }
    }
    for group in &mut fetched.groups {
        if let Some(limit) = level.limit
            && group.rows.len() > limit
        {
            if level.refuse_more {
                let message = format!("the answer would have more than {limit} rows; narrow it by a filter");
                return Err(ApiError::new(Code::LimitExceeded, message)
                    .expected("fewer groups, or no lists under them, of which each is read for every row"));
            }
            group.more = true;
            group.rows.truncate(limit);
        }
        if level.backward {
            group.rows.reverse();
        }
    }
    Ok(())
}

fn read_counts(rows: &[QueryResult], fetched: &mut Fetched) -> Result<(), ApiError> {
    for row in rows {
        let group = usize::try_from(number(row, 1)?).unwrap_or(usize::MAX);
        if let Some(group) = fetched.groups.get_mut(group) {
            group.count = number(row, 0)?;
        }
    }
    Ok(())
}

fn number(row: &QueryResult, index: usize) -> Result<i64, ApiError> {
    match cell(row, index, Kind::BigInt)? {
        Cell::Int(number) => Ok(number),
        _ => Err(super::plan::internal("a number was expected")),
    }
}
