//! What is wrong is told all at once, and what changed by its names.

use entity::enums::{FigureStatus, SeatKind};
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{Persona, on_both};

use super::ground::Ground;
use super::{known, write};

on_both!(one_wrong_field_hides_no_other, Small, async |app| {
    let (prefecture, city) = (app.prefecture(&["69"]), app.collectivite(&["200046977"]));
    let ground = Ground::of(app).await;
    let (site, note) = (known(Kind::Site, 1), "n".repeat(501));
    let wrong =
        async |persona: &Persona<'_>, name: &str, input: Value| write(persona, name, input).await.problems();
    let figure = ground.figure(FigureStatus::Validated).await;
    assert_eq!(
        wrong(&prefecture, "reviseFigure", json!({ "id": figure, "value": "-1", "note": note })).await,
        ["OUT_OF_BOUNDS note", "OUT_OF_BOUNDS value"]
    );
    assert_eq!(
        wrong(&prefecture, "reviseFigure", json!({ "id": figure, "note": note })).await,
        ["OUT_OF_BOUNDS note", "REQUIRED value"]
    );
    let submitted = json!({
        "subject": { "site": site }, "indicator": "POPULATION", "value": "-1", "period": "2022", "note": note,
    });
    assert_eq!(
        wrong(&prefecture, "submitFigure", submitted).await,
        ["OUT_OF_BOUNDS note", "OUT_OF_BOUNDS value"]
    );
    for name in ["giveSeat", "createReferent"] {
        let mut input = json!({ "site": known(Kind::Partner, 1), "partner": site });
        let field = if name == "giveSeat" { "kind" } else { "function" };
        input[field] = json!(if name == "giveSeat" { "MEMBRE" } else { "Cheffe" });
        assert_eq!(wrong(&prefecture, name, input.clone()).await, ["NOT_FOUND partner", "NOT_FOUND site"]);
        (input["site"], input["partner"]) = (json!(known(Kind::Site, 99)), json!(known(Kind::Partner, 99)));
        assert_eq!(wrong(&prefecture, name, input).await, ["NOT_FOUND partner", "NOT_FOUND site"]);
    }
    assert_eq!(
        wrong(&app.anct(), "mergePartner", json!({ "id": site, "into": site })).await,
        ["NOT_FOUND id", "NOT_FOUND into"]
    );
    let nobody = known(Kind::Partner, 99);
    let line = json!({
        "site": site, "year": 1999, "programmeLabel": "x", "funder": nobody, "amountCents": "5", "kind": "PAID",
    });
    assert_eq!(
        wrong(&prefecture, "createFundingLine", line).await,
        ["NOT_FOUND funder", "OUT_OF_BOUNDS programmeLabel", "OUT_OF_BOUNDS year"]
    );
    let seat =
        json!({ "site": known(Kind::Site, 99), "partner": nobody, "kind": "MEMBRE", "from": "2098-01-01" });
    assert_eq!(
        wrong(&prefecture, "giveSeat", seat).await,
        ["NOT_FOUND partner", "NOT_FOUND site", "OUT_OF_BOUNDS from"]
    );
    let person = json!({ "site": site, "partner": nobody, "function": "x", "email": "nobody" });
    assert_eq!(
        wrong(&prefecture, "createReferent", person).await,
        ["NOT_FOUND partner", "OUT_OF_BOUNDS email", "OUT_OF_BOUNDS function"]
    );
    let adopted = json!({ "id": ground.roadmap().await, "meeting": known(Kind::Meeting, 99), "adoptedOn": "2098-01-01" });
    assert_eq!(wrong(&prefecture, "adoptRoadmap", adopted).await, ["NOT_FOUND meeting", "RULE adoptedOn"]);
    let own = json!({ "name": "Direction de l'emploi", "kind": "METROPOLE", "siren": "200046977" });
    let own = write(&city, "createPartner", own).await.id();
    let action = json!({ "site": site, "title": "x", "partners": [known(Kind::Partner, 99), own] });
    assert_eq!(
        wrong(&city, "createAction", action).await,
        ["FORBIDDEN partners.1", "NOT_FOUND partners.0", "OUT_OF_BOUNDS title"]
    );
});

on_both!(the_journal_names_what_was_given, Small, async |app| {
    let (anct, site) = (app.anct(), known(Kind::Site, 1));
    let last = async || {
        let told = anct.ask("{ auditEvents(first: 1) { nodes { changedFields } } }").await;
        told.data("/auditEvents/nodes/0/changedFields").clone()
    };
    let action = json!({ "site": site, "title": "Forum", "qpvs": ["QP069018"], "partners": [known(Kind::Partner, 3)] });
    write(&anct, "createAction", action).await.done();
    assert_eq!(last().await, json!(["site", "title", "qpvs", "partners"]));
    write(&anct, "createAction", json!({ "site": site, "title": "Forum", "qpvs": [] })).await.done();
    assert_eq!(last().await, json!(["site", "title"]));
    let person = json!({ "site": site, "partner": known(Kind::Partner, 3), "function": "Cheffe" });
    write(&anct, "createReferent", person).await.done();
    assert_eq!(last().await, json!(["site", "partner", "function"]));
    let report = |value: &str, note: Value| {
        let values = json!([{ "indicator": "BENEFICIARY_COUNT", "value": value, "note": note }]);
        json!({ "site": site, "quarter": "2023-Q1", "values": values })
    };
    write(&anct, "reportQuarter", report("12", Value::Null)).await.done();
    write(&anct, "reportQuarter", report("13", Value::Null)).await.done();
    assert_eq!(last().await, json!(["value"]));
    write(&anct, "reportQuarter", report("13", json!("Relevé"))).await.done();
    assert_eq!(last().await, json!(["note"]));
});

on_both!(what_is_settled_is_not_settled_otherwise, Small, async |app| {
    let (anct, ground) = (app.anct(), Ground::of(app).await);
    let seat = ground.seat(SeatKind::Membre).await;
    let end = async |to: &str| write(&anct, "endSeat", json!({ "id": seat, "to": to })).await;
    let version = end("2023-06-12").await.version();
    assert_eq!(end("2023-06-12").await.version(), version, "the same again");
    assert_eq!(end("2023-06-11").await.problems(), ["FROZEN to"]);
    let roadmap = ground.roadmap().await;
    let adopt =
        async |on: &str| write(&anct, "adoptRoadmap", json!({ "id": roadmap, "adoptedOn": on })).await;
    let version = adopt("2023-06-12").await.version();
    assert_eq!(adopt("2023-06-12").await.version(), version, "the same again");
    assert_eq!(adopt("2023-06-11").await.problems(), ["FROZEN adoptedOn"]);
});
