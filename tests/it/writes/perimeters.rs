//! Perimeters of sites: which QPV a préfecture puts there, and the rights over figures that come from them.

use serde_json::{Value, json};
use tests::world::{self, Kind};
use tests::{Persona, TestApp, on_both};
use uuid::Uuid;

use super::{known, write};
use crate::feed::settled;

/// A commune of the Rhône that the small world does not have.
async fn other_commune(app: &TestApp) {
    let mut row = world::small().communes[0].clone();
    "69266".clone_into(&mut row.code);
    app.insert([row]).await;
}

/// A QPV in which no site of the small world works: of Échirolles, in the Isère.
async fn qpv_of_isere(app: &TestApp) -> &'static str {
    let world = world::small();
    let (mut row, mut place) = (world.qpvs[0].clone(), world.qpv_communes[0].clone());
    (row.id, row.code) = (Uuid::now_v7(), "QP038006".to_owned());
    (place.qpv_id, place.commune_code) = (row.id, "38151".to_owned());
    app.insert([row]).await;
    app.insert([place]).await;
    "QP038006"
}

async fn candidate(persona: &Persona<'_>, communes: &[&str]) -> String {
    write(persona, "createSite", json!({ "name": "Candidate", "communes": communes })).await.id()
}

fn figure(qpv: &str) -> Value {
    json!({ "subject": { "qpv": qpv }, "indicator": "POPULATION", "value": "1", "period": "2022" })
}

on_both!(a_prefecture_makes_no_qpv_of_others_its_own, Small, async |app| {
    let rhone = app.prefecture(&["69"]);
    let site = candidate(&rhone, &["69256"]).await;
    let add = |qpv: &str| json!({ "id": site, "qpv": qpv });
    assert_eq!(write(&rhone, "addSiteQpv", add("QP059001")).await.problems(), ["RULE qpv"]);
    // a commune of another « département » that it takes along gives it none either
    let along = json!({ "id": site, "communes": ["69256", "59350"] });
    write(&rhone, "setSiteLabel", along).await.done();
    assert_eq!(write(&rhone, "addSiteQpv", add("QP059001")).await.problems(), ["RULE qpv"]);
    assert_eq!(write(&rhone, "submitFigure", figure("QP059001")).await.problems(), ["FORBIDDEN subject"]);
    write(&rhone, "addSiteQpv", add("QP069018")).await.done();
    // ANCT adds any, and gives the right with it
    write(&app.anct(), "addSiteQpv", add("QP059001")).await.done();
    write(&rhone, "submitFigure", figure("QP059001")).await.done();
    let wrong = json!({ "id": site, "qpv": "QN05901I", "from": "2023-06-13" });
    assert_eq!(write(&rhone, "addSiteQpv", wrong).await.problems(), ["OUT_OF_BOUNDS from", "RULE qpv"]);
    let wrong = json!({ "id": site, "qpv": "QP069999", "from": "2023-06-13" });
    assert_eq!(
        write(&rhone, "addSiteQpv", wrong).await.problems(),
        ["OUT_OF_BOUNDS from", "UNKNOWN_CODE qpv"]
    );
    let wrong = json!({ "id": site, "qpv": "QN05901I", "to": "2023-06-13" });
    assert_eq!(write(&rhone, "endSiteQpv", wrong).await.problems(), ["NOT_FOUND qpv", "OUT_OF_BOUNDS to"]);
});

on_both!(a_site_does_not_leave_the_communes_by_which_its_qpvs_came, Small, async |app| {
    other_commune(app).await;
    let rhone = app.prefecture(&["69"]);
    let site = candidate(&rhone, &["69256"]).await;
    let qpv = json!({ "id": site, "qpv": "QP069018" });
    write(&rhone, "addSiteQpv", qpv.clone()).await.done();
    let leave = json!({ "id": site, "communes": ["69266"] });
    assert_eq!(write(&rhone, "setSiteLabel", leave.clone()).await.problems(), ["RULE communes"]);
    let grow = json!({ "id": site, "communes": ["69256", "69266"] });
    write(&rhone, "setSiteLabel", grow).await.done();
    write(&rhone, "endSiteQpv", qpv).await.done();
    write(&rhone, "setSiteLabel", leave).await.done();
});

on_both!(a_deleted_site_gives_no_right_over_a_qpv, Small, async |app| {
    let (isere, qpv) = (app.prefecture(&["38"]), qpv_of_isere(app).await);
    let site = candidate(&isere, &["38151"]).await;
    write(&isere, "addSiteQpv", json!({ "id": site, "qpv": qpv })).await.done();
    let made = write(&isere, "submitFigure", figure(qpv)).await.id();
    let read = "query ($id: ID!) { figure(by: { id: $id }) { value } }";
    let read = async || isere.query(read, json!({ "id": made })).await.data("/figure").clone();
    assert_eq!(read().await["value"], "1");
    settled(app).await;
    let last = isere.ask("{ changes(last: 1) { pageInfo { endCursor } } }").await;
    let after = json!({ "after": last.data("/changes/pageInfo/endCursor") });
    write(&app.anct(), "deleteSite", json!({ "id": site })).await.done();
    settled(app).await;
    let told = "query ($after: String) { changes(after: $after) { nodes { operation entityId } } }";
    let told = isere.query(told, after).await;
    let gone = json!({ "operation": "DELETE", "entityId": made });
    assert!(told.list("/changes/nodes").contains(&gone), "he saw it by that site alone: {told}");
    let links = "query ($qpv: QpvCode!) { qpv(by: { code: $qpv }) { perimeters { nodes { status } } } }";
    let links = app.anct().query(links, json!({ "qpv": qpv })).await;
    assert_eq!(links.list("/qpv/perimeters/nodes"), [] as [Value; 0]);
    assert_eq!(write(&isere, "submitFigure", figure(qpv)).await.problems(), ["FORBIDDEN subject"]);
    assert_eq!(write(&isere, "validateFigure", json!({ "id": made })).await.problems(), ["NOT_FOUND id"]);
    assert_eq!(read().await, Value::Null);
});

on_both!(a_candidate_of_no_known_commune_is_told_so, Small, async |app| {
    let rhone = app.prefecture(&["69"]);
    let file = async |persona: &Persona<'_>, name: &str, communes: Value| {
        write(persona, "createSite", json!({ "name": name, "communes": communes })).await.problems()
    };
    let unknown = ["OUT_OF_BOUNDS name", "UNKNOWN_CODE communes.1"];
    assert_eq!(file(&rhone, "x", json!(["69256", "69999"])).await, unknown);
    assert_eq!(file(&rhone, "x", json!([])).await, ["OUT_OF_BOUNDS name", "REQUIRED communes"]);
    assert_eq!(file(&rhone, "x", json!(["693"])).await, ["INVALID_FORMAT communes.0", "OUT_OF_BOUNDS name"]);
    assert_eq!(file(&rhone, "Lille", json!(["59350"])).await, ["FORBIDDEN communes"]);
    let city = app.collectivite(&["200046977"]);
    assert_eq!(file(&city, "Lyon", json!([])).await, ["FORBIDDEN communes"]);
});

on_both!(a_label_changes_what_differs_and_no_more, Small, async |app| {
    let (anct, site) = (app.anct(), known(Kind::Site, 2));
    let told = "query ($id: ID!) { auditEvents(first: 1, filter: { entityId: { eq: $id } }) { nodes { version changedFields } } }";
    let told = async || anct.query(told, json!({ "id": site })).await.data("/auditEvents/nodes").clone();
    write(&anct, "setSiteLabel", json!({ "id": site, "communes": ["59350", "02691"] })).await.done();
    assert_eq!(told().await, json!([{ "version": 2, "changedFields": ["communes"] }]));
    let same = json!({ "id": site, "communes": ["02691", "59350"], "pilotDepartements": ["59"] });
    assert_eq!(write(&anct, "setSiteLabel", same).await.version(), 2, "nothing new");
    let both = json!({ "id": site, "pilotDepartements": ["59", "02"] });
    assert_eq!(write(&anct, "setSiteLabel", both).await.version(), 3);
    assert_eq!(told().await, json!([{ "version": 3, "changedFields": ["pilotDepartements"] }]));
    write(&anct, "setSiteLabel", json!({ "id": site, "communes": ["59350"] })).await.done();
    let dropped = json!([{ "version": 4, "changedFields": ["pilotDepartements", "communes"] }]);
    assert_eq!(told().await, dropped, "02 steers no more");
});
