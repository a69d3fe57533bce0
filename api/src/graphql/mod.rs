//! The GraphQL side of the API: schema, scalars, execution.

pub mod scalars;
