//! `exportReferent`: everything that is held of a person, for the day he asks for it.

use async_graphql::Value;
use async_graphql::dynamic::TypeRef;
use entity::{journal, referent};

use crate::error::ApiError;
use crate::graphql::scalars::Scalar;
use crate::policy::Resource;
use crate::read::coerce::Arguments;
use crate::read::declare::{Noun, column, list, one, related};
use crate::read::model::{Argument, Extras, RootField};
use crate::read::plan::{Planner, RootPlan};
use crate::read::select::Selected;
use crate::read::shape::Out;

/// The export and the entries of the journal in it.
pub fn nouns() -> [Noun; 2] {
    let mut export = Noun::new(
        "ReferentExport",
        referent::Entity,
        Resource::Referent,
        "Everything that is held of a person (« droit d'accès », RGPD).",
    )
    .fields([
        one(
            "referent",
            "Referent",
            referent::Column::Id,
            "The person's data, with its site and its partner.",
        ),
        list(
            "events",
            related("ReferentEvent", |sql, target, key| {
                sql.push(target)
                    .push(".entity = 'Referent' AND ")
                    .push(target)
                    .push(".entity_id = ")
                    .push(key);
            }),
            "What was done to them, the earliest first.",
        ),
    ]);
    export.tombstones = true;
    [export, event()]
}

/// An entry of the journal, which carries the referent's site and so falls under the rights of referents.
fn event() -> Noun {
    use journal::Column;
    Noun::new(
        "ReferentEvent",
        journal::Entity,
        Resource::Referent,
        "One write (« modification ») of a person's data: names of fields, never their values.",
    )
    .keyed_by(Column::Seq)
    .fields([
        column("at", Column::At, Scalar::DateTime, "When.").sorted(),
        column("verb", Column::Verb, Scalar::String, "What was done: create, update, erase …"),
        column(
            "version",
            Column::Version,
            Scalar::Int,
            "Version of the referent after it; 0 if it was refused.",
        ),
        column("changedFields", Column::ChangedFields, Scalar::String, "Names of the fields that changed."),
        column("outcome", Column::Outcome, Scalar::String, "OK, or the code for which it was refused."),
    ])
    .ordered_by(&["at"])
}

/// The root field.
pub fn extras() -> Extras {
    let root = RootField {
        name: "exportReferent",
        description: "Everything that is held of a person; null for those who may not know him.".to_owned(),
        arguments: vec![Argument::new("id", TypeRef::named_nn("ID"), "The referent.")],
        ty: TypeRef::named("ReferentExport"),
        plan: RootPlan::Custom(plan),
    };
    Extras { roots: vec![root], ..Extras::default() }
}

fn plan<'p>(
    planner: &mut Planner<'p>,
    selected: &Selected<'p>,
    arguments: &Arguments,
) -> Result<Out, ApiError> {
    let (noun, key) = planner.typed(arguments.get("id").unwrap_or(&Value::Null))?;
    if noun.name != "Referent" {
        return Ok(Out::null());
    }
    let export = planner.noun("ReferentExport")?;
    planner.by_id(export, key, &selected.sets)
}
