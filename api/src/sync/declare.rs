//! What the schema shows of imports.

use async_graphql::dynamic::TypeRef;
use async_graphql::{Name, Value};
use entity::{import_batch, import_item};
use serde_json::Value as Json;

use super::{call, report};
use crate::graphql::scalars::Scalar;
use crate::limits;
use crate::policy::Resource;
use crate::read::coerce::Arguments;
use crate::read::common::enumeration;
use crate::read::declare::{Noun, by, column, group, many, one};
use crate::read::model::{Argument, Extras, InputObject, PlainObject};
use crate::write::declare::{Part, optional, required, several};
use crate::write::{Mutation, Target};

/// The nouns of this folder.
pub fn nouns() -> Vec<Noun> {
    vec![batch(), item()]
}

fn batch() -> Noun {
    use import_batch::Column;
    Noun::new(
        "ImportBatch",
        import_batch::Entity,
        Resource::ImportBatch,
        "One call of a client that syncs (« import »); a client sees its own.",
    )
    .node("import")
    .without_tombstones()
    .root("importBatches", "Imports, the latest first.")
    .lookup("importBatch", &["id", "idempotencyKey"])
    .fields([
        column("status", Column::Status, enumeration!(ImportStatus), "Where it stands."),
        column("mode", Column::Mode, enumeration!(ImportMode), "What rows mean that it does not name."),
        column("onError", Column::OnError, enumeration!(ImportErrorPolicy), "What a wrong item meant."),
        column("idempotencyKey", Column::IdempotencyKey, Scalar::String, "The client's own key for it."),
        column("clientId", Column::ClientId, Scalar::String, "The client that sent it."),
        column("sourceSystem", Column::SourceSystem, Scalar::String, "System whose actions it wrote.").unfiltered(),
        column("createdAt", Column::CreatedAt, Scalar::DateTime, "When it came.").sorted(),
        column("completedAt", Column::CompletedAt, Scalar::DateTime, "When its last item had its outcome.").unfiltered(),
        group("counts", "ImportCounts", None, counts(), "How many items had each outcome (« bilan »)."),
        column(
            "externalIds",
            Column::ExternalIds,
            Scalar::String,
            "Identifiers of its items in the source system, in their order, then of what a snapshot does not hold: \
             `has` finds the imports of one item.",
        ),
        one("site", "Site", Column::SiteId, "Site of a snapshot."),
        many(
            "items",
            by("ImportItem", import_item::Column::BatchId),
            "Items that changed something, or of which something is to be said. One that `externalIds` names and \
             that is not here was UNCHANGED. What a snapshot does not hold comes after them: UPDATED, with the code \
             ABSENT.",
        ),
    ])
    .ordered_by_descending("createdAt")
}

fn counts() -> Vec<crate::read::declare::Field> {
    use import_batch::Column;
    vec![
        column("created", Column::Created, Scalar::Int, "Actions that were not there before.").unfiltered(),
        column("updated", Column::Updated, Scalar::Int, "Actions changed or deleted.").unfiltered(),
        column("unchanged", Column::Unchanged, Scalar::Int, "Items that changed nothing.").unfiltered(),
        column("conflict", Column::Conflict, Scalar::Int, "Items at another version than expected.")
            .unfiltered(),
        column("rejected", Column::Rejected, Scalar::Int, "Items that were wrong.").unfiltered(),
        column(
            "absent",
            Column::Absent,
            Scalar::Int,
            "Actions deleted because a snapshot does not hold them.",
        )
        .unfiltered(),
    ]
}

fn item() -> Noun {
    use import_item::Column;
    Noun::new(
        "ImportItem",
        import_item::Entity,
        Resource::ImportBatch,
        "What became of one item of an import (« élément »).",
    )
    .fields([
        column("index", Column::Position, Scalar::Int, "Its place in the call, from 0.").unfiltered(),
        column("externalId", Column::ExternalId, Scalar::String, "Its identifier in the source system."),
        column("outcome", Column::Outcome, enumeration!(ImportOutcome), "What became of it."),
        column("at", Column::At, Scalar::DateTime, "When it was handled.").unfiltered(),
        column("codes", Column::Codes, Scalar::String, "Codes of what was wrong, or is to be known.")
            .unfiltered(),
        column(
            "paths",
            Column::Paths,
            Scalar::String,
            "Where in the input: `lead.siret`; one for each code.",
        )
        .unfiltered(),
        column("messages", Column::Messages, Scalar::String, "The same for people; one for each code.")
            .unfiltered(),
        one("batch", "ImportBatch", Column::BatchId, "Its import."),
        one("action", "Action", Column::ActionId, "The action it is about."),
    ])
}

/// The mutations of this folder.
pub fn mutations() -> Vec<Mutation> {
    let choice = |name: &str, ty: &'static str, value: &str, text: &str| {
        Argument::new(name, TypeRef::named(ty), text).default(Value::Enum(Name::new(value)))
    };
    let flag = |name: &str, text: &str| Argument::new(name, TypeRef::named("Boolean"), text).default(false);
    let items = format!("1 to {} items.", limits::IMPORT_ITEMS);
    let input = [
        choice("mode", "ImportMode", "UPSERT", "What rows mean that the items do not name."),
        choice("onError", "ImportErrorPolicy", "CONTINUE", "What a wrong item means for the others."),
        flag("dryRun", "Tells what would happen, and writes nothing."),
        optional(
            "site",
            "SiteRef",
            "Site of a FULL_SNAPSHOT, which holds all of its actions of your system.",
        ),
        flag("confirmDeletions", "Lets a FULL_SNAPSHOT delete more than 20 % of the actions of its site."),
        Argument::new("items", TypeRef::named_nn_list_nn("SyncActionItem"), items),
    ];
    let results = Part {
        name: "results",
        ty: TypeRef::named_nn_list_nn("SyncActionResult"),
        description: "What became of each item, in their order; of a dry run, what would.",
        plan: report::plan,
        longest,
    };
    let absent = Part {
        name: "absent",
        ty: TypeRef::named_nn_list_nn("SyncActionAbsent"),
        description: "What a FULL_SNAPSHOT does not hold and was deleted; of a dry run, or of one that is \
                      UNCONFIRMED, what would be.",
        plan: report::plan_absent,
        longest,
    };
    let target = Target { field: "batch", noun: "ImportBatch" };
    let sync = Mutation::reporting(
        "syncActions",
        target,
        "Brings the actions of your source system, which your token names, up to date: items are known by \
         `externalId`. Each item stands alone; what says nothing new writes nothing; the same call again under the \
         same `idempotencyKey` answers as before. Fields that the site's steerers own are set at creation only.",
        input,
        |writing, input| Box::pin(call::sync(writing, input)),
    );
    vec![sync.shows(results).shows(absent).counted(report::count)]
}

/// The longest report that is likely: a snapshot that does not hold as many actions as it does is refused as a rule.
fn longest(input: &Arguments) -> Json {
    let items = if let Some(Value::List(items)) = input.get("items") { items.len() } else { 0 };
    let is_snapshot = matches!(input.get("mode"), Some(Value::Enum(mode)) if mode == "FULL_SNAPSHOT");
    let items = items.min(limits::IMPORT_ITEMS);
    report::longest(items, if is_snapshot { items } else { 0 })
}

/// Inputs and types beside the nouns.
pub fn extras() -> Extras {
    Extras {
        inputs: vec![item_input(), on_create(), site_ref(), partner_ref()],
        objects: vec![result(), absent()],
        enums: vec![enumeration!(ImportMode), enumeration!(ImportErrorPolicy), enumeration!(ImportOutcome)],
        ..Extras::default()
    }
}

fn result() -> PlainObject {
    PlainObject {
        name: "SyncActionResult",
        description: "What became of one item (« suite donnée »).",
        fields: vec![
            ("index", TypeRef::named_nn("Int"), "Its place among the items, from 0."),
            ("outcome", TypeRef::named_nn("ImportOutcome"), "What became of it."),
            ("action", TypeRef::named("Action"), "The action after the call; null when there is none."),
            ("errors", TypeRef::named_nn_list_nn("UserError"), "Why it was rejected or in conflict."),
            (
                "notices",
                TypeRef::named_nn_list_nn("UserError"),
                "What is to be known of an item that stands: it was older than ours, a code has a successor …",
            ),
        ],
    }
}

fn absent() -> PlainObject {
    PlainObject {
        name: "SyncActionAbsent",
        description: "An action that a snapshot does not hold (« action absente »).",
        fields: vec![
            ("externalId", TypeRef::named_nn("String"), "Its identifier in the source system."),
            ("action", TypeRef::named("Action"), "The action; null once it is deleted."),
        ],
    }
}

fn item_input() -> InputObject {
    InputObject {
        name: "SyncActionItem".to_owned(),
        description: "One action as its source system has it. Absent fields stay as they are, null empties."
            .to_owned(),
        fields: vec![
            required("externalId", "String", "Its identifier in the source system, 1 to 200 characters."),
            required(
                "sourceUpdatedAt",
                "DateTime",
                "When the source system last changed it; older than ours is skipped. At most a day from now.",
            ),
            optional(
                "expectedVersion",
                "Int",
                "The version that it starts from; another is a CONFLICT. Of an item that was written already and comes \
                 again, with the same `sourceUpdatedAt` and nothing that would change, it is not compared.",
            ),
            Argument::new("deleted", TypeRef::named("Boolean"), "It is gone in the source system.")
                .default(false),
            optional("site", "SiteRef", "Its site; needed for a new action."),
            optional("title", "String", "Title, 3 to 200 characters; needed for a new action."),
            optional("description", "String", "What it is, up to 10 000 characters."),
            optional("status", "ActionStatus", "Where it stands; DRAFT for a new action unless told."),
            optional("startsOn", "PartialDate", "Start, as precisely as is known."),
            optional(
                "endsOn",
                "PartialDate",
                "End, not before the start; a COMPLETED action has one that is not in the future.",
            ),
            optional(
                "cancelReason",
                "String",
                "Why it was cancelled; needed by CANCELLED. 3 to 1 000 characters.",
            ),
            optional("lead", "PartnerRef", "The partner that leads it; needed from PLANNED on."),
            several(
                "partners",
                "PartnerRef",
                "Partners that take part; one without seat in the site gets one as OPERATEUR.",
            ),
            several("romeCodes", "RomeCode", "Occupations it concerns (« codes ROME »)."),
            optional(
                "onCreate",
                "SyncActionOnCreate",
                "What the site's steerers own afterwards; taken at creation, passed over later.",
            ),
        ],
        one_of: false,
    }
}

fn on_create() -> InputObject {
    InputObject {
        name: "SyncActionOnCreate".to_owned(),
        description: "First values of the fields that the site's steerers own.".to_owned(),
        fields: vec![
            optional("pillar", "Pillar", "National pillar (« pilier »)."),
            several("categories", "ActionCategory", "What it is about."),
            several("audiences", "Audience", "Whom it is for (« public cible »)."),
            optional("innovative", "Boolean", "Innovative; false unless told."),
            optional("published", "Boolean", "Shown to the public, once it is no draft; false unless told."),
            several("qpvs", "QpvCode", "« QPV » of the site it is for; none means all of them."),
        ],
        one_of: false,
    }
}

fn site_ref() -> InputObject {
    InputObject {
        name: "SiteRef".to_owned(),
        description: "A site, by its code or by « QPV » that lie in it alone.".to_owned(),
        fields: vec![
            optional("code", "SiteCode", "Its code."),
            several(
                "qpvs",
                "QpvCode",
                "« QPV » of its perimeter; the one site of yours that has them all is meant.",
            ),
        ],
        one_of: true,
    }
}

fn partner_ref() -> InputObject {
    InputObject {
        name: "PartnerRef".to_owned(),
        description:
            "A partner, by one code or several. One that nobody knows yet is made when name and kind come \
                      with it; codes that fit several partners are refused, with their ids."
                .to_owned(),
        fields: vec![
            optional("externalId", "String", "Its identifier in your source system, 1 to 200 characters."),
            optional("siret", "Siret", "SIRET of the establishment."),
            optional("rna", "Rna", "Number in the register of associations."),
            optional("safirCode", "SafirCode", "France Travail agency (« code SAFIR »)."),
            optional("name", "String", "Name, 2 to 200 characters, should it be new."),
            optional("kind", "PartnerKind", "Nature, should it be new."),
        ],
        one_of: false,
    }
}
