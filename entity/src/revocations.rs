//! Tokens that are refused before they end.

/// One token, or those that one client had been given.
pub mod revocation {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "revocation")]
        pub struct Model {
            /// Identity.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            /// The token's own identifier; none where a client is named.
            pub jti: Option<String>,
            /// The client; none where a token is named.
            pub client_id: Option<String>,
            /// When it was revoked: a client's tokens issued before are refused.
            pub revoked_at: ChronoDateTimeUtc,
            /// When all of them have ended by themselves, and the row is needed no longer.
            pub kept_until: ChronoDateTimeUtc,
            /// Why, for the operator.
            pub reason: Option<String>,
        }
    }
}
