//! Partners that become one, and persons whose data is erased.

use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{Backend, Process, TestApp, on_both};

use super::ground::{Ground, traces};
use super::{known, write, write_and};

on_both!(what_hangs_on_a_merged_partner_moves, Small, async |app| {
    let (anct, ground, site) = (app.anct(), Ground::of(app).await, known(Kind::Site, 1));
    let (from, to) = (ground.partner().await, ground.partner().await);
    for (partner, kind) in [(&from, "MEMBRE"), (&from, "FINANCEUR"), (&to, "MEMBRE")] {
        write(&anct, "giveSeat", json!({ "site": site, "partner": partner, "kind": kind })).await.done();
    }
    let action = json!({ "site": site, "title": "Forum", "lead": from, "partners": [from] });
    let action = write(&anct, "createAction", action).await.id();
    let body = ground.body().await;
    let members = json!({ "id": body, "members": [{ "partner": from, "seat": "PRESIDENT" }] });
    write(&anct, "setGovernanceMembers", members).await.done();
    let referent = json!({ "site": site, "partner": from, "function": "Cheffe de projet" });
    let referent = write(&anct, "createReferent", referent).await.id();
    let fields = "status seats { nodes { kind to } } leads { nodes { id } } actions { nodes { id } }";
    let merged = write_and(&anct, "mergePartner", json!({ "id": from, "into": to }), fields).await;
    assert_eq!(merged.id(), to, "the payload shows the one that stays");
    let mut kinds: Vec<&Value> = merged.done()["seats"]["nodes"].as_array().expect("seats").iter().collect();
    kinds.sort_by_key(|seat| seat["kind"].to_string());
    assert_eq!(json!(kinds), json!([{ "kind": "FINANCEUR", "to": null }, { "kind": "MEMBRE", "to": null }]));
    assert_eq!(merged.done()["leads"]["nodes"], json!([{ "id": action }]));
    assert_eq!(merged.done()["actions"]["nodes"], json!([{ "id": action }]));
    let others = "query ($body: ID!, $referent: ID!, $from: ID!) { governanceBody(by: { id: $body }) { members { partner { id } \
                  seat } } referent(by: { id: $referent }) { partner { id } } partner(by: { id: $from }) { status mergedInto { id } } }";
    let others = anct.query(others, json!({ "body": body, "referent": referent, "from": from })).await;
    assert_eq!(
        others.data("/governanceBody/members"),
        &json!([{ "partner": { "id": to }, "seat": "PRESIDENT" }])
    );
    assert_eq!(others.data("/referent/partner/id"), &json!(to));
    assert_eq!(others.data("/partner"), &json!({ "status": "MERGED", "mergedInto": { "id": to } }));
    chain(app, &ground, &from, &to).await;
});

/// Merged ones are final, and a chain never comes back to where it began.
async fn chain(app: &TestApp, ground: &Ground<'_>, from: &str, to: &str) {
    let anct = app.anct();
    let last = ground.partner().await;
    let merge =
        async |id: &str, into: &str| write(&anct, "mergePartner", json!({ "id": id, "into": into })).await;
    assert_eq!(merge(from, &last).await.problems(), ["INVALID_TRANSITION id"]);
    assert_eq!(merge(to, from).await.problems(), ["RULE into"]);
    assert_eq!(merge(to, to).await.problems(), ["RULE into"]);
    merge(to, &last).await.done();
    assert_eq!(merge(&last, from).await.problems(), ["RULE into"]);
    write(&anct, "closePartner", json!({ "id": ground.partner().await })).await.done();
    let seated = json!({ "id": known(Kind::Partner, 3) });
    assert_eq!(write(&anct, "closePartner", seated).await.problems(), ["RULE id"], "it has seats");
    let closed = json!({ "id": from, "name": "Autre nom" });
    assert_eq!(write(&anct, "updatePartner", closed).await.problems(), ["RULE id"]);
}

on_both!(possible_duplicates_are_reported, Small, async |app| {
    let anct = app.anct();
    for name in ["Régie de l'Île", "REGIE DE L'ILE"] {
        let input = json!({ "name": name, "kind": "ASSOCIATION", "communeCode": "69256" });
        write(&anct, "createPartner", input).await.done();
    }
    let duplicates = "{ partnerDuplicates { reason first { name } second { name } } }";
    let found = anct.ask(duplicates).await;
    let expected = json!({ "reason": "NAME", "first": { "name": "Régie de l'Île" }, "second": { "name": "REGIE DE L'ILE" } });
    assert!(found.list("/partnerDuplicates").contains(&expected), "{found}");
    assert_eq!(
        app.public().ask("{ partnerDuplicates { reason } }").await.data("/partnerDuplicates"),
        &json!([])
    );
});

on_both!(a_referent_ends_and_is_erased_two_years_later, Small, async |app| {
    let (city, id) = (app.collectivite(&["200046977"]), known(Kind::Referent, 1));
    let end = |to: &str, after: Value| json!({ "id": id, "to": to, "eraseAfter": after });
    assert_eq!(write(&city, "endReferent", end("2021-12-31", Value::Null)).await.problems(), ["RULE to"]);
    assert_eq!(
        write(&city, "endReferent", end("2023-05-31", json!("2023-05-30"))).await.problems(),
        ["RULE eraseAfter"]
    );
    let ended =
        write_and(&city, "endReferent", json!({ "id": id, "to": "2023-05-31" }), "to eraseAfter").await;
    assert_eq!(
        (&ended.done()["to"], &ended.done()["eraseAfter"]),
        (&json!("2023-05-31"), &json!("2025-05-31"))
    );
    let wrong = json!({ "id": id, "email": "sans arobase", "function": "x" });
    assert_eq!(
        write(&city, "updateReferent", wrong).await.problems(),
        ["OUT_OF_BOUNDS email", "OUT_OF_BOUNDS function"]
    );
});

const PLANTED: &str = "Zéphyrine-Plantée";

/// Everything in the database that a text may stand in, as one text.
async fn dump(app: &TestApp) -> String {
    let tables = ["referent", "journal", "idempotency_key", "audit_seal"];
    let mut text = String::new();
    for table in tables {
        let sql = match app.database.backend {
            Backend::Postgres => format!("SELECT row_to_json(t)::text FROM {table} t"),
            Backend::Sqlite => match table {
                "referent" => "SELECT coalesce(first_name, '') || coalesce(last_name, '') || coalesce(email, '') FROM referent".to_owned(),
                "journal" => "SELECT changed_fields || verb FROM journal".to_owned(),
                "idempotency_key" => "SELECT coalesce(answer, '') || input_hash FROM idempotency_key".to_owned(),
                _ => "SELECT hash FROM audit_seal".to_owned(),
            },
        };
        let backend = app.db.writer.get_database_backend();
        let rows = app.db.writer.query_all_raw(Statement::from_string(backend, sql)).await.expect("rows");
        text.extend(rows.iter().map(|row| row.try_get_by_index::<String>(0).expect("a text")));
    }
    text
}

/// Whether a file beside the embedded database holds a text.
fn in_files(app: &TestApp, planted: &str) -> bool {
    let Some(path) = app.database.url().strip_prefix("sqlite://").and_then(|url| url.split('?').next())
    else {
        return false;
    };
    let folder = std::path::Path::new(path).parent().expect("a folder");
    let files = std::fs::read_dir(folder).expect("the folder is read");
    files.filter_map(Result::ok).any(|file| {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        bytes.windows(planted.len()).any(|window| window == planted.as_bytes())
    })
}

on_both!(an_erased_name_is_nowhere, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    let person = json!({
        "site": known(Kind::Site, 1), "partner": known(Kind::Partner, 3), "function": "Cheffe de projet",
        "firstName": "Anne", "lastName": PLANTED, "email": "zephyrine@example.fr", "phone": "0199001234",
        "idempotencyKey": "une clé",
    });
    let fields = "lastName phone site { referents { totalCount } }";
    let made = write_and(&city, "createReferent", person, fields).await;
    assert_eq!((&made.done()["lastName"], &made.done()["phone"]), (&json!(PLANTED), &json!("+33199001234")));
    let count = made.done()["site"]["referents"]["totalCount"].clone();
    let renamed = json!({ "id": made.id(), "lastName": format!("{PLANTED} bis") });
    write(&city, "updateReferent", renamed).await.done();
    assert!(dump(app).await.contains(PLANTED));
    let erase = json!({ "id": made.id() });
    let erased =
        write_and(&city, "eraseReferent", erase.clone(), &format!("{fields} email firstName erasedAt")).await;
    for field in ["firstName", "lastName", "email", "phone"] {
        assert_eq!(erased.done()[field], Value::Null, "{field}");
    }
    assert_ne!(erased.done()["erasedAt"], Value::Null);
    assert_eq!(erased.done()["site"]["referents"]["totalCount"], count, "it still counts");
    assert!(!dump(app).await.contains(PLANTED));
    assert!(!in_files(app, PLANTED) && !in_files(app, "zephyrine@example.fr"), "it lies in a file");
    let before = traces(app).await;
    write(&city, "eraseReferent", erase).await.done();
    assert_eq!(traces(app).await, before, "once is enough");
    let again = json!({ "id": made.id(), "lastName": "Autre" });
    assert_eq!(write(&city, "updateReferent", again).await.problems(), ["FROZEN id"]);
    let events = "{ auditEvents(first: 20, filter: { entity: { eq: \"Referent\" } }) { nodes { verb changedFields } } }";
    let events = app.anct().ask(events).await;
    assert!(!events.body.to_string().contains(PLANTED));
    assert_eq!(events.column("/auditEvents/nodes", "verb"), ["updateReferent", "erase", "update", "create"]);
});

on_both!(nobody_reads_a_person_in_what_was_wrong, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    let wrong = json!({
        "site": known(Kind::Site, 1), "partner": known(Kind::Partner, 3), "function": "Cheffe",
        "lastName": PLANTED.repeat(10), "email": format!("{PLANTED}@"),
    });
    let wrong = write(&city, "createReferent", wrong).await;
    assert_eq!(wrong.problems(), ["OUT_OF_BOUNDS email", "OUT_OF_BOUNDS lastName"]);
    assert!(!wrong.0.body.to_string().contains(PLANTED));
});

on_both!(retention_erases_what_is_past_its_day, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    for (n, erase_after) in [(1, "2023-05-31"), (2, "2099-01-01")] {
        let end = json!({ "id": known(Kind::Referent, n), "to": "2023-05-31", "eraseAfter": erase_after });
        write(&app.anct(), "endReferent", end).await.done();
    }
    let partner = json!({ "name": "Tremplin", "kind": "ASSOCIATION", "idempotencyKey": "k" });
    write(&city, "createPartner", partner).await.done();
    let home = tempfile::tempdir().expect("a folder");
    let process = Process::of(env!("CARGO_BIN_EXE_cites-tested"), &app.database, home.path());
    let said = process.run(&["retention"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && text.contains("1 referents; forgot 1 kept answers"), "{text}");
    assert!(!text.contains("Nom 1"), "{text}");
    let dump = dump(app).await;
    assert!(!dump.contains("personne1@example.fr") && dump.contains("personne2@example.fr"));
    assert!(!in_files(app, "personne1@example.fr"));
    let events = "{ auditEvents(first: 1) { nodes { verb entity actorSub } } }";
    let events = app.anct().ask(events).await;
    let expected = json!([{ "verb": "erase", "entity": "Referent", "actorSub": "cites-retention" }]);
    assert_eq!(*events.data("/auditEvents/nodes"), expected);
});
