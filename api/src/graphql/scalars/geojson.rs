//! Geometries and features as `GeoJSON`.

use geojson::GeoJson;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{Parsed, Spec};

pub(super) static GEO_JSON: Spec = Spec {
    name: "GeoJSON",
    description: "Geometry or feature (« contour ») as a GeoJSON object: WGS 84 in decimal degrees, \
                  longitude then latitude, for example {\"type\": \"Point\", \"coordinates\": [4.9267, \
                  45.7796]}.",
    specified_by: Some("https://www.rfc-editor.org/rfc/rfc7946"),
    expected: "a GeoJSON object with longitude then latitude, for example {\"type\": \"Point\", \
               \"coordinates\": [4.9267, 45.7796]}",
    read: |value| {
        let json = value.clone().into_json().ok()?;
        GeoJson::deserialize(&json).ok()?;
        places_are_on_earth(&json).then_some(Parsed::Json(json))
    },
};

/// Every position, at any depth of the object, is a longitude and a latitude.
fn places_are_on_earth(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.iter().all(places_are_on_earth),
        Json::Object(members) => members.iter().all(|(name, member)| match name.as_str() {
            "coordinates" => are_positions(member),
            "geometry" | "geometries" | "features" => places_are_on_earth(member),
            _ => true,
        }),
        _ => true,
    }
}

/// A position, or a list of such at any depth; an empty list is an empty geometry.
fn are_positions(json: &Json) -> bool {
    let Some(items) = json.as_array() else { return false };
    if items.iter().any(Json::is_number) { is_position(items) } else { items.iter().all(are_positions) }
}

/// Longitude, latitude, and an altitude if given.
fn is_position(numbers: &[Json]) -> bool {
    let within = |number: &Json, limit: f64| number.as_f64().is_some_and(|degrees| degrees.abs() <= limit);
    matches!(numbers, [lon, lat] | [lon, lat, _] if within(lon, 180.0) && within(lat, 90.0))
}
