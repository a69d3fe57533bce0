//! How the rows of a world hang together in the schema.

use std::collections::BTreeSet;

use cites::ids;
use serde_json::{Value, json};
use uuid::Uuid;

use super::leaves;
use super::links;
use super::matrix::Eyes;

/// A type of the schema whose rows the oracle knows.
#[derive(Debug)]
pub struct Type {
    /// Name.
    pub name: &'static str,
    /// Its list at the root; empty if it has none.
    pub list: &'static str,
    /// Its look-up at the root; empty if it has none.
    pub lookup: &'static str,
    /// Field by which rows are known; empty if they have none.
    pub key: &'static str,
}

const fn of(name: &'static str, list: &'static str, lookup: &'static str, key: &'static str) -> Type {
    Type { name, list, lookup, key }
}

/// Every such type.
pub const TYPES: [Type; 22] = [
    of("Region", "regions", "region", "code"),
    of("Departement", "departements", "departement", "code"),
    of("Epci", "epcis", "epci", "siren"),
    of("Commune", "communes", "commune", "code"),
    of("ContratVille", "contratsVille", "contratVille", "code"),
    of("Site", "sites", "site", "id"),
    of("Milestone", "", "", ""),
    of("Qpv", "qpvs", "qpv", "id"),
    of("QpvPredecessor", "", "", ""),
    of("QpvSuccessor", "", "", ""),
    of("Partner", "partners", "partner", "id"),
    of("Seat", "seats", "seat", "id"),
    of("Referent", "referents", "referent", "id"),
    of("GovernanceBody", "governanceBodies", "governanceBody", "id"),
    of("GovernanceMember", "", "", ""),
    of("Meeting", "meetings", "meeting", "id"),
    of("Roadmap", "roadmaps", "roadmap", "id"),
    of("Axis", "", "axis", "id"),
    of("Action", "actions", "action", "id"),
    of("Figure", "figures", "figure", "id"),
    of("FundingLine", "fundingLines", "fundingLine", "id"),
    of("ClientGrant", "clientGrants", "clientGrant", "id"),
];

/// Says of a field that not everybody reads it who reads the row.
pub(super) const RESTRICTED: bool = true;

/// Every field of the schema that leads to rows and that the oracle asks for, by the name of its type.
pub fn paths() -> BTreeSet<(&'static str, &'static str)> {
    let groups = ["site", "departement", "region", "qpv"].map(|field| ("ActionGroup", field));
    let mut paths: BTreeSet<_> = groups.into_iter().collect();
    paths.extend([("Viewer", "sites"), ("Query", "actionStatistics"), ("Query", "node"), ("Query", "nodes")]);
    for of in &TYPES {
        let roots = [of.list, of.lookup].into_iter().filter(|name| !name.is_empty());
        paths.extend(roots.map(|name| ("Query", name)));
        paths.extend(of.links().iter().map(|link| (of.name, link.name)));
    }
    paths
}

/// How a value is written in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// As a string.
    Text,
    /// As the name of an enum's value, a number, or true or false.
    Bare,
    /// No filter takes it.
    Shown,
}

/// A field with a value.
#[derive(Debug)]
pub struct Leaf {
    /// Name.
    pub name: &'static str,
    /// How filters write it.
    pub written: Written,
    /// Not everybody who reads the row reads it.
    pub restricted: bool,
    /// The value of a row, for a caller.
    pub value: fn(&Eyes<'_>, usize) -> Value,
}

/// What a field that leads to rows gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One object, or null; filters go into it.
    One,
    /// The same, where filters compare its code.
    OneByCode,
    /// A connection.
    Many,
    /// A plain list.
    List,
}

/// A field that leads to rows.
#[derive(Debug)]
pub struct Link {
    /// Name.
    pub name: &'static str,
    /// Type that it leads to.
    pub to: &'static str,
    /// What it gives.
    pub shape: Shape,
    /// Not everybody who reads the row reads it.
    pub restricted: bool,
    /// Rows that hang on a row, whoever looks.
    pub rows: fn(&Eyes<'_>, usize) -> Vec<usize>,
}

impl Type {
    /// The type of a name.
    pub fn named(name: &str) -> &'static Self {
        TYPES.iter().find(|of| of.name == name).unwrap_or_else(|| panic!("{name} is not known to the oracle"))
    }

    /// Its fields with values.
    pub fn leaves(&self) -> Vec<&'static Leaf> {
        leaves::of(self.name).iter().chain(leaves::for_caller(self.name)).collect()
    }

    /// Its fields that lead to rows.
    pub fn links(&self) -> &'static [Link] {
        links::of(self.name)
    }

    /// A field with a value.
    pub fn leaf(&self, name: &str) -> &'static Leaf {
        self.leaves().into_iter().find(|leaf| leaf.name == name).expect("a leaf")
    }
}

impl Eyes<'_> {
    /// Whether a field of a row is read by the caller, who reads the row.
    pub(super) fn reads_field(&self, of: &Type, at: usize, restricted: bool) -> bool {
        !restricted || self.reads_restricted(of.name, at)
    }

    /// The value of a field as the caller reads it.
    pub(super) fn value(&self, of: &Type, at: usize, leaf: &Leaf) -> Value {
        if self.reads_field(of, at, leaf.restricted) { (leaf.value)(self, at) } else { Value::Null }
    }

    /// Rows that the caller reads behind a field of a row.
    pub(super) fn linked(&self, of: &Type, at: usize, link: &Link) -> Vec<usize> {
        if !self.reads_field(of, at, link.restricted) {
            return Vec::new();
        }
        let mut rows = (link.rows)(self, at);
        rows.retain(|row| self.reads(link.to, *row));
        rows
    }

    /// All rows of a type.
    pub(super) fn all(&self, of: &Type) -> std::ops::Range<usize> {
        0..leaves::count(self.world, of.name)
    }

    /// The value by which a row is known.
    pub(super) fn key(&self, of: &Type, at: usize) -> Value {
        (of.leaf(of.key).value)(self, at)
    }
}

/// An id as clients see it.
pub(super) fn typed(prefix: &str, id: Uuid) -> Value {
    json!(ids::encode(prefix, id))
}
