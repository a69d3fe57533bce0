//! Documents of one operation by the schema, whose variables hold values of the right type, or wrong ones.

use arbitrary::{Result, Unstructured};
use async_graphql::parser::types::Type;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use tests::differential::schema::{Field, Input, Kind, item, named};

use crate::Values;

/// Fields within fields.
const DEPTH: usize = 4;
/// Inputs within inputs: more than filters may have.
const INPUT_DEPTH: usize = 10;
/// Texts that are something to a database, a parser or a pattern.
const TEXTS: [&str; 14] = [
    "",
    "\0",
    "a\0b",
    "%",
    "_",
    "\\",
    "'",
    "\"",
    "é",
    "e\u{301}",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{202e}",
    "-1",
];
/// Numbers at some edge.
const NUMBERS: [f64; 8] = [0.0, -0.0, 1e-308, 0.1, 2_147_483_648.0, 9_007_199_254_740_993.0, 1e19, 1.7e308];

/// A document and its variables.
#[derive(Debug)]
pub struct Operation {
    /// The document.
    pub document: String,
    /// The variables.
    pub variables: Value,
}

/// Makes an operation of a kind, `query` or `mutation`, from the bytes of the fuzzer.
///
/// # Errors
/// There are too few bytes.
pub fn operation(bytes: &[u8], values: &Values, kind: &str) -> Result<Operation> {
    let root = if kind == "query" { "Query" } else { "Mutation" };
    let (bytes, definitions, variables) = (Unstructured::new(bytes), Vec::new(), Map::new());
    let mut it = Generator { bytes, values, definitions, variables };
    let body = it.field(root, 0)?;
    let definitions = it.definitions.join(", ");
    let definitions = if definitions.is_empty() { definitions } else { format!("({definitions})") };
    Ok(Operation { document: format!("{kind}{definitions} {{ {body} }}"), variables: it.variables.into() })
}

struct Generator<'g> {
    bytes: Unstructured<'g>,
    values: &'g Values,
    definitions: Vec<String>,
    variables: Map<String, Value>,
}

impl Generator<'_> {
    fn field(&mut self, on: &str, depth: usize) -> Result<String> {
        let values = self.values;
        let leaf = |field: &&Field| !values.schema.is_composite(named(&field.ty));
        let mut fields: Vec<&Field> = values.schema.fields(on).iter().collect();
        if depth == DEPTH {
            fields.retain(leaf);
        }
        if fields.is_empty() {
            return Ok("__typename".to_owned());
        }
        let field = *self.bytes.choose(&fields)?;
        let mut given = Map::new();
        for input in &field.arguments {
            if input.is_required() || self.bytes.ratio(1, 3)? {
                given.insert(input.name.clone(), self.value(&input.ty, 0)?);
            }
        }
        if let Some(noun) = named(&field.ty).strip_suffix("Connection") {
            self.place(noun, field, &mut given)?;
        }
        let arguments = self.arguments(field, given);
        let selection = self.selection(named(&field.ty), depth)?;
        // each field under a key of its own: none is merged
        Ok(format!("k{}: {}{arguments}{selection}", self.bytes.len(), field.name))
    }

    fn selection(&mut self, on: &str, depth: usize) -> Result<String> {
        if !self.values.schema.is_composite(on) {
            return Ok(String::new());
        }
        let mut texts = vec!["__typename".to_owned()];
        for _ in 0..self.bytes.int_in_range(0..=3)? {
            texts.push(self.field(on, depth + 1)?);
        }
        Ok(format!(" {{ {} }}", texts.join(" ")))
    }

    /// Declares a variable for each argument.
    fn arguments(&mut self, field: &Field, given: Map<String, Value>) -> String {
        let mut texts = Vec::new();
        for (name, value) in given {
            let Some(input) = field.arguments.iter().find(|input| input.name == name) else { continue };
            let variable = format!("v{}", self.definitions.len());
            self.definitions.push(format!("${variable}: {}", input.ty));
            texts.push(format!("{name}: ${variable}"));
            self.variables.insert(variable, value);
        }
        if texts.is_empty() { String::new() } else { format!("({})", texts.join(", ")) }
    }

    /// Places a page by a cursor of the list, of which parts are changed.
    fn place(&mut self, noun: &str, field: &Field, given: &mut Map<String, Value>) -> Result<()> {
        let cursors = self.values.cursors(noun);
        let has = |name: &str| field.arguments.iter().any(|input| input.name == name);
        if cursors.is_empty() || !has("after") || !self.bytes.ratio(1, 2)? {
            return Ok(());
        }
        let cursor = *self.bytes.choose(&cursors)?;
        let mut parts = cursor.parts.clone();
        for part in parts.iter_mut().skip(1) {
            if self.bytes.ratio(1, 2)? {
                *part = self.changed(part)?;
            }
        }
        given.insert("orderBy".to_owned(), cursor.order.clone());
        let edge = if self.bytes.arbitrary()? { "after" } else { "before" };
        // what the field does not take is left out
        given.insert(edge.to_owned(), URL_SAFE_NO_PAD.encode(Value::from(parts).to_string()).into());
        Ok(())
    }

    /// A value of a type, or sometimes of another.
    fn value(&mut self, ty: &Type, depth: usize) -> Result<Value> {
        if self.bytes.ratio(1, 24)? {
            return self.junk(0);
        }
        if ty.nullable && self.bytes.ratio(1, 24)? {
            return Ok(Value::Null);
        }
        if let Some(inner) = item(ty) {
            let count = self.bytes.int_in_range(0..=3)?;
            return (0..count).map(|_| self.value(inner, depth)).collect();
        }
        let (values, name) = (self.values, named(ty));
        match values.schema.kind(name) {
            Kind::Enum(names) => Ok(self.bytes.choose(names)?.clone().into()),
            Kind::Input { fields, one_of } => self.object(fields, *one_of, depth),
            _ => self.scalar(name),
        }
    }

    fn object(&mut self, fields: &[Input], one_of: bool, depth: usize) -> Result<Value> {
        let mut object = Map::new();
        if one_of || depth > 2 {
            let field = self.bytes.choose(fields)?;
            if depth < INPUT_DEPTH || !self.is_input(field) {
                object.insert(field.name.clone(), self.value(&field.ty, depth + 1)?);
            }
        }
        for field in fields {
            let is_wanted = field.is_required() || (!one_of && depth < 3 && self.bytes.ratio(1, 4)?);
            if is_wanted && !object.contains_key(&field.name) && depth < INPUT_DEPTH {
                object.insert(field.name.clone(), self.value(&field.ty, depth + 1)?);
            }
        }
        Ok(object.into())
    }

    fn is_input(&self, field: &Input) -> bool {
        matches!(self.values.schema.kind(named(&field.ty)), Kind::Input { .. })
    }

    fn scalar(&mut self, name: &str) -> Result<Value> {
        let values = self.values;
        match name {
            "Boolean" => return Ok(self.bytes.arbitrary::<bool>()?.into()),
            "Int" => return Ok(self.bytes.arbitrary::<i16>()?.into()),
            _ => {}
        }
        let nouns = values.schema.related("Node");
        let of = if name == "ID" { *self.bytes.choose(&nouns)? } else { name };
        let known = values.pool.values(of);
        if known.is_empty() {
            return if name == "Float" { self.number() } else { self.text().map(Value::from) };
        }
        let value = self.bytes.choose(known)?.json();
        if self.bytes.ratio(1, 3)? { self.changed(&value) } else { Ok(value) }
    }

    /// A value like another.
    fn changed(&mut self, value: &Value) -> Result<Value> {
        match value {
            _ if self.bytes.ratio(1, 8)? => self.junk(0),
            Value::Number(number) => match (number.as_i64(), self.bytes.arbitrary()?) {
                (Some(_), true) => Ok(self.bytes.arbitrary::<i64>()?.into()),
                (Some(number), false) => Ok(number.wrapping_add(self.bytes.arbitrary::<i8>()?.into()).into()),
                (None, _) => self.number(),
            },
            Value::String(text) if self.bytes.arbitrary()? => {
                let mut letters: Vec<char> = text.chars().collect();
                let at = self.bytes.choose_index(letters.len() + 1)?;
                let to =
                    if at == letters.len() { at } else { at + usize::from(self.bytes.arbitrary::<bool>()?) };
                let new = self.text()?;
                letters.splice(at..to, new.chars());
                Ok(letters.into_iter().collect::<String>().into())
            }
            Value::String(_) => self.text().map(Value::from),
            _ => self.junk(0),
        }
    }

    fn number(&mut self) -> Result<Value> {
        let number =
            if self.bytes.arbitrary()? { self.bytes.arbitrary()? } else { *self.bytes.choose(&NUMBERS)? };
        Ok(json!(number))
    }

    fn text(&mut self) -> Result<String> {
        let text = match self.bytes.int_in_range(0..=3)? {
            0 => (*self.bytes.choose(&TEXTS)?).to_owned(),
            1 => self.bytes.arbitrary::<char>()?.to_string(),
            2 => self.bytes.arbitrary::<i32>()?.to_string(),
            _ => self.bytes.arbitrary::<&str>()?.to_owned(),
        };
        // as long as a text may be, and longer
        Ok(if self.bytes.ratio(1, 64)? { text.repeat(250) } else { text })
    }

    fn junk(&mut self, depth: usize) -> Result<Value> {
        Ok(match self.bytes.int_in_range(0..=if depth < 3 { 7 } else { 5 })? {
            0 => Value::Null,
            1 => self.bytes.arbitrary::<bool>()?.into(),
            2 => self.bytes.arbitrary::<i64>()?.into(),
            3 => self.number()?,
            4 | 5 => self.text()?.into(),
            6 => Value::Array(vec![self.junk(depth + 1)?]),
            _ => json!({ self.text()?: self.junk(depth + 1)? }),
        })
    }
}
