//! Which QPV hold a point.
//!
//! The outlines have at most six decimals, as has every coordinate of the API. So all arithmetic is done on whole
//! micro-degrees: a cross product of two such edges fits an i64 and the answer, border included, is exact.
//!
//! Inside means inside by the even-odd rule, the reading that `ST_MakeValid` gives to rings that touch or cross
//! themselves (the source has 586 of them, from the rounding of its vertices).

use rstar::{AABB, RTree, RTreeObject};
use serde::Deserialize;
use uuid::Uuid;

/// One vertex, in whole micro-degrees: longitude, latitude.
type Vertex = [i32; 2];

/// A QPV that holds a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Row id of the QPV.
    pub id: Uuid,
    /// Code of the QPV, as `QN06916M`.
    pub code: String,
}

/// Why an outline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutlineError {
    /// The text is not a `GeoJSON` Polygon or `MultiPolygon`.
    #[error("outline of {code}: {reason}; expected a GeoJSON Polygon or MultiPolygon")]
    Geometry {
        /// Code of the QPV.
        code: String,
        /// What the parser met.
        reason: String,
    },
    /// A ring is open or has fewer than four positions.
    #[error("outline of {code}: a ring has {positions} positions; expected a closed ring of 4 or more")]
    Ring {
        /// Code of the QPV.
        code: String,
        /// Number of positions of that ring.
        positions: usize,
    },
}

/// The outlines of one generation, in an R-tree of polygons.
#[derive(Debug, Default)]
pub struct Outlines {
    tree: RTree<Polygon>,
    holders: Vec<Holder>,
}

impl Outlines {
    /// Builds the tree from `GeoJSON` geometry texts. Holders of one point are answered by code.
    ///
    /// # Errors
    /// The first text that is not a polygon, or that has an open ring.
    pub fn from_geojson<I, T>(rows: I) -> Result<Self, OutlineError>
    where
        I: IntoIterator<Item = (Holder, T)>,
        T: AsRef<str>,
    {
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort_by(|(a, _), (b, _)| a.code.cmp(&b.code));
        let mut polygons = Vec::with_capacity(rows.len());
        let mut holders = Vec::with_capacity(rows.len());
        for (index, (holder, text)) in rows.into_iter().enumerate() {
            polygons.extend(
                parse(&holder.code, text.as_ref())?.into_iter().map(|rings| Polygon::new(index, rings)),
            );
            holders.push(holder);
        }
        Ok(Self { tree: RTree::bulk_load(polygons), holders })
    }

    /// QPV that hold this point, border included, by code. Longitude then latitude, WGS84 decimal degrees; digits
    /// past the sixth decimal (11 cm) are rounded. A point off the globe is held by none.
    pub fn at(&self, lon: f64, lat: f64) -> Vec<&Holder> {
        let Some(point) = micro(lon, lat) else { return Vec::new() };
        let here = AABB::from_point(widen(point));
        let mut found: Vec<usize> = self
            .tree
            .locate_in_envelope_intersecting(here)
            .filter(|polygon| holds(&polygon.rings, point))
            .map(|polygon| polygon.holder)
            .collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|index| &self.holders[index]).collect()
    }

    /// [`Self::at`] for many points, in their order.
    pub fn at_many(&self, points: &[(f64, f64)]) -> Vec<Vec<&Holder>> {
        points.iter().map(|&(lon, lat)| self.at(lon, lat)).collect()
    }
}

/// Checks a geometry text without keeping it.
///
/// # Errors
/// As [`Outlines::from_geojson`].
pub fn check(code: &str, geojson: &str) -> Result<(), OutlineError> {
    parse(code, geojson).map(drop)
}

/// One polygon of an outline: its outer ring, then its holes.
#[derive(Debug)]
struct Polygon {
    holder: usize,
    rings: Vec<Vec<Vertex>>,
    envelope: AABB<[i64; 2]>,
}

impl Polygon {
    fn new(holder: usize, rings: Vec<Vec<Vertex>>) -> Self {
        let envelope =
            AABB::from_points(rings.iter().flatten().copied().map(widen).collect::<Vec<_>>().iter());
        Self { holder, rings, envelope }
    }
}

impl RTreeObject for Polygon {
    type Envelope = AABB<[i64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        self.envelope
    }
}

/// The R-tree multiplies sides of boxes, which overflows an i32.
fn widen([x, y]: Vertex) -> [i64; 2] {
    [i64::from(x), i64::from(y)]
}

#[expect(clippy::cast_possible_truncation, reason = "the range was checked, 180 000 000 fits an i32")]
fn micro(lon: f64, lat: f64) -> Option<Vertex> {
    let on_globe = (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
    on_globe.then(|| [(lon * 1e6).round() as i32, (lat * 1e6).round() as i32])
}

/// Even-odd rule over all rings of a polygon; a point on any ring is held.
fn holds(rings: &[Vec<Vertex>], point: Vertex) -> bool {
    let mut inside = false;
    for edge in rings.iter().flat_map(|ring| ring.windows(2)) {
        match pass(edge[0], edge[1], point) {
            Pass::On => return true,
            Pass::Right => inside = !inside,
            Pass::Elsewhere => {}
        }
    }
    inside
}

/// Where an edge lies as seen from a point.
enum Pass {
    /// It runs through the point.
    On,
    /// It crosses the half-line that leaves the point eastwards.
    Right,
    /// Neither.
    Elsewhere,
}

fn pass(from: Vertex, to: Vertex, point: Vertex) -> Pass {
    let ([ax, ay], [bx, by], [px, py]) = (widen(from), widen(to), widen(point));
    let beside = py < ay.min(by) || py > ay.max(by) || px > ax.max(bx);
    if beside {
        return Pass::Elsewhere;
    }
    let side = (bx - ax) * (py - ay) - (by - ay) * (px - ax);
    if side == 0 && px >= ax.min(bx) {
        return Pass::On;
    }
    // An edge owns its lower end only, so that a half-line through a vertex counts it once.
    let crosses = (ay > py) != (by > py);
    let west = if by > ay { side > 0 } else { side < 0 };
    if crosses && west { Pass::Right } else { Pass::Elsewhere }
}

#[derive(Deserialize)]
#[serde(tag = "type", content = "coordinates")]
enum Geometry {
    Polygon(Vec<Vec<[f64; 2]>>),
    MultiPolygon(Vec<Vec<Vec<[f64; 2]>>>),
}

fn parse(code: &str, text: &str) -> Result<Vec<Vec<Vec<Vertex>>>, OutlineError> {
    let geometry = |reason: String| OutlineError::Geometry { code: code.to_owned(), reason };
    let polygons = match serde_json::from_str(text).map_err(|error| geometry(error.to_string()))? {
        Geometry::Polygon(polygon) => vec![polygon],
        Geometry::MultiPolygon(polygons) => polygons,
    };
    if polygons.is_empty() {
        return Err(geometry("no polygon".to_owned()));
    }
    polygons.into_iter().map(|rings| rings.iter().map(|ring| vertices(code, ring)).collect()).collect()
}

fn vertices(code: &str, ring: &[[f64; 2]]) -> Result<Vec<Vertex>, OutlineError> {
    let vertices = ring
        .iter()
        .map(|&[lon, lat]| {
            micro(lon, lat).ok_or_else(|| OutlineError::Geometry {
                code: code.to_owned(),
                reason: format!("[{lon}, {lat}] is not a longitude and a latitude"),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if vertices.len() < 4 || vertices.first() != vertices.last() {
        return Err(OutlineError::Ring { code: code.to_owned(), positions: vertices.len() });
    }
    Ok(vertices)
}

#[cfg(test)]
mod tests;
