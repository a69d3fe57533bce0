//! What becomes of an item.

use serde_json::{Value, json};
use tests::world::Kind;
use tests::{GrantedSites, Persona, on_both};

use super::{call, france_travail, item, journaled, send};
use crate::writes::{known, write};

const LEAD: &str = "38052";

fn lead() -> Value {
    json!({ "safirCode": LEAD, "name": "Agence de test", "kind": "FRANCE_TRAVAIL" })
}

on_both!(an_item_that_says_nothing_new_writes_nothing, Small, async |app| {
    let partner = france_travail(app).await;
    let more = json!({ "status": "PLANNED", "startsOn": "2023", "lead": lead(), "partners": [lead()] });
    let first = send(&partner, json!([item("A", 0, more.clone())])).await;
    assert_eq!(first.only(), ["CREATED"]);
    let before = journaled(app).await;
    let again = send(&partner, json!([item("A", 5, more)])).await;
    assert_eq!(again.only(), ["UNCHANGED"]);
    assert_eq!(again.action(0), first.action(0), "neither version nor content");
    assert_eq!(journaled(app).await, before, "no journal row");
    let title = json!({ "title": "Permanence emploi du jeudi" });
    let changed = send(&partner, json!([item("A", 6, title)])).await;
    assert_eq!(changed.only(), ["UPDATED"]);
    assert_eq!(changed.action(0)["version"], 2);
    assert_eq!(changed.action(0)["status"], "PLANNED", "what is absent stays");
    assert_eq!(journaled(app).await, before + 1);
});

on_both!(an_older_item_does_not_overwrite_a_newer_action, Small, async |app| {
    let partner = france_travail(app).await;
    send(&partner, json!([item("A", 30, json!({}))])).await.only();
    let stale = send(&partner, json!([item("A", 10, json!({ "title": "Ancien titre" }))])).await;
    assert_eq!(stale.only(), ["UNCHANGED", "STALE sourceUpdatedAt"]);
    assert_eq!(stale.action(0)["title"], "Permanence emploi");
    let gone = json!({ "externalId": "A", "sourceUpdatedAt": "2023-06-12T10:20:00Z", "deleted": true });
    assert_eq!(send(&partner, json!([gone])).await.only(), ["UNCHANGED", "STALE sourceUpdatedAt"]);
});

on_both!(a_deleted_action_is_revived_and_never_doubled, Small, async |app| {
    let partner = france_travail(app).await;
    let first = send(&partner, json!([item("A", 0, json!({}))])).await;
    let id = first.action(0)["id"].clone();
    let gone = |minute| json!({ "externalId": "A", "sourceUpdatedAt": format!("2023-06-12T10:{minute}:00Z"), "deleted": true });
    let deleted = send(&partner, json!([gone(10)])).await;
    assert_eq!(deleted.only(), ["UPDATED"]);
    assert_eq!(deleted.action(0), &Value::Null, "a tombstone is not read");
    assert_eq!(send(&partner, json!([gone(11)])).await.only(), ["UNCHANGED"]);
    let revived = send(&partner, json!([item("A", 12, json!({}))])).await;
    assert_eq!(revived.only(), ["CREATED"]);
    assert_eq!(revived.action(0)["id"], id);
    assert_eq!(revived.action(0)["version"], 3);
    let count = "{ actions(filter: { sourceExternalId: { eq: \"A\" } }) { totalCount } }";
    assert_eq!(partner.ask(count).await.number("/actions/totalCount"), 1);
});

on_both!(of_one_external_id_twice_the_later_stands, Small, async |app| {
    let partner = france_travail(app).await;
    let items = json!([
        item("A", 9, json!({ "title": "Le dernier" })),
        item("A", 1, json!({ "title": "Le premier" })),
        item("B", 0, json!({})),
    ]);
    let sent = send(&partner, items).await;
    assert_eq!(sent.outcomes(), ["CREATED", "UNCHANGED", "CREATED"]);
    assert_eq!(sent.action(0)["title"], "Le dernier");
    let told = super::told(&sent.0.list("/syncActions/results")[1]);
    assert_eq!(told, ["UNCHANGED", "STALE externalId"]);
});

on_both!(a_wrong_item_does_not_keep_an_older_one_from_standing, Small, async |app| {
    let partner = france_travail(app).await;
    let titled = |minute: u32| item("A", minute, json!({ "title": format!("Titre {minute}") }));
    let malformed = item("A", 9, json!({ "title": "CV" }));
    let sent = send(&partner, json!([malformed, titled(2), titled(1)])).await;
    assert_eq!(sent.outcomes(), ["REJECTED", "CREATED", "UNCHANGED"]);
    let told = super::told(&sent.0.list("/syncActions/results")[2]);
    assert_eq!(told, ["UNCHANGED", "STALE externalId"]);
    assert_eq!(sent.action(1)["title"], "Titre 2");
    // wrong beside what is there, and not at the version it expects
    let unplanned = item("A", 9, json!({ "status": "PLANNED" }));
    let crossed = item("A", 8, json!({ "title": "Croisé", "expectedVersion": 7 }));
    let sent = send(&partner, json!([titled(4), crossed, unplanned, titled(3)])).await;
    assert_eq!(sent.outcomes(), ["UPDATED", "CONFLICT", "REJECTED", "UNCHANGED"]);
    assert_eq!(sent.action(0)["title"], "Titre 4");
    // of an older item it no longer matters whether it is right
    let old = item("A", 5, json!({ "expectedVersion": 7 }));
    let sent = send(&partner, json!([old, titled(6)])).await;
    assert_eq!(sent.outcomes(), ["UNCHANGED", "UPDATED"]);
});

on_both!(everything_wrong_with_an_item_is_told_and_the_others_stand, Small, async |app| {
    let partner = france_travail(app).await;
    let several = json!({ "siret": "35600000000048", "name": "X", "kind": "AUTRE" });
    let items = json!([
        item(
            "A",
            0,
            json!({ "title": "CV", "startsOn": "2024-05", "endsOn": "2023", "site": { "code": "cde-777" } })
        ),
        item("B", 0, json!({ "site": null, "title": null })),
        item("C", 0, json!({ "status": "PLANNED" })),
        item("D", 0, json!({ "status": "COMPLETED", "startsOn": "2023", "endsOn": "2024", "lead": lead() })),
        item(
            "E",
            0,
            json!({ "lead": { "rna": "W751234567" }, "partners": [{ "name": "Sans code" }, several] })
        ),
        item("F", 0, json!({ "onCreate": { "qpvs": ["QN05901I", "QN06999Z"] } })),
        item("G", 0, json!({ "status": "CANCELLED" })),
        item("H", 0, json!({})),
    ]);
    let sent = send(&partner, items).await;
    let told: Vec<Vec<String>> = sent.0.list("/syncActions/results").iter().map(super::told).collect();
    let rejected = |problems: &[&str]| -> Vec<String> {
        ["REJECTED"].iter().chain(problems).map(ToString::to_string).collect()
    };
    assert_eq!(told[0], rejected(&["RULE endsOn", "OUT_OF_BOUNDS title"]));
    assert_eq!(told[1], rejected(&["REQUIRED site", "REQUIRED title"]));
    assert_eq!(told[2], rejected(&["RULE lead", "RULE startsOn"]));
    assert_eq!(told[3], rejected(&["RULE endsOn"]));
    assert_eq!(told[4], rejected(&["REQUIRED partners.0", "OUT_OF_BOUNDS partners.1.name"]));
    assert_eq!(told[5], rejected(&["RULE onCreate.qpvs.0", "UNKNOWN_CODE onCreate.qpvs.1"]));
    assert_eq!(told[6], rejected(&["RULE cancelReason"]));
    assert_eq!(told[7], ["CREATED"]);
    let unknown = send(&partner, json!([item("E", 0, json!({ "lead": { "rna": "W751234567" } }))])).await;
    assert_eq!(unknown.only(), rejected(&["UNKNOWN_CODE lead.rna"]));
});

on_both!(a_code_of_several_partners_is_refused_with_the_candidates, Small, async |app| {
    let anct = app.anct();
    for name in ["Agence Nord", "Agence Sud"] {
        let input = json!({ "name": name, "kind": "FRANCE_TRAVAIL", "safirCode": LEAD });
        write(&anct, "createPartner", input).await.id();
    }
    let partner = france_travail(app).await;
    let sent = send(&partner, json!([item("A", 0, json!({ "lead": { "safirCode": LEAD } }))])).await;
    assert_eq!(sent.only(), ["REJECTED", "AMBIGUOUS lead"]);
    let message = sent.0.data("/syncActions/results/0/errors/0/message").as_str().expect("a text").to_owned();
    assert_eq!(message.matches("partner_").count(), 2, "{message}");
});

on_both!(what_the_steerers_own_is_never_touched_again, Small, async |app| {
    let partner = france_travail(app).await;
    let first = json!({ "onCreate": { "pillar": "INNOVER", "audiences": ["FEMMES"], "published": true } });
    let sent = send(&partner, json!([item("A", 0, first)])).await;
    let id = sent.action(0)["id"].clone();
    let local =
        json!({ "id": id, "pillar": "RECENSER_FEDERER", "audiences": ["JEUNES"], "published": false });
    write(&app.prefecture(&["69"]), "updateAction", local).await.done();
    let later = json!({ "title": "Autre titre", "onCreate": { "pillar": "INNOVER", "published": true } });
    assert_eq!(send(&partner, json!([item("A", 5, later)])).await.only(), ["UPDATED"]);
    let read = "query ($id: ID!) { node(id: $id) { ... on Action { title pillar audiences published } } }";
    let read = app.anct().query(read, json!({ "id": id })).await;
    let expected = json!({
        "title": "Autre titre", "pillar": "RECENSER_FEDERER", "audiences": ["JEUNES"], "published": false
    });
    assert_eq!(read.data("/node"), &expected);
});

on_both!(a_source_may_skip_steps_but_not_go_back, Small, async |app| {
    let partner = france_travail(app).await;
    let started = json!({ "status": "IN_PROGRESS", "startsOn": "2023-01", "lead": lead() });
    assert_eq!(send(&partner, json!([item("A", 0, started)])).await.only(), ["CREATED"]);
    let back = json!({ "status": "PLANNED" });
    assert_eq!(
        send(&partner, json!([item("A", 1, back)])).await.only(),
        ["REJECTED", "INVALID_TRANSITION status"]
    );
    let done = json!({ "status": "COMPLETED", "endsOn": "2023-06-01" });
    assert_eq!(send(&partner, json!([item("A", 2, done)])).await.only(), ["UPDATED"]);
    let frozen = json!({ "title": "Trop tard" });
    assert_eq!(send(&partner, json!([item("A", 3, frozen)])).await.only(), ["REJECTED", "FROZEN title"]);
    let same = json!({ "status": "COMPLETED", "endsOn": "2023-06-01" });
    assert_eq!(send(&partner, json!([item("A", 4, same)])).await.only(), ["UNCHANGED"]);
});

on_both!(what_is_frozen_comes_back_from_its_deletion_as_it_was, Small, async |app| {
    let partner = france_travail(app).await;
    let completed = json!({
        "status": "COMPLETED", "startsOn": "2023-01", "endsOn": "2023-06-01", "lead": lead()
    });
    let cancelled = json!({ "status": "CANCELLED", "cancelReason": "Faute de moyens" });
    let gone = |id: &str, minute: u32| {
        let at = format!("2023-06-12T10:{minute:02}:00Z");
        json!({ "externalId": id, "sourceUpdatedAt": at, "deleted": true })
    };
    let items = json!([item("A", 0, completed.clone()), item("B", 0, cancelled.clone())]);
    assert_eq!(send(&partner, items).await.outcomes(), ["CREATED", "CREATED"]);
    let both = json!([gone("A", 1), gone("B", 1)]);
    assert_eq!(send(&partner, both).await.outcomes(), ["UPDATED", "UPDATED"]);
    let reopened = json!({ "status": "IN_PROGRESS" });
    let sent = send(&partner, json!([item("A", 2, reopened)])).await;
    assert_eq!(sent.only(), ["REJECTED", "FROZEN status"]);
    let sent = send(&partner, json!([item("B", 2, json!({ "title": "Autre titre" }))])).await;
    assert_eq!(sent.only(), ["REJECTED", "FROZEN title"]);
    let same = json!([item("A", 3, completed), item("B", 3, cancelled)]);
    assert_eq!(send(&partner, same).await.outcomes(), ["CREATED", "CREATED"]);
    // what was not frozen may come back as it likes
    assert_eq!(send(&partner, json!([item("C", 0, json!({}))])).await.only(), ["CREATED"]);
    assert_eq!(send(&partner, json!([gone("C", 1)])).await.only(), ["UPDATED"]);
    let renamed = json!({ "title": "Autre titre" });
    assert_eq!(send(&partner, json!([item("C", 2, renamed)])).await.only(), ["CREATED"]);
});

on_both!(an_expected_version_is_compared, Small, async |app| {
    let partner = france_travail(app).await;
    send(&partner, json!([item("A", 0, json!({}))])).await.only();
    let wrong = json!({ "expectedVersion": 4, "title": "Autre titre" });
    assert_eq!(
        send(&partner, json!([item("A", 1, wrong)])).await.only(),
        ["CONFLICT", "CONFLICT expectedVersion"]
    );
    let right = json!({ "expectedVersion": 1, "title": "Autre titre" });
    assert_eq!(send(&partner, json!([item("A", 1, right)])).await.only(), ["UPDATED"]);
});

on_both!(one_wrong_item_stops_all_when_that_is_asked, Small, async |app| {
    let partner = france_travail(app).await;
    let items = json!([item("A", 0, json!({})), item("B", 0, json!({ "title": "CV" }))]);
    let sent = call(&partner, json!({ "onError": "ABORT", "items": items })).await;
    assert_eq!(sent.outcomes(), ["CREATED", "REJECTED"], "what would have been");
    assert_eq!(sent.refused(), ["RULE items"]);
    assert_eq!(sent.0.data("/syncActions/batch"), &Value::Null);
    assert_eq!(count(&partner).await, 0);
});

async fn count(persona: &Persona<'_>) -> i64 {
    let count = "{ actions(filter: { sourceExternalId: { in: [\"A\", \"B\"] } }) { totalCount } }";
    persona.ask(count).await.number("/actions/totalCount")
}

on_both!(thousands_of_items_go_in_one_call, Small, async |app| {
    let partner = france_travail(app).await;
    let items: Vec<Value> =
        (0..5_000).map(|n| item(&format!("N-{n}"), 0, json!({ "description": "x".repeat(200) }))).collect();
    let sent = send(&partner, json!(items)).await;
    assert!(sent.outcomes().iter().all(|outcome| *outcome == "CREATED"), "{:?}", &sent.outcomes()[..5]);
    let again = send(&partner, json!(items)).await;
    assert!(again.outcomes().iter().all(|outcome| *outcome == "UNCHANGED"));
    let too_many: Vec<Value> = (0..5_001)
        .map(|n| json!({ "externalId": n.to_string(), "sourceUpdatedAt": "2023-06-12T10:00:00Z" }))
        .collect();
    assert_eq!(send(&partner, json!(too_many)).await.refused(), ["OUT_OF_BOUNDS items"]);
    assert_eq!(send(&partner, json!([])).await.refused(), ["OUT_OF_BOUNDS items"]);
});

on_both!(two_calls_at_once_make_no_duplicate, Small, async |app| {
    let partner = france_travail(app).await;
    for round in 0..5 {
        let items: Vec<Value> =
            (0..40).map(|n| item(&format!("{round}-{n}"), 0, json!({ "lead": lead() }))).collect();
        let reversed: Vec<Value> = items.iter().rev().cloned().collect();
        let calls = [items.clone(), reversed, items].map(|items| send(&partner, json!(items)));
        let answers = crate::writes::all(calls).await;
        assert!(answers.iter().all(|answer| answer.outcomes().len() == 40), "each call is answered");
        let created: usize = answers
            .iter()
            .map(|answer| answer.outcomes().into_iter().filter(|outcome| *outcome == "CREATED").count())
            .sum();
        assert_eq!(created, 40, "each is made once");
    }
    let leads = format!("{{ partners(filter: {{ safirCode: {{ eq: \"{LEAD}\" }} }}) {{ totalCount }} }}");
    assert_eq!(app.anct().ask(&leads).await.number("/partners/totalCount"), 1);
});

on_both!(a_site_is_found_by_qpv_that_lie_in_it_alone, Small, async |app| {
    let everywhere = app.partner("OTHER", GrantedSites::All).await;
    let of = |id: &str, qpvs: &[&str]| json!([item(id, 0, json!({ "site": { "qpvs": qpvs } }))]);
    let told = ["CREATED", "SUCCESSOR site.qpvs.0"];
    assert_eq!(send(&everywhere, of("A", &["QP069018"])).await.only(), told);
    assert_eq!(send(&everywhere, of("A", &["QP069018"])).await.only(), ["UNCHANGED"], "told once");
    assert_eq!(send(&everywhere, of("B", &["QN06916M"])).await.only(), ["REJECTED", "AMBIGUOUS site.qpvs"]);
    let told = ["CREATED", "SUCCESSOR site.qpvs.1"];
    assert_eq!(send(&everywhere, of("B", &["QN06916M", "QP069018"])).await.only(), told);
    let elsewhere = send(&everywhere, of("C", &["QP069018", "QP059001"])).await;
    assert_eq!(elsewhere.only(), ["REJECTED", "RULE site.qpvs"]);
    assert_eq!(
        send(&everywhere, of("C", &["QN06999Z"])).await.only(),
        ["REJECTED", "UNKNOWN_CODE site.qpvs.0"]
    );
    // of the sites that have it, one alone is granted
    let partner = france_travail(app).await;
    assert_eq!(send(&partner, of("D", &["QN06916M"])).await.only(), ["CREATED"]);
});

on_both!(a_code_of_another_date_is_taken_and_its_successors_told, Small, async |app| {
    let partner = france_travail(app).await;
    let sent = send(&partner, json!([item("A", 0, json!({ "onCreate": { "qpvs": ["QP069018"] } }))])).await;
    assert_eq!(sent.only(), ["CREATED", "SUCCESSOR onCreate.qpvs.0"]);
});

on_both!(an_item_that_was_written_and_comes_again_is_no_conflict, Small, async |app| {
    let partner = france_travail(app).await;
    send(&partner, json!([item("A", 0, json!({}))])).await.only();
    let changed = item("A", 1, json!({ "expectedVersion": 1, "title": "Autre titre" }));
    assert_eq!(send(&partner, json!([changed])).await.only(), ["UPDATED"]);
    assert_eq!(send(&partner, json!([changed])).await.only(), ["UNCHANGED"], "the answer was lost");
    // what would change something, or is of another instant, starts from what is no more
    let conflict = ["CONFLICT", "CONFLICT expectedVersion"];
    let other = item("A", 1, json!({ "expectedVersion": 1, "title": "Un tiers titre" }));
    assert_eq!(send(&partner, json!([other])).await.only(), conflict);
    let later = item("A", 2, json!({ "expectedVersion": 1, "title": "Autre titre" }));
    assert_eq!(send(&partner, json!([later])).await.only(), conflict);
    let gone = |version: u32| {
        json!({ "externalId": "A", "sourceUpdatedAt": "2023-06-12T10:03:00Z", "deleted": true,
            "expectedVersion": version })
    };
    assert_eq!(send(&partner, json!([gone(1)])).await.only(), conflict);
    assert_eq!(send(&partner, json!([gone(2)])).await.only(), ["UPDATED"]);
    assert_eq!(send(&partner, json!([gone(2)])).await.only(), ["UNCHANGED"], "the answer was lost");
});

on_both!(what_is_dated_far_ahead_is_refused, Small, async |app| {
    let partner = france_travail(app).await;
    let dated = |at: chrono::DateTime<chrono::Utc>| {
        let mut item = item("A", 0, json!({}));
        item["sourceUpdatedAt"] = json!(at.to_rfc3339());
        json!([item])
    };
    let day = chrono::Duration::days(1);
    let now = cites::clock::Clock::now(&*app.clock);
    let ahead = send(&partner, dated(now + day + chrono::Duration::seconds(1))).await;
    assert_eq!(ahead.only(), ["REJECTED", "OUT_OF_BOUNDS sourceUpdatedAt"]);
    assert_eq!(send(&partner, dated(now + day)).await.only(), ["CREATED"]);
});

on_both!(a_qpv_that_left_a_site_names_it_no_more, Small, async |app| {
    let partner = france_travail(app).await;
    let of_site = |id: &str| json!([item(id, 0, json!({ "site": { "qpvs": ["QP069018"] } }))]);
    let of_action = |id: &str| json!([item(id, 0, json!({ "onCreate": { "qpvs": ["QP069018"] } }))]);
    let sent = send(&partner, of_action("A")).await;
    assert_eq!(sent.only(), ["CREATED", "SUCCESSOR onCreate.qpvs.0"]);
    let id = sent.action(0)["id"].clone();
    let anct = app.anct();
    let end = json!({ "id": known(Kind::Site, 1), "qpv": "QP069018", "to": "2023-06-01" });
    write(&anct, "endSiteQpv", end).await.done();
    assert_eq!(send(&partner, of_site("B")).await.only(), ["REJECTED", "RULE site.qpvs"]);
    assert_eq!(send(&partner, of_action("B")).await.only(), ["REJECTED", "RULE onCreate.qpvs.0"]);
    // by hand too; what an action has already it keeps
    let new = json!({ "site": known(Kind::Site, 1), "title": "À la main", "qpvs": ["QP069018"] });
    assert_eq!(write(&anct, "createAction", new).await.problems(), ["RULE qpvs.0"]);
    let kept = json!({ "id": id, "qpvs": ["QP069018", "QN06916M"] });
    write(&anct, "updateAction", kept).await.done();
    let left = json!({ "id": id, "qpvs": ["QN06916M"] });
    write(&anct, "updateAction", left).await.done();
    let back = json!({ "id": id, "qpvs": ["QN06916M", "QP069018"] });
    assert_eq!(write(&anct, "updateAction", back).await.problems(), ["RULE qpvs.1"]);
});
