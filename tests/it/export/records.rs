//! Who took what out is in the journal; the filter is not.

use serde_json::{Value, json};
use tests::{GrantedSites, TestApp, on_both};

use super::{file, filtered};
use crate::feed::settled;

const EVENTS: &str = "{ auditEvents(filter: { entity: { eq: \"Export\" } }) { nodes { verb entityId outcome role \
                      clientId actorSub requestId changedFields version site { id } } } }";

async fn events(app: &TestApp) -> Vec<Value> {
    app.anct().ask(EVENTS).await.list("/auditEvents/nodes").to_vec()
}

on_both!(an_export_is_journaled_with_who_took_what, Small, async |app| {
    file(app, &app.public(), "actions.csv").await;
    assert!(events(app).await.is_empty(), "of nobody there is nothing to say");
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let secret = json!({ "title": { "contains": "madame dupont" } });
    let taken = file(app, &partner, &filtered("actions.csv", &secret)).await;
    file(app, &partner, &filtered("actions.csv", &secret)).await;
    file(app, &app.prefecture(&["69"]), "sites.geojson").await;
    app.clock.advance(60);
    file(app, &app.anct(), "figures.parquet").await;
    let events = events(app).await;
    let verbs: Vec<&str> = events.iter().filter_map(|event| event["verb"].as_str()).collect();
    assert_eq!(verbs[0], "export figures.parquet");
    assert_eq!(verbs.len(), 4);
    let of_partner: Vec<&Value> =
        events.iter().filter(|event| event["clientId"] == "client-FRANCE_TRAVAIL").collect();
    assert_eq!(of_partner.len(), 2);
    for event in &of_partner {
        assert_eq!((&event["verb"], &event["outcome"]), (&json!("export actions.csv"), &json!("OK")));
        assert_eq!(event["role"], "partner_system");
        assert_eq!(event["actorSub"], "test-partner_system");
        assert!(event["changedFields"].as_array().expect("columns").contains(&json!("leadSiret")));
    }
    assert!(of_partner.iter().any(|event| event["requestId"] == taken.header("x-request-id")));
    assert_eq!(of_partner[0]["entityId"], of_partner[1]["entityId"], "the same filter has the same name");
    assert_ne!(of_partner[0]["entityId"], events[0]["entityId"]);
    assert!(!json!(events).to_string().contains("dupont"));
});

on_both!(an_export_is_no_change_for_those_who_follow, Small, async |app| {
    file(app, &app.anct(), "actions.csv").await;
    settled(app).await;
    let followed = app.anct().ask("{ changes { nodes { entity operation } } }").await;
    assert_eq!(followed.data("/changes/nodes"), &json!([]));
});

on_both!(a_client_sees_its_own_exports_and_a_prefecture_none, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    file(app, &partner, "actions.csv").await;
    file(app, &app.anct(), "actions.csv").await;
    let admin = |claims: &mut cites::auth::dev::DevClaims| claims.scopes.push(cites::auth::Scope::Admin);
    let own = partner.with(admin).ask("{ auditEvents { nodes { verb clientId } } }").await;
    let expected = json!([{ "verb": "export actions.csv", "clientId": "client-FRANCE_TRAVAIL" }]);
    assert_eq!(own.data("/auditEvents/nodes"), &expected);
    let seen = app.prefecture(&["69"]).with(admin).ask("{ auditEvents { totalCount } }").await;
    assert_eq!(seen.number("/auditEvents/totalCount"), 0);
});
