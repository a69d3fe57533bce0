//! Who sees what: every list, count, look-up, nested list and filter against the matrix of the domain.

mod coverage;
mod fields;
mod matrix;
mod open;
mod oracle;
mod property;
mod rows;
mod sentences;
