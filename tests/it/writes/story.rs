//! The story of a site, from its candidature to a revised figure, as `docs/story.md` tells it.

use serde_json::{Value, json};
use tests::{Persona, TestApp, on_both};

use super::{write, write_and};

const FRONTEND: &str = include_str!("../contract/frontend.graphql");

/// Those who act.
struct Cast<'a> {
    anct: Persona<'a>,
    prefecture: Persona<'a>,
    city: Persona<'a>,
}

impl<'a> Cast<'a> {
    fn of(app: &'a TestApp) -> Self {
        Self { anct: app.anct(), prefecture: app.prefecture(&["59"]), city: app.collectivite(&["213505506"]) }
    }
}

on_both!(a_site_lives_from_candidature_to_figures, Small, async |app| {
    let cast = Cast::of(app);
    let site = candidature(&cast).await;
    label(app, &cast, &site).await;
    let association = seats(&cast, &site).await;
    let meeting = committee(app, &cast, &site, &association).await;
    let axis = roadmap(&cast, &site, &meeting).await;
    write(&cast.anct, "transitionSite", json!({ "id": site, "to": "ACTIVE" })).await.done();
    action(app, &cast, &site, &axis, &association).await;
    quarter(app, &cast, &site).await;
    told_in_order(&cast, &site).await;
});

/// A préfecture files a candidate and submits it.
async fn candidature(cast: &Cast<'_>) -> String {
    let input = json!({ "name": " Lille  Sud ", "communes": ["59350"], "scale": "QUARTIER" });
    let fields = "name status pilotDepartements { code } viewerCanUpdate viewerCanTransitionTo";
    let filed = write_and(&cast.prefecture, "createSite", input, fields).await;
    assert_eq!(filed.done()["name"], "Lille Sud");
    assert_eq!(filed.done()["status"], "CANDIDATE");
    assert_eq!(filed.done()["pilotDepartements"], json!([{ "code": "59" }]));
    assert_eq!(filed.done()["viewerCanTransitionTo"], json!(["SUBMITTED"]));
    let site = filed.id();
    write(&cast.prefecture, "addSiteQpv", json!({ "id": site, "qpv": "QN05901I" })).await.done();
    write(&cast.prefecture, "transitionSite", json!({ "id": site, "to": "SUBMITTED" })).await.done();
    site
}

/// ANCT labels it, once nothing is missing any more; everything that is missing is told at once.
async fn label(app: &TestApp, cast: &Cast<'_>, site: &str) {
    let to_label = json!({ "id": site, "to": "LABELLED" });
    let refused = write(&cast.anct, "transitionSite", to_label.clone()).await;
    assert_eq!(refused.problems(), ["RULE to"; 4], "code, milestone, two co-pilots: {}", refused.0);
    for (name, kind, siren) in
        [("Préfecture du Nord", "PREFECTURE", Value::Null), ("Ville de Lille", "COMMUNE", json!("213505506"))]
    {
        let input = json!({ "name": name, "kind": kind, "siren": siren, "communeCode": "59350" });
        let partner = write(&cast.prefecture, "createPartner", input).await.id();
        let seat = json!({ "site": site, "partner": partner, "kind": "COPILOTE" });
        write(&cast.prefecture, "giveSeat", seat).await.done();
    }
    let label = json!({ "id": site, "code": "CDE-910", "wave": 2021 });
    let labelled = write_and(&cast.anct, "setSiteLabel", label, "code").await;
    assert_eq!(labelled.done()["code"], "cde-910");
    let milestone = json!({ "id": site, "kind": "LABEL", "start": "T3 2021", "label": "été 2021" });
    let dated = write_and(&cast.anct, "setSiteMilestone", milestone, "milestones { kind start }").await;
    assert_eq!(dated.done()["milestones"], json!([{ "kind": "LABEL", "start": "2021-Q3" }]));
    assert_eq!(
        app.public().ask("{ site(by: { code: \"cde-910\" }) { id } }").await.data("/site"),
        &Value::Null
    );
    let done = write_and(&cast.anct, "transitionSite", to_label, "status").await;
    assert_eq!(done.done()["status"], "LABELLED");
    assert!(app.public().ask("{ site(by: { code: \"cde-910\" }) { id } }").await.data("/site").is_object());
}

/// The city, whose own right comes from its seat as co-pilot, seats partners.
async fn seats(cast: &Cast<'_>, site: &str) -> String {
    let association =
        json!({ "name": "Association Tremplin", "kind": "ASSOCIATION", "communeCode": "59350" });
    let association = write(&cast.city, "createPartner", association).await.id();
    let seat = |kind: &str| json!({ "site": site, "partner": association, "kind": kind });
    write(&cast.city, "giveSeat", seat("MEMBRE")).await.done();
    assert_eq!(write(&cast.city, "giveSeat", seat("PORTEUR")).await.problems(), ["FORBIDDEN site"]);
    write(&cast.prefecture, "giveSeat", seat("PORTEUR")).await.done();
    association
}

/// A steering committee is created, activated, and meets.
async fn committee(app: &TestApp, cast: &Cast<'_>, site: &str, member: &str) -> String {
    let input = json!({
        "site": site, "kind": "COPIL", "origin": "EXISTING_BODY", "attachedTo": "COPIL du contrat de ville",
        "cadence": { "every": 6, "unit": "WEEK" },
    });
    let copil = write(&cast.city, "createGovernanceBody", input).await.id();
    let members = json!({ "id": copil, "members": [{ "partner": member, "seat": "PRESIDENT" }] });
    let seated =
        write_and(&cast.city, "setGovernanceMembers", members, "members { seat partner { id } }").await;
    assert_eq!(seated.done()["members"], json!([{ "seat": "PRESIDENT", "partner": { "id": member } }]));
    write(&cast.city, "transitionGovernanceBody", json!({ "id": copil, "to": "ACTIVE" })).await.done();
    let meeting = write(&cast.city, "planMeeting", json!({ "body": copil, "date": "2023-06-20" })).await.id();
    let held =
        json!({ "id": meeting, "decisions": ["Adopter la feuille de route"], "summary": "Unanimité." });
    assert_eq!(write(&cast.city, "holdMeeting", held.clone()).await.problems(), ["RULE date"]);
    app.clock.advance(8 * 86_400);
    let fields = "status decisions";
    let held = write_and(&cast.city, "holdMeeting", held, fields).await;
    assert_eq!(held.done()["status"], "HELD");
    assert_eq!(held.done()["decisions"], json!(["Adopter la feuille de route"]));
    meeting
}

/// The city drafts, the préfecture has it adopted, twice; the second supersedes the first.
async fn roadmap(cast: &Cast<'_>, site: &str, meeting: &str) -> String {
    let headed =
        |labels: &[&str]| -> Value { labels.iter().map(|label| json!({ "label": label })).collect() };
    let draft = json!({ "site": site, "axes": headed(&["Mobilité", "Numérique"]) });
    let first = write(&cast.city, "createRoadmap", draft).await.id();
    let adopt = |id: &str| json!({ "id": id, "meeting": meeting });
    assert_eq!(write(&cast.city, "adoptRoadmap", adopt(&first)).await.problems(), ["FORBIDDEN id"]);
    write(&cast.prefecture, "adoptRoadmap", adopt(&first)).await.done();
    let next = json!({ "site": site, "axes": headed(&["Aller vers", "Mobilité"]) });
    let fields = "number status adoptedOn adoptedByMeeting { id } axes { id label position }";
    let second = write_and(&cast.city, "createRoadmap", next, fields).await;
    assert_eq!((&second.done()["number"], &second.done()["status"]), (&json!(2), &json!("DRAFT")));
    let second = write_and(&cast.prefecture, "adoptRoadmap", adopt(&second.id()), fields).await;
    assert_eq!(second.done()["status"], "ADOPTED");
    assert_eq!(second.done()["adoptedOn"], "2023-06-20");
    assert_eq!(second.done()["adoptedByMeeting"]["id"], meeting);
    let all = "query ($id: ID!) { site(by: { id: $id }) { roadmap { number } roadmaps { nodes { number status } } } }";
    let all = cast.city.query(all, json!({ "id": site })).await;
    assert_eq!(all.data("/site/roadmap/number"), 2);
    let mut statuses = all.column("/site/roadmaps/nodes", "status");
    statuses.sort();
    assert_eq!(statuses, ["ADOPTED", "SUPERSEDED"]);
    let axis = &second.done()["axes"][0];
    assert_eq!((&axis["label"], &axis["position"]), (&json!("Aller vers"), &json!(1)));
    axis["id"].as_str().expect("an id").to_owned()
}

/// An action: drafted, planned, published, started, finished.
async fn action(app: &TestApp, cast: &Cast<'_>, site: &str, axis: &str, lead: &str) {
    let input = json!({
        "site": site, "title": "Job dating au pied des tours", "axis": axis, "categories": ["JOB_DATING"],
        "qpvs": ["qn05901i"],
    });
    let action = write(&cast.city, "createAction", input).await.id();
    let to = |status: &str| json!({ "id": action, "to": status });
    let refused = write(&cast.city, "transitionAction", to("PLANNED")).await;
    assert_eq!(refused.problems(), ["RULE lead", "RULE pillar", "RULE startsOn"]);
    let more = json!({ "id": action, "lead": lead, "pillar": "INNOVER", "startsOn": "été 2023" });
    assert_eq!(write(&cast.city, "updateAction", more).await.problems(), ["INVALID_FORMAT startsOn"]);
    let more = json!({ "id": action, "lead": lead, "pillar": "INNOVER", "startsOn": "T3 2023" });
    write(&cast.city, "updateAction", more).await.done();
    write(&cast.city, "transitionAction", to("PLANNED")).await.done();
    let public = app.public();
    let seen = async || {
        let one = "query ($id: ID!) { action(by: { id: $id }) { status } }";
        public.query(one, json!({ "id": action })).await.data("/action").clone()
    };
    assert_eq!(seen().await, Value::Null);
    let version = write(&cast.city, "transitionAction", to("PLANNED")).await.version();
    let publish = json!({ "input": { "id": action, "expectedVersion": version, "published": true } });
    let published = cast.city.operation(FRONTEND, "Publish", publish.clone()).await;
    assert_eq!(published.data("/updateAction/action/published"), true);
    assert_eq!(published.number("/updateAction/action/version"), version + 1);
    assert_eq!(seen().await, json!({ "status": "PLANNED" }));
    let again = cast.city.operation(FRONTEND, "Publish", publish).await;
    assert_eq!(again.data("/updateAction/userErrors/0/code"), "CONFLICT");
    write(&cast.city, "transitionAction", to("IN_PROGRESS")).await.done();
    let early = json!({ "input": { "id": action, "to": "COMPLETED", "endsOn": "2023-07-30" } });
    let early = cast.city.operation(FRONTEND, "Finish", early).await;
    assert_eq!(early.data("/transitionAction/userErrors/0/path"), &json!(["input", "endsOn"]));
    app.clock.advance(60 * 86_400);
    let finish = json!({ "input": { "id": action, "to": "COMPLETED", "endsOn": "2023-07-30" } });
    let finished = cast.city.operation(FRONTEND, "Finish", finish).await;
    assert_eq!(finished.data("/transitionAction/userErrors"), &json!([]));
    assert_eq!(finished.data("/transitionAction/action/status"), "COMPLETED");
    assert_eq!(finished.data("/transitionAction/action/endsOn"), "2023-07-30");
}

/// A quarter is reported by the city, validated by the préfecture, revised.
async fn quarter(app: &TestApp, cast: &Cast<'_>, site: &str) {
    let values = json!([
        { "indicator": "BENEFICIARY_COUNT", "value": "41", "note": "émargements" },
        { "indicator": "ACTION_COUNT", "value": "3" },
    ]);
    let report = json!({ "site": site, "quarter": "T2 2023", "values": values });
    let fields = "figures(orderBy: [{ field: CREATED_AT }]) { nodes { id indicator value status period } }";
    let reported = write_and(&cast.city, "reportQuarter", report, fields).await;
    let figures = reported.done()["figures"]["nodes"].as_array().expect("figures").clone();
    assert!(figures.iter().all(|figure| figure["status"] == "PROVISIONAL" && figure["period"] == "2023-Q2"));
    let of = |indicator: &str| figures.iter().find(|figure| figure["indicator"] == indicator).expect("one");
    let id = of("BENEFICIARY_COUNT")["id"].clone();
    let id = id.as_str().expect("an id");
    let public = async || {
        let one = "query ($id: ID!) { site(by: { id: $id }) { figures { nodes { value status } } } }";
        app.public().query(one, json!({ "id": site })).await.data("/site/figures/nodes").clone()
    };
    assert_eq!(public().await, json!([]));
    assert_eq!(write(&cast.city, "validateFigure", json!({ "id": id })).await.problems(), ["FORBIDDEN id"]);
    write(&cast.prefecture, "validateFigure", json!({ "id": id })).await.done();
    let revise = json!({ "id": id, "value": "43" });
    let revised = write_and(&cast.prefecture, "reviseFigure", revise, "value status").await;
    assert_ne!(revised.id(), id);
    assert_eq!(revised.done()["status"], "VALIDATED");
    assert_eq!(public().await, json!([{ "value": "43", "status": "VALIDATED" }]));
    let former = "query ($id: ID!) { figure(by: { id: $id }) { value status } }";
    let former = cast.city.query(former, json!({ "id": id })).await;
    assert_eq!(former.data("/figure"), &json!({ "value": "41", "status": "REVISED" }));
}

/// The audit events tell it all, in order; the préfecture reads them without the persons.
async fn told_in_order(cast: &Cast<'_>, site: &str) {
    let events = "{ auditEvents(first: 100) { nodes { entity entityId verb outcome role actorSub } } }";
    let answer = cast.anct.ask(events).await;
    let mut told: Vec<String> = answer
        .list("/auditEvents/nodes")
        .iter()
        .map(|event| {
            let text = |key: &str| event[key].as_str().unwrap_or_default();
            format!("{} {} {} {}", text("role"), text("verb"), text("entity"), text("outcome"))
        })
        .collect();
    told.reverse();
    let expected: Vec<&str> = include_str!("story.txt").lines().collect();
    assert_eq!(told, expected, "{told:#?}");
    let of_site = |event: &&Value| event["entityId"] == site;
    let first = answer.list("/auditEvents/nodes").iter().rfind(of_site).expect("the creation");
    assert_eq!(first["actorSub"], "test-prefecture");
    let prefecture = cast.prefecture.clone().with(|claims| {
        claims.scopes.push(cites::auth::Scope::Admin);
    });
    let answer = prefecture.ask(events).await;
    let nodes = answer.list("/auditEvents/nodes");
    assert!(nodes.len() > 15 && nodes.iter().all(|event| event["actorSub"] == Value::Null), "{answer}");
}
