//! Inputs that follow from the declarations: filters, orders, arguments of connections.

use async_graphql::dynamic::TypeRef;

use super::declare::{EnumType, Field, FieldKind, Leaf, Noun, ValueField};
use super::model::{Argument, Model};
use crate::graphql::scalars::Scalar;

impl Model {
    pub(super) fn add_order(&mut self, noun: &Noun) {
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

    pub(super) fn add_filter(&mut self, noun: &Noun) -> Result<(), String> {
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
            FieldKind::Value(value) if value.filterable && is_keyword(value) => self.keyword_operators(),
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

    /// The operators of a text that is compared as a whole only: no folded column serves a search in it.
    fn keyword_operators(&mut self) -> String {
        let name = "KeywordFilter".to_owned();
        let fields = Self::equality(Scalar::String.into());
        self.object(
            name.clone(),
            "Conditions on a text compared as a whole, to the letter.".to_owned(),
            fields,
            false,
        );
        name
    }

    fn equality(leaf: Leaf) -> Vec<Argument> {
        let one = || TypeRef::named(leaf.name());
        let many = || TypeRef::named_nn_list(leaf.name());
        let mut fields = vec![
            Argument::new("eq", one(), "Equal to this; null stands for no value."),
            Argument::new("ne", one(), "Not equal to this; a row without value is not equal."),
        ];
        if leaf.name() != "Boolean" {
            fields.push(Argument::new("in", many(), "One of these; an empty list matches nothing."));
            fields.push(Argument::new(
                "notIn",
                many(),
                "None of these; a row without value is none of them.",
            ));
        }
        fields.push(Argument::new(
            "isNull",
            TypeRef::named("Boolean"),
            "Has no value (true) or has one (false).",
        ));
        fields
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
                Argument::new(
                    "hasAny",
                    many(),
                    "The list holds one of these; an empty list matches nothing.",
                ),
                Argument::new("isEmpty", boolean(), "The list is empty (true) or not (false)."),
            ];
            self.object(name.clone(), format!("Conditions on a list of {base}."), fields, false);
            return name;
        }
        let name = format!("{base}Filter");
        let mut fields = Self::equality(leaf);
        if is_ordered(leaf) {
            fields.extend(ORDERED.map(|(name, text)| Argument::new(name, one(), text)));
        }
        if leaf.name() == "String" {
            fields.push(Argument::new("contains", one(), "Holds this text, whatever its case and accents."));
        }
        self.object(name.clone(), format!("Conditions on a {}.", leaf.name()), fields, false);
        name
    }
}

const ORDERED: [(&str, &str); 4] = [
    ("gt", "Greater than this; for a period, entirely after it."),
    ("gte", "Greater than or equal to this; for a period, not beginning before it."),
    ("lt", "Less than this; for a period, entirely before it."),
    ("lte", "Less than or equal to this; for a period, not ending after it."),
];

/// A text without folded column.
fn is_keyword(value: &ValueField) -> bool {
    !value.list && value.search.is_none() && matches!(value.leaf, Leaf::Scalar(Scalar::String))
}

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

pub(super) fn leaves(fields: &[Field]) -> Vec<Leaf> {
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

pub(super) fn connection_arguments(noun: &Noun) -> Vec<Argument> {
    let mut arguments = vec![
        Argument::new(
            "first",
            TypeRef::named("Int"),
            "How many from the start: 20 unless told, 100 at most.",
        ),
        Argument::new("after", TypeRef::named("String"), "Only what comes after this cursor."),
        Argument::new(
            "last",
            TypeRef::named("Int"),
            "How many from the end, 100 at most; not together with `first`.",
        ),
        Argument::new("before", TypeRef::named("String"), "Only what comes before this cursor."),
        Argument::new(
            "filter",
            TypeRef::named(format!("{}Filter", noun.name)),
            "Only what meets these conditions.",
        ),
    ];
    if order_values(noun).is_some() {
        let ty = TypeRef::named_nn_list(format!("{}Order", noun.name));
        arguments.push(Argument::new("orderBy", ty, "The order; the id breaks ties."));
    }
    arguments
}
