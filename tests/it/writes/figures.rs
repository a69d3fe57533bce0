//! Figures: of which subjects, by whom, under whose name, and who is told.

use cites::auth::Scope;
use entity::enums::FigureStatus;
use entity::{figure, journal};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::world::{Kind, id};
use tests::{GrantedSites, TestApp, on_both};

use super::ground::Ground;
use super::{grant_indicators, known, write, write_and};

fn figure(subject: &Value, value: &str) -> Value {
    json!({ "subject": subject, "indicator": "ACTION_COUNT", "value": value, "period": "2022" })
}

on_both!(the_national_team_gives_figures_of_the_programme_and_of_territories, Small, async |app| {
    let anct = app.anct();
    let shown = "subject value commune { code } epci { siren } site { id }";
    for (subject, kind, at, code) in [
        (json!({ "national": true }), "NATIONAL", "/commune", Value::Null),
        (json!({ "commune": "69256" }), "COMMUNE", "/commune/code", json!("69256")),
        (json!({ "epci": "200046977" }), "EPCI", "/epci/siren", json!("200046977")),
    ] {
        let made = write_and(&anct, "submitFigure", figure(&subject, "7"), shown).await;
        assert_eq!((&made.done()["subject"], made.done().pointer(at)), (&json!(kind), Some(&code)));
        let twice = write(&anct, "submitFigure", figure(&subject, "8")).await;
        assert_eq!((twice.id(), twice.version()), (made.id(), 2), "{kind}");
        let id = json!({ "id": made.id() });
        for persona in [app.prefecture(&["69"]), app.collectivite(&["200046977"])] {
            let refused = write(&persona, "submitFigure", figure(&subject, "8")).await;
            assert_eq!(refused.problems(), ["FORBIDDEN subject"], "{kind}");
            assert_eq!(write(&persona, "validateFigure", id.clone()).await.outcome(), "NOT_FOUND", "{kind}");
        }
        write(&anct, "validateFigure", id.clone()).await.done();
        let late = write(&anct, "submitFigure", figure(&subject, "9")).await;
        assert_eq!(late.problems(), ["DUPLICATE indicator"], "{kind}");
        let refused =
            write(&app.prefecture(&["69"]), "reviseFigure", json!({ "id": made.id(), "value": "8" })).await;
        assert_eq!(refused.problems(), ["FORBIDDEN id"], "{kind}");
        write(&anct, "reviseFigure", json!({ "id": made.id(), "value": "8" })).await.done();
    }
    for (subject, code) in [
        (json!({ "national": false }), "NOT_FOUND subject"),
        (json!({ "commune": "69266" }), "UNKNOWN_CODE subject"),
        (json!({ "epci": "356000000" }), "UNKNOWN_CODE subject"),
    ] {
        assert_eq!(write(&anct, "submitFigure", figure(&subject, "1")).await.problems(), [code]);
    }
});

on_both!(a_revised_figure_is_of_the_one_who_revised_it, Small, async |app| {
    let (ground, prefecture) = (Ground::of(app).await, app.prefecture(&["69"]));
    let former = ground.figure(FigureStatus::Validated).await;
    let revised =
        write_and(&prefecture, "reviseFigure", json!({ "id": former, "value": "41" }), "source status").await;
    assert_eq!(
        (&revised.done()["source"], &revised.done()["status"]),
        (&json!("DECLARED"), &json!("VALIDATED"))
    );
    let kept = "query ($id: ID!) { figure(by: { id: $id }) { source status } }";
    let kept = prefecture.query(kept, json!({ "id": former })).await;
    assert_eq!(kept.data("/figure"), &json!({ "source": "deck", "status": "REVISED" }));
    let again =
        write_and(&prefecture, "reviseFigure", json!({ "id": revised.id(), "value": "42" }), "source").await;
    assert_eq!(again.done()["source"], "DECLARED");
    let other = ground.figure(FigureStatus::Validated).await;
    let beside = write(&prefecture, "reviseFigure", json!({ "id": other, "value": "43" })).await;
    assert_eq!(beside.problems(), ["DUPLICATE id"], "one is declared already");
});

on_both!(a_qpv_that_left_the_perimeter_gives_no_right, Small, async |app| {
    let prefecture = app.prefecture(&["69"]);
    let subject = json!({ "qpv": "QP069018" });
    let made = write(&prefecture, "submitFigure", figure(&subject, "1")).await.id();
    // as with seats, the day it ends is the first without
    let end = json!({ "id": known(Kind::Site, 1), "qpv": "QP069018", "to": "2023-06-12" });
    write(&app.anct(), "endSiteQpv", end).await.done();
    let late = json!({ "subject": subject, "indicator": "POPULATION", "value": "1", "period": "2020" });
    assert_eq!(write(&prefecture, "submitFigure", late).await.problems(), ["FORBIDDEN subject"]);
    let validate = write(&prefecture, "validateFigure", json!({ "id": made })).await;
    assert_eq!(validate.problems(), ["NOT_FOUND id"]);
});

/// Sites and publicity of the entries about a figure, in order.
async fn told(app: &TestApp, figure: &str) -> Vec<(Option<uuid::Uuid>, bool, bool)> {
    let key = cites::ids::decode(figure).expect("an id").1;
    let entries = journal::Entity::find().filter(journal::Column::EntityId.eq(key));
    let mut entries = entries.all(&app.db.writer).await.expect("the journal");
    entries.sort_by_key(|entry| entry.seq);
    entries.into_iter().map(|entry| (entry.site_id, entry.was_public, entry.public)).collect()
}

on_both!(a_prefecture_is_told_of_figures_of_its_actions_and_qpvs, Small, async |app| {
    let (anct, prefecture) = (app.anct(), app.prefecture(&["69"]));
    let site = Some(id(Kind::Site, 1));
    let qpv = write(&prefecture, "submitFigure", figure(&json!({ "qpv": "QP069018" }), "1")).await.id();
    write(&prefecture, "validateFigure", json!({ "id": qpv })).await.done();
    assert_eq!(told(app, &qpv).await, [(site, false, false), (site, false, true)]);
    // published, and planned: the public sees it
    let action = json!({ "action": known(Kind::Action, 7) });
    let of_action = write(&anct, "submitFigure", figure(&action, "1")).await.id();
    write(&prefecture, "validateFigure", json!({ "id": of_action })).await.done();
    write(&anct, "withdrawFigure", json!({ "id": of_action, "reason": "erreur" })).await.done();
    let expected = [(site, false, false), (site, false, true), (site, true, false)];
    assert_eq!(told(app, &of_action).await, expected);
    let draft = json!({ "action": known(Kind::Action, 1) });
    let of_draft = write(&anct, "submitFigure", figure(&draft, "1")).await.id();
    write(&anct, "validateFigure", json!({ "id": of_draft })).await.done();
    assert_eq!(told(app, &of_draft).await, [(site, false, false), (site, false, false)]);
    let candidate = json!({ "site": known(Kind::Site, 4) });
    let of_candidate = write(&anct, "submitFigure", figure(&candidate, "1")).await.id();
    write(&anct, "validateFigure", json!({ "id": of_candidate })).await.done();
    let candidate = Some(id(Kind::Site, 4));
    assert_eq!(told(app, &of_candidate).await, [(candidate, false, false), (candidate, false, false)]);
    let reader = prefecture.with(|claims| claims.scopes.push(Scope::Admin));
    let events = reader.ask("{ auditEvents(first: 50) { nodes { entityId } } }").await;
    let seen = events.column("/auditEvents/nodes", "entityId");
    for (figure, is_seen) in [(&qpv, true), (&of_action, true), (&of_draft, true), (&of_candidate, false)] {
        assert_eq!(seen.contains(figure), is_seen, "{events}");
    }
});

on_both!(a_subject_has_one_natural_key_per_source, Small, async |app| {
    let made = write(&app.anct(), "submitFigure", figure(&json!({ "commune": "69256" }), "1")).await.id();
    let key = cites::ids::decode(&made).expect("an id").1;
    let row = figure::Entity::find_by_id(key).one(&app.db.writer).await.expect("a row").expect("one");
    assert_eq!(row.natural_key, "COMMUNE|69256|ACTION_COUNT|2022||DECLARED");
});

/// The natural key under which a figure is stored.
async fn key_of(app: &TestApp, figure: &str) -> String {
    let id = cites::ids::decode(figure).expect("an id").1;
    let row = figure::Entity::find_by_id(id).one(&app.db.writer).await.expect("a row").expect("one");
    row.natural_key
}

on_both!(a_site_that_gets_a_code_keeps_its_figures_one_each, Small, async |app| {
    let (anct, ground) = (app.anct(), Ground::of(app).await);
    let site = ground.candidate().await;
    let subject = json!({ "site": site });
    let made = write(&anct, "submitFigure", figure(&subject, "7")).await.id();
    write(&anct, "validateFigure", json!({ "id": made })).await.done();
    write(&anct, "setSiteLabel", json!({ "id": site, "code": "cde-950" })).await.done();
    assert_eq!(write(&anct, "submitFigure", figure(&subject, "8")).await.problems(), ["DUPLICATE indicator"]);
    assert_eq!(key_of(app, &made).await, "SITE|cde-950|ACTION_COUNT|2022||DECLARED");
    let revised = write(&anct, "reviseFigure", json!({ "id": made, "value": "8" })).await.id();
    assert_eq!(key_of(app, &revised).await, "SITE|cde-950|ACTION_COUNT|2022||DECLARED");
});

on_both!(who_gave_a_provisional_figure_puts_it_right, Small, async |app| {
    let (anct, city, prefecture) = (app.anct(), app.collectivite(&["200046977"]), app.prefecture(&["69"]));
    let subject = json!({ "site": known(Kind::Site, 1) });
    let given = |value: &str, note: Value| {
        let mut input = figure(&subject, value);
        input["note"] = note;
        input
    };
    let made = write(&city, "submitFigure", given("12", json!("Relevé"))).await.id();
    let right = write_and(&city, "submitFigure", given("13", Value::Null), "value note status").await;
    assert_eq!((right.id(), right.version()), (made.clone(), 2));
    assert_eq!(
        (&right.done()["value"], &right.done()["note"], &right.done()["status"]),
        (&json!("13"), &Value::Null, &json!("PROVISIONAL"))
    );
    let told = "query ($id: ID!) { auditEvents(first: 1, filter: { entityId: { eq: $id } }) { nodes { verb changedFields } } }";
    let told = anct.query(told, json!({ "id": made })).await;
    let expected = json!([{ "verb": "update", "changedFields": ["value", "note"] }]);
    assert_eq!(told.data("/auditEvents/nodes"), &expected);
    assert_eq!(write(&city, "submitFigure", given("13", Value::Null)).await.version(), 2, "nothing new");
    // another may not write there, and one that is validated is revised
    let stranger = app.collectivite(&["200040715"]);
    assert_eq!(
        write(&stranger, "submitFigure", given("14", Value::Null)).await.problems(),
        ["FORBIDDEN subject"]
    );
    write(&prefecture, "validateFigure", json!({ "id": made })).await.done();
    let late = write(&city, "submitFigure", given("14", Value::Null)).await;
    assert_eq!(late.problems(), ["DUPLICATE indicator"]);
});

on_both!(a_system_puts_its_provisional_figure_right_by_its_identifier, Small, async |app| {
    let system = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    grant_indicators(app, &["ACTION_COUNT"]).await;
    let subject = json!({ "site": known(Kind::Site, 1) });
    let given = |external: &str, value: &str, period: &str| {
        let mut input = figure(&subject, value);
        (input["externalId"], input["period"]) = (json!(external), json!(period));
        input
    };
    let declared = write(&app.anct(), "submitFigure", figure(&subject, "1")).await.id();
    let made = write(&system, "submitFigure", given("A", "12", "2022")).await.id();
    assert_ne!(made, declared, "beside what people declare");
    let right = write_and(&system, "submitFigure", given("A", "13", "2022"), "value").await;
    assert_eq!((right.id(), right.version(), &right.done()["value"]), (made.clone(), 2, &json!("13")));
    let other = write(&system, "submitFigure", given("B", "14", "2022")).await;
    assert_eq!(other.problems(), ["DUPLICATE indicator"], "the other identifier names it");
    let elsewhere = write(&system, "submitFigure", given("A", "14", "2021")).await;
    assert_eq!(elsewhere.problems(), ["DUPLICATE externalId"], "it names another figure");
    write(&app.anct(), "validateFigure", json!({ "id": made })).await.done();
    let late = write(&system, "submitFigure", given("A", "14", "2022")).await;
    assert_eq!(late.problems(), ["DUPLICATE externalId", "DUPLICATE indicator"]);
});

on_both!(a_closed_site_gives_late_figures_of_its_qpvs_alone, Small, async |app| {
    let mut link = tests::world::small().site_qpvs[0].clone();
    (link.id, link.site_id, link.qpv_id) = (uuid::Uuid::now_v7(), id(Kind::Site, 3), id(Kind::Qpv, 3));
    app.insert([link]).await;
    let closure = json!({ "id": known(Kind::Site, 3), "kind": "CLOSURE", "start": "2022-12-31" });
    write(&app.anct(), "setSiteMilestone", closure).await.done();
    let of = |period: &str| {
        let mut input = figure(&json!({ "qpv": "QN06916M" }), "1");
        input["period"] = json!(period);
        input
    };
    let isere = app.prefecture(&["38"]);
    write(&isere, "submitFigure", of("2022-Q4")).await.done();
    assert_eq!(write(&isere, "submitFigure", of("2023-Q1")).await.problems(), ["RULE period"]);
    // a site that is not closed gives the right too: the candidate of Bobigny
    write(&app.prefecture(&["38", "93"]), "submitFigure", of("2023-Q1")).await.done();
});
