//! A naive mirror: it knows the rules of docs/sync.md and no others.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::Persona;

/// What is kept of each kind of row: its id, its version, and what it hangs on.
const KINDS: [(&str, &str); 10] = [
    ("Site", "id version siteStatus: status"),
    ("Partner", "id partnerVersion: version"),
    ("Seat", "id version site { id }"),
    ("GovernanceBody", "id bodyVersion: version site { id }"),
    ("Meeting", "id version body { site { id } }"),
    ("Roadmap", "id version roadmapStatus: status site { id }"),
    ("Axis", "id version site { id }"),
    ("Action", "id version site { id }"),
    ("Figure", "id version value figureStatus: status site { id } action { site { id } }"),
    ("FundingLine", "id version site { id }"),
];

/// Lists of all kinds, with the filter that gives what hangs on a site; axes are reached by their roadmaps.
const LISTS: [(&str, &str, &str); 8] = [
    ("seats", "Seat", "site"),
    ("governanceBodies", "GovernanceBody", "site"),
    ("meetings", "Meeting", "body site"),
    ("roadmaps", "Roadmap", "site"),
    ("actions", "Action", "site"),
    ("figures", "Figure", "site"),
    ("figures", "Figure", "action site"),
    ("fundingLines", "FundingLine", "site"),
];

fn fields(kind: &str) -> &'static str {
    KINDS.iter().find(|(name, _)| *name == kind).expect("a kind").1
}

/// Rows by their ids.
type Rows = BTreeMap<String, Value>;

/// Somebody with a mirror.
#[derive(Debug)]
pub struct Follower<'a> {
    persona: Persona<'a>,
    cursor: Value,
    rows: Rows,
}

impl<'a> Follower<'a> {
    /// Takes a cursor, then reads everything.
    pub async fn new(persona: Persona<'a>) -> Self {
        let last = persona.ask("{ changes(last: 1) { pageInfo { endCursor } } }").await;
        let cursor = last.data("/changes/pageInfo/endCursor").clone();
        let rows = everything(&persona).await;
        Self { persona, cursor, rows }
    }

    /// Takes a page of changes; false when there is no more, or he may not follow now.
    pub async fn page(&mut self, first: u16) -> bool {
        let kinds = KINDS.map(|(kind, fields)| format!("... on {kind} {{ {fields} }}")).join(" ");
        let document = format!(
            "query ($after: String, $first: Int) {{ changes(after: $after, first: $first) {{ pageInfo {{ hasNextPage \
             endCursor }} nodes {{ operation entity entityId node {{ __typename {kinds} }} }} }} }}"
        );
        let page = self.persona.query(&document, json!({ "after": self.cursor, "first": first })).await;
        if !page.errors().is_empty() {
            assert_eq!(page.code(), "FORBIDDEN", "{page}");
            return false;
        }
        for change in page.list("/changes/nodes") {
            self.take(change).await;
        }
        self.cursor = page.data("/changes/pageInfo/endCursor").clone();
        page.data("/changes/pageInfo/hasNextPage") == &json!(true)
    }

    async fn take(&mut self, change: &Value) {
        let id = change["entityId"].as_str().expect("an id").to_owned();
        let is_site = change["entity"] == "SITE";
        if change["operation"] == "DELETE" {
            self.rows.remove(&id);
            if is_site {
                self.rows.retain(|_, row| !hangs_on(row, &id));
            }
            return;
        }
        // one that is gone again since is told of later
        if change["node"].is_null() {
            return;
        }
        let is_new = self.rows.insert(id.clone(), change["node"].clone()).is_none();
        if is_site && is_new {
            self.rows.extend(of_site(&self.persona, &id).await);
        }
    }

    /// Reads on to the end, and compares with what he may read.
    pub async fn difference(&mut self) -> Vec<String> {
        while self.page(500).await {}
        let now = everything(&self.persona).await;
        let line = |word: &str, row: &Value| format!("{:?}: {word} {row}", self.persona.claims);
        let missed = now.iter().filter(|(id, row)| self.rows.get(*id) != Some(row));
        let missed =
            missed.map(|(id, row)| format!("{}, mirrored as {:?}", line("reads", row), self.rows.get(id)));
        let kept = self.rows.iter().filter(|(id, _)| !now.contains_key(*id));
        missed.chain(kept.map(|(_, row)| line("keeps", row))).collect()
    }
}

/// Whether a row hangs on a site: it, its committee or its action names it.
fn hangs_on(row: &Value, site: &str) -> bool {
    ["/site/id", "/body/site/id", "/action/site/id"]
        .iter()
        .any(|pointer| row.pointer(pointer).is_some_and(|id| id == site))
}

/// All that somebody may read.
async fn everything(persona: &Persona<'_>) -> Rows {
    let mut rows = Rows::new();
    for (list, kind) in [("sites", "Site"), ("partners", "Partner")] {
        read(persona, list, kind, Value::Null, &mut rows).await;
    }
    for (list, kind, by) in LISTS {
        if by != "action site" {
            read(persona, list, kind, Value::Null, &mut rows).await;
        }
    }
    rows
}

/// A site's row, and all that hangs on it.
async fn of_site(persona: &Persona<'_>, site: &str) -> Rows {
    let mut rows = Rows::new();
    for (list, kind, by) in LISTS {
        let of_one =
            by.split(' ').rev().fold(json!({ "id": { "eq": site } }), |inner, name| json!({ name: inner }));
        read(persona, list, kind, of_one, &mut rows).await;
    }
    rows
}

async fn read(persona: &Persona<'_>, list: &str, kind: &str, condition: Value, rows: &mut Rows) {
    let fields = |kind| format!("__typename {}", fields(kind));
    let axes = if kind == "Roadmap" { format!("axes {{ {} }}", fields("Axis")) } else { String::new() };
    let document = format!(
        "query ($after: String, $filter: {kind}Filter) {{ {list}(first: 100, after: $after, filter: $filter) {{ pageInfo \
         {{ hasNextPage endCursor }} nodes {{ {} {axes} }} }} }}",
        fields(kind)
    );
    let mut after = Value::Null;
    loop {
        let page = persona.query(&document, json!({ "after": after, "filter": condition })).await;
        for row in page.list(&format!("/{list}/nodes")) {
            let mut row = row.clone();
            let axes = row.as_object_mut().and_then(|row| row.remove("axes"));
            let axes = axes.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
            for row in std::iter::once(row).chain(axes) {
                rows.insert(row["id"].as_str().expect("an id").to_owned(), row);
            }
        }
        after = page.data(&format!("/{list}/pageInfo/endCursor")).clone();
        if page.data(&format!("/{list}/pageInfo/hasNextPage")) == &json!(false) {
            return;
        }
    }
}
