//! Whose scope a write has narrowed, asked after it.

use entity::{partner, site_departement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{Failure, Writing};
use crate::db::Sql;
use crate::journal::Lost;

/// The SIREN from which rights of a partner's people come: its own, or that of its establishment.
pub fn siren(partner: &partner::Model) -> Option<String> {
    let of_siret = || partner.siret.as_ref().map(|siret| siret.chars().take(9).collect());
    partner.siren.clone().or_else(of_siret)
}

impl Writing<'_> {
    /// The « départements » that a site reaches now.
    pub async fn reached(&self, site: Uuid) -> Result<Vec<String>, Failure> {
        let links = site_departement::Entity::find().filter(site_departement::Column::SiteId.eq(site));
        Ok(links.all(self.tx).await?.into_iter().map(|link| link.departement_code).collect())
    }

    /// Those of `before` that a site does not reach any more.
    pub async fn lost_departements(&self, site: Uuid, before: Vec<String>) -> Result<Lost, Failure> {
        let now = self.reached(site).await?;
        let departements = before.into_iter().filter(|code| !now.contains(code)).collect();
        Ok(Lost { departements, ..Lost::default() })
    }

    /// The SIREN of a partner that gave up a seat, if no seat in the site is left to it.
    pub async fn lost_siren(&self, site: Uuid, partner: Uuid) -> Result<Lost, Failure> {
        let partner = partner::Entity::find_by_id(partner).one(self.tx).await?;
        self.unseated(site, partner.as_ref().and_then(siren)).await
    }

    /// A SIREN that a partner had, if no seat in the site is left to it.
    pub async fn unseated(&self, site: Uuid, siren: Option<String>) -> Result<Lost, Failure> {
        let Some(siren) = siren else { return Ok(Lost::default()) };
        let mut sql = Sql::new(self.backend);
        sql.push("SELECT 1 FROM seat t JOIN partner p ON p.id = t.partner_id WHERE t.site_id = ")
            .bind(site.into())
            .push(" AND t.ends_on IS NULL AND t.deleted_at IS NULL AND p.deleted_at IS NULL AND (p.siren = ")
            .bind(siren.clone().into())
            .push(" OR (p.siren IS NULL AND substr(p.siret, 1, 9) = ")
            .bind(siren.clone().into())
            .push(")) LIMIT 1");
        let left = self.tx.query_one_raw(sql.into_statement()).await?;
        let sirens = if left.is_some() { Vec::new() } else { vec![siren] };
        Ok(Lost { sirens, ..Lost::default() })
    }
}
