//! The one way to read: a noun declares its fields, a selection becomes a plan with one statement per level, and
//! the answer is written from the rows.
//!
//! `declare` says what there is, `model` puts the declarations together, `coerce` checks what a caller sends,
//! `select` finds what is asked, `plan` makes levels of it with the caller's reach on each, `filter` and `page`
//! narrow and order them, `level` writes their SQL, `run` fetches, `write` answers.

pub mod coerce;
pub(crate) mod common;
pub mod declare;
pub mod filter;
pub mod level;
pub mod model;
pub mod page;
pub mod plan;
pub mod run;
pub mod select;
pub mod shape;
pub mod write;
