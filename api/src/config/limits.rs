//! Settings of section `limits`: what callers of each role may ask.

use serde::Deserialize;

use crate::auth::Role;
use crate::limits::{Allowance, DocumentLimits};

/// What callers of each role may ask.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Whether the points of clients run out.
    pub enabled: bool,
    /// Whether instances on one database share them.
    pub shared: bool,
    /// The national team.
    pub anct: RoleLimits,
    /// Préfectures.
    pub prefecture: RoleLimits,
    /// Collectivités.
    pub collectivite: RoleLimits,
    /// Partners' systems.
    pub partner_system: RoleLimits,
    /// Anybody.
    pub public: RoleLimits,
}

/// What is otherwise than in `limits.rs`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleLimits {
    /// Most points that one operation asks for.
    pub operation: Option<u64>,
    /// Points that a client has when it has asked nothing for a while.
    pub bucket: Option<u64>,
    /// Points given back each second.
    pub restore_rate: Option<u64>,
    /// Whether the schema may be asked for.
    pub introspection: Option<bool>,
    /// Longest answer, in bytes.
    pub answer: Option<usize>,
    /// Longest document, in bytes.
    pub bytes: Option<usize>,
    /// Most tokens of a document.
    pub tokens: Option<usize>,
    /// Deepest nesting of fields.
    pub depth: Option<usize>,
    /// Most fields with an alias.
    pub aliases: Option<usize>,
    /// Most fields at the root.
    pub root_fields: Option<usize>,
    /// Most fields.
    pub fields: Option<usize>,
    /// Most fragments.
    pub fragments: Option<usize>,
    /// Most directives.
    pub directives: Option<usize>,
    /// Most values in the variables.
    pub variables: Option<usize>,
}

impl LimitsConfig {
    /// What is configured for a role.
    pub const fn of(&self, role: Role) -> &RoleLimits {
        match role {
            Role::Anct => &self.anct,
            Role::Prefecture => &self.prefecture,
            Role::Collectivite => &self.collectivite,
            Role::PartnerSystem => &self.partner_system,
            Role::Public => &self.public,
        }
    }

    /// What callers of a role may ask.
    pub fn allowance(&self, role: Role) -> Allowance {
        let (usual, set) = (Allowance::of(role), self.of(role));
        Allowance {
            operation: set.operation.unwrap_or(usual.operation),
            bucket: set.bucket.unwrap_or(usual.bucket),
            restore_rate: set.restore_rate.unwrap_or(usual.restore_rate),
            introspection: set.introspection.unwrap_or(usual.introspection),
            answer: set.answer.unwrap_or(usual.answer),
            document: set.document(usual.document),
        }
    }
}

impl RoleLimits {
    fn document(&self, usual: DocumentLimits) -> DocumentLimits {
        DocumentLimits {
            bytes: self.bytes.unwrap_or(usual.bytes),
            tokens: self.tokens.unwrap_or(usual.tokens),
            depth: self.depth.unwrap_or(usual.depth),
            aliases: self.aliases.unwrap_or(usual.aliases),
            root_fields: self.root_fields.unwrap_or(usual.root_fields),
            fields: self.fields.unwrap_or(usual.fields),
            fragments: self.fragments.unwrap_or(usual.fragments),
            directives: self.directives.unwrap_or(usual.directives),
            variables: self.variables.unwrap_or(usual.variables),
        }
    }
}
