//! Values that fit the rows: identifiers, codes, texts and cursors taken from the API before documents are made.

use std::collections::BTreeMap;

use serde_json::Value;

use super::literal::Literal;
use super::schema::{Field, Schema, named};

/// Sites around which values are taken: those with roadmaps, actions and figures, of the open data and of the small
/// world.
const SITES: [&str; 8] =
    ["cde-024", "cde-025", "cde-026", "cde-081", "cde-082", "cde-901", "cde-902", "cde-903"];

/// Values of the rows.
#[derive(Debug, Default)]
pub struct Pool {
    /// Values of the leaf types by name of the type; ids by name of their object's type.
    values: BTreeMap<String, Vec<Literal>>,
    /// Cursors in the default order, by name of the object's type.
    cursors: BTreeMap<String, Vec<Literal>>,
    /// Points within outlines.
    points: Vec<Literal>,
}

impl Pool {
    /// Values of a leaf type; of ids, those of a type of objects.
    pub fn values(&self, ty: &str) -> &[Literal] {
        self.values.get(ty).map_or(&[], Vec::as_slice)
    }

    /// Cursors of the lists of a type, in its default order.
    pub fn cursors(&self, ty: &str) -> &[Literal] {
        self.cursors.get(ty).map_or(&[], Vec::as_slice)
    }

    /// Points within outlines of QPV.
    pub fn points(&self) -> &[Literal] {
        &self.points
    }

    /// Takes values through the lists at the root; `ask` answers the data of a query.
    pub async fn collect(schema: &Schema, ask: impl AsyncFn(String) -> Value) -> Self {
        let mut pool = Self::default();
        for list in schema.fields("Query") {
            let Some(noun) = named(&list.ty).strip_suffix("Connection") else { continue };
            let leaves: Vec<&Field> =
                schema.fields(noun).iter().filter(|field| is_short(schema, field)).collect();
            let names: Vec<&str> = leaves.iter().map(|field| field.name.as_str()).collect();
            let arguments = format!("first: 12{}", near_sites(schema, noun));
            let selection = format!("edges {{ cursor node {{ {} }} }}", names.join(" "));
            let data = ask(format!("{{ {}({arguments}) {{ {selection} }} }}", list.name)).await;
            for edge in data[&list.name]["edges"].as_array().into_iter().flatten() {
                pool.cursors.entry(noun.to_owned()).or_default().push(Literal::Plain(edge["cursor"].clone()));
                for leaf in &leaves {
                    pool.take(schema, noun, leaf, &edge["node"][&leaf.name]);
                }
            }
        }
        pool.take_points(
            &ask(format!(
                "{{ qpvs(first: 12{}) {{ nodes {{ centroid {{ lon lat }} }} }} }}",
                near_sites(schema, "Qpv")
            ))
            .await,
        );
        pool
    }

    fn take(&mut self, schema: &Schema, noun: &str, leaf: &Field, value: &Value) {
        let ty = named(&leaf.ty);
        let name = if ty == "ID" { noun } else { ty };
        let values = self.values.entry(name.to_owned()).or_default();
        let found = match value {
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in found.iter().filter(|value| !value.is_null()) {
            let literal = match (schema.kind(ty), value) {
                (super::schema::Kind::Enum(_), Value::String(name)) => Literal::Enum(name.clone()),
                _ => Literal::Plain(value.clone()),
            };
            if values.len() < 24 && !values.contains(&literal) {
                values.push(literal);
            }
        }
    }

    fn take_points(&mut self, data: &Value) {
        for node in data["qpvs"]["nodes"].as_array().into_iter().flatten() {
            if let Value::Object(point) = &node["centroid"] {
                let fields = point.iter().map(|(name, value)| (name.clone(), Literal::Plain(value.clone())));
                self.points.push(Literal::Object(fields.collect()));
            }
        }
    }
}

/// Whether a field is a value without arguments, and no outline.
fn is_short(schema: &Schema, field: &Field) -> bool {
    field.arguments.is_empty() && !schema.is_composite(named(&field.ty)) && named(&field.ty) != "GeoJSON"
}

/// A filter that keeps what belongs to the sites, where the type knows its sites.
fn near_sites(schema: &Schema, noun: &str) -> String {
    let codes = format!("{{code: {{in: {SITES:?}}}}}");
    let filter = format!("{noun}Filter");
    let fields = schema.inputs(&filter);
    let of = |name: &str, ty: &str| fields.iter().any(|field| field.name == name && named(&field.ty) == ty);
    if noun == "Site" {
        format!(", filter: {codes}")
    } else if of("site", "SiteFilter") {
        format!(", filter: {{site: {codes}}}")
    } else if of("sites", "SiteListFilter") {
        format!(", filter: {{sites: {{some: {codes}}}}}")
    } else {
        String::new()
    }
}
