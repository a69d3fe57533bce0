use crate::column::{instant, int, list, text, uuid};
use crate::table::Table;

/// Addresses that changes are posted to.
pub fn tables() -> Vec<Table> {
    let columns = [
        uuid("id"),
        text("client_id"),
        text("role"),
        text("actor_sub").null(),
        text("source_system").null(),
        list("scopes"),
        text("url"),
        list("entities"),
        text("secret"),
        text("state").one_of(&["ACTIVE", "PAUSED"]),
        text("pause_reason").one_of(&["OWNER", "FAILING", "GONE", "CURSOR_EXPIRED", "TOKEN_REVOKED"]).null(),
        text("after_cursor").null(),
        instant("delivered_at").null(),
        int("attempts").default("0"),
        instant("failing_since").null(),
        instant("next_attempt_at").null(),
        text("last_error").null(),
        uuid("lease").null(),
        instant("leased_until").null(),
        int("version").default("1").check("version >= 1"),
        instant("created_at"),
        instant("updated_at"),
        instant("deleted_at").null(),
    ];
    let webhook = Table::new("webhook", &["id"], columns)
        .check("paused", "(state = 'PAUSED') = (pause_reason IS NOT NULL)")
        .check("leased", "(lease IS NULL) = (leased_until IS NULL)")
        .index(&["client_id", "id"])
        .index(&["state", "id"])
        .index(&["created_at", "id"])
        .index(&["updated_at", "id"]);
    vec![webhook]
}
