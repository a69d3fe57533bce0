//! The GraphQL schema made from the model. The library holds it, prints it, validates against it and answers
//! introspection; it never resolves a field, since every operation is planned.

use async_graphql::dynamic::{
    Enum, EnumItem, Field as SchemaField, FieldFuture, InputObject as SchemaInput, InputValue, Interface,
    InterfaceField, Object, Scalar as SchemaScalar, Schema, SchemaBuilder, SchemaError, TypeRef,
};

use crate::graphql::scalars::Scalar;
use crate::read::declare::{Field, FieldKind, Leaf, Noun, Relation, ValueField};
use crate::read::model::{Argument, Input, Model};

/// The schema of a model.
pub fn build(
    model: &Model,
    extend: impl FnOnce(SchemaBuilder) -> SchemaBuilder,
) -> Result<Schema, SchemaError> {
    let mut builder = extend(Schema::build("Query", None, None));
    builder = builder.register(node_interface()).register(page_info()).register(query(model));
    for input in model.inputs.values() {
        builder = register_input(builder, input);
    }
    for noun in model.nouns() {
        builder = builder.register(object(model, noun));
        for (name, description, fields) in groups(noun) {
            let group = fields.iter().fold(Object::new(name).description(description), |object, field| {
                object.field(field_of(model, noun, field))
            });
            builder = builder.register(group);
        }
        if model.has_connection(noun.name) {
            builder = builder.register(connection(noun)).register(edge(noun));
        }
    }
    for plain in &model.objects {
        let object = plain.fields.iter().fold(
            Object::new(plain.name).description(plain.description),
            |object, (name, ty, description)| object.field(planned(*name, ty.clone(), *description)),
        );
        builder = builder.register(object);
    }
    builder.finish()
}

/// A field whose value the planner writes; the library is never asked for it.
fn planned(name: impl Into<String>, ty: TypeRef, description: impl Into<String>) -> SchemaField {
    SchemaField::new(name, ty, |_| FieldFuture::from_value(None)).description(description)
}

fn with_arguments(field: SchemaField, arguments: &[Argument]) -> SchemaField {
    arguments.iter().fold(field, |field, argument| field.argument(input_value(argument)))
}

fn input_value(argument: &Argument) -> InputValue {
    let value = InputValue::new(&argument.name, argument.ty.clone()).description(&argument.description);
    match &argument.default {
        Some(default) => value.default_value(default.clone()),
        None => value,
    }
}

fn query(model: &Model) -> Object {
    let object = Object::new("Query")
        .description("Everything that can be read. What the caller may not read is absent.");
    model.roots.values().fold(object, |object, root| {
        let field = planned(root.name, root.ty.clone(), root.description.clone());
        object.field(with_arguments(field, &root.arguments))
    })
}

fn object(model: &Model, noun: &Noun) -> Object {
    let mut object = Object::new(noun.name).description(noun.description);
    if noun.prefix.is_some() {
        object = object.implement("Node");
    }
    noun.fields.iter().fold(object, |object, field| object.field(field_of(model, noun, field)))
}

fn field_of(model: &Model, noun: &Noun, field: &Field) -> SchemaField {
    let hidden = field.group.is_some();
    match &field.kind {
        FieldKind::Value(value) => planned(field.name, value_type(value, hidden), field.description),
        FieldKind::One(relation) => {
            let required = !hidden && is_required(model, noun, relation);
            planned(field.name, named(relation.target, !required), field.description)
        }
        FieldKind::Many(relation) => {
            let ty = TypeRef::named_nn(format!("{}Connection", relation.target));
            with_arguments(
                planned(field.name, ty, field.description),
                model.connection_arguments(relation.target),
            )
        }
        FieldKind::List(relation) => {
            planned(field.name, TypeRef::named_nn_list_nn(relation.target), field.description)
        }
        FieldKind::Group { name, null_if, .. } => {
            planned(field.name, named(name, hidden || null_if.is_some()), field.description)
        }
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
fn is_required(model: &Model, _: &Noun, relation: &Relation) -> bool {
    let target = model.noun(relation.target);
    relation.required && target.is_some_and(|target| !target.tombstones)
}

fn groups(noun: &Noun) -> Vec<(&'static str, &'static str, &[Field])> {
    noun.fields
        .iter()
        .filter_map(|field| match &field.kind {
            FieldKind::Group { name, fields, .. } => Some((*name, field.description, fields.as_slice())),
            _ => None,
        })
        .collect()
}

fn connection(noun: &Noun) -> Object {
    let name = noun.name;
    Object::new(format!("{name}Connection"))
        .description(format!("A page of a list of {name}."))
        .field(planned("nodes", TypeRef::named_nn_list_nn(name), "The objects of the page."))
        .field(planned(
            "edges",
            TypeRef::named_nn_list_nn(format!("{name}Edge")),
            "The objects of the page with their cursors.",
        ))
        .field(planned("pageInfo", TypeRef::named_nn("PageInfo"), "Where the page stands in the list."))
        .field(planned(
            "totalCount",
            TypeRef::named_nn(TypeRef::INT),
            "How many the caller may read under this filter; counted only when asked.",
        ))
}

fn edge(noun: &Noun) -> Object {
    let name = noun.name;
    Object::new(format!("{name}Edge"))
        .description(format!("A {name} in a list."))
        .field(planned(
            "cursor",
            TypeRef::named_nn(TypeRef::STRING),
            "Its place in the list, for `after` and `before`.",
        ))
        .field(planned("node", TypeRef::named_nn(name), "The object."))
}

fn page_info() -> Object {
    Object::new("PageInfo")
        .description("Where a page stands in its list.")
        .field(planned("hasNextPage", TypeRef::named_nn(TypeRef::BOOLEAN), "There is more after this page."))
        .field(planned(
            "hasPreviousPage",
            TypeRef::named_nn(TypeRef::BOOLEAN),
            "There is more before this page; paging forward, whether a cursor was given.",
        ))
        .field(planned(
            "startCursor",
            TypeRef::named(TypeRef::STRING),
            "Cursor of the first object; null on an empty page.",
        ))
        .field(planned(
            "endCursor",
            TypeRef::named(TypeRef::STRING),
            "Cursor of the last object; null on an empty page.",
        ))
}

fn node_interface() -> Interface {
    Interface::new("Node").description("An object with an identifier of its own.").field(
        InterfaceField::new("id", TypeRef::named_nn(TypeRef::ID))
            .description("Opaque typed identifier; stable, never given to another object."),
    )
}

fn register_input(builder: SchemaBuilder, input: &Input) -> SchemaBuilder {
    match input {
        Input::Leaf(Leaf::Scalar(scalar)) if !Scalar::CUSTOM.contains(scalar) => builder,
        Input::Leaf(Leaf::Scalar(scalar)) => {
            let declared = SchemaScalar::new(scalar.name()).description(scalar.description());
            builder.register(match scalar.specified_by() {
                Some(url) => declared.specified_by_url(url),
                None => declared,
            })
        }
        Input::Leaf(Leaf::Enum(declared)) => {
            let items = declared
                .values
                .iter()
                .map(|(name, description)| EnumItem::new(*name).description(*description));
            builder.register(Enum::new(declared.name).description(declared.description).items(items))
        }
        Input::Object(declared) => {
            let object = SchemaInput::new(&declared.name).description(&declared.description);
            let object =
                declared.fields.iter().fold(object, |object, field| object.field(input_value(field)));
            builder.register(if declared.one_of { object.oneof() } else { object })
        }
    }
}
