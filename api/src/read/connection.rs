//! Connections: lists that are read page by page.

use super::coerce::Arguments;
use super::declare::Noun;
use super::level::{CountPart, Level, Parent};
use super::page::Page;
use super::plan::Planner;
use super::select::Selected;
use super::shape::{ConnectionOut, EdgeOut, Out, PageOut, Shape, json_key, json_string};
use crate::error::ApiError;
use async_graphql::Value;

impl<'p> Planner<'p> {
    /// A connection, at the root or under a parent. `narrow` may add conditions.
    pub fn connection(
        &mut self,
        noun: &'p Noun,
        parent: Option<Parent<'p>>,
        selected: &Selected<'p>,
        arguments: &Arguments,
        narrow: impl FnOnce(&Self, &mut Level<'p>),
    ) -> Result<Out, ApiError> {
        let page = Page::parse(noun, arguments)?;
        let mut level = Level::new(noun, self.backend, parent);
        let reached = self.restrict(&mut level, noun);
        if let Some(filter) = arguments.get("filter").filter(|filter| **filter != Value::Null) {
            self.filter(&mut level, noun, filter)?;
        }
        narrow(self, &mut level);
        if !reached {
            level.conditions.push("FALSE".to_owned());
        }
        // the values bound so far are those of the conditions, which the count shares
        let count = CountPart { sql: level.sql.clone(), conditions: level.conditions.clone() };
        page.apply(&mut level, self.viewer, noun)?;
        let index = self.push(level)?;
        let name = format!("{}Connection", noun.name);
        let mut fields = Vec::new();
        for asked in self.document.fields(&selected.sets, &|on| on == name) {
            let out = match asked.name {
                "__typename" => ConnectionOut::Text(json_string(&name)),
                "totalCount" => {
                    self.levels[index].count = Some(count.clone());
                    ConnectionOut::TotalCount
                }
                "pageInfo" => ConnectionOut::PageInfo(self.page_info(index, &page, &asked)),
                "edges" => ConnectionOut::Edges(self.edges(noun, index, &page, &asked)?),
                _ => ConnectionOut::Nodes(self.rows(noun, index, &asked)?),
            };
            fields.push((json_key(asked.key), out));
        }
        Ok(Out::Connection { level: index, fields })
    }

    fn rows(&mut self, noun: &'p Noun, level: usize, asked: &Selected<'p>) -> Result<Shape, ApiError> {
        self.levels[level].wants_rows = true;
        self.object(noun, level, "t", &asked.sets).map_err(|error| error.under(asked.key))
    }

    fn edges(
        &mut self,
        noun: &'p Noun,
        level: usize,
        page: &Page,
        asked: &Selected<'p>,
    ) -> Result<Vec<(Vec<u8>, EdgeOut)>, ApiError> {
        self.levels[level].wants_rows = true;
        let name = format!("{}Edge", noun.name);
        let mut fields = Vec::new();
        for part in self.document.fields(&asked.sets, &|on| on == name) {
            let out = match part.name {
                "__typename" => EdgeOut::Text(json_string(&name)),
                "cursor" => EdgeOut::Cursor(page.cursor(&mut self.levels[level])),
                _ => EdgeOut::Node(self.rows(noun, level, &part).map_err(|error| error.under(asked.key))?),
            };
            fields.push((json_key(part.key), out));
        }
        Ok(fields)
    }

    fn page_info(&mut self, level: usize, page: &Page, asked: &Selected<'p>) -> Vec<(Vec<u8>, PageOut)> {
        let mut fields = Vec::new();
        for part in self.document.fields(&asked.sets, &|on| on == "PageInfo") {
            let out = match part.name {
                "__typename" => PageOut::Text(json_string("PageInfo")),
                "hasNextPage" => PageOut::HasNext,
                "hasPreviousPage" => PageOut::HasPrevious,
                "startCursor" => PageOut::Start(page.cursor(&mut self.levels[level])),
                _ => PageOut::End(page.cursor(&mut self.levels[level])),
            };
            if !matches!(out, PageOut::Text(_)) {
                self.levels[level].wants_rows = true;
            }
            fields.push((json_key(part.key), out));
        }
        fields
    }
}
