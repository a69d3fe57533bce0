//! The source of a row that a partner's system creates: its system comes from the token, never from the input.

use async_graphql::Value;
use sea_orm::ConnectionTrait;

use super::{Failure, Input, Problem, ProblemCode, Writing};
use crate::auth::Role;
use crate::db::{Cell, Kind, Sql, cell};
use crate::read::model::Argument;
use crate::write::declare::optional;

/// `externalId` of a new row.
pub fn external_id() -> Argument {
    let text = "Its identifier in the caller's own system, 1 to 200 characters: a partner's system must give it, nobody \
                else has one.";
    optional("externalId", "String", text)
}

impl Writing<'_> {
    /// The system that owns the rows which the caller creates; none where people write.
    pub fn source_system(&self) -> Option<String> {
        let actor = &self.viewer.actor;
        actor.source.clone().filter(|_| actor.role == Role::PartnerSystem)
    }

    /// The caller's identifier of a new row of a table. One that he used before is noted as a problem, be it on a
    /// tombstone.
    pub async fn external_id(
        &self,
        input: &Input<'_>,
        table: &'static str,
    ) -> Result<Option<String>, Failure> {
        let external = self.identifier(input);
        self.check_unused(input, table, external.as_deref()).await?;
        Ok(external)
    }

    /// The caller's identifier of a row, new or not. One that is missing, or not his to give, is noted as a problem.
    pub fn identifier(&self, input: &Input<'_>) -> Option<String> {
        let external = input.text("externalId", 1..=200).or(None);
        match (self.source_system(), external) {
            (None, Some(_)) => {
                let message = "only a partner's system has identifiers of its own";
                input.wrong(ProblemCode::Rule, "externalId", message);
            }
            (Some(_), Some(external)) => return Some(external),
            (Some(_), None) if matches!(input.given("externalId"), None | Some(Value::Null)) => {
                let message = "a partner's system names its rows; give your identifier of this one";
                input.wrong(ProblemCode::Required, "externalId", message);
            }
            _ => {}
        }
        None
    }

    /// Notes an identifier that a row of a table has.
    pub async fn check_unused(
        &self,
        input: &Input<'_>,
        table: &'static str,
        external: Option<&str>,
    ) -> Result<(), Failure> {
        if let (Some(system), Some(external)) = (self.source_system(), external)
            && let Some(problem) = self.taken(table, &system, external).await?
        {
            input.problem(problem);
        }
        Ok(())
    }

    async fn taken(
        &self,
        table: &'static str,
        system: &str,
        external: &str,
    ) -> Result<Option<Problem>, Failure> {
        let mut sql = Sql::new(self.backend);
        sql.push("SELECT t.deleted_at IS NULL FROM ").push(table).push(" t WHERE t.source_system = ");
        sql.bind(system.into()).push(" AND t.source_external_id = ").bind(external.into());
        let rows = self.tx.query_all_raw(sql.into_statement()).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let state = if cell(row, 0, Kind::Bool)? == Cell::Bool(true) { "exists" } else { "was deleted" };
        let message = format!("{system} has used {external:?} already, for a row that {state}");
        Ok(Some(Problem::at(ProblemCode::Duplicate, "externalId", message)))
    }
}
