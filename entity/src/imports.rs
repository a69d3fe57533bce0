//! Imports of partner systems, and what became of their items.

/// One call of a client that syncs (« import »).
pub mod import_batch {
    use sea_orm::entity::prelude::*;

    use crate::StringList;
    use crate::enums::{ImportErrorPolicy, ImportMode, ImportStatus};

    plain_table! {
        #[sea_orm(table_name = "import_batch")]
        pub struct Model {
            /// Identity.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            /// Client that sent it.
            pub client_id: String,
            /// Its own key for the call.
            pub idempotency_key: Option<String>,
            /// System whose rows it wrote.
            pub source_system: String,
            /// What absent rows mean.
            pub mode: ImportMode,
            /// What a wrong item means for the others.
            pub on_error: ImportErrorPolicy,
            /// Where it stands.
            pub status: ImportStatus,
            /// Site of a snapshot.
            pub site_id: Option<Uuid>,
            /// When it came.
            pub created_at: ChronoDateTimeUtc,
            /// When its last item had its outcome.
            pub completed_at: Option<ChronoDateTimeUtc>,
            /// Items created.
            pub created: i32,
            /// Items changed or deleted.
            pub updated: i32,
            /// Items found the same.
            pub unchanged: i32,
            /// Items at another version than expected.
            pub conflict: i32,
            /// Items refused.
            pub rejected: i32,
            /// Rows deleted because a snapshot does not hold them.
            pub absent: i32,
            /// Identifiers of all its items in the source system, in order.
            pub external_ids: StringList,
        }
    }
}

/// An item of an import that changed something or that something is to be said about.
pub mod import_item {
    use sea_orm::entity::prelude::*;

    use crate::StringList;
    use crate::enums::ImportOutcome;

    plain_table! {
        #[sea_orm(table_name = "import_item")]
        pub struct Model {
            /// Identity.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            /// Its import.
            pub batch_id: Uuid,
            /// Client that sent it.
            pub client_id: String,
            /// Its place in the call, from 0.
            pub position: i32,
            /// Its identifier in the source system.
            pub external_id: String,
            /// What became of it.
            pub outcome: ImportOutcome,
            /// The action it is about.
            pub action_id: Option<Uuid>,
            /// Codes of what was wrong or is to be known.
            pub codes: StringList,
            /// Where in the input, one for each code, steps joined by dots.
            pub paths: StringList,
            /// The same for people, one for each code.
            pub messages: StringList,
            /// When it was handled.
            pub at: ChronoDateTimeUtc,
        }
    }
}

/// A deletion that was told of an action which was not there.
pub mod import_deletion {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "import_deletion")]
        pub struct Model {
            /// System whose action it would be.
            #[sea_orm(primary_key, auto_increment = false)]
            pub source_system: String,
            /// Its identifier there.
            #[sea_orm(primary_key, auto_increment = false)]
            pub external_id: String,
            /// When it was deleted there.
            pub source_updated_at: ChronoDateTimeUtc,
            /// When we were told.
            pub told_at: ChronoDateTimeUtc,
        }
    }
}
