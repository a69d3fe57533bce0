//! How a noun is declared: each field once, one line, from which come its schema entry, its place in the plan,
//! its filter, its order and the rights group it falls under.

use sea_orm::{ColumnTrait, EntityTrait};

use crate::db::{KeyType, Kind, Sql};
use crate::graphql::scalars::Scalar;
use crate::policy::{Resource, Viewer};

pub use super::fields::{by, column, computed, group, list, many, one, one_by, related, through};
use super::fields::{id, key_type_of};

/// A GraphQL enum: its name, what it means, and its values with their descriptions.
#[derive(Clone, Copy, Debug)]
pub struct EnumType {
    /// Name in the schema.
    pub name: &'static str,
    /// Description in the schema.
    pub description: &'static str,
    /// Values with their descriptions.
    pub values: &'static [(&'static str, &'static str)],
}

/// The type of a value: a scalar or an enum.
#[derive(Clone, Copy, Debug)]
pub enum Leaf {
    /// A scalar.
    Scalar(Scalar),
    /// An enum.
    Enum(EnumType),
}

impl Leaf {
    /// Name of the type in the schema.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Scalar(scalar) => scalar.name(),
            Self::Enum(declared) => declared.name,
        }
    }
}

impl From<Scalar> for Leaf {
    fn from(scalar: Scalar) -> Self {
        Self::Scalar(scalar)
    }
}

impl From<EnumType> for Leaf {
    fn from(declared: EnumType) -> Self {
        Self::Enum(declared)
    }
}

/// Appends an SQL expression over the row at an alias, for this viewer.
pub type Expression = fn(&mut Sql, &Viewer, &str);

/// Appends a condition between a target row (first alias) and a parent's key (an expression).
pub type Condition = fn(&mut Sql, &str, &str);

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A column of the noun's table.
    Column(&'static str),
    /// An expression over the row.
    Expression(Expression),
}

/// A field with one value, or a short list of values of one type held as JSON.
#[derive(Clone, Debug)]
pub struct ValueField {
    /// Where it comes from.
    pub source: Source,
    /// How it is held.
    pub kind: Kind,
    /// Its GraphQL type (of the elements, for a list).
    pub leaf: Leaf,
    /// A JSON list of values.
    pub list: bool,
    /// May be null for reasons of data (rights add theirs).
    pub nullable: bool,
    /// Can be ordered by, under this column (the folded text, the start of a period) or itself.
    pub sort: Option<&'static str>,
    /// Folded column that serves `contains`.
    pub search: Option<&'static str>,
    /// First and last day of a partial date, by which it is compared.
    pub interval: Option<(&'static str, &'static str)>,
    /// A filter takes it.
    pub filterable: bool,
}

impl ValueField {
    /// Whether it is a column as it stands.
    pub const fn is_column(&self) -> bool {
        matches!(self.source, Source::Column(_))
    }
}

/// How a noun reaches another.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Name of the noun it leads to.
    pub target: &'static str,
    /// Column of the parent whose value is the key.
    pub key: &'static str,
    /// Type of that key.
    pub key_type: KeyType,
    /// What ties the target to the key.
    pub on: On,
    /// The key is never null.
    pub required: bool,
}

/// What ties a target row to a parent's key.
#[derive(Clone, Copy, Debug)]
pub enum On {
    /// `target.column = key`.
    Column(&'static str),
    /// A link table; `unique` says that a pair stands there once at most.
    Link {
        /// The link table.
        table: &'static str,
        /// Its column that holds the parent's key.
        parent: &'static str,
        /// Its column that holds the target's.
        target: &'static str,
        /// The target's column that it refers to.
        to: &'static str,
        /// A further condition on the link row, over the alias `l`.
        only: &'static str,
        /// A pair stands there once at most.
        unique: bool,
    },
    /// A condition of its own.
    Where(Condition),
}

/// What a field is.
#[derive(Clone, Debug)]
pub enum FieldKind {
    /// A value.
    Value(ValueField),
    /// One related noun, joined.
    One(Relation),
    /// Many related nouns, as a connection.
    Many(Relation),
    /// A set bounded by nature, as a plain list in the noun's default order.
    List(Relation),
    /// Values of the same row under a name of their own; null when `null_if` is.
    Group {
        /// Name of the object type.
        name: &'static str,
        /// Column whose null makes the whole null, if it can be.
        null_if: Option<&'static str>,
        /// The values.
        fields: Vec<Field>,
    },
}

/// A field of a noun.
#[derive(Clone, Debug)]
pub struct Field {
    /// Name in the schema.
    pub name: &'static str,
    /// Description in the schema.
    pub description: &'static str,
    /// What it is.
    pub kind: FieldKind,
    /// Rights group; `None` is read by whoever reads the row.
    pub group: Option<&'static str>,
}

/// A condition a filter offers beside those that come from the fields.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Name in the filter input.
    pub name: &'static str,
    /// Description in the schema.
    pub description: &'static str,
    /// Type of the operand.
    pub leaf: Leaf,
    /// `EXISTS (<before> <column> <operator> value)`: text before, with `{t}` for the row, and the column compared.
    /// Without text before, a column of the row itself.
    pub exists: (&'static str, &'static str),
}

/// An entity of the schema: where it is read from and what it shows.
#[derive(Clone, Debug)]
pub struct Noun {
    /// Name of the object type.
    pub name: &'static str,
    /// Description in the schema.
    pub description: &'static str,
    /// Table, or the name of a common table that the root field defines.
    pub table: &'static str,
    /// Key column.
    pub key: &'static str,
    /// Type of the key.
    pub key_type: KeyType,
    /// Rights that rule its rows.
    pub resource: Resource,
    /// Rights group that rules its rows, where they are narrower than the resource's.
    pub group: Option<&'static str>,
    /// Prefix of its typed ids; such a noun is a `Node`.
    pub prefix: Option<&'static str>,
    /// Rows are kept as tombstones after a deletion, and such rows are not read.
    pub tombstones: bool,
    /// A condition on the row at `t` that every row meets which is read; empty for none.
    pub only: &'static str,
    /// Fields.
    pub fields: Vec<Field>,
    /// Filters beside those of the fields.
    pub filters: Vec<Filter>,
    /// Default order: sortable fields, and whether they descend.
    pub order: Vec<(&'static str, bool)>,
    /// Name of the connection at the root, and its description.
    pub plural: Option<(&'static str, &'static str)>,
    /// Name of the look-up at the root, and the fields that find one row.
    pub lookup: Option<(&'static str, &'static [&'static str])>,
}

impl Noun {
    /// A noun read from the table of an entity, keyed by `id`.
    pub fn new<E: EntityTrait>(
        name: &'static str,
        _: E,
        resource: Resource,
        description: &'static str,
    ) -> Self {
        Self::of_table(name, E::default().table_name(), resource, description)
    }

    /// A noun read from a table of that name.
    pub fn of_table(
        name: &'static str,
        table: &'static str,
        resource: Resource,
        description: &'static str,
    ) -> Self {
        Self {
            name,
            description,
            table,
            key: "id",
            key_type: KeyType::Uuid,
            resource,
            group: None,
            prefix: None,
            tombstones: false,
            only: "",
            fields: Vec::new(),
            filters: Vec::new(),
            order: Vec::new(),
            plural: None,
            lookup: None,
        }
    }

    /// A noun keyed by its official code, or by a number in a sequence.
    #[must_use]
    pub fn keyed_by(mut self, column: impl ColumnTrait) -> Self {
        self.key = column.as_str();
        self.key_type = key_type_of(column);
        self
    }

    /// Reads those rows alone that meet a condition on the row at `t`.
    #[must_use]
    pub const fn only_rows(mut self, condition: &'static str) -> Self {
        self.only = condition;
        self
    }

    /// Gives it typed ids: it becomes a `Node`, has a version and dates, and leaves tombstones.
    #[must_use]
    pub fn node(mut self, prefix: &'static str) -> Self {
        self.prefix = Some(prefix);
        self.tombstones = true;
        self.fields.push(id());
        self
    }

    /// Says that its rows are ended, never deleted.
    #[must_use]
    pub fn without_tombstones(mut self) -> Self {
        self.tombstones = false;
        self
    }

    /// Narrows its rows to a rights group of the resource.
    #[must_use]
    pub fn group(mut self, group: &'static str) -> Self {
        self.group = Some(group);
        self
    }

    /// Declares its fields.
    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Declares filters beside those of the fields.
    #[must_use]
    pub fn filters(mut self, filters: impl IntoIterator<Item = Filter>) -> Self {
        self.filters.extend(filters);
        self
    }

    /// Default order by these fields, ascending.
    #[must_use]
    pub fn ordered_by(mut self, fields: &[&'static str]) -> Self {
        self.order = fields.iter().map(|field| (*field, false)).collect();
        self
    }

    /// Default order, descending.
    #[must_use]
    pub fn ordered_by_descending(mut self, field: &'static str) -> Self {
        self.order = vec![(field, true)];
        self
    }

    /// Puts a connection at the root.
    #[must_use]
    pub fn root(mut self, name: &'static str, description: &'static str) -> Self {
        self.plural = Some((name, description));
        self
    }

    /// Puts a look-up by one of these fields at the root.
    #[must_use]
    pub fn lookup(mut self, name: &'static str, by: &'static [&'static str]) -> Self {
        self.lookup = Some((name, by));
        self
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether every row has a value in a column.
    pub fn always_has(&self, column: &str) -> bool {
        let is_it = |field: &Field| match &field.kind {
            FieldKind::Value(value) => {
                !value.nullable && matches!(value.source, Source::Column(own) if own == column)
            }
            _ => false,
        };
        column == self.key || self.fields.iter().any(is_it)
    }
}
