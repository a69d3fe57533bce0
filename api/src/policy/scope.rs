//! What a scope means for each resource, as a condition on its rows.

use chrono::NaiveDate;
use sea_orm::sea_query::Value;

use super::{Condition, Grant, Resource, Territory, Verb, Viewer};
use crate::db::Sql;

/// The rows an access reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every row.
    All,
    /// No row.
    Nothing,
    /// Rows that meet a condition.
    Rows(String),
}

/// Sites that the public sees.
const PUBLIC_SITES: &str = "SELECT id FROM site WHERE status IN ('LABELLED', 'ACTIVE', 'CLOSED', 'WITHDRAWN') \
     AND deleted_at IS NULL";
/// Actions that the public sees.
const PUBLIC_ACTION: &str = "{a}.published AND {a}.status <> 'DRAFT' AND {a}.site_id IN ({sites})";

/// The condition of one grant; `None` reaches nothing, an empty text reaches all.
pub(super) fn condition(
    sql: &mut Sql,
    viewer: &Viewer,
    resource: Resource,
    verb: Verb,
    grant: Grant,
    alias: &str,
) -> Option<String> {
    let rows = match grant.territory {
        Territory::National => String::new(),
        Territory::Public => public(resource, alias)?,
        Territory::Source => source(sql, viewer, resource, verb, alias)?,
        Territory::Own => own(sql, viewer, alias)?,
        territory => {
            let sites = sites(sql, viewer, territory)?;
            let rows = in_sites(sql, viewer, resource, alias, &open(resource, verb, territory, sites));
            if resource == Resource::AuditEvent { or_lost(sql, viewer, territory, alias, rows) } else { rows }
        }
    };
    let mut parts: Vec<String> = Vec::new();
    if !rows.is_empty() {
        parts.push(rows);
    }
    if let Some(condition) = grant.condition {
        parts.push(restriction(sql, viewer, condition, alias)?);
    }
    Some(if parts.len() > 1 { format!("({})", parts.join(" AND ")) } else { parts.concat() })
}

/// Published rows of a resource.
fn public(resource: Resource, a: &str) -> Option<String> {
    let own = match resource {
        Resource::Site => "{a}.status IN ('LABELLED', 'ACTIVE', 'CLOSED', 'WITHDRAWN')",
        Resource::Referential | Resource::Partner => "",
        Resource::Seat => "{a}.ends_on IS NULL AND {a}.site_id IN ({sites})",
        Resource::Milestone | Resource::SiteQpv | Resource::GovernanceBody => "{a}.site_id IN ({sites})",
        Resource::Roadmap => "{a}.status = 'ADOPTED' AND {a}.site_id IN ({sites})",
        Resource::Axis => {
            "{a}.site_id IN ({sites}) AND {a}.roadmap_id IN (SELECT id FROM roadmap WHERE status = 'ADOPTED' \
             AND deleted_at IS NULL)"
        }
        Resource::Action => PUBLIC_ACTION,
        Resource::Figure => {
            "{a}.status = 'VALIDATED' AND ({a}.site_id IS NULL OR {a}.site_id IN ({sites})) AND \
             ({a}.action_id IS NULL OR {a}.action_id IN (SELECT pa.id FROM action pa WHERE pa.deleted_at IS NULL \
             AND {public_action}))"
        }
        _ => return None,
    };
    let text = own
        .replace("{public_action}", &PUBLIC_ACTION.replace("{a}", "pa"))
        .replace("{a}", a)
        .replace("{sites}", PUBLIC_SITES);
    Some(if text.contains(" AND ") { format!("({text})") } else { text })
}

/// Rows of a resource that hang on one of these sites.
fn in_sites(sql: &mut Sql, viewer: &Viewer, resource: Resource, a: &str, sites: &str) -> String {
    match resource {
        Resource::Site => format!("{a}.id IN ({sites})"),
        Resource::Meeting | Resource::GovernanceMember => {
            format!("{a}.body_id IN (SELECT sb.id FROM governance_body sb WHERE sb.site_id IN ({sites}))")
        }
        Resource::Partner => {
            let today = sql.piece(|sql| {
                sql.bind(viewer.today.into());
            });
            format!(
                "{a}.id IN (SELECT ss.partner_id FROM seat ss WHERE ss.deleted_at IS NULL AND (ss.ends_on IS NULL \
                 OR ss.ends_on > {today}) AND ss.site_id IN ({sites}))"
            )
        }
        Resource::AuditEvent => format!("({a}.site_id IN ({sites}) OR {a}.was_site_id IN ({sites}))"),
        Resource::Figure => {
            let today = sql.piece(|sql| {
                sql.bind(viewer.today.into());
            });
            format!(
                "({a}.site_id IN ({sites}) OR {a}.qpv_id IN (SELECT sq.qpv_id FROM site_qpv sq JOIN site sl ON sl.id = \
                 sq.site_id WHERE sl.deleted_at IS NULL AND (sq.ends_on IS NULL OR sq.ends_on > {today}) AND \
                 sq.site_id IN ({sites})) OR {a}.action_id IN (SELECT sa.id FROM action sa WHERE sa.deleted_at IS NULL \
                 AND sa.site_id IN ({sites})))"
            )
        }
        _ => format!("{a}.site_id IN ({sites})"),
    }
}

/// The entry by which a site left the caller's scope is the last that he sees of it.
fn or_lost(sql: &mut Sql, viewer: &Viewer, territory: Territory, a: &str, rows: String) -> String {
    let parts: Vec<String> = std::iter::once(rows).chain(named(sql, viewer, territory, a)).collect();
    format!("({})", parts.join(" OR "))
}

/// Whether an entry names the caller, or those for whom he speaks, among those whose scope the write changed: a
/// condition for each name.
pub(super) fn named(sql: &mut Sql, viewer: &Viewer, territory: Territory, a: &str) -> Vec<String> {
    let actor = &viewer.actor;
    let (column, mine) = match territory {
        // to these no write gives or takes a site
        Territory::National | Territory::Public | Territory::Own => return Vec::new(),
        Territory::Departement | Territory::PilotDepartement => {
            ("lost_departements", actor.departements.clone())
        }
        Territory::Member | Territory::SteeringMember => ("lost_sirens", actor.sirens.clone()),
        _ => ("lost_clients", actor.client_id.iter().cloned().collect()),
    };
    let column = format!("{a}.{column}");
    let has = |code| {
        sql.piece(|sql| {
            sql.list_has(&column, code);
        })
    };
    mine.into_iter().map(has).collect()
}

/// Rows that came from the caller's source system, on sites granted to his client; those of no site need a grant of
/// any.
fn source(sql: &mut Sql, viewer: &Viewer, resource: Resource, verb: Verb, a: &str) -> Option<String> {
    let system = viewer.actor.source.clone()?;
    let granted = if resource == Resource::Partner {
        let grant = current_grant(sql, viewer)?;
        format!("EXISTS (SELECT 1 FROM client_grant xg WHERE {grant})")
    } else {
        let sites = sites(sql, viewer, Territory::Granted)?;
        in_sites(sql, viewer, resource, a, &open(resource, verb, Territory::Source, sites))
    };
    Some(sql.piece(|sql| {
        // a row by hand is not of the source, rather than unknown
        sql.push("(").push(a).push(".source_system IS NOT NULL AND ").push(a).push(".source_system = ");
        sql.bind(system.into()).push(" AND ").push(&granted).push(")");
    }))
}

/// What of one grant can be told from an entry of the journal.
pub(super) fn recorded(sql: &mut Sql, viewer: &Viewer, grant: Grant, a: &str) -> Option<String> {
    let (territory, system) = match grant.territory {
        Territory::National => return Some("TRUE".to_owned()),
        // a site that the public does not see now never was seen: what was published there was not either
        Territory::Public => {
            return Some(format!(
                "({a}.was_public AND ({a}.was_site_id IS NULL OR {a}.was_site_id IN ({PUBLIC_SITES})))"
            ));
        }
        Territory::Own => return None,
        Territory::Source => (Territory::Granted, Some(viewer.actor.source.clone()?)),
        territory => (territory, None),
    };
    let sites = sites(sql, viewer, territory)?;
    let rows = format!("{a}.site_id IN ({sites}) OR {a}.was_site_id IN ({sites})");
    let reached = or_lost(sql, viewer, territory, a, rows);
    Some(match system {
        None => reached,
        Some(system) => sql.piece(|sql| {
            sql.push("(").push(a).push(".source_system = ").bind(system.into());
            sql.push(" AND ").push(&reached).push(")");
        }),
    })
}

/// Rows written under the caller's own client.
fn own(sql: &mut Sql, viewer: &Viewer, a: &str) -> Option<String> {
    let client = viewer.actor.client_id.clone()?;
    Some(sql.piece(|sql| {
        sql.push(a).push(".client_id = ").bind(client.into());
    }))
}

/// The sites of a territory, as a subquery; `None` when the caller's lists are empty.
fn sites(sql: &mut Sql, viewer: &Viewer, territory: Territory) -> Option<String> {
    let actor = &viewer.actor;
    match territory {
        Territory::Departement | Territory::PilotDepartement => {
            let pilot = if territory == Territory::PilotDepartement { " AND x.pilot" } else { "" };
            let codes = texts(&actor.departements)?;
            Some(sql.piece(|sql| {
                sql.push("SELECT x.site_id FROM site_departement x WHERE ");
                sql.is_in("x.departement_code", codes);
                sql.push(pilot);
            }))
        }
        Territory::Member | Territory::SteeringMember => {
            let steering = territory == Territory::SteeringMember;
            seats(sql, &actor.sirens, steering, viewer.today)
        }
        Territory::Granted => granted(sql, viewer),
        _ => None,
    }
}

/// Whether the partner at `alias` has one of these SIREN, of its own or in its SIRET.
pub(super) fn has_siren(sql: &mut Sql, alias: &str, sirens: &[String]) {
    let sirens: Vec<Value> = sirens.iter().map(|siren| siren.clone().into()).collect();
    sql.push("(").is_in(&format!("{alias}.siren"), sirens.clone());
    sql.push(" OR (").push(alias).push(".siren IS NULL AND ");
    sql.is_in(&format!("substr({alias}.siret, 1, 9)"), sirens);
    sql.push("))");
}

/// Appends, of the seat at `x` and its partner at `xp`, that they give rights on a day.
pub fn seats_in_force(sql: &mut Sql, today: NaiveDate) {
    sql.push(
        " AND x.deleted_at IS NULL AND xp.deleted_at IS NULL AND (x.starts_on IS NULL OR x.starts_on <= ",
    );
    sql.bind(today.into()).push(") AND (x.ends_on IS NULL OR x.ends_on > ").bind(today.into()).push(")");
}

fn seats(sql: &mut Sql, sirens: &[String], steering: bool, today: NaiveDate) -> Option<String> {
    if sirens.is_empty() {
        return None;
    }
    Some(sql.piece(|sql| {
        sql.push("SELECT x.site_id FROM seat x JOIN partner xp ON xp.id = x.partner_id WHERE ");
        has_siren(sql, "xp", sirens);
        seats_in_force(sql, today);
        if steering {
            sql.push(" AND x.kind IN ('COPILOTE', 'PORTEUR', 'ANIMATEUR')");
        }
    }))
}

/// Sites of the caller's grant.
fn granted(sql: &mut Sql, viewer: &Viewer) -> Option<String> {
    let grant = current_grant(sql, viewer)?;
    Some(format!(
        "SELECT xs.id FROM site xs JOIN client_grant xg ON {grant} WHERE xg.all_sites OR EXISTS (SELECT 1 FROM \
         client_grant_site xt WHERE xt.grant_id = xg.id AND xt.site_id = xs.id)"
    ))
}

/// Whether the grant at `xg` is the caller's, for the source system that his token names, and holds now.
pub(super) fn current_grant(sql: &mut Sql, viewer: &Viewer) -> Option<String> {
    let (client, source) = (viewer.actor.client_id.clone()?, viewer.actor.source.clone()?);
    Some(sql.piece(|sql| {
        sql.push("xg.client_id = ").bind(client.into()).push(" AND xg.source_system = ").bind(source.into());
        sql.push(" AND xg.role = 'partner_system' AND xg.status = 'ACTIVE' AND (xg.valid_from IS NULL OR xg.valid_from <= ")
            .bind(viewer.now.into());
        sql.push(") AND (xg.valid_to IS NULL OR xg.valid_to > ").bind(viewer.now.into()).push(")");
    }))
}

fn texts(list: &[String]) -> Option<Vec<Value>> {
    (!list.is_empty()).then(|| list.iter().map(|text| text.clone().into()).collect())
}

fn restriction(sql: &mut Sql, viewer: &Viewer, condition: Condition, a: &str) -> Option<String> {
    Some(match condition {
        Condition::Candidate => format!("{a}.status = 'CANDIDATE'"),
        Condition::NotSynced => format!("{a}.source_system IS NULL"),
        Condition::Draft => format!("{a}.status = 'DRAFT'"),
        Condition::NotState => format!("{a}.kind NOT IN ('PREFECTURE', 'DDETS', 'DREETS', 'ANCT')"),
        Condition::GrantedIndicator => {
            let grant = current_grant(sql, viewer)?;
            let listed = sql.piece(|sql| sql.list_holds("xg.indicators", &format!("{a}.indicator")));
            format!("EXISTS (SELECT 1 FROM client_grant xg WHERE {grant} AND {listed})")
        }
    })
}

/// Of these sites, those whose rows may be written: a deleted site gives no right, a closed or withdrawn one is read-only
/// for all but the national team; its préfecture still writes the late figures of a closed one.
fn open(resource: Resource, verb: Verb, territory: Territory, sites: String) -> String {
    let late =
        resource == Resource::Figure && verb != Verb::Withdraw && territory == Territory::PilotDepartement;
    let closed = match (verb, resource) {
        // a partner is of no site: a seat in any gives the right
        (Verb::Read, _) | (_, Resource::Partner) => return sites,
        _ if late => "'WITHDRAWN'",
        _ => "'CLOSED', 'WITHDRAWN'",
    };
    format!(
        "SELECT xo.id FROM site xo WHERE xo.deleted_at IS NULL AND xo.status NOT IN ({closed}) AND xo.id IN ({sites})"
    )
}
