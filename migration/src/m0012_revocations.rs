use crate::column::{instant, text, uuid};
use crate::table::Table;

/// Tokens that are refused before they end.
pub fn tables() -> Vec<Table> {
    let columns = [
        uuid("id"),
        text("jti").null(),
        text("client_id").null(),
        instant("revoked_at"),
        instant("kept_until"),
        text("reason").null(),
    ];
    let revocation = Table::new("revocation", &["id"], columns)
        .check("one", "(jti IS NULL) <> (client_id IS NULL)")
        .unique(&["jti"])
        .unique(&["client_id"]);
    vec![revocation]
}
