//! The change feed: the journal as those follow it who keep a copy.
//!
//! Entries come in the order of their commits, and only once no older transaction can add one before them; what a
//! caller may no longer read reaches him as a deletion. `declare` says what the schema shows, `plan` reads it, `place`
//! is a cursor, `look` how far a page is looked for, `tail` what those who follow live are woken by.

mod declare;
mod look;
mod place;
mod plan;
pub(crate) mod tail;

pub use declare::extras;
pub(crate) use declare::{ENTITY, ROOT};
pub(crate) use place::{Place, knows};
pub(crate) use plan::{Page, Stretch, entities, grant, is_followed, live};
