//! Each event passes the reader's rights at that moment; the end of a token or a grant ends the stream.

use serde_json::{Value, json};
use tests::world::Kind;
use tests::{GrantedSites, on_both};

use super::{LIVE, following, line, lines, rename};
use crate::writes::{known, write};

/// An action of the first site, written by hand, a draft that is not published.
fn draft() -> Value {
    json!(known(Kind::Action, 4))
}

on_both!(what_leaves_a_callers_sight_reaches_him_as_a_deletion, Small, async |app| {
    let prefecture = app.prefecture(&["69"]);
    let (mut own, mut stranger) = (following(&prefecture).await, following(&app.prefecture(&["02"])).await);
    let plan = json!({ "id": draft(), "lead": known(Kind::Partner, 3), "startsOn": "2023", "pillar": "INNOVER", "published": true });
    write(&prefecture, "updateAction", plan).await.done();
    assert_eq!(lines(&mut own, 1).await, ["UPSERT ACTION 2 *"]);
    // a draft of elsewhere is nobody's business; planned, it is public. What follows is read by the rights of then: the
    // stranger must be past the draft
    rename(app, 1, "Pour tous").await;
    for socket in [&mut own, &mut stranger] {
        assert_eq!(lines(socket, 1).await, ["UPSERT SITE 2 *"]);
    }
    write(&prefecture, "transitionAction", json!({ "id": draft(), "to": "PLANNED" })).await.done();
    assert_eq!(lines(&mut stranger, 1).await, ["UPSERT ACTION 3 *"]);
    write(&prefecture, "updateAction", json!({ "id": draft(), "published": false })).await.done();
    assert_eq!(lines(&mut stranger, 1).await, ["DELETE ACTION 4"]);
    assert_eq!(lines(&mut own, 2).await, ["UPSERT ACTION 3 *", "UPSERT ACTION 4 *"]);
});

on_both!(each_sees_what_is_his_and_nothing_else, Small, async |app| {
    // the fourth site is a candidate of 93
    let mut sockets = Vec::new();
    for (persona, sees) in [
        (app.anct(), true),
        (app.prefecture(&["93"]), true),
        (app.prefecture(&["69"]), false),
        (app.collectivite(&["200046977"]), true),
        (app.collectivite(&["200040715"]), false),
        (app.partner("FRANCE_TRAVAIL", GrantedSites::Codes(&["cde-901"])).await, false),
    ] {
        sockets.push((following(&persona).await, sees));
    }
    rename(app, 4, "Candidate").await;
    // everybody sees the first
    rename(app, 1, "Labellisée").await;
    for (mut socket, sees) in sockets {
        let change = socket.change().await;
        let first = if sees { known(Kind::Site, 4) } else { known(Kind::Site, 1) };
        assert_eq!(change["entityId"], json!(first), "{change}");
    }
});

on_both!(only_the_kinds_that_are_asked_for_are_told, Small, async |app| {
    let mut socket = tests::Socket::of(&app.anct()).await;
    let filter = json!({ "entity": { "in": ["ACTION"] } });
    socket.subscribe("1", LIVE, json!({ "filter": filter })).await;
    super::begun(&mut socket).await;
    for n in 0..3 {
        rename(app, 1, &format!("Nom {n}")).await;
    }
    write(&app.anct(), "updateAction", json!({ "id": draft(), "title": "Vue" })).await.done();
    assert_eq!(line(&socket.change().await), "UPSERT ACTION 2 *");
});

on_both!(the_end_of_a_token_ends_the_stream, Small, async |app| {
    let mut socket = following(&app.anct()).await;
    let mut idle = tests::Socket::of(&app.anct()).await;
    let mut events = app.anct().stream(LIVE, json!({})).await;
    rename(app, 1, "Pendant le jeton").await;
    assert_eq!(line(&socket.change().await), "UPSERT SITE 2 *");
    assert_eq!(line(&events.change().await), "UPSERT SITE 2 *");
    // and the leeway for clocks
    app.clock.advance(3_630);
    rename(app, 1, "Après le jeton").await;
    assert_eq!(socket.closed().await, (4401, "the token has expired; go on with another".to_owned()));
    let (name, response) = events.event().await.expect("an event");
    assert_eq!(
        (name.as_str(), &response["errors"][0]["extensions"]["code"]),
        ("next", &json!("TOKEN_EXPIRED"))
    );
    assert_eq!(events.event().await, Some(("complete".to_owned(), Value::Null)));
    // a socket that has begun before sends nothing more either
    idle.subscribe("1", "{ viewer { role } }", json!({})).await;
    assert_eq!(idle.closed().await.0, 4401);
});

on_both!(a_grant_that_changes_or_ends_ends_the_stream, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let other = app.partner("MISSION_LOCALE", GrantedSites::All).await;
    let grant = app.anct().ask("{ clientGrant(by: { clientId: \"client-FRANCE_TRAVAIL\" }) { id } }").await;
    let grant = grant.data("/clientGrant/id").clone();
    let mut unconcerned = following(&other).await;
    // « habilitations » of others change without a word to him
    for (mutation, fields) in [
        ("updateClientGrant", json!({ "allSites": false, "sites": ["cde-901"] })),
        ("updateClientGrant", json!({ "validTo": "2023-06-13T10:00:00Z" })),
        ("revokeClientGrant", json!({})),
    ] {
        let mut socket = following(&partner).await;
        let mut events = partner.stream(LIVE, json!({})).await;
        let mut input = json!({ "id": grant });
        input.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        write(&app.anct(), mutation, input).await.done();
        let (code, reason) = socket.closed().await;
        assert_eq!(code, 4403, "{mutation}: {reason}");
        let (_, response) = events.event().await.expect("an event");
        assert_eq!(response["errors"][0]["extensions"]["code"], "FORBIDDEN", "{response}");
        assert_eq!(events.event().await, Some(("complete".to_owned(), Value::Null)));
    }
    rename(app, 1, "Encore vu").await;
    assert_eq!(line(&unconcerned.change().await), "UPSERT SITE 2 *");
});

on_both!(a_seat_that_ends_is_told_and_ends_the_sight, Small, async |app| {
    let anct = app.anct();
    let mut socket = following(&app.collectivite(&["200046977"])).await;
    rename(app, 4, "Vue par son siège").await;
    assert_eq!(line(&socket.change().await), "UPSERT SITE 2 *");
    let seats = "{ site(by: { id: \"SITE\" }) { seats(first: 50) { nodes { id partner { siren } } } } }";
    let seats = anct.ask(&seats.replace("SITE", &known(Kind::Site, 4))).await;
    let mut ended = 0;
    for seat in seats.list("/site/seats/nodes") {
        if seat["partner"]["siren"] == "200046977" {
            write(&anct, "endSeat", json!({ "id": seat["id"] })).await.done();
            ended += 1;
        }
    }
    assert!(ended > 0, "{seats}");
    rename(app, 4, "Plus vue").await;
    rename(app, 1, "Publique").await;
    let mut told = Vec::new();
    loop {
        let change = socket.change().await;
        if change["entity"] == "SITE" && change["entityId"] == json!(known(Kind::Site, 1)) {
            break;
        }
        told.push(line(&change));
    }
    told.retain(|line| !line.contains("FIGURE"));
    assert_eq!(told, ["DELETE SITE 2"]);
});
