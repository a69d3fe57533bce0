//! Which rows of a noun a level reads: those in the caller's reach, alive, and that meet a filter.

use async_graphql::Value;

use super::declare::Noun;
use super::filter::Filters;
use super::level::Level;
use super::plan::Planner;
use crate::db::Sql;
use crate::error::ApiError;
use crate::policy::{Reach, Verb};

impl<'p> Planner<'p> {
    /// Puts the caller's reach and the tombstones' absence on a level; false when nothing is reached.
    pub fn restrict(&self, level: &mut Level<'p>, noun: &Noun) -> bool {
        if noun.tombstones {
            level.conditions.push("t.deleted_at IS NULL".to_owned());
        }
        if !noun.only.is_empty() {
            level.conditions.push(noun.only.to_owned());
        }
        let access = self.viewer.authorize(noun.resource, Verb::Read, noun.group.unwrap_or(""));
        match access.reach(&mut level.sql, "t") {
            Reach::All => true,
            Reach::Nothing => false,
            Reach::Rows(condition) => {
                level.conditions.push(condition);
                true
            }
        }
    }

    pub(super) fn filter(
        &self,
        level: &mut Level<'p>,
        noun: &'p Noun,
        filter: &Value,
    ) -> Result<(), ApiError> {
        let filters = Filters { model: self.model, viewer: self.viewer };
        Filters::check_size(filter).map_err(|error| error.in_field("filter"))?;
        level.filter_points = Filters::points(filter).map_err(|error| error.in_field("filter"))?;
        let mut outcome = Ok(());
        let condition = level.sql.piece(|sql| outcome = filters.condition(sql, noun, "t", filter, 0));
        outcome.map_err(|error| error.in_field("filter"))?;
        if !condition.is_empty() {
            level.conditions.push(condition);
        }
        Ok(())
    }

    /// The conditions that reach and a filter put on a noun's rows at `t`, with the statement they are bound in and the
    /// points of the filter.
    pub fn conditions(&self, noun: &str, filter: &Value) -> Result<(Vec<String>, Sql, u64), ApiError> {
        let noun = self.noun(noun)?;
        let mut level = Level::new(noun, self.backend, None);
        if !self.restrict(&mut level, noun) {
            level.conditions.push("FALSE".to_owned());
        }
        if *filter != Value::Null {
            self.filter(&mut level, noun, filter)?;
        }
        Ok((level.conditions, level.sql, level.filter_points))
    }
}
