//! What the schema shows of the feed.

use async_graphql::dynamic::TypeRef;

use super::plan::changes;
use crate::limits;
use crate::read::common::enumeration;
use crate::read::declare::EnumType;
use crate::read::model::{Argument, Extras, InputObject, LiveField, PlainObject, RootField};
use crate::read::plan::RootPlan;

/// The root field.
pub(crate) const ROOT: &str = "changes";

/// Journaled nouns that may be followed, with their names in the schema. Persons and clients are not among them.
pub(super) const ENTITIES: [(&str, &str); 10] = [
    ("Site", "SITE"),
    ("Partner", "PARTNER"),
    ("Seat", "SEAT"),
    ("GovernanceBody", "GOVERNANCE_BODY"),
    ("Meeting", "MEETING"),
    ("Roadmap", "ROADMAP"),
    ("Axis", "AXIS"),
    ("Action", "ACTION"),
    ("Figure", "FIGURE"),
    ("FundingLine", "FUNDING_LINE"),
];

pub(crate) const ENTITY: EnumType = EnumType {
    name: "ChangeEntity",
    description: "Kinds of objects whose changes can be followed (« objets suivis »).",
    values: &[
        ("SITE", "A site (« cité de l'emploi »)."),
        ("PARTNER", "A partner (« partenaire »)."),
        ("SEAT", "A seat (« siège »)."),
        ("GOVERNANCE_BODY", "A committee (« instance »)."),
        ("MEETING", "A meeting (« réunion »)."),
        ("ROADMAP", "A roadmap (« feuille de route »)."),
        ("AXIS", "An axis (« axe »)."),
        ("ACTION", "An action (« action »)."),
        ("FIGURE", "A figure (« indicateur »)."),
        ("FUNDING_LINE", "A line of funding (« financement »)."),
    ],
};

/// The root field and its types.
pub fn extras() -> Extras {
    let first = format!("How many from the start: {0} unless told, and at most.", limits::PAGE_MAX_CHANGES);
    let after = "Only changes after this cursor; it stays good for a year at least. Null begins with the oldest change \
                 kept. To start over: ask `changes(last: 1) { pageInfo { endCursor } }`, read the lists you need, then \
                 follow from that cursor.";
    let root = RootField {
        name: ROOT,
        description: "What changed, in the order of commits, each change once: objects written, and as DELETE those that \
                      are gone or that you may no longer read. A DELETE of a site takes all that hangs on it; a site that \
                      comes and was not there is read anew with all that hangs on it. When your rights in a site \
                      change, these two reach you, so follow SITE with whatever else you follow. A page may be short, \
                      or empty, and go on: it looks through so many changes, yours or not. A client whose grant does \
                      not hold is answered FORBIDDEN; its cursor stays good. A cursor that this database does not know \
                      answers CURSOR_EXPIRED."
            .to_owned(),
        arguments: vec![
            Argument::new("first", TypeRef::named("Int"), first),
            Argument::new("after", TypeRef::named("String"), after),
            Argument::new("last", TypeRef::named("Int"), "How many from the end; not together with `first` or `after`."),
            Argument::new("filter", TypeRef::named("ChangeFilter"), "Only changes that meet these conditions."),
        ],
        ty: TypeRef::named_nn("ChangeConnection"),
        plan: RootPlan::Custom(changes),
    };
    Extras {
        roots: vec![root],
        subscriptions: vec![subscription()],
        objects: objects(),
        inputs: inputs(),
        enums: vec![ENTITY, enumeration!(JournalOp)],
    }
}

/// The same live.
fn subscription() -> LiveField {
    let after = "First what was missed after this cursor, then what comes: each change once, at the seam too. Null: only \
                 what comes from now on.";
    LiveField {
        name: ROOT,
        description: "Each change as it is committed, one an event, in the order and by the rights of the query \
                      `changes`. Keep the `cursor` of the last event, and go on from it when the stream ends, for \
                      whatever reason."
            .to_owned(),
        arguments: vec![
            Argument::new("after", TypeRef::named("String"), after),
            Argument::new("filter", TypeRef::named("ChangeFilter"), "Only changes that meet these conditions."),
        ],
        ty: TypeRef::named_nn("Change"),
    }
}

fn objects() -> Vec<PlainObject> {
    let text = "Its place in the feed, for `after`.";
    vec![
        PlainObject {
            name: "Change",
            description: "One change of one object (« modification »).",
            fields: vec![
                ("cursor", TypeRef::named_nn("String"), text),
                ("at", TypeRef::named_nn("DateTime"), "When."),
                (
                    "operation",
                    TypeRef::named_nn("JournalOp"),
                    "UPSERT, or DELETE when the object is gone for you.",
                ),
                ("entity", TypeRef::named_nn("ChangeEntity"), "Kind of object."),
                ("entityId", TypeRef::named_nn("ID"), "Identifier of the object."),
                ("version", TypeRef::named_nn("Int"), "Version of the object after the change."),
                ("node", TypeRef::named("Node"), "The object as it is now; null when you may not read it."),
            ],
        },
        PlainObject {
            name: "ChangeEdge",
            description: "A change in the feed.",
            fields: vec![
                ("cursor", TypeRef::named_nn("String"), text),
                ("node", TypeRef::named_nn("Change"), "The change."),
            ],
        },
        PlainObject {
            name: "ChangeConnection",
            description: "A page of the feed.",
            fields: vec![
                ("nodes", TypeRef::named_nn_list_nn("Change"), "The changes of the page."),
                ("edges", TypeRef::named_nn_list_nn("ChangeEdge"), "The changes with their cursors."),
                (
                    "pageInfo",
                    TypeRef::named_nn("PageInfo"),
                    "Where the page stands; `endCursor` is how far was looked, also on an empty page.",
                ),
            ],
        },
    ]
}

fn inputs() -> Vec<InputObject> {
    let one = || TypeRef::named("ChangeEntity");
    let many = || TypeRef::named_nn_list("ChangeEntity");
    vec![
        InputObject {
            name: "ChangeEntityFilter".to_owned(),
            description: "Conditions on a ChangeEntity.".to_owned(),
            fields: vec![
                Argument::new("eq", one(), "Equal to this."),
                Argument::new("ne", one(), "Not equal to this."),
                Argument::new("in", many(), "One of these; an empty list matches nothing."),
                Argument::new("notIn", many(), "None of these."),
            ],
            one_of: false,
        },
        InputObject {
            name: "ChangeFilter".to_owned(),
            description: "Conditions on a change.".to_owned(),
            fields: vec![Argument::new("entity", TypeRef::named("ChangeEntityFilter"), "Kind of object.")],
            one_of: false,
        },
    ]
}
