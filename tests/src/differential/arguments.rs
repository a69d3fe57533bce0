//! Arguments that fit the rows, written in the ways the language has for one value.

use async_graphql::parser::types::Type;
use serde_json::Value;

use super::literal::{Literal, block_string, escaped_string};
use super::pool::Pool;
use super::schema::{Field, Input, Kind, Schema, item, named};
use super::variables::{Variable, Variables};
use crate::dice::Dice;

/// Rows of a page when an argument does not say.
const PAGE: usize = 20;
/// Deepest nesting of a filter; the API allows more.
const FILTER_DEPTH: usize = 3;

/// Makes and writes arguments.
#[derive(Debug)]
pub struct Arguments<'g> {
    /// The schema.
    pub schema: &'g Schema,
    /// Values of the rows.
    pub pool: &'g Pool,
    /// Names a set of filters: documents that take theirs from one set ask few values alone.
    pub filters: u64,
}

/// Arguments as written, and about how many objects the field then gives.
#[derive(Debug, Default)]
pub struct Written {
    /// With parentheses; nothing without arguments.
    pub text: String,
    /// About how many objects.
    pub size: usize,
}

impl Arguments<'_> {
    /// Arguments for a field that may give about `room` objects; `None` where the rows have no value that one needs.
    pub fn write(
        &self,
        dice: &mut Dice,
        variables: &mut Variables,
        field: &Field,
        room: usize,
    ) -> Option<Written> {
        let (given, size) = self.choose(dice, field, room);
        let is_given = |input: &Input| given.iter().any(|(name, _)| *name == input.name);
        if field.arguments.iter().any(|input| input.is_required() && !is_given(input)) {
            return None;
        }
        let mut texts = Vec::new();
        for input in &field.arguments {
            if let Some((_, value)) = given.iter().find(|(name, _)| *name == input.name) {
                let text = self.value(dice, variables, value, &input.ty, false);
                texts.push(format!("{}: {text}", input.name));
            } else if input.ty.nullable && dice.chance(3) {
                // a variable that nobody gives leaves the argument out
                let absent = Variable { ty: input.ty.to_string(), default: None, given: None };
                texts.push(format!("{}: {}", input.name, variables.used(absent)));
            }
        }
        if dice.chance(50) {
            texts.reverse();
        }
        let text = if texts.is_empty() { String::new() } else { format!("({})", texts.join(", ")) };
        Some(Written { text, size })
    }

    fn choose(&self, dice: &mut Dice, field: &Field, room: usize) -> (Vec<(String, Literal)>, usize) {
        match named(&field.ty).strip_suffix("Connection") {
            Some(noun) if !field.arguments.is_empty() => self.page(dice, field, noun, room),
            Some(_) => (Vec::new(), PAGE),
            None => self.others(dice, field),
        }
    }

    fn page(
        &self,
        dice: &mut Dice,
        field: &Field,
        noun: &str,
        room: usize,
    ) -> (Vec<(String, Literal)>, usize) {
        let mut given = Vec::new();
        let mut size = PAGE;
        if room < PAGE || dice.chance(85) {
            size = dice.between(0, room.clamp(1, 3));
            let end = if dice.chance(70) { "first" } else { "last" };
            given.push((end.to_owned(), Literal::Plain(size.into())));
        }
        let has = |name: &str| field.arguments.iter().any(|argument| argument.name == name);
        if dice.chance(35)
            && let Some(filter) = self.filter(dice, noun)
        {
            given.push(("filter".to_owned(), filter));
        }
        if has("orderBy") && dice.chance(25) {
            given.push(("orderBy".to_owned(), self.order(dice, noun)));
        } else if dice.chance(12)
            && let Some(cursor) = dice.pick(self.pool.cursors(noun))
        {
            let edge = if dice.chance(60) { "after" } else { "before" };
            given.push((edge.to_owned(), cursor.clone()));
        }
        for name in ["filter", "orderBy", "after"] {
            if has(name) && dice.chance(2) && given.iter().all(|(other, _)| other != name) {
                given.push((name.to_owned(), Literal::Null));
            }
        }
        (given, size)
    }

    fn order(&self, dice: &mut Dice, noun: &str) -> Literal {
        let Kind::Enum(fields) = self.schema.kind(&format!("{noun}OrderField")) else { return Literal::Null };
        let mut terms: Vec<Literal> = Vec::new();
        for _ in 0..dice.between(1, 2) {
            let field = dice
                .pick(&fields[..fields.len().min(4)])
                .map_or(Literal::Null, |name| Literal::Enum(name.clone()));
            let mut term = vec![("field".to_owned(), field)];
            if dice.chance(60) {
                let direction = if dice.chance(50) { "ASC" } else { "DESC" };
                term.push(("direction".to_owned(), Literal::Enum(direction.to_owned())));
            }
            terms.push(Literal::Object(term));
        }
        Literal::List(terms)
    }

    /// One of the eight filters that the set has for a type.
    fn filter(&self, dice: &mut Dice, noun: &str) -> Option<Literal> {
        let ty = Type::new(&format!("{noun}Filter"))?;
        let mut fixed = Dice::new(self.filters.wrapping_mul(8).wrapping_add(dice.between(0, 7) as u64));
        self.literal(&mut fixed, &ty, noun, "filter", 0)
    }

    fn others(&self, dice: &mut Dice, field: &Field) -> (Vec<(String, Literal)>, usize) {
        let mut given = Vec::new();
        let mut size = if item(&field.ty).is_some() { 5 } else { 1 };
        for input in &field.arguments {
            if !input.is_required() && dice.chance(50) {
                continue;
            }
            let value = match input.name.as_str() {
                "filter" => self.filter(dice, "Action"),
                "groupBy" => Some(dimensions(dice, self.schema)),
                _ => self.literal(dice, &input.ty, named(&field.ty), &input.name, 0),
            };
            if let Some(Literal::List(items)) = &value {
                size = items.len().max(size);
            }
            given.extend(value.map(|value| (input.name.clone(), value)));
        }
        (given, size)
    }

    /// A value of a type within the inputs of a noun; `None` where the rows have none that would fit.
    fn literal(&self, dice: &mut Dice, ty: &Type, noun: &str, name: &str, depth: usize) -> Option<Literal> {
        if let Some(inner) = item(ty) {
            let items = (0..dice.between(0, 3)).filter_map(|_| self.literal(dice, inner, noun, name, depth));
            return Some(Literal::List(items.collect()));
        }
        let ty = named(ty);
        match self.schema.kind(ty) {
            Kind::Enum(values) => dice.pick(values).map(|value| Literal::Enum(value.clone())),
            Kind::Input { .. } if ty == "GeoPointInput" => dice.pick(self.pool.points()).cloned(),
            Kind::Input { fields, one_of } => self.object(dice, ty, fields, *one_of, noun, depth),
            _ => self.scalar(dice, ty, noun, name),
        }
    }

    fn scalar(&self, dice: &mut Dice, ty: &str, noun: &str, name: &str) -> Option<Literal> {
        match ty {
            "Boolean" => Some(Literal::Plain(dice.chance(50).into())),
            "ID" if noun == "Node" => {
                let mut nouns = self.schema.related("Node");
                nouns.retain(|noun| !self.pool.values(noun).is_empty());
                let noun = dice.pick(&nouns)?;
                dice.pick(self.pool.values(noun)).cloned()
            }
            "ID" => dice.pick(self.pool.values(noun)).cloned(),
            "String" if name == "contains" => {
                let Literal::Plain(Value::String(text)) = dice.pick(self.pool.values("String"))? else {
                    return None;
                };
                let letters: Vec<char> = text.chars().collect();
                let from = dice.between(0, letters.len().saturating_sub(3));
                Some(Literal::text(letters.iter().skip(from).take(3).collect::<String>()))
            }
            _ => dice.pick(self.pool.values(ty)).cloned(),
        }
    }

    fn object(
        &self,
        dice: &mut Dice,
        ty: &str,
        fields: &[Input],
        one_of: bool,
        noun: &str,
        depth: usize,
    ) -> Option<Literal> {
        let noun = ty
            .strip_suffix("Filter")
            .filter(|noun| !self.schema.inputs(&format!("{noun}By")).is_empty())
            .unwrap_or(noun);
        let deep = |input: &Input| {
            self.schema
                .inputs(named(&input.ty))
                .iter()
                .any(|field| matches!(field.name.as_str(), "and" | "some"))
        };
        let allowed: Vec<&Input> =
            fields.iter().filter(|input| depth < FILTER_DEPTH || !deep(input)).collect();
        let mut object: Vec<(String, Literal)> = Vec::new();
        for _ in 0..if one_of || dice.chance(80) { 1 } else { 2 } {
            let input = dice.pick(&allowed)?;
            if let Some(value) = self.literal(dice, &input.ty, noun, &input.name, depth + 1)
                && object.iter().all(|(name, _)| *name != input.name)
            {
                object.push((input.name.clone(), value));
            }
        }
        (!one_of || object.len() == 1).then_some(Literal::Object(object))
    }

    /// A value as written in a place of a type: in parts or whole as variables, in one or another spelling.
    fn value(
        &self,
        dice: &mut Dice,
        variables: &mut Variables,
        value: &Literal,
        ty: &Type,
        one_of: bool,
    ) -> String {
        if dice.chance(15) {
            return variables.used(variable(dice, value, ty, one_of));
        }
        match value {
            Literal::List(items) => {
                let inner = item(ty).unwrap_or(ty);
                let texts: Vec<String> =
                    items.iter().map(|item| self.value(dice, variables, item, inner, false)).collect();
                match texts.as_slice() {
                    // an item that is a variable would have to be of the list's type
                    [only] if !only.starts_with('$') && *only != "null" && dice.chance(30) => only.clone(),
                    _ => format!("[{}]", texts.join(if dice.chance(50) { ", " } else { " " })),
                }
            }
            Literal::Object(fields) => {
                let (declared, one_of) = match self.schema.kind(named(ty)) {
                    Kind::Input { fields, one_of } => (fields.as_slice(), *one_of),
                    _ => (&[][..], false),
                };
                let texts = fields.iter().map(|(name, value)| {
                    let input = declared.iter().find(|input| input.name == *name);
                    let text = input.map_or_else(
                        || value.graphql(),
                        |input| self.value(dice, variables, value, &input.ty, one_of),
                    );
                    format!("{name}: {text}")
                });
                format!("{{{}}}", texts.collect::<Vec<_>>().join(", "))
            }
            Literal::Plain(Value::String(text)) => match dice.between(0, 9) {
                0 => escaped_string(text),
                1 => block_string(text).unwrap_or_else(|| value.graphql()),
                _ => value.graphql(),
            },
            _ => value.graphql(),
        }
    }
}

/// A variable that brings a value to a place of a type.
fn variable(dice: &mut Dice, value: &Literal, ty: &Type, one_of: bool) -> Variable {
    let json = match value.json() {
        // one value stands for a list of it
        Value::Array(items) if items.len() == 1 && !items[0].is_null() && dice.chance(30) => items[0].clone(),
        json => json,
    };
    let strict = format!("{}!", ty.to_string().trim_end_matches('!'));
    let loose = strict.trim_end_matches('!').to_owned();
    let is_null = *value == Literal::Null;
    if !is_null && (one_of || dice.chance(40)) {
        return Variable { ty: strict, default: None, given: Some(json) };
    }
    if dice.chance(50) || !ty.nullable {
        // where null is refused, a default makes a nullable variable fit
        let given = (dice.chance(40)).then_some(json);
        return Variable { ty: loose, default: Some(value.clone()), given };
    }
    Variable { ty: loose, default: None, given: Some(json) }
}

fn dimensions(dice: &mut Dice, schema: &Schema) -> Literal {
    let Kind::Enum(values) = schema.kind("ActionDimension") else { return Literal::Null };
    let mut chosen: Vec<Literal> = Vec::new();
    for _ in 0..dice.between(1, 2) {
        let value = dice.pick(values).map_or(Literal::Null, |value| Literal::Enum(value.clone()));
        if !chosen.contains(&value) {
            chosen.push(value);
        }
    }
    Literal::List(chosen)
}
