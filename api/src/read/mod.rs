//! The one way to read: a noun declares its fields, a selection becomes a plan with one statement per level, and
//! the answer is written from the rows.
//!
//! `declare` and `fields` say what there is, `model` puts the declarations together, `coerce` checks what a caller sends,
//! `select` finds what is asked, `plan` (with `connection`, `join` and `nodes`) makes levels of it, `rows` puts the caller's
//! reach and the `filter` on each, `page` orders them, `level` writes their SQL, `cost` says what they cost, `run`
//! fetches, `write` answers, in the forms of `json`.

pub mod coerce;
pub(crate) mod common;
mod compare;
mod connection;
pub mod cost;
pub mod declare;
mod fields;
pub mod filter;
mod inputs;
mod join;
pub mod json;
pub(crate) mod keyset;
pub mod level;
pub mod model;
pub mod nodes;
pub mod page;
pub mod plan;
mod rows;
pub mod run;
pub mod select;
pub mod shape;
pub mod value;
pub mod write;
