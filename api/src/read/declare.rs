//! How a noun is declared: each field once, one line, from which come its schema entry, its place in the plan,
//! its filter, its order and the rights group it falls under.

use sea_orm::sea_query::ColumnType;
use sea_orm::{ColumnTrait, EntityName, EntityTrait};

use crate::db::{KeyType, Kind, Sql};
use crate::graphql::scalars::Scalar;
use crate::policy::{Resource, Viewer};

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
    pub fn new<E: EntityTrait>(name: &'static str, _: E, resource: Resource, description: &'static str) -> Self {
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
            fields: Vec::new(),
            filters: Vec::new(),
            order: Vec::new(),
            plural: None,
            lookup: None,
        }
    }

    /// A noun keyed by its official code.
    pub fn keyed_by(mut self, column: impl ColumnTrait) -> Self {
        self.key = column.as_str();
        self.key_type = KeyType::Text;
        self
    }

    /// Gives it typed ids: it becomes a `Node`, has a version and dates, and leaves tombstones.
    pub fn node(mut self, prefix: &'static str) -> Self {
        self.prefix = Some(prefix);
        self.tombstones = true;
        self.fields.push(id());
        self
    }

    /// Narrows its rows to a rights group of the resource.
    pub fn group(mut self, group: &'static str) -> Self {
        self.group = Some(group);
        self
    }

    /// Declares its fields.
    pub fn fields(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Declares filters beside those of the fields.
    pub fn filters(mut self, filters: impl IntoIterator<Item = Filter>) -> Self {
        self.filters.extend(filters);
        self
    }

    /// Default order by these fields, ascending.
    pub fn ordered_by(mut self, fields: &[&'static str]) -> Self {
        self.order = fields.iter().map(|field| (*field, false)).collect();
        self
    }

    /// Default order, descending.
    pub fn ordered_by_descending(mut self, field: &'static str) -> Self {
        self.order = vec![(field, true)];
        self
    }

    /// Puts a connection at the root.
    pub fn root(mut self, name: &'static str, description: &'static str) -> Self {
        self.plural = Some((name, description));
        self
    }

    /// Puts a look-up by one of these fields at the root.
    pub fn lookup(mut self, name: &'static str, by: &'static [&'static str]) -> Self {
        self.lookup = Some((name, by));
        self
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    fn new(name: &'static str, description: &'static str, kind: FieldKind) -> Self {
        Self { name, description, kind, group: None }
    }

    /// Puts the field under a rights group of its resource; whom the group refuses gets null.
    pub fn in_group(mut self, group: &'static str) -> Self {
        self.group = Some(group);
        self
    }

    fn value(mut self, change: impl FnOnce(&mut ValueField)) -> Self {
        if let FieldKind::Value(value) = &mut self.kind {
            change(value);
        }
        self
    }

    /// Lets lists be ordered by it.
    pub fn sorted(self) -> Self {
        self.value(|value| {
            if let Source::Column(column) = value.source {
                value.sort = Some(value.search.or(value.interval.map(|(from, _)| from)).unwrap_or(column));
            }
        })
    }

    /// Searches and sorts it by a folded column.
    pub fn searched(self, column: impl ColumnTrait) -> Self {
        self.value(|value| {
            value.search = Some(column.as_str());
            value.sort = value.search;
        })
    }

    /// Compares a partial date by its first and last day.
    pub fn compared(self, from: impl ColumnTrait, to: impl ColumnTrait) -> Self {
        self.value(|value| value.interval = Some((from.as_str(), to.as_str())))
    }

    /// Keeps it out of the filters (too large, or without an index that would serve).
    pub fn unfiltered(self) -> Self {
        self.value(|value| value.filterable = false)
    }

    /// Says that data or rights may leave it null.
    pub fn nullable(self) -> Self {
        self.value(|value| value.nullable = true)
    }

    /// Says that the text held is JSON to hand out as it is.
    pub fn raw_json(self) -> Self {
        self.value(|value| {
            value.kind = Kind::Json;
            value.list = false;
        })
    }

    /// Changes a value's expression (a mask, say), its column staying what names its type.
    pub fn computed(self, expression: Expression) -> Self {
        self.value(|value| value.source = Source::Expression(expression))
    }
}

/// The typed id of a row.
fn id() -> Field {
    let value = ValueField {
        source: Source::Column("id"),
        kind: Kind::Uuid,
        leaf: Leaf::Scalar(Scalar::Id),
        list: false,
        nullable: false,
        sort: None,
        search: None,
        interval: None,
        filterable: true,
    };
    Field::new("id", "Opaque typed identifier; stable, never given to another object.", FieldKind::Value(value))
}

/// A column with the GraphQL type given; nullability and storage come from the entity.
pub fn column(
    name: &'static str,
    column: impl ColumnTrait,
    leaf: impl Into<Leaf>,
    description: &'static str,
) -> Field {
    let definition = column.def();
    let kind = kind_of(definition.get_column_type());
    let leaf = leaf.into();
    let value = ValueField {
        source: Source::Column(column.as_str()),
        kind,
        leaf,
        list: kind == Kind::Json && !matches!(leaf, Leaf::Scalar(Scalar::GeoJson)),
        nullable: definition.is_null(),
        sort: None,
        search: None,
        interval: None,
        filterable: true,
    };
    Field::new(name, description, FieldKind::Value(value))
}

/// A value computed from the row; it is neither filtered nor sorted by.
pub fn computed(
    name: &'static str,
    kind: Kind,
    leaf: impl Into<Leaf>,
    expression: Expression,
    description: &'static str,
) -> Field {
    let value = ValueField {
        source: Source::Expression(expression),
        kind,
        leaf: leaf.into(),
        list: kind == Kind::Json,
        nullable: false,
        sort: None,
        search: None,
        interval: None,
        filterable: false,
    };
    Field::new(name, description, FieldKind::Value(value))
}

/// One related noun, by the column that holds its key.
pub fn one(name: &'static str, target: &'static str, column: impl ColumnTrait, description: &'static str) -> Field {
    let key_type = key_type_of(column);
    let on = On::Column(if key_type == KeyType::Uuid { "id" } else { "code" });
    let relation = Relation { target, key: column.as_str(), key_type, on, required: !column.def().is_null() };
    Field::new(name, description, FieldKind::One(relation))
}

/// A relation from the parent's `id`, by the column of the target that holds it.
pub fn by(target: &'static str, column: impl ColumnTrait) -> Relation {
    Relation { target, key: "id", key_type: KeyType::Uuid, on: On::Column(column.as_str()), required: true }
}

/// A relation from the parent's `id` over a link table.
pub fn through<C: ColumnTrait>(target: &'static str, parent: C, to: C, unique: bool) -> Relation {
    let referred = if key_type_of(to) == KeyType::Uuid { "id" } else { "code" };
    let on = On::Link {
        table: C::EntityName::default().table_name(),
        parent: parent.as_str(),
        target: to.as_str(),
        to: referred,
        only: "",
        unique,
    };
    Relation { target, key: "id", key_type: KeyType::Uuid, on, required: true }
}

impl Relation {
    /// Starts from another key of the parent than its `id`.
    pub fn from_key(mut self, column: impl ColumnTrait) -> Self {
        self.key = column.as_str();
        self.key_type = key_type_of(column);
        self.required = !column.def().is_null();
        self
    }

    /// Refers to the target by another column than its usual key.
    pub fn refers_to(mut self, column: impl ColumnTrait) -> Self {
        match &mut self.on {
            On::Link { to, .. } => *to = column.as_str(),
            On::Column(target) => *target = column.as_str(),
            On::Where(_) => {}
        }
        self
    }

    /// Follows only link rows that meet a condition over the alias `l`.
    pub fn only(mut self, condition: &'static str) -> Self {
        if let On::Link { only, .. } = &mut self.on {
            *only = condition;
        }
        self
    }
}

/// A relation from the parent's `id` by a condition of its own.
pub fn related(target: &'static str, condition: Condition) -> Relation {
    Relation { target, key: "id", key_type: KeyType::Uuid, on: On::Where(condition), required: false }
}

/// One related noun by a relation that is not the target's usual key.
pub fn one_by(name: &'static str, relation: Relation, description: &'static str) -> Field {
    Field::new(name, description, FieldKind::One(relation))
}

/// Many related nouns, as a connection.
pub fn many(name: &'static str, relation: Relation, description: &'static str) -> Field {
    Field::new(name, description, FieldKind::Many(relation))
}

/// Related nouns of a set bounded by nature, as a plain list.
pub fn list(name: &'static str, relation: Relation, description: &'static str) -> Field {
    Field::new(name, description, FieldKind::List(relation))
}

/// Values of the row under an object of their own.
pub fn group(
    name: &'static str,
    type_name: &'static str,
    null_if: Option<&'static str>,
    fields: Vec<Field>,
    description: &'static str,
) -> Field {
    Field::new(name, description, FieldKind::Group { name: type_name, null_if, fields })
}

fn key_type_of(column: impl ColumnTrait) -> KeyType {
    if matches!(column.def().get_column_type(), ColumnType::Uuid) { KeyType::Uuid } else { KeyType::Text }
}

fn kind_of(column: &ColumnType) -> Kind {
    match column {
        ColumnType::Uuid => Kind::Uuid,
        ColumnType::TinyInteger | ColumnType::SmallInteger | ColumnType::Integer => Kind::Int,
        ColumnType::BigInteger => Kind::BigInt,
        ColumnType::Float | ColumnType::Double => Kind::Float,
        ColumnType::Boolean => Kind::Bool,
        ColumnType::Decimal(_) => Kind::Decimal,
        ColumnType::Date => Kind::Date,
        ColumnType::Timestamp | ColumnType::TimestampWithTimeZone | ColumnType::DateTime => Kind::Instant,
        ColumnType::Json | ColumnType::JsonBinary => Kind::Json,
        _ => Kind::Text,
    }
}
