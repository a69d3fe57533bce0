//! The changes of the database, in order, each with its way back.
//!
//! A change once released is never edited: another file follows it. That is why the allowed values of a
//! column are spelled out here and not taken from `entity`; a test compares the two.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

mod added;
mod column;
mod m0001_territories;
mod m0002_sites;
mod m0003_qpvs;
mod m0004_partners;
mod m0005_governance;
mod m0006_roadmaps;
mod m0007_actions;
mod m0008_figures;
mod m0009_platform;
mod m0010_imports;
mod m0011_webhooks;
mod m0012_revocations;
mod m0013_budgets;
mod m0014_webhook_tokens;
mod m0015_import_deletions;
mod m0016_journal_indexes;
mod table;

use table::Table;

/// The whole chain.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let families = [
            Family { name: "m0001_territories", tables: m0001_territories::tables },
            Family { name: "m0002_sites", tables: m0002_sites::tables },
            Family { name: "m0003_qpvs", tables: m0003_qpvs::tables },
            Family { name: "m0004_partners", tables: m0004_partners::tables },
            Family { name: "m0005_governance", tables: m0005_governance::tables },
            Family { name: "m0006_roadmaps", tables: m0006_roadmaps::tables },
            Family { name: "m0007_actions", tables: m0007_actions::tables },
            Family { name: "m0008_figures", tables: m0008_figures::tables },
            Family { name: "m0009_platform", tables: m0009_platform::tables },
            Family { name: "m0010_imports", tables: m0010_imports::tables },
            Family { name: "m0011_webhooks", tables: m0011_webhooks::tables },
            Family { name: "m0012_revocations", tables: m0012_revocations::tables },
            Family { name: "m0013_budgets", tables: m0013_budgets::tables },
        ];
        let mut all: Vec<Box<dyn MigrationTrait>> =
            families.into_iter().map(|family| Box::new(family) as Box<dyn MigrationTrait>).collect();
        all.push(Box::new(m0014_webhook_tokens::CHANGE));
        all.push(Box::new(Family { name: "m0015_import_deletions", tables: m0015_import_deletions::tables }));
        all.push(Box::new(m0016_journal_indexes::Change));
        all
    }
}

/// A change that makes a family of tables, in the order of their foreign keys.
struct Family {
    name: &'static str,
    tables: fn() -> Vec<Table>,
}

impl MigrationName for Family {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Family {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            // Trusted since PostgreSQL 13: the owner of the database may. It stays on the way back, since
            // others may use it.
            let sql = "CREATE EXTENSION IF NOT EXISTS pg_trgm";
            manager.get_connection().execute_unprepared(sql).await?;
        }
        for table in (self.tables)() {
            table.create(manager).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in (self.tables)().iter().rev() {
            table.drop(manager).await?;
        }
        Ok(())
    }

    /// A change is made whole or not at all, on `SQLite` too.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
