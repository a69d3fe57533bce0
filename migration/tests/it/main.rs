//! The chain of migrations and the entities, on `SQLite` and, when `TEST_POSTGRES_URL` names a server where
//! databases may be made, on `PostgreSQL`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod entities_fit;
mod round_trip;
mod support;
mod up_down_up;
mod vocabularies;
