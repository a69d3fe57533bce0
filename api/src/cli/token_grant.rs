//! The grant of a development client, recorded beside its token: without one, a partner system sees no site.

use anyhow::bail;
use entity::enums::{GrantStatus, Indicator};
use entity::{StringList, client_grant, client_grant_site, site};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::token::{DevGrant, GrantedSites};
use crate::{clock::Clock, config::Config, startup};

/// Replaces the client's grant by this one.
pub(super) async fn record(config: &Config, clock: &dyn Clock, grant: DevGrant) -> anyhow::Result<()> {
    let db = startup::open(config).await?;
    startup::migrate(config, &db).await?;
    let now = clock.now();
    let tx = db.begin_write().await?;
    let codes = match grant.sites {
        GrantedSites::All => None,
        GrantedSites::Codes(codes) => Some(codes),
    };
    let wanted = codes.clone().unwrap_or_default();
    let sites = site::Entity::find().filter(site::Column::Code.is_in(wanted.clone())).all(&tx).await?;
    if let Some(unknown) =
        wanted.iter().find(|code| !sites.iter().any(|site| site.code.as_ref() == Some(code)))
    {
        bail!("no site has the code {unknown}; is the data loaded (cites ingest)?");
    }
    client_grant::Entity::delete_many()
        .filter(client_grant::Column::ClientId.eq(grant.client_id.as_str()))
        .exec(&tx)
        .await?;
    let id = Uuid::now_v7();
    client_grant::ActiveModel {
        id: Set(id),
        client_id: Set(grant.client_id.clone()),
        label: Set(format!("Development client {}", grant.client_id)),
        role: Set("partner_system".to_owned()),
        source_system: Set(Some(grant.source)),
        site_codes: Set(StringList(wanted)),
        all_sites: Set(codes.is_none()),
        indicators: Set(Indicator::ALL.iter().map(|(name, _)| *name).collect()),
        departements: Set(StringList::default()),
        sirens: Set(StringList::default()),
        scopes: Set(StringList::default()),
        rate_class: Set(None),
        valid_from: Set(None),
        valid_to: Set(None),
        status: Set(GrantStatus::Active),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    }
    .insert(&tx)
    .await?;
    for site in sites {
        client_grant_site::ActiveModel { grant_id: Set(id), site_id: Set(site.id) }.insert(&tx).await?;
    }
    tx.commit().await?;
    Ok(())
}
