use crate::column::{instant, int, list, text, uuid};
use crate::table::Table;

/// Imports of partner systems, and what became of their items.
pub fn tables() -> Vec<Table> {
    vec![import_batch(), import_item()]
}

fn import_batch() -> Table {
    let columns = [
        uuid("id"),
        text("client_id"),
        text("idempotency_key").null(),
        text("source_system"),
        text("mode").one_of(&["UPSERT", "FULL_SNAPSHOT"]),
        text("on_error").one_of(&["CONTINUE", "ABORT"]),
        text("status").one_of(&["RUNNING", "COMPLETED"]),
        uuid("site_id").to("site", "id").null(),
        instant("created_at"),
        instant("completed_at").null(),
        int("created"),
        int("updated"),
        int("unchanged"),
        int("conflict"),
        int("rejected"),
        int("absent"),
        list("external_ids"),
    ];
    Table::new("import_batch", &["id"], columns)
        .check("completed", "(status = 'COMPLETED') = (completed_at IS NOT NULL)")
        .check("snapshot", "mode = 'FULL_SNAPSHOT' OR site_id IS NULL")
        .index(&["client_id", "created_at", "id"])
        .index(&["idempotency_key"])
        .index(&["created_at", "id"])
        .elements(&["external_ids"])
}

/// An item that was found the same, and of which nothing is to be said, has no row: its import names it.
fn import_item() -> Table {
    let columns = [
        uuid("id"),
        uuid("batch_id").to("import_batch", "id").cascade(),
        text("client_id"),
        int("position"),
        text("external_id"),
        text("outcome").one_of(&["CREATED", "UPDATED", "UNCHANGED", "CONFLICT", "REJECTED"]),
        // an action may be removed for good one day; what was told of it stays
        uuid("action_id").null(),
        list("codes"),
        list("paths"),
        list("messages"),
        instant("at"),
    ];
    Table::new("import_item", &["id"], columns).unique(&["batch_id", "position"]).index(&["external_id"])
}
