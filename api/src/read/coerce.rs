//! Input coercion (GraphQL, sections 3 and 6.4.1): variables and arguments against their declared types, with
//! defaults, and an error that names the place and what is expected there.

use async_graphql::dynamic::TypeRef;
use async_graphql::parser::types::{BaseType, Type, VariableDefinition};
use async_graphql::{Name, Positioned, Value, Variables};
use async_graphql_value::Value as Written;
use indexmap::IndexMap;

use super::declare::{EnumType, Leaf};
use super::model::{Argument, Input, InputObject, Model};
use crate::error::{ApiError, Code};
use crate::graphql::scalars::Scalar;

/// Arguments by name, coerced; what was not given and has no default is absent.
pub type Arguments = IndexMap<String, Value>;

/// The variables of an operation, coerced to their declared types.
pub fn variables(
    model: &Model,
    definitions: &[Positioned<VariableDefinition>],
    given: &Variables,
) -> Result<Variables, ApiError> {
    let mut coerced = Variables::default();
    for definition in definitions {
        let name = &definition.node.name.node;
        let ty = type_ref(&definition.node.var_type.node);
        let wrong = |error: ApiError| {
            let mut error = error.in_field(name).at(definition.pos);
            error.message = format!("variable ${name}: {}", error.message).into();
            error
        };
        match (given.get(name), &definition.node.default_value) {
            (Some(value), _) => {
                let value = coerce(model, &ty, value.clone()).map_err(wrong)?;
                coerced.insert(name.clone(), value);
            }
            (None, Some(default)) => {
                let value = coerce(model, &ty, default.node.clone()).map_err(wrong)?;
                coerced.insert(name.clone(), value);
            }
            (None, None) if matches!(ty, TypeRef::NonNull(_)) => return Err(wrong(missing(&ty))),
            (None, None) => {}
        }
    }
    Ok(coerced)
}

/// A value of an input type by its name, coerced.
pub fn input(model: &Model, ty: &'static str, value: Value) -> Result<Value, ApiError> {
    coerce(model, &TypeRef::named_nn(ty), value)
}

/// The arguments of a field, coerced to their declared types.
pub fn arguments(
    model: &Model,
    declared: &[Argument],
    given: &[(Positioned<Name>, Positioned<Written>)],
    variables: &Variables,
) -> Result<Arguments, ApiError> {
    let mut coerced = Arguments::new();
    for argument in declared {
        let written = given.iter().find(|(name, _)| name.node.as_str() == argument.name);
        let value = written.and_then(|(_, value)| substitute(&value.node, variables));
        let position = written.map(|(_, value)| value.pos);
        let wrong = |error: ApiError| match position {
            Some(position) => error.in_field(&argument.name).at(position),
            None => error.in_field(&argument.name),
        };
        if let Some(value) = take(model, argument, value).map_err(wrong)? {
            coerced.insert(argument.name.clone(), value);
        }
    }
    Ok(coerced)
}

/// A value for an argument: what is given, else its default, else an error if it must be there.
fn take(model: &Model, argument: &Argument, given: Option<Value>) -> Result<Option<Value>, ApiError> {
    match given {
        Some(value) => coerce(model, &argument.ty, value).map(Some),
        None => match &argument.default {
            Some(default) => coerce(model, &argument.ty, default.clone()).map(Some),
            None if matches!(argument.ty, TypeRef::NonNull(_)) => Err(missing(&argument.ty)),
            None => Ok(None),
        },
    }
}

/// A written value with its variables filled in; `None` stands for an absent variable.
fn substitute(written: &Written, variables: &Variables) -> Option<Value> {
    Some(match written {
        Written::Variable(name) => variables.get(name)?.clone(),
        Written::Null => Value::Null,
        Written::Number(number) => Value::Number(number.clone()),
        Written::String(text) => Value::String(text.clone()),
        Written::Boolean(value) => Value::Boolean(*value),
        Written::Binary(bytes) => Value::Binary(bytes.clone()),
        Written::Enum(name) => Value::Enum(name.clone()),
        Written::List(items) => {
            Value::List(items.iter().map(|item| substitute(item, variables).unwrap_or(Value::Null)).collect())
        }
        Written::Object(fields) => Value::Object(
            fields
                .iter()
                .filter_map(|(name, value)| substitute(value, variables).map(|value| (name.clone(), value)))
                .collect(),
        ),
    })
}

fn coerce(model: &Model, ty: &TypeRef, value: Value) -> Result<Value, ApiError> {
    match (ty, value) {
        (TypeRef::NonNull(_), Value::Null) => Err(missing(ty)),
        (TypeRef::NonNull(inner), value) => coerce(model, inner, value),
        (_, Value::Null) => Ok(Value::Null),
        (TypeRef::List(inner), Value::List(items)) => {
            let items: Result<Vec<Value>, ApiError> = items
                .into_iter()
                .enumerate()
                .map(|(index, item)| coerce(model, inner, item).map_err(|error| error.in_item(index)))
                .collect();
            items.map(Value::List)
        }
        // one value stands for a list of it
        (TypeRef::List(inner), value) => Ok(Value::List(vec![coerce(model, inner, value)?])),
        (TypeRef::Named(name), value) => match model.inputs.get(name.as_ref()) {
            Some(Input::Leaf(Leaf::Scalar(scalar))) => self::scalar(*scalar, value),
            Some(Input::Leaf(Leaf::Enum(declared))) => one_of(declared, &value),
            Some(Input::Object(declared)) => object(model, declared, value),
            None => Err(wrong(&value, format!("a value of type {name}"))),
        },
    }
}

fn scalar(scalar: Scalar, value: Value) -> Result<Value, ApiError> {
    match scalar.parse(&value) {
        Ok(_) => Ok(value),
        Err(error) => {
            let built_in = !Scalar::CUSTOM.contains(&scalar);
            let code = if built_in { Code::BadUserInput } else { Code::InvalidFormat };
            let shown = shown(&value);
            Err(ApiError::new(code, format!("{shown} is not a {}", scalar.name())).expected(error.expected))
        }
    }
}

fn one_of(declared: &EnumType, value: &Value) -> Result<Value, ApiError> {
    if let Value::Enum(name) = value
        && declared.values.iter().any(|(known, _)| known == name)
    {
        return Ok(value.clone());
    }
    if let Value::String(text) = value
        && let Some((known, _)) = declared.values.iter().find(|(known, _)| known == text)
    {
        return Ok(Value::Enum(Name::new(known)));
    }
    let names: Vec<&str> = declared.values.iter().map(|(name, _)| *name).collect();
    Err(wrong(value, format!("one of {}", names.join(", "))))
}

/// Whether a literal is of a scalar or an enum; variables within are looked at when they have values.
pub(crate) fn literal(leaf: Leaf, written: &Written) -> Result<(), ApiError> {
    let Some(value) = written.clone().into_const() else { return Ok(()) };
    match leaf {
        // only in JSON, which has no names, does a text stand for a value of an enum
        Leaf::Enum(declared) if matches!(value, Value::String(_)) => {
            let known = declared.values.iter().map(|(name, _)| *name).collect::<Vec<_>>();
            Err(wrong(&value, format!("one of {}, without quotes", known.join(", "))))
        }
        Leaf::Enum(declared) => one_of(&declared, &value).map(drop),
        Leaf::Scalar(declared) => scalar(declared, value).map(drop),
    }
}

fn object(model: &Model, declared: &InputObject, value: Value) -> Result<Value, ApiError> {
    let Value::Object(mut given) = value else {
        return Err(wrong(&value, format!("an object of type {}", declared.name)));
    };
    let mut coerced = IndexMap::new();
    for field in &declared.fields {
        let value = given.swap_remove(field.name.as_str());
        if let Some(value) = take(model, field, value).map_err(|error| error.in_field(&field.name))? {
            coerced.insert(Name::new(&field.name), value);
        }
    }
    if let Some(name) = given.keys().next() {
        return Err(unknown(declared, name));
    }
    if declared.one_of && (coerced.len() != 1 || coerced.values().any(|value| *value == Value::Null)) {
        return Err(not_one(declared));
    }
    Ok(Value::Object(coerced))
}

/// A key that an input object does not have.
pub(crate) fn unknown(declared: &InputObject, name: &str) -> ApiError {
    let names: Vec<&str> = declared.fields.iter().map(|field| field.name.as_str()).collect();
    let message = format!("{} has no field {name:?}", declared.name);
    ApiError::new(Code::BadUserInput, message).expected(names.join(", ")).in_field(name)
}

/// Not exactly one key where one is to be chosen.
pub(crate) fn not_one(declared: &InputObject) -> ApiError {
    let names: Vec<&str> = declared.fields.iter().map(|field| field.name.as_str()).collect();
    let message = format!("{} takes exactly one key", declared.name);
    ApiError::new(Code::BadUserInput, message).expected(format!("one of {}", names.join(", ")))
}

/// Null, or nothing, where a value must be.
pub(crate) fn missing(ty: &TypeRef) -> ApiError {
    ApiError::new(Code::BadUserInput, "a value is required").expected(format!("a value of type {ty}"))
}

/// A value that is not of its type.
pub(crate) fn wrong(value: &Value, expected: String) -> ApiError {
    ApiError::new(Code::BadUserInput, format!("{} does not fit", shown(value))).expected(expected)
}

/// The value as a short text, so that an error does not repeat a large input.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A type as the schema has it, from a type as a document writes it.
pub(crate) fn type_ref(ty: &Type) -> TypeRef {
    let base = match &ty.base {
        BaseType::Named(name) => TypeRef::Named(name.to_string().into()),
        BaseType::List(inner) => TypeRef::List(Box::new(type_ref(inner))),
    };
    if ty.nullable { base } else { TypeRef::NonNull(Box::new(base)) }
}
