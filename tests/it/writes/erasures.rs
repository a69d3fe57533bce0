//! When a person's data is erased, by night or by hand, and that nothing of it lingers.

use cites::ids;
use entity::referent;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};
use serde_json::{Value, json};
use tests::world::{self, Kind, id};
use tests::{Backend, Process, Template, TestApp, block_on_postgres, on_both};
use uuid::Uuid;

use super::{known, until_somebody_waits, write, write_and};

on_both!(an_agreed_day_of_erasure_outlives_a_corrected_last_day, Small, async |app| {
    let (city, person) = (app.collectivite(&["200046977"]), known(Kind::Referent, 1));
    let end = async |input: Value| {
        let mut input = input;
        input["id"] = json!(person);
        write_and(&city, "endReferent", input, "eraseAfter").await.done()["eraseAfter"].clone()
    };
    assert_eq!(end(json!({ "to": "2023-04-30" })).await, "2025-04-30");
    assert_eq!(end(json!({ "to": "2023-05-31" })).await, "2025-05-31", "the usual day follows");
    assert_eq!(end(json!({ "to": "2023-05-31", "eraseAfter": "2023-12-31" })).await, "2023-12-31");
    assert_eq!(end(json!({ "to": "2023-05-15" })).await, "2023-12-31", "as agreed");
    assert_eq!(end(json!({ "to": "2024-01-15" })).await, "2026-01-15", "it would be before the end");
    assert_eq!(end(json!({ "to": "2024-01-15", "eraseAfter": "2024-02-01" })).await, "2024-02-01");
    assert_eq!(end(json!({ "to": "2024-01-15", "eraseAfter": null })).await, "2026-01-15");
});

/// Says when personal data of somebody is over.
async fn erase_after(app: &TestApp, person: Uuid, day: &str) {
    let day: chrono::NaiveDate = day.parse().expect("a day");
    let change = referent::Entity::update_many()
        .col_expr(referent::Column::EraseAfter, Expr::value(day))
        .filter(referent::Column::Id.eq(person));
    change.exec(&app.db.writer).await.expect("the person is written");
}

fn retention(app: &TestApp) -> String {
    let home = tempfile::tempdir().expect("a folder");
    let process = Process::of(env!("CARGO_BIN_EXE_cites-tested"), &app.database, home.path());
    let said = process.run(&["retention"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8_lossy(&said.stdout).into_owned()
}

on_both!(the_night_erases_many, Small, async |app| {
    let like = world::small().referents[0].clone();
    let many: Vec<Uuid> = (0..230).map(|_| Uuid::now_v7()).collect();
    app.insert(many.iter().map(|id| referent::Model { id: *id, ..like.clone() })).await;
    for person in &many {
        erase_after(app, *person, "2023-05-31").await;
    }
    assert!(retention(app).starts_with("Erased the personal data of 230 referents;"));
    let left = referent::Entity::find().filter(referent::Column::Id.is_in(many));
    let left = left.filter(referent::Column::LastName.is_not_null()).all(&app.db.writer).await;
    assert_eq!(left.expect("they are read").len(), 0);
});

#[test]
fn the_night_does_not_undo_what_is_agreed_at_that_moment() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        for n in [1, 2] {
            erase_after(&app, id(Kind::Referent, n), "2023-05-31").await;
        }
        // somebody agrees on another day, and has not ended yet
        let agreeing = app.db.begin_write().await.expect("a transaction");
        let text =
            format!("UPDATE referent SET erase_after = '2099-05-31' WHERE id = '{}'", id(Kind::Referent, 1));
        agreeing.execute_unprepared(&text).await.expect("it is written");
        let said = std::thread::scope(|scope| {
            let night = scope.spawn(|| retention(&app));
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    until_somebody_waits(&app).await;
                    agreeing.commit().await.expect("it ends");
                });
            });
            night.join().expect("the night ends")
        });
        assert!(said.starts_with("Erased the personal data of 1 referents;"), "{said}");
        let all = referent::Entity::find().all(&app.db.writer).await.expect("persons");
        let name =
            |n: u16| all.iter().find(|row| row.id == id(Kind::Referent, n)).expect("one").last_name.clone();
        assert!(name(1).is_some() && name(2).is_none());
        app.stop().await;
    });
}

/// Tables that were vacuumed by a command.
async fn vacuumed(app: &TestApp) -> Vec<String> {
    let text = "SELECT relname::text FROM pg_stat_user_tables WHERE vacuum_count > 0 ORDER BY relname";
    let statement = Statement::from_string(app.db.writer.get_database_backend(), text);
    let rows = app.db.writer.query_all_raw(statement).await.expect("statistics");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a name")).collect()
}

#[test]
fn no_dead_row_of_a_person_is_left_nor_of_what_was_sent_of_him() {
    block_on_postgres(async || {
        let app = TestApp::start(Backend::Postgres, Template::Small).await;
        let person = json!({
            "site": known(Kind::Site, 1), "partner": known(Kind::Partner, 3), "function": "Cheffe",
            "lastName": "Nom", "idempotencyKey": "une clé",
        });
        let made = write(&app.anct(), "createReferent", person).await.id();
        assert_eq!(vacuumed(&app).await, Vec::<String>::new());
        write(&app.anct(), "eraseReferent", json!({ "id": made })).await.done();
        assert_eq!(vacuumed(&app).await, ["idempotency_key", "referent"]);
        assert!(ids::decode(&made).is_ok());
        app.stop().await;
    });
}
