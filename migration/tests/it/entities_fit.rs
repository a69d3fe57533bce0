//! Entities say of each column what the database says.

use std::collections::BTreeSet;

use migration::{Migrator, MigratorTrait};
use sea_orm::sea_query::ColumnType;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, IdenStatic, Iterable};

use crate::support::{lines, on_each_database};

/// `table.column type nullable` of every column of an entity.
fn columns_of<E: EntityTrait + Default>() -> Vec<String> {
    let table = E::default();
    E::Column::iter()
        .map(|column| {
            let def = column.def();
            let required = if def.is_null() { "null" } else { "required" };
            format!("{}.{} {} {required}", table.as_str(), column.as_str(), type_name(def.get_column_type()))
        })
        .collect()
}

fn type_name(column_type: &ColumnType) -> &'static str {
    match column_type {
        ColumnType::Uuid => "uuid",
        ColumnType::String(_) | ColumnType::Text => "text",
        ColumnType::Integer => "integer",
        ColumnType::BigInteger => "bigint",
        ColumnType::Boolean => "boolean",
        ColumnType::Double => "double precision",
        ColumnType::Date => "date",
        ColumnType::TimestampWithTimeZone => "timestamp with time zone",
        ColumnType::Decimal(_) => "numeric",
        ColumnType::Json | ColumnType::JsonBinary => "jsonb",
        other => panic!("unexpected type {other:?}"),
    }
}

macro_rules! columns_of_all {
    ($($table:ident)*) => {
        [$( columns_of::<entity::$table::Entity>() ),*].concat()
    };
}

fn entities() -> BTreeSet<String> {
    let columns = columns_of_all! {
        region departement epci commune contrat_ville
        site site_commune site_epci site_departement site_milestone
        qpv qpv_commune qpv_outline qpv_lineage site_qpv
        partner seat referent
        governance_body governance_member meeting roadmap axis
        action action_qpv action_partner funding_line figure
        ingest_run journal audit_seal idempotency_key client_grant client_grant_site database_identity
        import_batch import_deletion import_item webhook revocation budget
    };
    columns.into_iter().collect()
}

/// The same lines from the database; `SQLite` has no such types, so there the entity's word is taken.
async fn database(db: &DatabaseConnection) -> BTreeSet<String> {
    let sqlite = "SELECT m.name || '.' || c.name || ' ' ||
            CASE WHEN c.\"notnull\" OR c.pk THEN 'required' ELSE 'null' END AS line
        FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT IN ('seaql_migrations', 'sqlite_sequence')";
    let postgres = "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' ||
            CASE is_nullable WHEN 'YES' THEN 'null' ELSE 'required' END AS line
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'";
    lines(db, sqlite, postgres).await.into_iter().collect()
}

#[tokio::test]
async fn columns_types_and_nullability_are_those_of_the_tables() {
    on_each_database(async |db| {
        Migrator::up(db, None).await.unwrap();
        let database = database(db).await;
        let with_types = database.iter().all(|line| line.split(' ').count() > 2);
        let without_type = |line: String| {
            let words: Vec<&str> = line.split(' ').collect();
            format!("{} {}", words[0], words[words.len() - 1])
        };
        let entities: BTreeSet<String> =
            if with_types { entities() } else { entities().into_iter().map(without_type).collect() };
        let missing: Vec<_> = entities.difference(&database).collect();
        let extra: Vec<_> = database.difference(&entities).collect();
        assert!(missing.is_empty() && extra.is_empty(), "entities: {missing:#?}\ndatabase: {extra:#?}");
    })
    .await;
}
