//! The declared nouns together, with the inputs that follow from them: what the schema, the checks of arguments
//! and the planner all read from.

use std::collections::HashMap;

use async_graphql::dynamic::TypeRef;
use indexmap::IndexMap;

use super::declare::{EnumType, Field, FieldKind, Leaf, Noun, Relation, Source};
use super::plan::RootPlan;
use crate::graphql::scalars::Scalar;
use crate::policy::{Policy, Verb};

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

/// What is declared beside the nouns.
#[derive(Debug, Default)]
pub struct Extras {
    /// Root fields of their own kind.
    pub roots: Vec<RootField>,
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
    /// Object types that are no nouns.
    pub objects: Vec<PlainObject>,
    prefixes: HashMap<&'static str, &'static str>,
    connections: HashMap<&'static str, Vec<Argument>>,
}

impl Model {
    /// Puts the declarations together; the text of an error names the declaration at fault.
    pub fn build(nouns: Vec<Noun>, extras: Extras, policy: &Policy) -> Result<Self, String> {
        let mut model = Self {
            nouns: nouns.into_iter().map(|noun| (noun.name, noun)).collect(),
            inputs: IndexMap::new(),
            roots: IndexMap::new(),
            objects: extras.objects,
            prefixes: HashMap::new(),
            connections: HashMap::new(),
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

    /// The arguments that a connection of a noun takes.
    pub fn connection_arguments(&self, noun: &str) -> &[Argument] {
        self.connections.get(noun).map_or(&[], Vec::as_slice)
    }

    fn check(&mut self, policy: &Policy) -> Result<(), String> {
        for noun in self.nouns.values() {
            for group in noun.fields.iter().filter_map(|field| field.group).chain(noun.group).chain([""]) {
                if policy.rule(noun.resource, Verb::Read, group).is_none() {
                    return Err(format!("{}: no line {} read {group:?} in policy.csv", noun.name, noun.resource.name()));
                }
            }
            for field in &noun.fields {
                if let FieldKind::One(to) | FieldKind::Many(to) | FieldKind::List(to) = &field.kind
                    && !self.nouns.contains_key(to.target)
                {
                    return Err(format!("{}.{} leads to an undeclared {}", noun.name, field.name, to.target));
                }
            }
            if let Some(prefix) = noun.prefix {
                self.prefixes.insert(prefix, noun.name);
            }
        }
        Ok(())
    }

    fn leaf(&mut self, leaf: Leaf) {
        self.inputs.entry(leaf.name().to_owned()).or_insert(Input::Leaf(leaf));
    }

    fn object(&mut self, name: String, description: String, fields: Vec<Argument>, one_of: bool) {
        let object = InputObject { name: name.clone(), description, fields, one_of };
        self.inputs.entry(name).or_insert(Input::Object(object));
    }

    fn add_noun(&mut self, name: &'static str) -> Result<(), String> {
        let noun = self.nouns.get(name).cloned().ok_or("a noun went missing")?;
        for leaf in leaves(&noun.fields) {
            self.leaf(leaf);
        }
        self.add_filter(&noun)?;
        self.add_order(&noun);
        self.connections.insert(name, connection_arguments(&noun));
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

    fn add_lookup(&mut self, noun: &Noun, field: &'static str, by: &'static [&'static str]) -> Result<(), String> {
        let mut fields = Vec::new();
        for name in by {
            let found = noun.field(name).ok_or_else(|| format!("{}: no field {name} to look up by", noun.name))?;
            let FieldKind::Value(value) = &found.kind else {
                return Err(format!("{}.{name} is not a value to look up by", noun.name));
            };
            fields.push(Argument::new(*name, TypeRef::named(value.leaf.name()), found.description));
        }
        let input = format!("{}By", noun.name);
        self.object(input.clone(), format!("One key that finds a {}.", noun.name), fields, true);
        let root = RootField {
            name: field,
            description: format!("One {}, by a key; null if there is none that the caller may read.", noun.name),
            arguments: vec![Argument::new("by", TypeRef::named_nn(input), "The key.")],
            ty: TypeRef::named(noun.name),
            plan: RootPlan::Lookup(noun.name),
        };
        self.roots.insert(field, root);
        Ok(())
    }

    fn add_order(&mut self, noun: &Noun) {
        let Some(values) = order_values(noun) else { return };
        let name = format!("{}OrderField", noun.name);
        // names of a schema live as long as the process
        let leaked: &'static str = Box::leak(name.clone().into_boxed_str());
        let description: &'static str = "What a list is ordered by.";
        let values: &'static [(&'static str, &'static str)] = Box::leak(values.into_boxed_slice());
        self.leaf(Leaf::Enum(EnumType { name: leaked, description, values }));
        let fields = vec![
            Argument::new("field", TypeRef::named_nn(name), "What to order by."),
            Argument::new("direction", TypeRef::named_nn("OrderDirection"), "Ascending unless told.")
                .default(async_graphql::Value::Enum(async_graphql::Name::new("ASC"))),
        ];
        let description = format!("One term of an order of {}.", noun.name);
        self.object(format!("{}Order", noun.name), description, fields, false);
    }

    fn add_filter(&mut self, noun: &Noun) -> Result<(), String> {
        let name = format!("{}Filter", noun.name);
        let list = || TypeRef::named_nn_list(name.clone());
        let mut fields = vec![
            Argument::new("and", list(), "All of these hold."),
            Argument::new("or", list(), "One of these holds; an empty list matches nothing."),
            Argument::new("not", TypeRef::named(name.clone()), "This does not hold."),
        ];
        for field in &noun.fields {
            fields.extend(self.filter_fields(field)?);
        }
        for filter in &noun.filters {
            fields.retain(|field| field.name != filter.name);
            let ty = self.operators(filter.leaf, false);
            fields.push(Argument::new(filter.name, TypeRef::named(ty), filter.description));
        }
        let description = format!("Conditions on a {}; those given together must all hold.", noun.name);
        self.object(name, description, fields, false);
        Ok(())
    }

    fn filter_fields(&mut self, field: &Field) -> Result<Vec<Argument>, String> {
        let ty = match &field.kind {
            FieldKind::Value(value) if value.filterable => self.operators(value.leaf, value.list),
            FieldKind::Value(_) => return Ok(Vec::new()),
            FieldKind::One(relation) => match self.code_leaf(relation)? {
                Some(leaf) => self.operators(leaf, false),
                None => format!("{}Filter", relation.target),
            },
            FieldKind::Many(relation) | FieldKind::List(relation) => self.list_filter(relation.target),
            FieldKind::Group { fields, .. } => {
                let mut arguments = Vec::new();
                for inner in fields {
                    for mut argument in self.filter_fields(inner)? {
                        argument.name = group_filter(field.name, &argument.name);
                        arguments.push(argument);
                    }
                }
                return Ok(arguments);
            }
        };
        Ok(vec![Argument::new(field.name, TypeRef::named(ty), field.description)])
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

    fn list_filter(&mut self, target: &str) -> String {
        let name = format!("{target}ListFilter");
        let filter = TypeRef::named(format!("{target}Filter"));
        let fields = vec![
            Argument::new("some", filter.clone(), "At least one that the caller may read meets this."),
            Argument::new("none", filter, "None that the caller may read meets this."),
        ];
        self.object(name.clone(), format!("Conditions on a set of {target}."), fields, false);
        name
    }

    /// The input with the operators that make sense for a type.
    fn operators(&mut self, leaf: Leaf, list: bool) -> String {
        let base = if leaf.name() == "ID" { "Id" } else { leaf.name() };
        let one = || TypeRef::named(leaf.name());
        let many = || TypeRef::named_nn_list(leaf.name());
        let boolean = || TypeRef::named("Boolean");
        if list {
            let name = format!("{base}ListFilter");
            let fields = vec![
                Argument::new("has", one(), "The list holds this."),
                Argument::new("hasAny", many(), "The list holds one of these; an empty list matches nothing."),
                Argument::new("isEmpty", boolean(), "The list is empty (true) or not (false)."),
            ];
            self.object(name.clone(), format!("Conditions on a list of {base}."), fields, false);
            return name;
        }
        let name = format!("{base}Filter");
        let mut fields = vec![
            Argument::new("eq", one(), "Equal to this; null stands for no value."),
            Argument::new("ne", one(), "Not equal to this; a row without value is not equal."),
        ];
        if leaf.name() != "Boolean" {
            fields.push(Argument::new("in", many(), "One of these; an empty list matches nothing."));
            fields.push(Argument::new("notIn", many(), "None of these; a row without value is none of them."));
        }
        if is_ordered(leaf) {
            fields.extend(ORDERED.map(|(name, text)| Argument::new(name, one(), text)));
        }
        if leaf.name() == "String" {
            fields.push(Argument::new("contains", one(), "Holds this text, whatever its case and accents."));
        }
        fields.push(Argument::new("isNull", boolean(), "Has no value (true) or has one (false)."));
        self.object(name.clone(), format!("Conditions on a {}.", leaf.name()), fields, false);
        name
    }
}

fn node_roots() -> [RootField; 2] {
    let id = Argument::new("id", TypeRef::named_nn("ID"), "The identifier.");
    let ids = Argument::new("ids", TypeRef::named_nn_list_nn("ID"), "The identifiers, 100 at most.");
    [
        RootField {
            name: "node",
            description: "Any object by its identifier; null if there is none that the caller may read.".to_owned(),
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

const ORDERED: [(&str, &str); 4] = [
    ("gt", "Greater than this; for a period, entirely after it."),
    ("gte", "Greater than or equal to this; for a period, not beginning before it."),
    ("lt", "Less than this; for a period, entirely before it."),
    ("lte", "Less than or equal to this; for a period, not ending after it."),
];

fn is_ordered(leaf: Leaf) -> bool {
    matches!(
        leaf,
        Leaf::Scalar(
            Scalar::Int
                | Scalar::Float
                | Scalar::BigInt
                | Scalar::Decimal
                | Scalar::Date
                | Scalar::DateTime
                | Scalar::PartialDate
        )
    )
}

/// Name under which a value of a group is filtered: `source { system }` by `sourceSystem`.
pub fn group_filter(group: &str, field: &str) -> String {
    let mut name = group.to_owned();
    let mut letters = field.chars();
    name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
    name.extend(letters);
    name
}

/// Name of an order value: `updatedAt` is `UPDATED_AT`.
pub fn order_name(field: &str) -> String {
    let mut name = String::new();
    for letter in field.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn order_values(noun: &Noun) -> Option<Vec<(&'static str, &'static str)>> {
    let values: Vec<(&'static str, &'static str)> = noun
        .fields
        .iter()
        .filter(|field| matches!(&field.kind, FieldKind::Value(value) if value.sort.is_some()))
        .map(|field| (&*Box::leak(order_name(field.name).into_boxed_str()), field.description))
        .collect();
    (!values.is_empty()).then_some(values)
}

fn leaves(fields: &[Field]) -> Vec<Leaf> {
    let mut found = Vec::new();
    for field in fields {
        match &field.kind {
            FieldKind::Value(value) => found.push(value.leaf),
            FieldKind::Group { fields, .. } => found.extend(leaves(fields)),
            _ => {}
        }
    }
    found
}

fn connection_arguments(noun: &Noun) -> Vec<Argument> {
    let mut arguments = vec![
        Argument::new("first", TypeRef::named("Int"), "How many from the start: 20 unless told, 100 at most."),
        Argument::new("after", TypeRef::named("String"), "Only what comes after this cursor."),
        Argument::new("last", TypeRef::named("Int"), "How many from the end, 100 at most; not together with `first`."),
        Argument::new("before", TypeRef::named("String"), "Only what comes before this cursor."),
        Argument::new("filter", TypeRef::named(format!("{}Filter", noun.name)), "Only what meets these conditions."),
    ];
    if order_values(noun).is_some() {
        let ty = TypeRef::named_nn_list(format!("{}Order", noun.name));
        arguments.push(Argument::new("orderBy", ty, "The order; the id breaks ties."));
    }
    arguments
}
