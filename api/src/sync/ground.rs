//! All that the items of a call name, looked up at once: a few statements, however many items there are.

use std::collections::{HashMap, HashSet};

use entity::{action, action_partner, site_qpv};
use sea_orm::sea_query::Value;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::deletions::{self, Deletions};
use super::input::{Item, SiteRef};
use super::partners::Partners;
use crate::db::{Cell, Keys, Kind, Sql, cell};
use crate::policy::{Resource, Verb};
use crate::write::{Failure, Problem, ProblemCode, Writing};

/// A site that items name, or that holds an action they name.
#[derive(Debug)]
pub(super) struct Site {
    pub code: Option<String>,
    /// The caller may import into it.
    pub may: bool,
    /// The caller may see it.
    pub seen: bool,
}

/// A QPV that items name.
#[derive(Debug)]
pub(super) struct Qpv {
    pub id: Uuid,
    /// Codes of those that followed it.
    pub successors: Vec<String>,
}

/// What there is.
#[derive(Debug)]
pub(super) struct Ground {
    pub sites: HashMap<Uuid, Site>,
    pub qpvs: HashMap<String, Qpv>,
    /// QPV of each site today.
    pub perimeters: HashMap<Uuid, HashSet<Uuid>>,
    /// Actions by their external id, tombstones too, locked.
    pub actions: HashMap<String, action::Model>,
    /// What was told of actions that are not there.
    pub deletions: Deletions,
    /// Partners of the actions that may change them, or their site.
    pub links: HashMap<Uuid, HashSet<Uuid>>,
    pub partners: Partners,
}

impl Ground {
    /// Looks up what items name, and the site of a snapshot. Sites and partners stay as they are found until the call
    /// is written; sites come first, and both go by their keys, as in other writes.
    pub async fn load(
        writing: Writing<'_>,
        source: &str,
        items: &[Item],
        snapshot: Option<&SiteRef>,
    ) -> Result<Self, Failure> {
        let actions = actions(writing, source, items).await?;
        let deletions = deletions::load(writing, source, items, &actions).await?;
        let named: Vec<&SiteRef> =
            items.iter().filter_map(|item| item.site.as_ref()).chain(snapshot).collect();
        let qpvs = qpvs(writing, items, &named).await?;
        let sites = sites(writing, source, &named, &qpvs, &actions).await?;
        let perimeters =
            if qpvs.is_empty() { HashMap::new() } else { perimeters(writing, sites.keys().copied()).await? };
        let (links, partners) = (HashMap::new(), Partners::default());
        let mut ground = Self { sites, qpvs, perimeters, actions, deletions, links, partners };
        ground.links = links_of(writing, items, &ground).await?;
        let followers = items.iter().filter(|item| item.partners.is_none()).filter_map(|item| {
            let row = ground.actions.get(&item.external_id)?;
            ground.links.get(&row.id)
        });
        let followers = followers.flatten().copied().collect();
        ground.partners = Partners::load(writing, source, items, &followers).await?;
        Ok(ground)
    }

    /// Whether an item moves its action to another site.
    fn moves(&self, item: &Item, row: &action::Model) -> bool {
        let Some(named) = &item.site else { return false };
        let stays =
            |code: &String| self.sites.get(&row.site_id).is_some_and(|site| site.code.as_ref() == Some(code));
        match named {
            SiteRef::Code(code) if stays(code) => false,
            named => self.site(named).is_ok_and(|site| site != row.site_id),
        }
    }

    /// The site that is meant, if the caller may import into it.
    pub fn site(&self, named: &SiteRef) -> Result<Uuid, Problem> {
        match named {
            SiteRef::Code(code) => {
                let found = self.sites.iter().find(|(_, site)| site.seen && site.code.as_ref() == Some(code));
                let (id, site) = found.ok_or_else(|| {
                    at(ProblemCode::UnknownCode, &["site", "code"], format!("no site has the code {code}"))
                })?;
                if site.may { Ok(*id) } else { Err(not_yours(&["site", "code"])) }
            }
            SiteRef::Qpvs(codes) => self.site_of_qpvs(codes),
        }
    }

    fn site_of_qpvs(&self, codes: &[String]) -> Result<Uuid, Problem> {
        let mut ids = Vec::with_capacity(codes.len());
        for (index, code) in codes.iter().enumerate() {
            ids.push(self.qpv(code, &["site", "qpvs", &index.to_string()])?.id);
        }
        let holds = |id: &Uuid| {
            !ids.is_empty()
                && self
                    .perimeters
                    .get(id)
                    .is_some_and(|perimeter| ids.iter().all(|qpv| perimeter.contains(qpv)))
        };
        let mut found: Vec<(&Uuid, &Site)> =
            self.sites.iter().filter(|(id, site)| site.may && holds(id)).collect();
        found.sort_by(|(_, one), (_, other)| one.code.cmp(&other.code));
        match found.as_slice() {
            [(id, _)] => Ok(**id),
            [] => Err(at(ProblemCode::Rule, &["site", "qpvs"], "no site of yours has all of these QPV")),
            several => {
                let codes: Vec<&str> = several.iter().filter_map(|(_, site)| site.code.as_deref()).collect();
                let text = format!("several sites have them: {}; give the code of one", codes.join(", "));
                Err(at(ProblemCode::Ambiguous, &["site", "qpvs"], text))
            }
        }
    }

    /// The QPV of a code.
    pub fn qpv(&self, code: &str, path: &[&str]) -> Result<&Qpv, Problem> {
        let unknown = || at(ProblemCode::UnknownCode, path, format!("no QPV has the code {code}"));
        self.qpvs.get(code).ok_or_else(unknown)
    }
}

/// A problem of an item, at a path in it.
pub(super) fn at(code: ProblemCode, path: &[&str], message: impl Into<String>) -> Problem {
    Problem { code, path: path.iter().map(ToString::to_string).collect(), message: message.into() }
}

/// The caller sees a site but may not import into it.
pub(super) fn not_yours(path: &[&str]) -> Problem {
    at(ProblemCode::Forbidden, path, "your client has no right to import into this site")
}

/// Locked in the order of their keys, so that two calls never wait for each other both.
async fn actions(
    writing: Writing<'_>,
    source: &str,
    items: &[Item],
) -> Result<HashMap<String, action::Model>, Failure> {
    let mut ids: Vec<&str> = items.iter().map(|item| item.external_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut sql = Sql::new(writing.backend);
    sql.push("SELECT t.*");
    sql.locked_for_each(Keys::Text(ids.into_iter().map(str::to_owned).collect()), "action", |sql| {
        sql.push("t.source_system = ").bind(source.into()).push(" AND t.source_external_id = k.key");
    });
    let found = action::Entity::find().from_raw_sql(sql.into_statement()).all(writing.tx).await?;
    Ok(found.into_iter().filter_map(|row| Some((row.source_external_id.clone()?, row))).collect())
}

/// Partners of the actions whose items give some, or that go to another site with those they have.
async fn links_of(
    writing: Writing<'_>,
    items: &[Item],
    ground: &Ground,
) -> Result<HashMap<Uuid, HashSet<Uuid>>, Failure> {
    let known = items.iter().filter_map(|item| Some((item, ground.actions.get(&item.external_id)?)));
    let ids: Vec<Value> = known
        .filter(|(item, row)| item.partners.is_some() || ground.moves(item, row))
        .map(|(_, row)| row.id.into())
        .collect();
    let mut links: HashMap<Uuid, HashSet<Uuid>> = HashMap::new();
    if ids.is_empty() {
        return Ok(links);
    }
    let mut sql = Sql::new(writing.backend);
    sql.push("SELECT t.* FROM action_partner t WHERE ").is_in("t.action_id", ids);
    let found = action_partner::Entity::find().from_raw_sql(sql.into_statement()).all(writing.tx).await?;
    for link in found {
        links.entry(link.action_id).or_default().insert(link.partner_id);
    }
    Ok(links)
}

async fn qpvs(
    writing: Writing<'_>,
    items: &[Item],
    named: &[&SiteRef],
) -> Result<HashMap<String, Qpv>, Failure> {
    let of_sites = named.iter().filter_map(|site| match site {
        SiteRef::Qpvs(codes) => Some(codes),
        SiteRef::Code(_) => None,
    });
    let codes: HashSet<&String> =
        of_sites.flatten().chain(items.iter().flat_map(|item| &item.on_create.qpvs)).collect();
    if codes.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new(writing.backend);
    sql.push("SELECT t.code, t.id, n.code FROM qpv t LEFT JOIN qpv_lineage l ON l.from_qpv_id = t.id ");
    sql.push("LEFT JOIN qpv n ON n.id = l.to_qpv_id WHERE ");
    sql.is_in("t.code", codes.into_iter().map(|code| code.as_str().into()).collect());
    sql.push(" AND t.deleted_at IS NULL ORDER BY n.code");
    let mut found: HashMap<String, Qpv> = HashMap::new();
    for row in writing.tx.query_all_raw(sql.into_statement()).await? {
        let (Cell::Text(code), Cell::Uuid(id)) = (cell(&row, 0, Kind::Text)?, cell(&row, 1, Kind::Uuid)?)
        else {
            continue;
        };
        let known = found.entry(code.to_owned()).or_insert_with(|| Qpv { id, successors: Vec::new() });
        if let Cell::Text(successor) = cell(&row, 2, Kind::Text)? {
            known.successors.push(successor.to_owned());
        }
    }
    Ok(found)
}

/// What the caller may do in the sites, told once they are locked: a right is looked up in more than the row itself, and
/// a statement that waited for a lock sees anew that row alone.
async fn sites(
    writing: Writing<'_>,
    source: &str,
    named: &[&SiteRef],
    qpvs: &HashMap<String, Qpv>,
    actions: &HashMap<String, action::Model>,
) -> Result<HashMap<Uuid, Site>, Failure> {
    let locked = locked_sites(writing, named, qpvs, actions).await?;
    let mut sql = Sql::new(writing.backend);
    let viewer = writing.viewer;
    let may = sql.piece(|sql| viewer.authorize(Resource::ImportBatch, Verb::Create, "").expression(sql, "t"));
    let seen = sql.piece(|sql| viewer.authorize(Resource::Site, Verb::Read, "").expression(sql, "t"));
    sql.push("SELECT t.id, t.code, (")
        .push(&may)
        .push("), (")
        .push(&seen)
        .push(") FROM (SELECT x.id, x.code, ");
    sql.push("x.status, x.id AS site_id, ").bind_typed(source.into()).push(" AS source_system FROM site x ");
    sql.push("WHERE ").is_in("x.id", locked);
    sql.push(") t");
    let mut found = HashMap::new();
    for row in writing.tx.query_all_raw(sql.into_statement()).await? {
        let Cell::Uuid(id) = cell(&row, 0, Kind::Uuid)? else { continue };
        let code = match cell(&row, 1, Kind::Text)? {
            Cell::Text(code) => Some(code.to_owned()),
            _ => None,
        };
        let may = matches!(cell(&row, 2, Kind::Bool)?, Cell::Bool(true));
        let seen = matches!(cell(&row, 3, Kind::Bool)?, Cell::Bool(true));
        found.insert(id, Site { code, may, seen });
    }
    Ok(found)
}

/// Ids of the sites that items name or that hold their actions. None is closed until the call is written.
async fn locked_sites(
    writing: Writing<'_>,
    named: &[&SiteRef],
    qpvs: &HashMap<String, Qpv>,
    actions: &HashMap<String, action::Model>,
) -> Result<Vec<Value>, Failure> {
    let codes: HashSet<&str> = named
        .iter()
        .filter_map(|site| if let SiteRef::Code(code) = site { Some(code.as_str()) } else { None })
        .collect();
    let held: HashSet<Uuid> = actions.values().map(|row| row.site_id).collect();
    let mut sql = Sql::new(writing.backend);
    sql.push("SELECT t.id FROM site t WHERE t.deleted_at IS NULL AND (");
    sql.is_in("t.code", codes.into_iter().map(Value::from).collect());
    sql.push(" OR ").is_in("t.id", held.into_iter().map(Value::from).collect());
    if named.iter().any(|site| matches!(site, SiteRef::Qpvs(_))) {
        sql.push(" OR t.id IN (SELECT q.site_id FROM site_qpv q WHERE q.ends_on IS NULL AND ");
        sql.is_in("q.qpv_id", qpvs.values().map(|qpv| qpv.id.into()).collect());
        sql.push(")");
    }
    sql.push(") ORDER BY t.id").keep_rows("t");
    let mut found = Vec::new();
    for row in writing.tx.query_all_raw(sql.into_statement()).await? {
        if let Cell::Uuid(id) = cell(&row, 0, Kind::Uuid)? {
            found.push(id.into());
        }
    }
    Ok(found)
}

async fn perimeters(
    writing: Writing<'_>,
    sites: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, HashSet<Uuid>>, Failure> {
    let mut found: HashMap<Uuid, HashSet<Uuid>> = HashMap::new();
    let links = site_qpv::Entity::find().filter(site_qpv::Column::SiteId.is_in(sites));
    let links = links.filter(site_qpv::Column::EndsOn.is_null());
    for link in links.all(writing.tx).await? {
        found.entry(link.site_id).or_default().insert(link.qpv_id);
    }
    Ok(found)
}
