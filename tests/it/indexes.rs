//! Every order that a list takes has an index that serves it, and so has every filter, but for the exceptions below.

use std::collections::BTreeSet;

use cites::db::{Backend, Db};
use cites::graphql::scalars::Scalar;
use cites::read::declare::{Field, FieldKind, Leaf, Noun, Source, ValueField};
use sea_orm::{ConnectionTrait, Statement};
use tests::{Template, TestApp, block_on_postgres, on_both};

/// Flags and enums are filtered without an index of their own: a value of few is not what an index finds rows by, the
/// rest of the filter is. So are tables of a few hundred rows, which are read whole.
const SMALL: &[&str] = &[
    "region",
    "departement",
    "contrat_ville",
    "site",
    "site_milestone",
    "referent",
    "governance_body",
    "roadmap",
    "axis",
    "client_grant",
    "webhook",
];

/// Columns of the other tables that are filtered without an index, and why.
const UNSERVED: &[(&str, &str, &str)] = &[
    ("*", "source_external_id", "asked with the system, whose index has it second"),
    ("action", "created_at", "what writes change stays cheap; updated_at finds what is new"),
    ("action", "source_updated_at", "asked with the system, whose index narrows it"),
    ("commune", "kind", "a few values"),
    ("epci", "kind", "a few values"),
    ("figure", "value", "masked row by row"),
    ("journal", "version", "asked of one object, whose index narrows it"),
    ("journal", "verb", "a few values"),
    ("journal", "outcome", "a few values"),
    ("journal", "role", "a few values"),
    ("journal", "request_id", "each write would pay; asked with `at`, whose index narrows it"),
    ("journal", "actor_sub", "each write would pay; asked with `at`, whose index narrows it"),
    ("journal", "changed_fields", "each write would pay; asked with `at`, whose index narrows it"),
    ("qpv", "valid_from", "one value per generation"),
    ("qpv", "valid_to", "one value per generation and shore"),
    ("site_qpv", "starts_on", "a site has a few links, and so has a QPV"),
    ("site_qpv", "ends_on", "a site has a few links, and so has a QPV"),
];

/// First columns of the indexes over all rows of each table: those that order, and those that find pieces.
async fn indexes(db: &Db) -> (BTreeSet<(String, String)>, BTreeSet<(String, String)>) {
    let text = match db.backend {
        Backend::Postgres => {
            "SELECT c.relname::text, a.attname::text, am.amname::text FROM pg_index i \
             JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid \
             JOIN pg_am am ON am.oid = x.relam \
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] WHERE i.indpred IS NULL"
        }
        Backend::Sqlite => {
            "SELECT m.name, i.name, 'btree' FROM sqlite_master m JOIN pragma_index_list(m.name) l \
             JOIN pragma_index_info(l.name) i WHERE m.type = 'table' AND l.partial = 0 AND i.seqno = 0"
        }
    };
    let backend = db.readers.get_database_backend();
    let rows = db.readers.query_all_raw(Statement::from_string(backend, text)).await.expect("the catalogue");
    let text = |row: &sea_orm::QueryResult, at| row.try_get_by_index::<String>(at).expect("a name");
    let named = rows.iter().map(|row| ((text(row, 0), text(row, 1)), text(row, 2) == "btree"));
    let (ordered, pieces): (Vec<_>, Vec<_>) = named.partition(|(_, is_ordered)| *is_ordered);
    let set = |of: Vec<((String, String), bool)>| of.into_iter().map(|(name, _)| name).collect();
    (set(ordered), set(pieces))
}

/// The values of a noun, those of its groups among them.
fn values(fields: &[Field]) -> Vec<&ValueField> {
    let mut found = Vec::new();
    for field in fields {
        match &field.kind {
            FieldKind::Value(value) => found.push(value),
            FieldKind::Group { fields, .. } => found.extend(values(fields)),
            _ => {}
        }
    }
    found
}

/// The nouns that are listed page by page somewhere.
fn listed(nouns: &[Noun]) -> impl Iterator<Item = &Noun> {
    let many: BTreeSet<&str> = (nouns.iter().flat_map(|noun| &noun.fields))
        .filter_map(|field| if let FieldKind::Many(to) = &field.kind { Some(to.target) } else { None })
        .collect();
    nouns.iter().filter(move |noun| noun.plural.is_some() || many.contains(noun.name))
}

on_both!(every_order_is_served_by_an_index, Small, async |app| {
    let (ordered, _) = indexes(&app.db).await;
    let nouns = cites::graphql::nouns();
    let mut seen = 0;
    let mut unserved = Vec::new();
    for noun in listed(&nouns) {
        for column in values(&noun.fields).into_iter().filter_map(|value| value.sort) {
            seen += 1;
            if column != noun.key && !ordered.contains(&(noun.table.to_owned(), column.to_owned())) {
                unserved.push(format!("{}.{column}", noun.table));
            }
        }
    }
    assert!(seen > 40 && unserved.is_empty(), "{seen} orders, without index: {unserved:?}");
});

/// The columns through which a filter finds rows, and whether it looks for pieces in them.
fn found_by(value: &ValueField) -> Vec<(&'static str, bool)> {
    let own = match value.source {
        Source::Column(column) => column,
        // the column that it computes from has its name
        Source::Expression(_) => "value",
    };
    match (value.search, value.interval) {
        (Some(search), _) => vec![(search, false), (search, true)],
        // periods are found by their first day
        (_, Some((from, _))) => vec![(from, false)],
        _ => vec![(own, value.list)],
    }
}

on_both!(every_filter_is_served_by_an_index, Small, async |app| {
    let (ordered, pieces) = indexes(&app.db).await;
    let nouns = cites::graphql::nouns();
    let is_few = |leaf: Leaf| matches!(leaf, Leaf::Enum(_) | Leaf::Scalar(Scalar::Boolean));
    let excuses: BTreeSet<(&str, &str)> =
        UNSERVED.iter().map(|(table, column, _)| (*table, *column)).collect();
    let mut used = BTreeSet::new();
    let mut unserved = BTreeSet::new();
    for noun in nouns.iter().filter(|noun| !SMALL.contains(&noun.table)) {
        let filtered = values(&noun.fields).into_iter().filter(|value| value.filterable);
        for (column, is_piece) in
            filtered.filter(|value| value.list || !is_few(value.leaf)).flat_map(found_by)
        {
            let name = (noun.table.to_owned(), column.to_owned());
            let served = if is_piece {
                app.db.backend == Backend::Sqlite || pieces.contains(&name)
            } else {
                column == noun.key || ordered.contains(&name)
            };
            let excuse =
                [(noun.table, column), ("*", column)].into_iter().find(|known| excuses.contains(known));
            match excuse {
                _ if served => {}
                Some(excuse) => {
                    used.insert(excuse);
                }
                None => {
                    unserved.insert(format!("{}.{column}", noun.table));
                }
            }
        }
    }
    assert!(unserved.is_empty(), "without index: {unserved:?}");
    // SQLite has no index for pieces, hence other excuses
    if app.db.backend == Backend::Postgres {
        assert_eq!(used, excuses, "what is excused and served after all, or not there");
    }
});

#[test]
fn postgresql_reads_every_order_from_its_index() {
    block_on_postgres(async || {
        let app = TestApp::start(tests::Backend::Postgres, Template::Small).await;
        let nouns = cites::graphql::nouns();
        for noun in nouns.iter().filter(|noun| noun.plural.is_some()) {
            let sort = |name: &str| match &noun.field(name)?.kind {
                FieldKind::Value(value) => value.sort,
                _ => None,
            };
            let default: Vec<(&str, bool)> =
                noun.order.iter().filter_map(|(name, descending)| Some((sort(name)?, *descending))).collect();
            let single = values(&noun.fields)
                .into_iter()
                .filter_map(|value| value.sort)
                .map(|column| vec![(column, false)]);
            for order in single.chain([default]).filter(|order| !order.is_empty()) {
                let plan = plan(&app.db, noun, &order).await;
                let sorts =
                    plan.lines().any(|line| line.trim_start_matches([' ', '-', '>']).starts_with("Sort  ("));
                assert!(plan.contains("Index") && !sorts, "{} by {order:?}:\n{plan}", noun.table);
            }
        }
        app.stop().await;
    });
}

/// How PostgreSQL reads the first page of an order, when it does not fall back on reading the whole table.
async fn plan(db: &Db, noun: &Noun, order: &[(&str, bool)]) -> String {
    let word = |descending: bool| if descending { " DESC" } else { "" };
    let terms: Vec<String> =
        order.iter().map(|(column, descending)| format!("{column}{}", word(*descending))).collect();
    let last = word(order.last().is_some_and(|(_, descending)| *descending));
    let rows_alive = if noun.tombstones { "WHERE deleted_at IS NULL" } else { "" };
    let (table, key) = (noun.table, noun.key);
    let text = format!(
        "EXPLAIN SELECT {key} FROM {table} {rows_alive} ORDER BY {}, {key}{last} LIMIT 21",
        terms.join(", ")
    );
    let tx = db.begin_write().await.expect("a transaction");
    let settings = "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off";
    tx.execute_unprepared(settings).await.expect("the settings are taken");
    let rows =
        tx.query_all_raw(Statement::from_string(tx.get_database_backend(), text)).await.expect("a plan");
    tx.rollback().await.expect("it ends");
    let line = |row: &sea_orm::QueryResult| row.try_get_by_index::<String>(0).expect("a line");
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
