//! Who took what out, in the journal: written before the first byte goes out, so that nothing leaves without its trace.

use entity::enums::JournalOp;
use entity::{StringList, journal};
use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::{NotSet, Set};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::File;
use super::columns::Column;
use crate::auth::Role;
use crate::error::ApiError;
use crate::graphql::Engine;
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
    let actor = &viewer.actor;
    if actor.role == Role::Public {
        return Ok(());
    }
    let row = journal::ActiveModel {
        seq: NotSet,
        xid: NotSet,
        entity: Set(ENTITY.to_owned()),
        entity_id: Set(Some(named(file, filter))),
        version: Set(0),
        op: Set(JournalOp::Upsert),
        verb: Set(format!("export {}", file.name())),
        at: Set(viewer.now),
        site_id: Set(None),
        was_site_id: Set(None),
        source_system: Set(actor.source.clone()),
        public: Set(false),
        was_public: Set(false),
        changed_fields: Set(StringList(columns.iter().map(|column| column.name.clone()).collect())),
        lost_departements: Set(StringList::default()),
        lost_sirens: Set(StringList::default()),
        lost_clients: Set(StringList::default()),
        actor_sub: Set(actor.sub.clone()),
        client_id: Set(actor.client_id.clone()),
        role: Set(Some(actor.role.name().to_owned())),
        request_id: Set(Some(request_id.to_owned())),
        outcome: Set("OK".to_owned()),
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
