//! `viewerCan…`: what each says is what the mutation then does.

use entity::enums::{MeetingStatus, SeatKind, SiteStatus};
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{GrantedSites, Persona, TestApp, on_both};
use uuid::Uuid;

use super::ground::{Ground, traces};
use super::{known, write};

/// A flag of an object, and the write that it speaks of.
struct Case {
    lookup: &'static str,
    flag: &'static str,
    mutation: &'static str,
    input: Value,
}

fn case(lookup: &'static str, flag: &'static str, mutation: &'static str, input: Value) -> Case {
    Case { lookup, flag, mutation, input }
}

/// Fresh objects each time, with those that their own state holds back.
async fn cases(app: &TestApp, ground: &Ground<'_>) -> Vec<Case> {
    let mut all = of_people(app, ground).await;
    all.extend(of_committees(app, ground).await);
    for status in [SiteStatus::Candidate, SiteStatus::Active, SiteStatus::Closed] {
        let site = async || ground.site(status).await;
        let note = json!({ "id": site().await, "audienceNote": "Autre" });
        all.push(case("site", "viewerCanUpdate", "updateSite", note));
        let wave = json!({ "id": site().await, "wave": 2021 });
        all.push(case("site", "viewerCanSetLabel", "setSiteLabel", wave));
        let qpv = json!({ "id": site().await, "qpv": "QN06916M" });
        all.push(case("site", "viewerCanSetPerimeter", "addSiteQpv", qpv));
        all.push(case("site", "viewerCanDelete", "deleteSite", json!({ "id": site().await })));
    }
    let labelled = json!({ "id": ground.candidate().await, "code": null });
    let milestone = json!({ "id": labelled["id"], "kind": "LABEL", "start": "2021" });
    write(&app.anct(), "setSiteMilestone", milestone).await.done();
    all.push(case("site", "viewerCanDelete", "deleteSite", json!({ "id": labelled["id"] })));
    all
}

async fn of_people(app: &TestApp, ground: &Ground<'_>) -> Vec<Case> {
    let (anct, site, mission) = (app.anct(), known(Kind::Site, 1), known(Kind::Partner, 3));
    let website = |id: String| json!({ "id": id, "website": format!("https://{}.fr", Uuid::now_v7()) });
    let mut all = Vec::new();
    // a collectivity's own, one of the State, one of a source, one that was merged, one without seat
    for partner in [2, 3, 1, 6, 5, 7] {
        all.push(case("partner", "viewerCanUpdate", "updatePartner", website(known(Kind::Partner, partner))));
    }
    let merge = json!({ "id": ground.partner().await, "into": mission });
    all.push(case("partner", "viewerCanMerge", "mergePartner", merge));
    let close = json!({ "id": ground.partner().await });
    all.push(case("partner", "viewerCanClose", "closePartner", close.clone()));
    let closed = ground.partner().await;
    write(&anct, "closePartner", json!({ "id": closed })).await.done();
    all.push(case("partner", "viewerCanClose", "closePartner", json!({ "id": closed })));
    for kind in [SeatKind::Membre, SeatKind::Animateur] {
        all.push(case("seat", "viewerCanEnd", "endSeat", json!({ "id": ground.seat(kind).await })));
    }
    let ended = ground.seat(SeatKind::Membre).await;
    write(&anct, "endSeat", json!({ "id": ended })).await.done();
    all.push(case("seat", "viewerCanEnd", "endSeat", json!({ "id": ended })));
    let own = json!({ "site": site, "partner": known(Kind::Partner, 2), "kind": "FINANCEUR" });
    let given = write(&anct, "giveSeat", own).await.id();
    all.push(case("seat", "viewerCanEnd", "endSeat", json!({ "id": given })));
    let function = json!({ "id": ground.referent().await, "function": "Chargée" });
    all.push(case("referent", "viewerCanUpdate", "updateReferent", function));
    let erase = json!({ "id": ground.referent().await });
    all.push(case("referent", "viewerCanErase", "eraseReferent", erase));
    let erased = ground.referent().await;
    write(&anct, "eraseReferent", json!({ "id": erased })).await.done();
    all.push(case("referent", "viewerCanErase", "eraseReferent", json!({ "id": erased })));
    let function = json!({ "id": erased, "function": "Chargée" });
    all.push(case("referent", "viewerCanUpdate", "updateReferent", function));
    all
}

async fn of_committees(app: &TestApp, ground: &Ground<'_>) -> Vec<Case> {
    let anct = app.anct();
    let mut all = Vec::new();
    let dissolved = ground.body().await;
    for to in ["ACTIVE", "SUSPENDED", "DISSOLVED"] {
        write(&anct, "transitionGovernanceBody", json!({ "id": dissolved, "to": to })).await.done();
    }
    for body in [ground.body().await, dissolved] {
        let name = json!({ "id": body, "name": "Comité" });
        all.push(case("governanceBody", "viewerCanUpdate", "updateGovernanceBody", name));
    }
    for status in [MeetingStatus::Planned, MeetingStatus::Held, MeetingStatus::Cancelled] {
        let summary = json!({ "id": ground.meeting(status).await, "summary": "Relevé" });
        all.push(case("meeting", "viewerCanUpdate", "updateMeeting", summary));
    }
    let axes = json!([{ "label": "Mobilité" }]);
    for roadmap in [ground.roadmap().await, known(Kind::Roadmap, 1)] {
        let axes = json!({ "id": roadmap, "axes": axes });
        all.push(case("roadmap", "viewerCanUpdate", "setRoadmapAxes", axes));
    }
    for roadmap in [ground.roadmap().await, known(Kind::Roadmap, 1)] {
        all.push(case("roadmap", "viewerCanAdopt", "adoptRoadmap", json!({ "id": roadmap })));
    }
    all
}

async fn personas(app: &TestApp) -> Vec<(&'static str, Persona<'_>)> {
    vec![
        ("d", app.prefecture(&["69"])),
        ("D", app.prefecture(&["38"])),
        ("m", app.collectivite(&["200046977"])),
        ("M", app.collectivite(&["200040715"])),
        ("partner", app.partner("FRANCE_TRAVAIL", GrantedSites::All).await),
        ("public", app.public()),
        ("anct", app.anct()),
    ]
}

on_both!(what_a_viewer_is_told_that_he_can_he_can, Small, async |app| {
    let ground = Ground::of(app).await;
    let (mut yes, mut no) = (0, 0);
    for (who, persona) in personas(app).await {
        for Case { lookup, flag, mutation, input } in cases(app, &ground).await {
            let document = format!("query ($id: ID!) {{ found: {lookup}(by: {{ id: $id }}) {{ {flag} }} }}");
            let found = persona.query(&document, json!({ "id": input["id"] })).await;
            let told = found.data("/found").get(flag) == Some(&json!(true));
            let before = traces(app).await;
            let written = write(&persona, mutation, input.clone()).await;
            let does = written.outcome() == "OK" && traces(app).await != before;
            assert_eq!(told, does, "{who}: {lookup}.{flag} of {input}: {}", written.0);
            *if does { &mut yes } else { &mut no } += 1;
        }
        // what was ended above for nothing may be given again
        let seats = "{ seats(first: 100, filter: { kind: { eq: FINANCEUR }, to: { isNull: true } }) { nodes { id } } }";
        for seat in app.anct().ask(seats).await.list("/seats/nodes") {
            write(&app.anct(), "endSeat", json!({ "id": seat["id"] })).await.done();
        }
    }
    assert!(yes > 40 && no > 80, "{yes} and {no}");
});

on_both!(a_committee_moves_where_its_flag_says, Small, async |app| {
    let ground = Ground::of(app).await;
    let document = "query ($id: ID!) { governanceBody(by: { id: $id }) { viewerCanTransitionTo } }";
    for (who, persona) in personas(app).await {
        let body = ground.body().await;
        for status in ["PLANNED", "ACTIVE", "SUSPENDED", "DISSOLVED"] {
            if status != "PLANNED" {
                let step = json!({ "id": body, "to": status });
                write(&app.anct(), "transitionGovernanceBody", step).await.done();
            }
            let told = persona.query(document, json!({ "id": body })).await;
            let told = told.data("/governanceBody/viewerCanTransitionTo").clone();
            let may = ["d", "m", "anct"].contains(&who);
            let expected = match status {
                "PLANNED" if may => json!(["ACTIVE"]),
                "ACTIVE" if may => json!(["SUSPENDED"]),
                "SUSPENDED" if may => json!(["ACTIVE", "DISSOLVED"]),
                _ => json!([]),
            };
            assert_eq!(told, expected, "{who}: {status}");
        }
    }
});
