//! Input coercion (GraphQL, sections 3 and 6.4.1): variables and arguments against their declared types, with
//! defaults, and an error that names the place and what is expected there.

use std::cell::Cell;

use async_graphql::dynamic::TypeRef;
use async_graphql::parser::types::{BaseType, OperationType, Type, VariableDefinition};
use async_graphql::{Name, Positioned, Value, Variables};
use async_graphql_value::Value as Written;
use indexmap::IndexMap;

use super::declare::{EnumType, Leaf};
use super::model::{Argument, Input, InputObject, Model};
use crate::error::{ApiError, Code};
use crate::graphql::scalars::Scalar;

/// Arguments by name, coerced; what was not given and has no default is absent.
pub type Arguments = IndexMap<Name, Value>;

/// What becomes of a code, date or other scalar of ours that is not of its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formats {
    /// It is an error here.
    Checked,
    /// It goes through: who writes is told of all of them at once, beside what else is wrong.
    Passed,
}

impl Formats {
    /// For the values of an operation.
    pub fn of(operation: OperationType) -> Self {
        if operation == OperationType::Mutation { Self::Passed } else { Self::Checked }
    }
}

/// Coerces values.
#[derive(Clone, Copy, Debug)]
struct Coercion<'m> {
    model: &'m Model,
    formats: Formats,
    /// Whether one went through that is not of its form.
    passed: &'m Cell<bool>,
}

/// The variables of an operation, coerced to their declared types, and whether one went through that is not of its form.
pub fn variables(
    model: &Model,
    definitions: &[Positioned<VariableDefinition>],
    mut given: Variables,
    formats: Formats,
) -> Result<(Variables, bool), ApiError> {
    let passed = Cell::new(false);
    let coercion = Coercion { model, formats, passed: &passed };
    let mut coerced = Variables::default();
    for definition in definitions {
        let name = &definition.node.name.node;
        let ty = type_ref(&definition.node.var_type.node);
        let wrong = |error: ApiError| {
            let mut error = error.in_field(name).at(definition.pos);
            error.message = format!("variable ${name}: {}", error.message).into();
            error
        };
        match (given.remove(name), &definition.node.default_value) {
            (Some(value), _) => {
                let value = coercion.value(&ty, value).map_err(wrong)?;
                coerced.insert(name.clone(), value);
            }
            (None, Some(default)) => {
                let value = coercion.value(&ty, default.node.clone()).map_err(wrong)?;
                coerced.insert(name.clone(), value);
            }
            (None, None) if matches!(ty, TypeRef::NonNull(_)) => return Err(wrong(missing(&ty))),
            (None, None) => {}
        }
    }
    Ok((coerced, passed.get()))
}

/// A value of an input type by its name, coerced, and whether something in it went through that is not of its form.
pub fn input(
    model: &Model,
    ty: impl Into<String>,
    value: Value,
    formats: Formats,
) -> Result<(Value, bool), ApiError> {
    let passed = Cell::new(false);
    let value = Coercion { model, formats, passed: &passed }.value(&TypeRef::named_nn(ty), value)?;
    Ok((value, passed.get()))
}

/// The arguments of a field, coerced to their declared types.
pub fn arguments(
    model: &Model,
    declared: &[Argument],
    given: &[(Positioned<Name>, Positioned<Written>)],
    variables: &Variables,
) -> Result<Arguments, ApiError> {
    arguments_with(model, declared, given, variables, Formats::Checked).map(|(arguments, _)| arguments)
}

/// The same, for those who look at formats themselves, and whether something went through that is not of its form.
pub fn arguments_with(
    model: &Model,
    declared: &[Argument],
    given: &[(Positioned<Name>, Positioned<Written>)],
    variables: &Variables,
    formats: Formats,
) -> Result<(Arguments, bool), ApiError> {
    let passed = Cell::new(false);
    let coercion = Coercion { model, formats, passed: &passed };
    let mut coerced = Arguments::new();
    for argument in declared {
        let written = given.iter().find(|(name, _)| name.node.as_str() == argument.name);
        let value = written.and_then(|(_, value)| substitute(&value.node, variables));
        let position = written.map(|(_, value)| value.pos);
        let wrong = |error: ApiError| match position {
            Some(position) => error.in_field(&argument.name).at(position),
            None => error.in_field(&argument.name),
        };
        // a variable is coerced already, and of a type that fits here; not its formats, where those are to be checked
        let is_variable = written.is_some_and(|(_, value)| matches!(value.node, Written::Variable(_)));
        let is_given = value.as_ref().is_some_and(|value| *value != Value::Null);
        let coerced_already = formats == Formats::Passed && is_variable && is_given;
        let value = if coerced_already { Ok(value) } else { coercion.argument(argument, value) };
        if let Some(value) = value.map_err(wrong)? {
            coerced.insert(Name::new(&argument.name), value);
        }
    }
    Ok((coerced, passed.get()))
}

/// The object that a variable gives for an argument. It is coerced already, and may be large: it is not copied.
pub fn object_of_variable<'v>(
    given: &[(Positioned<Name>, Positioned<Written>)],
    argument: &str,
    variables: &'v Variables,
) -> Option<&'v Arguments> {
    let (_, written) = given.iter().find(|(name, _)| name.node == argument)?;
    let Written::Variable(name) = &written.node else { return None };
    if let Some(Value::Object(fields)) = variables.get(name) { Some(fields) } else { None }
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

impl Coercion<'_> {
    /// A value for an argument: what is given, else its default, else an error if it must be there.
    fn argument(self, argument: &Argument, given: Option<Value>) -> Result<Option<Value>, ApiError> {
        match given {
            Some(value) => self.value(&argument.ty, value).map(Some),
            None => match &argument.default {
                Some(default) => self.value(&argument.ty, default.clone()).map(Some),
                None if matches!(argument.ty, TypeRef::NonNull(_)) => Err(missing(&argument.ty)),
                None => Ok(None),
            },
        }
    }

    fn value(self, ty: &TypeRef, value: Value) -> Result<Value, ApiError> {
        match (ty, value) {
            (TypeRef::NonNull(_), Value::Null) => Err(missing(ty)),
            (TypeRef::NonNull(inner), value) => self.value(inner, value),
            (_, Value::Null) => Ok(Value::Null),
            (TypeRef::List(inner), Value::List(items)) => {
                let items = items.into_iter().enumerate();
                let item =
                    |(index, item)| self.value(inner, item).map_err(|error: ApiError| error.in_item(index));
                items.map(item).collect::<Result<Vec<Value>, ApiError>>().map(Value::List)
            }
            // one value stands for a list of it
            (TypeRef::List(inner), value) => Ok(Value::List(vec![self.value(inner, value)?])),
            (TypeRef::Named(name), value) => match self.model.inputs.get(name.as_ref()) {
                Some(Input::Leaf(Leaf::Scalar(declared))) => self.scalar(*declared, value),
                Some(Input::Leaf(Leaf::Enum(declared))) => one_of(declared, &value),
                Some(Input::Object(declared)) => self.object(declared, value),
                None => Err(wrong(&value, format!("a value of type {name}"))),
            },
        }
    }

    fn scalar(self, declared: Scalar, value: Value) -> Result<Value, ApiError> {
        if !scalar(declared, &value, self.formats)? {
            self.passed.set(true);
        }
        Ok(value)
    }

    fn object(self, declared: &InputObject, value: Value) -> Result<Value, ApiError> {
        let Value::Object(mut given) = value else {
            return Err(wrong(&value, format!("an object of type {}", declared.name)));
        };
        // in place: a large input is not put together again
        let (mut known, mut defaults) = (0, Vec::new());
        for field in &declared.fields {
            let in_field = |error: ApiError| error.in_field(&field.name);
            if let Some(slot) = given.get_mut(field.name.as_str()) {
                let value = std::mem::take(slot);
                *slot = self.value(&field.ty, value).map_err(in_field)?;
                known += 1;
            } else {
                let default = self.argument(field, None).map_err(in_field)?;
                defaults.extend(default.map(|value| (Name::new(&field.name), value)));
            }
        }
        if known < given.len()
            && let Some(name) =
                given.keys().find(|name| declared.fields.iter().all(|field| *name != field.name.as_str()))
        {
            return Err(unknown(declared, name));
        }
        given.extend(defaults);
        if declared.one_of && (given.len() != 1 || given.values().any(|value| *value == Value::Null)) {
            return Err(not_one(declared));
        }
        Ok(Value::Object(given))
    }
}

/// Whether a value is of the form of a scalar; an error where it must be.
fn scalar(scalar: Scalar, value: &Value, formats: Formats) -> Result<bool, ApiError> {
    let Err(error) = scalar.parse(value) else { return Ok(true) };
    if !Scalar::CUSTOM.contains(&scalar) {
        return Err(wrong(value, error.expected.to_owned()));
    }
    if formats == Formats::Passed {
        return Ok(false);
    }
    let message = match scalar {
        // a person's
        Scalar::Phone => "this is not a Phone".to_owned(),
        _ => format!("{} is not a {}", shown(value), scalar.name()),
    };
    Err(ApiError::new(Code::InvalidFormat, message).expected(error.expected))
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
pub(crate) fn literal(leaf: Leaf, written: &Written, formats: Formats) -> Result<(), ApiError> {
    let Some(value) = written.clone().into_const() else { return Ok(()) };
    match leaf {
        // only in JSON, which has no names, does a text stand for a value of an enum
        Leaf::Enum(declared) if matches!(value, Value::String(_)) => {
            let known = declared.values.iter().map(|(name, _)| *name).collect::<Vec<_>>();
            Err(wrong(&value, format!("one of {}, without quotes", known.join(", "))))
        }
        Leaf::Enum(declared) => one_of(&declared, &value).map(drop),
        Leaf::Scalar(declared) => scalar(declared, &value, formats).map(drop),
    }
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

/// A value that is not of its type. It is not repeated: it may be a person's name in the wrong place.
pub(crate) fn wrong(value: &Value, expected: String) -> ApiError {
    let kind = match value {
        Value::Null => "null",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Boolean(_) => "a Boolean",
        Value::Enum(_) => "a name",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
        Value::Binary(_) => "binary data",
    };
    ApiError::new(Code::BadUserInput, format!("{kind} does not fit")).expected(expected)
}

/// A code as a short text, so that an error does not repeat a large input.
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
