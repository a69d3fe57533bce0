//! Imports: a client that syncs keeps the actions of its source system in step with ours.
//!
//! `input` reads items and checks them in memory, `ground` looks up at once all that they name, `decide` says what becomes
//! of each (`draw` compares an item with its row), `outcome` which of several about one action stands, `store` writes that
//! in few statements, `report` tells it, `call` ties them in one transaction; `stream` does so for each chunk of a long
//! import.

mod call;
mod decide;
mod declare;
mod deletions;
mod draw;
mod funding;
mod ground;
mod input;
mod outcome;
mod partners;
mod report;
mod snapshot;
mod store;
mod stream;

pub use declare::{extras, mutations, nouns};
pub use stream::{Chunk, Read};
