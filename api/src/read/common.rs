//! Fields that every row of the domain has.

use super::declare::{Expression, Field, computed};
use crate::db::Kind;
use crate::graphql::scalars::Scalar;

/// `version`, `createdAt`, `updatedAt` and `source` of an entity.
macro_rules! row_fields {
    ($entity:path) => {{
        use $crate::graphql::scalars::Scalar;
        use $crate::read::declare::{column, group};
        use $entity as row;
        [
            column(
                "version",
                row::Column::Version,
                Scalar::Int,
                "Counts the writes; `expectedVersion` of an update.",
            )
            .unfiltered(),
            column("createdAt", row::Column::CreatedAt, Scalar::DateTime, "When it was created.").sorted(),
            column("updatedAt", row::Column::UpdatedAt, Scalar::DateTime, "When it was last written.")
                .sorted(),
            group(
                "source",
                "Source",
                Some("source_system"),
                vec![
                    column("system", row::Column::SourceSystem, Scalar::String, "System it comes from."),
                    column(
                        "externalId",
                        row::Column::SourceExternalId,
                        Scalar::String,
                        "Its identifier there.",
                    ),
                ],
                "Where it comes from (« système source »); null when written by hand.",
            ),
        ]
    }};
}

/// A GraphQL enum from an enum of the entities, under the same name.
macro_rules! enumeration {
    ($name:ident) => {
        $crate::read::declare::EnumType {
            name: stringify!($name),
            description: entity::enums::$name::DESCRIPTION,
            values: entity::enums::$name::ALL,
        }
    };
}

/// Whether the caller may do something to the row, and the row's own state lets it be done.
pub(crate) fn viewer_can(name: &'static str, expression: Expression, description: &'static str) -> Field {
    computed(name, Kind::Bool, Scalar::Boolean, expression, description)
}

pub(crate) use {enumeration, row_fields};
