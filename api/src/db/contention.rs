//! Transactions that the server ends in favour of others.

use sea_orm::{DbErr, RuntimeErr, sqlx};

/// Whether a transaction was ended because another stood in its way (deadlock, serialization): it is rolled back
/// whole, and may be run again.
pub fn is_contended(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return false;
    };
    match cause.as_ref() {
        sqlx::Error::Database(database) => {
            database.code().is_some_and(|code| ["40001", "40P01"].contains(&code.as_ref()))
        }
        _ => false,
    }
}
