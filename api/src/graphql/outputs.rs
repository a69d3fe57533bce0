//! The object types of the schema and their fields, made from the model: what the library's schema is built from,
//! and what the checks of documents read.

use async_graphql::dynamic::TypeRef;

use crate::read::declare::{Field, FieldKind, Noun, Relation, ValueField};
use crate::read::model::{Argument, LiveField, Model};
use crate::write::Mutation;

/// The type that subscriptions select from.
pub const SUBSCRIPTION: &str = "Subscription";

/// An object type or an interface.
#[derive(Clone, Debug)]
pub struct OutputType {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Implements `Node`.
    pub is_node: bool,
    /// Fields in their order.
    pub fields: Vec<OutputField>,
}

/// A field of an object type.
#[derive(Clone, Debug)]
pub struct OutputField {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Type.
    pub ty: TypeRef,
    /// Arguments.
    pub arguments: Vec<Argument>,
}

impl OutputType {
    fn new(name: impl Into<String>, description: impl Into<String>, fields: Vec<OutputField>) -> Self {
        Self { name: name.into(), description: description.into(), is_node: false, fields }
    }
}

impl OutputField {
    fn new(name: impl Into<String>, ty: TypeRef, description: impl Into<String>) -> Self {
        Self { name: name.into(), description: description.into(), ty, arguments: Vec::new() }
    }

    fn with(mut self, arguments: &[Argument]) -> Self {
        self.arguments = arguments.to_vec();
        self
    }
}

/// Every object type of a model.
pub fn objects(model: &Model) -> Vec<OutputType> {
    let mut types = vec![page_info(), query(model), mutation(model), subscription(model), user_error()];
    types.extend(model.mutations.values().map(payload));
    for noun in model.nouns() {
        types.push(object(model, noun));
        types.extend(groups(model, noun));
        if model.has_connection(noun.name) {
            types.extend([connection(noun), edge(noun)]);
        }
    }
    types.extend(model.objects.iter().map(|plain| {
        let fields = plain.fields.iter().map(|(name, ty, text)| OutputField::new(*name, ty.clone(), *text));
        OutputType::new(plain.name, plain.description, fields.collect())
    }));
    types
}

fn mutation(model: &Model) -> OutputType {
    let field = |mutation: &Mutation| {
        let input = Argument::new("input", TypeRef::named_nn(mutation.input_type()), "What to write.");
        OutputField::new(mutation.name, TypeRef::named(mutation.payload_type()), mutation.description)
            .with(&[input])
    };
    let description = "Everything that can be written. Several in one document run in order, each in its own transaction; all in one \
         with `@atomic`.";
    OutputType::new("Mutation", description, model.mutations.values().map(field).collect())
}

fn subscription(model: &Model) -> OutputType {
    let field = |live: &LiveField| {
        OutputField::new(live.name, live.ty.clone(), live.description.clone()).with(&live.arguments)
    };
    let description = "Everything that can be followed live: over WebSocket at `/graphql/ws` (graphql-transport-ws), and \
                       over Server-Sent Events at `/graphql/stream`.";
    OutputType::new(SUBSCRIPTION, description, model.subscriptions.iter().map(field).collect())
}

fn payload(mutation: &Mutation) -> OutputType {
    let target = mutation.target;
    let shown = "The object after the write; null when nothing was written or when it is gone.";
    let errors = "Everything that was wrong; empty when the write was done.";
    let replayed = "The idempotency key was known: the write was done before, and not again.";
    let mut fields = vec![
        OutputField::new(target.field, TypeRef::named(target.noun), shown),
        OutputField::new("userErrors", TypeRef::named_nn_list_nn("UserError"), errors),
        OutputField::new("replayed", TypeRef::named_nn(TypeRef::BOOLEAN), replayed),
    ];
    let parts = mutation.parts.iter();
    fields.extend(parts.map(|part| OutputField::new(part.name, part.ty.clone(), part.description)));
    OutputType::new(mutation.payload_type(), format!("Answer of `{}`.", mutation.name), fields)
}

fn user_error() -> OutputType {
    let path = "Where in the arguments: `[\"input\", \"title\"]`.";
    let message = "What is wrong and what is expected, for people.";
    let fields = vec![
        OutputField::new("code", TypeRef::named_nn("UserErrorCode"), "Stable code."),
        OutputField::new("path", TypeRef::named_nn_list_nn(TypeRef::STRING), path),
        OutputField::new("message", TypeRef::named_nn(TypeRef::STRING), message),
    ];
    OutputType::new("UserError", "One thing that is wrong with a write.", fields)
}

/// The interface of objects with an identifier.
pub fn node() -> OutputType {
    let text = "Opaque typed identifier; stable, never given to another object.";
    let id = OutputField::new("id", TypeRef::named_nn(TypeRef::ID), text);
    OutputType::new("Node", "An object with an identifier of its own.", vec![id])
}

fn query(model: &Model) -> OutputType {
    let field = |root: &crate::read::model::RootField| {
        OutputField::new(root.name, root.ty.clone(), root.description.clone()).with(&root.arguments)
    };
    let description = "Everything that can be read. What the caller may not read is absent.";
    OutputType::new("Query", description, model.roots.values().map(field).collect())
}

fn object(model: &Model, noun: &Noun) -> OutputType {
    let fields = noun.fields.iter().map(|field| field_of(model, field)).collect();
    let object = OutputType::new(noun.name, noun.description, fields);
    OutputType { is_node: noun.prefix.is_some(), ..object }
}

fn field_of(model: &Model, field: &Field) -> OutputField {
    let hidden = field.group.is_some();
    let of = |ty: TypeRef| OutputField::new(field.name, ty, field.description);
    match &field.kind {
        FieldKind::Value(value) => of(value_type(value, hidden)),
        FieldKind::One(relation) => of(named(relation.target, hidden || !is_required(model, relation))),
        FieldKind::Many(relation) => of(TypeRef::named_nn(format!("{}Connection", relation.target)))
            .with(model.connection_arguments(relation.target)),
        FieldKind::List(relation) => of(TypeRef::named_nn_list_nn(relation.target)),
        FieldKind::Group { name, null_if, .. } => of(named(name, hidden || null_if.is_some())),
    }
}

fn value_type(value: &ValueField, hidden: bool) -> TypeRef {
    let nullable = value.nullable || hidden;
    match (value.list, nullable) {
        (true, true) => TypeRef::named_nn_list(value.leaf.name()),
        (true, false) => TypeRef::named_nn_list_nn(value.leaf.name()),
        (false, nullable) => named(value.leaf.name(), nullable),
    }
}

fn named(name: &str, nullable: bool) -> TypeRef {
    if nullable { TypeRef::named(name) } else { TypeRef::named_nn(name) }
}

/// A relation over a column that always has a value, to a referential that keeps all its rows and that everybody
/// reads, always leads somewhere.
fn is_required(model: &Model, relation: &Relation) -> bool {
    let target = model.noun(relation.target);
    relation.required && target.is_some_and(|target| !target.tombstones)
}

fn groups(model: &Model, noun: &Noun) -> Vec<OutputType> {
    let of = |field: &Field| match &field.kind {
        FieldKind::Group { name, fields, .. } => {
            let fields = fields.iter().map(|field| field_of(model, field)).collect();
            Some(OutputType::new(*name, field.description, fields))
        }
        _ => None,
    };
    noun.fields.iter().filter_map(of).collect()
}

fn connection(noun: &Noun) -> OutputType {
    let name = noun.name;
    let edges = TypeRef::named_nn_list_nn(format!("{name}Edge"));
    let count = "How many the caller may read under this filter; counted only when asked.";
    let fields = vec![
        OutputField::new("nodes", TypeRef::named_nn_list_nn(name), "The objects of the page."),
        OutputField::new("edges", edges, "The objects of the page with their cursors."),
        OutputField::new("pageInfo", TypeRef::named_nn("PageInfo"), "Where the page stands in the list."),
        OutputField::new("totalCount", TypeRef::named_nn(TypeRef::INT), count),
    ];
    OutputType::new(format!("{name}Connection"), format!("A page of a list of {name}."), fields)
}

fn edge(noun: &Noun) -> OutputType {
    let name = noun.name;
    let text = "Its place in the list, for `after` and `before`.";
    let fields = vec![
        OutputField::new("cursor", TypeRef::named_nn(TypeRef::STRING), text),
        OutputField::new("node", TypeRef::named_nn(name), "The object."),
    ];
    OutputType::new(format!("{name}Edge"), format!("A {name} in a list."), fields)
}

fn page_info() -> OutputType {
    let boolean = || TypeRef::named_nn(TypeRef::BOOLEAN);
    let cursor = || TypeRef::named(TypeRef::STRING);
    let previous = "There is more before this page; paging forward, whether a cursor was given.";
    let fields = vec![
        OutputField::new("hasNextPage", boolean(), "There is more after this page."),
        OutputField::new("hasPreviousPage", boolean(), previous),
        OutputField::new("startCursor", cursor(), "Cursor of the first object; null on an empty page."),
        OutputField::new("endCursor", cursor(), "Cursor of the last object; null on an empty page."),
    ];
    OutputType::new("PageInfo", "Where a page stands in its list.", fields)
}
