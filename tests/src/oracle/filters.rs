//! Random filters, and whether a row meets one.

use serde_json::{Value, json};

use super::graph::{Leaf, Link, Shape, Type, Written};
use super::matrix::Eyes;
use crate::dice::Dice;

/// A filter over the rows of a type.
#[derive(Debug)]
pub(super) enum Filter {
    /// `{}`, which every row meets.
    Empty,
    /// A field compared.
    Leaf(&'static Leaf, Compare),
    /// The code behind a field compared.
    Code(&'static Link, Compare),
    /// Rows behind a field: `some`, `none`, or the one.
    Link(&'static Link, &'static str, Box<Self>),
    /// `not`.
    Not(Box<Self>),
    /// `and`, `or`.
    Several(&'static str, Vec<Self>),
}

/// An operator with its operands.
#[derive(Debug)]
pub(super) struct Compare {
    operator: &'static str,
    operands: Vec<Value>,
    written: Written,
}

impl Filter {
    /// A random filter over a type, of some depth; `all` sees everything and gives the operands.
    pub fn random(dice: &mut Dice, all: &Eyes<'_>, of: &'static Type, depth: usize) -> Self {
        let deeper = |dice: &mut Dice, of| Box::new(Self::random(dice, all, of, depth - 1));
        match dice.between(0, 9) {
            0 => Self::Empty,
            1 if depth > 0 => Self::Not(deeper(dice, of)),
            2 if depth > 0 => {
                let word = dice.any(&["and", "or"]);
                Self::Several(word, vec![*deeper(dice, of), *deeper(dice, of)])
            }
            3..=7 if depth > 0 && !of.links().is_empty() => {
                let link = dice.pick(of.links()).expect("a link");
                match link.shape {
                    Shape::OneByCode => Self::code(dice, all, of, link),
                    Shape::One => Self::Link(link, "", deeper(dice, Type::named(link.to))),
                    Shape::Many | Shape::List => {
                        let word = dice.any(&["some", "none"]);
                        Self::Link(link, word, deeper(dice, Type::named(link.to)))
                    }
                }
            }
            _ => Self::leaf(dice, all, of),
        }
    }

    fn leaf(dice: &mut Dice, all: &Eyes<'_>, of: &'static Type) -> Self {
        let leaves: Vec<&Leaf> =
            of.leaves().into_iter().filter(|leaf| leaf.written != Written::Shown).collect();
        let leaf = dice.any(&leaves);
        let values: Vec<Value> = all.all(of).map(|at| (leaf.value)(all, at)).collect();
        Self::Leaf(leaf, Compare::random(dice, &values, leaf.written))
    }

    fn code(dice: &mut Dice, all: &Eyes<'_>, of: &'static Type, link: &'static Link) -> Self {
        let values: Vec<Value> = all.all(of).map(|at| code(all, at, link)).collect();
        Self::Code(link, Compare::random(dice, &values, Written::Text))
    }

    /// The filter as an input object.
    pub fn text(&self) -> String {
        match self {
            Self::Empty => "{}".to_owned(),
            Self::Leaf(leaf, compare) => format!("{{ {}: {} }}", leaf.name, compare.text()),
            Self::Code(link, compare) => format!("{{ {}: {} }}", link.name, compare.text()),
            Self::Link(link, "", inner) => format!("{{ {}: {} }}", link.name, inner.text()),
            Self::Link(link, word, inner) => format!("{{ {}: {{ {word}: {} }} }}", link.name, inner.text()),
            Self::Not(inner) => format!("{{ not: {} }}", inner.text()),
            Self::Several(word, inner) => {
                let inner: Vec<String> = inner.iter().map(Self::text).collect();
                format!("{{ {word}: [{}] }}", inner.join(", "))
            }
        }
    }

    /// Whether a row meets it, as far as the caller reads.
    pub fn meets(&self, eyes: &Eyes<'_>, of: &Type, at: usize) -> bool {
        match self {
            Self::Empty => true,
            Self::Leaf(leaf, compare) => compare.holds(&eyes.value(of, at, leaf)),
            Self::Code(link, compare) => {
                let is_read = eyes.reads_field(of, at, link.restricted);
                compare.holds(&if is_read { code(eyes, at, link) } else { Value::Null })
            }
            Self::Link(link, word, inner) => {
                let to = Type::named(link.to);
                let found = eyes.linked(of, at, link).into_iter().any(|row| inner.meets(eyes, to, row));
                found != (*word == "none")
            }
            Self::Not(inner) => !inner.meets(eyes, of, at),
            Self::Several("and", inner) => inner.iter().all(|filter| filter.meets(eyes, of, at)),
            Self::Several(_, inner) => inner.iter().any(|filter| filter.meets(eyes, of, at)),
        }
    }
}

/// The code of the row behind a field.
fn code(eyes: &Eyes<'_>, at: usize, link: &Link) -> Value {
    (link.rows)(eyes, at).first().map_or(Value::Null, |row| eyes.key(Type::named(link.to), *row))
}

impl Compare {
    fn random(dice: &mut Dice, values: &[Value], written: Written) -> Self {
        let known: Vec<Value> = values.iter().filter(|value| !value.is_null()).cloned().collect();
        let (Some(value), false) = (dice.pick(&known), dice.chance(15)) else {
            let operands = vec![json!(dice.chance(50))];
            return Self { operator: "isNull", operands, written: Written::Bare };
        };
        let lists = !value.is_boolean() && dice.chance(35);
        let operands = if lists { dice.some(&known, 1, 3) } else { vec![value.clone()] };
        let operator = match (lists, dice.chance(25)) {
            (true, true) => "notIn",
            (true, false) => "in",
            (false, true) => "ne",
            (false, false) => "eq",
        };
        Self { operator, operands, written }
    }

    fn text(&self) -> String {
        let operand = |value: &Value| match (self.written, value.as_str()) {
            (Written::Bare, Some(name)) => name.to_owned(),
            _ => value.to_string(),
        };
        let operands: Vec<String> = self.operands.iter().map(operand).collect();
        let operands = operands.join(", ");
        if ["in", "notIn"].contains(&self.operator) {
            format!("{{ {}: [{operands}] }}", self.operator)
        } else {
            format!("{{ {}: {operands} }}", self.operator)
        }
    }

    /// Whether a value meets it; none is no value.
    fn holds(&self, value: &Value) -> bool {
        match self.operator {
            "isNull" => json!(value.is_null()) == self.operands[0],
            "eq" | "in" => self.operands.contains(value),
            _ => !self.operands.contains(value),
        }
    }
}
