//! The rights, a second time: the matrix of the domain written by hand, read over plain rows, without SQL and without
//! the policy's code. Random worlds, callers, documents and mutations are sent through HTTP and compared with it.
//!
//! `world` and `rows` make a world from a seed, `who` somebody who asks; `matrix` says what he may, `facts` what of a
//! row it looks at, `graph` how rows hang together in the schema; `filters`, `reads`, `statistics`, `writes` and
//! `singles` make what is sent, with what must come back.

mod facts;
mod filters;
mod graph;
mod leaves;
mod links;
mod matrix;
mod reads;
mod rows;
mod singles;
mod statistics;
mod who;
mod world;
mod writes;

pub use self::graph::paths;
pub use self::matrix::Eyes;
pub use self::reads::{Read, Reads};
pub use self::who::Who;
pub use self::world::random as random_world;
pub use self::writes::{Outcome, Write, mutations};
