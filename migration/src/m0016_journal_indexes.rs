use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// The journal without indexes that no question reads by: each entry pays for all of them.
pub struct Change;

impl MigrationName for Change {
    fn name(&self) -> &'static str {
        "m0016_journal_indexes"
    }
}

/// Name and columns of those that a database has no use for.
const fn unread(backend: DbBackend) -> &'static [(&'static str, &'static str)] {
    // asked only beside the site, and then of a list of sites that is made meanwhile
    const WAS_SITE: (&str, &str) = ("ix_journal_was_site_id_seq", "\"was_site_id\", \"seq\"");
    // SQLite has one writer: its numbers are in the order of commits, and it knows no transactions
    const XID: (&str, &str) = ("ix_journal_xid_seq", "\"xid\", \"seq\"");
    match backend {
        DbBackend::Sqlite => &[WAS_SITE, XID],
        _ => &[WAS_SITE],
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Change {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in unread(manager.get_database_backend()) {
            manager.get_connection().execute_unprepared(&format!("DROP INDEX \"{name}\"")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, columns) in unread(manager.get_database_backend()) {
            let sql = format!("CREATE INDEX \"{name}\" ON \"journal\" ({columns})");
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    /// A change is made whole or not at all, on `SQLite` too.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
