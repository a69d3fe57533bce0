//! The one way to read: a noun declares its fields, a selection becomes a plan with one statement per level, and
//! the answer is written from the rows.
//!
//! `declare` and `fields` say what there is, `model` puts the declarations together, `coerce` checks what a caller sends,
//! `select` finds what is asked, `plan` (with `connection` and `nodes`) makes levels of it with the caller's reach on
//! each, `filter` and `page` narrow and order them, `level` writes their SQL, `run` fetches, `write` answers.

pub mod coerce;
pub(crate) mod common;
mod compare;
mod connection;
pub mod declare;
mod fields;
pub mod filter;
mod inputs;
pub(crate) mod keyset;
pub mod level;
pub mod model;
mod nodes;
pub mod page;
pub mod plan;
pub mod run;
pub mod select;
pub mod shape;
pub mod value;
pub mod write;
