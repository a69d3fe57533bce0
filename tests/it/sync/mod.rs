//! Imports of partner systems, through HTTP: what becomes of items, and that nothing is lost, doubled or overwritten.

mod concurrency;
mod contract;
mod example;
mod example_alone;
mod history;
mod instants;
mod items;
mod kill;
mod moves;
mod partners;
mod rights;
mod snapshots;
pub(crate) mod stream;

use serde_json::{Value, json};
use tests::{Answer, GrantedSites, Persona, TestApp};

const SYNC: &str = "mutation ($input: SyncActionsInput!) { syncActions(input: $input) { replayed \
    batch { id counts { created updated unchanged conflict rejected absent } } \
    results { index outcome action { id version title status } errors { code path message } notices { code path } } \
    userErrors { code path message } } }";

/// A call and its answer.
pub(crate) struct Call(Answer);

impl Call {
    /// What became of each item.
    #[track_caller]
    fn outcomes(&self) -> Vec<&str> {
        let results = self.0.list("/syncActions/results").iter();
        results.map(|result| result["outcome"].as_str().expect("an outcome")).collect()
    }

    /// What became of the only item: its outcome, then `CODE path` of what is said of it.
    #[track_caller]
    pub(crate) fn only(&self) -> Vec<String> {
        let results = self.0.list("/syncActions/results");
        assert_eq!(results.len(), 1, "{}", self.0);
        told(&results[0])
    }

    /// An action after the call.
    #[track_caller]
    fn action(&self, index: usize) -> &Value {
        self.0.data(&format!("/syncActions/results/{index}/action"))
    }

    /// What is wrong with the call as a whole, as `CODE path`.
    #[track_caller]
    fn refused(&self) -> Vec<String> {
        self.0.list("/syncActions/userErrors").iter().map(|error| coded(error, 1)).collect()
    }
}

/// Outcome, then `CODE path` of errors and notices, paths from the item on.
fn told(result: &Value) -> Vec<String> {
    let said = [&result["errors"], &result["notices"]];
    let said = said.into_iter().flat_map(|list| list.as_array().expect("a list"));
    let outcome = result["outcome"].as_str().expect("an outcome").to_owned();
    [outcome].into_iter().chain(said.map(|problem| coded(problem, 3))).collect()
}

fn coded(problem: &Value, skip: usize) -> String {
    let steps = problem["path"].as_array().expect("a path").iter().skip(skip);
    let steps: Vec<&str> = steps.filter_map(Value::as_str).collect();
    format!("{} {}", problem["code"].as_str().expect("a code"), steps.join(".")).trim_end().to_owned()
}

async fn call(persona: &Persona<'_>, input: Value) -> Call {
    Call(persona.query(SYNC, json!({ "input": input })).await)
}

/// Sends items, and nothing else.
pub(crate) async fn send(persona: &Persona<'_>, items: Value) -> Call {
    call(persona, json!({ "items": items })).await
}

/// A new action of the first site, at ten o'clock and so many minutes.
pub(crate) fn item(id: &str, minute: u32, more: Value) -> Value {
    let mut item = json!({
        "externalId": id,
        "sourceUpdatedAt": format!("2023-06-12T10:{minute:02}:00Z"),
        "site": { "code": "cde-901" },
        "title": "Permanence emploi",
    });
    let fields = item.as_object_mut().expect("an object");
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    fields.retain(|_, value| !value.is_null());
    item
}

pub(crate) async fn france_travail(app: &TestApp) -> Persona<'_> {
    app.partner("FRANCE_TRAVAIL", GrantedSites::Codes(&["cde-901", "cde-903"])).await
}

/// How many entries the journal has.
async fn journaled(app: &TestApp) -> u64 {
    use sea_orm::{EntityTrait, PaginatorTrait};
    entity::journal::Entity::find().count(&app.db.readers).await.expect("a count")
}
