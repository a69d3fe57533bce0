//! The schema as the generator reads it, from its definition language.

use std::collections::BTreeMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, InputValueDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};

/// The types of a schema by name.
#[derive(Debug)]
pub struct Schema {
    types: BTreeMap<String, Kind>,
}

/// What a type is.
#[derive(Debug)]
pub enum Kind {
    /// A scalar.
    Scalar,
    /// An enum with its values.
    Enum(Vec<String>),
    /// An object or an interface with its fields.
    Output {
        /// Its fields.
        fields: Vec<Field>,
        /// Interfaces it implements.
        implements: Vec<String>,
    },
    /// An input object.
    Input {
        /// Its fields.
        fields: Vec<Input>,
        /// Exactly one of them is given.
        one_of: bool,
    },
}

/// A field of an object or interface.
#[derive(Clone, Debug)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Arguments.
    pub arguments: Vec<Input>,
    /// Type.
    pub ty: Type,
}

/// An argument or a field of an input object.
#[derive(Clone, Debug)]
pub struct Input {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: Type,
    /// Has a default.
    pub has_default: bool,
}

impl Input {
    /// Must be given.
    pub fn is_required(&self) -> bool {
        !self.ty.nullable && !self.has_default
    }
}

impl Schema {
    /// Reads a schema; panics on a text that is none, which the product never prints.
    pub fn parse(sdl: &str) -> Self {
        let document = parse_schema(sdl).expect("the schema is well-formed");
        let mut types = BTreeMap::new();
        for name in ["ID", "Int", "Float", "String", "Boolean"] {
            types.insert(name.to_owned(), Kind::Scalar);
        }
        for definition in document.definitions {
            if let TypeSystemDefinition::Type(ty) = definition {
                types.insert(ty.node.name.node.to_string(), kind(ty.node));
            }
        }
        Self { types }
    }

    /// The type of that name.
    pub fn kind(&self, name: &str) -> &Kind {
        self.types.get(name).unwrap_or_else(|| panic!("the schema has no type {name}"))
    }

    /// The fields of an object or interface; none of another type.
    pub fn fields(&self, name: &str) -> &[Field] {
        match self.kind(name) {
            Kind::Output { fields, .. } => fields,
            _ => &[],
        }
    }

    /// The fields of an input object; none of another type.
    pub fn inputs(&self, name: &str) -> &[Input] {
        match self.types.get(name) {
            Some(Kind::Input { fields, .. }) => fields,
            _ => &[],
        }
    }

    /// Whether values of a type have fields.
    pub fn is_composite(&self, name: &str) -> bool {
        matches!(self.kind(name), Kind::Output { .. })
    }

    /// Conditions a fragment within a type can have and still apply: the type, what it implements, what
    /// implements it.
    pub fn related(&self, name: &str) -> Vec<&str> {
        let mut found = Vec::new();
        for (other, kind) in &self.types {
            let Kind::Output { implements, .. } = kind else { continue };
            let own =
                matches!(self.kind(name), Kind::Output { implements, .. } if implements.contains(other));
            if other == name || own || implements.iter().any(|interface| interface == name) {
                found.push(other.as_str());
            }
        }
        found
    }
}

/// The name at the heart of a type.
pub fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}

/// The type of a list's items; `None` if the type is no list.
pub fn item(ty: &Type) -> Option<&Type> {
    match &ty.base {
        BaseType::Named(_) => None,
        BaseType::List(inner) => Some(inner),
    }
}

fn kind(definition: TypeDefinition) -> Kind {
    let one_of = definition.directives.iter().any(|directive| directive.node.name.node == "oneOf");
    let (fields, implements) = match definition.kind {
        TypeKind::Scalar | TypeKind::Union(_) => return Kind::Scalar,
        TypeKind::Enum(declared) => {
            let values = declared.values.into_iter().map(|value| value.node.value.node.to_string());
            return Kind::Enum(values.collect());
        }
        TypeKind::InputObject(declared) => {
            let fields = declared.fields.into_iter().map(|field| input(field.node)).collect();
            return Kind::Input { fields, one_of };
        }
        TypeKind::Object(declared) => (declared.fields, declared.implements),
        TypeKind::Interface(declared) => (declared.fields, declared.implements),
    };
    let field = |field: async_graphql::parser::types::FieldDefinition| Field {
        name: field.name.node.to_string(),
        arguments: field.arguments.into_iter().map(|argument| input(argument.node)).collect(),
        ty: field.ty.node,
    };
    Kind::Output {
        fields: fields.into_iter().map(|declared| field(declared.node)).collect(),
        implements: implements.into_iter().map(|name| name.node.to_string()).collect(),
    }
}

fn input(definition: InputValueDefinition) -> Input {
    let has_default = definition.default_value.is_some();
    Input { name: definition.name.node.to_string(), ty: definition.ty.node, has_default }
}
