//! Tables of the platform itself: loading, journal, idempotency, clients.

/// One loading of one source file.
pub mod ingest_run {
    use sea_orm::entity::prelude::*;

    use crate::enums::IngestState;

    plain_table! {
        #[sea_orm(table_name = "ingest_run")]
        pub struct Model {
            /// Identity.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            /// Source.
            pub source: String,
            /// File.
            pub file: String,
            /// Edition of the data.
            pub vintage: String,
            /// Hash of the file, hexadecimal.
            pub sha256: String,
            /// Outcome.
            pub state: IngestState,
            /// Start.
            pub started_at: ChronoDateTimeUtc,
            /// End.
            pub finished_at: Option<ChronoDateTimeUtc>,
            /// Lines read.
            pub lines: i64,
            /// Rows made.
            pub created: i64,
            /// Rows changed.
            pub updated: i64,
            /// Rows found the same.
            pub unchanged: i64,
            /// Lines refused.
            pub rejected: i64,
            /// The first 100 refusals, a list.
            pub errors: Json,
        }
    }
}

/// Every write, appended in its own transaction; source of the change feed and of the audit.
pub mod journal {
    use sea_orm::entity::prelude::*;

    use crate::StringList;
    use crate::enums::JournalOp;

    plain_table! {
        #[sea_orm(table_name = "journal")]
        pub struct Model {
            /// Order of writing.
            #[sea_orm(primary_key, auto_increment = true)]
            pub seq: i64,
            /// Transaction, where the database numbers them, so that readers follow the order of commits.
            pub xid: Option<i64>,
            /// Kind of object.
            pub entity: String,
            /// Object; none for one that was not made.
            pub entity_id: Option<Uuid>,
            /// Version after the write.
            pub version: i32,
            /// What happened, for followers.
            pub op: JournalOp,
            /// What was done.
            pub verb: String,
            /// When.
            pub at: ChronoDateTimeUtc,
            /// Site of the row.
            pub site_id: Option<Uuid>,
            /// Site of the row before the write.
            pub was_site_id: Option<Uuid>,
            /// Source system of the row.
            pub source_system: Option<String>,
            /// The public sees the row.
            pub public: bool,
            /// The public saw the row before the write.
            pub was_public: bool,
            /// Names of changed fields; never their values.
            pub changed_fields: StringList,
            /// Départements whose scope of the site this write changed.
            pub lost_departements: StringList,
            /// SIREN numbers whose scope of the site this write changed.
            pub lost_sirens: StringList,
            /// Clients whose scope of the site this write changed.
            pub lost_clients: StringList,
            /// Subject of the token.
            pub actor_sub: Option<String>,
            /// Client.
            pub client_id: Option<String>,
            /// Role.
            pub role: Option<String>,
            /// Request.
            pub request_id: Option<String>,
            /// `OK`, or why it was refused.
            pub outcome: String,
        }
    }
}

/// Range of the journal sealed into a chain of hashes.
pub mod audit_seal {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "audit_seal")]
        pub struct Model {
            /// 1, 2, …
            #[sea_orm(primary_key, auto_increment = false)]
            pub number: i64,
            /// Where the seal before ended: a transaction on PostgreSQL, an entry on SQLite.
            pub after_mark: i64,
            /// Where this one ends.
            pub last_mark: i64,
            /// How many entries it has.
            pub entries: i64,
            /// Hash of the seal before, hexadecimal.
            pub previous_hash: String,
            /// SHA-256 over the hash before and the entries, hexadecimal.
            pub hash: String,
            /// When it was sealed.
            pub at: ChronoDateTimeUtc,
        }
    }
}

/// Answer kept for a client that asks the same thing twice.
pub mod idempotency_key {
    use sea_orm::entity::prelude::*;

    use crate::enums::IdempotencyState;

    plain_table! {
        #[sea_orm(table_name = "idempotency_key")]
        pub struct Model {
            /// Client.
            #[sea_orm(primary_key, auto_increment = false)]
            pub client_id: String,
            /// Key chosen by the client.
            #[sea_orm(primary_key, auto_increment = false)]
            pub key: String,
            /// Operation.
            pub operation: String,
            /// Hash of the input, hexadecimal: the same key with another input is an error.
            pub input_hash: String,
            /// Answer, once given.
            pub answer: Option<String>,
            /// State.
            pub state: IdempotencyState,
            /// When first used.
            pub created_at: ChronoDateTimeUtc,
            /// When it may be forgotten.
            pub expires_at: ChronoDateTimeUtc,
        }
    }
}

/// What a client may do, besides what its token says.
pub mod client_grant {
    use sea_orm::entity::prelude::*;

    use crate::StringList;
    use crate::enums::GrantStatus;

    plain_table! {
        #[sea_orm(table_name = "client_grant")]
        pub struct Model {
            /// Identity.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            /// Client.
            #[sea_orm(unique)]
            pub client_id: String,
            /// Name for people.
            pub label: String,
            /// Role.
            pub role: String,
            /// System whose rows it writes.
            pub source_system: Option<String>,
            /// Codes of its sites.
            pub site_codes: StringList,
            /// Whether it has every site.
            pub all_sites: bool,
            /// Indicators it may write.
            pub indicators: StringList,
            /// Its départements.
            pub departements: StringList,
            /// Its SIREN numbers.
            pub sirens: StringList,
            /// Its scopes.
            pub scopes: StringList,
            /// Class of rate limits.
            pub rate_class: Option<String>,
            /// Start of validity.
            pub valid_from: Option<ChronoDateTimeUtc>,
            /// End of validity.
            pub valid_to: Option<ChronoDateTimeUtc>,
            /// Whether it may still call.
            pub status: GrantStatus,
            /// 1 at creation, one more at each write.
            pub version: i32,
            /// When the row was made.
            pub created_at: ChronoDateTimeUtc,
            /// When the row was last written.
            pub updated_at: ChronoDateTimeUtc,
        }
    }
}

/// Sites of a client grant, joined when rights are read.
pub mod client_grant_site {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "client_grant_site")]
        pub struct Model {
            /// Grant.
            #[sea_orm(primary_key, auto_increment = false)]
            pub grant_id: Uuid,
            /// Site.
            #[sea_orm(primary_key, auto_increment = false)]
            pub site_id: Uuid,
        }
    }
}

/// The one row that names this database; opaque ids and cursors may refer to it.
pub mod database_identity {
    use sea_orm::entity::prelude::*;

    plain_table! {
        #[sea_orm(table_name = "database_identity")]
        pub struct Model {
            /// Always 1.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: i32,
            /// Name.
            pub uuid: Uuid,
            /// When the database was made.
            pub created_at: ChronoDateTimeUtc,
        }
    }
}
