//! The tables of the product, one module per table (`entity::site`, `entity::seat`, …).
//!
//! A file holds a family of tables. Names ending in `_search` are the folded form (no accents, lower case)
//! of their neighbour, written by the application. An entity is not the public API: types shown to users
//! are designed apart.

#[macro_use]
mod row;
pub mod enums;
mod lists;

mod actions;
mod budgets;
mod figures;
mod funding;
mod governance;
mod imports;
mod partners;
mod platform;
mod qpvs;
mod referents;
mod revocations;
mod roadmaps;
mod sites;
mod territories;
mod webhooks;

pub use actions::{action, action_partner, action_qpv};
pub use budgets::budget;
pub use figures::figure;
pub use funding::funding_line;
pub use governance::{governance_body, governance_member, meeting};
pub use imports::{import_batch, import_deletion, import_item};
pub use lists::StringList;
pub use partners::{partner, seat};
pub use platform::{
    audit_seal, client_grant, client_grant_site, database_identity, idempotency_key, ingest_run, journal,
};
pub use qpvs::{qpv, qpv_commune, qpv_lineage, qpv_outline, site_qpv};
pub use referents::referent;
pub use revocations::revocation;
pub use roadmaps::{axis, roadmap};
pub use sites::{site, site_commune, site_departement, site_epci, site_milestone};
pub use territories::{commune, contrat_ville, departement, epci, region};
pub use webhooks::webhook;
