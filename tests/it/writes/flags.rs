//! What `viewerCan…` says is what the mutation answers.

use entity::enums::{ActionStatus, FigureStatus};
use serde_json::{Value, json};
use tests::{GrantedSites, Persona, TestApp, on_both};
use uuid::Uuid;

use super::ground::Ground;
use super::{Written, write};

async fn everybody(app: &TestApp) -> [(&'static str, Persona<'_>); 7] {
    [
        ("anct", app.anct()),
        ("d", app.prefecture(&["69"])),
        ("D", app.prefecture(&["38"])),
        ("m", app.collectivite(&["200046977"])),
        ("M", app.collectivite(&["200040715"])),
        ("partner", app.partner("FRANCE_TRAVAIL", GrantedSites::All).await),
        ("public", app.public()),
    ]
}

/// The object as somebody sees it; null if he does not.
async fn seen(persona: &Persona<'_>, id: &str, noun: &str, flags: &str) -> Value {
    let document = format!("query ($id: ID!) {{ node(id: $id) {{ ... on {noun} {{ {flags} }} }} }}");
    persona.query(&document, json!({ "id": id })).await.data("/node").clone()
}

/// The mutation was let through and changed something.
fn changed(written: &Written, id: &str) -> bool {
    written.outcome() == "OK"
        && (written.0.data("/result/object/version") != &json!(1)
            || written.0.data("/result/object/id") != &json!(id))
}

on_both!(flags_of_actions_say_what_mutations_answer, Small, async |app| {
    let ground = Ground::of(app).await;
    let flags = "viewerCanUpdateSourceFields viewerCanUpdateLocalFields viewerCanUpdate viewerCanDelete";
    let (mut allowed, mut refused) = (0, 0);
    for (who, persona) in everybody(app).await {
        for (status, _) in ActionStatus::ALL {
            for source in [None, Some("FRANCE_TRAVAIL"), Some("OTHER")] {
                let action = ground.action(ActionStatus::parse(status).expect("one"), source).await;
                let seen = seen(&persona, &action, "Action", flags).await;
                let title = json!({ "id": action, "title": format!("Titre {}", Uuid::now_v7()) });
                let axis = json!({ "id": action, "categories": ["SANTE", "LOGEMENT"] });
                let outcomes = [
                    write(&persona, "updateAction", title).await.outcome() == "OK",
                    write(&persona, "updateAction", axis).await.outcome() == "OK",
                    write(&persona, "deleteAction", json!({ "id": action })).await.outcome() == "OK",
                ];
                let what = format!("{who}: {status} of {source:?}: {seen}");
                if seen.is_null() {
                    assert_eq!(outcomes, [false; 3], "{what}");
                    continue;
                }
                let flag = |name: &str| seen[name].as_bool().expect("a flag");
                let told = [
                    flag("viewerCanUpdateSourceFields"),
                    flag("viewerCanUpdateLocalFields"),
                    flag("viewerCanDelete"),
                ];
                assert_eq!(told, outcomes, "{what}");
                assert_eq!(flag("viewerCanUpdate"), told[0] || told[1], "{what}");
                allowed += told.iter().filter(|told| **told).count();
                refused += told.iter().filter(|told| !**told).count();
            }
        }
    }
    assert!(allowed > 60 && refused > 60, "{allowed} {refused}");
});

on_both!(flags_of_figures_and_funding_say_what_mutations_answer, Small, async |app| {
    let ground = Ground::of(app).await;
    let flags = "viewerCanValidate viewerCanRevise viewerCanWithdraw";
    for (who, persona) in everybody(app).await {
        for status in [
            FigureStatus::Provisional,
            FigureStatus::Validated,
            FigureStatus::Revised,
            FigureStatus::Withdrawn,
        ] {
            for (name, flag) in [
                ("validateFigure", "viewerCanValidate"),
                ("reviseFigure", "viewerCanRevise"),
                ("withdrawFigure", "viewerCanWithdraw"),
            ] {
                let figure = ground.figure(status).await;
                let seen = seen(&persona, &figure, "Figure", flags).await;
                let input = match name {
                    "reviseFigure" => json!({ "id": figure, "value": "1" }),
                    "withdrawFigure" => json!({ "id": figure, "reason": "erreur" }),
                    _ => json!({ "id": figure }),
                };
                let written = write(&persona, name, input).await;
                let told = seen[flag].as_bool().unwrap_or(false);
                let what = format!("{who}: {name} {}: {seen} {}", status.as_str(), written.0);
                assert_eq!(told, changed(&written, &figure), "{what}");
                ground.withdraw_declared().await;
            }
        }
        let line = ground.funding().await;
        let seen = seen(&persona, &line, "FundingLine", "viewerCanUpdate").await;
        let written = write(&persona, "updateFundingLine", json!({ "id": line, "year": 2025 })).await;
        let told = seen["viewerCanUpdate"].as_bool().unwrap_or(false);
        assert_eq!(told, written.outcome() == "OK", "{who}: {seen}");
    }
});

on_both!(flags_of_national_figures_are_for_the_national_team, Small, async |app| {
    let input = json!({ "subject": { "national": true }, "indicator": "REFERENT_COUNT", "value": "1", "period": "2022" });
    let figure = write(&app.anct(), "submitFigure", input).await.id();
    write(&app.anct(), "validateFigure", json!({ "id": figure })).await.done();
    let flags = "viewerCanValidate viewerCanRevise viewerCanWithdraw";
    for (who, persona) in everybody(app).await {
        let may = who == "anct";
        let expected =
            json!({ "viewerCanValidate": false, "viewerCanRevise": may, "viewerCanWithdraw": may });
        assert_eq!(seen(&persona, &figure, "Figure", flags).await, expected, "{who}");
    }
});
