//! Writers that waited for another: what they were allowed before they waited is not what counts.

use cites::db::Backend;
use entity::{seat, site_departement};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;
use tests::world::{Kind, id};
use tests::{GrantedSites, Persona, TestApp, on_both};

use super::{at_once, done, known, until_somebody_waits, waiting, write};

/// Sends a change of the first site that waits for one which takes the caller's right away.
async fn behind(
    app: &TestApp,
    persona: &Persona<'_>,
    take: impl AsyncFnOnce(&cites::db::Transaction),
) -> Vec<String> {
    let taking = app.db.begin_write().await.expect("a transaction");
    let hold = format!("UPDATE site SET version = version + 1 WHERE id = '{}'", id(Kind::Site, 1));
    taking.execute_unprepared(&hold).await.expect("the site is held");
    take(&taking).await;
    let ended = async {
        until_somebody_waits(app).await;
        taking.commit().await.expect("it ends");
    };
    let change = json!({ "id": known(Kind::Site, 1), "audienceNote": "Autre" });
    let (written, ()) = tokio::join!(write(persona, "updateSite", change), ended);
    written.problems()
}

on_both!(a_write_that_waited_for_the_end_of_its_seat_is_refused, Small, async |app| {
    let city = app.collectivite(&["200046977"]);
    write(&city, "updateSite", json!({ "id": known(Kind::Site, 1), "audienceNote": "Une" })).await.done();
    let problems = behind(app, &city, async |taking| {
        let today: chrono::NaiveDate = "2023-06-12".parse().expect("a day");
        let end = seat::Entity::update_many()
            .col_expr(seat::Column::EndsOn, Expr::value(today))
            .filter(seat::Column::Id.eq(id(Kind::Seat, 2)));
        end.exec(taking).await.expect("the seat ends");
    });
    assert_eq!(problems.await, ["FORBIDDEN id"], "the site is public");
});

on_both!(a_write_that_waited_for_another_prefecture_to_steer_is_refused, Small, async |app| {
    let prefecture = app.prefecture(&["69"]);
    let problems = behind(app, &prefecture, async |taking| {
        let end = site_departement::Entity::update_many()
            .col_expr(site_departement::Column::Pilot, Expr::value(false))
            .filter(site_departement::Column::SiteId.eq(id(Kind::Site, 1)));
        end.exec(taking).await.expect("it steers no more");
    });
    assert_eq!(problems.await, ["FORBIDDEN id"]);
});

on_both!(writers_at_once_pass_no_quota_of_webhooks, Small, async |app| {
    let system = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let hook = || json!({ "url": "https://example.fr/hook" });
    for _ in 0..9 {
        write(&system, "createWebhook", hook()).await.done();
    }
    // nobody writes one until several have got as far as they do
    let held = app.db.begin_write().await.expect("a transaction");
    if app.db.backend == Backend::Postgres {
        held.execute_unprepared("LOCK TABLE webhook IN SHARE MODE").await.expect("the table is held");
    }
    let ended = async {
        for _ in 0..200 {
            if app.db.backend == Backend::Sqlite || waiting(app).await > 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        held.commit().await.expect("it ends");
    };
    let (made, ()) = tokio::join!(at_once(&system, "createWebhook", (0..4).map(|_| hook())), ended);
    assert_eq!(done(&made, &["RULE"]), 1);
});
