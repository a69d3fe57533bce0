//! What is checked before a write: everything that is wrong is told at once, with its code and its place.

use serde_json::{Value, json};
use tests::world::Kind;
use tests::{TestApp, on_both};

use super::ground::{Ground, traces};
use super::{known, write, write_and};

on_both!(everything_that_is_wrong_is_told_at_once, Small, async |app| {
    let input = json!({
        "site": known(Kind::Site, 1), "title": "ab", "description": "a\u{7}b", "axis": known(Kind::Axis, 3),
        "qpvs": ["QP059001", "QN06916M", "QN99999Z"], "startsOn": "2023-05", "endsOn": "2023-04",
        "lead": known(Kind::Partner, 5), "partners": [known(Kind::Partner, 3), known(Kind::Site, 1)],
    });
    let before = traces(app).await;
    let refused = write(&app.anct(), "createAction", input).await;
    let expected = [
        "INVALID_FORMAT qpvs.2",
        "INVALID_TEXT description",
        "NOT_FOUND axis",
        "NOT_FOUND lead",
        "NOT_FOUND partners.1",
        "OUT_OF_BOUNDS title",
        "RULE endsOn",
        "RULE qpvs.0",
    ];
    assert_eq!(refused.problems(), expected, "QN99999Z is of no « département »");
    assert_eq!(traces(app).await, before);
    let partner = json!({
        "name": "x", "kind": "COMMUNE", "siren": "356000000", "siret": "73282932000074", "website": "ftp://exemple.fr",
        "communeCode": "38185", "departementCode": "2A",
    });
    let expected = [
        "OUT_OF_BOUNDS name",
        "OUT_OF_BOUNDS website",
        "RULE siret",
        "UNKNOWN_CODE communeCode",
        "UNKNOWN_CODE departementCode",
    ];
    assert_eq!(write(&app.anct(), "createPartner", partner).await.problems(), expected);
});

on_both!(everything_that_is_malformed_is_told_beside_the_rest, Small, async |app| {
    let before = traces(app).await;
    let anct = app.anct();
    let partner = json!({
        "name": "x", "kind": "COMMUNE", "siren": "356", "siret": "1", "communeCode": "nulle part",
        "departementCode": "2A",
    });
    let refused = write(&anct, "createPartner", partner).await;
    let expected = [
        "INVALID_FORMAT communeCode",
        "INVALID_FORMAT siren",
        "INVALID_FORMAT siret",
        "OUT_OF_BOUNDS name",
        "UNKNOWN_CODE departementCode",
    ];
    assert_eq!(refused.problems(), expected);
    let site = known(Kind::Site, 1);
    let literal = format!(
        "mutation {{ result: createAction(input: {{ site: \"{site}\", title: \"Forum\", qpvs: [\"QP1\", \"QP069018\", \"QP2\"], \
         startsOn: \"bientôt\" }}) {{ action {{ id }} userErrors {{ code path message }} }} }}"
    );
    let refused = super::Written(anct.ask(&literal).await);
    let expected = ["INVALID_FORMAT qpvs.0", "INVALID_FORMAT qpvs.2", "INVALID_FORMAT startsOn"];
    assert_eq!(refused.problems(), expected);
    let figure = json!({
        "subject": { "site": site }, "indicator": "POPULATION", "value": "beaucoup", "period": "jadis",
    });
    let refused = write(&anct, "submitFigure", figure).await;
    assert_eq!(refused.problems(), ["INVALID_FORMAT period", "INVALID_FORMAT value"]);
    let missing = json!({ "site": site, "qpv": "QP1" });
    assert_eq!(write(&anct, "addSiteQpv", missing).await.0.code(), "BAD_USER_INPUT", "a type is no format");
    let link = json!({ "id": site, "qpv": "QP1" });
    assert_eq!(write(&anct, "addSiteQpv", link).await.problems(), ["INVALID_FORMAT qpv"]);
    let stranger = app.collectivite(&["356000000"]);
    let hidden = json!({ "id": known(Kind::Action, 5), "startsOn": "bientôt" });
    let refused = write(&stranger, "updateAction", hidden).await.problems();
    assert_eq!(refused, ["INVALID_FORMAT startsOn", "NOT_FOUND id"]);
    assert_eq!(traces(app).await, before);
});

on_both!(texts_are_normalised, Small, async |app| {
    let input = json!({ "id": known(Kind::Site, 1), "name": "  Vaulx-en-Ve\u{301}lin \u{a0}  Sud ", "audienceNote": " " });
    let written = write_and(&app.anct(), "updateSite", input, "name audienceNote").await;
    assert_eq!(written.done()["name"], "Vaulx-en-V\u{e9}lin Sud");
});

on_both!(absent_leaves_null_empties_and_a_list_replaces, Small, async |app| {
    let anct = app.anct();
    let fields = "title description categories pillar qpvs { nodes { code } } axis { id } startsOn";
    let input = json!({
        "site": known(Kind::Site, 1), "title": "Forum", "description": "Au marché", "pillar": "INNOVER",
        "categories": ["MOBILITE", "SANTE", "MOBILITE"], "qpvs": ["QP069018", "QN06916M"],
        "axis": known(Kind::Axis, 1), "startsOn": "2023-T2",
    });
    let made = write_and(&anct, "createAction", input, fields).await;
    assert_eq!(made.problems(), ["INVALID_FORMAT startsOn"], "2023-T2 is no partial date");
    let input = json!({
        "site": known(Kind::Site, 1), "title": "Forum", "description": "Au marché", "pillar": "INNOVER",
        "categories": ["MOBILITE", "SANTE", "MOBILITE"], "qpvs": ["QP069018", "QN06916M"],
        "axis": known(Kind::Axis, 1), "startsOn": "2023-Q2",
    });
    let made = write_and(&anct, "createAction", input, fields).await;
    let (id, before) = (made.id(), made.done().clone());
    assert_eq!(before["categories"], json!(["MOBILITE", "SANTE"]));
    let same = write_and(&anct, "updateAction", json!({ "id": id, "title": "Forum" }), fields).await;
    assert_eq!(*same.done(), before, "the same title writes nothing");
    let same = json!({ "id": id, "qpvs": ["QN06916M", "QP069018"] });
    assert_eq!(*write_and(&anct, "updateAction", same, fields).await.done(), before, "nor do the same QPV");
    let emptied =
        json!({ "id": id, "description": null, "axis": null, "qpvs": ["QN06916M"], "categories": [] });
    let after = write_and(&anct, "updateAction", emptied, fields).await;
    let after = after.done();
    assert_eq!((&after["description"], &after["axis"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&after["qpvs"]["nodes"], &after["categories"]),
        (&json!([{ "code": "QN06916M" }]), &json!([]))
    );
    assert_eq!((&after["pillar"], &after["startsOn"]), (&json!("INNOVER"), &json!("2023-Q2")));
    assert_eq!(after["version"], 2);
    let refused = json!({ "id": id, "title": null, "innovative": null });
    assert_eq!(
        write(&anct, "updateAction", refused).await.problems(),
        ["REQUIRED innovative", "REQUIRED title"]
    );
    assert_eq!(write(&anct, "updateAction", json!({ "id": id })).await.problems(), ["REQUIRED"]);
});

on_both!(another_version_than_expected_writes_nothing, Small, async |app| {
    let anct = app.anct();
    let subjects = [
        ("updateSite", json!({ "id": known(Kind::Site, 1), "name": "Autre" })),
        ("transitionSite", json!({ "id": known(Kind::Site, 1), "to": "CLOSED" })),
        ("addSiteQpv", json!({ "id": known(Kind::Site, 1), "qpv": "QN05901I" })),
        ("updatePartner", json!({ "id": known(Kind::Partner, 1), "name": "Autre" })),
        ("mergePartner", json!({ "id": known(Kind::Partner, 7), "into": known(Kind::Partner, 3) })),
        ("endSeat", json!({ "id": known(Kind::Seat, 3) })),
        ("updateReferent", json!({ "id": known(Kind::Referent, 1), "function": "Autre" })),
        ("eraseReferent", json!({ "id": known(Kind::Referent, 1) })),
        ("updateGovernanceBody", json!({ "id": known(Kind::Body, 1), "name": "Autre" })),
        ("setGovernanceMembers", json!({ "id": known(Kind::Body, 1), "members": [] })),
        ("updateMeeting", json!({ "id": known(Kind::Meeting, 1), "summary": "Autre" })),
        ("setRoadmapAxes", json!({ "id": known(Kind::Roadmap, 2), "axes": [] })),
        ("adoptRoadmap", json!({ "id": known(Kind::Roadmap, 2) })),
        ("updateAction", json!({ "id": known(Kind::Action, 1), "title": "Autre" })),
        ("transitionAction", json!({ "id": known(Kind::Action, 1), "to": "PLANNED" })),
        ("deleteAction", json!({ "id": known(Kind::Action, 1) })),
        ("withdrawFigure", json!({ "id": known(Kind::Figure, 1), "reason": "erreur" })),
        ("updateFundingLine", json!({ "id": known(Kind::Funding, 1), "year": 2024 })),
    ];
    let before = traces(app).await;
    for (name, mut input) in subjects {
        input["expectedVersion"] = json!(7);
        let refused = write(&anct, name, input).await;
        assert_eq!(refused.problems(), ["CONFLICT expectedVersion"], "{name}");
        let message = refused.0.data("/result/userErrors/0/message").as_str().expect("a text").to_owned();
        assert!(message.contains("current version is 1"), "{name}: {message}");
    }
    assert_eq!(traces(app).await, before);
});

on_both!(codes_and_communes_of_a_site_are_guarded, Small, async |app| {
    let anct = app.anct();
    let label = async |input: Value| write(&anct, "setSiteLabel", input).await.problems();
    let site = |n| known(Kind::Site, n);
    assert_eq!(label(json!({ "id": site(1), "code": null })).await, ["RULE code"]);
    assert_eq!(label(json!({ "id": site(1), "code": "cde-999" })).await, ["RULE code"]);
    assert_eq!(
        label(json!({ "id": site(4), "code": "cde-905" })).await,
        ["DUPLICATE code"],
        "of a tombstone"
    );
    assert_eq!(label(json!({ "id": site(1), "wave": 2022 })).await, ["OUT_OF_BOUNDS wave"]);
    assert_eq!(
        label(json!({ "id": site(1), "pilotDepartements": ["59", "69"] })).await,
        ["RULE pilotDepartements.0"]
    );
    assert_eq!(
        label(json!({ "id": site(1), "pilotDepartements": [] })).await,
        ["REQUIRED pilotDepartements"]
    );
    assert_eq!(label(json!({ "id": site(1), "communes": [] })).await, ["REQUIRED communes"]);
    assert_eq!(label(json!({ "id": site(1), "communes": null })).await, ["REQUIRED communes"]);
    let filed = json!({ "name": "Candidate", "communes": ["69256"] });
    let filed = write_and(&anct, "createSite", filed, "pilotDepartements { code }").await;
    assert_eq!(filed.done()["pilotDepartements"], json!([{ "code": "69" }]), "somebody steers it");
    assert_eq!(
        label(json!({ "id": site(1), "communes": ["59350"] })).await,
        ["RULE communes"],
        "nobody steers"
    );
    assert_eq!(label(json!({ "id": site(1), "communes": ["69266"] })).await, ["UNKNOWN_CODE communes.0"]);
    let audiences = json!({ "id": site(2), "audiences": ["FEMMES"] });
    assert_eq!(write(&anct, "updateSite", audiences).await.problems(), ["RULE audiences"]);
    assert_eq!(
        write(&anct, "deleteSite", json!({ "id": site(4) })).await.problems(),
        ["RULE id"],
        "labelled once"
    );
});

on_both!(periods_of_one_site_and_qpv_do_not_overlap, Small, async |app| {
    let anct = app.anct();
    let site = known(Kind::Site, 1);
    let add = |from: Value| json!({ "id": site, "qpv": "QP069018", "from": from });
    assert_eq!(write(&anct, "addSiteQpv", add(json!("2023-05-01"))).await.problems(), ["DUPLICATE qpv"]);
    let end = json!({ "id": site, "qpv": "QP069018", "to": "2023-01-31" });
    write(&anct, "endSiteQpv", end.clone()).await.done();
    assert_eq!(write(&anct, "endSiteQpv", end).await.problems(), ["NOT_FOUND qpv"]);
    assert_eq!(write(&anct, "addSiteQpv", add(json!("2023-01-31"))).await.problems(), ["DUPLICATE from"]);
    assert_eq!(write(&anct, "addSiteQpv", add(Value::Null)).await.problems(), ["DUPLICATE from"]);
    write(&anct, "addSiteQpv", add(json!("2023-02-01"))).await.done();
    let unknown = json!({ "id": site, "qpv": "QN06999N" });
    assert_eq!(write(&anct, "addSiteQpv", unknown).await.problems(), ["UNKNOWN_CODE qpv"], "a tombstone");
});

on_both!(seats_and_committees_keep_their_rules, Small, async |app| {
    let (anct, site) = (app.anct(), known(Kind::Site, 1));
    let seat = |partner: u16, kind: &str| json!({ "site": site, "partner": known(Kind::Partner, partner), "kind": kind });
    write(&anct, "giveSeat", seat(3, "PORTEUR")).await.done();
    assert_eq!(write(&anct, "giveSeat", seat(2, "PORTEUR")).await.problems(), ["RULE kind"]);
    assert_eq!(write(&anct, "giveSeat", seat(3, "OPERATEUR")).await.problems(), ["DUPLICATE kind"]);
    assert_eq!(write(&anct, "giveSeat", seat(5, "MEMBRE")).await.problems(), ["RULE partner"], "merged");
    let ground = Ground::of(app).await;
    let body = ground.body().await;
    let members = |partner: u16| json!({ "id": body, "members": [{ "partner": known(Kind::Partner, partner), "seat": "MEMBRE" }] });
    assert_eq!(
        write(&anct, "setGovernanceMembers", members(6)).await.problems(),
        ["RULE members.0"],
        "no seat"
    );
    write(&anct, "setGovernanceMembers", members(2)).await.done();
    write(&anct, "endSeat", json!({ "id": known(Kind::Seat, 2) })).await.done();
    let left = "query ($id: ID!) { governanceBody(by: { id: $id }) { members { seat } } }";
    assert_eq!(anct.query(left, json!({ "id": body })).await.data("/governanceBody/members"), &json!([]));
    let update = |input: Value| write_owned(app, "updateGovernanceBody", input);
    assert_eq!(
        update(json!({ "id": body, "origin": "EXISTING_BODY", "attachedTo": null })).await,
        ["REQUIRED attachedTo"]
    );
    assert_eq!(
        update(json!({ "id": body, "cadence": { "every": 61, "unit": "WEEK" }, "parent": body })).await,
        ["OUT_OF_BOUNDS cadence.every", "RULE parent"]
    );
    assert_eq!(
        update(json!({ "id": body, "parent": known(Kind::Body, 2) })).await,
        ["NOT_FOUND parent"],
        "another site"
    );
    update(json!({ "id": body, "parent": known(Kind::Body, 1) })).await;
    assert_eq!(
        update(json!({ "id": known(Kind::Body, 1), "parent": body })).await,
        ["RULE parent"],
        "a loop"
    );
});

async fn write_owned(app: &TestApp, name: &str, input: Value) -> Vec<String> {
    write(&app.anct(), name, input).await.problems()
}

on_both!(axes_are_told_apart_whatever_their_accents, Small, async |app| {
    let anct = app.anct();
    let axes = json!([{ "label": "Mobilité" }, { "label": " mobilite " }, { "label": "ab" }]);
    let twice = json!({ "site": known(Kind::Site, 1), "axes": axes });
    let refused = write(&anct, "createRoadmap", twice).await;
    assert_eq!(refused.problems(), ["DUPLICATE axes.1.label", "OUT_OF_BOUNDS axes.2.label"]);
    let meeting = json!({ "id": known(Kind::Roadmap, 2), "meeting": known(Kind::Meeting, 2), "adoptedOn": "2023-06-13" });
    assert_eq!(write(&anct, "adoptRoadmap", meeting).await.problems(), ["RULE adoptedOn", "RULE meeting"]);
    let frozen = json!({ "id": known(Kind::Roadmap, 1), "axes": [{ "label": "Axe 1" }] });
    assert_eq!(write(&anct, "setRoadmapAxes", frozen).await.problems(), ["FROZEN id"]);
    let used = json!({ "id": known(Kind::Roadmap, 2), "axes": [{ "label": "Numérique" }] });
    assert_eq!(
        write(&anct, "setRoadmapAxes", used).await.problems(),
        ["RULE axes"],
        "actions stand under it"
    );
});
