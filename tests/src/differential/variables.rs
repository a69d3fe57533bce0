//! The variables of a document: declared once under a name, given, defaulted or left out.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::literal::Literal;

/// A variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its type, as written.
    pub ty: String,
    /// Its default.
    pub default: Option<Literal>,
    /// What the request gives; `None` when it gives nothing.
    pub given: Option<Value>,
}

/// The variables of a document, and which of them the part now written uses.
#[derive(Debug)]
pub struct Variables {
    declared: Vec<Variable>,
    /// Uses by the operation or fragment being written; fragments nest.
    uses: Vec<BTreeSet<usize>>,
}

impl Variables {
    /// No variables.
    pub fn new() -> Self {
        Self { declared: Vec::new(), uses: Vec::new() }
    }

    /// A use of a variable, declared if no equal one is; answers `$name`.
    pub fn used(&mut self, variable: Variable) -> String {
        let known = self.declared.iter().position(|other| *other == variable);
        let index = known.unwrap_or_else(|| {
            self.declared.push(variable);
            self.declared.len() - 1
        });
        self.uses.last_mut().expect("a part is begun").insert(index);
        format!("$v{index}")
    }

    /// Begins an operation or a fragment.
    pub fn begin(&mut self) {
        self.uses.push(BTreeSet::new());
    }

    /// Ends it; answers what it used.
    pub fn end(&mut self) -> BTreeSet<usize> {
        self.uses.pop().expect("a part is begun")
    }

    /// Takes over what a fragment uses that is spread here.
    pub fn uses(&mut self, uses: &BTreeSet<usize>) {
        self.uses.last_mut().expect("a part is begun").extend(uses);
    }

    /// The definitions of an operation that uses these.
    pub fn definitions(&self, uses: &BTreeSet<usize>) -> String {
        let definition = |index: &usize| {
            let Variable { ty, default, .. } = &self.declared[*index];
            let default =
                default.as_ref().map_or_else(String::new, |default| format!(" = {}", default.graphql()));
            format!("$v{index}: {ty}{default}")
        };
        let definitions: Vec<String> = uses.iter().map(definition).collect();
        if definitions.is_empty() { String::new() } else { format!("({})", definitions.join(", ")) }
    }

    /// What a request gives, for all operations alike: what the one that runs does not declare is left aside.
    pub fn given(&self) -> Map<String, Value> {
        let given = self.declared.iter().enumerate();
        given.filter_map(|(index, variable)| Some((format!("v{index}"), variable.given.clone()?))).collect()
    }
}
