use crate::column::{instant, uuid};
use crate::table::Table;

/// What clients may still ask, shared between instances. It is worth nothing after a crash, and who asked when is to
/// stand in no log that is kept: hence not logged.
pub fn tables() -> Vec<Table> {
    vec![Table::new("budget", &["client"], [uuid("client"), instant("full_at")]).unlogged()]
}
