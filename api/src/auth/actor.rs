//! Who is calling, as every rule of the product sees it.

use chrono::{DateTime, Utc};

/// The product roles. A token holds exactly one of the first four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The national team (« ANCT »).
    Anct,
    /// A préfecture or a State service of a département or region.
    Prefecture,
    /// A commune, EPCI or métropole.
    Collectivite,
    /// A system that syncs, such as France Travail's.
    PartnerSystem,
    /// Anybody, without a token.
    Public,
}

impl Role {
    /// Every role, in the order of the rights table.
    pub const ALL: [Self; 5] =
        [Self::Anct, Self::Prefecture, Self::Collectivite, Self::PartnerSystem, Self::Public];

    /// The name used in tokens, in the rights table and in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anct => "anct",
            Self::Prefecture => "prefecture",
            Self::Collectivite => "collectivite",
            Self::PartnerSystem => "partner_system",
            Self::Public => "public",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// What a token was issued for; it narrows the rights of the role, never widens them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// `cde:read`: read.
    Read,
    /// `cde:write`: change rows.
    Write,
    /// `cde:referents`: read the personal data of referents.
    Referents,
    /// `cde:import`: send batches.
    Import,
    /// `cde:admin`: see the audit trail and the clients.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [Self::Read, Self::Write, Self::Referents, Self::Import, Self::Admin];

    /// The name used in tokens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "cde:read",
            Self::Write => "cde:write",
            Self::Referents => "cde:referents",
            Self::Import => "cde:import",
            Self::Admin => "cde:admin",
        }
    }

    /// The scope of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// Who is calling. Lists that the token does not give are empty, and an empty list gives no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The product role.
    pub role: Role,
    /// The subject of the token; none for the public.
    pub sub: Option<String>,
    /// The client that asked for the token; none for the public.
    pub client_id: Option<String>,
    /// The token's own identifier; none for the public.
    pub jti: Option<String>,
    /// Département codes of a préfecture, sorted, each once.
    pub departements: Vec<String>,
    /// SIREN numbers of a collectivity, sorted, each once.
    pub sirens: Vec<String>,
    /// The source system of a client that syncs.
    pub source: Option<String>,
    /// What the token was issued for, sorted, each once.
    pub scopes: Vec<Scope>,
    /// When the token was issued, if it says so.
    pub issued_at: Option<DateTime<Utc>>,
    /// Until when the token is taken, the leeway for clocks included; a long answer, upload or subscription must end by then.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Actor {
    /// Anybody: no token, and read only.
    pub fn public() -> Self {
        Self {
            role: Role::Public,
            sub: None,
            client_id: None,
            jti: None,
            departements: Vec::new(),
            sirens: Vec::new(),
            source: None,
            scopes: vec![Scope::Read],
            issued_at: None,
            expires_at: None,
        }
    }

    /// Whether the token was issued for `scope`.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}
