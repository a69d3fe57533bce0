//! Whose scope of a site a write changes, and how those who follow changes get to know.
//!
//! What hangs on a site comes into somebody's sight, or leaves it, without being written itself. So the site leaves the
//! feed of those who are concerned, and of them alone, and comes again to those who still see it: they read it anew,
//! with all that hangs on it. Figures that they may have seen without a way to the site are told one by one.

use std::collections::{BTreeMap, BTreeSet};

use entity::{site, site_departement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{Failure, Writing};
use crate::db::{Cell, Kind, Sql, cell};
use crate::journal::{Lost, Rescoped};
use crate::policy::{Resource, seats_in_force};

/// The SIREN numbers from whose seats rights in sites come.
pub type Seated = BTreeMap<Uuid, BTreeSet<String>>;

impl Writing<'_> {
    /// The « départements » that a site reaches now.
    pub async fn reached(&self, site: Uuid) -> Result<Vec<String>, Failure> {
        let links = site_departement::Entity::find().filter(site_departement::Column::SiteId.eq(site));
        Ok(links.all(self.tx).await?.into_iter().map(|link| link.departement_code).collect())
    }

    /// Tells the « départements » that a site reaches and did not reach `before`, or the other way round; gives those
    /// that it does not reach any more.
    pub async fn rescope_departements(&self, site: Uuid, before: Vec<String>) -> Result<Lost, Failure> {
        let now = self.reached(site).await?;
        let is_in_one = |code: &&String| before.contains(code) != now.contains(code);
        let departements = before.iter().chain(&now).filter(is_in_one).cloned().collect();
        self.rescope([(site, Rescoped { departements, ..Rescoped::default() })]).await?;
        let departements = before.into_iter().filter(|code| !now.contains(code)).collect();
        Ok(Lost { departements, ..Lost::default() })
    }

    /// From whose seats rights in these sites come now.
    pub async fn seated(&self, sites: impl IntoIterator<Item = Uuid>) -> Result<Seated, Failure> {
        let mut seated: Seated = sites.into_iter().map(|site| (site, BTreeSet::new())).collect();
        if seated.is_empty() {
            return Ok(seated);
        }
        let mut sql = Sql::new(self.backend);
        sql.push("SELECT DISTINCT x.site_id, coalesce(xp.siren, substr(xp.siret, 1, 9)) FROM seat x");
        sql.push(" JOIN partner xp ON xp.id = x.partner_id WHERE ");
        sql.is_in("x.site_id", seated.keys().map(|site| (*site).into()).collect());
        sql.push(" AND coalesce(xp.siren, xp.siret) IS NOT NULL");
        seats_in_force(&mut sql, self.today());
        for row in self.tx.query_all_raw(sql.into_statement()).await? {
            if let (Cell::Uuid(site), Cell::Text(siren)) =
                (cell(&row, 0, Kind::Uuid)?, cell(&row, 1, Kind::Text)?)
            {
                seated.entry(site).or_default().insert(siren.to_owned());
            }
        }
        Ok(seated)
    }

    /// Tells those whose right in a site rests on a seat, and did not `before`, or the other way round.
    pub async fn rescope_seats(&self, before: Seated) -> Result<(), Failure> {
        let now = self.seated(before.keys().copied()).await?;
        let changed = before.into_iter().map(|(site, before)| {
            let now = now.get(&site).cloned().unwrap_or_default();
            let sirens = before.symmetric_difference(&now).cloned().collect();
            (site, Rescoped { sirens, ..Rescoped::default() })
        });
        self.rescope(changed.collect::<Vec<_>>()).await
    }

    /// Tells those whose scope of sites has changed.
    pub async fn rescope(&self, changed: impl IntoIterator<Item = (Uuid, Rescoped)>) -> Result<(), Failure> {
        // most often the same people in all sites
        let mut sites_of: BTreeMap<Rescoped, Vec<Uuid>> = BTreeMap::new();
        for (site, who) in changed {
            if who != Rescoped::default() {
                sites_of.entry(who).or_default().push(site);
            }
        }
        for (who, sites) in sites_of {
            let found = site::Entity::find().filter(site::Column::Id.is_in(sites.clone()));
            let found = found.select_only().columns([site::Column::Id, site::Column::Version]);
            let found: Vec<(Uuid, i32)> =
                found.order_by_asc(site::Column::Id).into_tuple().all(self.tx).await?;
            let mut told = Vec::new();
            for row in found {
                told.extend([("Site", row, true), ("Site", row, false)]);
            }
            let figures = self.figures_apart(sites).await?;
            told.extend(figures.into_iter().map(|row| ("Figure", row, false)));
            self.journal_rescoped(&who, told).await?;
        }
        Ok(())
    }

    /// Figures that are read by a right in these sites, or whose value is, and do not name the site: of their actions,
    /// which the reader may not see, and of their QPV, which may be in other sites of his. Of actions that are deleted and
    /// QPV that have left too: he may not have read that yet.
    async fn figures_apart(&self, sites: Vec<Uuid>) -> Result<Vec<(Uuid, i32)>, Failure> {
        let mut sql = Sql::new(self.backend);
        let links = ["action x ON x.id = t.action_id", "site_qpv x ON x.qpv_id = t.qpv_id"];
        let public = sql.piece(|sql| self.viewer.public(Resource::Figure).expression(sql, "t"));
        let in_sites = sql.piece(|sql| sql.is_in("x.site_id", sites.into_iter().map(Into::into).collect()));
        for (link, word) in links.iter().zip(["", " UNION "]) {
            sql.push(word).push("SELECT t.id, t.version FROM figure t JOIN ").push(link);
            sql.push(" AND ")
                .push(&in_sites)
                .push(" AND t.deleted_at IS NULL AND ((")
                .push(&public)
                .push(")");
            sql.push(" IS NOT TRUE OR t.indicator = 'BENEFICIARY_COUNT')");
        }
        let mut found = Vec::new();
        for row in self.tx.query_all_raw(sql.into_statement()).await? {
            if let (Cell::Uuid(id), Cell::Int(version)) =
                (cell(&row, 0, Kind::Uuid)?, cell(&row, 1, Kind::Int)?)
            {
                found.push((id, i32::try_from(version).unwrap_or_default()));
            }
        }
        Ok(found)
    }
}
