//! The declared nouns together, with the inputs that follow from them: what the schema, the checks of arguments
//! and the planner all read from.

use std::collections::{HashMap, HashSet};

use async_graphql::dynamic::TypeRef;
use indexmap::IndexMap;

use super::declare::{EnumType, FieldKind, Leaf, Noun, Relation, Source};
use super::inputs::{connection_arguments, leaves};
use super::plan::RootPlan;
use crate::graphql::scalars::Scalar;
use crate::policy::{Policy, Verb};
use crate::write::{Mutation, USER_ERROR_CODE};

/// An argument of a field, or a field of an input object.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Name.
    pub name: String,
    /// Description in the schema.
    pub description: String,
    /// Type.
    pub ty: TypeRef,
    /// Value when absent.
    pub default: Option<async_graphql::Value>,
}

impl Argument {
    /// An argument without default.
    pub fn new(name: impl Into<String>, ty: TypeRef, description: impl Into<String>) -> Self {
        Self { name: name.into(), description: description.into(), ty, default: None }
    }

    /// Gives it a default.
    #[must_use]
    pub fn default(mut self, value: impl Into<async_graphql::Value>) -> Self {
        self.default = Some(value.into());
        self
    }
}

/// An input object.
#[derive(Clone, Debug)]
pub struct InputObject {
    /// Name.
    pub name: String,
    /// Description in the schema.
    pub description: String,
    /// Fields.
    pub fields: Vec<Argument>,
    /// Exactly one field must be given (`@oneOf`).
    pub one_of: bool,
}

/// What an input type is.
#[derive(Clone, Debug)]
pub enum Input {
    /// A scalar or an enum.
    Leaf(Leaf),
    /// An object.
    Object(InputObject),
}

/// An object type that is no noun: its fields with their types.
#[derive(Clone, Debug)]
pub struct PlainObject {
    /// Name.
    pub name: &'static str,
    /// Description in the schema.
    pub description: &'static str,
    /// Fields: name, type, description.
    pub fields: Vec<(&'static str, TypeRef, &'static str)>,
}

/// A field of `Query`.
#[derive(Clone, Debug)]
pub struct RootField {
    /// Name.
    pub name: &'static str,
    /// Description in the schema.
    pub description: String,
    /// Arguments.
    pub arguments: Vec<Argument>,
    /// Type.
    pub ty: TypeRef,
    /// How it is planned.
    pub plan: RootPlan,
}

/// A field of `Subscription`.
#[derive(Clone, Debug)]
pub struct LiveField {
    /// Name.
    pub name: &'static str,
    /// Description in the schema.
    pub description: String,
    /// Arguments.
    pub arguments: Vec<Argument>,
    /// Type of each event.
    pub ty: TypeRef,
}

/// What is declared beside the nouns.
#[derive(Debug, Default)]
pub struct Extras {
    /// Root fields of their own kind.
    pub roots: Vec<RootField>,
    /// Fields of `Subscription`.
    pub subscriptions: Vec<LiveField>,
    /// Object types that are no nouns.
    pub objects: Vec<PlainObject>,
    /// Input objects.
    pub inputs: Vec<InputObject>,
    /// Enums that no noun's field uses.
    pub enums: Vec<EnumType>,
}

impl Extras {
    /// Joins other declarations to these.
    pub fn add(&mut self, other: Self) {
        self.roots.extend(other.roots);
        self.subscriptions.extend(other.subscriptions);
        self.objects.extend(other.objects);
        self.inputs.extend(other.inputs);
        self.enums.extend(other.enums);
    }
}

/// Everything the schema knows.
#[derive(Debug)]
pub struct Model {
    nouns: IndexMap<&'static str, Noun>,
    /// Input types by name, in the order of the schema.
    pub inputs: IndexMap<String, Input>,
    /// Root fields by name.
    pub roots: IndexMap<&'static str, RootField>,
    /// Fields of `Subscription`.
    pub subscriptions: Vec<LiveField>,
    /// Fields of `Mutation` by name.
    pub mutations: IndexMap<&'static str, Mutation>,
    /// Object types that are no nouns.
    pub objects: Vec<PlainObject>,
    prefixes: HashMap<&'static str, &'static str>,
    connections: HashMap<&'static str, Vec<Argument>>,
    related: HashSet<&'static str>,
}

impl Model {
    /// Puts the declarations together; the text of an error names the declaration at fault.
    pub fn build(
        nouns: Vec<Noun>,
        mutations: Vec<Mutation>,
        extras: Extras,
        policy: &Policy,
    ) -> Result<Self, String> {
        let mut model = Self {
            nouns: nouns.into_iter().map(|noun| (noun.name, noun)).collect(),
            inputs: IndexMap::new(),
            roots: IndexMap::new(),
            subscriptions: extras.subscriptions,
            mutations: mutations.into_iter().map(|mutation| (mutation.name, mutation)).collect(),
            objects: extras.objects,
            prefixes: HashMap::new(),
            connections: HashMap::new(),
            related: HashSet::new(),
        };
        model.check(policy)?;
        for scalar in Scalar::CUSTOM.iter().chain(&BUILT_IN) {
            model.leaf((*scalar).into());
        }
        model.leaf(DIRECTION.into());
        for declared in extras.enums {
            model.leaf(declared.into());
        }
        for input in extras.inputs {
            model.inputs.insert(input.name.clone(), Input::Object(input));
        }
        let names: Vec<&'static str> = model.nouns.keys().copied().collect();
        for name in names {
            model.add_noun(name)?;
        }
        model.leaf(USER_ERROR_CODE.into());
        for mutation in model.mutations.values().cloned().collect::<Vec<_>>() {
            model.add_mutation(&mutation)?;
        }
        for root in node_roots().into_iter().chain(extras.roots) {
            model.roots.insert(root.name, root);
        }
        Ok(model)
    }

    /// The noun of that name; the model was checked, so relations always find theirs.
    pub fn noun(&self, name: &str) -> Option<&Noun> {
        self.nouns.get(name)
    }

    /// All nouns.
    pub fn nouns(&self) -> impl Iterator<Item = &Noun> {
        self.nouns.values()
    }

    /// The noun whose typed ids have this prefix.
    pub fn noun_of_prefix(&self, prefix: &str) -> Option<&Noun> {
        self.prefixes.get(prefix).and_then(|name| self.noun(name))
    }

    /// Whether a noun is listed page by page anywhere.
    pub fn has_connection(&self, noun: &str) -> bool {
        self.connections.contains_key(noun)
    }

    /// The arguments that a connection of a noun takes.
    pub fn connection_arguments(&self, noun: &str) -> &[Argument] {
        self.connections.get(noun).map_or(&[], Vec::as_slice)
    }

    fn check(&mut self, policy: &Policy) -> Result<(), String> {
        let mut related: HashMap<&'static str, Vec<&'static str>> = HashMap::new();
        for noun in self.nouns.values() {
            for group in noun.fields.iter().filter_map(|field| field.group).chain(noun.group).chain([""]) {
                if policy.rule(noun.resource, Verb::Read, group).is_none() {
                    return Err(format!(
                        "{}: no line {} read {group:?} in policy.csv",
                        noun.name,
                        noun.resource.name()
                    ));
                }
            }
            for field in &noun.fields {
                let (FieldKind::One(to) | FieldKind::Many(to) | FieldKind::List(to)) = &field.kind else {
                    continue;
                };
                let Some(target) = self.nouns.get(to.target) else {
                    return Err(format!("{}.{} leads to an undeclared {}", noun.name, field.name, to.target));
                };
                related.entry(noun.name).or_default().push(target.name);
                if matches!(field.kind, FieldKind::Many(_)) {
                    self.connections.insert(target.name, connection_arguments(target));
                }
            }
            if noun.plural.is_some() {
                self.connections.insert(noun.name, connection_arguments(noun));
            }
            if let Some(prefix) = noun.prefix {
                self.prefixes.insert(prefix, noun.name);
            }
        }
        // no filter leads through a noun that is neither listed nor related to
        let reached: HashSet<&'static str> = related.values().flatten().copied().collect();
        let filtered = |noun: &Noun| noun.plural.is_some() || reached.contains(noun.name);
        let from =
            self.nouns.values().filter(|noun| filtered(noun)).filter_map(|noun| related.get(noun.name));
        self.related = from.flatten().copied().collect();
        Ok(())
    }

    pub(super) fn leaf(&mut self, leaf: Leaf) {
        self.inputs.entry(leaf.name().to_owned()).or_insert(Input::Leaf(leaf));
    }

    pub(super) fn object(&mut self, name: String, description: String, fields: Vec<Argument>, one_of: bool) {
        let object = InputObject { name: name.clone(), description, fields, one_of };
        self.inputs.entry(name).or_insert(Input::Object(object));
    }

    fn add_noun(&mut self, name: &'static str) -> Result<(), String> {
        let noun = self.nouns.get(name).cloned().ok_or("a noun went missing")?;
        for leaf in leaves(&noun.fields) {
            self.leaf(leaf);
        }
        if noun.plural.is_some() || self.related.contains(name) {
            self.add_filter(&noun)?;
        }
        if self.connections.contains_key(name) {
            self.add_order(&noun);
        }
        if let Some((field, description)) = noun.plural {
            let root = RootField {
                name: field,
                description: description.to_owned(),
                arguments: connection_arguments(&noun),
                ty: TypeRef::named_nn(format!("{name}Connection")),
                plan: RootPlan::List(name),
            };
            self.roots.insert(field, root);
        }
        if let Some((field, by)) = noun.lookup {
            self.add_lookup(&noun, field, by)?;
        }
        Ok(())
    }

    fn add_mutation(&mut self, mutation: &Mutation) -> Result<(), String> {
        if !self.nouns.contains_key(mutation.target.noun) {
            return Err(format!("{} shows an undeclared {}", mutation.name, mutation.target.noun));
        }
        let mut fields = mutation.input.clone();
        let key = "A key of your choice: the same key and input again answer as before and write nothing; kept 7 days.";
        fields.push(Argument::new("idempotencyKey", TypeRef::named("String"), key));
        self.object(mutation.input_type(), format!("Input of `{}`.", mutation.name), fields, false);
        Ok(())
    }

    fn add_lookup(
        &mut self,
        noun: &Noun,
        field: &'static str,
        by: &'static [&'static str],
    ) -> Result<(), String> {
        let mut fields = Vec::new();
        for name in by {
            let found =
                noun.field(name).ok_or_else(|| format!("{}: no field {name} to look up by", noun.name))?;
            let FieldKind::Value(value) = &found.kind else {
                return Err(format!("{}.{name} is not a value to look up by", noun.name));
            };
            fields.push(Argument::new(*name, TypeRef::named(value.leaf.name()), found.description));
        }
        let input = format!("{}By", noun.name);
        self.object(input.clone(), format!("One key that finds a {}.", noun.name), fields, true);
        let root = RootField {
            name: field,
            description: format!(
                "One {}, by a key; null if there is none that the caller may read.",
                noun.name
            ),
            arguments: vec![Argument::new("by", TypeRef::named_nn(input), "The key.")],
            ty: TypeRef::named(noun.name),
            plan: RootPlan::Lookup(noun.name),
        };
        self.roots.insert(field, root);
        Ok(())
    }

    /// The type of the code by which a referential is referred to; `None` for rows with ids of their own.
    pub fn code_leaf(&self, relation: &Relation) -> Result<Option<Leaf>, String> {
        if relation.key_type == crate::db::KeyType::Uuid {
            return Ok(None);
        }
        let target = self.noun(relation.target).ok_or("a relation leads nowhere")?;
        let code = target.fields.iter().find_map(|field| match &field.kind {
            FieldKind::Value(value) if matches!(value.source, Source::Column(name) if name == target.key) => {
                Some(value.leaf)
            }
            _ => None,
        });
        code.map(Some).ok_or_else(|| format!("{} does not show its code", target.name))
    }
}

fn node_roots() -> [RootField; 2] {
    let id = Argument::new("id", TypeRef::named_nn("ID"), "The identifier.");
    let ids = Argument::new("ids", TypeRef::named_nn_list_nn("ID"), "The identifiers, 100 at most.");
    [
        RootField {
            name: "node",
            description: "Any object by its identifier; null if there is none that the caller may read."
                .to_owned(),
            arguments: vec![id],
            ty: TypeRef::named("Node"),
            plan: RootPlan::Node,
        },
        RootField {
            name: "nodes",
            description: "Objects by their identifiers, in that order; null where there is none.".to_owned(),
            arguments: vec![ids],
            ty: TypeRef::named_list_nn("Node"),
            plan: RootPlan::Nodes,
        },
    ]
}

const BUILT_IN: [Scalar; 5] = [Scalar::Id, Scalar::Int, Scalar::Float, Scalar::Boolean, Scalar::String];

/// `ASC` or `DESC`.
pub const DIRECTION: EnumType = EnumType {
    name: "OrderDirection",
    description: "Direction of an order; rows without value come last in ascending order.",
    values: &[("ASC", "Smallest first."), ("DESC", "Largest first.")],
};
