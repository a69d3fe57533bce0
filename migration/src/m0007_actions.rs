use crate::column::{Column, bigint, boolean, date, instant, int, list, text, uuid};
use crate::table::Table;

/// Actions, with the neighbourhoods, partners and money that go with them.
pub fn tables() -> Vec<Table> {
    vec![action(), qpv_link(), partner_link(), funding_line()]
}

fn action() -> Table {
    Table::row("action", action_columns())
        .check(
            "start",
            "(starts_on IS NULL) = (starts_from IS NULL) AND (starts_on IS NULL) = (starts_to IS NULL)",
        )
        .check("start_order", "starts_from <= starts_to")
        .check("end", "(ends_on IS NULL) = (ends_from IS NULL) AND (ends_on IS NULL) = (ends_to IS NULL)")
        .check("end_order", "ends_from <= ends_to")
        .check("period", "starts_from <= ends_to")
        // the tombstone last, so that counting a site's actions reads the index alone
        .index(&["site_id", "updated_at", "id", "deleted_at"])
        .index(&["site_id", "status"])
        .index(&["starts_from", "id"])
        .index(&["ends_from", "id"])
        .index(&["title_search", "id"])
        .index(&["status", "id"])
        .index(&["pillar", "id"])
        .search(&["title_search"])
        .elements(&["categories"])
        .elements(&["audiences"])
        .elements(&["rome_codes"])
}

fn action_columns() -> [Column; 22] {
    [
        instant("source_updated_at").null(),
        uuid("site_id").to("site", "id"),
        text("title"),
        text("title_search"),
        text("description").null(),
        text("pillar").one_of(&["RECENSER_FEDERER", "ALLER_VERS_RACCROCHER", "INNOVER"]).null(),
        uuid("axis_id").to("axis", "id").null(),
        list("categories"),
        list("audiences"),
        list("rome_codes"),
        boolean("innovative"),
        text("status").one_of(&["DRAFT", "PLANNED", "IN_PROGRESS", "SUSPENDED", "COMPLETED", "CANCELLED"]),
        text("starts_on").null(),
        date("starts_from").null(),
        date("starts_to").null(),
        text("ends_on").null(),
        date("ends_from").null(),
        date("ends_to").null(),
        uuid("lead_partner_id").to("partner", "id").null(),
        boolean("published"),
        text("cancel_reason").null(),
        text("reopen_reason").null(),
    ]
}

fn qpv_link() -> Table {
    let columns = [uuid("action_id").to("action", "id").cascade(), uuid("qpv_id").to("qpv", "id")];
    Table::new("action_qpv", &["action_id", "qpv_id"], columns).index(&["qpv_id", "action_id"])
}

fn partner_link() -> Table {
    let columns = [uuid("action_id").to("action", "id").cascade(), uuid("partner_id").to("partner", "id")];
    Table::new("action_partner", &["action_id", "partner_id"], columns).index(&["partner_id", "action_id"])
}

fn funding_line() -> Table {
    let columns = [
        uuid("site_id").to("site", "id"),
        uuid("action_id").to("action", "id").null(),
        int("year").check("year BETWEEN 2000 AND 2099"),
        uuid("funder_partner_id").to("partner", "id").null(),
        text("programme_label"),
        bigint("amount_cents").check("amount_cents >= 0"),
        text("kind").one_of(&["REQUESTED", "GRANTED", "PAID"]),
    ];
    Table::row("funding_line", columns)
        .index(&["site_id", "year", "id"])
        .index(&["year", "id"])
        .index(&["kind", "id"])
        .index(&["amount_cents", "id"])
        .index(&["created_at", "id"])
}
