//! The Cités de l'emploi API: one folder per noun, one file per platform concern.

pub mod clock;
pub mod db;
pub mod graphql;
pub mod ids;
pub mod ingest;
pub mod qpv;
pub mod seed;
pub mod text;
