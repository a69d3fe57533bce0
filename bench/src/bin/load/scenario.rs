//! The documents, with their variables, where the limit answers the same, and what they may cost.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::client::{Connection, Repeated, Request, Script};

/// The page of all actions, and how many it has.
const PAGE: &str = include_str!("../../../documents/actions.graphql");
const PAGE_LENGTH: usize = 50;

/// What a document may cost in CPU, server and database together.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// So many times what the limit costs.
    OfLimit(f64),
    /// So many times what another document costs on the product.
    Of(&'static str, f64),
    /// Measured for itself.
    None,
}

/// A document under measure.
#[derive(Debug)]
pub struct Scenario {
    /// What the table calls it.
    pub name: &'static str,
    /// The product's request.
    pub product: Request,
    /// The limit's.
    pub limit: Option<Request>,
    /// What it may cost.
    pub target: Target,
    /// How many may ask for it at once and still be served: others are turned away.
    pub at_most: usize,
}

/// Where the servers are, and as whom the product is asked.
#[derive(Clone, Debug)]
pub struct Servers {
    /// The product.
    pub product: SocketAddr,
    /// The limit, where there is one.
    pub limit: Option<SocketAddr>,
    /// A token that reads every row.
    pub token: String,
}

/// Every scenario; a deep page lies behind `depth` actions.
pub async fn all(servers: &Servers, depth: usize) -> anyhow::Result<Vec<Scenario>> {
    const CONDITIONS: &str = "status=PLANNED,IN_PROGRESS&from=2022-01-01&pillar=INNOVER";
    let id = servers.some_action().await?;
    let deep = servers.product_cursor(depth).await?;
    let deep_path = match servers.limit {
        Some(address) => format!("/actions?after={}", limit_cursor(address, depth).await?),
        None => String::new(),
    };
    let conditions = json!({ "status": ["PLANNED", "IN_PROGRESS"], "from": "2022", "pillar": "INNOVER" });
    Ok(vec![
        servers.scenario(
            "SiteCards",
            (include_str!("../../../documents/site_cards.graphql"), json!({})),
            "/site-cards",
            Target::OfLimit(1.25),
        ),
        servers.scenario(
            "action by id",
            (include_str!("../../../documents/action.graphql"), json!({ "id": id })),
            &format!("/action/{id}"),
            Target::OfLimit(2.0),
        ),
        servers.scenario(
            "action by id with its QPV",
            (include_str!("../../../documents/action_with_qpvs.graphql"), json!({ "id": id })),
            &format!("/action-with-qpvs/{id}"),
            Target::None,
        ),
        servers.scenario(
            "filtered page of 50",
            (include_str!("../../../documents/action_page.graphql"), conditions),
            &format!("/action-page?{CONDITIONS}"),
            Target::OfLimit(1.25),
        ),
        servers.scenario(FIRST_PAGE, (PAGE, json!({})), "/actions", Target::OfLimit(1.25)),
        servers.scenario(
            "deep page of 50",
            (PAGE, json!({ "after": deep })),
            &deep_path,
            Target::Of(FIRST_PAGE, 1.2),
        ),
        servers
            .scenario(
                "actionStatistics",
                (include_str!("../../../documents/action_statistics.graphql"), json!({ "from": "2022-Q1" })),
                "/action-statistics?from=2022-01-01",
                Target::OfLimit(1.1),
            )
            .for_at_most(8),
        servers.alone("a region, with a token", Some(&servers.token)),
        servers.alone("a region, without token", None),
    ])
}

/// The page that the deep one is compared with.
const FIRST_PAGE: &str = "first page of 50";

impl Servers {
    fn scenario(
        &self,
        name: &'static str,
        (query, variables): (&str, Value),
        path: &str,
        target: Target,
    ) -> Scenario {
        Scenario {
            name,
            product: self.asked(query, &variables),
            limit: self.limit.map(|address| Request::get(address, path)),
            target,
            at_most: usize::MAX,
        }
    }

    /// The smallest document, which shows what a token costs.
    fn alone(&self, name: &'static str, token: Option<&str>) -> Scenario {
        let query = include_str!("../../../documents/regions.graphql");
        let body = json!({ "query": query }).to_string();
        let product = Request::graphql(self.product, token, &body);
        Scenario { name, product, limit: None, target: Target::None, at_most: usize::MAX }
    }

    /// A document asked of the product.
    pub fn asked(&self, query: &str, variables: &Value) -> Request {
        let body = json!({ "query": query, "variables": variables }).to_string();
        Request::graphql(self.product, Some(&self.token), &body)
    }

    async fn some_action(&self) -> anyhow::Result<String> {
        let query = "{ actions(first: 1, filter: { qpvs: { some: {} } }) { nodes { id } } }";
        let answer: Value = serde_json::from_slice(&self.asked(query, &json!({})).send().await?)?;
        let id = answer.pointer("/data/actions/nodes/0/id").and_then(Value::as_str);
        id.map(str::to_owned).with_context(|| format!("no action in {answer}"))
    }

    /// The cursor of the action at a depth, found as a client finds it: page by page.
    async fn product_cursor(&self, depth: usize) -> anyhow::Result<String> {
        let ask = |after: Option<&str>| self.asked(PAGE, &json!({ "after": after }));
        walk(self.product, depth, ask).await
    }
}

async fn limit_cursor(address: SocketAddr, depth: usize) -> anyhow::Result<String> {
    let ask = |after: Option<&str>| {
        let after = after.map(|cursor| format!("?after={cursor}")).unwrap_or_default();
        Request::get(address, &format!("/actions{after}"))
    };
    walk(address, depth, ask).await
}

async fn walk(
    address: SocketAddr,
    depth: usize,
    ask: impl Fn(Option<&str>) -> Request,
) -> anyhow::Result<String> {
    let mut connection = Connection::open(address).await?;
    let mut cursor: Option<String> = None;
    for _ in 0..depth.div_ceil(PAGE_LENGTH) {
        let answer: Value = serde_json::from_slice(connection.exchange(&ask(cursor.as_deref())).await?)?;
        let info =
            answer.pointer("/data/actions/pageInfo").with_context(|| format!("no page in {answer}"))?;
        ensure!(info["hasNextPage"] == true, "there are fewer than {depth} actions");
        cursor = info["endCursor"].as_str().map(str::to_owned);
    }
    cursor.context("a deep page behind no action")
}

impl Scenario {
    /// The same, asked for by so many at once.
    const fn for_at_most(mut self, callers: usize) -> Self {
        self.at_most = callers;
        self
    }

    /// The load on the product, and on the limit.
    pub fn scripts(&self) -> (Arc<dyn Script>, Option<Arc<dyn Script>>) {
        let script = |request: &Request| Arc::new(Repeated::new(request.clone())) as Arc<dyn Script>;
        (script(&self.product), self.limit.as_ref().map(script))
    }

    /// Checks that product and limit answer the same, but for cursors, which are each one's own.
    pub async fn check(&self) -> anyhow::Result<()> {
        let product = content(&self.product).await?;
        ensure!(product.get("errors").is_none(), "{}: the product answers {product}", self.name);
        let Some(limit) = &self.limit else { return Ok(()) };
        match difference(&product, &content(limit).await?) {
            None => Ok(()),
            Some(difference) => anyhow::bail!("{}: product and limit differ {difference}", self.name),
        }
    }
}

/// The answer to a request, without what the product tells beside it.
pub async fn content(request: &Request) -> anyhow::Result<Value> {
    let mut answer: Value = serde_json::from_slice(&request.send().await?)?;
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("extensions");
    }
    Ok(answer)
}

/// Where two answers differ first, in words.
pub fn difference(one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys = one.keys().chain(other.keys());
            keys.filter(|key| *key != "endCursor").find_map(|key| {
                let absent = Value::String("(absent)".to_owned());
                let (one, other) = (one.get(key).unwrap_or(&absent), other.get(key).unwrap_or(&absent));
                difference(one, other).map(|text| format!("at {key} {text}").replace(" at ", "."))
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs.into_iter().find_map(|(index, (one, other))| {
                difference(one, other).map(|text| format!("at {index} {text}").replace(" at ", "."))
            })
        }
        _ if one == other => None,
        _ => Some(format!(": {one} and {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_named_by_its_place() {
        let one = json!({ "data": { "nodes": [{ "code": "a" }, { "code": "b" }], "endCursor": "x" } });
        let mut other = one.clone();
        other["data"]["endCursor"] = "y".into();
        assert_eq!(difference(&one, &other), None);
        other["data"]["nodes"][1]["code"] = "c".into();
        assert_eq!(difference(&one, &other).unwrap(), "at data.nodes.1.code : \"b\" and \"c\"");
    }
}
