//! Rows that a caller may write. A row that he may not read does not exist for him; one that he reads but may not
//! write is refused. On PostgreSQL the row stays locked until the transaction ends.

use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic, Iterable, QueryResult};
use uuid::Uuid;

use super::Writing;
use super::problem::{Failure, Problem, ProblemCode};
use crate::db::{Cell, Kind, Sql, cell};
use crate::policy::{Access, Reach, Resource, Verb};

/// Which right a write needs on a row, and the field of the input that names the row.
#[derive(Clone, Copy, Debug)]
pub struct Resources {
    /// Table of the row.
    pub table: &'static str,
    /// What it is about.
    pub resource: Resource,
    /// What is done.
    pub verb: Verb,
    /// Field group; empty for the row itself.
    pub group: &'static str,
}

/// The place that a new row would take, by which its creation is allowed or not.
#[derive(Clone, Debug)]
pub struct Place {
    /// Columns of the row to come that rights look at.
    pub columns: Vec<(&'static str, Value)>,
}

impl Place {
    /// A new row of a site.
    pub fn of_site(site: Uuid) -> Self {
        Self { columns: vec![("site_id", site.into())] }
    }

    /// A new figure about a site.
    pub fn of_figure(site: Uuid) -> Self {
        Self::of_site(site)
            .with("qpv_id", None::<Uuid>)
            .with("action_id", None::<Uuid>)
            .with("source_system", None::<String>)
    }

    /// Gives another value to a column of the row to come.
    #[must_use]
    pub fn replace(mut self, column: &'static str, value: impl Into<Value>) -> Self {
        self.columns.retain(|(name, _)| *name != column);
        self.with(column, value)
    }

    /// Gives another column of the row to come.
    #[must_use]
    pub fn with(mut self, column: &'static str, value: impl Into<Value>) -> Self {
        self.columns.push((column, value.into()));
        self
    }
}

impl Writing<'_> {
    /// The row of an id, locked, if the caller may write it and it has the version he expects.
    pub async fn row<E: EntityTrait>(
        &self,
        rights: Resources,
        field: &str,
        id: Uuid,
        expected: Option<i32>,
    ) -> Result<E::Model, Failure> {
        // national figures are figures to those who read
        let seen =
            if rights.resource == Resource::NationalFigure { Resource::Figure } else { rights.resource };
        let may = self.viewer.authorize(rights.resource, rights.verb, rights.group);
        let row = self.lock::<E>(rights.table, &may, seen, field, id).await?;
        if cell(&row, 0, Kind::Bool)? != Cell::Bool(true) {
            return Err(forbidden(field).into());
        }
        self.ask_again(rights.table, &may, seen, field, id).await?;
        let version: i32 = row.try_get("", "version")?;
        if let Some(expected) = expected
            && expected != version
        {
            let message = format!("the current version is {version}, not {expected}; read it again");
            return Err(Problem::at(ProblemCode::Conflict, "expectedVersion", message).into());
        }
        Ok(E::Model::from_query_result(&row, "")?)
    }

    /// Asks the rights over a row once more, now that it is locked: the statement that locked it may have waited, and then
    /// saw that row anew but not the seats and sites from which the rights come. Who needs none of those is not asked.
    async fn ask_again(
        &self,
        table: &'static str,
        may: &Access<'_>,
        seen: Resource,
        field: &str,
        id: Uuid,
    ) -> Result<(), Failure> {
        let mut sql = Sql::new(self.backend);
        if !sql.may_wait() {
            return Ok(());
        }
        let Reach::Rows(may) = may.reach(&mut sql, "t") else { return Ok(()) };
        sql.push("SELECT (").push(&may).push("), (");
        self.viewer.authorize(seen, Verb::Read, "").expression(&mut sql, "t");
        sql.push(") FROM ").push(table).push(" t WHERE t.id = ").bind(id.into());
        let row = self.tx.query_one_raw(sql.into_statement()).await?.ok_or_else(|| not_found(field))?;
        match (cell(&row, 0, Kind::Bool)?, cell(&row, 1, Kind::Bool)?) {
            (Cell::Bool(true), _) => Ok(()),
            (_, Cell::Bool(true)) => Err(forbidden(field).into()),
            _ => Err(not_found(field).into()),
        }
    }

    /// Locks a row that the caller may read. Before its columns stands whether he may do more with it: all in one
    /// statement, since each is a round trip while the lock is held.
    async fn lock<E: EntityTrait>(
        &self,
        table: &'static str,
        may: &Access<'_>,
        seen: Resource,
        field: &str,
        id: Uuid,
    ) -> Result<QueryResult, Failure> {
        let mut sql = Sql::new(self.backend);
        sql.push("SELECT (");
        may.expression(&mut sql, "t");
        sql.push(")");
        for column in E::Column::iter() {
            sql.push(", t.\"").push(column.as_str()).push("\"");
        }
        sql.push(" FROM ").push(table).push(" t WHERE t.id = ").bind(id.into());
        let live = if seen == Resource::ApiClient { "" } else { " AND t.deleted_at IS NULL" };
        sql.push(live).push(" AND ");
        self.viewer.authorize(seen, Verb::Read, "").expression(&mut sql, "t");
        sql.lock_rows("t");
        let row = self.tx.query_one_raw(sql.into_statement()).await?;
        row.ok_or_else(|| not_found(field).into())
    }

    /// Whether the caller may create a row in a place. A site that he may not read does not exist for him.
    pub async fn place(&self, rights: Resources, field: &str, place: Place) -> Result<(), Failure> {
        let mut sql = Sql::new(self.backend);
        let access = self.viewer.authorize(rights.resource, rights.verb, rights.group);
        let may = match access.reach(&mut sql, "t") {
            Reach::All => return Ok(()),
            Reach::Nothing => return Err(forbidden(field).into()),
            Reach::Rows(condition) => condition,
        };
        let columns = sql.piece(|sql| {
            for (index, (name, value)) in place.columns.iter().enumerate() {
                sql.push(if index == 0 { "" } else { ", " })
                    .bind_typed(value.clone())
                    .push(" AS ")
                    .push(name);
            }
        });
        sql.push("SELECT (").push(&may).push(") FROM (SELECT ").push(&columns).push(") t");
        let rows = self.tx.query_all_raw(sql.into_statement()).await?;
        match rows.first().map(|row| cell(row, 0, Kind::Bool)).transpose()? {
            Some(Cell::Bool(true)) => Ok(()),
            _ => Err(forbidden(field).into()),
        }
    }

    /// Makes work of that name wait for the other's end, until the transaction ends.
    pub async fn alone(&self, name: &str) -> Result<(), Failure> {
        crate::db::lock_within(self.tx, self.backend, name).await.map_err(Into::into)
    }

    /// The same for work that may go on beside its like, but not beside what is done [`alone`](Self::alone).
    pub async fn beside(&self, name: &str) -> Result<(), Failure> {
        crate::db::share_within(self.tx, self.backend, name).await.map_err(Into::into)
    }

    /// Makes writes that look at a whole site wait for each other, until the transaction ends.
    pub async fn lock_site(&self, site: Uuid) -> Result<(), Failure> {
        let mut sql = Sql::new(self.backend);
        sql.push("SELECT 1 FROM site t WHERE t.id = ").bind(site.into()).lock_rows("t");
        self.tx.query_all_raw(sql.into_statement()).await?;
        Ok(())
    }

    /// Locks a row that the caller may read, to hang something on it.
    pub async fn readable<E: EntityTrait>(
        &self,
        table: &'static str,
        resource: Resource,
        field: &str,
        id: Uuid,
    ) -> Result<E::Model, Failure> {
        let read = self.viewer.authorize(resource, Verb::Read, "");
        let row = self.lock::<E>(table, &read, resource, field, id).await?;
        Ok(E::Model::from_query_result(&row, "")?)
    }
}

fn not_found(field: &str) -> Problem {
    Problem::at(ProblemCode::NotFound, field, "there is no such object, or none that you may read")
}

fn forbidden(field: &str) -> Problem {
    Problem::at(
        ProblemCode::Forbidden,
        field,
        "your rights do not allow this; `cites rights` and docs/rights.md say whose do",
    )
}
