//! What arrives: every change once it is taken, in order, again when it was not, and what ends that.

use cites::clock::{Clock, SystemClock};
use entity::enums::JournalOp;
use entity::{StringList, journal};
use sea_orm::ActiveValue::{NotSet, Set};
use serde_json::{Value, json};
use tests::on_both;
use tests::world::Kind;

use super::{Receiver, action, made, partner, retitled, until};
use crate::writes::{known, write, write_and};

on_both!(changes_arrive_signed_and_in_their_order, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    // a receiver looks at the time of a signature
    app.clock.set(SystemClock.now());
    let (id, secret) = made(&partner, json!({ "url": receiver.url, "entities": ["ACTION"] })).await;
    let action = action(&partner, "A").await.id();
    for title in ["Forum un", "Forum deux", "Forum trois"] {
        retitled(&partner, &action, title).await;
    }
    let mut ids = Vec::new();
    for version in 1..=4 {
        let delivery = receiver.next().await;
        assert!(delivery.is_signed(&secret), "{delivery:?}");
        let mut headers = reqwest::header::HeaderMap::new();
        let parts = [
            ("webhook-id", &delivery.id),
            ("webhook-timestamp", &delivery.timestamp),
            ("webhook-signature", &delivery.signature),
        ];
        for (name, value) in parts {
            headers.insert(name, value.parse().expect("a header"));
        }
        let verifier = standardwebhooks::Webhook::new(&secret).expect("a secret");
        verifier.verify(delivery.body.as_bytes(), &headers).expect("a good signature, and fresh");
        assert_eq!(delivery.version(), version);
        assert_eq!(
            (&delivery.data()["entityId"], &delivery.data()["operation"]),
            (&json!(action), &json!("UPSERT"))
        );
        ids.push(delivery.id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 4, "each has an id of its own");
    let feed =
        partner.ask("{ changes(last: 1, filter: { entity: { eq: ACTION } }) { nodes { cursor } } }").await;
    let cursor = feed.data("/changes/nodes/0/cursor");
    until(&partner, &id, |hook| &hook["after"] == cursor && !hook["deliveredAt"].is_null()).await;
    receiver.server.stop(false).await;
});

on_both!(each_owner_gets_what_he_may_read, Small, async |app| {
    let (mut of_anct, mut of_partner) = (Receiver::start(), Receiver::start());
    let partner = partner(app).await;
    made(&app.anct(), json!({ "url": of_anct.url })).await;
    made(&partner, json!({ "url": of_partner.url })).await;
    let draft = json!({ "site": known(Kind::Site, 1), "title": "À la main" });
    let draft = write(&app.anct(), "createAction", draft).await.id();
    let synced = action(&partner, "A").await.id();
    assert_eq!(of_anct.next().await.data()["entityId"], draft.as_str());
    assert_eq!(of_anct.next().await.data()["entityId"], synced.as_str());
    assert_eq!(of_partner.next().await.data()["entityId"], synced.as_str(), "and not the draft of others");
    write(&app.anct(), "deleteAction", json!({ "id": synced })).await.done();
    let gone = of_partner.next().await.data();
    assert_eq!((&gone["entityId"], &gone["operation"]), (&json!(synced), &json!("DELETE")));
});

on_both!(a_delivery_is_tried_again_later_and_later, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    receiver.answers(&[500, 302]);
    let (id, secret) = made(&partner, json!({ "url": receiver.url })).await;
    let begin = app.clock.now();
    action(&partner, "A").await.done();
    let first = receiver.next().await;
    let failed = until(&partner, &id, |hook| hook["attempts"] == 1).await;
    assert_eq!(failed["lastError"], "HTTP_500");
    assert_eq!(failed["failingSince"], json!(begin.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)));
    assert_eq!(failed["nextAttemptAt"], "2023-06-12T10:00:05Z");
    app.clock.advance(5);
    let second = receiver.next().await;
    let failed = until(&partner, &id, |hook| hook["attempts"] == 2).await;
    assert_eq!(
        (&failed["lastError"], &failed["nextAttemptAt"]),
        (&json!("HTTP_302"), &json!("2023-06-12T10:00:20Z"))
    );
    app.clock.advance(15);
    let third = receiver.next().await;
    let taken = until(&partner, &id, |hook| hook["attempts"] == 0).await;
    assert_eq!((&taken["lastError"], &taken["failingSince"]), (&Value::Null, &Value::Null));
    assert!([&second.id, &third.id].iter().all(|id| **id == first.id), "one message, three times");
    assert!(third.is_signed(&secret) && third.timestamp != first.timestamp);
});

on_both!(what_fails_for_three_days_is_paused_and_can_be_taken_up, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    receiver.answers(&[503, 503, 503]);
    let (id, _) = made(&partner, json!({ "url": receiver.url })).await;
    action(&partner, "A").await.done();
    let first = receiver.next().await;
    until(&partner, &id, |hook| hook["attempts"] == 1).await;
    app.clock.advance(3 * 86_400 - 1);
    receiver.next().await;
    let still = until(&partner, &id, |hook| hook["attempts"] == 2).await;
    assert_eq!(still["state"], "ACTIVE");
    app.clock.advance(6 * 3_600);
    receiver.next().await;
    let paused = until(&partner, &id, |hook| hook["state"] == "PAUSED").await;
    assert_eq!((&paused["pauseReason"], &paused["lastError"]), (&json!("FAILING"), &json!("HTTP_503")));
    write(&partner, "updateWebhook", json!({ "id": id, "state": "ACTIVE" })).await.done();
    assert_eq!(receiver.next().await.id, first.id, "nothing was lost meanwhile");
    let active = until(&partner, &id, |hook| hook["attempts"] == 0 && hook["state"] == "ACTIVE").await;
    assert_eq!(active["pauseReason"], Value::Null);
});

on_both!(what_is_not_for_a_webhook_does_not_hold_it_up, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    let (id, _) = made(&partner, json!({ "url": receiver.url })).await;
    action(&partner, "A").await.done();
    let first = receiver.next().await.data()["cursor"].clone();
    until(&partner, &id, |hook| hook["after"] == first).await;
    // persons are in no feed
    let of_a_person = || journal::ActiveModel {
        seq: NotSet,
        xid: NotSet,
        entity: Set("Referent".to_owned()),
        entity_id: Set(Some(uuid::Uuid::now_v7())),
        version: Set(1),
        op: Set(JournalOp::Upsert),
        verb: Set("update".to_owned()),
        at: Set(app.clock.now()),
        outcome: Set("OK".to_owned()),
        public: Set(false),
        was_public: Set(false),
        changed_fields: Set(StringList::default()),
        lost_departements: Set(StringList::default()),
        lost_sirens: Set(StringList::default()),
        lost_clients: Set(StringList::default()),
        ..Default::default()
    };
    app.insert((0..1_100).map(|_| of_a_person())).await;
    let past = until(&partner, &id, |hook| hook["after"] != first).await;
    assert_eq!((&past["state"], &past["attempts"]), (&json!("ACTIVE"), &json!(0)));
    let second = action(&partner, "B").await.id();
    assert_eq!(receiver.next().await.data()["entityId"], second.as_str());
    assert!(receiver.arrived.try_recv().is_err());
});

on_both!(each_change_is_tried_for_itself, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    let (id, _) = made(&partner, json!({ "url": receiver.url })).await;
    write(&partner, "updateWebhook", json!({ "id": id, "state": "PAUSED" })).await.done();
    let first = action(&partner, "A").await.id();
    let second = action(&partner, "B").await.id();
    receiver.answers(&[500, 200, 500]);
    write(&partner, "updateWebhook", json!({ "id": id, "state": "ACTIVE" })).await.done();
    assert_eq!(receiver.next().await.data()["entityId"], first.as_str());
    until(&partner, &id, |hook| hook["attempts"] == 1).await;
    app.clock.advance(4 * 86_400);
    assert_eq!(receiver.next().await.data()["entityId"], first.as_str());
    assert_eq!(receiver.next().await.data()["entityId"], second.as_str());
    let failed =
        until(&partner, &id, |hook| hook["lastError"] == "HTTP_500" && !hook["deliveredAt"].is_null()).await;
    assert_eq!(
        (&failed["state"], &failed["attempts"]),
        (&json!("ACTIVE"), &json!(1)),
        "its three days begin now"
    );
});

on_both!(a_receiver_that_is_gone_is_believed_and_a_pause_holds, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    receiver.answers(&[410]);
    let (id, _) = made(&partner, json!({ "url": receiver.url })).await;
    action(&partner, "A").await.done();
    receiver.next().await;
    let gone = until(&partner, &id, |hook| hook["state"] == "PAUSED").await;
    assert_eq!((&gone["pauseReason"], &gone["lastError"]), (&json!("GONE"), &json!("HTTP_410")));
    write(&partner, "updateWebhook", json!({ "id": id, "state": "ACTIVE" })).await.done();
    receiver.next().await;
    let pause =
        write_and(&partner, "updateWebhook", json!({ "id": id, "state": "PAUSED" }), "pauseReason").await;
    assert_eq!(pause.done()["pauseReason"], "OWNER");
    let other = Receiver::start();
    let (_, _) = made(&partner, json!({ "url": other.url, "after": null })).await;
    action(&partner, "B").await.done();
    let mut other = other;
    let versions =
        [other.next().await.data()["entityId"].clone(), other.next().await.data()["entityId"].clone()];
    assert_ne!(versions[0], versions[1], "from the oldest change kept");
    assert!(receiver.arrived.try_recv().is_err(), "the paused one heard nothing of the second");
});

on_both!(changes_are_posted_again_from_a_cursor, Small, async |app| {
    let (mut receiver, partner) = (Receiver::start(), partner(app).await);
    let (id, _) = made(&partner, json!({ "url": receiver.url })).await;
    for external_id in ["A", "B", "C"] {
        action(&partner, external_id).await.done();
    }
    let first = [receiver.next().await, receiver.next().await, receiver.next().await];
    let cursor = first[0].data()["cursor"].clone();
    write(&partner, "updateWebhook", json!({ "id": id, "after": cursor })).await.done();
    for known in &first[1..] {
        let again = receiver.next().await;
        assert_eq!((&again.id, &again.body), (&known.id, &known.body));
    }
    let unknown = json!({ "id": id, "after": "WzEsMiwzXQ" });
    assert_eq!(write(&partner, "updateWebhook", unknown).await.problems(), ["UNKNOWN_CODE after"]);
});

on_both!(slow_receivers_of_one_client_hold_up_nobody_else, Small, async |app| {
    let (mut slow, mut receiver, partner) = (Receiver::start(), Receiver::start(), partner(app).await);
    slow.answers(&[0; 50]);
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(made(&partner, json!({ "url": slow.url, "entities": ["SITE"] })).await.0);
    }
    made(&app.anct(), json!({ "url": receiver.url, "entities": ["SITE"] })).await;
    for name in ["Nom un", "Nom deux", "Nom trois"] {
        crate::live::rename(app, 1, name).await;
        receiver.next().await;
    }
    // the slow ones wait for their first answer meanwhile, few of them at once
    slow.next().await;
    slow.next().await;
    assert!(slow.arrived.try_recv().is_err(), "more than two of one client at once");
    for id in ids {
        assert_eq!(until(&partner, &id, |_| true).await["attempts"], 0);
    }
    slow.server.stop(false).await;
});
