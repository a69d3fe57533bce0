//! The tree against brute force: every polygon asked, by another library, in exact arithmetic.

use std::io::Read;

use geo::{BoundingRect, Coord, Intersects, LineString, Point, Polygon, Rect};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;
use uuid::Uuid;

use super::{Holder, Outlines};

const SOURCE: &[u8] = include_bytes!("../../../../data/qpv2024_contours.geojson.gz");

fn source() -> Vec<(String, Value)> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(SOURCE).read_to_string(&mut text).unwrap();
    let collection: Value = serde_json::from_str(&text).unwrap();
    let features = collection["features"].as_array().unwrap();
    features
        .iter()
        .map(|f| (f["properties"]["code_qp"].as_str().unwrap().to_owned(), f["geometry"].clone()))
        .collect()
}

fn holder(code: &str) -> Holder {
    Holder { id: Uuid::nil(), code: code.to_owned() }
}

fn outlines(source: &[(String, Value)]) -> Outlines {
    Outlines::from_geojson(source.iter().map(|(code, geometry)| (holder(code), geometry.to_string())))
        .unwrap()
}

fn codes(found: Vec<&Holder>) -> Vec<&str> {
    found.into_iter().map(|holder| holder.code.as_str()).collect()
}

/// Whole micro-degrees are exact in f64, so `geo`'s robust predicates answer exactly.
fn ring(value: &Value) -> LineString {
    let position = |p: &Value| Coord {
        x: (p[0].as_f64().unwrap() * 1e6).round(),
        y: (p[1].as_f64().unwrap() * 1e6).round(),
    };
    value.as_array().unwrap().iter().map(position).collect()
}

/// With their boxes, which only spare the test its minutes: every one is asked, there is no tree here.
fn polygons(geometry: &Value) -> Vec<(Rect, Polygon)> {
    let polygon = |p: &Value| {
        let mut rings: Vec<LineString> = p.as_array().unwrap().iter().map(ring).collect();
        let outer = rings.remove(0);
        let polygon = Polygon::new(outer, rings);
        (polygon.bounding_rect().unwrap(), polygon)
    };
    geometry["coordinates"].as_array().unwrap().iter().map(polygon).collect()
}

/// Points where mistakes live: on vertices, on the middle of edges, one micro-degree or a few metres beside them.
fn probe(rng: &mut StdRng, shapes: &[(String, Vec<(Rect, Polygon)>)]) -> Point {
    let polygon = &shapes[rng.random_range(0..shapes.len())].1[0].1;
    let rings: Vec<_> = std::iter::once(polygon.exterior()).chain(polygon.interiors()).collect();
    let chosen = rings[rng.random_range(0..rings.len())];
    let at = rng.random_range(0..chosen.0.len() - 1);
    let (a, b) = (chosen.0[at], chosen.0[at + 1]);
    let base = match rng.random_range(0..3) {
        0 => a,
        1 => Coord { x: f64::midpoint(a.x, b.x).floor(), y: f64::midpoint(a.y, b.y).floor() },
        _ => Coord { x: a.x, y: b.y },
    };
    let reach = [0.0, 1.0, 100.0, 2000.0][rng.random_range(0..4)];
    let mut step = || (rng.random_range(-1.0..=1.0_f64) * reach).round();
    Point::new(base.x + step(), base.y + step())
}

#[test]
fn the_tree_agrees_with_brute_force_near_borders_and_vertices() {
    let source = source();
    let outlines = outlines(&source);
    let shapes: Vec<_> = source.iter().map(|(code, geometry)| (code.clone(), polygons(geometry))).collect();
    let mut rng = StdRng::seed_from_u64(20_230_612);
    let mut held = 0;
    for _ in 0..10_000 {
        let point = probe(&mut rng, &shapes);
        let mut expected: Vec<&str> = shapes
            .iter()
            .filter(|(_, shape)| shape.iter().any(|(b, p)| b.intersects(&point) && p.intersects(&point)))
            .map(|(code, _)| code.as_str())
            .collect();
        expected.sort_unstable();
        held += usize::from(!expected.is_empty());
        assert_eq!(codes(outlines.at(point.x() / 1e6, point.y() / 1e6)), expected, "at {point:?}");
    }
    assert!((3_000..9_900).contains(&held), "the probes lie on both sides: {held}");
}

#[test]
fn a_border_a_corner_and_a_hole_are_answered_exactly() {
    let square = r#"{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,4],[0,0]],[[1,1],[2,1],[2,2],[1,2],[1,1]]]}"#;
    let beside = r#"{"type":"MultiPolygon","coordinates":[[[[4,0],[8,0],[8,4],[4,4],[4,0]]]]}"#;
    let outlines = Outlines::from_geojson([(holder("B"), beside), (holder("A"), square)]).unwrap();
    let at = |lon, lat| codes(outlines.at(lon, lat)).join(" ");
    assert_eq!(at(0.5, 0.5), "A");
    assert_eq!(at(4.0, 2.0), "A B", "a shared border, by code");
    assert_eq!(at(0.0, 0.0), "A", "a corner");
    assert_eq!(at(1.5, 1.5), "", "in the hole");
    assert_eq!(at(1.0, 1.5), "A", "on the border of the hole");
    assert_eq!(at(-0.000_001, 2.0), "");
    assert_eq!(at(f64::NAN, 2.0), "");
    assert_eq!(at(900.0, 2.0), "");
}

#[test]
fn the_point_of_the_contract_is_in_vaulx_en_velin() {
    let outlines = outlines(&source());
    let many = outlines.at_many(&[(4.9267, 45.7796), (0.0, 0.0)]);
    assert_eq!(many.into_iter().map(codes).collect::<Vec<_>>(), [vec!["QN06916M"], vec![]]);
}

#[test]
fn an_outline_that_is_no_polygon_is_refused_with_its_code() {
    let refused = |text: &str| super::check("QN06916M", text).unwrap_err().to_string();
    assert!(refused(r#"{"type":"Point","coordinates":[1,2]}"#).starts_with("outline of QN06916M:"));
    assert!(refused(r#"{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,0]]]}"#).contains("3 positions"));
    assert!(
        refused(r#"{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1]]]}"#).contains("closed ring")
    );
    assert!(
        refused(r#"{"type":"Polygon","coordinates":[[[200,0],[1,1],[1,0],[200,0]]]}"#).contains("[200, 0]")
    );
}
