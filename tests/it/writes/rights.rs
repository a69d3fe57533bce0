//! Every mutation with every role, against the matrix of the domain.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use cites::auth::Scope;
use cites::clock::Clock;
use entity::enums::{ActionStatus, FigureStatus, MeetingStatus, SeatKind, SiteStatus};
use serde_json::{Value, json};
use tests::world::{self, Kind, id};
use tests::{GrantedSites, Persona, TestApp, on_both};
use uuid::Uuid;

use super::ground::{Ground, traces};
use super::{MUTATIONS, grant_indicators, known, write};

/// Who writes, in the order of the columns of [`CASES`].
const WHO: [&str; 8] = ["anct", "d", "D", "m", "M", "partner", "public", "anct without cde:write"];

/// Each mutation, what it is tried on, and what comes of it for each of [`WHO`]: `y` it is done, `f` it is
/// refused as `FORBIDDEN`, `n` the object is `NOT_FOUND` since he may not read it.
///
/// A partner's system owns what it creates, and names it by its own identifier.
const CASES: [(&str, &str, &str); 66] = [
    ("createSite", "in 69", "yyffffff"),
    ("updateSite", "", "yyfyffff"),
    ("setSiteLabel", "wave", "yfffffff"),
    ("setSiteLabel", "communes", "yfffffff"),
    ("setSiteLabel", "communes of a candidate", "yyffffnf"),
    ("setSiteMilestone", "ROADMAP_WRITING", "yyfyffff"),
    ("setSiteMilestone", "LABEL", "yfffffff"),
    ("removeSiteMilestone", "", "yyfyffff"),
    ("deleteSite", "candidate", "yfffffnf"),
    ("transitionSite", "submit", "yyffffnf"),
    ("transitionSite", "back", "yfffffnf"),
    ("addSiteQpv", "", "yfffffff"),
    ("addSiteQpv", "candidate", "yyffffnf"),
    ("endSiteQpv", "candidate", "yyffffnf"),
    ("createPartner", "", "yyyyyyff"),
    ("updatePartner", "", "yyfyffff"),
    ("updatePartner", "of the State", "yyffffff"),
    ("updatePartner", "of the source", "yffffyff"),
    ("closePartner", "", "yfffffff"),
    ("mergePartner", "", "yfffffff"),
    ("giveSeat", "MEMBRE", "yyfyffff"),
    ("giveSeat", "COPILOTE", "yyffffff"),
    ("endSeat", "MEMBRE", "yyfyffff"),
    ("endSeat", "ANIMATEUR", "yyffffff"),
    ("createReferent", "", "yyfyffff"),
    ("updateReferent", "", "yyfyfnnf"),
    ("endReferent", "", "yyfyfnnf"),
    ("eraseReferent", "", "yyfyfnnf"),
    ("createGovernanceBody", "", "yyfyffff"),
    ("updateGovernanceBody", "", "yyfyffff"),
    ("transitionGovernanceBody", "", "yyfyffff"),
    ("setGovernanceMembers", "", "yyfyffff"),
    ("planMeeting", "", "yyfyffff"),
    ("holdMeeting", "", "yyfyfnnf"),
    ("updateMeeting", "", "yyfyfnnf"),
    ("cancelMeeting", "", "yyfyfnnf"),
    ("createRoadmap", "", "yyfyffff"),
    ("setRoadmapAxes", "", "yyfyffnf"),
    ("adoptRoadmap", "", "yyffffnf"),
    ("createAction", "", "yyfyfyff"),
    ("updateAction", "", "yyfyfnnf"),
    ("updateAction", "title of a synced one", "yffffynf"),
    ("updateAction", "pillar of a synced one", "yyfyffnf"),
    ("transitionAction", "", "yyfyfnnf"),
    ("transitionAction", "synced", "yffffynf"),
    ("transitionAction", "reopen", "yyfffnnf"),
    ("deleteAction", "draft", "yyfyfnnf"),
    ("deleteAction", "planned", "yffffnnf"),
    ("submitFigure", "", "yyfyfyff"),
    ("submitFigure", "national", "yfffffff"),
    ("submitFigure", "commune", "yfffffff"),
    ("submitFigure", "epci", "yfffffff"),
    ("validateFigure", "", "yyffffnf"),
    ("reviseFigure", "", "yyffffff"),
    ("withdrawFigure", "", "yfffffnf"),
    ("reportQuarter", "", "yyfyffff"),
    ("createFundingLine", "", "yyffffff"),
    ("updateFundingLine", "", "yyfffnnf"),
    ("deleteFundingLine", "", "yyfffnnf"),
    ("createClientGrant", "", "yfffffff"),
    ("updateClientGrant", "", "ynnnnnnf"),
    ("revokeClientGrant", "", "ynnnnnnf"),
    ("deleteAction", "planned of the source", "yffffynf"),
    ("createWebhook", "", "yffffyff"),
    ("updateWebhook", "", "ynnnnynf"),
    ("deleteWebhook", "", "ynnnnynf"),
];

fn persona<'a>(app: &'a TestApp, who: &str, partner: &Persona<'a>) -> Persona<'a> {
    match who {
        "anct" => app.anct(),
        "d" => app.prefecture(&["69"]),
        "D" => app.prefecture(&["38"]),
        "m" => app.collectivite(&["200046977"]),
        "M" => app.collectivite(&["200040715"]),
        "partner" => partner.clone(),
        "public" => app.public(),
        _ => app.anct().scopes(&[Scope::Read, Scope::Referents, Scope::Admin]),
    }
}

/// What is sent; the rows it names are new each time.
async fn input(ground: &Ground<'_>, name: &str, on: &str) -> Value {
    let site = known(Kind::Site, 1);
    match (name, on) {
        ("createSite", _) => json!({ "name": "Candidate", "communes": ["69256"] }),
        ("updateSite", _) => json!({ "id": site, "audienceNote": Uuid::now_v7().to_string() }),
        ("setSiteLabel", "wave") => json!({ "id": site, "wave": null }),
        ("setSiteLabel", "communes") => {
            json!({ "id": ground.site(SiteStatus::Active).await, "communes": ["69256"] })
        }
        ("setSiteLabel", _) => json!({ "id": ground.candidate().await, "communes": ["69256"] }),
        ("setSiteMilestone", kind) => json!({ "id": site, "kind": kind, "start": "2021-10" }),
        ("removeSiteMilestone", _) => {
            json!({ "id": site, "kind": "ACTION_PLAN", "start": ground.milestone().await })
        }
        ("deleteSite", _) => json!({ "id": ground.candidate().await }),
        ("transitionSite", "submit") => json!({ "id": ground.candidate().await, "to": "SUBMITTED" }),
        ("transitionSite", _) => json!({ "id": ground.site(SiteStatus::Submitted).await, "to": "CANDIDATE" }),
        ("addSiteQpv", "") => json!({ "id": site, "qpv": "QN05901I" }),
        ("addSiteQpv", _) => json!({ "id": ground.candidate().await, "qpv": "QN06916M" }),
        ("endSiteQpv", _) => json!({ "id": ground.candidate().await, "qpv": "QP069018" }),
        _ => input_of_people(ground, name, on).await,
    }
}

async fn input_of_people(ground: &Ground<'_>, name: &str, on: &str) -> Value {
    let (site, mission) = (known(Kind::Site, 1), known(Kind::Partner, 3));
    let website = || format!("https://{}.example.fr", Uuid::now_v7());
    match (name, on) {
        ("createPartner", _) => json!({ "name": "Régie de quartier", "kind": "ASSOCIATION" }),
        ("updatePartner", "") => json!({ "id": mission, "website": website() }),
        ("updatePartner", "of the State") => json!({ "id": known(Kind::Partner, 1), "website": website() }),
        ("updatePartner", _) => json!({ "id": known(Kind::Partner, 6), "website": website() }),
        ("closePartner", _) => json!({ "id": ground.partner().await }),
        ("mergePartner", _) => json!({ "id": ground.partner().await, "into": mission }),
        ("giveSeat", kind) => json!({ "site": site, "partner": ground.partner().await, "kind": kind }),
        ("endSeat", kind) => {
            json!({ "id": ground.seat(SeatKind::parse(kind).expect("a kind")).await })
        }
        ("createReferent", _) => json!({ "site": site, "partner": mission, "function": "Cheffe" }),
        ("updateReferent", _) => json!({ "id": ground.referent().await, "function": "Chargée" }),
        ("endReferent", _) => json!({ "id": ground.referent().await, "to": "2023-06-01" }),
        ("eraseReferent", _) => json!({ "id": ground.referent().await }),
        _ => input_of_committees(ground, name, on).await,
    }
}

async fn input_of_committees(ground: &Ground<'_>, name: &str, on: &str) -> Value {
    let site = known(Kind::Site, 1);
    let planned = async || ground.meeting(MeetingStatus::Planned).await;
    let axes = json!([{ "label": "Mobilité" }]);
    match name {
        "createGovernanceBody" => json!({ "site": site, "kind": "COTECH" }),
        "updateGovernanceBody" => json!({ "id": ground.body().await, "name": "Comité" }),
        "transitionGovernanceBody" => json!({ "id": ground.body().await, "to": "ACTIVE" }),
        "setGovernanceMembers" => json!({ "id": ground.body().await, "members": [] }),
        "planMeeting" => json!({ "body": known(Kind::Body, 1), "date": "2023-07-01" }),
        "holdMeeting" | "cancelMeeting" => json!({ "id": planned().await }),
        "updateMeeting" => json!({ "id": planned().await, "summary": "Relevé" }),
        "createRoadmap" => json!({ "site": site, "axes": axes }),
        "setRoadmapAxes" => json!({ "id": ground.roadmap().await, "axes": axes }),
        "adoptRoadmap" => json!({ "id": ground.roadmap().await }),
        _ => input_of_actions(ground, name, on).await,
    }
}

async fn input_of_actions(ground: &Ground<'_>, name: &str, on: &str) -> Value {
    let (site, ft) = (known(Kind::Site, 1), Some("FRANCE_TRAVAIL"));
    let action = async |status, source| ground.action(status, source).await;
    let draft = ActionStatus::Draft;
    match (name, on) {
        ("createAction", _) => json!({ "site": site, "title": "Forum" }),
        ("updateAction", "") => {
            json!({ "id": action(draft, None).await, "title": "Forum", "published": true })
        }
        ("updateAction", "title of a synced one") => {
            json!({ "id": action(draft, ft).await, "title": "Forum" })
        }
        ("updateAction", _) => {
            json!({ "id": action(draft, ft).await, "innovative": false, "pillar": "INNOVER" })
        }
        ("transitionAction", "reopen") => {
            json!({ "id": action(ActionStatus::Completed, None).await, "to": "IN_PROGRESS", "reason": "suite" })
        }
        ("transitionAction", on) => {
            let source = if on == "synced" { ft } else { None };
            json!({ "id": action(draft, source).await, "to": "CANCELLED", "reason": "faute de public" })
        }
        ("deleteAction", "draft") => json!({ "id": action(draft, None).await }),
        ("deleteAction", "planned") => json!({ "id": action(ActionStatus::Planned, None).await }),
        ("deleteAction", _) => json!({ "id": action(ActionStatus::Planned, ft).await }),
        _ => input_of_figures(ground, name, on).await,
    }
}

async fn input_of_figures(ground: &Ground<'_>, name: &str, on: &str) -> Value {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let (site, call) = (known(Kind::Site, 1), CALLS.fetch_add(1, Ordering::SeqCst));
    let line = json!({ "site": site, "year": 2023, "programmeLabel": "BOP 147", "amountCents": "5", "kind": "PAID" });
    match name {
        "submitFigure" => {
            // a month of its own each
            let period = format!("{}-{:02}", 2001 + call / 12 % 20, call % 12 + 1);
            let subject = match on {
                "national" => json!({ "national": true }),
                "commune" => json!({ "commune": "69256" }),
                "epci" => json!({ "epci": "200046977" }),
                _ => json!({ "site": site }),
            };
            json!({ "subject": subject, "indicator": "POPULATION", "value": "1", "period": period })
        }
        "validateFigure" => json!({ "id": ground.figure(FigureStatus::Provisional).await }),
        "reviseFigure" => {
            ground.withdraw_declared().await;
            json!({ "id": ground.figure(FigureStatus::Validated).await, "value": "2" })
        }
        "withdrawFigure" => {
            json!({ "id": ground.figure(FigureStatus::Provisional).await, "reason": "erreur" })
        }
        "reportQuarter" => {
            let values = json!([{ "indicator": "ACTION_COUNT", "value": call.to_string() }]);
            json!({ "site": site, "quarter": "2023-Q1", "values": values })
        }
        "createFundingLine" => line,
        "updateFundingLine" => json!({ "id": ground.funding().await, "year": 2024 }),
        "deleteFundingLine" => json!({ "id": ground.funding().await }),
        "createClientGrant" => {
            json!({ "clientId": Uuid::now_v7().to_string(), "label": "Un client", "sourceSystem": "AUTRE" })
        }
        "updateClientGrant" => json!({ "id": ground.grant().await, "label": "Autre nom" }),
        "revokeClientGrant" => json!({ "id": ground.grant().await }),
        "createWebhook" => json!({ "url": "https://example.fr/hook" }),
        "updateWebhook" => json!({ "id": ground.webhook().await, "url": "https://example.fr/other" }),
        "deleteWebhook" => json!({ "id": ground.webhook().await }),
        other => panic!("no input for {other}"),
    }
}

async fn audited(app: &TestApp, from: &str) -> Vec<Value> {
    let events = "query ($at: DateTime!) { auditEvents(first: 50, filter: { at: { eq: $at } }) { nodes { verb outcome role } } }";
    let answer = app.anct().query(events, json!({ "at": from })).await;
    answer.list("/auditEvents/nodes").to_vec()
}

async fn check(app: &TestApp, cases: &[(&str, &str, &str)]) {
    let ground = Ground::of(app).await;
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    grant_indicators(app, &["POPULATION"]).await;
    for (name, on, expected) in cases {
        for (who, expected) in WHO.into_iter().zip(expected.chars()) {
            // each in a minute of its own, by which its events are found
            app.clock.advance(60);
            let (persona, what) = (persona(app, who, &partner), format!("{who}: {name} {on}"));
            let mut input = input(&ground, name, on).await;
            if who == "partner" && ["createPartner", "createAction", "submitFigure"].contains(name) {
                input["externalId"] = json!(Uuid::now_v7().to_string());
            }
            let before = traces(app).await;
            let written = write(&persona, name, input).await;
            let outcome = written.outcome();
            let wanted = match expected {
                'y' => "OK",
                'f' => "FORBIDDEN",
                _ => "NOT_FOUND",
            };
            assert_eq!(outcome, wanted, "{what}: {}", written.0);
            let events = audited(app, &app.clock.now().to_rfc3339()).await;
            if wanted == "OK" {
                assert_ne!(traces(app).await, before, "{what} wrote nothing");
                assert!(!events.is_empty() && events.iter().all(|event| event["outcome"] == "OK"), "{what}");
                continue;
            }
            assert_eq!(traces(app).await, before, "{what} left a trace");
            let told: Vec<String> =
                events.iter().map(|event| format!("{} {}", event["verb"], event["outcome"])).collect();
            let expected = if who == "public" { vec![] } else { vec![format!("\"{name}\" \"{wanted}\"")] };
            assert_eq!(told, expected, "{what}: {events:?}");
        }
    }
}

on_both!(roles_write_sites_people_and_committees_as_the_matrix_says, Small, async |app| {
    check(app, &CASES[..39]).await;
});

on_both!(roles_write_actions_figures_and_grants_as_the_matrix_says, Small, async |app| {
    check(app, &CASES[39..]).await;
});

on_both!(every_mutation_is_tried_with_every_role, Small, async |app| {
    let answer = app.public().ask("{ __schema { mutationType { fields { name } } } }").await;
    let fields = answer.column("/__schema/mutationType/fields", "name");
    let mut fields: BTreeSet<&str> = fields.iter().map(String::as_str).collect();
    // each item of an import is answered for itself: `sync::rights` asks
    fields.remove("syncActions");
    let tried: BTreeSet<&str> = CASES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(fields, tried);
    let with_payload: BTreeSet<&str> =
        MUTATIONS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    assert_eq!(fields, with_payload);
});

on_both!(a_closed_site_gives_no_right_over_a_qpv_that_an_open_one_shares, Small, async |app| {
    // the third site, closed, steered by 200040715, in a QPV of the first, which is active
    let mut link = world::small().site_qpvs[0].clone();
    (link.id, link.site_id, link.qpv_id) = (Uuid::now_v7(), id(Kind::Site, 3), id(Kind::Qpv, 3));
    app.insert([link]).await;
    let input = json!({
        "subject": { "qpv": "QN06916M" }, "indicator": "POPULATION", "value": "1", "period": "2022-01"
    });
    let steerer = app.collectivite(&["200040715"]);
    assert_eq!(write(&steerer, "submitFigure", input.clone()).await.outcome(), "FORBIDDEN");
    let open = app.collectivite(&["200046977"]);
    assert_eq!(write(&open, "submitFigure", input).await.outcome(), "OK");
});
