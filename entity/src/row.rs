/// Writes the entity of a row of the domain: the columns that all of them share, then its own.
///
/// Every such row keeps its identity for ever, counts its writes, stays as a tombstone when deleted, and
/// remembers the outside system it came from: `source_system` and `source_external_id` are both there or
/// both absent, and one pair names one row of a table, tombstones included.
macro_rules! domain_row {
    (
        #[sea_orm(table_name = $table:literal)]
        pub struct Model { $($columns:tt)* }
    ) => {
        /// One row.
        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
        #[sea_orm(table_name = $table)]
        pub struct Model {
            /// Identity: a `UUIDv7` made by the application, never changed or reused.
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            /// 1 at creation, one more at each write.
            pub version: i32,
            /// When the row was made.
            pub created_at: ChronoDateTimeUtc,
            /// When the row was last written.
            pub updated_at: ChronoDateTimeUtc,
            /// When the row was deleted; it stays as a tombstone.
            pub deleted_at: Option<ChronoDateTimeUtc>,
            /// System the row comes from; none when written by hand.
            pub source_system: Option<String>,
            /// Identity of the row in that system.
            pub source_external_id: Option<String>,
            $($columns)*
        }

        impl ActiveModelBehavior for ActiveModel {}
    };
}

/// Writes the entity of any other table, from its columns alone.
macro_rules! plain_table {
    (
        #[sea_orm(table_name = $table:literal)]
        pub struct Model { $($columns:tt)* }
    ) => {
        /// One row.
        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
        #[sea_orm(table_name = $table)]
        pub struct Model { $($columns)* }

        impl ActiveModelBehavior for ActiveModel {}
    };
}
