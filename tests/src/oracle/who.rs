//! Somebody who asks.

use cites::auth::{Role, Scope};

use super::world::{CLIENTS, SIRENS, SOURCES};
use crate::dice::Dice;
use crate::{Persona, TestApp};

/// What a token says.
#[derive(Clone, Debug)]
pub struct Who {
    /// His role.
    pub role: Role,
    /// Départements of a préfecture.
    pub departements: Vec<String>,
    /// SIREN numbers of a collectivity.
    pub sirens: Vec<String>,
    /// The client.
    pub client: String,
    /// Source system of a partner's client.
    pub source: Option<String>,
    /// What the token is for.
    pub scopes: Vec<Scope>,
}

const ROLES: [Role; 9] = [
    Role::Public,
    Role::Anct,
    Role::Prefecture,
    Role::Prefecture,
    Role::Prefecture,
    Role::Collectivite,
    Role::Collectivite,
    Role::PartnerSystem,
    Role::PartnerSystem,
];
const DEPARTEMENTS: [&str; 5] = ["69", "38", "02", "59", "93"];

impl Who {
    /// Somebody of a role, of nowhere yet.
    pub const fn of(role: Role, scopes: Vec<Scope>) -> Self {
        Self {
            role,
            departements: Vec::new(),
            sirens: Vec::new(),
            client: String::new(),
            source: None,
            scopes,
        }
    }

    /// Somebody, mostly with every scope.
    pub fn random(dice: &mut Dice) -> Self {
        let role = dice.any(&ROLES);
        let all = dice.chance(75);
        let scopes = Scope::ALL.into_iter().filter(|_| all || dice.chance(60)).collect();
        let of = |wanted: Role, list: Vec<&str>| -> Vec<String> {
            if role == wanted { list.into_iter().map(str::to_owned).collect() } else { Vec::new() }
        };
        Self {
            role,
            departements: of(Role::Prefecture, dice.some(&DEPARTEMENTS, 0, 3)),
            sirens: of(Role::Collectivite, dice.some(&SIRENS, 0, 3)),
            client: dice.any(&CLIENTS).to_owned(),
            source: (role == Role::PartnerSystem).then(|| dice.any(&SOURCES).to_owned()),
            scopes,
        }
    }

    /// Whether the token is for something.
    pub fn has(&self, scope: Scope) -> bool {
        self.role != Role::Public && self.scopes.contains(&scope)
    }

    /// The same somebody before a server.
    pub fn persona<'a>(&self, app: &'a TestApp) -> Persona<'a> {
        if self.role == Role::Public {
            return app.public();
        }
        Persona::of(app, self.role).with(|claims| {
            claims.departements.clone_from(&self.departements);
            claims.sirens.clone_from(&self.sirens);
            claims.client_id.clone_from(&self.client);
            claims.source.clone_from(&self.source);
            claims.scopes.clone_from(&self.scopes);
        })
    }
}
