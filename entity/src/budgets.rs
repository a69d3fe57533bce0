//! What clients may still ask, shared between instances.

/// The points of one client that has not all of them; a client without a row has.
pub mod budget {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "budget")]
        pub struct Model {
            /// Half of a SHA-256 of who it is, begun with the name of the database.
            #[sea_orm(primary_key, auto_increment = false)]
            pub client: Uuid,
            /// When it has all its points again and the row is needed no longer. By the rate at which they are given back
            /// this says what is missing.
            pub full_at: ChronoDateTimeUtc,
        }
    }
}
