use crate::column::{bigint, boolean, instant, int, json, list, sequence, text, uuid};
use crate::table::Table;

/// Loading, journal, idempotency, client grants and the identity of the database.
pub fn tables() -> Vec<Table> {
    vec![
        ingest_run(),
        journal(),
        audit_seal(),
        idempotency_key(),
        client_grant(),
        client_grant_site(),
        database_identity(),
    ]
}

fn ingest_run() -> Table {
    let columns = [
        uuid("id"),
        text("source"),
        text("file"),
        text("vintage"),
        text("sha256"),
        text("state").one_of(&["RUNNING", "DONE", "FAILED", "UNCHANGED"]),
        instant("started_at"),
        instant("finished_at").null(),
        bigint("lines").default("0"),
        bigint("created").default("0"),
        bigint("updated").default("0"),
        bigint("unchanged").default("0"),
        bigint("rejected").default("0"),
        json("errors").default("'[]'"),
    ];
    Table::new("ingest_run", &["id"], columns).index(&["source", "vintage", "started_at"])
}

fn journal() -> Table {
    let columns = [
        sequence("seq"),
        // Numbers are taken early and committed late: a follower compares this with the oldest transaction
        // still open, and so skips nothing. SQLite has one writer, whose order of numbers is that of commits.
        bigint("xid").postgres_default("(pg_current_xact_id()::text::bigint)").null(),
        text("entity"),
        uuid("entity_id").null(),
        int("version"),
        text("op").one_of(&["UPSERT", "DELETE"]),
        text("verb"),
        instant("at"),
        // Who may see the entry: by the row as it is, and by the row as it was, so that one which leaves a
        // reader's scope reaches him as a removal.
        uuid("site_id").null(),
        uuid("was_site_id").null(),
        text("source_system").null(),
        boolean("public").default("false"),
        boolean("was_public").default("false"),
        list("changed_fields"),
        // Whose scope a write narrows sees the entry by which it does, and nothing after it.
        list("lost_departements"),
        list("lost_sirens"),
        list("lost_clients"),
        text("actor_sub").null(),
        text("client_id").null(),
        text("role").null(),
        text("request_id").null(),
        text("outcome").default("'OK'"),
    ];
    Table::new("journal", &[], columns)
        .index(&["entity", "entity_id"])
        .index(&["at"])
        .index(&["xid", "seq"])
        .index(&["client_id", "seq"])
        .index(&["site_id", "seq"])
        .index(&["was_site_id", "seq"])
}

fn audit_seal() -> Table {
    let columns = [
        bigint("number"),
        // Transactions on PostgreSQL, entries on SQLite: what was sealed before, and up to where this one goes.
        bigint("after_mark"),
        bigint("last_mark"),
        bigint("entries"),
        text("previous_hash"),
        text("hash"),
        instant("at"),
    ];
    Table::new("audit_seal", &["number"], columns)
}

fn idempotency_key() -> Table {
    let columns = [
        text("client_id"),
        text("key"),
        text("operation"),
        text("input_hash"),
        text("answer").null(),
        text("state").one_of(&["RUNNING", "DONE"]),
        instant("created_at"),
        instant("expires_at"),
    ];
    Table::new("idempotency_key", &["client_id", "key"], columns)
        .check("answered", "(state = 'DONE') = (answer IS NOT NULL)")
        .index(&["expires_at"])
}

fn client_grant() -> Table {
    let columns = [
        uuid("id"),
        text("client_id"),
        text("label"),
        text("role"),
        text("source_system").null(),
        list("site_codes"),
        boolean("all_sites"),
        list("indicators"),
        list("departements"),
        list("sirens"),
        list("scopes"),
        text("rate_class").null(),
        instant("valid_from").null(),
        instant("valid_to").null(),
        text("status").one_of(&["ACTIVE", "REVOKED"]),
        int("version").default("1").check("version >= 1"),
        instant("created_at"),
        instant("updated_at"),
    ];
    Table::new("client_grant", &["id"], columns)
        .check("validity", "valid_from <= valid_to")
        .unique(&["client_id"])
        .index(&["source_system"])
        .index(&["status", "id"])
        .index(&["created_at", "id"])
        .index(&["updated_at", "id"])
}

fn client_grant_site() -> Table {
    let columns =
        [uuid("grant_id").to("client_grant", "id").cascade(), uuid("site_id").to("site", "id").cascade()];
    Table::new("client_grant_site", &["grant_id", "site_id"], columns).index(&["site_id", "grant_id"])
}

fn database_identity() -> Table {
    let columns = [int("id").check("id = 1"), uuid("uuid"), instant("created_at")];
    Table::new("database_identity", &["id"], columns)
}
