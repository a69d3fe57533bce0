//! The Cités de l'emploi API: one folder per noun, one file per platform concern.

pub mod qpv;
