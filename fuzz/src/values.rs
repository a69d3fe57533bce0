//! Values that fit the rows, from which wrong ones are made.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tests::differential::pool::Pool;
use tests::differential::schema::{Kind, Schema, named};

use crate::Server;

/// The schema and values of the rows.
#[derive(Debug)]
pub struct Values {
    /// The schema.
    pub schema: Schema,
    /// Values by type.
    pub pool: Pool,
    cursors: Vec<Cursor>,
}

/// What a cursor holds, and the list that gave it.
#[derive(Debug)]
pub struct Cursor {
    /// Type of the list's nodes.
    pub noun: String,
    /// The order in which the list gave it, as the argument says it.
    pub order: Value,
    /// A number that names list and order, then the values of the row.
    pub parts: Vec<Value>,
}

impl Default for Values {
    fn default() -> Self {
        let sdl = cites::graphql::sdl().expect("the schema is printed");
        Self { schema: Schema::parse(&sdl), pool: Pool::default(), cursors: Vec::new() }
    }
}

impl Values {
    /// Takes values from the lists at the root.
    pub(crate) fn collect(server: &Server) -> Self {
        let mut it = Self::default();
        let pool = Pool::collect(&it.schema, async |query| server.data(&query));
        it.pool = futures_util::FutureExt::now_or_never(pool).expect("nothing is waited for");
        it.cursors = cursors(&it.schema, server);
        it
    }

    /// Cursors of lists of a type.
    pub fn cursors(&self, noun: &str) -> Vec<&Cursor> {
        self.cursors.iter().filter(|cursor| cursor.noun == noun).collect()
    }
}

/// A cursor of each list at the root in each order by one field.
fn cursors(schema: &Schema, server: &Server) -> Vec<Cursor> {
    let mut cursors = Vec::new();
    for list in schema.fields("Query") {
        let Some(noun) = named(&list.ty).strip_suffix("Connection") else { continue };
        let mut orders = vec![("", Value::Null)];
        if list.arguments.iter().any(|argument| argument.name == "orderBy")
            && let Kind::Enum(fields) = schema.kind(&format!("{noun}OrderField"))
        {
            orders
                .extend(fields.iter().map(|field| (field.as_str(), serde_json::json!([{ "field": field }]))));
        }
        for (field, order) in orders {
            let by =
                if field.is_empty() { String::new() } else { format!(", orderBy: [{{ field: {field} }}]") };
            let data = server.data(&format!("{{ {}(first: 1{by}) {{ edges {{ cursor }} }} }}", list.name));
            let cursor = data[&list.name]["edges"][0]["cursor"]
                .as_str()
                .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
            if let Some(parts) = cursor.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
                cursors.push(Cursor { noun: noun.to_owned(), order, parts });
            }
        }
    }
    cursors
}
