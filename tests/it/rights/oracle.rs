//! The small world through the eyes of those who tell the rules of the matrix apart.

use cites::auth::{Role, Scope};
use entity::client_grant_site;
use tests::oracle::{self, Eyes};
use tests::world::{self, World};
use tests::{GrantedSites, Persona, TestApp};
use uuid::Uuid;

/// Whose eyes.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    Public,
    Anct,
    Prefecture(&'static [&'static str]),
    Collectivite(&'static [&'static str]),
    Partner(&'static str, &'static [&'static str]),
}

/// Everybody that the tests look through.
pub const EVERYBODY: [Who; 12] = [
    Who::Public,
    Who::Anct,
    Who::Prefecture(&["69"]),
    Who::Prefecture(&["02"]),
    Who::Prefecture(&["38", "93"]),
    Who::Prefecture(&[]),
    Who::Collectivite(&["200046977"]),
    Who::Collectivite(&["200040715"]),
    // a seat that ended, and one that begins next year beside a deleted one and one that ended today
    Who::Collectivite(&["356000000"]),
    Who::Collectivite(&["732829320"]),
    Who::Partner("FRANCE_TRAVAIL", &["cde-901", "cde-903"]),
    Who::Partner("OTHER", &["cde-902"]),
];

/// What somebody should see of the small world.
pub struct Oracle {
    pub world: World,
    who: oracle::Who,
}

impl Who {
    pub async fn of(self, app: &TestApp) -> Persona<'_> {
        match self {
            Self::Public => app.public(),
            Self::Anct => app.anct(),
            Self::Prefecture(departements) => app.prefecture(departements),
            Self::Collectivite(sirens) => app.collectivite(sirens),
            Self::Partner(source, codes) => app.partner(source, GrantedSites::Codes(codes)).await,
        }
    }
}

impl Oracle {
    /// The eyes of a persona; what is granted to a partner is granted in the oracle's world too.
    pub fn new(who: Who, persona: &Persona<'_>) -> Self {
        let mut world = world::small();
        if let (Who::Partner(source, codes), Some(claims)) = (who, &persona.claims) {
            let id = Uuid::now_v7();
            let sites = world
                .sites
                .iter()
                .filter(|row| row.code.as_deref().is_some_and(|code| codes.contains(&code)));
            world.grant_sites =
                sites.map(|site| client_grant_site::Model { grant_id: id, site_id: site.id }).collect();
            let since = world.sites[0].created_at;
            world.grants.push(world::grant(id, &claims.client_id, source, since));
        }
        Self { world, who: told(persona) }
    }

    fn eyes(&self) -> Eyes<'_> {
        Eyes { world: &self.world, who: &self.who }
    }

    /// Whether the row of a type is seen, by its place in the world's list.
    pub fn sees(&self, of: &str, at: usize) -> bool {
        self.eyes().reads(of, at)
    }

    /// Whether it is seen whole.
    pub fn sees_whole(&self, of: &str, at: usize) -> bool {
        self.sees(of, at) && self.eyes().reads_restricted(of, at)
    }
}

/// What the token of a persona says.
fn told(persona: &Persona<'_>) -> oracle::Who {
    let claims = persona.claims.clone();
    let scopes: Vec<Scope> = claims.as_ref().map(|claims| claims.scopes.clone()).unwrap_or_default();
    claims.map_or_else(
        || oracle::Who::of(Role::Public, Vec::new()),
        |claims| oracle::Who {
            departements: claims.departements,
            sirens: claims.sirens,
            client: claims.client_id,
            source: claims.source,
            ..oracle::Who::of(claims.role, scopes)
        },
    )
}
