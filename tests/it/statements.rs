//! The number of SQL statements of a document depends on its shape, never on its rows.

use std::fmt::Write as _;
use std::path::Path;

use entity::enums::{GovernanceBodyKind, QpvGeneration, SiteQpvStatus};
use entity::{action, action_qpv, figure, governance_body, meeting, partner, qpv, seat, site, site_qpv};
use serde_json::{Value, json};
use tests::world::{self, Kind, World, id};
use tests::{TestApp, on_both};

/// The contract's queries, with variables that find rows in the small world.
fn queries() -> Vec<(&'static str, &'static str, Value)> {
    let of_small = |name| match name {
        "SiteSheet" => json!({ "code": "cde-901" }),
        "WhereAmI" => json!({ "lon": 3, "lat": 45.5 }),
        "Search" => json!({ "text": "e" }),
        _ => Value::Null,
    };
    let with = |(document, name, variables)| {
        let small = of_small(name);
        (document, name, if small.is_null() { variables } else { small })
    };
    crate::contract::queries().into_iter().map(with).collect()
}

/// Each query with its number of statements.
async fn count(app: &TestApp) -> String {
    let mut counts = String::new();
    for (document, name, variables) in queries() {
        // outlines are read once, at their first use
        app.anct().operation(document, name, variables.clone()).await.data("");
        let before = app.statements();
        app.anct().operation(document, name, variables).await.data("");
        let _ = writeln!(counts, "{name} {}", app.statements() - before);
    }
    counts
}

/// Five hundred more rows in each list that the queries look at.
async fn grow(app: &TestApp, world: &World) {
    let all = || 1000..1500;
    app.insert(all().map(|n| site::Model { id: id(Kind::Site, n), code: None, ..world.sites[0].clone() }))
        .await;
    let with_code = |n: u16| qpv::Model {
        id: id(Kind::Qpv, n),
        code: format!("QN038{:02}{}", n % 100, char::from(b'A' + u8::try_from(n / 100 % 26).unwrap_or(0))),
        generation: QpvGeneration::Qpv2024,
        ..world.qpvs[2].clone()
    };
    app.insert(all().map(with_code)).await;
    app.insert(all().map(|n| site_qpv::Model {
        id: id(Kind::Link, n),
        site_id: id(Kind::Site, 1),
        qpv_id: id(Kind::Qpv, n),
        status: SiteQpvStatus::Labelled,
        ..world.site_qpvs[0].clone()
    }))
    .await;
    app.insert(all().map(|n| partner::Model { id: id(Kind::Partner, n), ..world.partners[0].clone() })).await;
    let seated =
        |n| seat::Model { id: id(Kind::Seat, n), partner_id: id(Kind::Partner, n), ..world.seats[0].clone() };
    app.insert(all().map(seated)).await;
    app.insert(all().map(|n| governance_body::Model {
        id: id(Kind::Body, n),
        kind: GovernanceBodyKind::Autre,
        ..world.bodies[0].clone()
    }))
    .await;
    app.insert(all().map(|n| meeting::Model { id: id(Kind::Meeting, n), ..world.meetings[0].clone() })).await;
    app.insert(
        all().map(|n| action::Model { id: id(Kind::Action, n), ..world.actions[6].clone() }.by_hand()),
    )
    .await;
    app.insert(all().map(|n| action_qpv::Model { action_id: id(Kind::Action, n), qpv_id: id(Kind::Qpv, 3) }))
        .await;
    let figure = |n| figure::Model {
        id: id(Kind::Figure, n),
        natural_key: format!("more {n}"),
        ..world.figures[13].clone()
    };
    app.insert(all().map(figure)).await;
}

/// A copy that no source system sent.
trait ByHand {
    fn by_hand(self) -> Self;
}

impl ByHand for action::Model {
    fn by_hand(self) -> Self {
        Self { source_system: None, source_external_id: None, ..self }
    }
}

on_both!(the_contract_s_queries_need_as_many_statements_at_any_size, Small, async |app| {
    let few = count(app).await;
    grow(app, &world::small()).await;
    assert_eq!(count(app).await, few, "with five hundred rows more in each list");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/statements.txt");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(few, committed, "tests/it/statements.txt holds other numbers");
});
