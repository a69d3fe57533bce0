//! Addresses that changes are posted to.

/// One address of one client, and how far it has come (« webhook »).
pub mod webhook {
    use sea_orm::entity::prelude::*;

    use crate::StringList;
    use crate::enums::{WebhookPauseReason, WebhookState};

    plain_table! {
        #[sea_orm(table_name = "webhook")]
        pub struct Model {
            /// Identity.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            /// Client that made it, under whose rights changes are read.
            pub client_id: String,
            /// Role of its token.
            pub role: String,
            /// Subject of its token.
            pub actor_sub: Option<String>,
            /// Source system of its token.
            pub source_system: Option<String>,
            /// Scopes of its token.
            pub scopes: StringList,
            /// Identifier of the token with which its owner last wrote it.
            pub token_jti: Option<String>,
            /// When that token was issued.
            pub token_issued_at: Option<ChronoDateTimeUtc>,
            /// Where changes are posted.
            pub url: String,
            /// Kinds of objects; all if empty.
            pub entities: StringList,
            /// What deliveries are signed with; empty once deleted.
            pub secret: String,
            /// Whether changes are posted.
            pub state: WebhookState,
            /// Why it stands still.
            pub pause_reason: Option<WebhookPauseReason>,
            /// Cursor of the last change that was taken.
            pub after_cursor: Option<String>,
            /// When a change was last taken.
            pub delivered_at: Option<ChronoDateTimeUtc>,
            /// Attempts in vain to deliver the next change.
            pub attempts: i32,
            /// When the first of them was.
            pub failing_since: Option<ChronoDateTimeUtc>,
            /// When the next is due; at once if empty.
            pub next_attempt_at: Option<ChronoDateTimeUtc>,
            /// What came of the last.
            pub last_error: Option<String>,
            /// Held by the instance that delivers.
            pub lease: Option<Uuid>,
            /// When another may take it.
            pub leased_until: Option<ChronoDateTimeUtc>,
            /// 1 at creation, one more at each write of its owner.
            pub version: i32,
            /// When the row was made.
            pub created_at: ChronoDateTimeUtc,
            /// When its owner last wrote it.
            pub updated_at: ChronoDateTimeUtc,
            /// When it was deleted.
            pub deleted_at: Option<ChronoDateTimeUtc>,
        }
    }
}
