//! `viewer`: who the caller is to this API, and what his token gives him.

use async_graphql::dynamic::TypeRef;
use chrono::SecondsFormat;
use serde_json::Value;

use crate::auth::{Role, Scope};
use crate::error::ApiError;
use crate::graphql::scalars::Scalar;
use crate::policy::Resource;
use crate::read::coerce::{self, Arguments};
use crate::read::declare::EnumType;
use crate::read::model::{Extras, PlainObject, RootField};
use crate::read::plan::{Planner, RootPlan};
use crate::read::select::Selected;
use crate::read::shape::{Out, Shape, json_key, json_string};

const ROLE: EnumType = EnumType {
    name: "Role",
    description: "Role of a caller (« rôle »).",
    values: &[
        ("anct", "The national team (« ANCT »)."),
        ("prefecture", "A préfecture or another State service."),
        ("collectivite", "A commune, EPCI or métropole (« collectivité »)."),
        ("partner_system", "A system that syncs, such as France Travail's."),
        ("public", "Anybody, without a token."),
    ],
};

/// The root field and its type.
pub fn extras() -> Extras {
    let root = RootField {
        name: "viewer",
        description: "The caller, as this API sees him.".to_owned(),
        arguments: Vec::new(),
        ty: TypeRef::named_nn("Viewer"),
        plan: RootPlan::Custom(plan),
    };
    let list = |name: &'static str| TypeRef::named_nn_list_nn(name);
    let object = PlainObject {
        name: "Viewer",
        description: "A caller and what his token gives him.",
        fields: vec![
            ("role", TypeRef::named_nn(ROLE.name), "His role; `public` without a token."),
            ("departements", list(Scalar::DepartementCode.name()), "« Départements » of a préfecture."),
            ("sirens", list(Scalar::Siren.name()), "SIREN numbers of a collectivité."),
            ("source", TypeRef::named("String"), "Source system under which he syncs."),
            ("scopes", list("String"), "Scopes of his token."),
            (
                "sites",
                TypeRef::named_nn("SiteConnection"),
                "Sites within his role's reach; for the public, the published ones.",
            ),
            (
                "limits",
                TypeRef::named("ViewerLimits"),
                "What he may still ask, before this operation; null when nothing is counted.",
            ),
        ],
    };
    Extras {
        roots: vec![root],
        objects: [vec![object], limits()].concat(),
        enums: vec![ROLE],
        ..Extras::default()
    }
}

fn limits() -> Vec<PlainObject> {
    let number = || TypeRef::named_nn(TypeRef::INT);
    let whole = PlainObject {
        name: "ViewerLimits",
        description: "What a caller may still ask (« quotas »).",
        fields: vec![("cost", TypeRef::named_nn("CostLimit"), "In points.")],
    };
    let cost = PlainObject {
        name: "CostLimit",
        description: "Points of a client (« quota ») in the instance that answers. An operation takes a point for each \
                      row that it asks for, pages multiplied, and gets back what was not there to read.",
        fields: vec![
            ("operation", number(), "Most points that one operation asks for."),
            ("limit", number(), "Points that the client has when it has asked nothing for a while."),
            ("remaining", number(), "Points that it has left."),
            ("restoreRate", number(), "Points given back each second."),
            ("resetAt", TypeRef::named_nn(Scalar::DateTime.name()), "When all points are there again."),
        ],
    };
    vec![whole, cost]
}

fn plan<'p>(planner: &mut Planner<'p>, selected: &Selected<'p>, _: &Arguments) -> Result<Out, ApiError> {
    let viewer = planner.viewer;
    let actor = &viewer.actor;
    let known = |value: Value| Ok(Out::Text(value.to_string().into_bytes()));
    let mut shape = Shape::new();
    for field in planner.document.fields(&selected.sets, &|on| on == "Viewer") {
        let out = match field.name {
            "__typename" => Ok(Out::Text(json_string("Viewer"))),
            "role" => known(actor.role.name().into()),
            "departements" => known(actor.departements.clone().into()),
            "sirens" => known(actor.sirens.clone().into()),
            "source" => known(actor.source.clone().into()),
            "scopes" if actor.role == Role::Public => known(Value::Array(Vec::new())),
            "scopes" => known(actor.scopes.iter().copied().map(Scope::name).collect()),
            "limits" => Ok(standing(planner, &field)),
            _ => sites(planner, &field),
        };
        shape.push((json_key(field.key), out.map_err(|error| error.under(field.key))?));
    }
    Ok(Out::Fields(shape))
}

fn standing(planner: &Planner<'_>, field: &Selected<'_>) -> Out {
    let Some(standing) = planner.standing else { return Out::null() };
    let cost = |part: &Selected<'_>| {
        let fields = planner.document.fields(&part.sets, &|on| on == "CostLimit").into_iter().map(|field| {
            let value: Value = match field.name {
                "__typename" => "CostLimit".into(),
                "operation" => standing.allowance.operation.into(),
                "limit" => standing.allowance.bucket.into(),
                "remaining" => standing.remaining.into(),
                "restoreRate" => standing.allowance.restore_rate.into(),
                _ => standing.reset_at.to_rfc3339_opts(SecondsFormat::AutoSi, true).into(),
            };
            (json_key(field.key), Out::Text(value.to_string().into_bytes()))
        });
        Out::Fields(fields.collect())
    };
    let fields = planner.document.fields(&field.sets, &|on| on == "ViewerLimits").into_iter().map(|part| {
        let out =
            if part.name == "__typename" { Out::Text(json_string("ViewerLimits")) } else { cost(&part) };
        (json_key(part.key), out)
    });
    Out::Fields(fields.collect())
}

fn sites<'p>(planner: &mut Planner<'p>, field: &Selected<'p>) -> Result<Out, ApiError> {
    let noun = planner.noun("Site")?;
    let declared = planner.model.connection_arguments("Site");
    let arguments = coerce::arguments(planner.model, declared, field.arguments, planner.document.variables)?;
    planner.connection(noun, None, field, &arguments, |planner, level| {
        let condition = level.sql.piece(|sql| planner.viewer.own(Resource::Site).expression(sql, "t"));
        level.conditions.push(condition);
    })
}
