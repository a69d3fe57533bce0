//! Block strings in which three quotes stand: the library's parser keeps `\"""` there as it is written, where the
//! specification has `"""` (section 2.9.4). What it reads no longer tells a block string from another, so each such
//! place is marked before it parses.

use async_graphql::Positioned;
use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::parser::{Result, parse_query};
use async_graphql_value::{ConstValue, Value};

use super::check;

const ESCAPED: &str = r#"\""""#;
const QUOTES: &str = r#"""""#;

/// The document of a text.
pub fn parse(text: &str) -> Result<ExecutableDocument> {
    let Some((marked, mark)) = marked(text) else { return parse_query(text) };
    // what is wrong is told of the text as it was sent
    let Ok(mut document) = parse_query(&marked) else { return parse_query(text) };
    Unmarked(&mark).document(&mut document);
    Ok(document)
}

/// The text with a mark, which is not in it, for each `\"""` in a block string, and that mark: of as many characters, so
/// that what comes after stands where it stood.
fn marked(text: &str) -> Option<(String, String)> {
    let places = if text.contains(ESCAPED) { check::block_escapes(text) } else { Vec::new() };
    if places.is_empty() {
        return None;
    }
    // of the letters that mean nothing
    let mark = ('\u{e000}'..='\u{f8ff}').find(|letter| !text.contains(*letter))?;
    let mark = mark.to_string().repeat(ESCAPED.len());
    let (mut out, mut from) = (String::with_capacity(2 * text.len()), 0);
    for place in places {
        out.push_str(&text[from..place]);
        out.push_str(&mark);
        from = place + ESCAPED.len();
    }
    out.push_str(&text[from..]);
    Some((out, mark))
}

/// Puts quotes where the mark is.
struct Unmarked<'m>(&'m str);

impl Unmarked<'_> {
    fn document(&self, document: &mut ExecutableDocument) {
        match &mut document.operations {
            DocumentOperations::Single(operation) => self.operation(&mut operation.node),
            DocumentOperations::Multiple(operations) => {
                for operation in operations.values_mut() {
                    self.operation(&mut operation.node);
                }
            }
        }
        for fragment in document.fragments.values_mut() {
            self.set(&mut fragment.node.selection_set.node);
        }
    }

    fn operation(&self, operation: &mut OperationDefinition) {
        for variable in &mut operation.variable_definitions {
            if let Some(default) = &mut variable.node.default_value {
                self.constant(&mut default.node);
            }
        }
        self.set(&mut operation.selection_set.node);
    }

    fn set(&self, set: &mut SelectionSet) {
        for item in &mut set.items {
            match &mut item.node {
                Selection::Field(field) => {
                    field.node.arguments.iter_mut().for_each(|(_, value)| self.value(&mut value.node));
                    self.directives(&mut field.node.directives);
                    self.set(&mut field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&mut inline.node.directives);
                    self.set(&mut inline.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => self.directives(&mut spread.node.directives),
            }
        }
    }

    /// Whatever a directive is given is refused if it is a text, and told of.
    fn directives(&self, directives: &mut [Positioned<Directive>]) {
        for (_, value) in directives.iter_mut().flat_map(|directive| &mut directive.node.arguments) {
            self.value(&mut value.node);
        }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::List(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.value(field)),
            _ => {}
        }
    }

    fn constant(&self, value: &mut ConstValue) {
        match value {
            ConstValue::String(text) => self.text(text),
            ConstValue::List(items) => items.iter_mut().for_each(|item| self.constant(item)),
            ConstValue::Object(fields) => fields.values_mut().for_each(|field| self.constant(field)),
            _ => {}
        }
    }

    fn text(&self, text: &mut String) {
        if text.contains(self.0) {
            *text = text.replace(self.0, QUOTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(text: &str) -> Value {
        let document = parse(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else {
            panic!("{text}")
        };
        field.node.arguments[0].1.node.clone()
    }

    #[test]
    fn three_quotes_are_read_where_the_specification_has_them() {
        let private = "\u{e000}".repeat(4);
        let cases = [
            (r#"{ a(x: """un \""" deux \"""\"""""") }"#.to_owned(), r#"un """ deux """""""#.to_owned()),
            (r#"{ a(x: """a \n \ \" b \"""""") }"#.to_owned(), r#"a \n \ \" b """"#.to_owned()),
            // another string of the same letters, alone and beside a block string
            (r#"{ a(x: "\\\"\"\"") }"#.to_owned(), r#"\""""#.to_owned()),
            (r#"{ a(x: "\\\"\"\"", y: """\"""""") }"#.to_owned(), r#"\""""#.to_owned()),
            (format!(r#"{{ a(x: """{private}\"""""") }}"#), format!(r#"{private}""""#)),
            ("{ a(x: \"\"\"\n    \\\"\"\"\n      b\n  \"\"\") }".to_owned(), "\"\"\"\n  b".to_owned()),
            ("# \"\"\" \\\"\"\"\n{ a(x: \"\"\"b\"\"\") }".to_owned(), "b".to_owned()),
        ];
        for (text, expected) in cases {
            assert_eq!(argument(&text), Value::String(expected), "{text}");
        }
        let within = argument(r#"{ a(i: { x: [["""\""""""]] }) }"#);
        assert_eq!(within.to_string(), r#"{x: [["\"\"\""]]}"#);
    }

    #[test]
    fn what_stands_after_them_stands_where_it_stood() {
        let text = r#"{ a(x: """\"""é""") b(y: 1 }"#;
        assert_eq!(parse(text).unwrap_err().to_string(), parse_query(text).unwrap_err().to_string());
        let document = parse(r#"{ a(x: """\"""é""") b }"#).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        assert_eq!(operation.node.selection_set.node.items[1].pos.column, 21);
    }
}
