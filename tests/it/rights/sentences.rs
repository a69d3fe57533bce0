//! Rights as people would say them.

use std::collections::BTreeSet;

use chrono::{Duration, NaiveDate};
use cites::auth::Scope;
use cites::auth::dev::DevClaims;
use cites::ids;
use entity::enums::GrantStatus;
use entity::{client_grant, seat};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::world::{Kind, id};
use tests::{Answer, GrantedSites, Persona, TestApp, on_both};

use super::oracle::{EVERYBODY, Oracle};

async fn drafts(persona: &Persona<'_>, source: &str) -> i64 {
    let filter = format!("{{ status: {{ eq: DRAFT }}, sourceSystem: {{ eq: \"{source}\" }} }}");
    persona
        .ask(&format!("{{ actions(filter: {filter}) {{ totalCount }} }}"))
        .await
        .number("/actions/totalCount")
}

on_both!(partner_reads_the_drafts_of_its_own_source_on_granted_sites, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::Codes(&["cde-901"])).await;
    assert_eq!(drafts(&partner, "FRANCE_TRAVAIL").await, 2);
    let everywhere = app.partner("OTHER", GrantedSites::All).await;
    assert_eq!(drafts(&everywhere, "OTHER").await, 8);
});

on_both!(partner_cannot_read_a_draft_of_another_source, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    assert_eq!(drafts(&partner, "OTHER").await, 0);
});

on_both!(partner_that_names_another_source_than_its_grant_gets_nothing, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let liar = partner.with(|claims| claims.source = Some("OTHER".to_owned()));
    assert_eq!(drafts(&liar, "OTHER").await, 0);
});

on_both!(partner_without_a_grant_reads_what_the_public_reads, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    let stranger = partner.with(|claims| "unknown".clone_into(&mut claims.client_id));
    assert_eq!(drafts(&stranger, "FRANCE_TRAVAIL").await, 0);
    assert_same(&stranger, &app.public()).await;
});

on_both!(a_revoked_grant_ends_access_at_the_next_request, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    assert_eq!(drafts(&partner, "FRANCE_TRAVAIL").await, 8);
    set_grant(app, client_grant::Column::Status, GrantStatus::Revoked.as_str()).await;
    assert_eq!(drafts(&partner, "FRANCE_TRAVAIL").await, 0);
});

on_both!(a_grant_counts_from_its_first_instant_to_its_last, Small, async |app| {
    let partner = app.partner("FRANCE_TRAVAIL", GrantedSites::All).await;
    set_grant(app, client_grant::Column::ValidFrom, app_time(app, 60)).await;
    assert_eq!(drafts(&partner, "FRANCE_TRAVAIL").await, 0, "it begins in a minute");
    set_grant(app, client_grant::Column::ValidFrom, app_time(app, -60)).await;
    assert_eq!(drafts(&partner, "FRANCE_TRAVAIL").await, 8, "it began a minute ago");
    set_grant(app, client_grant::Column::ValidTo, app_time(app, 60)).await;
    assert_eq!(drafts(&partner, "FRANCE_TRAVAIL").await, 8, "it ends in a minute");
    set_grant(app, client_grant::Column::ValidTo, app_time(app, -60)).await;
    assert_eq!(drafts(&partner, "FRANCE_TRAVAIL").await, 0, "it ended a minute ago");
});

fn app_time(app: &TestApp, seconds: i64) -> chrono::DateTime<chrono::Utc> {
    use cites::clock::Clock;
    app.clock.now() + Duration::seconds(seconds)
}

async fn set_grant(app: &TestApp, column: client_grant::Column, value: impl Into<sea_orm::Value>) {
    let update = client_grant::Entity::update_many().col_expr(column, Expr::value(value));
    update.exec(&app.db.writer).await.expect("the grant is written");
}

/// How many actions of the second site a collectivity reads that the public does not.
async fn unpublished(persona: &Persona<'_>) -> i64 {
    let filter = "{ published: { eq: false }, site: { code: { eq: \"cde-902\" } } }";
    persona
        .ask(&format!("{{ actions(filter: {filter}) {{ totalCount }} }}"))
        .await
        .number("/actions/totalCount")
}

async fn end_seat(app: &TestApp, seat: u16, day: &str) {
    let day: NaiveDate = day.parse().expect("a day");
    let update = seat::Entity::update_many().col_expr(seat::Column::EndsOn, Expr::value(day));
    let update = update.filter(seat::Column::Id.eq(id(Kind::Seat, seat)));
    update.exec(&app.db.writer).await.expect("the seat is written");
}

on_both!(a_seat_that_ends_ends_access_at_the_next_request, Small, async |app| {
    let member = app.collectivite(&["200040715"]);
    assert_eq!(unpublished(&member).await, 18);
    end_seat(app, 5, "2023-06-11").await;
    assert_eq!(unpublished(&member).await, 0);
});

on_both!(a_seat_that_ends_today_has_ended, Small, async |app| {
    let member = app.collectivite(&["200040715"]);
    end_seat(app, 5, "2023-06-12").await;
    assert_eq!(unpublished(&member).await, 0);
});

on_both!(a_seat_to_come_gives_nothing_yet, Small, async |app| {
    let document = "{ actions(filter: { published: { eq: false } }) { totalCount } }";
    let future = app.collectivite(&["732829320"]);
    assert_eq!(future.ask(document).await.number("/actions/totalCount"), 0);
    app.clock.set("2024-01-01T12:00:00Z".parse().expect("an instant"));
    assert_eq!(future.ask(document).await.number("/actions/totalCount"), 18);
});

on_both!(a_token_without_cde_read_reads_what_the_public_reads, Small, async |app| {
    for persona in [app.anct(), app.prefecture(&["69"]), app.collectivite(&["200046977"])] {
        assert_same(&persona.scopes(&[Scope::Write]), &app.public()).await;
    }
});

on_both!(empty_lists_in_a_token_give_no_row, Small, async |app| {
    assert_same(&app.prefecture(&[]), &app.public()).await;
    assert_same(&app.collectivite(&[]), &app.public()).await;
});

/// Two readers get the same answer.
async fn assert_same(one: &Persona<'_>, other: &Persona<'_>) {
    let document = "{ sites { nodes { id referents { totalCount } } } actions { totalCount } figures { totalCount } \
                    roadmaps { totalCount } governanceBodies { nodes { name } } meetings { totalCount } \
                    fundingLines { totalCount } partners { nodes { name } } seats { totalCount } }";
    let (one, other) = (one.ask(document).await, other.ask(document).await);
    assert_eq!(one.data(""), other.data(""));
}

on_both!(a_site_of_two_departements_is_read_by_both_and_steered_by_its_pilot, Small, async |app| {
    let document = "{ site(by: { code: \"cde-902\" }) { viewerCanUpdate actions { totalCount } } }";
    for (departement, may) in [("02", false), ("59", true)] {
        let answer = app.prefecture(&[departement]).ask(document).await;
        assert_eq!(answer.data("/site/viewerCanUpdate"), may, "{departement}");
        assert_eq!(answer.number("/site/actions/totalCount"), 36);
    }
    assert_eq!(app.public().ask(document).await.data("/site/viewerCanUpdate"), false);
});

on_both!(a_closed_site_is_updated_by_the_national_team_alone, Small, async |app| {
    let document = "{ site(by: { code: \"cde-903\" }) { viewerCanUpdate actions(first: 100) { nodes { viewerCanUpdate } } } }";
    for (persona, may) in
        [(app.anct(), true), (app.prefecture(&["38"]), false), (app.collectivite(&["200040715"]), false)]
    {
        let answer = persona.ask(document).await;
        assert_eq!(answer.data("/site/viewerCanUpdate"), may);
        let actions = answer.list("/site/actions/nodes");
        assert!(actions.iter().all(|action| action["viewerCanUpdate"] == may), "{answer}");
    }
});

on_both!(a_candidate_is_absent_for_the_public_wherever_it_would_show, Small, async |app| {
    let document = "{ communes(filter: { code: { eq: \"93008\" } }) { nodes { sites { totalCount } } } \
                    region(by: { code: \"11\" }) { departements { nodes { sites { totalCount nodes { name } } } } } \
                    found: sites(filter: { name: { contains: \"bobigny\" } }) { totalCount } }";
    let answer = app.public().ask(document).await;
    assert_eq!(answer.number("/communes/nodes/0/sites/totalCount"), 0);
    assert_eq!(answer.number("/region/departements/nodes/0/sites/totalCount"), 0);
    assert_eq!(answer.number("/found/totalCount"), 0);
    let answer = app.prefecture(&["93"]).ask(document).await;
    assert_eq!(answer.number("/communes/nodes/0/sites/totalCount"), 1);
});

on_both!(an_action_that_is_seen_does_not_show_a_hidden_axis_roadmap_or_meeting, Small, async |app| {
    let document = "{ actions(first: 100, filter: { axis: {} }) { nodes { axis { label roadmap { status adoptedByMeeting { summary } } } } } \
                    all: actions(first: 100) { nodes { axis { label } } } }";
    let answer = app.public().ask(document).await;
    for action in answer.list("/actions/nodes") {
        assert_eq!(action["axis"]["roadmap"]["status"], "ADOPTED", "{action}");
        assert!(action["axis"]["roadmap"]["adoptedByMeeting"].is_null(), "{action}");
    }
    let shown = answer.list("/all/nodes").iter().filter(|action| !action["axis"].is_null()).count();
    assert_eq!(shown, answer.list("/actions/nodes").len());
});

on_both!(statistics_count_only_what_the_caller_reads, Small, async |app| {
    let document = "{ actionStatistics(groupBy: []) { actionCount siteCount } actions { totalCount } }";
    let partner = app.partner("OTHER", GrantedSites::Codes(&["cde-902"])).await;
    let all = [app.public(), app.anct(), app.prefecture(&["02"]), app.collectivite(&["200040715"]), partner];
    for persona in all {
        let answer = persona.ask(document).await;
        assert_eq!(answer.number("/actionStatistics/0/actionCount"), answer.number("/actions/totalCount"));
    }
});

on_both!(a_merged_partner_points_to_the_one_that_stands_for_it, Small, async |app| {
    let document = "{ partners(filter: { status: { eq: MERGED } }) { nodes { mergedInto { name } } } }";
    let answer = app.anct().ask(document).await;
    assert_eq!(answer.data("/partners/nodes/0/mergedInto/name"), "Mission locale");
});

/// The answer to a request with this Authorization header.
async fn with_header(app: &TestApp, value: &str) -> Answer {
    app.post(Some(value), &json!({ "query": "{ sites { totalCount } }" })).await
}

on_both!(a_bad_token_is_refused_and_never_the_public, Small, async |app| {
    let good = app.anct().authorization().expect("a token");
    let claims: DevClaims = app.anct().claims.expect("claims");
    let forged = format!("{}x", &good[..good.len() - 1]);
    let unsigned = good.rsplit_once('.').map(|(head, _)| format!("{head}.")).expect("a signature");
    let stale = {
        let token = app.mint(&DevClaims { ttl: std::time::Duration::from_secs(1), ..claims });
        app.clock.advance(600);
        format!("Bearer {token}")
    };
    for value in ["Bearer", "Bearer x.y.z", "Basic YTpi", &forged, &unsigned, &stale] {
        let answer = with_header(app, value).await;
        assert_eq!(answer.status, 401, "{answer}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{:?}", answer.headers);
        assert!(answer.body.get("data").is_none() && !answer.code().is_empty(), "{answer}");
    }
});

on_both!(a_perimeter_is_read_with_its_site, Small, async |app| {
    for who in EVERYBODY {
        let persona = who.of(app).await;
        let oracle = Oracle::new(who, &persona);
        let of_2 = |link: &Value| (link["site"]["id"].to_string(), link["qpv"]["code"].to_string());
        let mut expected = BTreeSet::new();
        for link in &oracle.world.site_qpvs {
            let at = oracle.world.sites.iter().position(|site| site.id == link.site_id).expect("a site");
            let site = &oracle.world.sites[at];
            let qpv = oracle.world.qpvs.iter().find(|qpv| qpv.id == link.qpv_id).expect("a QPV");
            if oracle.sees("Site", at) && qpv.deleted_at.is_none() {
                expected
                    .insert((json!(ids::encode("site", site.id)).to_string(), json!(qpv.code).to_string()));
            }
        }
        let answer = persona
            .ask("{ qpvs { nodes { perimeters { totalCount nodes { site { id } qpv { code } } } } } }")
            .await;
        let mut found = BTreeSet::new();
        for qpv in answer.list("/qpvs/nodes") {
            let links = qpv["perimeters"]["nodes"].as_array().expect("a list");
            assert_eq!(qpv["perimeters"]["totalCount"], links.len());
            found.extend(links.iter().map(of_2));
        }
        assert_eq!(found, expected, "{who:?}, from the QPV");
        let answer =
            persona.ask("{ sites { nodes { perimeter { nodes { site { id } qpv { code } } } } } }").await;
        let links = answer
            .list("/sites/nodes")
            .iter()
            .flat_map(|site| site["perimeter"]["nodes"].as_array().expect("a list"));
        // the link to the tombstone of a QPV shows none
        let found: BTreeSet<_> = links.filter(|link| !link["qpv"].is_null()).map(of_2).collect();
        assert_eq!(found, expected, "{who:?}, from the sites");
        let filter = "{ perimeter: { some: { provenance: { eq: DERIVED } } } }";
        let answer = persona.ask(&format!("{{ sites(filter: {filter}) {{ nodes {{ id }} }} }}")).await;
        let sites: BTreeSet<String> =
            answer.column("/sites/nodes", "id").iter().map(|id| json!(id).to_string()).collect();
        assert_eq!(sites, expected.into_iter().map(|(site, _)| site).collect(), "{who:?}, by a filter");
    }
});
