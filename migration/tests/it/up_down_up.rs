use migration::{Migrator, MigratorTrait};
use sea_orm::DatabaseConnection;

use crate::support::{lines, on_each_database};

#[tokio::test]
async fn the_chain_goes_up_down_and_up_to_the_same_schema() {
    on_each_database(async |db| {
        Migrator::up(db, None).await.unwrap();
        let first = schema(db).await;
        assert!(first.iter().any(|line| line.contains("ux_site_code")), "{first:#?}");

        Migrator::down(db, None).await.unwrap();
        assert_eq!(schema(db).await, Vec::<String>::new());

        Migrator::up(db, None).await.unwrap();
        assert_eq!(schema(db).await, first);
    })
    .await;
}

#[tokio::test]
async fn every_foreign_key_is_served_by_an_index() {
    on_each_database(async |db| {
        Migrator::up(db, None).await.unwrap();
        assert_eq!(unserved_foreign_keys(db).await, Vec::<String>::new());
        assert_eq!(foreign_keys(db).await.len(), 60);
    })
    .await;
}

/// Tables, columns, constraints and indexes, one line each.
async fn schema(db: &DatabaseConnection) -> Vec<String> {
    let sqlite = "SELECT name || ' ' || COALESCE(sql, '') AS line FROM sqlite_master
        WHERE tbl_name NOT IN ('seaql_migrations', 'sqlite_sequence') ORDER BY 1";
    let postgres = "SELECT line FROM (
        SELECT concat_ws(' ', table_name, column_name, data_type, datetime_precision, is_nullable,
            column_default, collation_name) AS line, table_name AS t
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT indexdef, tablename FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid), conrelid::regclass::text
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
    ) s WHERE t <> 'seaql_migrations' ORDER BY 1";
    lines(db, sqlite, postgres).await
}

async fn foreign_keys(db: &DatabaseConnection) -> Vec<String> {
    let sqlite = "SELECT m.name || '.' || f.\"from\" AS line
        FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
    let postgres = "SELECT conname::text AS line FROM pg_constraint WHERE contype = 'f'";
    lines(db, sqlite, postgres).await
}

/// Foreign keys that are first in no index over all rows.
async fn unserved_foreign_keys(db: &DatabaseConnection) -> Vec<String> {
    let sqlite = "SELECT m.name || '.' || f.\"from\" AS line
        FROM sqlite_master m, pragma_foreign_key_list(m.name) f
        WHERE m.type = 'table' AND NOT EXISTS (
            SELECT 1 FROM pragma_index_list(m.name) i, pragma_index_info(i.name) c
            WHERE i.partial = 0 AND c.seqno = 0 AND c.name = f.\"from\")";
    let postgres = "SELECT conname::text AS line FROM pg_constraint c
        WHERE contype = 'f' AND NOT EXISTS (
            SELECT 1 FROM pg_index i
            WHERE i.indrelid = c.conrelid AND i.indpred IS NULL AND i.indkey[0] = c.conkey[1])";
    lines(db, sqlite, postgres).await
}
