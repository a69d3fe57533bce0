use sea_orm_migration::prelude::*;

use crate::column::Column;

/// A change that gives a table more columns. Its rows keep what they have, so the columns may be empty.
pub struct AddedColumns {
    /// Name of the change.
    pub name: &'static str,
    /// The table.
    pub table: &'static str,
    /// Its new columns.
    pub columns: fn() -> Vec<Column>,
}

impl MigrationName for AddedColumns {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddedColumns {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (table, backend) = (self.table, manager.get_database_backend());
        // one after the other: SQLite takes no two at once
        for column in (self.columns)() {
            let sql = format!("ALTER TABLE \"{table}\" ADD COLUMN {}", column.sql(table, backend));
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in (self.columns)().iter().rev() {
            let sql = format!("ALTER TABLE \"{}\" DROP COLUMN \"{}\"", self.table, column.name);
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    /// A change is made whole or not at all, on `SQLite` too.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
