//! What comes to an end: meetings, committees, periods, and a candidate with all that hangs on it.

use entity::enums::{ActionStatus, JournalOp, MeetingStatus, SiteStatus};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tests::on_both;
use tests::world::Kind;

use super::ground::Ground;
use super::merges::journaled;
use super::{known, write, write_and};

on_both!(a_held_meeting_takes_more_and_a_final_one_nothing, Small, async |app| {
    let (anct, ground) = (app.anct(), Ground::of(app).await);
    let held = ground.meeting(MeetingStatus::Held).await;
    let more = json!({ "id": held, "decisions": ["Poursuivre", "Élargir"] });
    assert_eq!(write(&anct, "holdMeeting", more.clone()).await.version(), 2);
    assert_eq!(write(&anct, "holdMeeting", more).await.version(), 2, "nothing new");
    let decided = "query ($id: ID!) { meeting(by: { id: $id }) { decisions status } }";
    let decided = anct.query(decided, json!({ "id": held })).await;
    let expected = json!({ "decisions": ["Poursuivre", "Élargir"], "status": "HELD" });
    assert_eq!(decided.data("/meeting"), &expected);
    let future = json!({ "id": held, "date": "2023-06-13" });
    assert_eq!(write(&anct, "holdMeeting", future).await.problems(), ["RULE date"]);
    let long = json!({ "id": held, "decisions": [" ", "d".repeat(1_000), "d".repeat(1_001)] });
    assert_eq!(
        write(&anct, "updateMeeting", long).await.problems(),
        ["OUT_OF_BOUNDS decisions.0", "OUT_OF_BOUNDS decisions.2"]
    );
    let cancelled = json!({ "id": ground.meeting(MeetingStatus::Cancelled).await, "summary": "Trop tard" });
    assert_eq!(write(&anct, "updateMeeting", cancelled).await.problems(), ["FROZEN id"]);
    let body = ground.body().await;
    for to in ["ACTIVE", "SUSPENDED", "DISSOLVED"] {
        write(&anct, "transitionGovernanceBody", json!({ "id": body, "to": to })).await.done();
    }
    let members = json!({ "id": body, "members": [] });
    assert_eq!(write(&anct, "setGovernanceMembers", members).await.problems(), ["FROZEN id"]);
    let meeting = json!({ "body": body, "date": "2023-07-01" });
    assert_eq!(write(&anct, "planMeeting", meeting).await.problems(), ["FROZEN body"]);
});

on_both!(days_to_come_are_no_last_days, Small, async |app| {
    let (anct, site) = (app.anct(), known(Kind::Site, 1));
    let end = |to: &str| json!({ "id": site, "qpv": "QP069018", "to": to });
    assert_eq!(write(&anct, "endSiteQpv", end("2023-06-13")).await.problems(), ["OUT_OF_BOUNDS to"]);
    let seat = json!({ "id": known(Kind::Seat, 3), "to": "2023-06-13" });
    assert_eq!(write(&anct, "endSeat", seat).await.problems(), ["OUT_OF_BOUNDS to"]);
    write(&anct, "endSiteQpv", end("2023-06-12")).await.done();
    let add = json!({ "id": site, "qpv": "QP069018", "from": "2023-06-13" });
    assert_eq!(write(&anct, "addSiteQpv", add).await.problems(), ["OUT_OF_BOUNDS from"]);
    let referent = known(Kind::Referent, 1);
    let ended = json!({ "id": referent, "to": "2023-05-31", "eraseAfter": null });
    let ended = write_and(&anct, "endReferent", ended, "eraseAfter").await;
    assert_eq!(ended.done()["eraseAfter"], "2025-05-31", "nothing personal is kept for ever");
    let late = json!({ "id": referent, "from": "2023-06-01" });
    assert_eq!(write(&anct, "updateReferent", late).await.problems(), ["RULE from"]);
});

on_both!(a_deleted_candidate_leaves_nothing_alive, Small, async |app| {
    let (anct, ground) = (app.anct(), Ground::of(app).await);
    let site = ground.candidate().await;
    let of = async |name: &str, input: Value| write(&anct, name, input).await.id();
    let mission = known(Kind::Partner, 3);
    let seat = of("giveSeat", json!({ "site": site, "partner": mission, "kind": "MEMBRE" })).await;
    let person =
        json!({ "site": site, "partner": mission, "function": "Cheffe", "lastName": "Nom à effacer" });
    let person = of("createReferent", person).await;
    let body = of("createGovernanceBody", json!({ "site": site, "kind": "COPIL" })).await;
    let members = json!({ "id": body, "members": [{ "partner": mission, "seat": "PRESIDENT" }] });
    of("setGovernanceMembers", members).await;
    let meeting = of("planMeeting", json!({ "body": body, "date": "2023-07-01" })).await;
    let roadmap = json!({ "site": site, "axes": [{ "label": "Mobilité" }] });
    let roadmap = write_and(&anct, "createRoadmap", roadmap, "axes { id }").await;
    let axis = roadmap.done()["axes"][0]["id"].clone();
    let action = of("createAction", json!({ "site": site, "title": "Forum", "axis": axis })).await;
    let figure = |subject: Value, value: &str| json!({ "subject": subject, "indicator": "BENEFICIARY_COUNT", "value": value, "period": "2022" });
    let counted = of("submitFigure", figure(json!({ "action": action }), "30")).await;
    let reported = of("submitFigure", figure(json!({ "site": site }), "40")).await;
    let line = json!({ "site": site, "year": 2023, "programmeLabel": "BOP 147", "amountCents": "5", "kind": "PAID" });
    let line = of("createFundingLine", line).await;
    write(&anct, "deleteSite", json!({ "id": site })).await.done();
    let axis = axis.as_str().expect("an id").to_owned();
    let gone =
        [site, seat, person.clone(), body, meeting, roadmap.id(), axis, action, counted, reported, line];
    let nodes = anct.query("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": gone })).await;
    assert!(nodes.list("/nodes").iter().all(Value::is_null), "{nodes}");
    for id in &gone {
        let entries = journaled(app, id).await;
        let last = entries.last().unwrap_or_else(|| panic!("nothing is journaled of {id}"));
        assert_eq!((last.op, last.verb.as_str()), (JournalOp::Delete, "delete"), "{id}");
    }
    let person = cites::ids::decode(&person).expect("an id").1;
    let person = entity::referent::Entity::find_by_id(person).one(&app.db.writer).await.expect("it is read");
    let person = person.expect("a tombstone");
    assert!(person.last_name.is_none() && person.erased_at.is_some(), "the person is erased");
});

on_both!(an_end_that_is_emptied_with_it_completes_no_action, Small, async |app| {
    let (anct, ground) = (app.anct(), Ground::of(app).await);
    let action = ground.action(ActionStatus::InProgress, None).await;
    write(&anct, "updateAction", json!({ "id": action, "endsOn": "2023-05" })).await.done();
    let without = json!({ "id": action, "to": "COMPLETED", "endsOn": null });
    assert_eq!(write(&anct, "transitionAction", without).await.problems(), ["RULE endsOn"]);
    let kept =
        write_and(&anct, "transitionAction", json!({ "id": action, "to": "COMPLETED" }), "endsOn").await;
    assert_eq!(kept.done()["endsOn"], "2023-05");
});

on_both!(a_first_committee_to_come_makes_no_site_active, Small, async |app| {
    let (anct, ground) = (app.anct(), Ground::of(app).await);
    let site = ground.site(SiteStatus::Labelled).await;
    let activate = json!({ "id": site, "to": "ACTIVE" });
    let copil = |start: &str| json!({ "id": site, "kind": "FIRST_COPIL", "start": start });
    write(&anct, "setSiteMilestone", copil("2023-09")).await.done();
    assert_eq!(write(&anct, "transitionSite", activate.clone()).await.problems(), ["RULE to"]);
    write(&anct, "setSiteMilestone", copil("2023-06-12")).await.done();
    write(&anct, "transitionSite", activate).await.done();
});
