//! What the tests of the product stand on: a real server per test, over HTTP, on a database of its own.
//!
//! `on_both!` runs a test on SQLite and on PostgreSQL; [`TestApp`] is the server, [`Persona`] somebody who asks
//! it, [`Answer`] what comes back, [`world`] the small handmade world of the template [`Template::Small`].
#![expect(clippy::expect_used, reason = "a test whose ground cannot be laid has failed, and should say why")]

mod answer;
mod app;
mod both;
mod database;
mod dice;
pub mod differential;
mod live;
pub mod oracle;
mod persona;
mod process;
mod provider;
mod proxy;
mod replicated;
pub mod world;

pub use answer::Answer;
pub use app::{TestApp, UNLIMITED, config, fixed_clock};
pub use both::{block_on, block_on_postgres, run};
pub use database::{Backend, Template, TestDatabase, administer};
pub use dice::Dice;
pub use live::{EventStream, Socket};
pub use persona::{GrantedSites, Persona};
pub use process::{Caller, Process};
pub use provider::OpenIdProvider;
pub use proxy::Proxy;
pub use replicated::Replicated;
