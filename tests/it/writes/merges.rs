//! Partners that become one: what hangs on them moves once and is journaled once, whoever writes at the same time.

use cites::ids;
use entity::journal;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{TestApp, on_both};

use super::ground::Ground;
use super::{Written, all, known, write};

/// What the journal holds of the writes of an object, in their order.
pub(super) async fn journaled(app: &TestApp, id: &str) -> Vec<journal::Model> {
    journal::Entity::find()
        .filter(journal::Column::EntityId.eq(ids::decode(id).expect("an id").1))
        .filter(journal::Column::Outcome.eq("OK"))
        .order_by_asc(journal::Column::Seq)
        .all(&app.db.writer)
        .await
        .expect("the journal is read")
}

/// The last fields that the journal names of an object, and its version then.
async fn last(app: &TestApp, id: &str) -> (i32, String) {
    let mut entries = journaled(app, id).await;
    let entry = entries.pop().unwrap_or_else(|| panic!("nothing is journaled of {id}"));
    (entry.version, entry.changed_fields.0.join(" "))
}

/// Versions count each write once.
async fn versions_follow(app: &TestApp, id: &str, first: i32) {
    let versions: Vec<i32> = journaled(app, id).await.iter().map(|entry| entry.version).collect();
    let expected: Vec<i32> = (first..).take(versions.len()).collect();
    assert_eq!(versions, expected, "{id}");
}

on_both!(each_object_that_a_merge_changes_is_journaled_once, Small, async |app| {
    let (anct, ground, site) = (app.anct(), Ground::of(app).await, known(Kind::Site, 1));
    let (former, from, to) = (ground.partner().await, ground.partner().await, ground.partner().await);
    write(&anct, "mergePartner", json!({ "id": former, "into": from })).await.done();
    let seat = async |partner: &str, kind: &str| {
        write(&anct, "giveSeat", json!({ "site": site, "partner": partner, "kind": kind })).await.id()
    };
    let (twin, kept, moved) =
        (seat(&from, "MEMBRE").await, seat(&to, "MEMBRE").await, seat(&from, "FINANCEUR").await);
    let led = json!({ "site": site, "title": "Forum", "lead": from, "partners": [from] });
    let shared = json!({ "site": site, "title": "Atelier", "partners": [from, to] });
    let (led, shared) =
        (write(&anct, "createAction", led).await.id(), write(&anct, "createAction", shared).await.id());
    let (body, other) = (ground.body().await, ground.body().await);
    for (body, partners) in [(&body, vec![&from]), (&other, vec![&from, &to])] {
        let members: Vec<Value> =
            partners.iter().map(|id| json!({ "partner": id, "seat": "INVITE" })).collect();
        write(&anct, "setGovernanceMembers", json!({ "id": body, "members": members })).await.done();
    }
    let line = json!({ "site": site, "year": 2023, "programmeLabel": "BOP 147", "amountCents": "5", "kind": "PAID", "funder": from });
    let line = write(&anct, "createFundingLine", line).await.id();
    let referent = json!({ "site": site, "partner": from, "function": "Cheffe de projet" });
    let referent = write(&anct, "createReferent", referent).await.id();
    write(&anct, "mergePartner", json!({ "id": from, "into": to })).await.done();
    for (id, version, fields) in [
        (&led, 2, "lead partners"),
        (&shared, 2, "partners"),
        (&twin, 2, "to"),
        (&kept, 1, "site partner kind from"),
        (&moved, 2, "partner"),
        (&body, 3, "members"),
        (&other, 3, "members"),
        (&line, 2, "funder"),
        (&referent, 2, "partner"),
        (&former, 3, "mergedInto"),
        (&from, 3, "status mergedInto"),
        (&to, 2, "seats leads actions"),
    ] {
        assert_eq!(last(app, id).await, (version, fields.to_owned()), "{id}");
    }
    let now = "query ($led: ID!, $shared: ID!, $other: ID!, $line: ID!, $former: ID!) { led: action(by: { id: $led }) { version \
               lead { id } partners { nodes { id } } } shared: action(by: { id: $shared }) { partners { nodes { id } } } \
               governanceBody(by: { id: $other }) { version members { partner { id } } } fundingLine(by: { id: $line }) { \
               funder { id } } partner(by: { id: $former }) { mergedInto { id } } }";
    let ids = json!({ "led": led, "shared": shared, "other": other, "line": line, "former": former });
    let now = anct.query(now, ids).await;
    let (one, many) = (json!({ "id": to }), json!({ "nodes": [{ "id": to }] }));
    assert_eq!(now.data("/led"), &json!({ "version": 2, "lead": one, "partners": many }));
    assert_eq!(now.data("/shared/partners"), &many);
    assert_eq!(now.data("/governanceBody"), &json!({ "version": 3, "members": [{ "partner": one }] }));
    assert_eq!(now.data("/fundingLine/funder"), &one);
    assert_eq!(now.data("/partner/mergedInto"), &one, "the end of the chain");
});

on_both!(who_names_a_merged_partner_is_told_which_one_it_became, Small, async |app| {
    let (anct, ground, site) = (app.anct(), Ground::of(app).await, known(Kind::Site, 1));
    let (gone, stays) = (known(Kind::Partner, 5), known(Kind::Partner, 3));
    let line = json!({ "site": site, "year": 2023, "programmeLabel": "BOP 147", "amountCents": "5", "kind": "PAID", "funder": gone });
    let member = json!({ "id": ground.body().await, "members": [{ "partner": gone, "seat": "MEMBRE" }] });
    for (name, input, problem) in [
        ("giveSeat", json!({ "site": site, "partner": gone, "kind": "MEMBRE" }), "RULE partner"),
        ("createReferent", json!({ "site": site, "partner": gone, "function": "Cheffe" }), "RULE partner"),
        ("createAction", json!({ "site": site, "title": "Forum", "lead": gone }), "NOT_FOUND lead"),
        (
            "createAction",
            json!({ "site": site, "title": "Forum", "partners": [gone] }),
            "NOT_FOUND partners.0",
        ),
        ("createFundingLine", line, "RULE funder"),
        ("setGovernanceMembers", member, "RULE members.0"),
        ("updatePartner", json!({ "id": gone, "name": "Autre" }), "RULE id"),
        ("closePartner", json!({ "id": gone }), "INVALID_TRANSITION id"),
        ("mergePartner", json!({ "id": gone, "into": stays }), "INVALID_TRANSITION id"),
        ("mergePartner", json!({ "id": stays, "into": gone }), "RULE into"),
    ] {
        let written = write(&anct, name, input).await;
        assert_eq!(written.problems(), [problem], "{name}");
        let message = written.0.data("/result/userErrors/0/message").as_str().expect("a text").to_owned();
        assert!(message.contains(&stays), "{name}: {message}");
    }
    let closed = ground.partner().await;
    write(&anct, "closePartner", json!({ "id": closed })).await.done();
    let referent = json!({ "site": site, "partner": closed, "function": "Cheffe" });
    assert_eq!(write(&anct, "createReferent", referent).await.problems(), ["RULE partner"]);
});

/// All were done, but for those that had to give way to another transaction.
fn only_gave_way<'w>(written: impl IntoIterator<Item = &'w Written>) {
    for one in written {
        assert!(["OK", "UNAVAILABLE"].contains(&one.outcome().as_str()), "{}", one.0);
    }
}

on_both!(who_writes_while_partners_merge_loses_nothing, Small, async |app| {
    let (anct, ground, site) = (app.anct(), Ground::of(app).await, known(Kind::Site, 1));
    for round in 0..4 {
        let (from, to) = (ground.partner().await, ground.partner().await);
        let (mut actions, mut referents, mut seats) = (Vec::new(), Vec::new(), Vec::new());
        for kind in ["MEMBRE", "FINANCEUR", "OPERATEUR"] {
            let seat = json!({ "site": site, "partner": from, "kind": kind });
            seats.push(write(&anct, "giveSeat", seat).await.id());
            let action = json!({ "site": site, "title": "Forum", "lead": from });
            actions.push(write(&anct, "createAction", action).await.id());
            let referent = json!({ "site": site, "partner": from, "function": "Cheffe" });
            referents.push(write(&anct, "createReferent", referent).await.id());
        }
        let each = |name: &'static str, ids: &[String], more: (&'static str, &'static str)| {
            let inputs: Vec<Value> = ids.iter().map(|id| json!({ "id": id, more.0: more.1 })).collect();
            let anct = anct.clone();
            async move { all(inputs.into_iter().map(|input| write(&anct, name, input))).await }
        };
        let (merged, updated, renamed, ended) = tokio::join!(
            write(&anct, "mergePartner", json!({ "id": from, "into": to })),
            each("updateAction", &actions, ("description", "Au marché")),
            each("updateReferent", &referents, ("function", "Directrice")),
            each("endSeat", &seats, ("to", "2023-06-12")),
        );
        only_gave_way(updated.iter().chain(&renamed).chain(&ended).chain([&merged]));
        for id in actions.iter().chain(&referents).chain(&seats) {
            versions_follow(app, id, 1).await;
        }
        if merged.outcome() == "OK" {
            let hang = "query ($id: ID!) { partner(by: { id: $id }) { leads { totalCount } seats { nodes { to } } } }";
            let hang = anct.query(hang, json!({ "id": from })).await;
            assert_eq!(hang.number("/partner/leads/totalCount"), 0, "round {round}: {hang}");
            assert_eq!(hang.data("/partner/seats/nodes"), &json!([]), "round {round}");
        }
    }
});

/// The partners that sit on a committee, with their status.
async fn members(app: &TestApp, body: &str) -> Vec<Value> {
    let document =
        "query ($id: ID!) { governanceBody(by: { id: $id }) { members { partner { id status } } } }";
    app.anct().query(document, json!({ "id": body })).await.list("/governanceBody/members").to_vec()
}

on_both!(nobody_sits_on_a_committee_whose_seat_is_just_ending, Small, async |app| {
    let (anct, ground, site) = (app.anct(), Ground::of(app).await, known(Kind::Site, 1));
    for _ in 0..4 {
        let mut inputs = Vec::new();
        for _ in 0..4 {
            let (partner, body) = (ground.partner().await, ground.body().await);
            let seat = json!({ "site": site, "partner": partner, "kind": "MEMBRE" });
            let seat = write(&anct, "giveSeat", seat).await.id();
            let sits = json!({ "id": body, "members": [{ "partner": partner, "seat": "MEMBRE" }] });
            inputs.extend([("setGovernanceMembers", sits), ("endSeat", json!({ "id": seat }))]);
        }
        let written = all(inputs.iter().map(|(name, input)| write(&anct, name, input.clone()))).await;
        for (pair, outcome) in inputs.chunks(2).zip(written.chunks(2)) {
            outcome[1].done();
            let told = outcome[0].outcome();
            assert!(["OK", "RULE"].contains(&told.as_str()), "{}", outcome[0].0);
            let body = pair[0].1["id"].as_str().expect("an id");
            assert_eq!(members(app, body).await, [json!(null); 0], "the seat is ended");
        }
    }
});

on_both!(nobody_sits_on_a_committee_who_was_just_merged, Small, async |app| {
    let (anct, ground, site) = (app.anct(), Ground::of(app).await, known(Kind::Site, 1));
    for _ in 0..6 {
        let (from, to, body) = (ground.partner().await, ground.partner().await, ground.body().await);
        write(&anct, "giveSeat", json!({ "site": site, "partner": from, "kind": "MEMBRE" })).await.done();
        let sits = json!({ "id": body, "members": [{ "partner": from, "seat": "MEMBRE" }] });
        let (seated, merged) = tokio::join!(
            write(&anct, "setGovernanceMembers", sits),
            write(&anct, "mergePartner", json!({ "id": from, "into": to })),
        );
        merged.done();
        assert!(["OK", "RULE"].contains(&seated.outcome().as_str()), "{}", seated.0);
        let found = members(app, &body).await;
        assert!(found.iter().all(|member| member["partner"]["id"] == json!(to)), "{found:?}");
        versions_follow(app, &body, 2).await;
    }
});

on_both!(an_axis_is_not_dropped_from_under_a_new_action, Small, async |app| {
    let (anct, site) = (app.anct(), known(Kind::Site, 1));
    let axes = "query ($id: ID!) { roadmap(by: { id: $id }) { axes { id } } }";
    for _ in 0..6 {
        let draft = json!({ "site": site, "axes": [{ "label": "Mobilité" }] });
        let draft = write(&anct, "createRoadmap", draft).await.id();
        let axis = anct.query(axes, json!({ "id": draft })).await.data("/roadmap/axes/0/id").clone();
        let (dropped, placed) = tokio::join!(
            write(&anct, "setRoadmapAxes", json!({ "id": draft, "axes": [] })),
            write(&anct, "createAction", json!({ "site": site, "title": "Forum", "axis": axis })),
        );
        let outcomes = [dropped.outcome(), placed.outcome()];
        let expected = [["OK", "NOT_FOUND"], ["RULE", "OK"]];
        assert!(expected.iter().any(|pair| *pair == outcomes), "{outcomes:?}");
        if outcomes[1] == "OK" {
            write(&anct, "deleteAction", json!({ "id": placed.id() })).await.done();
            let drop = json!({ "id": draft, "axes": [] });
            write(&anct, "setRoadmapAxes", drop).await.done();
        }
    }
});
