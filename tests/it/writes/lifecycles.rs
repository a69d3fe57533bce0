//! Every life: steps that are listed, steps that are not, what each needs.

use entity::enums::{ActionStatus, FigureStatus, GovernanceStatus, MeetingStatus, RoadmapStatus, SiteStatus};
use entity::{governance_body, roadmap};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{TestApp, on_both};

use super::ground::{Ground, traces};
use super::{known, write, write_and};

/// Tries every step between two statuses on a new row each time; those that are not listed answer with what is.
async fn try_all(
    app: &TestApp,
    mutation: &str,
    statuses: &[(&'static str, &str)],
    listed: &[(&str, &[&str])],
    fresh: impl AsyncFn(&'static str) -> String,
) {
    for (from, _) in statuses {
        let next = listed.iter().find(|(status, _)| status == from).map_or(&[][..], |(_, next)| next);
        for (to, _) in statuses {
            let id = fresh(from).await;
            let before = traces(app).await;
            let input = json!({ "id": id, "to": to, "reason": "pour voir" });
            let written = write(&app.anct(), mutation, input).await;
            let what = format!("{mutation} from {from} to {to}: {}", written.0);
            if from == to {
                assert_eq!(written.version(), 1, "{what}");
                assert_eq!(traces(app).await, before, "{what}");
            } else if next.contains(to) {
                assert_ne!(written.outcome(), "INVALID_TRANSITION", "{what}");
            } else {
                assert_eq!(written.problems(), ["INVALID_TRANSITION to"], "{what}");
                let message = written.0.data("/result/userErrors/0/message").as_str().expect("a text");
                assert!(next.iter().all(|next| message.contains(next)), "{what}");
                assert_eq!(traces(app).await, before, "{what}");
            }
        }
    }
}

on_both!(steps_of_actions, Small, async |app| {
    let ground = Ground::of(app).await;
    let listed: [(&str, &[&str]); 5] = [
        ("DRAFT", &["PLANNED", "CANCELLED"]),
        ("PLANNED", &["IN_PROGRESS", "CANCELLED"]),
        ("IN_PROGRESS", &["COMPLETED", "SUSPENDED", "CANCELLED"]),
        ("SUSPENDED", &["IN_PROGRESS", "CANCELLED"]),
        ("COMPLETED", &["IN_PROGRESS"]),
    ];
    let fresh = async |status| ground.action(ActionStatus::parse(status).expect("one"), None).await;
    try_all(app, "transitionAction", ActionStatus::ALL, &listed, fresh).await;
});

on_both!(steps_of_sites, Small, async |app| {
    let ground = Ground::of(app).await;
    let listed: [(&str, &[&str]); 4] = [
        ("CANDIDATE", &["SUBMITTED"]),
        ("SUBMITTED", &["LABELLED", "REJECTED", "CANDIDATE"]),
        ("LABELLED", &["ACTIVE", "WITHDRAWN"]),
        ("ACTIVE", &["CLOSED", "WITHDRAWN"]),
    ];
    let fresh = async |status| ground.site(SiteStatus::parse(status).expect("one")).await;
    try_all(app, "transitionSite", SiteStatus::ALL, &listed, fresh).await;
});

on_both!(steps_of_committees, Small, async |app| {
    let ground = Ground::of(app).await;
    let listed: [(&str, &[&str]); 3] =
        [("PLANNED", &["ACTIVE"]), ("ACTIVE", &["SUSPENDED"]), ("SUSPENDED", &["ACTIVE", "DISSOLVED"])];
    for (from, _) in GovernanceStatus::ALL {
        for (to, _) in GovernanceStatus::ALL {
            let body = ground.body().await;
            let key = cites::ids::decode(&body).expect("an id").1;
            let change = governance_body::Entity::update_many().filter(governance_body::Column::Id.eq(key));
            let change = change.col_expr(governance_body::Column::Status, Expr::value(*from));
            change.exec(&app.db.writer).await.expect("it is set");
            let written =
                write(&app.anct(), "transitionGovernanceBody", json!({ "id": body, "to": to })).await;
            let next = listed.iter().find(|(status, _)| status == from).map_or(&[][..], |(_, next)| next);
            let wanted = if from == to || next.contains(to) { "OK" } else { "INVALID_TRANSITION" };
            assert_eq!(written.outcome(), wanted, "{from} to {to}");
        }
    }
    let second = json!({ "site": known(Kind::Site, 1), "kind": "COPIL" });
    let second = write(&app.anct(), "createGovernanceBody", second).await.id();
    let activate = json!({ "id": second, "to": "ACTIVE" });
    assert_eq!(write(&app.anct(), "transitionGovernanceBody", activate).await.problems(), ["RULE to"]);
});

on_both!(steps_of_meetings_roadmaps_and_figures, Small, async |app| {
    let (anct, ground) = (app.anct(), Ground::of(app).await);
    let invalid = ["INVALID_TRANSITION id"];
    let meeting = async |status| json!({ "id": ground.meeting(status).await });
    let cancelled = meeting(MeetingStatus::Cancelled).await;
    assert_eq!(write(&anct, "holdMeeting", cancelled.clone()).await.problems(), invalid);
    assert_eq!(write(&anct, "cancelMeeting", cancelled).await.version(), 1);
    let held = meeting(MeetingStatus::Held).await;
    assert_eq!(write(&anct, "cancelMeeting", held.clone()).await.problems(), invalid);
    assert_eq!(write(&anct, "holdMeeting", held).await.version(), 1);
    let adopted = json!({ "id": known(Kind::Roadmap, 1) });
    assert_eq!(write(&anct, "adoptRoadmap", adopted).await.version(), 1);
    let superseded = ground.roadmap().await;
    let key = cites::ids::decode(&superseded).expect("an id").1;
    let change = roadmap::Entity::update_many().filter(roadmap::Column::Id.eq(key));
    let change = change.col_expr(roadmap::Column::Status, Expr::value(RoadmapStatus::Superseded.as_str()));
    change.exec(&app.db.writer).await.expect("it is set");
    assert_eq!(write(&anct, "adoptRoadmap", json!({ "id": superseded })).await.problems(), invalid);
    let steps: [(&str, FigureStatus, &str); 8] = [
        ("validateFigure", FigureStatus::Validated, "OK"),
        ("validateFigure", FigureStatus::Revised, "INVALID_TRANSITION"),
        ("validateFigure", FigureStatus::Withdrawn, "INVALID_TRANSITION"),
        ("reviseFigure", FigureStatus::Provisional, "INVALID_TRANSITION"),
        ("reviseFigure", FigureStatus::Revised, "INVALID_TRANSITION"),
        ("reviseFigure", FigureStatus::Withdrawn, "INVALID_TRANSITION"),
        ("withdrawFigure", FigureStatus::Revised, "INVALID_TRANSITION"),
        ("withdrawFigure", FigureStatus::Validated, "OK"),
    ];
    for (name, status, wanted) in steps {
        let id = ground.figure(status).await;
        let input = match name {
            "reviseFigure" => json!({ "id": id, "value": "1" }),
            "withdrawFigure" => json!({ "id": id, "reason": "erreur" }),
            _ => json!({ "id": id }),
        };
        assert_eq!(write(&anct, name, input).await.outcome(), wanted, "{name} {}", status.as_str());
    }
});

on_both!(each_status_of_an_action_has_its_needs, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    let input = json!({ "site": known(Kind::Site, 1), "title": "Forum", "qpvs": ["QP069018"] });
    let action = write(&city, "createAction", input).await.id();
    let step = async |to: &str, more: Value| {
        let mut input = json!({ "id": action, "to": to });
        input.as_object_mut().expect("one").extend(more.as_object().expect("one").clone());
        write(&city, "transitionAction", input).await
    };
    let none = json!({});
    assert_eq!(step("PLANNED", none.clone()).await.problems(), ["RULE lead", "RULE pillar", "RULE startsOn"]);
    assert_eq!(step("CANCELLED", none.clone()).await.problems(), ["REQUIRED reason"]);
    assert_eq!(
        step("CANCELLED", json!({ "reason": " a " })).await.problems(),
        ["OUT_OF_BOUNDS reason", "REQUIRED reason"]
    );
    let more =
        json!({ "id": action, "lead": known(Kind::Partner, 3), "pillar": "INNOVER", "startsOn": "2023-01" });
    write(&city, "updateAction", more).await.done();
    step("PLANNED", none.clone()).await.done();
    let emptied = json!({ "id": action, "lead": null, "startsOn": null, "pillar": null });
    let emptied = write(&city, "updateAction", emptied).await;
    assert_eq!(emptied.problems(), ["RULE lead", "RULE pillar", "RULE startsOn"], "{}", emptied.0);
    step("IN_PROGRESS", none.clone()).await.done();
    assert_eq!(step("COMPLETED", none.clone()).await.problems(), ["RULE endsOn"]);
    assert_eq!(
        step("COMPLETED", json!({ "endsOn": "2023-07" })).await.problems(),
        ["RULE endsOn"],
        "to come"
    );
    assert_eq!(
        step("COMPLETED", json!({ "endsOn": "2022-12" })).await.problems(),
        ["RULE endsOn"],
        "before its start"
    );
    step("COMPLETED", json!({ "endsOn": "2023-06" })).await.done();
    let frozen = json!({ "id": action, "title": "Autre" });
    assert_eq!(write(&city, "updateAction", frozen).await.problems(), ["FROZEN title"]);
    write(&city, "updateAction", json!({ "id": action, "innovative": true })).await.done();
    assert_eq!(step("IN_PROGRESS", json!({ "reason": "suite" })).await.problems(), ["FORBIDDEN to"]);
    let prefecture = app.prefecture(&["69"]);
    let reopen = |reason: Value| json!({ "id": action, "to": "IN_PROGRESS", "reason": reason });
    assert_eq!(
        write(&prefecture, "transitionAction", reopen(Value::Null)).await.problems(),
        ["REQUIRED reason"]
    );
    let reopened =
        write_and(&prefecture, "transitionAction", reopen(json!("une suite")), "reopenReason").await;
    assert_eq!(reopened.done()["reopenReason"], "une suite");
    let told = "{ auditEvents(first: 1) { nodes { verb changedFields } } }";
    let told = app.anct().ask(told).await;
    let expected = json!({ "verb": "reopen", "changedFields": ["status", "reopenReason"] });
    assert_eq!(told.data("/auditEvents/nodes/0"), &expected);
    let cancelled = write_and(
        &city,
        "transitionAction",
        json!({ "id": action, "to": "CANCELLED", "reason": "faute" }),
        "cancelReason",
    );
    assert_eq!(cancelled.await.done()["cancelReason"], "faute");
    assert_eq!(
        write(&city, "updateAction", json!({ "id": action, "title": "Autre" })).await.problems(),
        ["FROZEN title"]
    );
});

on_both!(a_partner_of_an_action_gets_a_seat_as_operator, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    let partners = json!([known(Kind::Partner, 6), known(Kind::Partner, 3)]);
    let input = json!({ "site": known(Kind::Site, 1), "title": "Forum", "partners": partners });
    write(&city, "createAction", input).await.done();
    let seats =
        "query ($id: ID!) { partner(by: { id: $id }) { seats { nodes { kind from site { code } } } } }";
    let seats = city.query(seats, json!({ "id": known(Kind::Partner, 6) })).await;
    let expected = json!({ "kind": "OPERATEUR", "from": "2023-06-12", "site": { "code": "cde-901" } });
    assert!(seats.list("/partner/seats/nodes").contains(&expected), "{seats}");
    let entities = "{ auditEvents(first: 5) { nodes { entity verb changedFields } } }";
    let entities = app.anct().ask(entities).await;
    let mut told = entities.column("/auditEvents/nodes", "entity");
    told.sort();
    assert_eq!(told, ["Action", "Seat"]);
});

on_both!(figures_keep_their_bounds, Small, async |app| {
    let prefecture = app.prefecture(&["69"]);
    let figure = |indicator: &str, value: &str, period: &str| json!({ "subject": { "site": known(Kind::Site, 1) }, "indicator": indicator, "value": value, "period": period });
    let submit = async |input: Value| write(&prefecture, "submitFigure", input).await;
    for (indicator, value) in [
        ("POVERTY_RATE", "100.01"),
        ("POVERTY_RATE", "5.123"),
        ("POPULATION", "-1"),
        ("POPULATION", "1.5"),
        ("PARTNER_COUNT_AVG", "1.125"),
    ] {
        assert_eq!(
            submit(figure(indicator, value, "2022")).await.problems(),
            ["OUT_OF_BOUNDS value"],
            "{value}"
        );
    }
    assert_eq!(submit(figure("POPULATION", "1", "2024")).await.problems(), ["OUT_OF_BOUNDS period"]);
    submit(figure("PARTNER_COUNT_AVG", "14.25", "2022")).await.done();
    submit(figure("POPULATION", "2.0", "2022")).await.done();
    let rate = submit(figure("POVERTY_RATE", "12.50", "2022")).await.id();
    assert_eq!(submit(figure("POVERTY_RATE", "13", "2022")).await.id(), rate, "put right");
    submit(figure("POVERTY_RATE", "13", "2022-Q1")).await.done();
    let withdraw = json!({ "id": rate, "reason": "erreur de saisie" });
    write(&app.anct(), "withdrawFigure", withdraw).await.done();
    submit(figure("POVERTY_RATE", "13", "2022")).await.done();
    let report =
        |values: Value| json!({ "site": known(Kind::Site, 1), "quarter": "2023-Q1", "values": values });
    let wrong = json!([
        { "indicator": "POVERTY_RATE", "value": "101" },
        { "indicator": "ACTION_COUNT", "value": "0.5" },
        { "indicator": "BENEFICIARY_COUNT", "value": "1", "note": "n".repeat(501) },
        { "indicator": "BENEFICIARY_COUNT", "value": "2" },
    ]);
    let wrong = write(&prefecture, "reportQuarter", report(wrong)).await.problems();
    assert_eq!(
        wrong,
        [
            "DUPLICATE values.3",
            "OUT_OF_BOUNDS values.0",
            "OUT_OF_BOUNDS values.1",
            "OUT_OF_BOUNDS values.2.note"
        ]
    );
    let before = traces(app).await;
    let one = report(json!([{ "indicator": "BENEFICIARY_COUNT", "value": "12" }]));
    write(&prefecture, "reportQuarter", one.clone()).await.done();
    let reported = traces(app).await;
    assert_ne!(reported, before);
    write(&prefecture, "reportQuarter", one).await.done();
    assert_eq!(traces(app).await, reported, "the same report writes nothing");
    let year = json!({ "site": known(Kind::Site, 1), "quarter": "2023", "values": [] });
    assert_eq!(write(&prefecture, "reportQuarter", year).await.problems(), ["OUT_OF_BOUNDS quarter"]);
});

on_both!(a_closed_site_receives_late_figures_only, Small, async |app| {
    let (site, isere) = (known(Kind::Site, 3), app.prefecture(&["38"]));
    let refused = [
        ("updateSite", json!({ "id": site, "name": "Autre" })),
        ("giveSeat", json!({ "site": site, "partner": known(Kind::Partner, 3), "kind": "MEMBRE" })),
        ("createAction", json!({ "site": site, "title": "Forum" })),
        ("createRoadmap", json!({ "site": site, "axes": [] })),
        ("planMeeting", json!({ "body": known(Kind::Body, 3), "date": "2023-06-01" })),
        ("updateReferent", json!({ "id": known(Kind::Referent, 3), "function": "Autre" })),
        ("updateFundingLine", json!({ "id": known(Kind::Funding, 3), "year": 2023 })),
    ];
    for (name, input) in refused {
        for persona in [isere.clone(), app.collectivite(&["200040715"])] {
            assert_eq!(write(&persona, name, input.clone()).await.outcome(), "FORBIDDEN", "{name}");
        }
        write(&app.anct(), name, input).await.done();
    }
    let report = |quarter: &str| {
        let values = json!([{ "indicator": "BENEFICIARY_COUNT", "value": "9" }]);
        json!({ "site": site, "quarter": quarter, "values": values })
    };
    write(&isere, "reportQuarter", report("2023-Q1")).await.done();
    let city = app.collectivite(&["200040715"]);
    assert_eq!(write(&city, "reportQuarter", report("2022-Q4")).await.outcome(), "FORBIDDEN");
    let closure = json!({ "id": site, "kind": "CLOSURE", "start": "2022-12-31" });
    write(&app.anct(), "setSiteMilestone", closure).await.done();
    write(&isere, "reportQuarter", report("2022-Q4")).await.done();
    assert_eq!(write(&isere, "reportQuarter", report("2023-Q2")).await.problems(), ["RULE quarter"]);
});

on_both!(nobody_writes_what_his_own_right_comes_from, Small, async |app| {
    let (city, site) = (app.collectivite(&["200046977"]), known(Kind::Site, 1));
    let own = |kind: &str| json!({ "site": site, "partner": known(Kind::Partner, 2), "kind": kind });
    assert_eq!(write(&city, "giveSeat", own("MEMBRE")).await.problems(), ["FORBIDDEN partner"]);
    assert_eq!(
        write(&city, "endSeat", json!({ "id": known(Kind::Seat, 2) })).await.problems(),
        ["FORBIDDEN id"]
    );
    let prefecture = app.prefecture(&["69"]);
    let siren = json!({ "id": known(Kind::Partner, 2), "siren": "356000000" });
    assert_eq!(write(&prefecture, "updatePartner", siren).await.problems(), ["FORBIDDEN siren"]);
    let siret = json!({ "id": known(Kind::Partner, 2), "siren": null, "siret": "35600000000048" });
    assert_eq!(write(&prefecture, "updatePartner", siret).await.outcome(), "FORBIDDEN");
    let number = json!({ "id": known(Kind::Partner, 2), "siren": "356000000" });
    write(&app.anct(), "updatePartner", number).await.done();
    assert_eq!(
        write(&city, "updateSite", json!({ "id": site, "name": "Autre" })).await.outcome(),
        "FORBIDDEN",
        "at once"
    );
});

on_both!(nobody_makes_a_right_of_another_partner, Small, async |app| {
    // an operator of the first site, which it steers, and a member of the second, which it does not read
    let (city, mission) = (app.collectivite(&["200046977"]), known(Kind::Partner, 3));
    let referents = "{ referents(filter: { site: { code: { eq: \"cde-902\" } } }) { totalCount } }";
    for input in [json!({ "siren": "200046977" }), json!({ "siret": "20004697700019" })] {
        let mut named = input.clone();
        named["id"] = json!(mission);
        let field = input.as_object().and_then(|input| input.keys().next().cloned()).expect("a field");
        for persona in [&city, &app.prefecture(&["69"])] {
            let refused = write(persona, "updatePartner", named.clone()).await;
            assert_eq!(refused.problems(), [format!("FORBIDDEN {field}")]);
        }
    }
    assert_eq!(city.ask(referents).await.number("/referents/totalCount"), 0);
    let named = json!({ "id": mission, "siren": "200046977" });
    write(&app.anct(), "updatePartner", named).await.done();
    assert_eq!(
        city.ask(referents).await.number("/referents/totalCount"),
        1,
        "that is what it would have given"
    );
});

on_both!(nobody_seats_himself_through_an_action, Small, async |app| {
    let (city, site) = (app.collectivite(&["200046977"]), known(Kind::Site, 1));
    let own = json!({ "name": "Direction de l'emploi", "kind": "METROPOLE", "siren": "200046977" });
    let own = write(&city, "createPartner", own).await.id();
    let forum = |partners: Value| json!({ "site": site, "title": "Forum", "partners": partners });
    let refused = write(&city, "createAction", forum(json!([known(Kind::Partner, 6), own]))).await;
    assert_eq!(refused.problems(), ["FORBIDDEN partners.1"]);
    write(&city, "createAction", forum(json!([known(Kind::Partner, 2)]))).await.done();
    write(&app.prefecture(&["69"]), "createAction", forum(json!([own]))).await.done();
});

on_both!(a_partner_becomes_a_body_of_the_state_by_the_state_alone, Small, async |app| {
    let (city, mission) = (app.collectivite(&["200046977"]), known(Kind::Partner, 3));
    let kind = |kind: &str| json!({ "id": mission, "kind": kind });
    for state in ["PREFECTURE", "DDETS", "DREETS", "ANCT"] {
        assert_eq!(
            write(&city, "updatePartner", kind(state)).await.problems(),
            ["FORBIDDEN kind"],
            "{state}"
        );
    }
    write(&city, "updatePartner", kind("ASSOCIATION")).await.done();
    write(&app.prefecture(&["69"]), "updatePartner", kind("DDETS")).await.done();
    assert_eq!(write(&city, "updatePartner", kind("ASSOCIATION")).await.outcome(), "FORBIDDEN");
});

on_both!(a_seat_that_ends_tomorrow_counts_today, Small, async |app| {
    let (prefecture, partner) = (app.prefecture(&["69"]), Ground::of(app).await.partner().await);
    let change = async |field: &str, value: &str| {
        let input = json!({ "id": partner, field: value });
        write(&prefecture, "updatePartner", input).await.outcome()
    };
    assert_eq!(change("website", "https://avant.example.fr").await, "FORBIDDEN");
    let mut seat = tests::world::small().seats[0].clone();
    (seat.id, seat.kind) = (uuid::Uuid::now_v7(), entity::enums::SeatKind::Membre);
    seat.partner_id = cites::ids::decode(&partner).expect("an id").1;
    seat.ends_on = chrono::NaiveDate::from_ymd_opt(2023, 6, 13);
    app.insert([seat]).await;
    assert_eq!(change("website", "https://apres.example.fr").await, "OK");
    assert_eq!(change("siren", "200046977").await, "FORBIDDEN");
    app.clock.advance(24 * 3_600);
    assert_eq!(change("website", "https://encore.example.fr").await, "FORBIDDEN");
});
