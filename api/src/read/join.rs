//! Objects beside a row: joined to it, once for each field that leads to them, however often it is asked.

use super::declare::{Field, Noun, Relation};
use super::plan::Planner;
use super::select::Selected;
use super::shape::Out;
use crate::error::ApiError;
use crate::policy::{Reach, Verb};

impl<'p> Planner<'p> {
    /// What to write of the one object that a field of the row at `alias` leads to.
    pub(super) fn joined(
        &mut self,
        noun: &'p Noun,
        field: &'p Field,
        relation: &'p Relation,
        level: usize,
        alias: &str,
        selected: &Selected<'p>,
    ) -> Result<Out, ApiError> {
        let target = self.noun(relation.target)?;
        let known = self.levels[level].known_join(alias, field);
        let join = match known {
            Some(known) => known,
            None => match self.join(noun, field, relation, target, level, alias)? {
                Some(join) => join,
                None => return Ok(Out::null()),
            },
        };
        let shape = self.object(target, level, &join, &selected.sets)?;
        // a row is there if a column of it is that always has a value: the key, unless one is asked for anyway
        let current = &mut self.levels[level];
        let asked = current.position(|expression| {
            let column = expression.strip_prefix(&join).and_then(|rest| rest.strip_prefix('.'));
            column.is_some_and(|column| target.always_has(column))
        });
        let key = || current.column(format!("{join}.{}", target.key), target.key_type.kind());
        Ok(Out::Object { absent_if: None, null_key: Some(asked.unwrap_or_else(key)), shape })
    }

    /// Joins the row that a field leads to; `None` where the caller never reaches one.
    fn join(
        &mut self,
        noun: &'p Noun,
        field: &'p Field,
        relation: &'p Relation,
        target: &'p Noun,
        level: usize,
        alias: &str,
    ) -> Result<Option<String>, ApiError> {
        let viewer = self.viewer;
        let current = &mut self.levels[level];
        let join = current.sql.alias('j');
        let mark = current.sql.mark();
        let mut conditions = Vec::new();
        let access = viewer.authorize(target.resource, Verb::Read, target.group.unwrap_or(""));
        let group = field.group.map(|group| viewer.authorize(noun.resource, Verb::Read, group));
        let reaches = [Some((access, join.as_str())), group.map(|access| (access, alias))];
        for (access, row) in reaches.into_iter().flatten() {
            match access.reach(&mut current.sql, row) {
                Reach::All => {}
                Reach::Nothing => {
                    current.sql.forget(mark);
                    return Ok(None);
                }
                Reach::Rows(condition) => conditions.push(condition),
            }
        }
        if target.tombstones {
            conditions.push(format!("{join}.deleted_at IS NULL"));
        }
        let key = format!("{alias}.{}", relation.key);
        let tie = current.sql.piece(|sql| relation.on.write(sql, &join, &key));
        conditions.insert(0, tie);
        current.join(alias, field, target.table, &join, &conditions.join(" AND "))?;
        Ok(Some(join))
    }
}
