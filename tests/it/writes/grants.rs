//! Grants of clients: for ANCT alone, and only with `cde:admin`.

use cites::auth::Scope;
use serde_json::{Value, json};
use tests::{GrantedSites, on_both};

use super::{write, write_and};

on_both!(anct_gives_changes_and_ends_what_a_client_may, Small, async |app| {
    let anct = app.anct();
    let grant = json!({
        "clientId": "client-FT", "label": "France Travail", "sourceSystem": "FRANCE_TRAVAIL", "sites": ["cde-901"],
    });
    let client = app.partner("AUTRE", GrantedSites::All).await.with(|claims| {
        "client-FT".clone_into(&mut claims.client_id);
        claims.source = Some("FRANCE_TRAVAIL".to_owned());
    });
    let drafts = async || {
        let drafts = "{ actions(filter: { status: { eq: DRAFT } }) { totalCount } }";
        client.ask(drafts).await.number("/actions/totalCount")
    };
    assert_eq!(drafts().await, 0);
    let made = write_and(&anct, "createClientGrant", grant.clone(), "status sites { nodes { code } }").await;
    assert_eq!(made.done()["sites"]["nodes"], json!([{ "code": "cde-901" }]));
    assert_eq!(drafts().await, 2);
    assert_eq!(write(&anct, "createClientGrant", grant).await.problems(), ["DUPLICATE clientId"]);
    write(&anct, "updateClientGrant", json!({ "id": made.id(), "allSites": true })).await.done();
    assert_eq!(drafts().await, 8);
    let wrong = json!({
        "id": made.id(), "label": "x", "sourceSystem": "france travail", "sites": ["cde-901", "cde-999"],
        "validFrom": "2023-01-02T00:00:00Z", "validTo": "2023-01-01T00:00:00Z",
    });
    let wrong = write(&anct, "updateClientGrant", wrong).await.problems();
    let expected =
        ["INVALID_TEXT sourceSystem", "OUT_OF_BOUNDS label", "RULE validTo", "UNKNOWN_CODE sites.1"];
    assert_eq!(wrong, expected);
    let revoke = json!({ "id": made.id() });
    assert_eq!(
        write_and(&anct, "revokeClientGrant", revoke.clone(), "status").await.done()["status"],
        "REVOKED"
    );
    assert_eq!(drafts().await, 0);
    assert_eq!(write(&anct, "revokeClientGrant", revoke).await.version(), 3, "revoked once");
    let late = json!({ "id": made.id(), "label": "Encore" });
    assert_eq!(write(&anct, "updateClientGrant", late).await.problems(), ["FROZEN id"]);
    let again = json!({ "id": made.id(), "status": "ACTIVE", "allSites": false, "sites": ["cde-901"] });
    assert_eq!(write_and(&anct, "updateClientGrant", again, "status").await.done()["status"], "ACTIVE");
    assert_eq!(drafts().await, 2, "given again");
    let end = json!({ "id": made.id(), "status": "REVOKED" });
    write(&anct, "updateClientGrant", end).await.done();
    assert_eq!(drafts().await, 0);
});

on_both!(a_grant_is_for_a_partners_system_and_says_its_class_of_limits, Small, async |app| {
    let anct = app.anct();
    let grant = |role: &str| json!({ "clientId": "client-DDETS", "label": "DDETS", "sourceSystem": "DDETS", "role": role, "rateClass": "batch" });
    for role in ["PREFECTURE", "chef"] {
        assert_eq!(write(&anct, "createClientGrant", grant(role)).await.problems(), ["UNKNOWN_CODE role"]);
    }
    for role in ["public", "anct", "prefecture", "collectivite"] {
        assert_eq!(write(&anct, "createClientGrant", grant(role)).await.problems(), ["RULE role"]);
    }
    let made = write_and(&anct, "createClientGrant", grant("partner_system"), "role rateClass").await;
    assert_eq!(
        (&made.done()["role"], &made.done()["rateClass"]),
        (&json!("partner_system"), &json!("batch"))
    );
    let change = json!({ "id": made.id(), "role": "collectivite" });
    assert_eq!(write(&anct, "updateClientGrant", change).await.problems(), ["RULE role"]);
    let change = json!({ "id": made.id(), "rateClass": null });
    let changed = write_and(&anct, "updateClientGrant", change, "rateClass").await;
    assert_eq!(changed.done()["rateClass"], Value::Null);
});

on_both!(nobody_else_reads_grants, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let document =
        "{ clientGrants { totalCount } clientGrant(by: { clientId: \"client-FRANCE_TRAVAIL\" }) { label } }";
    let seen = app.anct().ask(document).await;
    assert_eq!(seen.number("/clientGrants/totalCount"), 1);
    assert!(seen.data("/clientGrant").is_object());
    for persona in [
        app.prefecture(&["69"]),
        app.collectivite(&["200046977"]),
        partner,
        app.public(),
        app.anct().scopes(&[Scope::Read, Scope::Write]),
    ] {
        let is_anct = persona.claims.as_ref().is_some_and(|claims| claims.sub == "test-anct");
        let persona = if is_anct { persona } else { persona.with(|claims| claims.scopes.push(Scope::Admin)) };
        let seen = persona.ask(document).await;
        assert_eq!(seen.number("/clientGrants/totalCount"), 0);
        assert_eq!(seen.data("/clientGrant"), &Value::Null);
    }
});
