use crate::column::{date, int, text, uuid};
use crate::table::Table;

/// Roadmaps and their axes.
pub fn tables() -> Vec<Table> {
    vec![roadmap(), axis()]
}

fn roadmap() -> Table {
    let columns = [
        uuid("site_id").to("site", "id"),
        int("number").check("number >= 1"),
        text("status").one_of(&["DRAFT", "ADOPTED", "SUPERSEDED"]),
        date("adopted_on").null(),
        uuid("adopted_by_meeting_id").to("meeting", "id").null(),
    ];
    Table::row("roadmap", columns)
        .unique(&["site_id", "number"])
        .unique_where(&["site_id"], "status = 'ADOPTED' AND deleted_at IS NULL")
        .index(&["number", "id"])
        .index(&["status", "id"])
        .index(&["created_at", "id"])
        .index(&["adopted_on", "id"])
}

fn axis() -> Table {
    let columns = [
        uuid("roadmap_id").to("roadmap", "id"),
        uuid("site_id").to("site", "id"),
        text("label"),
        text("label_search"),
        text("pillar").one_of(&["RECENSER_FEDERER", "ALLER_VERS_RACCROCHER", "INNOVER"]).null(),
        int("position"),
    ];
    Table::row("axis", columns)
        .unique_where(&["roadmap_id", "label_search"], "deleted_at IS NULL")
        .index(&["roadmap_id", "position", "id"])
        .index(&["pillar", "id"])
        .search(&["label_search"])
}
