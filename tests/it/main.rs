//! The product seen from outside, on both databases: a file per noun or topic, a test per sentence.
#![expect(clippy::expect_used, reason = "a test that finds nothing where something must be has failed")]

mod backup;
mod budget;
mod commands;
mod contract;
mod differential;
mod disk;
mod documents;
mod errors;
mod export;
mod faults;
mod feed;
mod filters;
mod http;
mod indexes;
mod limits;
mod live;
mod metrics;
mod pages;
mod paging;
mod points;
mod readme;
mod replica;
mod restart;
mod rights;
mod schema;
mod sites;
mod statements;
mod statistics;
mod sync;
mod tokens;
mod traces;
mod validation;
mod webhooks;
mod writes;
