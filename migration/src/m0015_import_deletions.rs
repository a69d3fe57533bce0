use crate::column::{instant, text};
use crate::table::Table;

/// Deletions that were told of actions which were not there.
pub fn tables() -> Vec<Table> {
    let columns =
        [text("source_system"), text("external_id"), instant("source_updated_at"), instant("told_at")];
    vec![Table::new("import_deletion", &["source_system", "external_id"], columns)]
}
