//! Which QPV holds a point.

use async_graphql::dynamic::TypeRef;
use async_graphql::{Name, Value};
use uuid::Uuid;

use crate::error::{ApiError, Code};
use crate::limits;
use crate::read::coerce::Arguments;
use crate::read::model::{Argument, Extras, InputObject, PlainObject, RootField};
use crate::read::plan::{Planner, RootPlan, internal};
use crate::read::select::Selected;
use crate::read::shape::{Out, Shape, check_items, json_key, json_string};

/// Root fields that need the outlines.
const ONE: &str = "qpvAt";
const MANY: &str = "qpvsAt";

/// Whether a root field needs the outlines.
pub fn needs_outlines(field: &str) -> bool {
    field == ONE || field == MANY
}

/// `qpvAt`, `qpvsAt` and their types.
pub fn extras() -> Extras {
    let generation = || {
        Argument::new(
            "generation",
            TypeRef::named_nn("QpvGeneration"),
            "Which generation; outlines of 2015 are not published.",
        )
        .default(Value::Enum(Name::new("QPV_2024")))
    };
    let input = "GeoPointInput";
    let one = RootField {
        name: ONE,
        description:
            "The « QPV » that holds a point, its border included; the first by code where two touch."
                .to_owned(),
        arguments: vec![Argument::new("point", TypeRef::named_nn(input), "The point."), generation()],
        ty: TypeRef::named("Qpv"),
        plan: RootPlan::Custom(at),
    };
    let many = RootField {
        name: MANY,
        description: "The « QPV » that holds each of up to 1 000 points, in their order.".to_owned(),
        arguments: vec![
            Argument::new("points", TypeRef::named_nn_list_nn(input), "The points."),
            generation(),
        ],
        ty: TypeRef::named_nn_list_nn("QpvAtPoint"),
        plan: RootPlan::Custom(at_many),
    };
    let point = InputObject {
        name: input.to_owned(),
        description: "A point, WGS 84, decimal degrees.".to_owned(),
        fields: vec![
            Argument::new("lon", TypeRef::named_nn("Float"), "Longitude, -180 to 180."),
            Argument::new("lat", TypeRef::named_nn("Float"), "Latitude, -90 to 90."),
        ],
        one_of: false,
    };
    let result = PlainObject {
        name: "QpvAtPoint",
        description: "What was found at a point.",
        fields: vec![("qpv", TypeRef::named("Qpv"), "The « QPV » that holds it; null if none does.")],
    };
    Extras { roots: vec![one, many], inputs: vec![point], objects: vec![result], ..Extras::default() }
}

fn at<'p>(
    planner: &mut Planner<'p>,
    selected: &Selected<'p>,
    arguments: &Arguments,
) -> Result<Out, ApiError> {
    let point = arguments.get("point").ok_or_else(|| internal("a point is missing"))?;
    let found = find(planner, point, arguments).map_err(|error| error.in_field("point"))?;
    let noun = planner.noun("Qpv")?;
    planner.single(noun, &selected.sets, |_, level| {
        let condition = level.sql.piece(|sql| match found {
            Some(id) => {
                sql.push("t.id = ").bind(id.into());
            }
            None => {
                sql.push("FALSE");
            }
        });
        level.conditions.push(condition);
        Ok(())
    })
}

fn at_many<'p>(
    planner: &mut Planner<'p>,
    selected: &Selected<'p>,
    arguments: &Arguments,
) -> Result<Out, ApiError> {
    let Some(Value::List(points)) = arguments.get("points") else {
        return Err(internal("points are missing"));
    };
    if points.len() > limits::POINTS_MAX {
        let message = format!("{} points, at most {} are taken", points.len(), limits::POINTS_MAX);
        return Err(ApiError::new(Code::LimitExceeded, message).in_field("points"));
    }
    let mut found = Vec::with_capacity(points.len());
    for (index, point) in points.iter().enumerate() {
        found.push(find(planner, point, arguments).map_err(|error| error.in_item(index).in_field("points"))?);
    }
    let mut ids: Vec<Uuid> = found.iter().flatten().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let parts = planner.document.fields(&selected.sets, &|on| on == "QpvAtPoint");
    check_items(points.len(), parts.len())?;
    let mut fields = Vec::new();
    for part in parts {
        let rows = if part.name == "__typename" {
            None
        } else {
            let noun = planner.noun("Qpv")?;
            let rows = planner.by_ids(noun, &ids, &part.sets).map_err(|error| error.under(part.key))?;
            // a row is read once, and written for each point
            planner.count_as(&rows, points.len());
            Some(rows)
        };
        fields.push((json_key(part.key), rows));
    }
    let item = |id: &Option<Uuid>| {
        let shape: Shape = fields
            .iter()
            .map(|(key, rows)| {
                let out = match (rows, id) {
                    (None, _) => Out::Text(json_string("QpvAtPoint")),
                    (Some(rows), Some(id)) => rows.row(*id),
                    (Some(_), None) => Out::null(),
                };
                (key.clone(), out)
            })
            .collect();
        Out::Fields(shape)
    };
    Ok(Out::Items(found.iter().map(item).collect()))
}

fn find(planner: &Planner<'_>, point: &Value, arguments: &Arguments) -> Result<Option<Uuid>, ApiError> {
    let (lon, lat) = coordinates(point)?;
    if !matches!(arguments.get("generation"), Some(Value::Enum(name)) if name == "QPV_2024") {
        return Ok(None);
    }
    let outlines = planner.services.outlines.get();
    Ok(outlines.and_then(|outlines| outlines.at(lon, lat).first().map(|holder| holder.id)))
}

fn coordinates(point: &Value) -> Result<(f64, f64), ApiError> {
    let Value::Object(point) = point else { return Err(internal("a point went through unchecked")) };
    let within = |name: &str, bound: f64| match point.get(name) {
        Some(Value::Number(number)) => match number.as_f64() {
            Some(degrees) if degrees.abs() <= bound => Ok(degrees),
            _ => Err(ApiError::new(Code::BadUserInput, format!("{name} is {number}"))
                .expected(format!("decimal degrees from -{bound} to {bound}; longitude first, then latitude"))
                .in_field(name)),
        },
        _ => Err(internal("a point went through unchecked")),
    };
    Ok((within("lon", 180.0)?, within("lat", 90.0)?))
}
