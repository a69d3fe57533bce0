//! Writes through HTTP: what each does, who may, what is refused, and that nothing is lost.

mod access;
mod atomic;
mod audit;
mod checks;
mod closures;
mod concurrency;
mod erasures;
mod figures;
mod flags;
mod grants;
mod ground;
mod idempotency;
pub(crate) mod kill;
mod lifecycles;
mod merges;
mod people;
mod perimeters;
mod rights;
mod roles;
mod shown;
mod story;
mod systems;
mod together;
mod waits;

use std::future::{Future, poll_fn};
use std::task::Poll;

use cites::ids;
use entity::{StringList, client_grant};
use sea_orm::EntityTrait;
use sea_orm::sea_query::Expr;
use serde_json::{Value, json};
use tests::world::{Kind, id};
use tests::{Answer, Persona, TestApp};

pub use concurrency::{at_once, done, until_somebody_waits, waiting};

/// Each mutation, by the field under which its payload shows the object.
pub const MUTATIONS: [(&str, &[&str]); 12] = [
    (
        "site",
        &[
            "createSite",
            "updateSite",
            "setSiteLabel",
            "setSiteMilestone",
            "removeSiteMilestone",
            "deleteSite",
            "transitionSite",
            "addSiteQpv",
            "endSiteQpv",
            "reportQuarter",
        ],
    ),
    ("partner", &["createPartner", "updatePartner", "closePartner", "mergePartner"]),
    ("seat", &["giveSeat", "endSeat"]),
    ("referent", &["createReferent", "updateReferent", "endReferent", "eraseReferent"]),
    (
        "governanceBody",
        &["createGovernanceBody", "updateGovernanceBody", "transitionGovernanceBody", "setGovernanceMembers"],
    ),
    ("meeting", &["planMeeting", "holdMeeting", "updateMeeting", "cancelMeeting"]),
    ("roadmap", &["createRoadmap", "setRoadmapAxes", "adoptRoadmap"]),
    ("action", &["createAction", "updateAction", "transitionAction", "deleteAction"]),
    ("figure", &["submitFigure", "validateFigure", "reviseFigure", "withdrawFigure"]),
    ("fundingLine", &["createFundingLine", "updateFundingLine", "deleteFundingLine"]),
    ("clientGrant", &["createClientGrant", "updateClientGrant", "revokeClientGrant"]),
    ("webhook", &["createWebhook", "updateWebhook", "deleteWebhook"]),
];

/// What a mutation came to.
#[derive(Clone, Debug)]
pub struct Written(pub Answer);

impl Written {
    /// Nothing was wrong; gives the object.
    #[track_caller]
    pub fn done(&self) -> &Value {
        assert_eq!(*self.0.data("/result/userErrors"), json!([]), "{}", self.0);
        self.0.data("/result/object")
    }

    /// The id of the object that was written.
    #[track_caller]
    pub fn id(&self) -> String {
        self.done()["id"].as_str().unwrap_or_else(|| panic!("no id: {}", self.0)).to_owned()
    }

    /// Its version.
    #[track_caller]
    pub fn version(&self) -> i64 {
        self.done()["version"].as_i64().unwrap_or_else(|| panic!("no version: {}", self.0))
    }

    /// Whether the answer was kept from before.
    #[track_caller]
    pub fn replayed(&self) -> bool {
        self.0.data("/result/replayed") == &json!(true)
    }

    /// What was wrong, as `CODE path.in.the.input`, in order of the text.
    #[track_caller]
    pub fn problems(&self) -> Vec<String> {
        let text = |problem: &Value| {
            let steps = problem["path"].as_array().expect("a path").iter().skip(1);
            let steps: Vec<&str> = steps.filter_map(Value::as_str).collect();
            let code = problem["code"].as_str().expect("a code");
            assert_eq!(problem["path"][0], "input", "{problem}");
            assert!(problem["message"].as_str().is_some_and(|message| message.len() > 5), "{problem}");
            format!("{code} {}", steps.join(".")).trim_end().to_owned()
        };
        let mut problems: Vec<String> = self.0.list("/result/userErrors").iter().map(text).collect();
        problems.sort();
        problems
    }

    /// The code of the first thing that was wrong, or of the fault; `OK` if nothing was.
    pub fn outcome(&self) -> String {
        if let Some(error) = self.0.errors().first() {
            return error["extensions"]["code"].as_str().unwrap_or("no code").to_owned();
        }
        let first = self.0.body.pointer("/data/result/userErrors/0/code");
        first.and_then(Value::as_str).unwrap_or("OK").to_owned()
    }
}

/// Sends one mutation; the object is asked for its id and version, and for what `more` selects.
pub async fn write_and(persona: &Persona<'_>, name: &str, input: Value, more: &str) -> Written {
    let (field, _) = MUTATIONS.iter().find(|(_, names)| names.contains(&name)).expect("a mutation");
    let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let document = format!(
        "mutation ($input: {kind}!) {{ result: {name}(input: $input) {{ object: {field} {{ id version {more} }} \
         userErrors {{ code path message }} replayed }} }}"
    );
    Written(persona.query(&document, json!({ "input": input })).await)
}

/// Sends one mutation.
pub async fn write(persona: &Persona<'_>, name: &str, input: Value) -> Written {
    write_and(persona, name, input, "").await
}

/// The id of a row of the small world, as clients see it.
pub fn known(kind: Kind, n: u16) -> String {
    let prefix = match kind {
        Kind::Site => "site",
        Kind::Qpv => "qpv",
        Kind::Partner => "partner",
        Kind::Seat => "seat",
        Kind::Referent => "referent",
        Kind::Body => "body",
        Kind::Meeting => "meeting",
        Kind::Roadmap => "roadmap",
        Kind::Axis => "axis",
        Kind::Action => "action",
        Kind::Figure => "figure",
        Kind::Funding => "funding",
        Kind::Link => "link",
    };
    ids::encode(prefix, id(kind, n))
}

/// Grants every client these indicators, and no others.
pub async fn grant_indicators(app: &TestApp, indicators: &[&str]) {
    let list: StringList = indicators.iter().copied().collect();
    let change =
        client_grant::Entity::update_many().col_expr(client_grant::Column::Indicators, Expr::value(list));
    change.exec(&app.db.writer).await.expect("grants are written");
}

/// Runs everything at once and waits for all of it.
pub async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        for (future, output) in running.iter_mut().filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(context) {
                *output = Some(ready);
            }
        }
        if running.iter().all(|(_, output)| output.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}
