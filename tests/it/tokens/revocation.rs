//! `cites revoke`: every instance refuses what it names, soon, and nothing else.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use cites::clock::Clock;
use cites::revocation::{self, Named, RevokeError};
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use serde_json::json;
use tests::{Backend, Persona, Process, Template, TestApp, block_on_postgres, on_both};

use super::{claims, gets, good};
use crate::live::following;

const BINARY: &str = env!("CARGO_BIN_EXE_cites-tested");

/// As long as it may take until all instances refuse a token.
pub(super) const SOON: Duration = Duration::from_secs(5);

pub(super) fn revoked() -> (u16, String) {
    (401, "TOKEN_REVOKED".to_owned())
}

/// Waits until a token gets something else than before; nothing tells when an instance has read the list.
pub(super) async fn turns(app: &TestApp, authorization: &str, to: (u16, String)) {
    let begun = Instant::now();
    while gets(app, authorization).await != to {
        assert!(begun.elapsed() < SOON, "{to:?} after {:?}", begun.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs `cites revoke` beside a server; gives what it says.
fn command(app: &TestApp, arguments: &[&str]) -> String {
    let home = tempfile::tempdir().expect("a folder");
    let output = Process::of(BINARY, &app.database, home.path()).run(&[&["revoke"], arguments].concat());
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{error}");
    said.into_owned()
}

/// A token of a client that lives longer than these tests look ahead.
pub(super) fn lasting<'a>(app: &'a TestApp, client: &str) -> Persona<'a> {
    app.anct().with(|claims| {
        client.clone_into(&mut claims.client_id);
        claims.ttl = Duration::from_hours(24 * 365);
    })
}

fn token(persona: &Persona<'_>) -> String {
    persona.authorization().expect("a token")
}

fn later(app: &TestApp) -> DateTime<Utc> {
    app.clock.now() + TimeDelta::days(30)
}

/// Revokes all that a client has, at the time of the tests.
pub async fn revoke_client(app: &TestApp, client: &str) {
    let named = Named::Client(client.to_owned());
    let done = revocation::revoke(&app.db, app.clock.as_ref(), &named, later(app), None).await;
    done.expect("it is revoked");
}

on_both!(one_token_is_refused_and_may_be_taken_back, Small, async |app| {
    let (one, other) = (token(&app.anct()), token(&app.anct()));
    assert_eq!(gets(app, &one).await, good());
    let claims = claims(&one);
    let jti = claims["jti"].as_str().expect("a text");
    assert!(command(app, &["--jti", jti, "--reason", "perdu"]).starts_with("Revoked, and kept until "));
    turns(app, &one, revoked()).await;
    let refused = app.post(Some(&one), &json!({ "query": "{ viewer { role } }" })).await;
    let challenge = refused.headers["www-authenticate"].to_str().expect("a text");
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    assert!(!challenge.contains("perdu") && !refused.body.to_string().contains("perdu"), "{refused}");
    assert_eq!(gets(app, &other).await, good(), "another token of the same client");
    let listed = command(app, &["--list"]);
    assert!(listed.starts_with(&format!("jti\t{jti}\t")) && listed.ends_with("\tperdu\n"), "{listed}");
    assert_eq!(command(app, &["--undo", "--jti", jti]), "Taken back.\n");
    assert_eq!(command(app, &["--undo", "--jti", jti]), "Nothing of that name was revoked.\n");
    turns(app, &one, good()).await;
    let trail = "{ auditEvents(filter: { entity: { eq: \"Revocation\" } }) { nodes { verb actorSub clientId changedFields } } }";
    let trail = app.anct().ask(trail).await;
    assert_eq!(trail.column("/auditEvents/nodes", "verb"), ["undo", "revoke"]);
    let first = &trail.list("/auditEvents/nodes")[0];
    assert_eq!(first["actorSub"], "cites-revoke");
    assert_eq!((&first["clientId"], &first["changedFields"]), (&json!(null), &json!(["jti"])));
});

on_both!(a_client_comes_back_with_tokens_issued_later, Small, async |app| {
    let (before, other) = (token(&lasting(app, "portail")), token(&lasting(app, "tableau")));
    app.clock.advance(10);
    revoke_client(app, "portail").await;
    turns(app, &before, revoked()).await;
    assert_eq!(gets(app, &other).await, good());
    let after = token(&lasting(app, "portail"));
    assert_eq!(gets(app, &after).await, good(), "issued when the others were revoked");
    app.clock.advance(10);
    revoke_client(app, "portail").await;
    turns(app, &after, revoked()).await;
});

on_both!(what_is_wrong_with_a_command_is_told_before_anything_is_opened, Small, async |app| {
    let home = tempfile::tempdir().expect("a folder");
    for arguments in [
        &["revoke"][..],
        &["revoke", "--undo"],
        &["revoke", "--jti", "a", "--client-id", "b"],
        &["revoke", "--jti", ""],
        &["revoke", "--jti", "a", "--until", "2023-06-12T10:00:00Z"],
        &["revoke", "--jti", "a", "--undo", "--reason", "c"],
    ] {
        let output = Process::of(BINARY, &app.database, home.path()).run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(rows(app).await, 0);
});

on_both!(what_cannot_be_read_stays_as_it_was_known, Small, async |app| {
    let lost = token(&lasting(app, "portail"));
    app.clock.advance(1);
    revoke_client(app, "portail").await;
    turns(app, &lost, revoked()).await;
    app.db.writer.execute_unprepared("ALTER TABLE revocation RENAME TO away").await.expect("it is away");
    let read = revocation::refresh(&app.db, app.clock.as_ref(), app.auth.revocations()).await;
    assert!(read.is_err());
    assert_eq!(gets(app, &lost).await, revoked());
    app.db.writer.execute_unprepared("ALTER TABLE away RENAME TO revocation").await.expect("it is back");
});

on_both!(a_revocation_is_forgotten_when_its_tokens_have_ended, Small, async |app| {
    let token = token(&lasting(app, "portail"));
    app.clock.advance(1);
    revoke_client(app, "portail").await;
    turns(app, &token, revoked()).await;
    app.clock.advance(31 * 86_400);
    turns(app, &token, good()).await;
    // whoever comes first, a command or a server
    revocation::prune(&app.db, app.clock.as_ref()).await.expect("it is forgotten");
    assert_eq!(rows(app).await, 0);
});

on_both!(the_list_is_bounded, Small, async |app| {
    let row = |n: u64| entity::revocation::Model {
        id: uuid::Uuid::now_v7(),
        jti: Some(format!("jeton-{n}")),
        client_id: None,
        revoked_at: app.clock.now(),
        kept_until: later(app),
        reason: None,
    };
    app.insert((0..cites::limits::REVOCATIONS).map(row)).await;
    let revoke = async |jti: &str| {
        let named = Named::Token(jti.to_owned());
        revocation::revoke(&app.db, app.clock.as_ref(), &named, later(app), None).await
    };
    assert!(matches!(revoke("un-de-trop").await, Err(RevokeError::Full)));
    revoke("jeton-7").await.expect("it was there");
    let undone = revocation::undo(&app.db, app.clock.as_ref(), &Named::Token("jeton-8".to_owned())).await;
    assert!(undone.expect("it is undone"));
    revoke("un-de-moins").await.expect("there is room");
    assert_eq!(rows(app).await, cites::limits::REVOCATIONS);
});

async fn rows(app: &TestApp) -> u64 {
    entity::revocation::Entity::find().count(&app.db.readers).await.expect("a count")
}

#[test]
fn every_instance_hears_of_it_soon() {
    block_on_postgres(async || {
        let one = TestApp::start(Backend::Postgres, Template::Small).await;
        let other = one.beside().await;
        // each instance of the tests trusts a key of its own
        let (here, there) = (lasting(&one, "portail"), lasting(&other, "portail"));
        let (here, at_other) = (token(&here), token(&there));
        let mut socket = following(&there).await;
        assert_eq!((gets(&one, &here).await, gets(&other, &at_other).await), (good(), good()));
        let begun = Instant::now();
        command(&one, &["--client-id", "portail"]);
        turns(&one, &here, revoked()).await;
        turns(&other, &at_other, revoked()).await;
        assert_eq!(socket.closed().await, (4401, "the token was revoked; go on with another".to_owned()));
        assert!(begun.elapsed() < SOON + Duration::from_secs(1), "{:?}", begun.elapsed());
        // one that starts later knows from the first request on
        let third = one.beside().await;
        assert_eq!(gets(&third, &token(&lasting(&third, "portail"))).await, revoked());
        third.stop().await;
        other.stop().await;
        one.stop().await;
    });
}
