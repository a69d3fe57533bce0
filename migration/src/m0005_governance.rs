use crate::column::{date, int, list, text, uuid};
use crate::table::Table;

/// Governance bodies, their members and meetings.
pub fn tables() -> Vec<Table> {
    vec![body(), member(), meeting()]
}

fn body() -> Table {
    let columns = [
        uuid("site_id").to("site", "id"),
        text("kind").one_of(&["COPIL", "COTECH", "COMITE_OPERATIONNEL", "GROUPE_TRAVAIL", "AUTRE"]),
        text("name").null(),
        text("origin").one_of(&["AD_HOC", "EXISTING_BODY"]).null(),
        text("attached_to").null(),
        int("cadence_every").check("cadence_every BETWEEN 1 AND 60").null(),
        text("cadence_unit").one_of(&["WEEK", "MONTH", "YEAR"]).null(),
        text("scale_label").null(),
        uuid("parent_id").to("governance_body", "id").null(),
        text("status").one_of(&["PLANNED", "ACTIVE", "SUSPENDED", "DISSOLVED"]),
    ];
    Table::row("governance_body", columns)
        .check("cadence", "(cadence_every IS NULL) = (cadence_unit IS NULL)")
        .check("parent", "parent_id <> id")
        .unique_where(&["site_id"], "kind = 'COPIL' AND status = 'ACTIVE' AND deleted_at IS NULL")
        .index(&["site_id", "kind", "id"])
        .index(&["kind", "id"])
        .index(&["status", "id"])
        .index(&["created_at", "id"])
}

fn member() -> Table {
    let columns = [
        uuid("id"),
        uuid("body_id").to("governance_body", "id").cascade(),
        uuid("partner_id").to("partner", "id"),
        text("seat").one_of(&["PRESIDENT", "COPRESIDENT", "MEMBRE", "INVITE"]),
    ];
    Table::new("governance_member", &["id"], columns).unique(&["body_id", "partner_id"])
}

fn meeting() -> Table {
    let columns = [
        uuid("body_id").to("governance_body", "id"),
        date("held_on"),
        text("status").one_of(&["PLANNED", "HELD", "CANCELLED"]),
        text("summary").null(),
        list("decisions"),
    ];
    Table::row("meeting", columns)
        .index(&["body_id", "held_on", "id"])
        .index(&["held_on", "id"])
        .index(&["status", "id"])
        .index(&["created_at", "id"])
}
