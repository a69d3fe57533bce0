//! What an error of the database says about trying again.

use sea_orm::{DbErr, RuntimeErr, sqlx};

/// Whether a transaction was ended because another stood in its way (deadlock, serialization, or what a standby replays):
/// it is rolled back whole, and may be run again.
pub fn is_contended(error: &DbErr) -> bool {
    code(error).is_some_and(|code| ["40001", "40P01", "55P03"].contains(&code.as_str()))
}

/// Whether a statement was stopped because it took too long.
pub fn is_too_long(error: &DbErr) -> bool {
    code(error).as_deref() == Some("57014")
}

/// Whether `SQLite` could not write for want of room. Then a transaction is not committed: its last frame, which would
/// commit it, was not written whole.
pub fn is_without_room(error: &DbErr) -> bool {
    // full; a write that the system refused
    code(error).is_some_and(|code| ["13", "778"].contains(&code.as_str()))
}

/// Whether a row broke a rule of the database. Then its transaction is not committed.
pub fn is_violation(error: &DbErr) -> bool {
    database(error).is_some_and(|error| !matches!(error.kind(), sqlx::error::ErrorKind::Other))
}

/// Whether the connection ended, or leads to a server that takes no writes any more: another one may do better.
pub fn is_lost(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause))
    | DbErr::Query(RuntimeErr::SqlxError(cause))
    | DbErr::Conn(RuntimeErr::SqlxError(cause))) = error
    else {
        return false;
    };
    match cause.as_ref() {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            // connection exceptions; a server that shuts down, crashed or starts; a former primary after a failover
            code.starts_with("08") || code.starts_with("57P0") || code == "25006"
        }),
        _ => false,
    }
}

fn code(error: &DbErr) -> Option<String> {
    database(error)?.code().map(Into::into)
}

/// What the database itself said.
fn database(error: &DbErr) -> Option<&dyn sqlx::error::DatabaseError> {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return None;
    };
    cause.as_database_error()
}
