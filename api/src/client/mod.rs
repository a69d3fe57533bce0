//! API clients and what they are granted, for ANCT alone.

mod mutations;

use entity::{client_grant, client_grant_site};

use crate::graphql::scalars::Scalar;
use crate::policy::Resource;
use crate::read::common::enumeration;
use crate::read::declare::{Noun, column, many, through};

pub(crate) use mutations::granted;
pub use mutations::mutations;

/// The nouns of this folder.
pub fn nouns() -> Vec<Noun> {
    use client_grant::Column;
    let noun = Noun::new(
        "ClientGrant",
        client_grant::Entity,
        Resource::ApiClient,
        "What a client of this API may do beside what its token says (« habilitation »); for ANCT alone.",
    )
    .node("grant")
    .without_tombstones()
    .root("clientGrants", "Grants of clients; none but for ANCT.")
    .lookup("clientGrant", &["id", "clientId"])
    .fields([
        column("clientId", Column::ClientId, Scalar::String, "The client, as its tokens name it.").sorted(),
        column("label", Column::Label, Scalar::String, "Name for people."),
        column("role", Column::Role, Scalar::String, "Role it is meant for."),
        column(
            "rateClass",
            Column::RateClass,
            Scalar::String,
            "Class of rate limits it falls under at the gateway.",
        ),
        column("sourceSystem", Column::SourceSystem, Scalar::String, "System whose rows it writes."),
        column("allSites", Column::AllSites, Scalar::Boolean, "It has every site."),
        column(
            "indicators",
            Column::Indicators,
            enumeration!(Indicator),
            "Indicators it may write; none if empty.",
        ),
        column("validFrom", Column::ValidFrom, Scalar::DateTime, "Start; null if there is none."),
        column("validTo", Column::ValidTo, Scalar::DateTime, "End; null if there is none."),
        column("status", Column::Status, enumeration!(GrantStatus), "Whether it may still call.").sorted(),
        column("version", Column::Version, Scalar::Int, "Counts the writes."),
        column("createdAt", Column::CreatedAt, Scalar::DateTime, "When it was made.").sorted(),
        column("updatedAt", Column::UpdatedAt, Scalar::DateTime, "When it was last written.").sorted(),
        many(
            "sites",
            through("Site", client_grant_site::Column::GrantId, client_grant_site::Column::SiteId, true),
            "Its sites, unless it has all.",
        ),
    ])
    .ordered_by(&["clientId"]);
    vec![noun]
}
