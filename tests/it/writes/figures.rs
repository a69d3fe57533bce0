//! Figures: of which subjects, by whom, under whose name, and who is told.

use cites::auth::Scope;
use entity::enums::FigureStatus;
use entity::{figure, journal};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::world::{Kind, id};
use tests::{TestApp, on_both};

use super::ground::Ground;
use super::{known, write, write_and};

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
        assert_eq!(twice.problems(), ["DUPLICATE indicator"], "{kind}");
        let id = json!({ "id": made.id() });
        for persona in [app.prefecture(&["69"]), app.collectivite(&["200046977"])] {
            let refused = write(&persona, "submitFigure", figure(&subject, "8")).await;
            assert_eq!(refused.problems(), ["FORBIDDEN subject"], "{kind}");
            assert_eq!(write(&persona, "validateFigure", id.clone()).await.outcome(), "NOT_FOUND", "{kind}");
        }
        write(&anct, "validateFigure", id.clone()).await.done();
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
