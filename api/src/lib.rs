//! The Cités de l'emploi API: one folder per noun, one file per platform concern.

pub mod audit;
pub mod auth;
pub mod budget;
pub mod cli;
pub mod clock;
pub mod codes;
pub mod config;
pub mod db;
pub mod error;
pub mod graphql;
pub mod http;
pub mod ids;
pub mod ingest;
pub mod journal;
pub mod limits;
pub mod live;
pub mod policy;
pub mod read;
pub mod revocation;
pub mod seed;
pub mod startup;
pub mod telemetry;
pub mod text;
pub mod write;

mod action;
mod client;
mod export;
mod feed;
mod figure;
mod governance;
mod partner;
pub mod qpv;
mod site;
mod sync;
mod territory;
mod webhook;
