//! The audit trail: the journal as those may read it who answer for the data, and its chain of hashes.

pub mod seal;

use entity::journal;

use crate::db::Kind;
use crate::graphql::scalars::Scalar;
use crate::policy::Resource;
use crate::read::common::enumeration;
use crate::read::declare::{Filter, Leaf, Noun, column, computed, one};

/// Field group that only ANCT and the client itself read.
const ACTOR: &str = "actor";

/// Prefix of the typed ids of each journaled noun.
const PREFIXES: [(&str, &str); 15] = [
    ("Site", "site"),
    ("Partner", "partner"),
    ("Seat", "seat"),
    ("Referent", "referent"),
    ("GovernanceBody", "body"),
    ("Meeting", "meeting"),
    ("Roadmap", "roadmap"),
    ("Axis", "axis"),
    ("Action", "action"),
    ("Figure", "figure"),
    ("FundingLine", "funding"),
    ("ClientGrant", "grant"),
    ("Export", "export"),
    ("Webhook", "webhook"),
    ("Revocation", "revocation"),
];

/// Prefix of the typed ids of a noun.
pub fn prefix(noun: &str) -> Option<&'static str> {
    PREFIXES.iter().find(|(known, _)| *known == noun).map(|(_, prefix)| *prefix)
}

/// The noun of this folder.
pub fn nouns() -> Vec<Noun> {
    use journal::Column;
    let noun = Noun::new(
        "AuditEvent",
        journal::Entity,
        Resource::AuditEvent,
        "One write, done or refused, or one export (« piste d'audit »): who did what to which object. Names of fields only, never their values.",
    )
    .keyed_by(Column::Seq)
    // who sees more or less by a write is no deed: `journal::RESCOPE`, and a row that is told again as it is
    .only_rows("t.verb <> 'rescope' AND NOT (t.verb = 'update' AND t.changed_fields = '[]')")
    .root("auditEvents", "Writes and exports, the latest first; for ANCT, préfectures (their sites, without the person) and clients (their own).")
    .fields([
        column("at", Column::At, Scalar::DateTime, "When.").sorted(),
        column("entity", Column::Entity, Scalar::String, "Type of the object: `Action`, `Site` …; `Export` for a list that was taken out as a file."),
        computed(
            "entityId",
            Kind::Text,
            Scalar::Id,
            |sql, _, t| {
                sql.push("CASE ").push(t).push(".entity");
                for (entity, prefix) in PREFIXES {
                    sql.push(" WHEN '").push(entity).push("' THEN '").push(prefix).push("'");
                }
                sql.push(" ELSE '' END || ':' || ").uuid_text(&format!("{t}.entity_id"));
            },
            "Identifier of the object; null when a creation was refused. Of an export, the same for the same file under the same filter.",
        )
        .nullable(),
        one("site", "Site", Column::SiteId, "Its site, if it has one that the caller reads."),
        column("version", Column::Version, Scalar::Int, "Version of the object after the write; 0 when it was refused, and for an export."),
        column("operation", Column::Op, enumeration!(JournalOp), "UPSERT, or DELETE when the object is gone."),
        column("verb", Column::Verb, Scalar::String, "What was done: create, update, transition …, export actions.csv."),
        column("changedFields", Column::ChangedFields, Scalar::String, "Names of the fields that changed, or of the columns that were exported."),
        column("outcome", Column::Outcome, Scalar::String, "OK, or the code for which it was refused or failed."),
        column("role", Column::Role, Scalar::String, "Role of the caller."),
        column("requestId", Column::RequestId, Scalar::String, "Request, as `x-request-id` told it."),
        column("actorSub", Column::ActorSub, Scalar::String, "Subject of the caller's token.").in_group(ACTOR),
        column("clientId", Column::ClientId, Scalar::String, "Client of the caller's token.").in_group(ACTOR),
    ])
    .filters([Filter {
        name: "entityId",
        description: "Identifier of the object.",
        leaf: Leaf::Scalar(Scalar::Id),
        exists: ("", "entity_id"),
    }])
    .ordered_by_descending("at");
    vec![noun]
}
