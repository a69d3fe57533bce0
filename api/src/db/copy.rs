//! A copy of an embedded database, made while it is in use.

use std::path::Path;

use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::{Bounds, Db};

impl Db {
    /// Copies an embedded database into an empty file: one state of it, whatever is written meanwhile. The copy is
    /// read through.
    pub async fn copy_into(&self, file: &Path) -> Result<(), DbErr> {
        let backend = self.writer.get_database_backend();
        let path = file.to_string_lossy().into_owned();
        let copy = Statement::from_sql_and_values(backend, "VACUUM INTO $1", [path.clone().into()]);
        self.writer.execute_raw(copy).await?;
        // immutable: the copy stays one file, without a journal beside it
        let url = format!("sqlite://{path}?mode=ro&immutable=true");
        let copy = Self::open_to_read(&url, Bounds::default())?;
        let check = Statement::from_string(backend, "PRAGMA integrity_check");
        let found: Option<String> =
            copy.query_one_raw(check).await?.map(|row| row.try_get_by_index(0)).transpose()?;
        copy.close().await;
        match found.as_deref() {
            Some("ok") => Ok(()),
            found => Err(DbErr::Custom(format!("the copy is not sound: {}", found.unwrap_or("no answer")))),
        }
    }
}
