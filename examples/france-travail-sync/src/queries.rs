//! The documents of `graphql/`, typed from the schema.

use graphql_client::GraphQLQuery;

type ContratVilleCode = String;
type DateTime = String;
type PartialDate = String;
type QpvCode = String;
type Rna = String;
type RomeCode = String;
type SafirCode = String;
type SiteCode = String;
type Siret = String;

/// The name of an enum's value, of one too that the schema got later.
pub fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Items to bring up to date.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../../schema.graphql",
    query_path = "graphql/sync.graphql",
    variables_derives = "Clone, Debug",
    response_derives = "Clone, Debug, PartialEq",
    skip_serializing_none
)]
pub struct SyncActions;

/// Sites with the codes of their local contracts.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../../schema.graphql",
    query_path = "graphql/sites.graphql",
    response_derives = "Debug"
)]
pub struct Sites;

/// Where the feed of changes stands now.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../../schema.graphql",
    query_path = "graphql/follow.graphql",
    response_derives = "Debug"
)]
pub struct Now;

/// All actions, page by page.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../../schema.graphql",
    query_path = "graphql/follow.graphql",
    response_derives = "Debug"
)]
pub struct Actions;

/// The actions of one site, page by page.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../../schema.graphql",
    query_path = "graphql/follow.graphql",
    response_derives = "Debug"
)]
pub struct ActionsOfSite;

/// What changed after a cursor.
#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "../../schema.graphql",
    query_path = "graphql/follow.graphql",
    response_derives = "Debug"
)]
pub struct Changes;
