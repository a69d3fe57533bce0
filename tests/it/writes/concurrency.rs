//! Many writers at once: what holds for one row or one site holds whoever comes second, and who loses is told so
//! by a code.

use std::collections::BTreeSet;
use std::time::Duration;

use entity::enums::{ActionStatus, FigureStatus, SeatKind};
use entity::figure;
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};
use serde_json::{Value, json};
use tests::world::{Kind, id};
use tests::{Backend, Persona, Template, TestApp, block_on_postgres, on_both};

use super::ground::Ground;
use super::{Written, all, known, write, write_and};

/// Sends one mutation with each input at once.
pub async fn at_once(
    persona: &Persona<'_>,
    name: &str,
    inputs: impl IntoIterator<Item = Value>,
) -> Vec<Written> {
    all(inputs.into_iter().map(|input| write(persona, name, input))).await
}

/// How many were done; the others were told one of these codes.
#[track_caller]
pub fn done(written: &[Written], codes: &[&str]) -> usize {
    let lost: Vec<&Written> = written.iter().filter(|one| one.outcome() != "OK").collect();
    for one in &lost {
        assert!(codes.contains(&one.outcome().as_str()), "{}", one.0);
    }
    written.len() - lost.len()
}

on_both!(one_of_32_writers_of_a_version_wins_each_round, Small, async |app| {
    let anct = app.anct();
    let action = known(Kind::Action, 1);
    for round in 1..=4 {
        let inputs = (0..32).map(
            |n| json!({ "id": action, "expectedVersion": round, "description": format!("{round} {n}") }),
        );
        let written = at_once(&anct, "updateAction", inputs).await;
        assert_eq!(done(&written, &["CONFLICT"]), 1, "round {round}");
        let won = written.iter().find(|one| one.outcome() == "OK").expect("a winner");
        assert_eq!(won.version(), round + 1);
    }
});

on_both!(writers_of_different_fields_lose_nothing, Small, async |app| {
    let anct = app.anct();
    let action = known(Kind::Action, 1);
    let fields: [(&str, [Value; 3]); 6] = [
        ("title", [json!("Premier"), json!("Deuxième"), json!("Troisième")]),
        ("description", [json!("Premier"), json!("Deuxième"), json!("Troisième")]),
        ("pillar", [json!("INNOVER"), json!("RECENSER_FEDERER"), json!("ALLER_VERS_RACCROCHER")]),
        ("categories", [json!(["SANTE"]), json!(["MOBILITE"]), json!(["LOGEMENT"])]),
        ("audiences", [json!(["SENIORS"]), json!(["JEUNES"]), json!(["BRSA"])]),
        ("endsOn", [json!("2023-10"), json!("2023-11"), json!("2023-12")]),
    ];
    for round in 0..3 {
        let inputs = fields.iter().map(|(field, values)| json!({ "id": action, *field: values[round] }));
        assert_eq!(done(&at_once(&anct, "updateAction", inputs).await, &[]), fields.len());
    }
    let one = "query ($id: ID!) { action(by: { id: $id }) { version title description pillar categories audiences endsOn } }";
    let one = anct.query(one, json!({ "id": action })).await;
    for (field, values) in &fields {
        assert_eq!(one.data(&format!("/action/{field}")), &values[2]);
    }
    assert_eq!(one.number("/action/version"), 1 + 18);
});

on_both!(a_site_gets_one_porteur_and_one_copil, Small, async |app| {
    let (anct, site) = (app.anct(), known(Kind::Site, 4));
    let partners = [1, 2, 3, 4, 6, 7].map(|n| known(Kind::Partner, n));
    let seats = partners.iter().map(|partner| json!({ "site": site, "partner": partner, "kind": "PORTEUR" }));
    assert_eq!(done(&at_once(&anct, "giveSeat", seats).await, &["RULE", "DUPLICATE"]), 1);
    let bodies = (0..6).map(|_| json!({ "site": known(Kind::Site, 1), "kind": "COPIL" }));
    let bodies = at_once(&anct, "createGovernanceBody", bodies).await;
    write(&anct, "transitionGovernanceBody", json!({ "id": known(Kind::Body, 1), "to": "SUSPENDED" }))
        .await
        .done();
    let active = bodies.iter().map(|body| json!({ "id": body.id(), "to": "ACTIVE" }));
    let active = at_once(&anct, "transitionGovernanceBody", active).await;
    assert_eq!(done(&active, &["RULE", "DUPLICATE"]), 1);
});

on_both!(one_roadmap_is_in_force_whoever_adopts, Small, async |app| {
    let (anct, site) = (app.anct(), known(Kind::Site, 1));
    let drafts = (0..6).map(|n| json!({ "site": site, "axes": [{ "label": format!("Axe nouveau {n}") }] }));
    let drafts = at_once(&anct, "createRoadmap", drafts).await;
    assert_eq!(done(&drafts, &[]), 6, "numbers do not meet");
    let adopted = at_once(&anct, "adoptRoadmap", drafts.iter().map(|one| json!({ "id": one.id() }))).await;
    assert_eq!(done(&adopted, &["UNAVAILABLE"]), 6);
    let all = "query ($id: ID!) { site(by: { id: $id }) { roadmaps { nodes { number status } } } }";
    let all = anct.query(all, json!({ "id": site })).await;
    let statuses = all.column("/site/roadmaps/nodes", "status");
    assert_eq!(statuses.iter().filter(|status| *status == "ADOPTED").count(), 1, "{all}");
    let numbers: BTreeSet<String> = all.column("/site/roadmaps/nodes", "number").into_iter().collect();
    assert_eq!(numbers.len(), statuses.len());
});

on_both!(partners_merged_crosswise_make_no_loop, Small, async |app| {
    let (anct, ground) = (app.anct(), Ground::of(app).await);
    for _ in 0..3 {
        let ring = [ground.partner().await, ground.partner().await, ground.partner().await];
        let merges = (0..3).map(|n| json!({ "id": ring[n], "into": ring[(n + 1) % 3] }));
        let merged = at_once(&anct, "mergePartner", merges).await;
        let merged = done(&merged, &["RULE", "INVALID_TRANSITION", "UNAVAILABLE"]);
        assert!((1..=2).contains(&merged), "{merged} of a ring");
        let statuses = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Partner { status } } }";
        let statuses = anct.query(statuses, json!({ "ids": ring })).await.column("/nodes", "status");
        let active = statuses.iter().filter(|status| *status == "ACTIVE").count();
        assert_eq!(active, 3 - merged, "a chain ends at one that is active");
    }
});

on_both!(bodies_that_take_each_other_as_parent_make_no_loop, Small, async |app| {
    let (anct, ground) = (app.anct(), Ground::of(app).await);
    for _ in 0..3 {
        let (one, other) = (ground.body().await, ground.body().await);
        let inputs = [json!({ "id": one, "parent": other }), json!({ "id": other, "parent": one })];
        let written = at_once(&anct, "updateGovernanceBody", inputs).await;
        assert_eq!(done(&written, &["RULE", "UNAVAILABLE"]), 1);
    }
});

on_both!(periods_figures_and_codes_are_taken_once, Small, async |app| {
    let (anct, ground) = (app.anct(), Ground::of(app).await);
    let qpv = (0..6).map(|_| json!({ "id": known(Kind::Site, 1), "qpv": "QN05901I" }));
    assert_eq!(done(&at_once(&anct, "addSiteQpv", qpv).await, &["DUPLICATE"]), 1);
    let subject = json!({ "site": known(Kind::Site, 1) });
    let figure = (0..6).map(|n| {
        json!({ "subject": subject, "indicator": "POPULATION", "value": n.to_string(), "period": "2020" })
    });
    let given = at_once(&anct, "submitFigure", figure).await;
    assert_eq!(done(&given, &[]), 6, "the later put right the former");
    assert_eq!(given.iter().map(Written::id).collect::<BTreeSet<_>>().len(), 1);
    let sites = [ground.candidate().await, ground.candidate().await, ground.candidate().await];
    let codes = sites.iter().map(|site| json!({ "id": site, "code": "cde-950" }));
    assert_eq!(done(&at_once(&anct, "setSiteLabel", codes).await, &["DUPLICATE"]), 1);
    let seat = ground.seat(SeatKind::Membre).await;
    let ends = (0..4).map(|_| json!({ "id": seat }));
    let ended = at_once(&anct, "endSeat", ends).await;
    assert_eq!(done(&ended, &[]), 4);
    assert!(ended.iter().all(|one| one.version() == 2), "ended once");
});

on_both!(a_report_that_meets_a_validation_does_not_change_what_was_validated, Small, async |app| {
    let prefecture = app.prefecture(&["69"]);
    let report = |value: &str| {
        let values = json!([{ "indicator": "BENEFICIARY_COUNT", "value": value }]);
        json!({ "site": known(Kind::Site, 1), "quarter": "2023-Q1", "values": values })
    };
    write(&prefecture, "reportQuarter", report("12")).await.done();
    let row = figure::Entity::find().filter(figure::Column::Origin.eq("DECLARED"));
    let row = row.one(&app.db.writer).await.expect("figures").expect("the one that was reported");
    // a validation that has written, and not ended yet
    let validating = app.db.begin_write().await.expect("a transaction");
    let validated = figure::ActiveModel {
        id: Unchanged(row.id),
        status: Set(FigureStatus::Validated),
        version: Set(2),
        ..Default::default()
    };
    validated.update(&validating).await.expect("it is validated");
    let ended = async {
        until_somebody_waits(app).await;
        validating.commit().await.expect("it ends");
    };
    let (reported, ()) = tokio::join!(write(&prefecture, "reportQuarter", report("13")), ended);
    assert_eq!(reported.problems(), ["FROZEN values.0"]);
    let kept = figure::Entity::find_by_id(row.id).one(&app.db.writer).await.expect("figures").expect("one");
    assert_eq!((kept.value, kept.version), (row.value, 2));
});

/// Waits until a writer waits for another on the server; an embedded database has one at a time anyway.
pub async fn until_somebody_waits(app: &TestApp) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..200 {
        if app.db.backend == cites::db::Backend::Sqlite {
            return;
        }
        let statement = Statement::from_string(app.db.readers.get_database_backend(), waiting);
        let found = app.db.readers.query_one_raw(statement).await.expect("activity").expect("a row");
        if found.try_get_by_index::<i64>(0).expect("a number") > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

on_both!(actions_that_take_the_same_new_partner_seat_it_once, Small, async |app| {
    let (anct, ground) = (app.anct(), Ground::of(app).await);
    for _ in 0..3 {
        let partner = ground.partner().await;
        let mut actions = Vec::new();
        for _ in 0..6 {
            actions.push(ground.action(ActionStatus::Draft, None).await);
        }
        let inputs = actions.iter().map(|action| json!({ "id": action, "partners": [partner] }));
        assert_eq!(done(&at_once(&anct, "updateAction", inputs).await, &[]), 6);
        let seats = "query ($id: ID!) { partner(by: { id: $id }) { seats { nodes { kind } } actions { totalCount } } }";
        let seats = anct.query(seats, json!({ "id": partner })).await;
        assert_eq!(seats.data("/partner/seats/nodes"), &json!([{ "kind": "OPERATEUR" }]));
        assert_eq!(seats.number("/partner/actions/totalCount"), 6);
    }
});

on_both!(no_action_comes_to_stand_under_an_axis_that_goes, Small, async |app| {
    let (anct, site) = (app.anct(), known(Kind::Site, 1));
    for round in 0..6 {
        let draft = json!({ "site": site, "axes": [{ "label": format!("Axe qui part {round}") }] });
        let draft = write_and(&anct, "createRoadmap", draft, "axes { id }").await;
        let axis = draft.done()["axes"][0]["id"].clone();
        let action = json!({ "id": known(Kind::Action, 1), "axis": axis });
        let axes = json!({ "id": draft.id(), "axes": [{ "label": format!("Axe qui reste {round}") }] });
        let (placed, dropped) =
            tokio::join!(write(&anct, "updateAction", action), write(&anct, "setRoadmapAxes", axes));
        let outcomes = (placed.outcome(), dropped.outcome());
        let outcomes = (outcomes.0.as_str(), outcomes.1.as_str());
        assert!(matches!(outcomes, ("OK", "RULE") | ("NOT_FOUND", "OK")), "{outcomes:?}");
    }
});

on_both!(writers_that_wait_for_each_other_get_a_code_to_try_again, Small, async |app| {
    let (anct, ground) = (app.anct(), Ground::of(app).await);
    for _ in 0..4 {
        let (from, to) = (ground.partner().await, ground.partner().await);
        let action =
            json!({ "site": known(Kind::Site, 1), "title": "Forum", "lead": from, "partners": [from] });
        let action = write(&anct, "createAction", action).await.id();
        let take_part = json!({ "id": action, "partners": [to, from], "lead": to });
        let merge = json!({ "id": from, "into": to });
        let (updated, merged) =
            tokio::join!(write(&anct, "updateAction", take_part), write(&anct, "mergePartner", merge));
        let codes = ["NOT_FOUND", "UNAVAILABLE"];
        assert!(done(&[updated, merged], &codes) >= 1);
    }
    no_link_to_the_merged(app).await;
});

/// Nothing hangs on a partner that was merged away here.
async fn no_link_to_the_merged(app: &TestApp) {
    let merged = "{ partners(filter: { status: { eq: MERGED } }) { nodes { id name leads { totalCount } actions { totalCount } } } }";
    let merged = app.anct().ask(merged).await;
    for partner in merged.list("/partners/nodes") {
        assert_eq!(
            (&partner["leads"]["totalCount"], &partner["actions"]["totalCount"]),
            (&json!(0), &json!(0)),
            "{merged}"
        );
    }
}

/// How many sessions of a database wait for a lock.
pub async fn waiting(app: &TestApp) -> i64 {
    let text = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let statement = Statement::from_string(app.db.writer.get_database_backend(), text);
    let row = app.db.readers.query_one_raw(statement).await.expect("sessions").expect("a count");
    row.try_get_by_index(0).expect("a number")
}

#[test]
fn a_write_that_gave_way_in_a_deadlock_is_tried_again() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let mut written = 0;
        // on a busy machine the other may wait longer and give way: then there was nothing to try again
        while !crossed(&app, written).await {
            written += 2;
            assert!(written < 20, "the other gave way each time");
        }
        let events = app.anct().ask("{ auditEvents { nodes { outcome } } }").await;
        assert_eq!(events.column("/auditEvents/nodes", "outcome"), vec!["OK"; written + 2]);
        app.stop().await;
    });
}

/// Lets a write and another transaction wait for each other; the one that waits longer notices first and gives way.
/// Says whether that was the write, which succeeds in any case.
async fn crossed(app: &TestApp, number: usize) -> bool {
    let update = |n: u16| format!("UPDATE action SET version = version WHERE id = '{}'", id(Kind::Action, n));
    let other = app.db.begin_write().await.expect("a transaction");
    other.execute_unprepared(&update(2)).await.expect("the second is locked");
    let document = format!(
        "mutation @atomic {{ one: updateAction(input: {{ id: \"{}\", title: \"Premier {number}\" }}) {{ userErrors {{ code }} }} \
         two: updateAction(input: {{ id: \"{}\", title: \"Deuxième {number}\" }}) {{ userErrors {{ code }} }} }}",
        known(Kind::Action, 1),
        known(Kind::Action, 2)
    );
    let anct = app.anct();
    let crossing = async {
        while waiting(app).await == 0 {
            tokio::task::yield_now().await;
        }
        let done = other.execute_unprepared(&update(1)).await.is_ok();
        if done { other.commit().await } else { other.rollback().await }.expect("it ends");
        done
    };
    let (answer, done) = tokio::join!(anct.ask(&document), crossing);
    assert_eq!(*answer.data("/two/userErrors"), json!([]), "{answer}");
    done
}
