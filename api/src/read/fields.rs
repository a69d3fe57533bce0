//! Constructors of fields: a line each in a noun's declaration.

use sea_orm::sea_query::ColumnType;
use sea_orm::{ColumnTrait, EntityName};

use super::declare::{Condition, Expression, Field, FieldKind, Leaf, On, Relation, Source, ValueField};
use crate::db::{KeyType, Kind};
use crate::graphql::scalars::Scalar;

impl Field {
    fn new(name: &'static str, description: &'static str, kind: FieldKind) -> Self {
        Self { name, description, kind, group: None }
    }

    /// Puts the field under a rights group of its resource; whom the group refuses gets null.
    #[must_use]
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
    #[must_use]
    pub fn sorted(self) -> Self {
        self.value(|value| {
            if let Source::Column(column) = value.source {
                value.sort = Some(value.search.or(value.interval.map(|(from, _)| from)).unwrap_or(column));
            }
        })
    }

    /// Lets no list be ordered by it, where an index for that would cost more than it is worth.
    #[must_use]
    pub fn unsorted(self) -> Self {
        self.value(|value| value.sort = None)
    }

    /// Searches and sorts it by a folded column.
    #[must_use]
    pub fn searched(self, column: impl ColumnTrait) -> Self {
        self.value(|value| {
            value.search = Some(column.as_str());
            value.sort = value.search;
        })
    }

    /// Compares a partial date by its first and last day.
    #[must_use]
    pub fn compared(self, from: impl ColumnTrait, to: impl ColumnTrait) -> Self {
        self.value(|value| value.interval = Some((from.as_str(), to.as_str())))
    }

    /// Keeps it out of the filters (too large, or without an index that would serve).
    #[must_use]
    pub fn unfiltered(self) -> Self {
        self.value(|value| value.filterable = false)
    }

    /// Lets filters take it, though it is computed.
    #[must_use]
    pub fn filtered(self) -> Self {
        self.value(|value| value.filterable = true)
    }

    /// Says that data or rights may leave it null.
    #[must_use]
    pub fn nullable(self) -> Self {
        self.value(|value| value.nullable = true)
    }

    /// Says that the text held is JSON to hand out as it is.
    #[must_use]
    pub fn raw_json(self) -> Self {
        self.value(|value| {
            value.kind = Kind::Json;
            value.list = false;
        })
    }

    /// Changes a value's expression (a mask, say), its column staying what names its type.
    #[must_use]
    pub fn computed(self, expression: Expression) -> Self {
        self.value(|value| value.source = Source::Expression(expression))
    }
}

/// The typed id of a row.
pub(super) fn id() -> Field {
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
    Field::new(
        "id",
        "Opaque typed identifier; stable, never given to another object.",
        FieldKind::Value(value),
    )
}

/// A column with the GraphQL type given; nullability and storage come from the entity.
pub fn column(
    name: &'static str,
    column: impl ColumnTrait,
    leaf: impl Into<Leaf>,
    description: &'static str,
) -> Field {
    let definition = column.def();
    let kind = Kind::of(definition.get_column_type());
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
pub fn one(
    name: &'static str,
    target: &'static str,
    column: impl ColumnTrait,
    description: &'static str,
) -> Field {
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
    #[must_use]
    pub fn from_key(mut self, column: impl ColumnTrait) -> Self {
        self.key = column.as_str();
        self.key_type = key_type_of(column);
        self.required = !column.def().is_null();
        self
    }

    /// Refers to the target by another column than its usual key.
    #[must_use]
    pub fn refers_to(mut self, column: impl ColumnTrait) -> Self {
        match &mut self.on {
            On::Link { to, .. } => *to = column.as_str(),
            On::Column(target) => *target = column.as_str(),
            On::Where(_) => {}
        }
        self
    }

    /// Follows only link rows that meet a condition over the alias `l`.
    #[must_use]
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

pub(super) fn key_type_of(column: impl ColumnTrait) -> KeyType {
    match column.def().get_column_type() {
        ColumnType::Uuid => KeyType::Uuid,
        ColumnType::BigInteger => KeyType::Number,
        _ => KeyType::Text,
    }
}
