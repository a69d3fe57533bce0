//! The Cités de l'emploi API: one folder per noun, one file per platform concern.

pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod limits;
pub mod telemetry;
