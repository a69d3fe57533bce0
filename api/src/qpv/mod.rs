//! QPV: perimeters fixed by decree (« quartiers prioritaires de la politique de la ville »).

pub mod outline;
