//! The documents of a partner system answer as the contract says, over the open data.

use entity::enums::ImportOutcome;
use serde_json::{Value, json};
use tests::{GrantedSites, on_both};

const DOCUMENT: &str = include_str!("../contract/sync.graphql");

fn variables() -> Value {
    json!({ "input": {
        "idempotencyKey": "ft-38-2023-06-12-0001",
        "mode": "UPSERT",
        "onError": "CONTINUE",
        "dryRun": false,
        "items": [
            {
                "externalId": "FT-38-000123",
                "sourceUpdatedAt": "2023-06-12T08:30:00Z",
                "site": { "code": "cde-026" },
                "title": "Job dating à destination des femmes",
                "description": "Rencontre entre habitantes des quartiers et entreprises qui recrutent.",
                "status": "PLANNED",
                "startsOn": "2023-09-14",
                "endsOn": "2023-09-14",
                "lead": { "safirCode": "38052", "name": "France Travail Grenoble", "kind": "FRANCE_TRAVAIL" },
                "partners": [{ "siret": "20004071500019", "name": "Grenoble-Alpes Métropole", "kind": "METROPOLE" }],
                "romeCodes": ["M1502"],
                "onCreate": {
                    "pillar": "ALLER_VERS_RACCROCHER", "categories": ["JOB_DATING"], "audiences": ["FEMMES"],
                    "innovative": false, "qpvs": ["QN03807M"]
                }
            },
            { "externalId": "FT-38-000088", "sourceUpdatedAt": "2023-06-12T08:31:00Z", "deleted": true },
            {
                "externalId": "FT-38-000124", "sourceUpdatedAt": "2023-06-12T08:32:00Z",
                "site": { "code": "cde-999" }, "title": "Permanence emploi", "status": "IN_PROGRESS",
                "startsOn": "2023-01"
            }
        ]
    } })
}

on_both!(the_example_creates_one_action_and_rejects_one_item, Real, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let first = partner.operation(DOCUMENT, "SyncActions", variables()).await;
    let results = first.list("/syncActions/results");
    let outcomes: Vec<&Value> = results.iter().map(|result| &result["outcome"]).collect();
    assert_eq!(outcomes, ["CREATED", "UNCHANGED", "REJECTED"], "{first}");
    assert_eq!(results[2]["errors"][0]["code"], "UNKNOWN_CODE");
    assert_eq!(results[2]["errors"][0]["path"], json!(["input", "items", "2", "site", "code"]));
    assert_eq!(first.data("/syncActions/replayed"), &json!(false));
    let counts = json!({ "created": 1, "updated": 0, "unchanged": 1, "conflict": 0, "rejected": 1 });
    assert_eq!(first.data("/syncActions/batch/counts"), &counts);

    let again = partner.operation(DOCUMENT, "SyncActions", variables()).await;
    assert_eq!(again.data("/syncActions/replayed"), &json!(true));
    for same in ["/syncActions/batch", "/syncActions/results"] {
        assert_eq!(again.data(same), first.data(same), "{same}");
    }
    let mut other = variables();
    other["input"]["items"][0]["title"] = json!("Autre titre");
    let refused = partner.operation(DOCUMENT, "SyncActions", other).await;
    assert_eq!(refused.data("/syncActions/userErrors/0/code"), &json!("IDEMPOTENCY_MISMATCH"));

    let key = json!({ "key": "ft-38-2023-06-12-0001" });
    let batch = partner.operation(DOCUMENT, "Batch", key).await;
    assert_eq!(batch.data("/importBatch/id"), first.data("/syncActions/batch/id"));
    assert_eq!(batch.data("/importBatch/status"), &json!("COMPLETED"));
    assert_eq!(batch.data("/importBatch/counts"), &counts);
});

on_both!(an_action_arrives_with_its_partners_codes_and_first_values, Real, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    partner.operation(DOCUMENT, "SyncActions", variables()).await.data("/syncActions/batch/id");
    let read = "{ actions(filter: { sourceExternalId: { eq: \"FT-38-000123\" } }) { nodes { version status title \
        startsOn endsOn pillar categories audiences romeCodes published classification site { code } \
        source { system externalId } lead { name kind safirCode } partners { nodes { name siret siren } } \
        qpvs { nodes { code } } } } }";
    let expected = json!([{
        "version": 1, "status": "PLANNED", "title": "Job dating à destination des femmes",
        "startsOn": "2023-09-14", "endsOn": "2023-09-14", "pillar": "ALLER_VERS_RACCROCHER",
        "categories": ["JOB_DATING"], "audiences": ["FEMMES"], "romeCodes": ["M1502"], "published": false,
        "classification": "DONE", "site": { "code": "cde-026" },
        "source": { "system": "FRANCE_TRAVAIL", "externalId": "FT-38-000123" },
        "lead": { "name": "France Travail Grenoble", "kind": "FRANCE_TRAVAIL", "safirCode": "38052" },
        "partners": { "nodes": [
            { "name": "Grenoble-Alpes Métropole", "siret": "20004071500019", "siren": "200040715" }
        ] },
        "qpvs": { "nodes": [{ "code": "QN03807M" }] }
    }]);
    assert_eq!(partner.ask(read).await.data("/actions/nodes"), &expected);
    let seats = "{ site(by: { code: \"cde-026\" }) { seats(filter: { kind: { eq: OPERATEUR }, \
        partner: { siret: { eq: \"20004071500019\" } } }) { totalCount } } }";
    assert_eq!(app.anct().ask(seats).await.number("/site/seats/totalCount"), 1);
});

#[test]
fn the_guide_says_of_every_outcome_and_code_what_to_do() {
    let guide = include_str!("../../../docs/sync.md");
    let errors = include_str!("../../../docs/errors.md");
    let codes =
        errors.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(code, _)| code);
    let outcomes = ImportOutcome::ALL.iter().map(|(name, _)| *name);
    let missing: Vec<&str> =
        codes.chain(outcomes).filter(|name| !guide.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/sync.md does not name {missing:?}");
}
