//! What clients do with their webhooks.

use async_graphql::Value;
use async_graphql::dynamic::TypeRef;
use entity::enums::{WebhookPauseReason, WebhookState};
use entity::webhook;
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::address::is_usable;
use super::send::new_secret;
use crate::auth::Scope;
use crate::db;
use crate::feed::{self, tail};
use crate::journal::Seen;
use crate::limits;
use crate::policy::{Resource, Verb};
use crate::read::shape::Out;
use crate::write::declare::{Part, expected_version, id_of, optional, required, several};
use crate::write::input::Patch;
use crate::write::row::take;
use crate::write::{Change, Done, Failure, Input, Mutation, Place, ProblemCode, Resources, Target, Writing};

const TARGET: Target = Target { field: "webhook", noun: "Webhook" };
const RIGHTS: Resources =
    Resources { table: "webhook", resource: Resource::Webhook, verb: Verb::Write, group: "" };
const URL: &str =
    "Where changes are posted: https, an address of the public internet, 2000 characters at most.";
const ENTITIES: &str = "Kinds of objects whose changes are posted; all of them if empty.";

/// The mutations of this folder.
pub fn mutations() -> Vec<Mutation> {
    let secret = Part {
        name: "secret",
        ty: TypeRef::named("String"),
        description: "The secret that deliveries are signed with (`whsec_…`). It is shown this once: a replayed answer does \
                      not have it.",
        plan: |_, _, report| {
            let secret = report.get("secret").cloned().unwrap_or(Json::Null);
            Ok(Out::Text(secret.to_string().into_bytes()))
        },
        longest: |_| Json::Null,
    };
    let create = Mutation::reporting(
        "createWebhook",
        TARGET,
        "Has changes posted to an address as they happen, as `changes` would give them to you; for partner systems and ANCT.",
        [
            required("url", "String", URL),
            several("entities", "ChangeEntity", ENTITIES),
            optional(
                "after",
                "String",
                "A cursor of `changes` to begin after; from now on unless told, null from the oldest kept.",
            ),
        ],
        |writing, input| Box::pin(create(writing, input)),
    );
    vec![
        create.shows(secret).shown_once(),
        Mutation::new(
            "updateWebhook",
            TARGET,
            "Changes a webhook, pauses it or takes it up again, or goes back to a cursor to have changes posted once more.",
            [
                id_of("webhook"),
                expected_version(),
                optional("url", "String", URL),
                several("entities", "ChangeEntity", ENTITIES),
                optional("state", "WebhookState", "PAUSED stops it, ACTIVE takes it up where it stands."),
                optional(
                    "after",
                    "String",
                    "A cursor of `changes` to go on after; null for the oldest kept.",
                ),
            ],
            |writing, input| Box::pin(update(writing, input)),
        ),
        Mutation::new(
            "deleteWebhook",
            TARGET,
            "Ends a webhook for good, with its secret.",
            [id_of("webhook"), expected_version()],
            |writing, input| Box::pin(delete(writing, input)),
        ),
    ]
}

async fn create(writing: Writing<'_>, input: &Input<'_>) -> Result<Done, Failure> {
    let client = writing.client();
    writing.place(RIGHTS, "", Place { columns: vec![("client_id", client.as_str().into())] }).await?;
    input.malformed().iter().cloned().for_each(|problem| input.problem(problem));
    let url = match url(writing, input) {
        Patch::Set(url) => url,
        _ => String::new(),
    };
    let after = match after(writing, input).await? {
        Patch::Keep => {
            let tag = db::identity(writing.tx).await?;
            tail::end(writing.tx, writing.backend).await?.map(|place| place.cursor(tag).as_ref().to_owned())
        }
        given => given.or(None),
    };
    // two at once would count the same
    writing.alone(&format!("webhooks of {client}")).await?;
    let own = webhook::Entity::find().filter(webhook::Column::ClientId.eq(client.as_str()));
    let count = own.filter(webhook::Column::DeletedAt.is_null()).count(writing.tx).await?;
    if count >= limits::WEBHOOKS_OF_CLIENT {
        let message = format!("the client has {count} webhooks, as many as it may; delete one");
        input.wrong(ProblemCode::Rule, "url", message);
    }
    input.check()?;
    let (actor, secret) = (&writing.viewer.actor, new_secret());
    let row = webhook::Model {
        id: Uuid::now_v7(),
        client_id: client,
        role: actor.role.name().to_owned(),
        actor_sub: actor.sub.clone(),
        source_system: actor.source.clone(),
        scopes: actor.scopes.iter().copied().map(Scope::name).collect(),
        token_jti: actor.jti.clone(),
        token_issued_at: actor.issued_at,
        url,
        entities: input.list("entities", None).or(None).unwrap_or_default(),
        secret: secret.clone(),
        state: WebhookState::Active,
        pause_reason: None,
        after_cursor: after,
        delivered_at: None,
        attempts: 0,
        failing_since: None,
        next_attempt_at: None,
        last_error: None,
        lease: None,
        leased_until: None,
        version: 1,
        created_at: writing.now,
        updated_at: writing.now,
        deleted_at: None,
    };
    let row = row.into_active_model().reset_all().insert(writing.tx).await?;
    let change = record(writing, &row, Verb::Create, vec!["url", "entities", "state", "after"]).await?;
    Ok(Done { report: Some(json!({ "secret": secret })), ..change.into() })
}

async fn update(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "webhook")?;
    let current = writing.row::<webhook::Entity>(RIGHTS, "id", id, input.expected_version()).await?;
    let mut row = next(writing, &current);
    let mut changed = Vec::new();
    if let Patch::Set(url) = url(writing, input) {
        take!(changed, row, current, "url", url, url);
    }
    if let Patch::Set(entities) = input.list("entities", None) {
        take!(changed, row, current, "entities", entities, entities);
    }
    let state = input.needed("state", WebhookState::parse).or(Some(current.state)).unwrap_or(current.state);
    take!(changed, row, current, "state", state, state);
    let goes_back = after(writing, input).await?;
    if goes_back.is_given() {
        take!(changed, row, current, "after", after_cursor, goes_back.or(None));
    }
    input.check()?;
    if changed.is_empty() {
        return Ok(Change { id });
    }
    let by_owner = current.pause_reason.or(Some(WebhookPauseReason::Owner));
    row.pause_reason = Set(by_owner.filter(|_| state == WebhookState::Paused));
    // what was tried in vain is tried anew, and who delivers now writes nothing more of it
    (row.attempts, row.failing_since, row.next_attempt_at) = (Set(0), Set(None), Set(None));
    let row = writing.change(&current, row).await?;
    record(writing, &row, Verb::Update, changed).await
}

async fn delete(writing: Writing<'_>, input: &Input<'_>) -> Result<Change, Failure> {
    let id = input.subject("id", "webhook")?;
    let current = writing.row::<webhook::Entity>(RIGHTS, "id", id, input.expected_version()).await?;
    let mut row = next(writing, &current);
    row.deleted_at = Set(Some(writing.now));
    row.secret = Set(String::new());
    let row = writing.change(&current, row).await?;
    record(writing, &row, Verb::Delete, Vec::new()).await
}

fn next(writing: Writing<'_>, current: &webhook::Model) -> webhook::ActiveModel {
    let actor = &writing.viewer.actor;
    webhook::ActiveModel {
        id: Unchanged(current.id),
        token_jti: Set(actor.jti.clone()),
        token_issued_at: Set(actor.issued_at),
        version: Set(current.version + 1),
        updated_at: Set(writing.now),
        lease: Set(None),
        leased_until: Set(None),
        ..Default::default()
    }
}

async fn record(
    writing: Writing<'_>,
    row: &webhook::Model,
    verb: Verb,
    changed: Vec<&'static str>,
) -> Result<Change, Failure> {
    let seen = (Seen::default(), Seen::default());
    writing.record("Webhook", (row.id, row.version), verb, changed, seen).await
}

fn url(writing: Writing<'_>, input: &Input<'_>) -> Patch<String> {
    let url = input.needed_text("url", 1..=2_000);
    if let Patch::Set(url) = &url
        && !is_usable(url, writing.is_development)
    {
        let message =
            "expected https:// and an address of the public internet, without user, password or fragment";
        input.wrong(ProblemCode::InvalidFormat, "url", message);
    }
    url
}

/// A cursor that this database knows.
async fn after(writing: Writing<'_>, input: &Input<'_>) -> Result<Patch<String>, Failure> {
    Ok(match input.given("after") {
        None => Patch::Keep,
        Some(Value::String(cursor)) => {
            if !feed::knows(writing.tx, writing.backend, cursor).await? {
                let message = "this database does not know the cursor: it is too old, or of another copy";
                input.wrong(ProblemCode::UnknownCode, "after", message);
            }
            Patch::Set(cursor.clone())
        }
        Some(_) => Patch::Clear,
    })
}
