//! Random documents with what must come back.

use std::collections::{BTreeMap, BTreeSet};

use cites::auth::{Role, Scope};
use serde_json::{Map, Value, json};

use super::filters::Filter;
use super::graph::{Leaf, Link, Shape, TYPES, Type};
use super::matrix::Eyes;
use super::statistics;
use super::who::Who;
use crate::Answer;
use crate::dice::Dice;
use crate::world::World;

/// A document, and the data that answer it, lists of objects in no order.
#[derive(Debug)]
pub struct Read {
    /// The document.
    pub document: String,
    /// What must come back.
    pub expected: Value,
}

impl Read {
    /// Says how an answer differs from what must come back; lists of objects have no order.
    pub fn difference(&self, answer: &Answer) -> Option<String> {
        let (mut got, mut expected) = (answer.body["data"].clone(), self.expected.clone());
        sort(&mut got);
        sort(&mut expected);
        let same = answer.errors().is_empty() && got == expected;
        (!same).then(|| {
            format!(
                "asked {}\n\nexpected {expected}\n\ngot      {}",
                self.document,
                match answer.errors() {
                    [] => got.to_string(),
                    _ => answer.to_string(),
                }
            )
        })
    }
}

/// Puts lists of objects into one order.
fn sort(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(sort);
            if items.iter().any(Value::is_object) {
                items.sort_by_cached_key(Value::to_string);
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(sort),
        _ => {}
    }
}

/// Makes documents, and counts what they ask for, so that everything is asked for in the end.
#[derive(Debug, Default)]
pub struct Reads {
    /// How often each field that leads to rows was asked for, by the name of its type.
    pub asked: BTreeMap<(&'static str, &'static str), usize>,
}

/// What is asked of the rows of a type.
struct Selection {
    of: &'static Type,
    leaves: Vec<&'static Leaf>,
    links: Vec<(&'static Link, Option<Filter>, Self)>,
}

impl Reads {
    /// A document of a caller over a world.
    pub fn random(&mut self, dice: &mut Dice, world: &World, who: &Who) -> Read {
        let anct = Who::of(Role::Anct, Scope::ALL.to_vec());
        let (eyes, all) = (Eyes { world, who }, Eyes { world, who: &anct });
        match dice.between(0, 99) {
            0..55 => self.list(dice, &eyes, &all),
            55..75 => self.one(dice, &eyes),
            75..82 => {
                self.count("Query", "nodes");
                nodes(dice, &eyes)
            }
            82..87 => self.mine(dice, &eyes),
            _ => {
                let (read, shown) = statistics::random(dice, &eyes, &all);
                self.count("Query", "actionStatistics");
                for field in shown {
                    self.count("ActionGroup", field);
                }
                read
            }
        }
    }

    fn count(&mut self, of: &'static str, field: &'static str) {
        *self.asked.entry((of, field)).or_default() += 1;
    }

    /// Of three, what was asked for the least.
    fn rarest<'t, T>(
        &mut self,
        dice: &mut Dice,
        of: &'static str,
        choice: &'t [T],
        name: impl Fn(&T) -> &'static str,
    ) -> &'t T {
        let three = [0; 3].map(|_| dice.pick(choice).expect("a choice"));
        let times = |one: &&&T| self.asked.get(&(of, name(one))).copied().unwrap_or_default();
        let found = three.iter().min_by_key(times).expect("one of three");
        self.count(of, name(found));
        found
    }

    fn list(&mut self, dice: &mut Dice, eyes: &Eyes<'_>, all: &Eyes<'_>) -> Read {
        let listed: Vec<&'static Type> = TYPES.iter().filter(|of| !of.list.is_empty()).collect();
        let of = *self.rarest(dice, "Query", &listed, |of| of.list);
        let filter = dice.chance(60).then(|| Filter::random(dice, all, of, 3));
        let selection = self.selection(dice, all, of, 2);
        let rows = eyes.all(of).filter(|at| eyes.reads(of.name, *at)).collect();
        let expected = selection.page(eyes, rows, filter.as_ref());
        let document = format!("{{ list: {}{} }}", of.list, selection.page_text(filter.as_ref()));
        Read { document, expected: json!({ "list": expected }) }
    }

    /// By the look-up of a type, and by `node`.
    fn one(&mut self, dice: &mut Dice, eyes: &Eyes<'_>) -> Read {
        let found: Vec<&'static Type> = TYPES.iter().filter(|of| !of.lookup.is_empty()).collect();
        let of = *self.rarest(dice, "Query", &found, |of| of.lookup);
        let selection = self.selection(dice, eyes, of, 2);
        let rows: Vec<usize> = eyes.all(of).collect();
        let Some(at) = dice.pick(&rows).copied() else { return nodes(dice, eyes) };
        let key = eyes.key(of, at);
        let object = if eyes.reads(of.name, at) { selection.object(eyes, at) } else { Value::Null };
        let text = selection.text();
        let mut fields = vec![format!("one: {}(by: {{ {}: {key} }}) {text}", of.lookup, of.key)];
        let mut expected = json!({ "one": object });
        if of.key == "id" && dice.chance(50) {
            self.count("Query", "node");
            fields.push(format!("node: node(id: {key}) {{ ... on {} {text} }}", of.name));
            expected["node"] = expected["one"].clone();
        }
        Read { document: format!("{{ {} }}", fields.join(" ")), expected }
    }

    /// The caller's own sites.
    fn mine(&mut self, dice: &mut Dice, eyes: &Eyes<'_>) -> Read {
        self.count("Viewer", "sites");
        let of = Type::named("Site");
        let selection = self.selection(dice, eyes, of, 1);
        let owns = |at: &usize| {
            let facts = eyes.facts("Site", *at);
            !facts.is_deleted && eyes.owns("Site", &facts)
        };
        let expected = selection.page(eyes, eyes.all(of).filter(owns).collect(), None);
        // no arguments there, and no need of them
        let document = format!("{{ viewer {{ sites {{ totalCount nodes {} }} }} }}", selection.text());
        Read { document, expected: json!({ "viewer": { "sites": expected } }) }
    }

    fn selection(&mut self, dice: &mut Dice, all: &Eyes<'_>, of: &'static Type, depth: usize) -> Selection {
        let mut leaves = of.leaves();
        // its key first, and some others
        while leaves.len() > 3 {
            leaves.remove(dice.between(1, leaves.len() - 1));
        }
        let mut links = Vec::new();
        let mut taken = BTreeSet::new();
        for _ in 0..if depth == 0 || of.links().is_empty() { 0 } else { dice.between(1, 3) } {
            let link = self.rarest(dice, of.name, of.links(), |link| link.name);
            if !taken.insert(link.name) {
                continue;
            }
            let to = Type::named(link.to);
            let filters = link.shape == Shape::Many && dice.chance(30);
            let filter = filters.then(|| Filter::random(dice, all, to, 1));
            links.push((link, filter, self.selection(dice, all, to, depth - 1)));
        }
        Selection { of, leaves, links }
    }
}

/// Rows of all kinds by their ids.
fn nodes(dice: &mut Dice, eyes: &Eyes<'_>) -> Read {
    let typed: Vec<&'static Type> = TYPES.iter().filter(|of| of.key == "id").collect();
    let mut ids = Vec::new();
    let mut expected = Vec::new();
    for _ in 0..dice.between(1, 20) {
        let of = dice.any(&typed);
        let rows: Vec<usize> = eyes.all(of).collect();
        if let Some(at) = dice.pick(&rows) {
            let id = eyes.key(of, *at);
            expected.push(if eyes.reads(of.name, *at) { json!({ "id": id }) } else { Value::Null });
            ids.push(id.to_string());
        }
    }
    let document = format!("{{ nodes(ids: [{}]) {{ id }} }}", ids.join(", "));
    Read { document, expected: json!({ "nodes": expected }) }
}

impl Selection {
    fn text(&self) -> String {
        let mut fields: Vec<String> = self.leaves.iter().map(|leaf| leaf.name.to_owned()).collect();
        for (link, filter, inner) in &self.links {
            fields.push(match link.shape {
                Shape::Many => format!("{}{}", link.name, inner.page_text(filter.as_ref())),
                _ => format!("{} {}", link.name, inner.text()),
            });
        }
        format!("{{ {} }}", fields.join(" "))
    }

    fn page_text(&self, filter: Option<&Filter>) -> String {
        let filter = filter.map(|filter| format!(", filter: {}", filter.text())).unwrap_or_default();
        format!("(first: 100{filter}) {{ totalCount nodes {} }}", self.text())
    }

    fn page(&self, eyes: &Eyes<'_>, mut rows: Vec<usize>, filter: Option<&Filter>) -> Value {
        rows.retain(|at| filter.is_none_or(|filter| filter.meets(eyes, self.of, *at)));
        json!({ "totalCount": rows.len(), "nodes": self.objects(eyes, &rows) })
    }

    fn objects(&self, eyes: &Eyes<'_>, rows: &[usize]) -> Vec<Value> {
        rows.iter().map(|at| self.object(eyes, *at)).collect()
    }

    fn object(&self, eyes: &Eyes<'_>, at: usize) -> Value {
        let mut object = Map::new();
        for leaf in &self.leaves {
            object.insert(leaf.name.to_owned(), eyes.value(self.of, at, leaf));
        }
        for (link, filter, inner) in &self.links {
            let rows = eyes.linked(self.of, at, link);
            let value = match link.shape {
                Shape::Many => inner.page(eyes, rows, filter.as_ref()),
                Shape::List => Value::Array(inner.objects(eyes, &rows)),
                _ => rows.first().map_or(Value::Null, |row| inner.object(eyes, *row)),
            };
            object.insert(link.name.to_owned(), value);
        }
        Value::Object(object)
    }
}
