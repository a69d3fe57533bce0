//! Webhooks: what changed, posted to a client's own address as it happens.
//!
//! The journal is the outbox. `deliver` follows the feed for each webhook under its owner's rights as they are now, posts
//! change after change, and keeps the place of the last one that was taken: so nothing is lost, the changes of an object
//! arrive in their order, and one whose answer was lost arrives again under the same id. `rounds` says whose turn it is, `send` signs and posts, `address`
//! says where to, `mutations` is what clients do with them.

mod address;
mod deliver;
mod mutations;
mod rounds;
mod send;

use entity::webhook;

use crate::graphql::scalars::Scalar;
use crate::policy::Resource;
use crate::read::common::enumeration;
use crate::read::declare::{Noun, column};
use crate::read::model::Extras;

pub use mutations::mutations;
pub use rounds::in_background;

/// Enums that only inputs use.
pub fn extras() -> Extras {
    Extras { enums: vec![enumeration!(WebhookState), enumeration!(WebhookPauseReason)], ..Extras::default() }
}

/// The nouns of this folder.
pub fn nouns() -> Vec<Noun> {
    use webhook::Column;
    let noun = Noun::new(
        "Webhook",
        webhook::Entity,
        Resource::Webhook,
        "An address to which changes are posted as they happen (« webhook »), under the rights of the client that made it.",
    )
    .node("webhook")
    .root("webhooks", "Webhooks of the caller's client; for ANCT, all.")
    .lookup("webhook", &["id"])
    .fields([
        column("clientId", Column::ClientId, Scalar::String, "The client that made it.").sorted(),
        column("url", Column::Url, Scalar::String, "Where changes are posted."),
        column(
            "entities",
            Column::Entities,
            crate::feed::ENTITY,
            "Kinds of objects whose changes are posted; all of them if empty.",
        ),
        column("state", Column::State, enumeration!(WebhookState), "Whether changes are posted.").sorted(),
        column(
            "pauseReason",
            Column::PauseReason,
            enumeration!(WebhookPauseReason),
            "Why it stands still; null while it is active.",
        ),
        column("after", Column::AfterCursor, Scalar::String, "Cursor of the last change that was taken, as in `changes`.")
            .unfiltered(),
        column("deliveredAt", Column::DeliveredAt, Scalar::DateTime, "When a change was last taken."),
        column("attempts", Column::Attempts, Scalar::Int, "How often the next change was tried in vain."),
        column("failingSince", Column::FailingSince, Scalar::DateTime, "Since when it is tried in vain."),
        column("nextAttemptAt", Column::NextAttemptAt, Scalar::DateTime, "When it is tried next."),
        column(
            "lastError",
            Column::LastError,
            Scalar::String,
            "What came of the last attempt: HTTP_500, TIMEOUT, UNREACHABLE, ADDRESS_NOT_ALLOWED; null when it was taken.",
        ),
        column("version", Column::Version, Scalar::Int, "Counts the writes of its owner; `expectedVersion` of an update.")
            .unfiltered(),
        column("createdAt", Column::CreatedAt, Scalar::DateTime, "When it was made.").sorted(),
        column("updatedAt", Column::UpdatedAt, Scalar::DateTime, "When its owner last wrote it.").sorted(),
    ])
    .ordered_by(&["createdAt"]);
    vec![noun]
}
