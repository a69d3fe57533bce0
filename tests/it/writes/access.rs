//! What a person may ask for: everything that is held of him, and that nothing of it outlives him.

use chrono::{DateTime, Utc};
use cites::auth::Scope;
use entity::idempotency_key;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, QueryOrder};
use serde_json::{Value, json};
use tests::world::Kind;
use tests::{GrantedSites, Process, TestApp, on_both};

use super::{known, write};

const NAME: &str = "Zéphyrine-Plantée";

const EXPORT: &str = "query ($id: ID!) { exportReferent(id: $id) { referent { function firstName lastName email phone from to \
    eraseAfter erasedAt version createdAt updatedAt source { system } site { code } partner { name } } events { at verb version \
    changedFields outcome } } }";

on_both!(a_person_gets_everything_that_is_held_of_him, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    let person = json!({
        "site": known(Kind::Site, 1), "partner": known(Kind::Partner, 3), "function": "Cheffe de projet",
        "firstName": "Anne", "lastName": NAME, "email": "zephyrine@example.fr", "phone": "0199001234",
    });
    let id = write(&city, "createReferent", person).await.id();
    app.clock.advance(60);
    write(&city, "updateReferent", json!({ "id": id, "lastName": format!("{NAME} bis") })).await.done();
    let ids = json!({ "id": id });
    let held = city.query(EXPORT, ids.clone()).await;
    let is = |field: &str, value: &str| {
        assert_eq!(held.data(&format!("/exportReferent/referent/{field}")), value, "{held}");
    };
    is("lastName", "Zéphyrine-Plantée bis");
    is("firstName", "Anne");
    is("email", "zephyrine@example.fr");
    is("phone", "+33199001234");
    is("site/code", "cde-901");
    is("partner/name", "Mission locale");
    assert_eq!(held.column("/exportReferent/events", "verb"), ["create", "update"]);
    assert_eq!(held.data("/exportReferent/events/1/changedFields"), &json!(["lastName"]));
    assert_eq!(held.data("/exportReferent/events/1/at"), held.data("/exportReferent/referent/updatedAt"));
    assert!(!held.data("/exportReferent/events").to_string().contains(NAME));
    for persona in [app.prefecture(&["69"]), app.anct()] {
        assert_eq!(persona.query(EXPORT, ids.clone()).await.data(""), held.data(""));
    }
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await.scopes(&Scope::ALL);
    let without = app.anct().scopes(&[Scope::Read, Scope::Write, Scope::Admin]);
    let elsewhere = [app.prefecture(&["38"]), app.collectivite(&["200040715"])];
    for persona in elsewhere.into_iter().chain([app.public(), partner, without]) {
        assert_eq!(persona.query(EXPORT, ids.clone()).await.data("/exportReferent"), &Value::Null);
    }
    let site = json!({ "id": known(Kind::Site, 1) });
    assert_eq!(city.query(EXPORT, site).await.data("/exportReferent"), &Value::Null);
    assert_eq!(city.query(EXPORT, json!({ "id": "personne" })).await.code(), "INVALID_ID");
    write(&city, "eraseReferent", ids.clone()).await.done();
    let held = city.query(EXPORT, ids).await;
    assert_eq!(held.data("/exportReferent/referent/lastName"), &Value::Null);
    assert_eq!(held.column("/exportReferent/events", "verb"), ["create", "update", "erase"]);
});

/// The operations whose answers are kept.
async fn kept(app: &TestApp) -> Vec<String> {
    let kept = idempotency_key::Entity::find().order_by_asc(idempotency_key::Column::Key);
    let kept = kept.all(&app.db.writer).await.expect("keys are read");
    kept.into_iter().map(|row| format!("{} {}", row.key, row.operation)).collect()
}

on_both!(nothing_by_which_a_guess_is_proved_outlives_a_person, Small, async |app| {
    let (anct, site) = (app.anct(), known(Kind::Site, 1));
    let person = |name: &str, key: &str| {
        json!({
            "site": site, "partner": known(Kind::Partner, 3), "function": "Cheffe", "lastName": name, "idempotencyKey": key,
        })
    };
    let (one, other) = (
        write(&anct, "createReferent", person("Une", "1")).await.id(),
        write(&anct, "createReferent", person("Autre", "2")).await.id(),
    );
    let email = json!({ "id": one, "email": "une@example.fr", "idempotencyKey": "3" });
    write(&anct, "updateReferent", email).await.done();
    write(&anct, "eraseReferent", json!({ "id": one, "idempotencyKey": "4" })).await.done();
    assert_eq!(kept(app).await, ["2 createReferent", "4 eraseReferent"]);
    let end = json!({ "id": other, "to": "2023-05-30", "eraseAfter": "2023-05-31" });
    write(&anct, "endReferent", end).await.done();
    // not yet over for what the retention forgets by itself
    let later: DateTime<Utc> = "2100-01-01T00:00:00Z".parse().expect("an instant");
    for row in idempotency_key::Entity::find().all(&app.db.writer).await.expect("keys are read") {
        let mut row: idempotency_key::ActiveModel = row.into();
        row.expires_at = Set(later);
        row.update(&app.db.writer).await.expect("it is kept on");
    }
    let home = tempfile::tempdir().expect("a folder");
    let process = Process::of(env!("CARGO_BIN_EXE_cites-tested"), &app.database, home.path());
    assert!(process.run(&["retention"]).status.success());
    assert_eq!(kept(app).await, ["4 eraseReferent"]);
});
