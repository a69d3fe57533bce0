//! The GraphQL schema made from the model. The library holds it, prints it, validates against it and answers
//! introspection; it never resolves a field, since every operation is planned.

use async_graphql::Value;
use async_graphql::dynamic::{
    Enum, EnumItem, Field, FieldFuture, InputObject as SchemaInput, InputValue, Interface, InterfaceField,
    Object, Scalar as SchemaScalar, Schema, SchemaBuilder, SchemaError, Subscription, SubscriptionField,
    SubscriptionFieldFuture,
};
use futures_util::stream;

use super::outputs::{self, OutputField, OutputType, SUBSCRIPTION};
use crate::graphql::scalars::Scalar;
use crate::read::declare::Leaf;
use crate::read::model::{Argument, Input, Model};

/// The schema of a model.
pub fn build(
    model: &Model,
    extend: impl FnOnce(SchemaBuilder) -> SchemaBuilder,
) -> Result<Schema, SchemaError> {
    let mut builder = extend(Schema::build("Query", Some("Mutation"), Some(SUBSCRIPTION)))
        .register(interface(&outputs::node()));
    for input in model.inputs.values() {
        builder = register_input(builder, input);
    }
    for output in outputs::objects(model) {
        builder = if output.name == SUBSCRIPTION {
            builder.register(subscription(&output))
        } else {
            builder.register(object(&output))
        };
    }
    builder.finish()
}

fn object(declared: &OutputType) -> Object {
    let object = Object::new(declared.name.as_str()).description(declared.description.as_str());
    let object = if declared.is_node { object.implement("Node") } else { object };
    declared.fields.iter().fold(object, |object, field| object.field(planned(field)))
}

/// The library keeps subscriptions apart from other objects.
fn subscription(declared: &OutputType) -> Subscription {
    let subscription = Subscription::new(declared.name.as_str()).description(declared.description.as_str());
    declared.fields.iter().fold(subscription, |subscription, field| {
        let followed = SubscriptionField::new(field.name.as_str(), field.ty.clone(), |_| {
            SubscriptionFieldFuture::new(async { Ok(stream::empty::<async_graphql::Result<Value>>()) })
        });
        let followed = followed.description(field.description.as_str());
        let arguments = field.arguments.iter();
        subscription.field(arguments.fold(followed, |field, argument| field.argument(input_value(argument))))
    })
}

/// A field whose value the planner writes; the library is never asked for it.
fn planned(declared: &OutputField) -> Field {
    let field = Field::new(declared.name.as_str(), declared.ty.clone(), |_| FieldFuture::from_value(None));
    let field = field.description(declared.description.as_str());
    declared.arguments.iter().fold(field, |field, argument| field.argument(input_value(argument)))
}

fn interface(declared: &OutputType) -> Interface {
    let interface = Interface::new(declared.name.as_str()).description(declared.description.as_str());
    declared.fields.iter().fold(interface, |interface, field| {
        let named = InterfaceField::new(field.name.as_str(), field.ty.clone());
        interface.field(named.description(field.description.as_str()))
    })
}

fn input_value(argument: &Argument) -> InputValue {
    let value = InputValue::new(&argument.name, argument.ty.clone()).description(&argument.description);
    match &argument.default {
        Some(default) => value.default_value(default.clone()),
        None => value,
    }
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
