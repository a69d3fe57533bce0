//! Who took what out, in the journal: written before the first byte goes out, so that nothing leaves without its trace.

use entity::{StringList, journal};
use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::Set;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::File;
use super::columns::Column;
use crate::auth::Role;
use crate::error::ApiError;
use crate::graphql::Engine;
use crate::journal::by;
use crate::policy::Viewer;

/// Under which entity exports stand in the journal; no change of an object.
pub(super) const ENTITY: &str = "Export";

/// Records an export of a known caller: the file, its columns, and a name for the filter that does not tell its
/// values.
pub(super) async fn record(
    engine: &Engine,
    viewer: &Viewer,
    request_id: &str,
    file: File,
    filter: &str,
    columns: &[Column],
) -> Result<(), ApiError> {
    if viewer.actor.role == Role::Public {
        return Ok(());
    }
    let row = journal::ActiveModel {
        entity: Set(ENTITY.to_owned()),
        entity_id: Set(Some(named(file, filter))),
        verb: Set(format!("export {}", file.name())),
        changed_fields: Set(StringList(columns.iter().map(|column| column.name.clone()).collect())),
        ..by(&viewer.actor, request_id, viewer.now)
    };
    let tx = engine.db.begin_write().await?;
    row.insert(&tx).await?;
    tx.commit().await?;
    Ok(())
}

/// The same file under the same filter has the same id.
fn named(file: File, filter: &str) -> Uuid {
    let hash = Sha256::new().chain_update(file.name()).chain_update([0]).chain_update(filter).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}
