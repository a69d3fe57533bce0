//! What a partner's system writes: rows of its own, under its own identifiers, as far as its grant goes.

use entity::client_grant;
use entity::enums::GrantStatus;
use sea_orm::EntityTrait;
use sea_orm::sea_query::Expr;
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{GrantedSites, on_both};

use super::ground::traces;
use super::{grant_indicators, known, write, write_and};

on_both!(an_action_of_a_system_is_a_synced_one, Small, async |app| {
    let system = app.partner("FRANCE_TRAVAIL", GrantedSites::Codes(&["cde-901"])).await;
    let action =
        |external: Value| json!({ "site": known(Kind::Site, 1), "title": "Atelier", "externalId": external });
    let fields = "source { system externalId } viewerCanUpdateSourceFields viewerCanUpdateLocalFields";
    let made = write_and(&system, "createAction", action(json!(" A 1 ")), fields).await;
    assert_eq!(made.done()["source"], json!({ "system": "FRANCE_TRAVAIL", "externalId": "A 1" }));
    assert_eq!(
        (&made.done()["viewerCanUpdateSourceFields"], &made.done()["viewerCanUpdateLocalFields"]),
        (&json!(true), &json!(false))
    );
    let more = json!({ "id": made.id(), "lead": known(Kind::Partner, 3), "startsOn": "2023-05" });
    write(&system, "updateAction", more).await.done();
    // no pillar yet: the steerers of the site classify it
    write(&system, "transitionAction", json!({ "id": made.id(), "to": "PLANNED" })).await.done();
    let prefecture = app.prefecture(&["69"]);
    let title = json!({ "id": made.id(), "title": "Autre" });
    assert_eq!(write(&prefecture, "updateAction", title).await.problems(), ["FORBIDDEN title"]);
    write(&prefecture, "updateAction", json!({ "id": made.id(), "pillar": "INNOVER" })).await.done();
    write(&system, "deleteAction", json!({ "id": made.id() })).await.done();
    let before = traces(app).await;
    let again = write(&system, "createAction", action(json!("A 1"))).await;
    assert_eq!(again.problems(), ["DUPLICATE externalId"], "a tombstone keeps its identifier");
    assert!(
        again
            .0
            .data("/result/userErrors/0/message")
            .as_str()
            .is_some_and(|text| text.contains("was deleted"))
    );
    let elsewhere = json!({ "site": known(Kind::Site, 2), "title": "Atelier", "externalId": "A 2" });
    assert_eq!(write(&system, "createAction", elsewhere).await.problems(), ["FORBIDDEN site"]);
    assert_eq!(traces(app).await, before);
});

on_both!(a_system_names_its_rows_and_nobody_else_does, Small, async |app| {
    let system = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    grant_indicators(app, &["POPULATION"]).await;
    let site = known(Kind::Site, 1);
    let inputs = [
        ("createPartner", json!({ "name": "Régie de quartier", "kind": "ASSOCIATION" })),
        ("createAction", json!({ "site": site, "title": "Atelier" })),
        (
            "submitFigure",
            json!({ "subject": { "site": site }, "indicator": "POPULATION", "value": "1", "period": "2021" }),
        ),
    ];
    for (name, input) in inputs {
        let with = |external: Value| {
            let mut input = input.clone();
            input["externalId"] = external;
            input
        };
        let before = traces(app).await;
        assert_eq!(write(&system, name, input.clone()).await.problems(), ["REQUIRED externalId"], "{name}");
        assert_eq!(
            write(&system, name, with(Value::Null)).await.problems(),
            ["REQUIRED externalId"],
            "{name}"
        );
        assert_eq!(write(&system, name, with(json!("  "))).await.problems(), ["OUT_OF_BOUNDS externalId"]);
        for persona in
            [app.anct(), app.anct().with(|claims| claims.source = Some("FRANCE_TRAVAIL".to_owned()))]
        {
            assert_eq!(
                write(&persona, name, with(json!("1"))).await.problems(),
                ["RULE externalId"],
                "{name}"
            );
        }
        assert_eq!(traces(app).await, before);
        let made = write_and(&system, name, with(json!("1")), "").await;
        made.done();
        let again = write(&system, name, with(json!("1"))).await;
        if name == "submitFigure" {
            // it is provisional, and could be put right that way
            assert_eq!((again.id(), again.version()), (made.id(), 1));
            continue;
        }
        assert!(again.problems().contains(&"DUPLICATE externalId".to_owned()), "{}", again.0);
        let message = again.0.data("/result/userErrors/0/message").as_str().expect("a text");
        assert!(message.contains("exists"), "{message}");
        // by hand, beside it
        write(&app.anct(), name, with(Value::Null)).await.done();
    }
});

on_both!(a_system_writes_figures_of_granted_indicators_alone, Small, async |app| {
    let system = app.partner("FRANCE_TRAVAIL", GrantedSites::Codes(&["cde-901"])).await;
    let figure = |external: &str, indicator: &str, subject: Value| json!({ "subject": subject, "indicator": indicator, "value": "5", "period": "2023-Q1", "externalId": external });
    let site = json!({ "site": known(Kind::Site, 1) });
    let submit = async |input: Value| write_and(&system, "submitFigure", input, "source").await;
    let none = submit(figure("1", "DEFM_A", site.clone())).await;
    assert_eq!(none.problems(), ["FORBIDDEN indicator"], "an empty list grants none");
    let grant = app.anct().ask("{ clientGrants { nodes { id indicators } } }").await;
    let id = grant.data("/clientGrants/nodes/0/id").clone();
    write(&app.anct(), "updateClientGrant", json!({ "id": id, "indicators": ["DEFM_A", "DEFM_ABC"] }))
        .await
        .done();
    let made = submit(figure("1", "DEFM_A", site.clone())).await;
    assert_eq!(made.done()["source"], "FRANCE_TRAVAIL");
    submit(figure("2", "DEFM_ABC", json!({ "qpv": "QP069018" }))).await.done();
    assert_eq!(submit(figure("3", "POPULATION", site.clone())).await.problems(), ["FORBIDDEN indicator"]);
    let elsewhere = json!({ "site": known(Kind::Site, 2) });
    assert_eq!(submit(figure("3", "DEFM_A", elsewhere)).await.problems(), ["FORBIDDEN subject"]);
    // beside it, what the préfecture declares
    let mut declared = figure("", "DEFM_A", site.clone());
    declared.as_object_mut().expect("one").remove("externalId");
    let declared = write_and(&app.prefecture(&["69"]), "submitFigure", declared, "source").await;
    assert_eq!(declared.done()["source"], "DECLARED");
    let quarter = json!({ "site": known(Kind::Site, 1), "quarter": "2023-Q1", "values": [{ "indicator": "DEFM_A", "value": "1" }] });
    assert_eq!(write(&system, "reportQuarter", quarter).await.problems(), ["FORBIDDEN site"]);
});

on_both!(a_revoked_grant_ends_the_writing_of_partners_too, Small, async |app| {
    let system = app.partner("FRANCE_TRAVAIL", GrantedSites::Codes(&[])).await;
    let create =
        |external: &str| json!({ "name": "Agence", "kind": "FRANCE_TRAVAIL", "externalId": external });
    let update = |website: &str| json!({ "id": known(Kind::Partner, 6), "website": website });
    write(&system, "createPartner", create("1")).await.done();
    write(&system, "updatePartner", update("https://agence.example.fr")).await.done();
    let revoke = client_grant::Entity::update_many()
        .col_expr(client_grant::Column::Status, Expr::value(GrantStatus::Revoked.as_str()));
    revoke.exec(&app.db.writer).await.expect("the grant is written");
    assert_eq!(write(&system, "createPartner", create("2")).await.problems(), ["FORBIDDEN"]);
    let refused = write(&system, "updatePartner", update("https://autre.example.fr")).await;
    assert_eq!(refused.problems(), ["FORBIDDEN id"]);
});
