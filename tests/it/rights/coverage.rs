//! Nothing is reachable that no test of rights looks at: each field of the schema that leads to rows is asked for by the
//! random worlds of `property`, or named here beside a test whose text asks for it. A new one fails until then.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::on_both;
use tests::oracle::paths;

/// Fields that the random worlds leave out, with the text of the test that asks for them.
const ELSEWHERE: [(&str, &[(&str, &str)]); 13] = [
    (include_str!("../budget.rs"), &[("Viewer", "limits"), ("ViewerLimits", "cost")]),
    (include_str!("open.rs"), &[("Query", "qpvAt"), ("Query", "qpvsAt"), ("QpvAtPoint", "qpv")]),
    (
        include_str!("../writes/people.rs"),
        &[("Query", "partnerDuplicates"), ("PartnerDuplicate", "first"), ("PartnerDuplicate", "second")],
    ),
    (include_str!("../writes/audit.rs"), &[("Query", "auditEvents"), ("AuditEvent", "site")]),
    (
        include_str!("sentences.rs"),
        &[("Site", "perimeter"), ("Qpv", "perimeters"), ("SiteQpv", "site"), ("SiteQpv", "qpv")],
    ),
    (
        include_str!("../writes/access.rs"),
        &[("Query", "exportReferent"), ("ReferentExport", "referent"), ("ReferentExport", "events")],
    ),
    (include_str!("../sync/rights.rs"), &[("Query", "importBatches"), ("Query", "importBatch")]),
    (
        include_str!("../sync/history.rs"),
        &[("ImportBatch", "items"), ("ImportItem", "batch"), ("ImportItem", "action")],
    ),
    (
        include_str!("../sync/snapshots.rs"),
        &[("ImportBatch", "site"), ("SyncActionResult", "action"), ("SyncActionAbsent", "action")],
    ),
    (include_str!("../feed.rs"), &[("Query", "changes"), ("Change", "node")]),
    (include_str!("../live/rights.rs"), &[("Subscription", "changes")]),
    (include_str!("../webhooks/owners.rs"), &[("Query", "webhooks")]),
    (include_str!("../webhooks/mod.rs"), &[("Query", "webhook")]),
];

/// Objects that hold values of the row or of the caller itself.
const VALUES: [&str; 8] = [
    "Source",
    "Cadence",
    "GeoPoint",
    "SiteCompleteness",
    "ActionGroup",
    "Viewer",
    "ImportCounts",
    "UserError",
];

const FIELDS: &str = "{ __schema { types { name fields { name type { kind name ofType { kind name ofType { kind name \
                      ofType { kind name } } } } } } } }";

/// The kind and the name at the heart of a type.
fn heart(mut ty: &Value) -> (&str, &str) {
    while !ty["ofType"].is_null() {
        ty = &ty["ofType"];
    }
    (ty["kind"].as_str().unwrap_or_default(), ty["name"].as_str().unwrap_or_default())
}

/// Whether the fields of a type are looked at: pages go with their list, payloads with their mutation, each of which
/// `writes::rights` sends.
fn has_fields_of_its_own(name: &str) -> bool {
    let parts = ["Connection", "Edge", "Payload"];
    !name.starts_with("__") && name != "Mutation" && !parts.iter().any(|part| name.ends_with(part))
}

on_both!(every_field_that_leads_to_rows_has_a_test_of_rights, Empty, async |app| {
    let answer = app.public().ask(FIELDS).await;
    let mut declared = BTreeSet::new();
    for of in answer.list("/__schema/types") {
        let name = of["name"].as_str().expect("a name");
        for field in of["fields"].as_array().into_iter().flatten().filter(|_| has_fields_of_its_own(name)) {
            let (kind, to) = heart(&field["type"]);
            if ["OBJECT", "INTERFACE"].contains(&kind) && !VALUES.contains(&to) {
                declared.insert((name, field["name"].as_str().expect("a name")));
            }
        }
    }
    let mut known = paths();
    for (text, fields) in ELSEWHERE {
        for (_, field) in fields {
            assert!(text.contains(field), "no test asks for {field} there any more");
        }
        known.extend(fields);
    }
    assert_eq!(declared, known);
});
