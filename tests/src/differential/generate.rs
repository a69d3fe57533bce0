//! Random documents that are valid by construction.
//!
//! A response key stands for one field with one set of arguments in the whole document, so that selections can be
//! merged wherever they meet. Fragments are spread where they are made and, when they fit, again later; a fragment
//! spreads only such as were finished before it, so that none leads back to itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::arguments::{Arguments, Written};
use super::literal::Literal;
use super::pool::Pool;
use super::schema::{Field, Schema, named};
use super::variables::{Variable, Variables};
use crate::dice::Dice;

/// How large documents may be.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Selections within selections.
    pub depth: usize,
    /// Items of one selection.
    pub width: usize,
}

/// About how many objects one selection may be written for.
const ROOM: usize = 40;
/// About how many objects a document may give.
const OBJECTS: usize = 200;
/// Fragments of a document.
const FRAGMENTS: usize = 6;
/// The API takes a hundred aliases.
const ALIASES: usize = 60;

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The document.
    pub document: String,
    /// Values of variables.
    pub variables: Map<String, Value>,
    /// Operation to run.
    pub operation: Option<String>,
}

impl Request {
    /// A document with its variables, an object.
    pub fn new(document: impl Into<String>, variables: &Value) -> Self {
        let variables = variables.as_object().cloned().unwrap_or_default();
        Self { document: document.into(), variables, operation: None }
    }

    /// The parameters of the request.
    pub fn json(&self) -> Value {
        let mut body = Map::new();
        body.insert("query".into(), self.document.clone().into());
        if !self.variables.is_empty() {
            body.insert("variables".into(), self.variables.clone().into());
        }
        if let Some(name) = &self.operation {
            body.insert("operationName".into(), name.clone().into());
        }
        body.into()
    }
}

/// The request of a seed.
pub fn request(schema: &Schema, pool: &Pool, seed: u64, size: Size) -> Request {
    let arguments = Arguments { schema, pool, filters: seed / 1_000 };
    let variables = Variables::new();
    let mut dice = Dice::new(seed);
    // small documents, of which people understand the differences, are as welcome as large ones
    let size = Size { depth: dice.between(3, size.depth), width: dice.between(2, size.width) };
    let generator = Generator {
        schema,
        arguments,
        variables,
        size,
        dice,
        keys: BTreeMap::new(),
        fragments: Vec::new(),
        objects: 0,
        aliases: 0,
    };
    generator.request()
}

struct Generator<'g> {
    schema: &'g Schema,
    arguments: Arguments<'g>,
    variables: Variables,
    size: Size,
    dice: Dice,
    /// What each response key stands for: field, arguments, type.
    keys: BTreeMap<String, (String, String, String)>,
    fragments: Vec<Fragment>,
    objects: usize,
    aliases: usize,
}

struct Fragment {
    name: String,
    on: String,
    body: String,
    uses: BTreeSet<usize>,
    place: Place,
}

/// Where a selection stands: how deep, and for about how many objects.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    times: usize,
}

/// A field as it was asked, to be asked again.
struct Asked<'g> {
    field: &'g Field,
    key: String,
    written: Written,
}

impl<'g> Generator<'g> {
    fn request(mut self) -> Request {
        let several = self.dice.chance(20);
        let count = if several { self.dice.between(2, 3) } else { 1 };
        let chosen = self.dice.between(0, count - 1);
        let named = several || self.dice.chance(50);
        let mut parts: Vec<String> = (0..count).map(|index| self.operation(named.then_some(index))).collect();
        let fragments = self.fragments.iter();
        parts.extend(
            fragments
                .map(|fragment| format!("fragment {} on {} {}", fragment.name, fragment.on, fragment.body)),
        );
        if self.dice.chance(50) {
            parts.reverse();
        }
        let with_name = several || (named && self.dice.chance(50));
        let operation = with_name.then(|| if several { format!("O{chosen}") } else { "O0".to_owned() });
        Request { document: parts.join("\n"), variables: self.variables.given(), operation }
    }

    fn operation(&mut self, name: Option<usize>) -> String {
        self.variables.begin();
        self.objects = 0;
        let body = self.selection("Query", Place { depth: 0, times: 1 });
        let uses = self.variables.end();
        let definitions = self.variables.definitions(&uses);
        match name {
            Some(name) => format!("query O{name}{definitions} {body}"),
            None if definitions.is_empty() && self.dice.chance(70) => body,
            None => format!("query {definitions}{body}"),
        }
    }

    fn selection(&mut self, on: &str, place: Place) -> String {
        let separator = *self.dice.pick(&[" ", "\n", ", ", " # a remark\n"]).unwrap_or(&" ");
        let mut asked = Vec::new();
        let width = self.dice.between(1, self.size.width);
        let items: Vec<String> = (0..width).map(|_| self.item(on, place, &mut asked)).collect();
        format!("{{ {} }}", items.join(separator))
    }

    fn item(&mut self, on: &str, place: Place, asked: &mut Vec<Asked<'g>>) -> String {
        let may_nest = place.depth < self.size.depth;
        match self.dice.between(0, 99) {
            0..8 => self.typename(),
            8..20 if may_nest => self.inline(on, place),
            20..34 if may_nest => self.spread(on, place),
            34..44 if !asked.is_empty() => self.again(place, asked),
            _ => self.field(on, place, asked),
        }
    }

    fn typename(&mut self) -> String {
        let key = self.key("__typename", "", "String!");
        let directives = self.directives();
        format!("{}{directives}", aliased(&key, "__typename"))
    }

    fn field(&mut self, on: &str, place: Place, asked: &mut Vec<Asked<'g>>) -> String {
        let schema = self.schema;
        let room = place.depth < self.size.depth && self.objects < OBJECTS;
        let wants_object = room && (on == "Query" || self.dice.chance(55));
        let fields = schema.fields(on);
        let fits = |field: &&Field| schema.is_composite(named(&field.ty)) == wants_object;
        let mut choice: Vec<&Field> = fields.iter().filter(fits).collect();
        if choice.is_empty() && room {
            choice = fields.iter().collect();
        }
        let Some(field) = self.dice.pick(&choice).copied() else { return self.typename() };
        let room = ROOM / place.times.max(1);
        let written = self.arguments.write(&mut self.dice, &mut self.variables, field, room);
        let Some(written) = written else { return self.typename() };
        let key = self.key(&field.name, &written.text, &field.ty.to_string());
        let text = self.write(field, &key, &written, place);
        asked.push(Asked { field, key, written });
        text
    }

    /// The same field once more under the same key, with a selection of its own.
    fn again(&mut self, place: Place, asked: &[Asked<'g>]) -> String {
        let index = self.dice.between(0, asked.len() - 1);
        let Asked { field, key, written } = &asked[index];
        self.write(field, key, written, place)
    }

    fn write(&mut self, field: &Field, key: &str, written: &Written, place: Place) -> String {
        let directives = self.directives();
        let start = format!("{}{}{directives}", aliased(key, &field.name), written.text);
        let ty = named(&field.ty);
        if !self.schema.is_composite(ty) {
            return start;
        }
        // the items of a page were counted with the connection
        let is_page = matches!(field.name.as_str(), "nodes" | "edges") && field.arguments.is_empty();
        let size = if is_page { 1 } else { written.size };
        let times = place.times * size.max(1);
        self.objects += times;
        format!("{start} {}", self.selection(ty, Place { depth: place.depth + 1, times }))
    }

    fn inline(&mut self, on: &str, place: Place) -> String {
        let schema = self.schema;
        let related = schema.related(on);
        let condition = if self.dice.chance(35) { None } else { self.dice.pick(&related).copied() };
        let directives = self.directives();
        let deeper = Place { depth: place.depth + 1, ..place };
        let body = self.selection(condition.unwrap_or(on), deeper);
        match condition {
            Some(condition) => format!("... on {condition}{directives} {body}"),
            None => format!("...{directives} {body}"),
        }
    }

    fn spread(&mut self, on: &str, place: Place) -> String {
        let related = self.schema.related(on);
        let fits = |fragment: &&Fragment| {
            related.contains(&fragment.on.as_str())
                && place.depth <= fragment.place.depth
                && place.times <= fragment.place.times
        };
        let known: Vec<usize> = (0..self.fragments.len())
            .filter(|index| self.fragments.get(*index).as_ref().is_some_and(fits))
            .collect();
        let reuse = self.dice.chance(60);
        let index = match self.dice.pick(&known) {
            None if self.fragments.len() >= FRAGMENTS => return self.typename(),
            Some(index) if reuse || self.fragments.len() >= FRAGMENTS => *index,
            _ => self.fragment(&related, place),
        };
        let directives = self.directives();
        let fragment = &self.fragments[index];
        self.variables.uses(&fragment.uses);
        format!("...{}{directives}", fragment.name)
    }

    fn fragment(&mut self, related: &[&str], place: Place) -> usize {
        let on = self.dice.pick(related).copied().unwrap_or("Query").to_owned();
        self.variables.begin();
        let body = self.selection(&on, Place { depth: place.depth + 1, ..place });
        let uses = self.variables.end();
        let name = format!("F{}", self.fragments.len());
        self.fragments.push(Fragment { name, on, body, uses, place });
        self.fragments.len() - 1
    }

    /// A response key for a field with its arguments: its name, a name of another field, or one of its own.
    fn key(&mut self, name: &str, arguments: &str, ty: &str) -> String {
        let meaning = (name.to_owned(), arguments.to_owned(), ty.to_owned());
        let borrowed =
            *self.dice.pick(&["id", "name", "a", "b", "nodes", "__typename", "site", "_"]).unwrap_or(&"a");
        let own = format!("{name}_{}", self.keys.len());
        let wants_alias = self.aliases < ALIASES && self.dice.chance(15);
        let candidates = if wants_alias { [borrowed, &own, &own] } else { [name, borrowed, &own] };
        let fits = |key: &&str| self.keys.get(*key).is_none_or(|known| *known == meaning);
        let key = candidates.iter().copied().find(fits).unwrap_or(&own).to_owned();
        self.aliases += usize::from(key != name);
        self.keys.insert(key.clone(), meaning);
        key
    }

    fn directives(&mut self) -> String {
        if !self.dice.chance(12) {
            return String::new();
        }
        let mut written = Vec::new();
        for (name, keeps) in [("include", true), ("skip", false)] {
            if self.dice.chance(60) {
                let value = if self.dice.chance(65) { keeps } else { !keeps };
                written.push(format!(" @{name}(if: {})", self.condition(value)));
            }
        }
        if self.dice.chance(50) {
            written.reverse();
        }
        written.concat()
    }

    fn condition(&mut self, value: bool) -> String {
        let literal = Literal::Plain(value.into());
        let given = Some(Value::Bool(value));
        match self.dice.between(0, 3) {
            0 => value.to_string(),
            1 => self.variables.used(Variable { ty: "Boolean!".into(), default: None, given }),
            2 => self.variables.used(Variable { ty: "Boolean".into(), default: Some(literal), given: None }),
            _ => {
                let default = Some(Literal::Plain((!value).into()));
                self.variables.used(Variable { ty: "Boolean!".into(), default, given })
            }
        }
    }
}

fn aliased(key: &str, name: &str) -> String {
    if key == name { name.to_owned() } else { format!("{key}: {name}") }
}
