//! Who may do what: one table (`policy.csv`), compiled once, and the only maker of an [`Access`].

mod needed;
mod scope;
mod table;

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::Paris;

pub use self::scope::{Reach, seats_in_force};
pub use self::table::{Cell, Condition, Grant, Policy, PolicyError, Resource, Rule, Territory, Verb};
use crate::auth::{Actor, Role, Scope};
use crate::db::Sql;

/// The caller of one request, as the checks see him.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Who asks.
    pub actor: Arc<Actor>,
    /// The instant of the request, by which grants are current.
    pub now: DateTime<Utc>,
    /// The civil date in France, by which seats are current.
    pub today: NaiveDate,
    policy: &'static Policy,
}

/// What a caller may reach of a resource with a verb. Whoever holds one has been through the table.
#[derive(Clone, Debug)]
pub struct Access<'v> {
    viewer: &'v Viewer,
    resource: Resource,
    verb: Verb,
    grants: Vec<Grant>,
}

impl Viewer {
    /// A caller under a policy, at an instant.
    pub fn new(actor: Arc<Actor>, now: DateTime<Utc>, policy: &'static Policy) -> Self {
        Self { actor, now, today: now.with_timezone(&Paris).date_naive(), policy }
    }

    /// What the caller may reach; an empty `group` stands for the row itself. A verb that the token's scopes
    /// or the table refuse reaches nothing.
    pub fn authorize(&self, resource: Resource, verb: Verb, group: &str) -> Access<'_> {
        let mut grants = Vec::new();
        debug_assert!(self.policy.rule(resource, verb, group).is_some(), "{resource:?} {verb:?} {group:?}");
        if let Some(rule) = self.policy.rule(resource, verb, group) {
            let role = self.actor.role;
            // every write needs `cde:write`, those of grants `cde:admin` beside it
            let may_write =
                verb == Verb::Read || rule.token_scope != Scope::Admin || self.actor.has(Scope::Write);
            if role != Role::Public && self.actor.has(rule.token_scope) && may_write {
                grants.extend_from_slice(&rule.cell(role).grants);
            }
            // what the public reads, everybody reads
            if verb == Verb::Read {
                grants.extend_from_slice(&rule.cell(Role::Public).grants);
            }
        }
        Access { viewer: self, resource, verb, grants }
    }

    /// What anybody reads of a resource.
    pub fn public(&self, resource: Resource) -> Access<'_> {
        let rule = self.policy.rule(resource, Verb::Read, "");
        let grants = rule.map(|rule| rule.cell(Role::Public).grants.clone()).unwrap_or_default();
        Access { viewer: self, resource, verb: Verb::Read, grants }
    }

    /// Whether the caller may do something to a row that does not exist yet, given whether it lies in his
    /// départements.
    pub fn may(&self, resource: Resource, verb: Verb, in_departements: bool) -> bool {
        self.authorize(resource, verb, "").grants.iter().any(|grant| match grant.territory {
            Territory::National => true,
            Territory::Departement | Territory::PilotDepartement => in_departements,
            _ => false,
        })
    }

    /// Whether the caller puts any QPV into a perimeter. Others take those of their own territory alone, since it is
    /// from there that their right over the figures of a QPV comes.
    pub fn takes_any_qpv(&self) -> bool {
        self.authorize(Resource::SiteQpv, Verb::Write, "").is_all()
    }

    /// Appends whether the commune at `alias` lies in the caller's own territory.
    pub fn own_commune(&self, sql: &mut Sql, alias: &str) {
        let own = self.actor.departements.iter().map(|code| code.clone().into()).collect();
        sql.is_in(&format!("{alias}.departement_code"), own);
    }

    /// Whether the caller's own rights come from the seats of a partner with this SIREN, or this SIRET if it has none:
    /// he neither gives nor ends these seats.
    pub fn rests_on(&self, siren: Option<&str>, establishment: Option<&str>) -> bool {
        let siren = siren.or_else(|| establishment.and_then(|number| number.get(..9)));
        self.actor.role == Role::Collectivite
            && siren.is_some_and(|siren| self.actor.sirens.iter().any(|own| own == siren))
    }

    /// Appends the same as a condition over the partner at `alias`.
    pub fn rests_on_expression(&self, sql: &mut Sql, alias: &str) {
        if self.actor.role == Role::Collectivite && !self.actor.sirens.is_empty() {
            scope::has_siren(sql, alias, &self.actor.sirens);
        } else {
            sql.push("FALSE");
        }
    }

    /// Appends a selection of the version of the caller's grant, while it holds; false when his rights rest on none.
    pub fn grant(&self, sql: &mut Sql) -> bool {
        let Some(grant) = scope::current_grant(sql, self) else { return false };
        sql.push("SELECT xg.version FROM client_grant xg WHERE ").push(&grant);
        true
    }

    /// Reach of the role alone, without what is public: "my" rows.
    pub fn own(&self, resource: Resource) -> Access<'_> {
        let mut access = self.authorize(resource, Verb::Read, "");
        if self.actor.role != Role::Public {
            access.grants.retain(|grant| grant.territory != Territory::Public);
        }
        access
    }

    /// Appends whether a row lies within the role's own reach; what is merely public does not.
    pub fn own_expression(&self, resource: Resource, sql: &mut Sql, alias: &str) {
        if self.actor.role == Role::Public {
            sql.push("FALSE");
        } else {
            self.own(resource).expression(sql, alias);
        }
    }

    /// Appends whether the grant at `xg` is the caller's and holds now; nobody's, for who needs none.
    pub fn grant_holds(&self, sql: &mut Sql) {
        match scope::current_grant(sql, self) {
            Some(holds) => sql.push(&holds),
            None => sql.push("FALSE"),
        };
    }

    /// Whether the caller reaches every row of a resource, so that nothing need be masked.
    pub fn reads_all(&self, resource: Resource) -> bool {
        self.authorize(resource, Verb::Read, "").is_all()
    }
}

impl Access<'_> {
    fn is_all(&self) -> bool {
        self.grants.iter().any(|grant| grant.territory == Territory::National && grant.condition.is_none())
    }

    /// The rows reached, as a condition over the row at `alias`.
    pub fn reach(&self, sql: &mut Sql, alias: &str) -> Reach {
        if self.is_all() {
            return Reach::All;
        }
        let mark = sql.mark();
        let conditions: Vec<String> = self
            .grants
            .iter()
            .filter_map(|grant| scope::condition(sql, self.viewer, self.resource, self.verb, *grant, alias))
            .collect();
        if conditions.iter().any(String::is_empty) {
            sql.forget(mark);
            return Reach::All;
        }
        match conditions.len() {
            0 => Reach::Nothing,
            1 => Reach::Rows(conditions.concat()),
            _ => Reach::Rows(format!("({})", conditions.join(" OR "))),
        }
    }

    /// Appends whether the caller could see the row of a journal entry at `alias` before or after the write, by what
    /// the entry recorded and by his rights as they are now.
    pub fn recorded(&self, sql: &mut Sql, alias: &str) {
        let conditions: Vec<String> =
            self.grants.iter().filter_map(|grant| scope::recorded(sql, self.viewer, *grant, alias)).collect();
        let text = if conditions.is_empty() { "FALSE".to_owned() } else { conditions.join(" OR ") };
        sql.push("(").push(&text).push(")");
    }

    /// Appends whether the journal entry at `alias` names the caller among those whose scope the write changed.
    pub fn named(&self, sql: &mut Sql, alias: &str) {
        let by_client =
            |territory| if territory == Territory::Source { Territory::Granted } else { territory };
        let mut territories: Vec<Territory> =
            self.grants.iter().map(|grant| by_client(grant.territory)).collect();
        territories.dedup();
        let names =
            territories.into_iter().flat_map(|territory| scope::named(sql, self.viewer, territory, alias));
        let names: Vec<String> = names.collect();
        let text = if names.is_empty() { "FALSE".to_owned() } else { names.join(" OR ") };
        sql.push("(").push(&text).push(")");
    }

    /// Whether all that is reached is reached by the grant of the caller's client: nothing is, while that does not hold.
    pub fn rests_on_grant(&self) -> bool {
        let by_grant = |grant: &Grant| matches!(grant.territory, Territory::Granted | Territory::Source);
        !self.grants.is_empty() && self.grants.iter().all(by_grant)
    }

    /// Appends the reach as a boolean expression.
    pub fn expression(&self, sql: &mut Sql, alias: &str) {
        let text = match self.reach(sql, alias) {
            Reach::All => "TRUE".to_owned(),
            Reach::Nothing => "FALSE".to_owned(),
            Reach::Rows(condition) => condition,
        };
        sql.push(&text);
    }
}
