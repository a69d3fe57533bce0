//! Keeps the actions of a source file in step with the API, and a mirror of the API's actions in step with it.
//!
//! `mapping` says what the columns of the file mean and is the file to change for another source; `push` sends,
//! `follow` reads changes back, `mirror` is what survives a crash, `client` asks and tries again, `queries` are the
//! types that the documents in `graphql/` have in the schema.

pub mod client;
pub mod follow;
pub mod mapping;
pub mod mirror;
pub mod push;
pub mod queries;
