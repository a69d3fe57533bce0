//! Nothing is reachable that no test of rights looks at: each root field and each object type of the schema is
//! named here, beside the test that does. A new one fails until somebody has written its test.

use std::collections::BTreeSet;

use tests::on_both;

/// Root fields, by the file of `rights` or `writes` that reads them with every role.
const ROOTS: &[(&str, &[&str])] = &[
    (
        "rows",
        &[
            "sites",
            "site",
            "seats",
            "seat",
            "referents",
            "referent",
            "governanceBodies",
            "governanceBody",
            "meetings",
            "meeting",
            "roadmaps",
            "roadmap",
            "axis",
            "actions",
            "action",
            "figures",
            "figure",
            "fundingLines",
            "fundingLine",
            "partners",
            "partner",
            "qpvs",
            "qpv",
            "node",
            "nodes",
        ],
    ),
    ("sentences", &["actionStatistics", "communes", "region"]),
    (
        "open",
        &[
            "regions",
            "departements",
            "departement",
            "epcis",
            "epci",
            "commune",
            "contratsVille",
            "contratVille",
            "qpvAt",
            "qpvsAt",
            "viewer",
        ],
    ),
    ("writes::audit", &["auditEvents"]),
    ("writes::grants", &["clientGrant", "clientGrants"]),
    ("writes::people", &["partnerDuplicates"]),
    ("writes::access", &["exportReferent"]),
];

/// Object types, likewise. Connections and edges go with their nodes, payloads with their
/// mutations.
const TYPES: &[(&str, &[&str])] = &[
    (
        "rows",
        &[
            "Query",
            "PageInfo",
            "Site",
            "Seat",
            "Referent",
            "GovernanceBody",
            "Meeting",
            "Roadmap",
            "Axis",
            "Action",
            "Figure",
            "FundingLine",
            "Partner",
            "Qpv",
        ],
    ),
    ("fields", &["GovernanceMember", "Cadence", "Source", "ActionStatistic"]),
    ("sentences", &["ActionGroup", "SiteQpv", "Region", "Departement", "Commune"]),
    (
        "open",
        &[
            "Epci",
            "ContratVille",
            "Milestone",
            "QpvPredecessor",
            "QpvSuccessor",
            "GeoPoint",
            "QpvAtPoint",
            "Viewer",
            "SiteCompleteness",
        ],
    ),
    ("writes::audit", &["AuditEvent"]),
    ("writes::grants", &["ClientGrant"]),
    ("writes::people", &["PartnerDuplicate"]),
    ("writes::access", &["ReferentEvent", "ReferentExport"]),
    ("writes::rights", &["Mutation", "UserError"]),
];

fn named(lists: &'static [(&str, &[&str])]) -> BTreeSet<&'static str> {
    lists.iter().flat_map(|(_, names)| names.iter().copied()).collect()
}

on_both!(every_root_field_and_type_has_a_test_of_rights, Small, async |app| {
    let answer = app.public().ask("{ __schema { queryType { fields { name } } types { kind name } } }").await;
    let roots = answer.column("/__schema/queryType/fields", "name");
    let roots: BTreeSet<&str> = roots.iter().map(String::as_str).collect();
    assert_eq!(roots, named(ROOTS));
    let types = answer.list("/__schema/types").iter().filter(|of| of["kind"] == "OBJECT");
    let types: BTreeSet<&str> = types
        .filter_map(|of| of["name"].as_str())
        .filter(|name| !name.starts_with("__") && !name.ends_with("Connection") && !name.ends_with("Edge"))
        // those of mutations, each of which `writes::rights` sends
        .filter(|name| !name.ends_with("Payload"))
        .collect();
    assert_eq!(types, named(TYPES));
});
